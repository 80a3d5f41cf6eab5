# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiNotServed,
    Forbidden,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import ImportFailure
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    ObservedTag,
    failure_from_status,
    observe,
    parse_stream,
    read_stream,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    NAMESPACE,
    PRIVATE,
    STREAMS,
    WEB_V1_AMD64,
    WEB_V2,
    forbidden,
    observed,
    recorded,
    recorded_error,
    refusal,
)

V2 = ObservedTag(
    name="v2",
    source=f"{PRIVATE}/team/web:v2",
    import_mode="Legacy",
    reference_policy="Source",
    generation=1,
    digest=WEB_V2,
    image=f"{PRIVATE}/team/web@{WEB_V2}",
    image_generation=1,
)


def test_a_stream_as_imported() -> None:
    assert observed("reimport_unchanged", 1) == ObservedStream(NAMESPACE, "web", True, "1", False, {"v2": V2})


@pytest.mark.parametrize(
    ("case", "step", "name", "values"),
    [
        (
            "policy_fields_overwritten",
            1,
            "v1",
            {
                "import_mode": "PreserveOriginal",
                "scheduled": True,
                "insecure": True,
                "generation": 1,
                "image_generation": 1,
            },
        ),
        (
            "policy_fields_overwritten",
            3,
            "v1",
            {"import_mode": "Legacy", "scheduled": False, "insecure": True, "image_generation": 2},
        ),
        ("reference_policy_not_changed_by_import", 5, "v2", {"reference_policy": "Local"}),
        ("prefer_architecture", 4, "v1", {"prefer_architecture": "arm64", "prefer_os": "", "pending": False}),
        (
            "import_unauthorized",
            1,
            "v1",
            {
                "digest": "",
                "failure": ImportFailure(
                    "Unauthorized", f'you may not have access to the container image "{PRIVATE}/team/web:v1"'
                ),
                "failure_generation": 1,
                "pending": False,
            },
        ),
        (
            "import_unauthorized",
            4,
            "v1",
            {"digest": WEB_V1_AMD64, "failure": None, "failure_generation": 0, "pending": False},
        ),
        (
            "failed_refresh_keeps_last_image",
            3,
            "v2",
            {
                "source": f"{PRIVATE}/team/web:v2",
                "digest": WEB_V2,
                "failure": ImportFailure(
                    "NotFound", f'dockerimage.image.openshift.io "{PRIVATE}/team/web:nope" not found'
                ),
                "generation": 2,
                "image_generation": 1,
                "failure_generation": 2,
                "pending": False,
            },
        ),
        ("hub_second_pass", 5, "good", {"failure": ImportFailure("", "unknown error prevented import"), "digest": ""}),
        (
            "generation_behind_settles",
            3,
            "a",
            {"generation": 2, "image_generation": 1, "pending": True, "failure": None},
        ),
        ("generation_behind_settles", 9, "a", {"generation": 3, "image_generation": 3, "pending": False}),
        (
            "tags_between_streams",
            4,
            "alias",
            {"kind": "ImageStreamTag", "source": "v1", "source_namespace": "", "digest": WEB_V1_AMD64},
        ),
        (
            "tags_between_streams",
            5,
            "prod",
            {"kind": "ImageStreamTag", "source": "src:v1", "source_namespace": NAMESPACE},
        ),
        (
            "tags_between_streams",
            14,
            "ext",
            {"kind": "DockerImage", "reference": True, "digest": "", "image": f"{PRIVATE}/team/web:v2"},
        ),
        ("tags_between_streams", 14, "none", {"kind": "ImageStreamTag", "digest": "", "failure": None}),
    ],
)
def test_what_a_recorded_tag_is_seen_as(case: str, step: int, name: str, values: dict[str, t.Any]) -> None:
    seen = observed(case, step).tags[name]
    assert {key: getattr(seen, key) for key in values} == values


def test_a_tag_removed_from_the_spec_is_no_tag_although_its_history_stays() -> None:
    assert sorted(observed("remove_spec_tag", 3).tags) == ["v2"]


def test_the_lookup_policy_is_seen() -> None:
    assert observed("stream_create_update", 3).lookup_policy_local
    assert not observed("stream_create_update", 2).lookup_policy_local


def test_what_the_server_leaves_out_is_empty() -> None:
    bare = {"metadata": {"name": "web"}, "spec": {"tags": [{"name": "v1"}]}}
    assert parse_stream(NAMESPACE, bare).tags == {"v1": ObservedTag("v1", kind="")}


def test_a_condition_that_is_not_a_failed_import_is_no_failure() -> None:
    conditions = [{"type": "ImportSuccess", "status": "True"}, {"type": "Other", "status": "False", "message": "x"}]
    stream = {
        "metadata": {"name": "web"},
        "spec": {"tags": [{"name": "v1"}]},
        "status": {"tags": [{"tag": "v1", "items": None, "conditions": conditions}]},
    }
    assert parse_stream(NAMESPACE, stream).tags["v1"].failure is None


def test_a_registry_s_words_are_shown_within_bounds_and_command_no_terminal() -> None:
    status = {"reason": "InternalError", "message": "said \x1b]0;title\x07 and " + "x" * 100_000}
    failure = failure_from_status(status)
    assert failure.message == ("said \u241b]0;title\u2407 and " + "x" * 100_000)[:4000]
    # what is recorded is compared with what a lookup says
    assert failure == failure_from_status(dict(status))
    assert failure_from_status({"reason": None, "message": None}, otherwise="nothing") == ImportFailure("", "nothing")
    assert failure_from_status({"reason": "Gone\n\x1b[2J" + "x" * 999}).reason == ("Gone \u241b[2J" + "x" * 999)[:255]


def test_one_stream_is_read_with_one_get() -> None:
    cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
    assert observe(cluster.client, [(NAMESPACE, "web")], 8) == {
        (NAMESPACE, "web"): ObservedStream(NAMESPACE, "web", True, "1", False, {"v2": V2})
    }
    cluster.assert_all_asked()


@pytest.mark.parametrize(("case", "step"), [("lookup_without_import", 4), ("invalid_requests", 8)])
def test_a_stream_or_namespace_that_does_not_exist_is_a_stream_to_create(case: str, step: int) -> None:
    cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(case, step))
    assert read_stream(cluster.client, NAMESPACE, "web") == ObservedStream(NAMESPACE, "web")


def test_several_streams_of_a_namespace_are_read_with_one_list() -> None:
    other = recorded("reimport_unchanged", 3)
    other["metadata"]["name"] = "not-asked-for"
    cluster = ScriptedCluster().on(
        "GET", STREAMS, {"kind": "ImageStreamList", "items": [other, recorded("reimport_unchanged", 3)]}
    )
    found = observe(cluster.client, [(NAMESPACE, "web"), (NAMESPACE, "new")], 8)
    assert found == {
        (NAMESPACE, "web"): ObservedStream(NAMESPACE, "web", True, "1", False, {"v2": V2}),
        (NAMESPACE, "new"): ObservedStream(NAMESPACE, "new"),
    }
    cluster.assert_all_asked()


def test_streams_are_read_one_by_one_where_the_list_is_forbidden() -> None:
    cluster = (
        ScriptedCluster()
        .on("GET", STREAMS, forbidden("GET", STREAMS))
        .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        .on("GET", f"{STREAMS}/secret", recorded_error("access_denied", 2))
    )
    found = observe(cluster.client, [(NAMESPACE, "web"), (NAMESPACE, "secret")], 1)
    seen, refused = found[NAMESPACE, "web"], found[NAMESPACE, "secret"]
    assert isinstance(seen, ObservedStream)
    assert seen.exists
    assert isinstance(refused, Forbidden)
    cluster.assert_all_asked()


def test_a_namespace_that_may_not_be_read_does_not_hide_the_others() -> None:
    elsewhere = STREAMS.replace(NAMESPACE, "closed")
    cluster = (
        ScriptedCluster()
        .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        .on("GET", f"{elsewhere}/web", forbidden("GET", f"{elsewhere}/web"))
    )
    found = observe(cluster.client, [("closed", "web"), (NAMESPACE, "web")], 2)
    assert isinstance(found["closed", "web"], Forbidden)
    assert isinstance(found[NAMESPACE, "web"], ObservedStream)


@pytest.mark.parametrize("names", [("web",), ("web", "api")])
def test_a_namespace_that_the_server_cannot_read_now_does_not_hide_the_others(names: tuple[str, ...]) -> None:
    elsewhere = STREAMS.replace(NAMESPACE, "broken")
    path = elsewhere if len(names) > 1 else f"{elsewhere}/web"
    body = {"kind": "Status", "status": "Failure", "reason": "InternalError", "message": "etcd is gone", "code": 500}
    cluster = (
        ScriptedCluster()
        .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        .on("GET", path, refusal("GET", path, 500, body))
    )
    found = observe(cluster.client, [*(("broken", name) for name in names), (NAMESPACE, "web")], 2)
    assert isinstance(found[NAMESPACE, "web"], ObservedStream)
    assert all("etcd is gone" in str(found["broken", name]) for name in names)
    cluster.assert_all_asked()


@pytest.mark.parametrize(
    ("code", "body", "error"), [(401, ("access_denied", 0), Unauthorized), (404, ("not_openshift", 1), ApiNotServed)]
)
def test_what_no_other_request_would_survive_ends_the_reading(
    code: int, body: tuple[str, int], error: type[Exception]
) -> None:
    cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", refusal("GET", f"{STREAMS}/web", code, recorded(*body)))
    with pytest.raises(error):
        observe(cluster.client, [(NAMESPACE, "web")], 1)
