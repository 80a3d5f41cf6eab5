# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import CollectionError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    ObservedTag,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import (
    ONLY_CHANGED,
    stream_report,
    view,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.result import StreamResult
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    NAMESPACE,
    PRIVATE,
    WEB_V1_AMD64,
    WEB_V1_LIST,
    WEB_V2,
    desired,
    observed,
    tag,
)

WEB = f"{PRIVATE}/team/web"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
V2 = observed("reimport_unchanged", 1).tags["v2"]
REFUSED = ImportFailure("Unauthorized", f'you may not have access to the container image "{WEB}:v1"')
NOTHING = ObservedStream(NAMESPACE, "web")


def stream(*tags: ObservedTag, **fields: t.Any) -> ObservedStream:
    return ObservedStream(NAMESPACE, "web", True, "1", tags={one.name: one for one in tags}, **fields)


def result(before: ObservedStream, after: ObservedStream, **fields: t.Any) -> StreamResult:
    declared = fields.pop("declared", {"tags": [tag("v2", f"{WEB}:v2")]})
    made = StreamResult(desired(**declared), before, after)
    for name, value in fields.items():
        assert hasattr(made, name)
        setattr(made, name, value)
    return made


def report(*results: StreamResult, only_changed: bool = False, remedy: str = "") -> Report:
    return stream_report(results, lambda _namespace, _source, _failure: remedy, only_changed=only_changed)


def test_a_new_tag_tells_everything_about_its_image() -> None:
    image = Image(
        WEB_V1_LIST,
        f"{WEB}@{WEB_V1_LIST}",
        DOCKER_LIST,
        (Manifest("linux", "amd64", "", WEB_V1_AMD64, 423), Manifest("linux", "arm64", "v8", "sha256:arm", None)),
        "PreserveOriginal",
    )
    new = V2._replace(digest=WEB_V1_LIST, image=image.reference, import_mode="PreserveOriginal", scheduled=True)
    told = report(result(NOTHING, stream(new), reasons={"v2": ("stream_missing",)}, outcomes={"v2": image}))
    assert told.changed
    assert told.failure is None
    (shown,) = told.results["streams"]
    assert shown == {
        "namespace": NAMESPACE,
        "name": "web",
        "state": "present",
        "managed_by": None,
        "lookup_policy_local": False,
        "changed": True,
        "gone_upstream": [],
        "error": None,
        "tags": [
            {
                "name": "v2",
                "state": "present",
                "from": f"{WEB}:v2",
                "import_mode": "PreserveOriginal",
                "reference_policy": "Source",
                "scheduled": True,
                "insecure": False,
                "digest": WEB_V1_LIST,
                "previous_digest": None,
                "media_type": DOCKER_LIST,
                "architecture": None,
                "manifests": [
                    {"os": "linux", "architecture": "amd64", "variant": None, "digest": WEB_V1_AMD64, "size": 423},
                    {"os": "linux", "architecture": "arm64", "variant": "v8", "digest": "sha256:arm", "size": None},
                ],
                "changed": True,
                "reasons": ["stream_missing"],
                "error": None,
            }
        ],
    }
    assert told.results["failed_tags"] == []


def test_nothing_changed() -> None:
    told = report(result(stream(V2), stream(V2), reasons={"v2": ()}))
    assert (told.changed, told.before, told.after, told.failure) == (False, {}, {}, None)
    (shown,) = told.results["streams"]
    assert (shown["changed"], shown["tags"][0]["changed"], shown["tags"][0]["reasons"]) == (False, False, [])
    assert told.results["summary"] == {
        "streams": 1,
        "streams_changed": 0,
        "tags": 1,
        "changed": 0,
        "failed": 0,
        "unknown": 0,
        "unchanged": 1,
        "reasons": {},
    }


def test_an_import_that_brought_nothing_new_is_no_change_although_it_had_a_reason() -> None:
    told = report(result(stream(V2), stream(V2)._replace(resource_version="2"), reasons={"v2": ("forced",)}))
    assert not told.changed
    assert told.results["streams"][0]["tags"][0]["reasons"] == ["forced"]
    assert told.results["summary"]["reasons"] == {}


def test_a_moved_tag_tells_both_digests_and_is_the_diff() -> None:
    old, new = V2._replace(digest=WEB_V1_AMD64), V2
    told = report(
        result(
            stream(old, V2._replace(name="kept")),
            stream(new, V2._replace(name="kept")),
            reasons={"v2": ("upstream_moved",)},
        )
    )
    (shown,) = told.results["streams"][0]["tags"]
    assert (shown["digest"], shown["previous_digest"]) == (WEB_V2, WEB_V1_AMD64)
    assert told.before == {f"{NAMESPACE}/web": {"lookup_policy_local": False, "tags": {"v2": view(old)}}}
    assert told.after == {f"{NAMESPACE}/web": {"lookup_policy_local": False, "tags": {"v2": view(new)}}}
    assert told.results["summary"]["reasons"] == {"upstream_moved": 1}


def test_a_diff_of_a_new_and_of_a_deleted_stream_has_one_side() -> None:
    made = report(result(NOTHING, stream(V2), reasons={"v2": ("stream_missing",)}))
    assert (made.before, list(made.after)) == ({}, [f"{NAMESPACE}/web"])
    gone = report(result(stream(V2), NOTHING, reasons={"v2": ("not_listed",)}, declared={"state": "absent"}))
    assert (list(gone.before), gone.after) == ([f"{NAMESPACE}/web"], {})
    (shown,) = gone.results["streams"]
    assert (shown["state"], shown["changed"]) == ("absent", True)
    (removed,) = shown["tags"]
    assert (removed["digest"], removed["previous_digest"], removed["reasons"]) == (None, WEB_V2, ["not_listed"])


def test_a_changed_lookup_policy_is_a_change_of_the_stream_and_of_no_tag() -> None:
    told = report(result(stream(V2), stream(V2, lookup_policy_local=True), reasons={"v2": ()}))
    assert told.changed
    assert told.before == {f"{NAMESPACE}/web": {"lookup_policy_local": False, "tags": {}}}
    assert told.after == {f"{NAMESPACE}/web": {"lookup_policy_local": True, "tags": {}}}
    assert (told.results["summary"]["streams_changed"], told.results["summary"]["changed"]) == (1, 0)


def test_what_somebody_else_did_to_other_tags_meanwhile_is_not_our_change() -> None:
    told = report(result(stream(V2), stream(V2, V2._replace(name="other")), reasons={"v2": ()}))
    assert (told.changed, told.before, told.after) == (False, {}, {})


def test_generations_are_not_shown_but_an_image_that_is_still_to_come_is() -> None:
    assert view(V2) == view(V2._replace(generation=7, image_generation=7))
    shown = view(V2._replace(generation=7))
    assert shown is not None
    assert shown["import_pending"]


def test_a_new_failure_of_an_existing_tag_is_a_change_and_in_the_diff() -> None:
    told = report(result(stream(V2), stream(V2._replace(failure=REFUSED)), outcomes={"v2": REFUSED}))
    assert told.changed
    (shown,) = list(told.after.values())
    assert shown["tags"]["v2"]["import_failure"] == f"Unauthorized: {REFUSED.message}"
    repeated = report(
        result(stream(V2._replace(failure=REFUSED)), stream(V2._replace(failure=REFUSED)), outcomes={"v2": REFUSED})
    )
    assert (repeated.changed, repeated.failure is None) == (False, False)


def test_a_failed_tag_is_named_with_reason_and_remedy_and_the_others_are_done() -> None:
    failed = ObservedTag("v1", source=f"{WEB}:v1", import_mode="Legacy", reference_policy="Source", failure=REFUSED)
    told = report(
        result(
            NOTHING,
            stream(V2, failed),
            declared={"tags": [tag("v2", f"{WEB}:v2"), tag("v1", f"{WEB}:v1")]},
            reasons={"v2": ("stream_missing",), "v1": ("stream_missing",)},
            outcomes={"v1": REFUSED},
        ),
        remedy="Do this.",
    )
    lines = f"{NAMESPACE}/web:v1 from {WEB}:v1\n    Unauthorized: {REFUSED.message}\n    -> Do this."
    assert told.failure == f"1 of 2 tags could not be imported:\n- {lines}"
    assert told.results["failed_tags"] == [
        {
            "namespace": NAMESPACE,
            "name": "web",
            "tag": "v1",
            "from": f"{WEB}:v1",
            "reason": "Unauthorized",
            "message": REFUSED.message,
            "remedy": "Do this.",
        }
    ]
    good, bad = told.results["streams"][0]["tags"]
    assert (good["error"], good["changed"]) == (None, True)
    assert bad["error"] == f"Unauthorized: {REFUSED.message} - Do this."
    assert told.results["summary"]["failed"] == 1


def test_a_failure_without_a_reason_or_remedy_is_told_plainly() -> None:
    failure = ImportFailure("", "unknown error prevented import")
    told = report(result(stream(V2), stream(V2), outcomes={"v2": failure}))
    assert (
        told.failure
        == f"1 of 1 tag could not be imported:\n- {NAMESPACE}/web:v2 from {WEB}:v2\n    unknown error prevented import"
    )


def test_a_failed_tag_names_the_declared_source_also_where_the_tag_kept_another() -> None:
    told = report(
        result(
            stream(V2),
            stream(V2),
            declared={"tags": [tag("v2", f"{WEB}:nope")]},
            outcomes={"v2": ImportFailure("NotFound", "no such tag")},
        )
    )
    assert told.results["failed_tags"][0]["from"] == f"{WEB}:nope"
    assert told.results["streams"][0]["tags"][0]["from"] == f"{WEB}:nope"
    assert told.results["streams"][0]["tags"][0]["digest"] == WEB_V2


def test_what_stopped_a_stream_is_told_once_with_the_tags_that_it_cost() -> None:
    error = CollectionError("Cannot patch image stream: you may not.")
    told = report(
        result(
            stream(V2),
            stream(V2),
            declared={"tags": [tag(name, f"{WEB}:{name}") for name in ("v1", "v2", "v3")]},
            error=error,
            done=frozenset({"v2"}),
        )
    )
    assert told.failure == f"2 of 3 tags could not be imported:\n- {NAMESPACE}/web: {error} (not imported: v1, v3)"
    assert [failed["tag"] for failed in told.results["failed_tags"]] == ["v1", "v3"]
    assert told.results["streams"][0]["error"] == str(error)
    assert [shown["error"] for shown in told.results["streams"][0]["tags"]] == [str(error), None, str(error)]


def test_a_stream_stopped_after_its_tags_were_done_fails_no_tag() -> None:
    error = CollectionError("Cannot delete image stream tag: you may not.")
    told = report(result(stream(), stream(V2), error=error, done=frozenset({"v2"}), reasons={"v2": ("tag_missing",)}))
    assert told.failure == f"Not every stream could be managed:\n- {NAMESPACE}/web: {error}"
    assert told.results["failed_tags"] == []
    assert told.changed


def test_a_tag_with_a_failure_of_its_own_and_a_stream_that_was_stopped_are_both_told() -> None:
    error = CollectionError("You may not.")
    told = report(result(stream(V2), stream(V2), error=error, outcomes={"v2": REFUSED}))
    assert told.failure == (
        f"1 of 1 tag could not be imported:\n- {NAMESPACE}/web:v2 from {WEB}:v2\n    Unauthorized: "
        f"{REFUSED.message}\n- {NAMESPACE}/web: You may not."
    )


def test_the_remedy_of_what_stopped_a_listing_is_told() -> None:
    asked: list[tuple[t.Any, ...]] = []

    def remedy(*about: t.Any) -> str:
        asked.append(about)
        return "Give a credential."

    stopped = result(
        NOTHING,
        NOTHING,
        declared={"repository": WEB},
        error=CollectionError("the tags could not be listed: no"),
        cause=REFUSED,
    )
    told = stream_report([stopped], remedy, only_changed=False)
    assert (
        told.failure
        == f"Not every stream could be managed:\n- {NAMESPACE}/web: the tags could not be listed: no - Give a "
        "credential."
    )
    assert told.results["streams"][0]["error"] == "the tags could not be listed: no - Give a credential."
    assert [(namespace, str(source), failure) for namespace, source, failure in asked] == [(NAMESPACE, WEB, REFUSED)]


def test_only_what_changed_or_failed_is_returned_and_everything_is_counted() -> None:
    two = {"tags": [tag("v2", f"{WEB}:v2"), tag("v1", f"{WEB}:v1")]}
    v1 = V2._replace(name="v1", source=f"{WEB}:v1")
    changed = result(
        stream(V2, v1),
        stream(V2._replace(scheduled=True), v1),
        declared=two,
        reasons={"v2": ("scheduled_changed",), "v1": ()},
    )
    same = result(stream(V2), stream(V2))
    failed = result(stream(V2), stream(V2), outcomes={"v2": REFUSED})
    stopped = result(NOTHING, NOTHING, declared={"lookup_policy_local": True}, error=CollectionError("You may not."))
    told = report(same, changed, failed, stopped, only_changed=True)
    assert [[shown["name"] for shown in one["tags"]] for one in told.results["streams"]] == [["v2"], ["v2"], []]
    assert told.results["summary"] == {
        "streams": 4,
        "streams_changed": 1,
        "tags": 4,
        "changed": 1,
        "failed": 1,
        "unknown": 1,
        "unchanged": 2,
        "reasons": {"scheduled_changed": 1},
    }
    everything = report(same, changed, failed, stopped)
    assert everything.results["summary"] == told.results["summary"]
    assert len(everything.results["streams"]) == 4


@pytest.mark.parametrize(("purge", "warned"), [(False, 1), (True, 0)])
def test_tags_that_are_gone_upstream_are_warned_of_unless_they_are_removed(purge: bool, warned: int) -> None:
    told = report(
        result(stream(V2), stream(V2), declared={"repository": WEB, "purge_tags": purge}, gone_upstream=("a", "b"))
    )
    assert len(told.warnings) == warned
    assert told.results["streams"][0]["gone_upstream"] == ["a", "b"]
    if warned:
        assert (
            told.warnings[0]
            == f"{NAMESPACE}/web: the repository no longer has a, b; purge_tags would remove what is not there any more"
        )


def test_the_image_is_told_only_where_it_is_the_one_that_the_tag_has() -> None:
    served = Image(WEB_V1_AMD64, f"{WEB}@{WEB_V1_AMD64}", "application/x", (), "Legacy")
    (shown,) = report(result(stream(V2), stream(V2), outcomes={"v2": served})).results["streams"][0]["tags"]
    assert (shown["media_type"], shown["manifests"]) == (None, [])


def test_a_tag_that_follows_another_one_says_so_in_the_diff() -> None:
    alias = view(V2._replace(kind="ImageStreamTag", source="v1"))
    elsewhere = view(V2._replace(kind="ImageStreamTag", source="src:v1", source_namespace="shop"))
    assert alias is not None
    assert elsewhere is not None
    assert (alias["from"], elsewhere["from"]) == ("ImageStreamTag v1", "ImageStreamTag shop/src:v1")


def test_results_are_plain_json() -> None:
    told = report(
        result(NOTHING, stream(V2), outcomes={"v2": REFUSED}, error=CollectionError("no"), gone_upstream=("a",))
    )
    for part in (told.results, told.before, told.after):
        assert json.loads(json.dumps(part)) == part


def test_a_failed_run_returns_what_changed_or_failed_unless_all_is_asked_for() -> None:
    same, failed = result(stream(V2), stream(V2)), result(stream(V2), stream(V2), outcomes={"v2": REFUSED})
    told = {choice: report(same, failed, only_changed=ONLY_CHANGED[choice]) for choice in ONLY_CHANGED}
    assert {choice: len(one.results["streams"]) for choice, one in told.items()} == {"all": 2, "changed": 1, None: 1}
    assert {one.results["summary"]["tags"] for one in told.values()} == {2}
    assert len(report(same, only_changed=None).results["streams"]) == 1


def test_what_could_not_be_asked_for_is_unknown() -> None:
    asked = report(result(stream(V2), stream(V2), outcomes={"v2": REFUSED})).results
    assert (asked["streams"][0]["state"], asked["streams"][0]["tags"][0]["state"], asked["summary"]["unknown"]) == (
        "present",
        "unknown",
        1,
    )
    unread = result(NOTHING, NOTHING, error=CollectionError("You may not."))
    unread.unread = unread.unasked = True
    shown = report(unread).results
    assert (shown["streams"][0]["state"], shown["streams"][0]["tags"][0]["state"], shown["summary"]["unknown"]) == (
        "unknown",
        "unknown",
        1,
    )
    tried = report(
        result(
            NOTHING,
            stream(V2._replace(digest="", failure=REFUSED)),
            reasons={"v2": ("stream_missing",)},
            outcomes={"v2": REFUSED},
        )
    )
    assert (tried.results["streams"][0]["tags"][0]["state"], tried.results["summary"]["unknown"]) == ("present", 0)


def test_what_was_there_and_is_gone_upstream_is_no_typo() -> None:
    gone = ImportFailure("NotFound", "dockerimage not found")

    def remedy(tag: ObservedTag) -> str:
        failed = [result(stream(tag), stream(tag), outcomes={"v2": gone})]
        told = stream_report(failed, lambda *_about: "check the pull spec", only_changed=False).results
        return str(told["failed_tags"][0]["remedy"])

    assert remedy(V2) == (
        "The registry had it when the tag was imported and has it no more: it was removed or renamed there. The tag "
        "keeps its image."
    )
    assert remedy(V2._replace(source="other.example.com/web:v1")) == "check the pull spec"
    assert remedy(V2._replace(digest="")) == "check the pull spec"


def test_check_mode_says_what_it_did_and_how_a_credential_is_counted_on() -> None:
    failed = result(stream(V2), stream(V2), outcomes={"v2": REFUSED})
    told = stream_report([failed], lambda *_about: "", only_changed=None, check_mode=True, hint=True).failure or ""
    assert told.splitlines()[0] == "1 of 1 tag could not be looked up:"
    assert told.splitlines()[-1].startswith(
        "In check mode: if an earlier task of this play writes that credential, give it as pending_credentials"
    )
    missing = result(stream(V2), stream(V2), outcomes={"v2": ImportFailure("NotFound", "no such tag")})
    assert "pending_credentials" not in (
        stream_report([missing], lambda *_about: "", only_changed=None, check_mode=True, hint=True).failure or ""
    )


def test_advice_on_a_schedule_that_does_nothing_and_a_platform_that_is_not_offered() -> None:
    digest = f"{WEB}@{WEB_V2}"
    pinned = result(stream(V2), stream(V2), declared={"tags": [tag("v2", digest, scheduled=True)]})
    assert report(pinned).warnings == [
        (
            f"shop/web:v2 is scheduled, but {digest} is a digest, which always names the same image: the cluster never "
            "imports it again"
        )
    ]
    wanted = {"tags": [tag("v2", f"{WEB}:v2", prefer_architecture="arm64")]}
    image = Image(WEB_V2, f"{WEB}@{WEB_V2}", "", (), "Legacy", "amd64")
    assert report(result(stream(V2), stream(V2), declared=wanted, outcomes={"v2": image})).warnings == [
        f"shop/web:v2 prefers arm64, which {WEB}:v2 does not offer: its image is for amd64"
    ]
    fits = result(stream(V2), stream(V2), declared=wanted, outcomes={"v2": image._replace(architecture="arm64")})
    assert report(fits).warnings == []
