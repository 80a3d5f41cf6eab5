# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import image_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import target_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.paths import api_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import ApiNotServed
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.triggers import (
    TRIGGERED_KINDS,
    TRIGGERS_ANNOTATION,
)
from ansible_collections.quayside.openshift_images.plugins.modules import multiarch_migration_info
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    STREAMS,
    WEB_V1_AMD64,
    WEB_V1_ARM64,
    WEB_V1_LIST,
    forbidden,
    recorded,
    recorded_stream,
)

MANIFEST = Path(__file__).parents[4] / "docs" / "rbac" / "migrate_to_multiarch.yml"
SOURCE = f"{PRIVATE}/team/web:v1"
TRIGGER = {
    "from": {"kind": "ImageStreamTag", "name": "web:v1"},
    "fieldPath": 'spec.template.spec.containers[?(@.name=="app")].image',
}
SHOP = {
    "metadata": {"namespace": NAMESPACE, "name": "shop", "annotations": {TRIGGERS_ANNOTATION: json.dumps([TRIGGER])}}
}
RECORDED_TAG = {"name": "v1", "from": SOURCE, "prefer_architecture": "", "prefer_os": ""}
RECORD = [{"namespace": NAMESPACE, "name": "web", "tags": [RECORDED_TAG]}]


def lookup(case: str, step: int) -> dict[str, t.Any]:
    """Return a recorded import's answer as that of a lookup."""
    answer: dict[str, t.Any] = recorded(case, step)
    answer["status"].pop("import", None)
    return answer


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    return lambda **options: run_module_main(multiarch_migration_info.main, options)


def lay_out_triggers(cluster: ScriptedCluster, namespace: str | None = None, *, denied: bool = False) -> None:
    """One Deployment that watches web:v1, in a cluster without OpenShift's own kinds."""
    for kind in TRIGGERED_KINDS:
        path = api_path(kind.group_version, namespace, kind.plural)
        if denied:
            cluster.on("GET", path, forbidden("GET", path))
        elif "openshift" in kind.group_version:
            cluster.on("GET", path, ApiNotServed("not here", status=404))
        else:
            cluster.on("GET", path, {"items": [SHOP] if kind.kind == "Deployment" else []})


def test_a_list_that_is_imported_as_one_child(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", STREAMS, {"items": [recorded_stream("mode_flip", 3)]})
    cluster.on("POST", IMPORTS, lookup("mode_flip", 4))
    cluster.on("GET", "/version", {"platform": "linux/arm64"})
    lay_out_triggers(cluster)

    result = run(namespace=NAMESPACE).result

    [candidate] = result["candidates"]
    assert (candidate["namespace"], candidate["stream"], candidate["tag"], candidate["from"]) == (
        NAMESPACE,
        "web",
        "v1",
        SOURCE,
    )
    assert (candidate["digest"], candidate["platform"]) == (WEB_V1_AMD64, "linux/amd64")
    assert candidate["list_digest"] == candidate["digest_after"] == WEB_V1_LIST
    assert (candidate["legacy_digest"], candidate["legacy_platform"]) == (WEB_V1_ARM64, "linux/arm64")
    assert "linux/arm64" in candidate["gained_platforms"]
    assert candidate["triggers"] == [
        {
            "kind": "Deployment",
            "namespace": NAMESPACE,
            "name": "shop",
            "fields": ["app"],
            "automatic": True,
            "tag": "v1",
        }
    ]
    assert result["to_preserve"] == [
        {
            "namespace": NAMESPACE,
            "name": "web",
            "tags": [{"name": "v1", "from": SOURCE, "import_mode": "PreserveOriginal"}],
        }
    ]
    [back] = result["to_legacy"]
    assert back["tags"] == [{**RECORDED_TAG, "import_mode": "Legacy"}]
    assert sorted(result["not_served"]) == ["buildconfigs", "deploymentconfigs"]
    assert (result["triggers_read_in"], result["summary"]["complete"], result["changed"]) == (["*"], True, False)
    assert cluster.writes == []
    cluster.assert_all_asked()


def test_a_list_without_a_platform_is_a_candidate_that_is_not_migrated(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("mode_flip", 3))
    cluster.on("POST", IMPORTS, recorded("list_entry_without_platform", 2))
    cluster.on("GET", "/version", forbidden("GET", "/version"))
    lay_out_triggers(cluster)

    result = run(namespace=NAMESPACE, names=["web"]).result

    [candidate] = result["candidates"]
    assert not candidate["migratable"]
    assert "refuses to import such a list" in candidate["why"]
    assert result["to_preserve"] == result["to_legacy"] == []
    assert (result["summary"]["not_migratable"], result["summary"]["triggers"]) == (1, 0)


def test_the_way_back(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("mode_flip", 4))
    cluster.on("POST", IMPORTS, lookup("mode_flip", 4))
    cluster.on("GET", "/version", {"platform": "linux/amd64"})
    lay_out_triggers(cluster, "shop")

    result = run(record=RECORD, trigger_namespaces=["shop"]).result

    [candidate] = result["candidates"]
    assert (candidate["digest"], candidate["digest_after"], candidate["legacy_platform"]) == (
        WEB_V1_LIST,
        WEB_V1_AMD64,
        "linux/amd64",
    )
    assert "linux/arm64" in candidate["lost_platforms"]
    assert candidate["gained_platforms"] == []
    assert result["to_preserve"] == []
    assert result["to_legacy"][0]["tags"] == [{**RECORDED_TAG, "import_mode": "Legacy"}]


def test_what_preserves_already_is_not_looked_up(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", STREAMS, {"items": [recorded_stream("mode_flip", 4)]})
    lay_out_triggers(cluster)
    result = run(namespaces=[NAMESPACE]).result
    assert [(one["tag"], one["state"]) for one in result["others"]] == [("v1", "preserved")]
    assert cluster.lookups == []


def test_triggers_that_may_not_be_listed_are_told(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", STREAMS, {"items": [recorded_stream("mode_flip", 4)]})
    lay_out_triggers(cluster, denied=True)
    lay_out_triggers(cluster, NAMESPACE, denied=True)
    outcome = run(namespace=NAMESPACE)
    assert not outcome.failed
    assert {one["resource"] for one in outcome.result["triggers_not_read"]} == {kind.plural for kind in TRIGGERED_KINDS}
    assert not outcome.result["summary"]["complete"]
    assert "Not every trigger could be read" in outcome.warnings[0]


def test_streams_that_nobody_may_read_are_a_failure(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    refused = image_path("lab", "imagestreams")
    cluster.on("GET", refused, forbidden("GET", refused))
    lay_out_triggers(cluster)
    outcome = run(namespace="lab")
    assert outcome.failed
    assert outcome.result["msg"].startswith(
        "The image streams of these namespaces could not be read:\n- Cannot list image streams"
    )


def test_a_pattern_for_namespaces_lists_the_cluster(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    elsewhere = recorded_stream("mode_flip", 4)
    elsewhere["metadata"]["namespace"] = "lab"
    cluster.on(
        "GET", "/apis/image.openshift.io/v1/imagestreams", {"items": [recorded_stream("mode_flip", 4), elsewhere]}
    )
    lay_out_triggers(cluster)
    assert [one["namespace"] for one in run(namespaces=["sh*"]).result["others"]] == [NAMESPACE]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"namespace": "No"}, '"No" is not a namespace name'),
        ({"namespaces": []}, "namespaces is empty"),
        ({"tags": []}, "tags is empty"),
        ({"trigger_namespaces": ["sh*"]}, '"sh*" is not a namespace name'),
        ({"concurrency": 0}, "concurrency is 0"),
        (
            {"record": [{"namespace": "shop", "name": "web", "tags": [{"name": "v1", "from": "http://x/y"}]}]},
            "record: stream shop/web, tag v1",
        ),
        ({"record": [{"namespace": "shop", "name": "web"}]}, "missing required arguments: tags"),
    ],
)
def test_bad_input_ends_before_the_first_request(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], words: str
) -> None:
    outcome = run(**options)
    assert outcome.failed
    assert words in outcome.result["msg"]
    assert cluster.sent == []


def test_the_manifest_has_the_rights_that_are_used_and_no_more(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", STREAMS, {"items": [recorded_stream("mode_flip", 3)]})
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("mode_flip", 4))
    cluster.on("POST", IMPORTS, lookup("mode_flip", 4), lookup("mode_flip", 4))
    cluster.on("GET", "/version", {}, {})
    for _run in range(2):
        lay_out_triggers(cluster)
    run(namespace=NAMESPACE)
    run(record=RECORD)
    used = {
        (target.resource, target.verb)
        for target in (target_of(one.method, one.path) for one in cluster.sent)
        if target.plural
    }
    role = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["items"][0]
    granted = {
        (f"{resource}.{group}" if group else resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert used == granted
