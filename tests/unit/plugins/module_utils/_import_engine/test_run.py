# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The road request by request, against answers that were recorded from a real API server."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.changes import Change
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiError,
    ApiNotServed,
    ApiOutcomeUnknown,
    ApiUnreachable,
    CollectionError,
    Forbidden,
    InternalError,
    NotFound,
    RegistryError,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.owners import OwnedByAnother
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import (
    PendingCredential,
    desired_streams,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.result import StreamResult
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.view import stream_view, view
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import Request, ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    HUB,
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    STREAMS,
    TAGS,
    WEB_V1_AMD64,
    WEB_V1_ARM64,
    WEB_V2,
    conflict,
    forbidden,
    observed,
    recorded,
    recorded_error,
    recorded_stream,
    refusal,
    tag,
)

WEB = f"{PRIVATE}/team/web"
NO_STREAM = ("lookup_without_import", 4)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep the waits of the engine, which take no time."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


def converge(cluster: ScriptedCluster, *, check_mode: bool = False, **options: t.Any) -> list[StreamResult]:
    """Run streams as the module does, one request at a time; every answer that was laid out has to be asked for."""
    defaults = {} if "streams" in options else {"name": "web"}
    desired = desired_streams({"namespace": NAMESPACE, "refresh": "missing", **defaults, **options})
    results = converge_streams(cluster.client, desired, check_mode=check_mode, concurrency=1, timeout=60)
    cluster.assert_all_asked()
    assert [str(result.error) for result in results if isinstance(result.error, InternalError)] == []
    return results


def converge_one(cluster: ScriptedCluster, **options: t.Any) -> StreamResult:
    (result,) = converge(cluster, **options)
    return result


def import_answer(stream: dict[str, t.Any], *images: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return an import's answer; an image is an entry of ``status.images``."""
    return {"kind": "ImageStreamImport", "spec": {}, "status": {"import": stream, "images": list(images)}}


def success(digest: str, source: str = WEB) -> dict[str, t.Any]:
    return {
        "status": {"status": "Success"},
        "image": {"metadata": {"name": digest}, "dockerImageReference": f"{source}@{digest}"},
    }


def images_of(request: Request) -> list[tuple[str, str]]:
    return [(entry["from"]["name"], entry["to"]["name"]) for entry in request.images]


def without_tags(stream: dict[str, t.Any], *names: str) -> dict[str, t.Any]:
    """Return the stream as a patch that removes tags leaves it: with their histories."""
    less = copy.deepcopy(stream)
    less["spec"]["tags"] = [one for one in less["spec"]["tags"] if one["name"] not in names]
    return less


class TestFirstRun:
    """Streams that are not there yet."""

    def test_a_new_stream_is_one_read_and_one_import(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, recorded("reimport_unchanged", 1))
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", import_mode="Legacy")])
        request = cluster.sent[-1]
        assert request.body == {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStreamImport",
            "metadata": {"name": "web", "namespace": NAMESPACE},
            "spec": {
                "import": True,
                "images": [
                    {
                        "from": {"kind": "DockerImage", "name": f"{WEB}:v2"},
                        "to": {"name": "v2"},
                        "importPolicy": {"insecure": False, "scheduled": False, "importMode": "Legacy"},
                    }
                ],
            },
        }
        assert request.query == {"timeout": "60s"}
        assert (result.before.exists, result.after.exists, result.after.tags["v2"].digest) == (False, True, WEB_V2)
        assert result.reasons == {"v2": ("stream_missing",)}
        assert result.error is None

    def test_check_mode_of_a_new_stream_is_one_read_and_one_lookup(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, recorded("lookup_without_import", 2))
        )
        result = converge_one(cluster, check_mode=True, tags=[tag("v1", f"{WEB}:v1", import_mode="PreserveOriginal")])
        assert cluster.writes == []
        assert [request.body["spec"]["import"] for request in cluster.lookups] == [False]
        assert all("dryRun" not in request.query for request in cluster.sent)
        assert result.after.tags["v1"].import_mode == "PreserveOriginal"
        outcome = result.outcomes["v1"]
        assert isinstance(outcome, Image)
        assert len(outcome.manifests) == 3

    def test_many_images_of_one_stream_are_imported_three_at_a_time_each_after_the_other(self) -> None:
        sent: list[int] = []

        def answer(request: Request) -> dict[str, t.Any]:
            sent.append(len(request.images))
            stream = recorded_stream("reimport_unchanged", 1)
            stream["metadata"]["resourceVersion"] = str(len(sent))
            entry, history = stream["spec"]["tags"][0], stream["status"]["tags"][0]
            done = sum(sent)
            stream["spec"]["tags"] = [
                {**entry, "name": f"v{number}", "from": {**entry["from"], "name": f"{WEB}:v{number}"}}
                for number in range(done)
            ]
            stream["status"]["tags"] = [{**history, "tag": f"v{number}"} for number in range(done)]
            return import_answer(stream, *[success(WEB_V2) for _entry in request.images])

        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, *[answer] * 3)
        )
        result = converge_one(cluster, tags=[tag(f"v{number}", f"{WEB}:v{number}") for number in range(7)])
        assert sent == [3, 3, 1]
        versions = [request.body["metadata"].get("resourceVersion") for request in cluster.writes]
        assert versions == [None, "1", "2"]
        assert len(result.after.tags) == 7

    def test_a_preference_makes_the_stream_before_its_import(self) -> None:
        created = recorded_stream("prefer_architecture", 2)
        del created["status"]["tags"]
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", STREAMS, created)
            .on("POST", IMPORTS, recorded("prefer_architecture", 3))
        )
        result = converge_one(
            cluster, tags=[tag("v1", f"{WEB}:v1", prefer_architecture="arm64")], lookup_policy_local=False
        )
        create, imported = cluster.writes
        assert create.body == {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStream",
            "metadata": {"name": "web", "namespace": NAMESPACE},
            "spec": {
                "tags": [
                    {
                        "name": "v1",
                        "from": {"kind": "DockerImage", "name": f"{WEB}:v1"},
                        "importPolicy": {"insecure": False, "scheduled": False},
                        "annotations": {"importer.image.openshift.io/prefer-arch": "arm64"},
                    }
                ]
            },
        }
        assert imported.body["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]
        assert result.after.tags["v1"].digest == WEB_V1_ARM64

    def test_a_stream_for_its_lookup_policy_alone(self) -> None:
        created = recorded_stream("stream_create_update", 3)
        created["spec"]["tags"] = []
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", STREAMS, created)
        result = converge_one(cluster, lookup_policy_local=True)
        assert cluster.writes[0].body["spec"] == {"lookupPolicy": {"local": True}}
        assert result.after.lookup_policy_local


class TestSecondRun:
    """Nothing differs: nothing is written, and with refresh missing nothing is asked either."""

    def test_missing_reads_only(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", import_mode="Legacy", scheduled=False)])
        assert (result.before, result.reasons) == (result.after, {"v2": ()})

    def test_drifted_reads_and_looks_up(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
            .on("POST", IMPORTS, recorded("access_import_only", 1))
        )
        result = converge_one(cluster, refresh="drifted", tags=[tag("v2", f"{WEB}:v2")])
        assert cluster.writes == []
        assert result.before == result.after

    def test_always_imports_and_an_unchanged_answer_is_no_change(self) -> None:
        looked_up = import_answer({}, success(WEB_V2))
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        cluster.on("POST", IMPORTS, looked_up, recorded("reimport_unchanged", 2))
        result = converge_one(cluster, refresh="always", tags=[tag("v2", f"{WEB}:v2")])
        assert len(cluster.writes) == 1
        assert result.before == result.after
        assert result.reasons == {"v2": ("forced",)}

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_always_does_not_try_what_its_lookup_refuses_on_a_good_tag(self, check_mode: bool) -> None:
        refused = recorded("import_unauthorized", 0)
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
            .on("POST", IMPORTS, refused)
        )
        result = converge_one(cluster, refresh="always", check_mode=check_mode, tags=[tag("v2", f"{WEB}:v2")])
        assert cluster.writes == []
        assert (result.before, result.reasons) == (result.after, {"v2": ("forced",)})
        assert isinstance(result.outcomes["v2"], ImportFailure)

    def test_a_stream_that_differs_does_not_bring_requests_to_one_that_does_not(self) -> None:
        changed = recorded_stream("reimport_unchanged", 3)
        other = copy.deepcopy(changed)
        other["metadata"]["name"] = "other"
        patched = copy.deepcopy(other)
        patched["spec"]["tags"][0]["importPolicy"]["scheduled"] = True
        cluster = (
            ScriptedCluster().on("GET", STREAMS, {"items": [changed, other]}).on("PATCH", f"{STREAMS}/other", patched)
        )
        web, second = converge(
            cluster,
            streams=[
                {"name": "web", "tags": [tag("v2", f"{WEB}:v2")]},
                {"name": "other", "tags": [tag("v2", f"{WEB}:v2", scheduled=True)]},
            ],
        )
        assert web.before == web.after
        assert second.after.tags["v2"].scheduled


class TestCorrections:
    """Patches and imports in their order, with their preconditions."""

    def test_a_patch_names_the_version_that_was_read(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reference_policy_not_changed_by_import", 3))
            .on("PATCH", f"{STREAMS}/web", recorded("reference_policy_not_changed_by_import", 4))
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", reference_policy="Local")])
        (request,) = cluster.writes
        assert request.content_type == "application/strategic-merge-patch+json"
        assert request.body == {
            "metadata": {"resourceVersion": "1"},
            "spec": {"tags": [{"name": "v2", "referencePolicy": {"type": "Local"}}]},
        }
        assert result.after.tags["v2"].reference_policy == "Local"

    def test_an_import_mode_change_that_leaves_the_generation_behind_is_settled_in_the_same_run(self) -> None:
        """Contract case generation_behind_settles, steps 1, 2 and 4."""
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_stream("generation_behind_settles", 1))
            .on("POST", IMPORTS, recorded("generation_behind_settles", 2), recorded("generation_behind_settles", 4))
        )
        result = converge_one(cluster, tags=[tag("a", f"{WEB}:v2", import_mode="PreserveOriginal")])
        assert [request.body["metadata"]["resourceVersion"] for request in cluster.writes] == ["1", "2"]
        assert not result.after.tags["a"].pending
        assert result.reasons == {"a": ("import_mode_changed",)}

    def test_a_source_of_the_same_image_is_patched_and_imported_in_the_same_run(self) -> None:
        """Contract cases source_change step 4, generation_behind_settles steps 6 and 7."""
        source = f"{WEB}@{WEB_V2}"
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_stream("generation_behind_settles", 5))
            .on("POST", IMPORTS, import_answer({}, success(WEB_V2)), recorded("generation_behind_settles", 7))
            .on("PATCH", f"{STREAMS}/web", recorded("generation_behind_settles", 6))
        )
        result = converge_one(cluster, tags=[tag("b", source)])
        patched, imported = cluster.writes
        assert patched.body["spec"] == {"tags": [{"name": "b", "from": {"kind": "DockerImage", "name": source}}]}
        assert imported.body["metadata"]["resourceVersion"] == "4"
        assert imported.images == [
            {
                "from": {"kind": "DockerImage", "name": source},
                "to": {"name": "b"},
                "importPolicy": {"insecure": False, "scheduled": False, "importMode": "Legacy"},
                "referencePolicy": {"type": "Source"},
            }
        ]
        assert (result.after.tags["b"].source, result.after.tags["b"].pending) == (source, False)

    def test_a_source_of_another_image_is_imported_only(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_stream("source_change", 1))
            .on("POST", IMPORTS, import_answer({}, success(WEB_V1_AMD64)), recorded("source_change", 2))
        )
        result = converge_one(cluster, tags=[tag("stable", f"{WEB}:v1")])
        assert [request.method for request in cluster.writes] == ["POST"]
        assert result.after.tags["stable"].source == f"{WEB}:v1"

    def test_what_moved_upstream_is_imported_and_nothing_else(self) -> None:
        both = recorded_stream("tags_between_streams", 1)
        both["metadata"]["name"] = "web"
        moved = recorded_stream("tags_between_streams", 6)
        moved["spec"]["tags"][1]["from"]["name"] = f"{WEB}:v1"
        looked_up = import_answer({}, success(WEB_V2), success(WEB_V2))
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", both)
            .on("POST", IMPORTS, looked_up, import_answer(moved, success(WEB_V2)))
        )
        result = converge_one(cluster, refresh="drifted", tags=[tag("v1", f"{WEB}:v1"), tag("v2", f"{WEB}:v2")])
        (request,) = cluster.writes
        assert images_of(request) == [(f"{WEB}:v1", "v1")]
        assert result.reasons == {"v1": ("upstream_moved",), "v2": ()}

    def test_a_preference_is_patched_before_the_import_that_reads_it(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_stream("prefer_architecture", 1))
            .on("PATCH", f"{STREAMS}/web", recorded("prefer_architecture", 2))
            .on("POST", IMPORTS, recorded("prefer_architecture", 3))
        )
        result = converge_one(cluster, tags=[tag("v1", f"{WEB}:v1", prefer_architecture="arm64")])
        assert [request.method for request in cluster.writes] == ["PATCH", "POST"]
        assert result.after.tags["v1"].digest == WEB_V1_ARM64


class TestPartialFailures:
    """One image's failure costs no other image anything."""

    def test_a_failed_image_is_tried_once_more_alone_before_it_counts(self) -> None:
        failed_again = copy.deepcopy(recorded("import_partial_failure", 1))
        failed_again["status"]["images"] = failed_again["status"]["images"][1:2]
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, recorded("import_partial_failure", 1), failed_again)
        )
        result = converge_one(
            cluster, tags=[tag("v1", f"{WEB}:v1"), tag("nope", f"{WEB}:nope"), tag("v2", f"{WEB}:v2")]
        )
        assert [images_of(request) for request in cluster.writes] == [
            [(f"{WEB}:v1", "v1"), (f"{WEB}:nope", "nope"), (f"{WEB}:v2", "v2")],
            [(f"{WEB}:nope", "nope")],
        ]
        failures = {name: outcome for name, outcome in result.outcomes.items() if isinstance(outcome, ImportFailure)}
        assert failures == {"nope": ImportFailure("NotFound", f'dockerimage.image.openshift.io "{WEB}:nope" not found')}
        assert (result.after.tags["v1"].digest, result.after.tags["v2"].digest) == (WEB_V1_AMD64, WEB_V2)
        assert result.error is None

    def test_success_without_an_image_beside_a_wrong_password_succeeds_alone(self) -> None:
        """Contract case hub_second_pass, steps 4 and 6."""
        still_refused = copy.deepcopy(recorded("hub_second_pass", 4))
        still_refused["status"]["images"] = still_refused["status"]["images"][:1]
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/a", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, recorded("hub_second_pass", 4), still_refused, recorded("hub_second_pass", 6))
        )
        result = converge_one(
            cluster, name="a", tags=[tag("priv", f"{HUB}/private/plain:v2"), tag("good", f"{WEB}:v2")]
        )
        assert [len(request.images) for request in cluster.writes] == [2, 1, 1]
        assert isinstance(result.outcomes["good"], Image)
        assert result.outcomes["priv"] == ImportFailure(
            "Unauthorized", f'incorrect username or password for image "{HUB}/private/plain:v2"'
        )
        assert result.after.tags["good"].failure is None

    def test_a_refusal_of_the_whole_request_is_divided(self) -> None:
        """Contract case list_entry_without_platform."""
        refused = recorded_error("list_entry_without_platform", 3)
        good = recorded("reimport_unchanged", 1)
        good["status"]["import"]["spec"]["tags"][0]["name"] = good["status"]["import"]["status"]["tags"][0]["tag"] = (
            "good"
        )
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, refused, refused, good)
        )
        result = converge_one(
            cluster,
            tags=[tag("v1", f"{PRIVATE}/team/odd:v1", import_mode="PreserveOriginal"), tag("good", f"{WEB}:v2")],
        )
        assert [[name for _source, name in images_of(request)] for request in cluster.writes] == [
            ["v1", "good"],
            ["v1"],
            ["good"],
        ]
        failure = result.outcomes["v1"]
        assert isinstance(failure, ImportFailure)
        assert (failure.reason, failure.message) == ("Invalid", refused.server_message)
        assert sorted(result.after.tags) == ["good"]

    def test_a_request_that_takes_too_long_is_divided(self) -> None:
        late = ApiError("504", status=504, reason="Timeout", server_message="request did not complete")
        good = recorded("reimport_unchanged", 1)
        good["status"]["import"]["spec"]["tags"][0]["name"] = good["status"]["import"]["status"]["tags"][0]["tag"] = (
            "good"
        )
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", *[recorded_error(*NO_STREAM)] * 2)
            .on("POST", IMPORTS, late, late, good)
        )
        result = converge_one(cluster, tags=[tag("v1", f"{WEB}:v1"), tag("good", f"{WEB}:v2")])
        assert [[name for _source, name in images_of(request)] for request in cluster.writes] == [
            ["v1", "good"],
            ["v1"],
            ["good"],
        ]
        assert result.error is None
        assert result.outcomes["v1"] == ImportFailure("Timeout", "request did not complete")
        assert sorted(result.after.tags) == ["good"]

    def test_three_images_in_a_row_that_take_too_long_are_enough(self) -> None:
        late = ApiError("504", status=504, reason="Timeout", server_message="request did not complete")
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", *[recorded_error(*NO_STREAM)] * 3)
            .on("POST", IMPORTS, *[late] * 4)
        )
        result = converge_one(cluster, tags=[tag(f"v{number}", f"{WEB}:v{number}") for number in range(9)])
        assert [len(images_of(request)) for request in cluster.writes] == [3, 1, 1, 1]
        assert result.error is late
        assert not any(isinstance(outcome, ImportFailure) for outcome in result.outcomes.values())

    def test_an_image_whose_registry_fails_for_a_moment_is_tried_once_more(self) -> None:
        failing, good = recorded("reimport_unchanged", 1), recorded("reimport_unchanged", 1)
        failing["status"]["images"][0] = {
            "status": {
                "status": "Failure",
                "reason": "InternalError",
                "message": "received unexpected HTTP status: 503",
            }
        }
        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, failing, good)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")])
        assert (result.error, isinstance(result.outcomes["v2"], ImportFailure)) == (None, False)

    def test_after_a_failed_import_the_policies_are_patched(self) -> None:
        """Contract case failed_refresh_keeps_last_image: the failed import left scheduled as it was."""
        patched = recorded_stream("failed_refresh_keeps_last_image", 3)
        patched["spec"]["tags"][0]["importPolicy"]["scheduled"] = True
        failing = recorded("failed_refresh_keeps_last_image", 2)
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_stream("failed_refresh_keeps_last_image", 3))
            .on("POST", IMPORTS, failing)
            .on("PATCH", f"{STREAMS}/web", patched)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", scheduled=True)])
        assert cluster.writes[-1].body["spec"] == {
            "tags": [{"name": "v2", "importPolicy": {"scheduled": True, "insecure": False}}]
        }
        assert result.after.tags["v2"].scheduled
        assert isinstance(result.outcomes["v2"], ImportFailure)

    def test_the_next_run_repeats_exactly_the_failed_ones(self) -> None:
        repaired = recorded_stream("import_partial_failure", 2)
        repaired["status"]["tags"][0] = {**repaired["status"]["tags"][2], "tag": "nope"}
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("import_partial_failure", 2))
            .on("POST", IMPORTS, import_answer(repaired, success(WEB_V2)))
        )
        result = converge_one(
            cluster, tags=[tag("v1", f"{WEB}:v1"), tag("nope", f"{WEB}:nope"), tag("v2", f"{WEB}:v2")]
        )
        assert [images_of(request) for request in cluster.writes] == [[(f"{WEB}:nope", "nope")]]
        assert result.reasons == {"v1": (), "nope": ("last_import_failed",), "v2": ()}

    def test_a_source_that_cannot_be_had_is_not_written_over_a_good_one(self) -> None:
        failure = recorded("lookup_without_import", 3)
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
            .on("POST", IMPORTS, failure)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:nope")])
        assert cluster.writes == []
        assert result.before == result.after
        assert isinstance(result.outcomes["v2"], ImportFailure)


class TestOtherWriters:
    """409, lost answers, and who keeps writing."""

    def test_a_conflict_reads_again_and_plans_again(self, pauses: list[float]) -> None:
        """Contract case resource_version_conflict: what somebody else did is kept, what is still missing is done."""
        fresh = recorded_stream("reimport_unchanged", 3)
        fresh["metadata"]["resourceVersion"] = "8"
        patched = copy.deepcopy(fresh)
        patched["spec"]["tags"][0]["importPolicy"]["scheduled"] = True
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3), fresh)
            .on("PATCH", f"{STREAMS}/web", conflict(), patched)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", scheduled=True)])
        assert [request.body["metadata"]["resourceVersion"] for request in cluster.writes] == ["1", "8"]
        assert result.reasons == {"v2": ("scheduled_changed",)}
        assert len(pauses) == 1

    def test_what_the_other_writer_did_already_is_not_done_again(self) -> None:
        done = recorded_stream("reimport_unchanged", 3)
        done["spec"]["tags"][0]["importPolicy"]["scheduled"] = True
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3), done)
            .on("PATCH", f"{STREAMS}/web", conflict())
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", scheduled=True)])
        assert result.after.tags["v2"].scheduled
        assert result.error is None

    def test_a_stream_created_by_somebody_else_meanwhile_is_read(self) -> None:
        exists = recorded_error("stream_create_update", 1)
        there = recorded_stream("reimport_unchanged", 3)
        patched = copy.deepcopy(there)
        patched["spec"]["lookupPolicy"]["local"] = True
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM), there)
            .on("POST", STREAMS, exists)
            .on("PATCH", f"{STREAMS}/web", patched)
        )
        assert converge_one(cluster, lookup_policy_local=True).after.lookup_policy_local

    def test_a_stream_deleted_by_somebody_else_meanwhile_is_made_again(self) -> None:
        gone = recorded_error("resource_version_conflict", 5)
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_stream("import_unauthorized", 1), recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, gone, recorded("import_unauthorized", 3))
        )
        result = converge_one(cluster, tags=[tag("v1", f"{WEB}:v1")])
        assert [request.body["metadata"].get("resourceVersion") for request in cluster.writes] == ["1", None]
        assert result.error is None

    def test_conflicts_are_bounded(self, pauses: list[float]) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", *[recorded("reimport_unchanged", 3)] * 26)
            .on("PATCH", f"{STREAMS}/web", *[conflict()] * 26)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", scheduled=True)])
        assert str(result.error).startswith(
            "The image stream shop/web was changed by somebody else each of the 26 times that it was about to be "
            "written"
        )
        assert len(pauses) == 25
        assert all(0 <= pause <= 2 for pause in pauses)

    def test_an_answer_that_got_lost_is_found_out_by_reading(self) -> None:
        done = recorded_stream("reimport_unchanged", 3)
        lost = ApiOutcomeUnknown("the connection broke")
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM), done)
            .on("POST", IMPORTS, lost, recorded("reimport_unchanged", 1))
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")])
        assert (result.error, result.after.tags["v2"].digest) == (None, WEB_V2)
        assert (len(cluster.writes), len(cluster.lookups)) == (1, 1)
        # what the stream does not tell of its image
        image = result.outcomes["v2"]
        assert isinstance(image, Image)
        assert (image.digest, bool(image.media_type), image.architecture) == (WEB_V2, True, "amd64")

    @pytest.mark.parametrize("answer", ["another image", "a refusal", "an error"])
    def test_what_is_served_later_says_nothing_of_an_image_that_came(self, answer: str) -> None:
        later: t.Any = ApiError("no", status=500)
        if answer != "an error":
            later = recorded("reimport_unchanged", 1)
            image = later["status"]["images"][0]
            if answer == "another image":
                image["image"]["metadata"]["name"] = WEB_V1_AMD64
            else:
                image["status"] = {"status": "Failure", "reason": "Unauthorized", "message": "no"}
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM), recorded_stream("reimport_unchanged", 3))
            .on("POST", IMPORTS, ApiOutcomeUnknown("the connection broke"), later)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")])
        assert (result.error, result.outcomes, result.after.tags["v2"].digest) == (None, {}, WEB_V2)

    def test_lost_answers_are_bounded(self) -> None:
        lost = ApiOutcomeUnknown("the connection broke")
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", *[recorded_error(*NO_STREAM)] * 3)
            .on("POST", IMPORTS, *[lost] * 2)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")])
        assert result.error is lost

    @pytest.mark.parametrize("done", [True, False])
    def test_what_became_of_the_last_import_is_read_before_it_is_reported(self, done: bool) -> None:
        stream = recorded_stream("reimport_unchanged", 3)
        late = ApiError("etcdserver: request timed out", status=500)
        states = [
            recorded_error(*NO_STREAM),
            recorded_error(*NO_STREAM),
            stream if done else recorded_error(*NO_STREAM),
        ]
        described = [recorded("reimport_unchanged", 1)] if done else []
        result = converge_one(
            ScriptedCluster().on("GET", f"{STREAMS}/web", *states).on("POST", IMPORTS, late, late, *described),
            tags=[tag("v2", f"{WEB}:v2")],
        )
        assert (result.error, result.after.exists) == ((None, True) if done else (late, False))

    def test_a_mistake_at_one_stream_hides_no_other_result(self) -> None:
        odd = {
            "kind": "ImageStreamImport",
            "status": {"import": {"metadata": {"name": "odd"}, "spec": {"tags": ["no tag"]}}},
        }
        cluster = (
            ScriptedCluster()
            .on("GET", STREAMS, {"items": []})
            .on("POST", IMPORTS, odd, recorded("reimport_unchanged", 1))
        )
        desired = desired_streams(
            {
                "namespace": NAMESPACE,
                "streams": [{"name": name, "tags": [tag("v2", f"{WEB}:v2")]} for name in ("odd", "web")],
            }
        )
        odd_one, web = converge_streams(cluster.client, desired, check_mode=False, concurrency=1, timeout=60)
        assert str(odd_one.error).startswith("Internal error of the module (TypeError at observed.py:")
        assert (web.error, web.after.tags["v2"].digest) == (None, WEB_V2)

    def test_an_unread_outcome_is_told_as_open(self) -> None:
        lost, gone = ApiOutcomeUnknown("it may have been carried out"), ApiUnreachable("refused")
        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM), gone).on("POST", IMPORTS, lost)
        )
        assert converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")]).error is lost

    def test_a_server_that_never_keeps_what_is_written_is_reported_and_not_asked_for_ever(self) -> None:
        never = recorded("reimport_unchanged", 3)
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", never).on("PATCH", f"{STREAMS}/web", *[never] * 4)
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", scheduled=True)])
        assert (
            str(result.error)
            == "somebody else keeps changing the stream: it still differs after 4 rounds of corrections"
        )


class TestRemoval:
    """state absent and purge_tags."""

    def test_a_stream_is_deleted(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
            .on("DELETE", f"{STREAMS}/web", {"status": "Success"})
        )
        result = converge_one(cluster, state="absent")
        assert cluster.writes[0].body == {"preconditions": {"resourceVersion": "1"}}
        assert (result.before.exists, result.after.exists) == (True, False)
        assert result.reasons == {"v2": ("not_listed",)}

    def test_a_stream_that_was_written_since_is_not_deleted_as_it_was_read(self) -> None:
        changed = recorded_stream("reimport_unchanged", 3)
        changed["metadata"]["resourceVersion"] = "2"
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3), changed)
        cluster.on("DELETE", f"{STREAMS}/web", conflict(), {"status": "Success"})
        result = converge_one(cluster, state="absent")
        assert [request.body["preconditions"]["resourceVersion"] for request in cluster.writes] == ["1", "2"]
        assert not result.after.exists

    def test_an_approved_deletion_of_a_stream_does_not_take_a_tag_that_was_added_since(self) -> None:
        read = observed("reimport_unchanged", 3)
        changes = [Change("stream", NAMESPACE, "web", stream_view(read), None)]
        changes += [Change("tag", NAMESPACE, "web", view(one), None, name) for name, one in read.tags.items()]
        more = recorded_stream("reimport_unchanged", 3)
        more["spec"]["tags"].append({**more["spec"]["tags"][0], "name": "added"})
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3), more)
            .on("DELETE", f"{STREAMS}/web", conflict())
        )
        (wanted,) = desired_streams({"namespace": NAMESPACE, "name": "web", "state": "absent"})
        wanted = wanted._replace(approved=frozenset(change.id for change in changes))
        (result,) = converge_streams(cluster.client, [wanted], check_mode=False, concurrency=1, timeout=60)
        cluster.assert_all_asked()
        assert (result.error, sorted(result.after.tags), list(result.held_back)) == (None, ["added", "v2"], ["added"])

    def test_a_stream_that_somebody_else_deleted_is_gone(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3), recorded_error(*NO_STREAM))
            .on("DELETE", f"{STREAMS}/web", recorded_error("stream_create_update", 9))
        )
        result = converge_one(cluster, state="absent")
        assert (result.error, result.after.exists) == (None, False)

    def test_absent_already_is_one_read(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
        assert converge_one(cluster, state="absent").reasons == {}

    def test_check_mode_of_a_deletion_is_one_read(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        result = converge_one(cluster, state="absent", check_mode=True)
        assert (result.after.exists, result.reasons) == (False, {"v2": ("not_listed",)})

    def test_unlisted_tags_are_removed_with_their_history(self) -> None:
        both = recorded_stream("tags_between_streams", 1)
        both["metadata"]["name"] = "web"
        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", both).on("PATCH", f"{STREAMS}/web", without_tags(both, "v1"))
        )
        cluster.on("DELETE", f"{TAGS}/web:v1", {"status": "Success"})
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")], purge_tags=True)
        assert cluster.writes[0].body == {
            "metadata": {"resourceVersion": "1"},
            "spec": {"tags": [{"name": "v1", "$patch": "delete"}]},
        }
        assert sorted(result.after.tags) == ["v2"]
        assert result.reasons == {"v2": (), "v1": ("not_listed",)}

    def test_a_tag_that_somebody_points_elsewhere_before_its_removal_is_planned_again(self) -> None:
        both = recorded_stream("tags_between_streams", 1)
        both["metadata"]["name"] = "web"
        follows = copy.deepcopy(both)
        next(one for one in follows["spec"]["tags"] if one["name"] == "v1")["from"] = {
            "kind": "ImageStreamTag",
            "name": "v2",
        }
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", both, follows).on("PATCH", f"{STREAMS}/web", conflict())
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")], purge_tags=True)
        assert (result.error, sorted(result.after.tags)) == (None, ["v1", "v2"])

    @pytest.mark.parametrize("done", [True, False])
    def test_a_removal_without_an_answer_is_ended(self, done: bool) -> None:
        both = recorded_stream("tags_between_streams", 1)
        both["metadata"]["name"] = "web"
        less = without_tags(both, "v1")
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", both, less if done else both)
        cluster.on("PATCH", f"{STREAMS}/web", ApiOutcomeUnknown("the connection broke"), *([] if done else [less]))
        cluster.on("DELETE", f"{TAGS}/web:v1", {"status": "Success"})
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")], purge_tags=True)
        assert (result.error, sorted(result.after.tags), sorted(result.after.left)) == (None, ["v2"], [])

    def test_a_tag_that_somebody_else_removed_is_removed(self) -> None:
        both = recorded_stream("tags_between_streams", 1)
        both["metadata"]["name"] = "web"
        cluster = (
            ScriptedCluster().on("GET", f"{STREAMS}/web", both).on("PATCH", f"{STREAMS}/web", without_tags(both, "v1"))
        )
        cluster.on("DELETE", f"{TAGS}/web:v1", recorded_error("tags_between_streams", 13))
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")], purge_tags=True)
        assert (result.error, sorted(result.after.tags)) == (None, ["v2"])

    @pytest.mark.parametrize("name", ["a/b", "a%b", "a:b"])
    def test_a_tag_that_the_api_cannot_address_is_removed_from_the_spec(self, name: str) -> None:
        """Server-behaviour.md 2.9."""
        odd = recorded_stream("reimport_unchanged", 3)
        odd["spec"]["tags"].append({**odd["spec"]["tags"][0], "name": name})
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", odd)
            .on("PATCH", f"{STREAMS}/web", recorded("reimport_unchanged", 3))
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2")], purge_tags=True)
        assert cluster.writes[0].body["spec"] == {"tags": [{"name": name, "$patch": "delete"}]}
        assert sorted(result.after.tags) == ["v2"]


class TestRefusals:
    """What stops one stream, and what stops all."""

    def test_a_namespace_that_does_not_exist_is_the_error_of_its_streams(self) -> None:
        missing = recorded_error("invalid_requests", 8)
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, missing)
        result = converge_one(cluster, tags=[tag("v1", f"{WEB}:v1")])
        assert isinstance(result.error, NotFound)
        assert 'namespaces "no-such-namespace" not found' in str(result.error)

    @pytest.mark.parametrize("check_mode", [True, False])
    def test_a_namespace_without_rights_does_not_hide_the_others(self, check_mode: bool) -> None:
        closed = STREAMS.replace(NAMESPACE, "closed")
        cluster = (
            ScriptedCluster()
            .on("GET", f"{closed}/web", forbidden("GET", f"{closed}/web"))
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, recorded("access_import_only", 1 if check_mode else 2))
        )
        tags = [tag("v2", f"{WEB}:v2")]
        refused, done = converge(
            cluster,
            check_mode=check_mode,
            streams=[{"namespace": "closed", "name": "web", "tags": tags}, {"name": "web", "tags": tags}],
        )
        assert isinstance(refused.error, Forbidden)
        assert (done.error, done.after.tags["v2"].digest) == (None, WEB_V2)

    def test_a_write_without_rights_does_not_hide_the_others(self) -> None:
        stream = recorded_stream("reimport_unchanged", 3)
        other = {**copy.deepcopy(stream), "metadata": {**stream["metadata"], "name": "other"}}
        patched = copy.deepcopy(other)
        patched["spec"]["tags"][0]["importPolicy"]["scheduled"] = True
        cluster = (
            ScriptedCluster()
            .on("GET", STREAMS, {"items": [stream, other]})
            .on("PATCH", f"{STREAMS}/web", recorded_error("access_import_only", 4))
            .on("PATCH", f"{STREAMS}/other", patched)
        )
        tags = [tag("v2", f"{WEB}:v2", scheduled=True)]
        refused, done = converge(cluster, streams=[{"name": "web", "tags": tags}, {"name": "other", "tags": tags}])
        assert isinstance(refused.error, Forbidden)
        assert refused.before == refused.after
        assert done.error is None

    @pytest.mark.parametrize("error", [recorded_error("access_denied", 0), ApiUnreachable("the API server is gone")])
    def test_a_token_refused_or_a_server_gone_in_the_middle_stops_the_streams_that_follow(
        self, error: CollectionError
    ) -> None:
        names = ["a", "b", "c"]
        streams = [
            {**recorded_stream("reimport_unchanged", 3), "metadata": {"name": name, "resourceVersion": "1"}}
            for name in names
        ]
        patched = copy.deepcopy(streams[0])
        patched["spec"]["tags"][0]["importPolicy"]["scheduled"] = True
        cluster = (
            ScriptedCluster()
            .on("GET", STREAMS, {"items": streams})
            .on("PATCH", f"{STREAMS}/a", patched)
            .on("PATCH", f"{STREAMS}/b", error)
        )
        done, halted, skipped = converge(
            cluster, streams=[{"name": name, "tags": [tag("v2", f"{WEB}:v2", scheduled=True)]} for name in names]
        )
        assert (done.error, done.after.tags["v2"].scheduled) == (None, True)
        assert halted.error is error
        assert str(skipped.error) == f"not attempted any more, because of: {error}"

    @pytest.mark.parametrize(
        ("error", "kind"),
        [(recorded_error("access_denied", 0), Unauthorized), (ApiUnreachable("gone"), ApiUnreachable)],
    )
    def test_before_anything_is_done_they_end_the_run(self, error: CollectionError, kind: type[Exception]) -> None:
        with pytest.raises(kind):
            converge(ScriptedCluster().on("GET", f"{STREAMS}/web", error), tags=[tag("v2", f"{WEB}:v2")])

    def test_a_cluster_without_the_image_api_ends_the_run(self) -> None:
        absent = refusal("GET", f"{STREAMS}/web", 404, recorded("not_openshift", 1))
        with pytest.raises(ApiNotServed, match="it is plain Kubernetes and not OpenShift"):
            converge(ScriptedCluster().on("GET", f"{STREAMS}/web", absent), tags=[tag("v2", f"{WEB}:v2")])

    def test_a_refused_lookup_stops_its_stream_only(self) -> None:
        stream = recorded_stream("reimport_unchanged", 3)
        closed = STREAMS.replace(NAMESPACE, "closed")
        cluster = (
            ScriptedCluster()
            .on("GET", f"{closed}/web", stream)
            .on("GET", f"{STREAMS}/web", stream)
            .on("POST", IMPORTS.replace(NAMESPACE, "closed"), recorded_error("access_denied", 4))
            .on("POST", IMPORTS, recorded("access_import_only", 1))
        )
        tags = [tag("v2", f"{WEB}:v2")]
        refused, done = converge(
            cluster,
            refresh="drifted",
            streams=[{"namespace": "closed", "name": "web", "tags": tags}, {"name": "web", "tags": tags}],
        )
        assert isinstance(refused.error, Forbidden)
        assert done.error is None


class TestRepository:
    """Every tag of a repository, also beyond the server's limit."""

    def listing(self, *additional: str) -> dict[str, t.Any]:
        answer = recorded("repository_import", 1)
        answer["status"].pop("import")
        if additional:
            answer["status"]["repository"]["additionalTags"] = list(additional)
        assert isinstance(answer, dict)
        return answer

    def test_its_tags_are_imported_as_tags_three_at_a_time(self) -> None:
        imported = recorded_stream("repository_import", 2)

        def answer(request: Request) -> dict[str, t.Any]:
            looked_up = {image["tag"]: image for image in self.listing()["status"]["repository"]["images"]}
            return import_answer(imported, *[looked_up[entry["to"]["name"]] for entry in request.images])

        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, self.listing(), answer, answer)
        )
        result = converge_one(cluster, repository=WEB, import_mode="PreserveOriginal")
        assert [len(request.images) for request in cluster.writes] == [3, 1]
        assert sorted(result.after.tags) == ["latest", "v1", "v2", "v3"]

    def test_check_mode_knows_from_the_listing_what_would_be_imported(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, self.listing())
        )
        result = converge_one(cluster, repository=WEB, import_mode="PreserveOriginal", check_mode=True)
        assert result.after.tags["v2"].digest == WEB_V2
        assert len(cluster.lookups) == 1

    def test_tags_beyond_the_limit_are_looked_up_and_globs_choose(self) -> None:
        def answer(request: Request) -> dict[str, t.Any]:
            return import_answer({}, *[success(WEB_V2) for _entry in request.images])

        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
            .on("POST", IMPORTS, self.listing("old-1", "old-2", "other"), answer)
        )
        result = converge_one(
            cluster, repository=WEB, tag_patterns=["old-*", "v2"], import_mode="PreserveOriginal", check_mode=True
        )
        assert images_of(cluster.lookups[1]) == [(f"{WEB}:old-1", "lookup-0"), (f"{WEB}:old-2", "lookup-1")]
        assert sorted(result.after.tags) == ["old-1", "old-2", "v2"]

    def test_a_second_run_writes_nothing(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, self.listing())
        )
        result = converge_one(cluster, repository=WEB, import_mode="PreserveOriginal", refresh="drifted")
        assert cluster.writes == []
        assert result.before == result.after

    def test_tags_that_the_repository_no_longer_has_are_named_and_removed_by_purge_only(self) -> None:
        stream = recorded_stream("repository_import", 2)
        extra = {**stream["spec"]["tags"][0], "name": "gone", "from": {"kind": "DockerImage", "name": f"{WEB}:gone"}}
        foreign = {**extra, "name": "foreign", "from": {"kind": "DockerImage", "name": f"{PRIVATE}/team/api:v1"}}
        stream["spec"]["tags"] += [extra, foreign]
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", stream).on("POST", IMPORTS, self.listing())
        kept = converge_one(cluster, repository=WEB, import_mode="PreserveOriginal")
        assert (kept.gone_upstream, cluster.writes) == (("gone",), [])
        purging = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", stream)
            .on("POST", IMPORTS, self.listing())
            .on("PATCH", f"{STREAMS}/web", without_tags(stream, "gone", "foreign"))
            .on("DELETE", f"{TAGS}/web:gone", {})
            .on("DELETE", f"{TAGS}/web:foreign", {})
        )
        removed = converge_one(purging, repository=WEB, import_mode="PreserveOriginal", purge_tags=True)
        assert sorted(removed.after.tags) == ["latest", "v1", "v2", "v3"]

    def test_a_repository_that_cannot_be_listed_stops_its_stream_and_removes_nothing(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", recorded("repository_import", 2))
            .on("POST", IMPORTS, recorded("repository_import", 4))
        )
        result = converge_one(cluster, repository=f"{PRIVATE}/team/absent", purge_tags=True)
        assert isinstance(result.error, RegistryError)
        assert str(result.error) == (
            f"the tags of {PRIVATE}/team/absent could not be listed: NotFound: dockerimage.image.openshift.io "
            f'"{PRIVATE}/team/absent" not found'
        )
        assert cluster.writes == []


class TestPendingCredentials:
    """Check mode of a first run: the credentials would have been written by an earlier task."""

    def run(self, registry: str, *, namespace: str = NAMESPACE, check_mode: bool = True) -> StreamResult:
        refused = recorded("import_unauthorized", 0)
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, refused)
        desired = desired_streams(
            {"namespace": NAMESPACE, "name": "web", "tags": [tag("v1", f"{WEB}:v1", import_mode="Legacy")]}
        )
        pending = [PendingCredential(namespace, registry)]
        (result,) = converge_streams(
            cluster.client, desired, check_mode=check_mode, concurrency=1, timeout=60, pending=pending
        )
        return result

    @pytest.mark.parametrize("registry", [PRIVATE, f"{PRIVATE}/team", f"https://{PRIVATE}"])
    def test_an_image_refused_today_counts_as_one_that_will_be_imported(self, registry: str) -> None:
        result = self.run(registry)
        assert result.reasons == {"v1": ("stream_missing",)}
        assert (result.after.tags["v1"].failure, result.after.tags["v1"].digest) == (None, "")

    @pytest.mark.parametrize(
        ("registry", "namespace"),
        [("other.example.com", NAMESPACE), (f"{PRIVATE}/other", NAMESPACE), (PRIVATE, "elsewhere")],
    )
    def test_a_credential_that_does_not_match_changes_nothing(self, registry: str, namespace: str) -> None:
        assert isinstance(self.run(registry, namespace=namespace).outcomes["v1"], ImportFailure)

    def test_an_image_that_a_mirror_refuses_today_counts_too(self) -> None:
        refused = recorded("import_unauthorized", 0)
        message = (
            'Internal error occurred: [you may not have access to the container image "mirror.example.com/web:v1", '
            f"{WEB}:v1: EOF]"
        )
        refused["status"]["images"][0]["status"].update(reason="InternalError", message=message, code=500)
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM)).on("POST", IMPORTS, refused)
        desired = desired_streams(
            {"namespace": NAMESPACE, "name": "web", "tags": [tag("v1", f"{WEB}:v1", import_mode="Legacy")]}
        )
        pending = [PendingCredential(NAMESPACE, "mirror.example.com")]
        (result,) = converge_streams(
            cluster.client, desired, check_mode=True, concurrency=1, timeout=60, pending=pending
        )
        assert (result.after.tags["v1"].failure, result.after.tags["v1"].digest) == (None, "")

    def list_whole(
        self, *, exists: bool, reason: str = "Unauthorized", message: str = "you may not have access"
    ) -> StreamResult:
        stream = recorded("repository_import", 2) if exists else recorded_error(*NO_STREAM)
        refused = recorded("repository_import", 4)
        refused["status"]["repository"]["status"].update(reason=reason, message=message, code=401)
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", stream).on("POST", IMPORTS, refused)
        desired = desired_streams({"namespace": NAMESPACE, "name": "web", "repository": WEB, "purge_tags": True})
        pending = [PendingCredential(NAMESPACE, PRIVATE)]
        (result,) = converge_streams(
            cluster.client, desired, check_mode=True, concurrency=1, timeout=60, pending=pending
        )
        return result

    def test_a_repository_that_cannot_be_listed_yet_will_be_a_stream(self) -> None:
        result = self.list_whole(exists=False)
        assert (result.error, result.after.exists, result.after.tags) == (None, True, {})
        assert (
            result.tags_from_reason
            == "the credential that lists them is not written yet, so that its tags are not known"
        )

    def test_a_registry_with_basic_authentication_is_refused_as_an_internal_error(self) -> None:
        message = f'Internal error occurred: Get "https://{PRIVATE}/v2/team/web/tags/list": no basic auth credentials'
        result = self.list_whole(exists=False, reason="InternalError", message=message)
        assert (result.error, result.after.exists) == (None, True)

    def test_a_repository_that_cannot_be_listed_yet_removes_nothing(self) -> None:
        result = self.list_whole(exists=True)
        assert result.error is None
        assert result.after == result.before

    def test_a_real_run_does_not_count_on_them(self) -> None:
        assert isinstance(self.run(PRIVATE, check_mode=False).outcomes["v1"], ImportFailure)


def test_an_operating_system_alone_asks_for_the_architecture_of_the_control_plane() -> None:
    lists = recorded("lookup_without_import", 2)
    cluster = (
        ScriptedCluster()
        .on("GET", f"{STREAMS}/web", recorded_error(*NO_STREAM))
        .on("GET", "/version", {"platform": "linux/arm64"})
        .on("POST", IMPORTS, lists)
    )
    result = converge_one(
        cluster, check_mode=True, tags=[tag("v1", f"{WEB}:v1", import_mode="Legacy", prefer_os="linux")]
    )
    assert result.after.tags["v1"].digest == WEB_V1_ARM64


def test_equal_questions_of_several_streams_are_asked_once() -> None:
    streams = [
        {**recorded_stream("reimport_unchanged", 3), "metadata": {"name": name, "resourceVersion": "1"}}
        for name in ("a", "b")
    ]
    cluster = (
        ScriptedCluster().on("GET", STREAMS, {"items": streams}).on("POST", IMPORTS, recorded("access_import_only", 1))
    )
    converge(
        cluster, refresh="drifted", streams=[{"name": name, "tags": [tag("v2", f"{WEB}:v2")]} for name in ("a", "b")]
    )
    assert [len(request.images) for request in cluster.lookups] == [1]


class TestOwners:
    """Streams that somebody else reconciles."""

    ARGO: t.ClassVar[dict[str, t.Any]] = {
        "annotations": {"argocd.argoproj.io/tracking-id": f"shop:image.openshift.io/ImageStream:{NAMESPACE}/web"}
    }
    SAMPLES: t.ClassVar[dict[str, t.Any]] = {"labels": {"samples.operator.openshift.io/managed": "true"}}
    HELM: t.ClassVar[dict[str, t.Any]] = {"annotations": {"meta.helm.sh/release-name": "chart"}}

    @staticmethod
    def there(metadata: dict[str, t.Any]) -> dict[str, t.Any]:
        stream = copy.deepcopy(recorded("reimport_unchanged", 1)["status"]["import"])
        stream["metadata"].update(metadata)
        return t.cast("dict[str, t.Any]", stream)

    def converged(
        self, metadata: dict[str, t.Any], *, check_mode: bool = True, **options: t.Any
    ) -> tuple[StreamResult, ScriptedCluster]:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", self.there(metadata))
        given = {"tags": [tag("v2", f"{WEB}:v2", import_mode="Legacy", scheduled=True)], **options}
        return converge_one(cluster, check_mode=check_mode, **given), cluster

    @pytest.mark.parametrize("check_mode", [True, False])
    @pytest.mark.parametrize("metadata", [ARGO, SAMPLES])
    @pytest.mark.parametrize(
        "options", [{}, {"state": "absent", "tags": None}, {"lookup_policy_local": True, "tags": None}]
    )
    def test_what_somebody_else_declares_is_not_changed(
        self, metadata: dict[str, t.Any], check_mode: bool, options: dict[str, t.Any]
    ) -> None:
        # A request that writes has no answer here, and would fail.
        result, _cluster = self.converged(metadata, check_mode=check_mode, **options)
        owner = "the Argo CD application" if metadata is self.ARGO else "the Cluster Samples Operator"
        assert isinstance(result.error, OwnedByAnother)
        assert str(result.error).startswith(f'The image stream "{NAMESPACE}/web" is reconciled by {owner}')
        assert (
            stream_report([result], lambda *_given: "", only_changed=False)
            .results["streams"][0]["managed_by"]
            .startswith(owner)
        )

    def test_who_takes_over_changes_it(self) -> None:
        result, _cluster = self.converged(self.ARGO, take_over=True)
        assert result.error is None
        assert result.reasons == {"v2": ("scheduled_changed",)}

    def test_what_is_as_declared_needs_no_leave(self) -> None:
        result, _cluster = self.converged(self.ARGO, tags=[tag("v2", f"{WEB}:v2", import_mode="Legacy")])
        assert (result.error, result.reasons, result.warnings) == (None, {"v2": ()}, [])

    def test_to_import_again_what_a_tag_follows_changes_nothing_that_is_declared(self) -> None:
        answer = recorded("reimport_unchanged", 1)
        # the lookup whether the registry gives the image, and the import
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", self.there(self.ARGO))
            .on("POST", IMPORTS, answer)
            .on("POST", IMPORTS, answer)
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", import_mode="Legacy")], refresh="always")
        assert (result.error, result.reasons) == (None, {"v2": ("forced",)})

    def test_an_owner_who_comes_while_the_stream_is_changed_is_respected(self) -> None:
        cluster = (
            ScriptedCluster()
            .on("GET", f"{STREAMS}/web", self.there({}), self.there(self.ARGO))
            .on("PATCH", f"{STREAMS}/web", conflict())
        )
        result = converge_one(cluster, tags=[tag("v2", f"{WEB}:v2", import_mode="Legacy", scheduled=True)])
        assert isinstance(result.error, OwnedByAnother)
        cluster.assert_all_asked()

    def test_a_comparison_shows_what_no_run_changes(self) -> None:
        cluster = ScriptedCluster().on("GET", f"{STREAMS}/web", self.there(self.ARGO))
        cluster.on("GET", f"{STREAMS}/web", self.there(self.ARGO))
        desired = desired_streams(
            {
                "namespace": NAMESPACE,
                "name": "web",
                "refresh": "missing",
                "tags": [tag("v2", f"{WEB}:v2", import_mode="Legacy", scheduled=True)],
            }
        )
        options: dict[str, t.Any] = {"concurrency": 1, "timeout": 5, "compare": True}
        [shown] = converge_streams(cluster, desired, check_mode=True, **options)
        [done] = converge_streams(cluster, desired, check_mode=False, **options)
        assert (shown.error, shown.reasons) == (None, {"v2": ("scheduled_changed",)})
        assert shown.after.tags["v2"].scheduled
        assert shown.refused == str(done.error)

    def test_an_owner_who_may_come_back_is_told(self) -> None:
        result, _cluster = self.converged(self.HELM)
        assert result.error is None
        assert result.warnings == [
            (
                f'The image stream "{NAMESPACE}/web" belongs to the Helm release "chart", which may undo the change '
                "when it is upgraded or repaired."
            )
        ]
