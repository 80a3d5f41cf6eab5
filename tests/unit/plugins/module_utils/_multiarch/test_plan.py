# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiError, InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    ObservedTag,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._multiarch.desired import (
    TagNames,
    recorded_streams,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._multiarch.plan import (
    Candidate,
    Other,
    Question,
    judge,
    questions_back,
    questions_there,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.triggers import (
    ImageTrigger,
    StreamTag,
)

SOURCE = "registry.example.com/team/web:v1"
LIST = "sha256:" + "0" * 64
CHILDREN = ("linux/amd64", "linux/arm64/v8", "windows/amd64", "unknown/unknown")


def digest(platform: str) -> str:
    return "sha256:" + platform.encode().hex().ljust(64, "0")


def served(*platforms: str) -> Image:
    children = []
    for platform in platforms:
        os, architecture, variant = (*platform.split("/"), "", "")[:3]
        children.append(Manifest(os, architecture, variant, digest(platform), 7))
    return Image(LIST, f"registry.example.com/team/web@{LIST}", "", tuple(children), "PreserveOriginal")


def tag(name: str = "v1", **fields: t.Any) -> ObservedTag:
    return ObservedTag(name, source=SOURCE, import_mode="Legacy", digest=digest("linux/amd64"))._replace(**fields)


def stream(*tags: ObservedTag, name: str = "web") -> ObservedStream:
    return ObservedStream("shop", name, True, tags={one.name: one for one in tags})


def candidate(
    observed: ObservedTag,
    image: Image,
    *others: ObservedTag,
    triggers: t.Sequence[ImageTrigger] = (),
    architecture: str = "amd64",
) -> Candidate:
    question = Question(stream(observed, *others), observed)
    watched: dict[StreamTag, list[ImageTrigger]] = {}
    for trigger in triggers:
        watched.setdefault(trigger.watches, []).append(trigger)
    [found], none = judge([question], {question.lookup: image}, watched, architecture)
    assert none == []
    return found


def trigger(name: str, watched: str = "v1") -> ImageTrigger:
    return ImageTrigger("Deployment", "shop", name, ("app",), True, StreamTag("shop", "web", watched))


def summary(others: t.Iterable[Other]) -> dict[str, str]:
    return {f"{other.stream}:{other.tag}": other.state for other in others}


def test_what_is_known_without_asking_is_not_asked() -> None:
    observed = stream(
        tag("v1", insecure=True),
        tag("whole", import_mode="PreserveOriginal"),
        tag("alias", kind="ImageStreamTag", source="v1"),
        tag("reference", reference=True),
    )
    questions, others = questions_there([observed, stream(tag(), name="api")], TagNames(("sh*",), ("web",)))
    assert [question.tag.name for question in questions] == ["v1"]
    lookup = questions[0].lookup
    assert (lookup.source, lookup.import_mode, lookup.insecure) == (SOURCE, "PreserveOriginal", True)
    assert summary(others) == {"web:whole": "preserved", "web:alias": "not_external", "web:reference": "not_external"}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (TagNames(), ["v1", "v2"]),
        (TagNames((), (), ("*2",)), ["v2"]),
        (TagNames((), ("WEB",)), []),
        (TagNames(("lab",)), []),
        (TagNames(("lab", "shop"), ("a*", "w*"), ("v[1]",)), ["v1"]),
    ],
)
def test_patterns_choose(names: TagNames, found: list[str]) -> None:
    questions, _others = questions_there([stream(tag("v1"), tag("v2"))], names)
    assert [question.tag.name for question in questions] == found


def test_what_the_whole_list_brings() -> None:
    found = candidate(tag(), served(*CHILDREN))
    assert found.platform == "linux/amd64"
    assert found.platforms == ("linux/amd64", "linux/arm64/v8", "windows/amd64")
    assert found.difference == ("linux/arm64/v8", "windows/amd64")
    assert (found.digest_after, found.legacy_digest, found.moved, found.why) == (LIST, digest("linux/amd64"), False, "")


@pytest.mark.parametrize(
    ("fields", "architecture", "legacy"),
    [
        ({}, "amd64", "linux/amd64"),
        ({}, "arm64", "linux/arm64/v8"),
        ({}, "s390x", "linux/amd64"),
        ({"prefer_architecture": "arm64"}, "amd64", "linux/arm64/v8"),
        ({"prefer_os": "windows"}, "amd64", "windows/amd64"),
        ({"prefer_os": "windows"}, "arm64", "linux/amd64"),
        ({"prefer_architecture": "arm64", "source": f"registry.example.com/team/web@{LIST}"}, "amd64", "linux/amd64"),
    ],
)
def test_legacy_takes_the_child_by_the_servers_rules(fields: dict[str, str], architecture: str, legacy: str) -> None:
    assert candidate(tag(**fields), served(*CHILDREN), architecture=architecture).legacy_digest == digest(legacy)


def test_an_image_that_is_no_child_any_more_is_compared_with_what_legacy_would_take() -> None:
    found = candidate(tag(digest="sha256:gone"), served(*CHILDREN))
    assert (found.moved, found.platform, found.difference) == (True, "", ("linux/arm64/v8", "windows/amd64"))
    assert not candidate(tag(digest=""), served(*CHILDREN)).moved


def test_a_list_with_an_entry_without_platform_cannot_be_migrated() -> None:
    found = candidate(tag(), served("linux/amd64", "/"))
    assert "an entry without a platform" in found.why
    assert digest("/") in found.why
    assert found.platforms == ("linux/amd64",)


def test_tags_that_follow_make_their_triggers_fire_too() -> None:
    others = [
        tag("latest", kind="ImageStreamTag", source="v1"),
        tag("stable", kind="ImageStreamTag", source="web:latest", source_namespace="shop"),
        tag("foreign", kind="ImageStreamTag", source="v1", source_namespace="lab"),
        tag("other", kind="ImageStreamTag", source="api:v1"),
    ]
    watching = [trigger("a"), trigger("b", "latest"), trigger("c", "stable"), trigger("d", "foreign")]
    found = candidate(tag(), served(*CHILDREN), *others, triggers=watching)
    assert found.followed_by == ("latest", "stable")
    assert [one.name for one in found.triggers] == ["a", "b", "c"]


def test_nothing_fires_where_the_digest_stays() -> None:
    assert candidate(tag(digest=LIST), served(*CHILDREN), triggers=[trigger("a")]).triggers == ()


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        (served(), "single", "a single image"),
        (ImportFailure("NotFound", "not there"), "unreadable", "NotFound: not there"),
        (ImportFailure("", "no idea"), "unreadable", "no idea"),
        (ApiError("Cannot create: 500.", status=500), "unreadable", "Cannot create: 500."),
    ],
)
def test_what_is_no_candidate(answer: t.Any, state: str, why: str) -> None:
    question = Question(stream(tag()), tag())
    none, [other] = judge([question], {question.lookup: answer}, {}, "amd64")
    assert none == []
    assert other.state == state
    assert why in other.why


def recorded(*tags: dict[str, t.Any], name: str = "web") -> dict[str, t.Any]:
    return {
        "namespace": "shop",
        "name": name,
        "tags": [{"name": "v1", "from": SOURCE, "import_mode": "Legacy", **entry} for entry in tags],
    }


def test_the_latest_record_of_a_tag_counts() -> None:
    record = [recorded({"prefer_os": "windows"}, {"name": "v2"}), recorded({}, name="api"), recorded({"prefer_os": ""})]
    web, api = recorded_streams(record, TagNames())
    assert [(one.name, one.prefer_os) for one in web.tags] == [("v1", ""), ("v2", None)]
    assert api.key == ("shop", "api")
    [only] = recorded_streams(record, TagNames(("shop",), ("web",), ("v2",)))
    assert [one.name for one in only.tags] == ["v2"]
    assert recorded_streams(record, TagNames(("lab",))) == recorded_streams([], TagNames()) == []


def test_a_record_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(InputError, match=r"^record: stream shop/web, tag v1: .* is not a pull spec"):
        recorded_streams([recorded({"from": "a b"})], TagNames())


def test_the_way_back_leaves_alone_what_is_something_else_by_now() -> None:
    record = recorded_streams(
        [recorded({}, {"name": "gone"}, {"name": "moved"}, {"name": "done"}), recorded({}, name="unread")], TagNames()
    )
    observed = stream(
        tag("v1", import_mode="PreserveOriginal"),
        tag("moved", import_mode="PreserveOriginal", source="registry.example.com/team/web:v2"),
        tag("done"),
    )
    questions, others = questions_back(record, {observed.key: observed})
    assert [question.tag.name for question in questions] == ["v1"]
    assert summary(others) == {"web:gone": "gone", "web:moved": "source_changed", "web:done": "not_preserved"}


def test_the_way_back_takes_the_recorded_preference() -> None:
    record = recorded_streams([recorded({"prefer_architecture": "arm64"})], TagNames())
    observed = stream(tag(import_mode="PreserveOriginal", digest=LIST))
    [question], _others = questions_back(record, {observed.key: observed})
    watching = {StreamTag("shop", "web", "v1"): [trigger("a")]}
    [found], _none = judge([question], {question.lookup: served(*CHILDREN, "/")}, watching, "amd64")
    assert found.back
    assert found.digest_after == digest("linux/arm64/v8")
    assert found.difference == ("linux/amd64", "windows/amd64")
    assert [one.name for one in found.triggers] == ["a"]
    assert found.why == "", "Legacy imports such a list"

    [single], _none = judge([question], {question.lookup: served()}, watching, "amd64")
    assert (single.digest_after, single.legacy, single.triggers) == (LIST, None, ())
