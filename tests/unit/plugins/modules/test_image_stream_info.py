# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import image_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.adoption import LeftOut, adopt
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import parse_stream
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.plan import plan_stream
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.plan_types import Knowledge
from ansible_collections.quayside.openshift_images.plugins.modules import image_stream_import, image_stream_info
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    CASES,
    IMPORTS,
    NAMESPACE,
    STREAMS,
    WEB_V1_LIST,
    WEB_V2,
    filled,
    forbidden,
    recorded,
    recorded_error,
    recorded_stream,
    refusal,
)

ALL = "/apis/image.openshift.io/v1/imagestreams"


def recorded_streams() -> list[tuple[str, dict[str, t.Any]]]:
    """Every stream that any recorded exchange shows, named by case and step."""
    found = []
    for file in sorted(CASES.glob("*.json")):
        for number, step in enumerate(json.loads(file.read_text(encoding="utf-8"))["steps"]):
            body = filled(step["response"].get("body"))
            if not isinstance(body, dict):
                continue
            stream = body if body.get("kind") == "ImageStream" else (body.get("status") or {})
            stream = (
                stream.get("import") if isinstance(stream, dict) and body.get("kind") == "ImageStreamImport" else stream
            )
            if isinstance(stream, dict) and "spec" in stream:
                found.append((f"{file.stem}-{number}", stream))
    return found


@pytest.fixture
def run(run_module_main: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    return lambda **options: run_module_main(image_stream_info.main, options)


@pytest.mark.parametrize(
    ("name", "stream"), [pytest.param(name, stream, id=name) for name, stream in recorded_streams()]
)
def test_importing_the_variables_of_any_recorded_stream_back_changes_nothing_that_is_settled(
    name: str, stream: dict[str, t.Any]
) -> None:
    observed = parse_stream(NAMESPACE, stream)
    adoption = adopt(observed)
    [desired] = desired_streams({"streams": [adoption.variables], "refresh": "missing"})
    plan = plan_stream(desired, observed, Knowledge({}))
    assert plan.lookups == []
    assert plan.lookup_policy_local is None
    for tag in plan.tags:
        # What failed or was never imported is tried again, as by any run; nothing is changed about the rest.
        retried = (
            observed.tags[tag.name].failure or observed.tags[tag.name].pending or not observed.tags[tag.name].digest
        )
        assert tag.patch is None
        assert bool(tag.item) == bool(retried), name
    carried = {tag.name for tag in desired.tags} | {tag for tag, _reason, _odd in adoption.left_out}
    assert carried == set(observed.tags)


def test_there_are_many_recorded_streams() -> None:
    assert len(recorded_streams()) > 50


def test_what_cannot_be_carried_is_named_with_its_reason() -> None:
    assert [*adopt(parse_stream(NAMESPACE, recorded_stream("tags_between_streams", 14))).left_out] == [
        LeftOut("ext", "it is a reference, which is not imported"),
        LeftOut("none", "it follows the ImageStreamTag src:absent"),
    ]


def test_one_stream_is_one_get(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("mode_flip", 6))
    outcome = run(namespace=NAMESPACE, name="web")
    [stream] = outcome.result["streams"]
    [tag] = stream["tags"]
    assert not outcome.result["changed"]
    assert (tag["name"], tag["import_mode"], len(tag["history"])) == ("v1", "Legacy", 5)
    assert tag["history"][1]["digest"] == WEB_V1_LIST
    assert stream["image_repository"] == "image-registry.openshift-image-registry.svc:5000/shop/web"
    assert outcome.result["as_variables"] == [stream["as_variables"]]
    assert stream["as_variables"]["tags"][0]["import_mode"] == "Legacy"
    assert len(cluster.sent) == 1


def test_a_stream_that_does_not_exist_is_not_in_the_answer(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_error("import_new_stream", 1))
    assert run(namespace=NAMESPACE, name="web").result["streams"] == []


def test_several_namespaces_are_a_list_each_in_order(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    for namespace in ("b", "a"):
        stream = recorded_stream("mode_flip", 6)
        stream["metadata"]["namespace"] = namespace
        other = json.loads(json.dumps(stream))
        other["metadata"]["name"] = "other"
        cluster.on("GET", image_path(namespace, "imagestreams"), {"items": [stream, other]})
    outcome = run(namespaces=["b", "a"], names=["web", "third"], label_selectors=["app=x", "tier"])
    assert [(stream["namespace"], stream["name"]) for stream in outcome.result["streams"]] == [
        ("a", "web"),
        ("b", "web"),
    ]
    assert {request.query["labelSelector"] for request in cluster.sent} == {"app=x,tier"}


def test_without_a_namespace_it_is_one_list_of_the_cluster(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", ALL, {"items": [recorded_stream("mode_flip", 6)]})
    assert len(run().result["streams"]) == 1


REFUSED = image_path("secret-lab", "imagestreams")


@pytest.mark.parametrize(
    "error",
    [
        forbidden("GET", REFUSED),
        refusal("GET", REFUSED, 500, {"kind": "Status", "reason": "InternalError", "message": "etcd is tired"}),
    ],
)
def test_a_namespace_that_cannot_be_read_fails_with_the_others_result(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any], error: Exception
) -> None:
    cluster.on("GET", STREAMS, {"items": [recorded_stream("mode_flip", 6)]})
    cluster.on("GET", REFUSED, error)
    outcome = run(namespaces=[NAMESPACE, "secret-lab"])
    assert outcome.failed
    assert [entry["namespace"] for entry in outcome.result["failed_namespaces"]] == ["secret-lab"]
    assert len(outcome.result["streams"]) == 1
    assert outcome.result["msg"].startswith("Not every namespace could be read:\n- Cannot list image streams")


def test_upstream_says_what_moved_and_asks_without_storing(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("reimport_unchanged", 3))
    cluster.on("POST", IMPORTS, recorded("lookup_without_import", 1))
    [tag] = run(namespace=NAMESPACE, name="web", upstream=True).result["streams"][0]["tags"]
    assert tag["digest"] == WEB_V2
    assert tag["upstream"]["moved"]
    assert tag["upstream"]["digest"] != WEB_V2
    assert cluster.writes == []


def test_manifests_are_those_of_the_image_that_was_imported_and_cost_no_registry(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    stream = recorded_stream("import_preserve_original", 2)
    again = {**stream["spec"]["tags"][0], "name": "again"}
    stream["spec"]["tags"].append(again)
    stream["status"]["tags"].append({**stream["status"]["tags"][0], "tag": "again"})
    image = recorded("import_preserve_original", 1)["status"]["images"][0]["image"]
    path = image_path(NAMESPACE, "imagestreamimages", f"web@{WEB_V1_LIST}")
    cluster.on("GET", f"{STREAMS}/web", stream).on("GET", path, {"image": image})
    first, second = run(namespace=NAMESPACE, name="web", manifests=True).result["streams"][0]["tags"]
    assert first["media_type"] == second["media_type"] == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert [child["architecture"] for child in first["manifests"]] == ["amd64", "arm64", "ppc64le"]
    assert all(child["digest"] and child["size"] for child in second["manifests"])
    cluster.assert_all_asked()


def test_manifests_of_an_image_that_is_gone_or_not_allowed(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    path = image_path(NAMESPACE, "imagestreamimages", f"web@{WEB_V2}")
    missing = refusal("GET", path, 404, {"kind": "Status", "reason": "NotFound", "message": "gone"})
    cluster.on("GET", f"{STREAMS}/web", *[recorded_stream("reimport_unchanged", 3)] * 2).on(
        "GET", path, missing, forbidden("GET", path)
    )
    gone = run(namespace=NAMESPACE, name="web", manifests=True)
    assert not gone.failed
    assert gone.result["streams"][0]["tags"][0]["media_type"] is None
    refused = run(namespace=NAMESPACE, name="web", manifests=True)
    assert refused.failed
    assert "imagestreamimages" in refused.result["msg"]
    assert refused.result["streams"][0]["tags"][0]["digest"] == WEB_V2


def test_a_tag_has_every_field_of_an_imported_one(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    returned = yaml.safe_load(image_stream_import.RETURN)["streams"]["contains"]
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("mode_flip", 6))
    [stream] = run(namespace=NAMESPACE, name="web").result["streams"]
    [tag] = stream["tags"]
    assert set(returned["tags"]["contains"]) <= set(tag)
    assert {"namespace", "name", "state", "changed"} <= set(stream)
    assert (tag["previous_digest"], tag["changed"], tag["reasons"]) == (tag["history"][1]["digest"], False, [])


def test_upstream_says_why_an_import_would_change_the_tag(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any]
) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("reimport_unchanged", 3))
    cluster.on("POST", IMPORTS, recorded("lookup_without_import", 1))
    [tag] = run(namespace=NAMESPACE, name="web", upstream=True).result["streams"][0]["tags"]
    assert (tag["reasons"], tag["media_type"]) == (["upstream_moved"], None)


def test_upstream_explains_a_registry_that_refuses(cluster: ScriptedCluster, run: t.Callable[..., t.Any]) -> None:
    cluster.on("GET", f"{STREAMS}/web", recorded_stream("reimport_unchanged", 3))
    cluster.on("POST", IMPORTS, recorded("secret_keys", 11))
    cluster.on("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets", {"items": []})
    [tag] = run(namespace=NAMESPACE, name="web", upstream=True).result["streams"][0]["tags"]
    assert tag["upstream"]["error"].startswith("Unauthorized: you may not have access")
    assert "no registry secret" in tag["upstream"]["error"]
    assert not tag["upstream"]["moved"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"namespaces": []}, "namespaces is empty: list at least one, or leave it out"),
        (
            {"namespace": "Shop"},
            '"Shop" is not a namespace name: at most 63 lower case letters, digits and - between them',
        ),
        (
            {"name": "a b"},
            '"a b" is not an image stream name: lower case letters and digits with single . _ - between them',
        ),
        ({"concurrency": 0}, "concurrency is 0: give a number from 1"),
    ],
)
def test_bad_input_ends_before_the_first_request(
    cluster: ScriptedCluster, run: t.Callable[..., t.Any], options: dict[str, t.Any], sentence: str
) -> None:
    assert run(**options).result["msg"] == sentence
    assert cluster.sent == []
