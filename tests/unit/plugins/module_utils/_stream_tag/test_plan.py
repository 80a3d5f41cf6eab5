# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    parse_stream,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_tag.desired import desired_stream_tag
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_tag.observed import Images
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_tag.plan import (
    AliasOfItself,
    SourceMissing,
    StreamTagPlan,
    plan_stream_tag,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    NAMESPACE,
    PRIVATE,
    WEB_V1_AMD64,
    WEB_V2,
    recorded_stream,
)

# src has v1 and v2 and the alias of v1; dst:prod follows src:v1 of that time; then v1 moves to v2's image.
CASE = "tags_between_streams"
SRC_FIRST = recorded_stream(CASE, 4)
SRC_MOVED = recorded_stream(CASE, 8)
DST_LAST = recorded_stream(CASE, 14)


def planned(own: dict[str, t.Any] | None, source: dict[str, t.Any] | None, **options: t.Any) -> StreamTagPlan:
    given = {"namespace": NAMESPACE, "name": "dst:prod", "from": "src:v1", "state": "present", **options}
    observed = parse_stream(NAMESPACE, own) if own else ObservedStream(NAMESPACE, given["name"].partition(":")[0])
    return plan_stream_tag(
        desired_stream_tag(given), observed, Images.of(own or {}), Images.of(source) if source else None
    )


def with_tag(stream: dict[str, t.Any], **tag: t.Any) -> dict[str, t.Any]:
    spec = {**stream["spec"], "tags": [*(old for old in stream["spec"]["tags"] if old["name"] != tag["name"]), tag]}
    return {**stream, "spec": spec}


def test_a_copy_is_fixed_to_the_image_that_the_source_has_now() -> None:
    plan = planned(None, SRC_FIRST)
    assert plan.create
    assert plan.reasons == ("stream_missing",)
    assert plan.entry == {
        "name": "prod",
        "from": {"kind": "ImageStreamImage", "name": f"src@{WEB_V1_AMD64}", "namespace": NAMESPACE},
        "reference": False,
        "referencePolicy": {"type": "Source"},
    }


def test_a_source_that_moved_is_drift_of_its_copy() -> None:
    copied = with_tag(
        DST_LAST,
        name="prod",
        **{"from": {"kind": "ImageStreamImage", "name": f"src@{WEB_V1_AMD64}", "namespace": NAMESPACE}},
    )
    copied["spec"]["tags"][-1]["referencePolicy"] = {"type": "Local"}
    plan = planned(copied, SRC_MOVED)
    assert plan.reasons == ("upstream_moved",)
    assert plan.entry is not None
    assert plan.entry["from"]["name"] == f"src@{WEB_V2}"
    assert plan.entry["referencePolicy"] == {"type": "Local"}
    settled = with_tag(copied, name="prod", **{"from": plan.entry["from"], "referencePolicy": {"type": "Local"}})
    assert planned(settled, SRC_MOVED).reasons == ()


def test_a_copy_of_another_stream_is_another_source() -> None:
    copied = with_tag(
        DST_LAST,
        name="prod",
        **{"from": {"kind": "ImageStreamImage", "name": f"old@{WEB_V1_AMD64}", "namespace": NAMESPACE}},
    )
    assert planned(copied, SRC_FIRST).reasons[0] == "source_changed"


def test_a_tag_that_followed_another_stream_becomes_a_copy() -> None:
    followed = recorded_stream(CASE, 5)
    assert planned(followed, SRC_FIRST).reasons == ("source_changed",)


@pytest.mark.parametrize("spelling", ["v1", "src:v1"])
def test_an_alias_is_found_in_both_spellings(spelling: str) -> None:
    own = with_tag(
        SRC_FIRST,
        name="alias",
        **{"from": {"kind": "ImageStreamTag", "name": spelling}, "referencePolicy": {"type": "Source"}},
    )
    assert planned(own, own, name="src:alias", alias=True).reasons == ()


def test_the_recorded_alias_is_left_alone() -> None:
    assert planned(SRC_FIRST, SRC_FIRST, name="src:alias", alias=True).reasons == ()


def test_a_new_alias_is_written_as_the_api_writes_it() -> None:
    plan = planned(SRC_FIRST, SRC_FIRST, name="src:latest", alias=True)
    assert plan.reasons == ("tag_missing",)
    assert plan.entry is not None
    assert plan.entry["from"] == {"kind": "ImageStreamTag", "name": "v1"}


def test_what_was_scheduled_for_an_external_image_ends_with_it() -> None:
    scheduled = dict(
        next(tag for tag in SRC_FIRST["spec"]["tags"] if tag["name"] == "v2"), importPolicy={"scheduled": True}
    )
    plan = planned(with_tag(SRC_FIRST, **scheduled), SRC_FIRST, name="src:v2")
    assert plan.entry is not None
    assert plan.entry["importPolicy"] == {"scheduled": False}


def test_a_namespace_of_the_old_source_does_not_stay() -> None:
    own = with_tag(
        SRC_FIRST, name="alias", **{"from": {"kind": "ImageStreamTag", "name": "far:v1", "namespace": "other"}}
    )
    plan = planned(own, own, name="src:alias", alias=True)
    assert plan.entry is not None
    assert plan.entry["from"] == {"kind": "ImageStreamTag", "name": "v1", "namespace": None}


def test_a_reference_is_not_imported_and_stays_one() -> None:
    options = {"name": "dst:ext", "from": f"{PRIVATE}/team/web:v2", "reference": True}
    assert planned(DST_LAST, None, **options).reasons == ()
    gone = {**DST_LAST, "spec": {**DST_LAST["spec"], "tags": []}}
    plan = planned(gone, None, **options)
    assert plan.entry is not None
    assert plan.entry["from"] == {"kind": "DockerImage", "name": f"{PRIVATE}/team/web:v2"}
    assert plan.entry["reference"] is True


def test_a_reference_has_a_policy_too_and_keeps_what_is_not_declared() -> None:
    options = {"name": "dst:ext", "from": f"{PRIVATE}/team/web:v2", "reference": True}
    declared = {"insecure": True, "import_mode": "PreserveOriginal"}
    plan = planned(DST_LAST, None, **options, **declared)
    assert plan.reasons == ("import_mode_changed", "insecure_changed")
    assert plan.entry is not None
    assert plan.entry["importPolicy"] == {"insecure": True, "importMode": "PreserveOriginal"}
    settled = with_tag(DST_LAST, **{**plan.entry, "reference": True})
    assert planned(settled, None, **options, **declared).reasons == ()
    assert planned(settled, None, **options).reasons == ()
    [new] = [planned(None, None, **options, **declared).entry]
    assert new is not None
    assert new["importPolicy"] == plan.entry["importPolicy"]


@pytest.mark.parametrize("spelling", ["latest", "src:latest"])
def test_an_alias_that_would_follow_itself_is_refused(spelling: str) -> None:
    first = with_tag(SRC_FIRST, name="middle", **{"from": {"kind": "ImageStreamTag", "name": spelling}})
    own = with_tag(first, name="latest", **{"from": {"kind": "ImageStreamTag", "name": "v1"}})
    own["status"] = {"tags": [*SRC_FIRST["status"]["tags"], {**SRC_FIRST["status"]["tags"][0], "tag": "middle"}]}
    with pytest.raises(
        AliasOfItself,
        match=r"shop/src:latest cannot follow middle, because that follows latest: latest -> middle -> latest\.",
    ):
        planned(own, own, name="src:latest", alias=True, **{"from": "src:middle"})
    assert planned(own, own, name="src:other", alias=True, **{"from": "src:middle"}).reasons == ("tag_missing",)


def test_a_copy_of_a_reference_is_a_reference_too_and_leaves_nothing_to_import() -> None:
    source = {
        "status": {"tags": [{"tag": "v1", "items": [{"image": "", "dockerImageReference": f"{PRIVATE}/team/web:v2"}]}]}
    }
    plan = planned(None, source)
    assert plan.entry is not None
    assert (plan.entry["from"], plan.entry["reference"]) == (
        {"kind": "DockerImage", "name": f"{PRIVATE}/team/web:v2"},
        True,
    )
    assert plan.after is not None
    assert (plan.after.reference, plan.after.digest) == (True, "")


def test_absent_removes_what_is_only_in_the_history_too() -> None:
    assert planned(SRC_FIRST, None, name="src:v1", state="absent").remove
    history_only = {**SRC_FIRST, "spec": {**SRC_FIRST["spec"], "tags": []}}
    assert planned(history_only, None, name="src:v1", state="absent").remove
    assert planned(SRC_FIRST, None, name="src:never", state="absent") == StreamTagPlan(())


@pytest.mark.parametrize(
    ("source", "options", "sentence"),
    [
        (
            None,
            {},
            (
                "shop/dst:prod cannot point to the stream shop/src, because it does not exist; for a stream of another "
                "namespace write from: NAMESPACE/STREAM:TAG, or set from_namespace."
            ),
        ),
        (
            None,
            {"from": "other/src:v1"},
            "shop/dst:prod cannot point to the stream other/src, because it does not exist.",
        ),
        (
            SRC_FIRST,
            {"from": "src:absent"},
            "shop/dst:prod cannot point to shop/src:absent, because that tag does not exist or has no image.",
        ),
        (
            SRC_FIRST,
            {"from": "src@sha256:" + "0" * 64},
            (
                f"shop/dst:prod cannot point to shop/src@sha256:{'0' * 64}, because no tag of that stream has or had "
                "this image; a child of a manifest list is imported by its digest with image_stream_import."
            ),
        ),
    ],
)
def test_a_source_that_is_not_there(source: dict[str, t.Any] | None, options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(SourceMissing) as refused:
        planned(DST_LAST, source, **options)
    assert str(refused.value) == sentence


def test_what_is_planned_is_what_the_tag_will_be() -> None:
    plan = planned(DST_LAST, SRC_FIRST)
    assert plan.after is not None
    stream = parse_stream(NAMESPACE, DST_LAST)._replace(tags={"prod": plan.after})
    again = plan_stream_tag(
        desired_stream_tag({"namespace": NAMESPACE, "name": "dst:prod", "from": "src:v1", "state": "present"}),
        stream,
        Images.of(DST_LAST),
        Images.of(SRC_FIRST),
    )
    assert again.reasons == ()
