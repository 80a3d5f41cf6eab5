# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import NotFound
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    parse_stream,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_access.mirrors import Mirrors
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_refresh.desired import desired_refresh
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_refresh.plan import plan_refresh
from ansible_collections.quayside.openshift_images.plugins.modules import image_stream_refresh
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import Request, ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    IMPORTS,
    NAMESPACE,
    STREAMS,
    conflict,
    forbidden,
)

ALL = "/apis/image.openshift.io/v1/imagestreams"
MIRRORS = "/apis/config.openshift.io/v1/imagetagmirrorsets"
PROJECTS = "/apis/project.openshift.io/v1/projects"
OLD, NEW, CHILD = (f"sha256:{digit * 64}" for digit in "123")
PUSH = {"registry": "r.example.com", "repository": "team/web", "tag": "v1", "digest": NEW}


def spec_tag(name: str, source: str = "r.example.com/team/web:v1", **more: t.Any) -> dict[str, t.Any]:
    policy = {"importMode": more.pop("mode", "Legacy"), "scheduled": more.pop("scheduled", True)}
    image = {"kind": "DockerImage", "name": source}
    return {
        "name": name,
        "from": image,
        "importPolicy": policy,
        "referencePolicy": {"type": "Source"},
        "generation": 2,
        **more,
    }


def stream(
    *tags: dict[str, t.Any],
    namespace: str = NAMESPACE,
    name: str = "web",
    digest: str = OLD,
    version: str = "7",
    **status: t.Any,
) -> dict[str, t.Any]:
    """Return an ImageStream as the server has it, whose tags have the image ``digest``."""
    items = [{"image": digest, "dockerImageReference": f"r.example.com/team/web@{digest}", "generation": 2}]
    return {
        "kind": "ImageStream",
        "metadata": {"namespace": namespace, "name": name, "resourceVersion": version},
        "spec": {"tags": list(tags)},
        "status": {"tags": [{"tag": tag["name"], "items": items, **status} for tag in tags]},
    }


def imported(after: dict[str, t.Any], *digests: str) -> t.Callable[[Request], t.Any]:
    """Return what the server answers to an import of images, which then have the digests."""

    def answer(request: Request) -> t.Any:
        assert len(request.body["spec"]["images"]) == len(digests)
        images = [
            {
                "status": {"status": "Success"},
                "tag": "v1",
                "image": {"metadata": {"name": digest}, "dockerImageReference": f"r.example.com/team/web@{digest}"},
            }
            for digest in digests
        ]
        return {
            "spec": request.body["spec"],
            "status": {"images": images, "import": after if request.body["spec"]["import"] else None},
        }

    return answer


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    return lambda check_mode=False, **options: run_module_main(
        image_stream_refresh.main, {"pushes": [PUSH], **options}, check_mode=check_mode
    )


def tracked(*streams: dict[str, t.Any], mirrors: Mirrors | None = None, **options: t.Any) -> list[tuple[str, str, str]]:
    """Namespace, stream and tag of what would be imported."""
    wanted = desired_refresh({"pushes": [PUSH], **options})
    observed: list[ObservedStream] = [parse_stream(one["metadata"]["namespace"], one) for one in streams]
    return [
        (desired.namespace, desired.name, tag.name)
        for desired, _stream in plan_refresh(wanted, observed, mirrors or Mirrors())
        for tag in desired.tags
    ]


def names(*streams: dict[str, t.Any], **options: t.Any) -> list[str]:
    return [tag for _namespace, _stream, tag in tracked(*streams, **options)]


def test_one_list_one_import(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    before = stream(
        spec_tag("v1"), spec_tag("v2", "r.example.com/team/web:v2"), spec_tag("other", "r.example.com/team/other:v1")
    )
    cluster.on("GET", ALL, {"items": [before]}).on("GET", MIRRORS, {"items": []})
    after = copy.deepcopy(before)
    after["status"]["tags"][0]["items"] = [
        {"image": NEW, "dockerImageReference": f"r.example.com/team/web@{NEW}", "generation": 3}
    ]
    cluster.on("POST", IMPORTS, imported(after, NEW))
    outcome = run()
    assert outcome.result["changed"]
    [one] = outcome.result["streams"]
    [tag] = one["tags"]
    assert (tag["name"], tag["reasons"], tag["digest"], tag["previous_digest"]) == ("v1", ["pushed"], NEW, OLD)
    assert outcome.result["summary"]["reasons"] == {"pushed": 1}
    [request] = cluster.writes
    assert request.body["metadata"]["resourceVersion"] == "7"
    [image] = request.body["spec"]["images"]
    assert image["importPolicy"] == {"importMode": "Legacy", "insecure": False, "scheduled": True}
    assert (image["from"]["name"], image["to"]["name"]) == ("r.example.com/team/web:v1", "v1")
    assert len(cluster.sent) == 3


def test_what_has_the_digest_already_costs_nothing(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", ALL, {"items": [stream(spec_tag("v1"), digest=NEW)]}).on("GET", MIRRORS, {"items": []})
    outcome = run()
    assert not outcome.result["changed"]
    assert outcome.result["streams"] == []
    assert cluster.writes == []


def test_a_push_without_effect_changes_nothing(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    """Under Legacy a tag has a child of the list that was pushed: only the import tells."""
    there = stream(spec_tag("v1"), digest=CHILD)
    cluster.on("GET", ALL, {"items": [there]}).on("GET", MIRRORS, {"items": []}).on(
        "POST", IMPORTS, imported(there, CHILD)
    )
    outcome = run()
    assert not outcome.result["changed"]
    assert outcome.result["streams"][0]["tags"][0]["reasons"] == ["pushed"]


def test_check_mode_looks_up_and_writes_nothing(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", ALL, {"items": [stream(spec_tag("v1"))]}).on("GET", MIRRORS, {"items": []})
    cluster.on("POST", IMPORTS, imported({}, NEW))
    outcome = run(check_mode=True)
    assert outcome.result["changed"]
    assert outcome.result["streams"][0]["tags"][0]["digest"] == NEW
    assert cluster.writes == []
    assert len(cluster.lookups) == 1


def test_nothing_pushed_asks_nobody(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    assert not run(pushes=[]).result["changed"]
    assert cluster.sent == []


def test_a_push_reverts_no_change_of_somebody_else(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    """Between the LIST and the import another source, or another policy, is declared."""
    before = stream(spec_tag("v1"), spec_tag("v1b"))
    changed = stream(
        spec_tag("v1", "r.example.com/team/next:v1"),
        spec_tag("v1b", mode="PreserveOriginal", scheduled=False),
        version="8",
    )
    cluster.on("GET", ALL, {"items": [before]}).on("GET", MIRRORS, {"items": []}).on("GET", f"{STREAMS}/web", changed)
    after = copy.deepcopy(changed)
    after["status"]["tags"][1]["items"] = [
        {"image": NEW, "dockerImageReference": f"r.example.com/team/web@{NEW}", "generation": 3}
    ]
    cluster.on("POST", IMPORTS, conflict(), imported(after, NEW))
    outcome = run()
    assert not outcome.failed
    [image] = cluster.writes[-1].body["spec"]["images"]
    assert image["to"]["name"] == "v1b"
    assert image["importPolicy"] == {"importMode": "PreserveOriginal", "insecure": False, "scheduled": False}
    assert {tag["name"]: tag["digest"] for tag in outcome.result["streams"][0]["tags"]} == {"v1": OLD, "v1b": NEW}


def test_a_tag_or_stream_that_is_gone_meanwhile_is_not_created_again(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    missing = NotFound(
        "gone",
        status=404,
        reason="NotFound",
        server_message="gone",
        details={"kind": "imagestreams"},
        method="GET",
        path="x",
    )
    cluster.on("GET", ALL, {"items": [stream(spec_tag("v1"))]}).on("GET", MIRRORS, {"items": []})
    cluster.on("POST", IMPORTS, conflict()).on("GET", f"{STREAMS}/web", missing)
    outcome = run()
    assert not outcome.failed
    assert len(cluster.writes) == 1


def test_without_the_right_to_list_all_the_projects_of_the_user_are_read(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    hidden = "/apis/image.openshift.io/v1/namespaces/hidden/imagestreams"
    cluster.on("GET", ALL, forbidden("GET", ALL)).on("GET", MIRRORS, forbidden("GET", MIRRORS))
    cluster.on("GET", PROJECTS, {"items": [{"metadata": {"name": NAMESPACE}}, {"metadata": {"name": "hidden"}}]})
    cluster.on("GET", STREAMS, {"items": [stream(spec_tag("v1"), digest=NEW)]}).on(
        "GET", hidden, forbidden("GET", hidden)
    )
    assert not run().failed
    cluster.assert_all_asked()


def test_a_namespace_that_was_named_and_may_not_be_read_fails_after_the_others_work(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    hidden = "/apis/image.openshift.io/v1/namespaces/hidden/imagestreams"
    there = stream(spec_tag("v1"))
    cluster.on("GET", STREAMS, {"items": [there]}).on("GET", hidden, forbidden("GET", hidden)).on(
        "GET", MIRRORS, {"items": []}
    )
    cluster.on("POST", IMPORTS, imported(there, OLD))
    outcome = run(namespaces=["hidden", NAMESPACE])
    assert outcome.failed
    assert outcome.result["msg"].startswith("Not every namespace could be read:\n- ")
    assert len(cluster.writes) == 1


def test_labels_are_for_the_server_to_choose_by(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", ALL, {"items": []}).on("GET", MIRRORS, {"items": []})
    run(label_selectors=["a=b", "c"])
    assert next(request.query for request in cluster.sent if request.path == ALL) == {"labelSelector": "a=b,c"}


def test_exactly_the_tags_that_track_what_was_pushed() -> None:
    followers = {"from": {"kind": "ImageStreamTag", "name": "v1"}}
    assert names(
        stream(
            spec_tag("yes"),
            spec_tag("of-another-tag", "r.example.com/team/web:v2"),
            spec_tag("of-another-repository", "r.example.com/team/web2:v1"),
            spec_tag("below", "r.example.com/team/web/more:v1"),
            spec_tag("of-another-registry", "other.example.com/team/web:v1"),
            spec_tag("of-another-port", "r.example.com:5000/team/web:v1"),
            spec_tag("by-digest", f"r.example.com/team/web@{OLD}"),
            spec_tag("by-tag-and-digest", f"r.example.com/team/web:v1@{OLD}"),
            spec_tag("not-scheduled", scheduled=False),
            spec_tag("reference", reference=True),
            spec_tag("not-a-pull-spec", "r.example.com/Team/web:v1"),
            spec_tag("follows", **followers),
            spec_tag("with-port", "r.example.com:443/team/web:v1"),
        )
    ) == ["yes", "with-port"]
    assert names(stream(spec_tag("a"), spec_tag("b", scheduled=False)), only_scheduled=False) == ["a", "b"]


def test_a_push_without_tag_looks_at_the_whole_repository() -> None:
    there = stream(
        spec_tag("v1"),
        spec_tag("v2", "r.example.com/team/web:v2"),
        spec_tag("x", "r.example.com/team/x:v1"),
        digest=NEW,
    )
    assert names(there, pushes=[{**PUSH, "tag": None}]) == ["v1", "v2"]


def test_a_source_without_tag_is_latest_and_docker_hub_has_several_names() -> None:
    sources = {"a": "nginx", "b": "docker.io/library/nginx:latest", "c": "index.docker.io/nginx:latest", "d": "nginx:1"}
    there = stream(*(spec_tag(name, source) for name, source in sources.items()))
    assert names(there, pushes=[{"registry": "docker.io", "repository": "library/nginx", "tag": "latest"}]) == [
        "a",
        "b",
        "c",
    ]
    assert names(there, pushes=[{"registry": "docker.io", "repository": "nginx", "tag": "1"}]) == ["d"]


def test_pushes_in_disorder() -> None:
    """The image that the tag has was pushed, and another one before or after it: only the registry knows."""
    there = stream(spec_tag("v1"), digest=NEW)
    assert names(there, pushes=[PUSH, {**PUSH, "digest": OLD}]) == ["v1"]
    assert names(there, pushes=[PUSH, PUSH]) == []
    assert names(there, pushes=[{**PUSH, "digest": None}]) == ["v1"]


def test_a_failed_import_is_made_again_although_the_tag_has_the_digest() -> None:
    failed = {
        "conditions": [
            {"type": "ImportSuccess", "status": "False", "reason": "Unauthorized", "message": "no", "generation": 2}
        ]
    }
    assert names(stream(spec_tag("v1"), digest=NEW, **failed)) == ["v1"]
    assert names(stream(spec_tag("v1", generation=3), digest=NEW)) == ["v1"]


def test_the_names_of_a_registry() -> None:
    there = stream(
        spec_tag("route"),
        spec_tag("service", "quay.svc.example.com:8443/team/web:v1"),
        spec_tag("mirror", "mirror.example.com/copies/quay/team/web:v1"),
        spec_tag("of-the-mirror", "mirror.example.com/team/web:v1"),
    )
    groups = [["quay.svc.example.com:8443", "r.example.com", "mirror.example.com/copies/quay/"]]
    assert names(there, registry_names=groups) == ["route", "service", "mirror"]
    for registry, repository in (
        ("quay.svc.example.com:8443", "team/web"),
        ("mirror.example.com", "copies/quay/team/web"),
        (None, "team/web"),
    ):
        push = {**PUSH, "registry": registry, "repository": repository}
        assert names(there, registry_names=groups, pushes=[push]) == ["route", "service", "mirror"]


def test_mirrors_are_followed_backwards() -> None:
    there = stream(
        spec_tag("whole", "quay.io/team/web:v1"),
        spec_tag("part", "quay.io/special/web:v1"),
        spec_tag("elsewhere", "quay.io:8443/team/web:v1"),
        spec_tag("digest", f"quay.io/team/web@{OLD}"),
    )
    mirrors = Mirrors()
    mirrors.add(False, "quay.io", ("r.example.com",))
    mirrors.add(False, "quay.io/special", ("r.example.com/part", "other.example.com"))
    assert names(there, mirrors=mirrors) == ["whole"]
    assert names(there, mirrors=mirrors, pushes=[{**PUSH, "repository": "part/web"}]) == ["part"]
    assert names(there, mirrors=mirrors, pushes=[{**PUSH, "repository": "special/web"}]) == []
    assert names(there, mirrors=mirrors, pushes=[{**PUSH, "registry": "quay.io"}]) == ["whole"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pushes": [{**PUSH, "tag": "v 1"}]}, 'pushes[0]: "v 1" is not a tag name'),
        (
            {"pushes": [PUSH, {**PUSH, "repository": "Team/web"}]},
            'pushes[1]: "r.example.com/Team/web" is not a pull spec',
        ),
        (
            {"pushes": [{**PUSH, "repository": "team/web:v1"}]},
            'pushes[0]: "team/web:v1" is not a repository: give the tag as tag',
        ),
        ({"pushes": [{**PUSH, "digest": "sha256:12"}]}, 'pushes[0]: "sha256:12" is not'),
        ({"pushes": [{**PUSH, "registry": "https://r.example.com"}]}, "pushes[0]: "),
        (
            {"pushes": [{**PUSH, "registry": "registry"}]},
            'pushes[0]: "registry" is not a registry as pull specs name it',
        ),
        (
            {"pushes": [{**PUSH, "registry": None}]},
            'pushes[0]: the notification for "team/web" does not name its registry',
        ),
        ({"registry_names": [[]]}, "registry_names[0] is empty"),
        ({"registry_names": [["r.example.com", "https://x"]]}, 'registry_names[0]: "https://x" is not a registry'),
        (
            {"registry_names": [["a.example.com"], ["a.example.com:443"]]},
            '"a.example.com:443" is listed for two registries',
        ),
        ({"namespaces": []}, "namespaces is empty"),
        ({"namespaces": ["Shop"]}, '"Shop" is not a namespace name'),
        ({"concurrency": 0}, "concurrency is 0: give a number from 1"),
        ({"timeout": 0}, "timeout is 0: give a number from 1"),
    ],
)
def test_bad_input_ends_before_the_cluster_is_asked(
    options: dict[str, t.Any], message: str, cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    outcome = run(**options)
    assert outcome.failed
    assert message in outcome.result["msg"]
    assert cluster.sent == []
