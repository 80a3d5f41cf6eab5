# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiOutcomeUnknown
from ansible_collections.quayside.openshift_images.plugins.module_utils._module.runner import ModuleContext
from ansible_collections.quayside.openshift_images.plugins.modules import image_stream_tag
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    STREAMS,
    TAGS,
    WEB_V1_AMD64,
    conflict,
    forbidden,
    recorded,
    recorded_error,
    recorded_stream,
    refusal,
)

CASE = "tags_between_streams"
SRC, DST = f"{STREAMS}/src", f"{STREAMS}/dst"
ENTRY = {
    "name": "prod",
    "from": {"kind": "ImageStreamImage", "name": f"src@{WEB_V1_AMD64}", "namespace": NAMESPACE},
    "reference": False,
    "referencePolicy": {"type": "Source"},
}
MISSING = recorded_error("import_new_stream", 1)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ScriptedCluster:
    cluster = ScriptedCluster()
    monkeypatch.setattr(ModuleContext, "client", lambda _self, pool_size=8: cluster)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return cluster


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def run_it(*, check_mode: bool = False, **options: t.Any) -> t.Any:
        given = {"namespace": NAMESPACE, "name": "dst:prod", **options}
        return run_module_main(image_stream_tag.main, given, check_mode=check_mode, diff=True)

    return run_it


def copied(tag: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the stream dst as it is once the tag was written."""
    stream = recorded_stream(CASE, 14)
    return {**stream, "spec": {**stream["spec"], "tags": [*stream["spec"]["tags"], tag]}}


def test_a_copy_is_one_patch_that_keeps_the_stream_of_others(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    for _run in range(2):
        cluster.on("GET", DST, recorded_stream(CASE, 14)).on("GET", SRC, recorded_stream(CASE, 4))
    cluster.on("PATCH", DST, copied(ENTRY))
    would = run(check_mode=True, **{"from": "src:v1"})
    assert cluster.writes == []
    did = run(**{"from": "src:v1"})
    assert would.result["tag"] == did.result["tag"]
    assert would.result["diff"] == did.result["diff"]
    assert did.result["changed"]
    [write] = cluster.writes
    version = recorded_stream(CASE, 14)["metadata"]["resourceVersion"]
    assert write.body == {"metadata": {"resourceVersion": version}, "spec": {"tags": [ENTRY]}}
    assert did.result["tag"]["reasons"] == ["tag_missing"]
    assert did.result["tag"]["digest"] == WEB_V1_AMD64
    cluster.assert_all_asked()


def test_a_copy_that_is_there_is_left_alone(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", DST, copied(ENTRY)).on("GET", SRC, recorded_stream(CASE, 4))
    outcome = run(**{"from": "src:v1"})
    assert not outcome.result["changed"]
    assert outcome.diff == {}


def test_a_stream_that_does_not_exist_is_created_with_the_tag(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", DST, MISSING).on("GET", SRC, recorded_stream(CASE, 4)).on("POST", STREAMS, copied(ENTRY))
    assert run(**{"from": "src:v1"}).result["tag"]["reasons"] == ["stream_missing"]
    [write] = cluster.writes
    assert write.body["metadata"] == {"name": "dst", "namespace": NAMESPACE}
    assert write.body["spec"] == {"tags": [ENTRY]}


def test_after_a_conflict_both_streams_are_read_again(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    for _attempt in range(2):
        cluster.on("GET", DST, recorded_stream(CASE, 14)).on("GET", SRC, recorded_stream(CASE, 4))
    cluster.on("PATCH", DST, conflict("dst"), copied(ENTRY))
    assert run(**{"from": "src:v1"}).result["changed"]
    cluster.assert_all_asked()


def test_a_write_without_an_answer_is_looked_at_before_it_is_repeated(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", DST, recorded_stream(CASE, 14), copied(ENTRY))
    cluster.on("GET", SRC, recorded_stream(CASE, 4), recorded_stream(CASE, 4))
    cluster.on("PATCH", DST, ApiOutcomeUnknown("no answer"))
    outcome = run(**{"from": "src:v1"})
    assert outcome.result["changed"]
    assert outcome.result["tag"]["reasons"] == ["tag_missing"]
    cluster.assert_all_asked()


def test_absent_removes_tag_and_history_and_is_content_without(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", SRC, recorded_stream(CASE, 4), recorded_stream(CASE, 4))
    cluster.on("PATCH", SRC, recorded_stream(CASE, 4))
    cluster.on("DELETE", f"{TAGS}/src:v1", recorded(CASE, 12))
    outcome = run(name="src:v1", state="absent")
    assert (
        cluster.writes[0].body["metadata"]["resourceVersion"] == recorded_stream(CASE, 4)["metadata"]["resourceVersion"]
    )
    assert outcome.result["changed"]
    [(header, (before, after))] = outcome.diff.items()
    assert (header, after) == ("image stream tag shop/src:v1", [])
    assert before[0].startswith("v1: ")
    assert not run(name="src:never", state="absent").result["changed"]


def test_an_external_image_is_imported_and_its_verdict_reported(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", f"{STREAMS}/web", MISSING).on("POST", IMPORTS, recorded("import_new_stream", 2))
    outcome = run(name="web:v1", **{"from": f"{PRIVATE}/team/web:v1", "import_mode": "Legacy"})
    assert outcome.result["changed"]
    tag = outcome.result["tag"]
    assert (tag["digest"], tag["reasons"], tag["from_kind"]) == (WEB_V1_AMD64, ["stream_missing"], "DockerImage")
    [write] = cluster.writes
    assert write.images[0]["importPolicy"] == {"insecure": False, "scheduled": False, "importMode": "Legacy"}


def test_an_external_image_that_is_there_is_not_imported_again(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    stream = recorded_stream("import_new_stream", 3)
    cluster.on("GET", f"{STREAMS}/web", stream)
    assert not run(name="web:v1", **{"from": f"{PRIVATE}/team/web:v1"}).result["changed"]
    assert [request.method for request in cluster.sent] == ["GET"]


def test_a_failed_import_fails_the_task_with_its_reason(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", f"{STREAMS}/web", MISSING).on("POST", IMPORTS, recorded("import_unauthorized", 0))
    cluster.on("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets", {"items": []})
    outcome = run(name="web:v1", **{"from": f"{PRIVATE}/team/web:v1"})
    assert outcome.failed
    assert "Unauthorized: you may not have access" in outcome.result["msg"]
    assert "Unauthorized" in outcome.result["tag"]["error"]


def test_a_reference_ends_before_the_import(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    reference, ended = (recorded_stream("import_new_stream", 3) for _stream in range(2))
    for stream in (reference, ended):
        stream["status"]["tags"][0]["items"][0].update(image="", dockerImageReference=f"{PRIVATE}/team/web:v1")
    reference["spec"]["tags"][0]["reference"] = True
    cluster.on("GET", f"{STREAMS}/web", reference, reference).on("PATCH", f"{STREAMS}/web", ended)
    cluster.on("POST", IMPORTS, recorded("lookup_without_import", 1), recorded("import_new_stream", 2))
    wanted = {"name": "web:v1", "from": f"{PRIVATE}/team/web:v1", "import_mode": "Legacy"}
    would = run(check_mode=True, **wanted)
    assert cluster.writes == []
    did = run(**wanted)
    patch, _imported = cluster.writes
    assert patch.body["spec"] == {"tags": [{"name": "v1", "reference": False}]}
    assert did.result["tag"]["reasons"] == would.result["tag"]["reasons"] == ["reference_changed", "never_imported"]
    assert did.result["diff"] == would.result["diff"]
    assert "v1: reference: yes" in did.diff["image stream shop/web"][0]
    cluster.assert_all_asked()


def test_check_mode_tells_that_the_namespace_is_missing(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    gone = refusal(
        "GET",
        f"/api/v1/namespaces/{NAMESPACE}",
        404,
        {"kind": "Status", "message": 'namespaces "shop" not found', "reason": "NotFound"},
    )
    cluster.on("GET", DST, MISSING).on("GET", SRC, recorded_stream(CASE, 4)).on(
        "GET", f"/api/v1/namespaces/{NAMESPACE}", gone
    )
    outcome = run(check_mode=True, **{"from": "src:v1"})
    assert outcome.failed
    assert 'namespaces "shop" not found' in outcome.result["msg"]


def test_check_mode_goes_on_where_namespaces_may_not_be_read(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    hidden = forbidden("GET", f"/api/v1/namespaces/{NAMESPACE}")
    cluster.on("GET", DST, MISSING).on("GET", SRC, recorded_stream(CASE, 4)).on(
        "GET", f"/api/v1/namespaces/{NAMESPACE}", hidden
    )
    assert run(check_mode=True, **{"from": "src:v1"}).result["tag"]["reasons"] == ["stream_missing"]


def test_bad_input_ends_before_the_first_request(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    outcome = run(name="dst", **{"from": "src:v1"})
    assert outcome.result["msg"] == 'name "dst" is not a tag of a stream: write it as stream:tag'
    assert run(timeout=0, **{"from": "src:v1"}).result["msg"] == "timeout is 0: give a number from 1"
    assert cluster.sent == []


ARGO = {"annotations": {"argocd.argoproj.io/tracking-id": f"shop:image.openshift.io/ImageStream:{NAMESPACE}/dst"}}
HELM = {"annotations": {"meta.helm.sh/release-name": "chart"}}
SAMPLES = {"labels": {"samples.operator.openshift.io/managed": "true"}}


def owned(stream: dict[str, t.Any], metadata: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the stream with the mark of an owner."""
    return {**stream, "metadata": {**stream["metadata"], **metadata}}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("metadata", "owner", "how"),
    [
        (ARGO, 'the Argo CD application "shop"', "in the source that it follows"),
        (
            SAMPLES,
            "the Cluster Samples Operator",
            "in the operator's configuration, where skippedImagestreams makes it yours",
        ),
    ],
)
def test_a_stream_that_somebody_else_reconciles_is_left_alone(
    cluster: ScriptedCluster,
    run: t.Callable[..., t.Any],
    metadata: dict[str, t.Any],
    owner: str,
    how: str,
    check_mode: bool,
) -> None:
    stream = owned(recorded_stream(CASE, 14), metadata)
    cluster.on("GET", DST, stream).on("GET", SRC, recorded_stream(CASE, 4))
    outcome = run(check_mode=check_mode, **{"from": "src:v1"})
    assert outcome.failed
    assert outcome.result["msg"] == (
        f'The image stream "{NAMESPACE}/dst" is reconciled by {owner}, which would undo the change, so nothing was '
        f"written; change it {how}, or set take_over: true to write it all the same"
    )
    assert cluster.writes == []


def test_who_takes_over_writes_the_tag(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", DST, owned(recorded_stream(CASE, 14), ARGO)).on("GET", SRC, recorded_stream(CASE, 4))
    cluster.on("PATCH", DST, owned(copied(ENTRY), ARGO))
    tag = run(take_over=True, **{"from": "src:v1"}).result["tag"]
    assert (tag["changed"], tag["managed_by"]) == (True, 'the Argo CD application "shop"')


def test_a_tag_of_an_owner_that_is_as_declared_needs_no_leave(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", DST, owned(copied(ENTRY), ARGO)).on("GET", SRC, recorded_stream(CASE, 4))
    outcome = run(**{"from": "src:v1"})
    assert (outcome.failed, outcome.result["changed"]) == (False, False)
    assert outcome.result["tag"]["managed_by"] == 'the Argo CD application "shop"'


def test_an_owner_who_may_come_back_is_told(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", DST, owned(recorded_stream(CASE, 14), HELM)).on("GET", SRC, recorded_stream(CASE, 4))
    cluster.on("PATCH", DST, owned(copied(ENTRY), HELM))
    outcome = run(**{"from": "src:v1"})
    assert outcome.result["changed"]
    assert "which may undo the change when it is upgraded or repaired." in outcome.text


@pytest.mark.parametrize("take_over", [True, False])
def test_a_tag_of_an_owner_goes_only_with_leave(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any], take_over: bool
) -> None:
    mark = {"annotations": {"argocd.argoproj.io/tracking-id": f"shop:image.openshift.io/ImageStream:{NAMESPACE}/src"}}
    cluster.on("GET", SRC, owned(recorded_stream(CASE, 4), mark))
    cluster.on("PATCH", SRC, recorded_stream(CASE, 4))
    cluster.on("DELETE", f"{TAGS}/src:v1", recorded(CASE, 12))
    outcome = run(name="src:v1", state="absent", take_over=take_over)
    assert outcome.failed is not take_over
    assert len(cluster.writes) == (2 if take_over else 0)


def test_history_that_a_removed_tag_left_is_nobodys(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    stream = owned(recorded_stream(CASE, 4), ARGO)
    mark = {"annotations": {"argocd.argoproj.io/tracking-id": f"shop:image.openshift.io/ImageStream:{NAMESPACE}/src"}}
    stream = owned({**stream, "spec": {**stream["spec"], "tags": []}}, mark)
    cluster.on("GET", SRC, stream)
    cluster.on("DELETE", f"{TAGS}/src:v1", recorded(CASE, 12))
    outcome = run(name="src:v1", state="absent")
    assert (outcome.failed, outcome.result["changed"]) == (False, True)


@pytest.mark.parametrize("take_over", [True, False])
def test_an_imported_tag_of_an_owner_is_changed_only_with_leave(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any], take_over: bool
) -> None:
    mark = {"annotations": {"argocd.argoproj.io/tracking-id": f"shop:image.openshift.io/ImageStream:{NAMESPACE}/web"}}
    there = owned(recorded("reimport_unchanged", 1)["status"]["import"], mark)
    spec = {**there["spec"], "tags": [{**there["spec"]["tags"][0], "importPolicy": {"importMode": "Legacy"}}]}
    there = {**there, "spec": spec}
    changed = {
        **there,
        "spec": {"tags": [{**spec["tags"][0], "importPolicy": {"importMode": "Legacy", "scheduled": True}}]},
    }
    name = spec["tags"][0]["name"]
    cluster.on("GET", f"{STREAMS}/web", there).on("PATCH", f"{STREAMS}/web", changed)
    outcome = run(
        name=f"web:{name}",
        from_kind="DockerImage",
        scheduled=True,
        take_over=take_over,
        **{"from": spec["tags"][0]["from"]["name"]},
    )
    assert outcome.failed is not take_over, outcome.result
    assert len(cluster.writes) == int(take_over)
    assert outcome.result["tag"]["managed_by"] == 'the Argo CD application "shop"'
