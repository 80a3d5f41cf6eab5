# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""multiarch_migration_info and the playbook migrate_to_multiarch: report, migrate, go back."""

from __future__ import annotations

import base64
import json
import stat
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from integration.cluster import Cluster, Document, tags_of
from integration.playbooks import Playbooks
from integration.stage import NewStage
from integration.surroundings import Surroundings
from registries.client import RegistryClient
from registries.images import Manifest, build_image

PLAYBOOK = "quayside.openshift_images.migrate_to_multiarch"
LOOK = "Look for tags that can be migrated"
NOTE = "Note how the tags were"
IMPORT = "Import the image streams"
OPTIONS = "Verify the variables"
MANIFEST = Path(__file__).parents[4] / "docs" / "rbac" / "migrate_to_multiarch.yml"
PLATFORMS = "linux/amd64 linux/arm64 linux/arm/v7"
# No node has it, so what is created on a real cluster never starts.
NOWHERE = {"quayside-test": "nowhere"}
KINDS = {
    "Deployment": "apps/v1",
    "DaemonSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "CronJob": "batch/v1",
}


@dataclass(frozen=True)
class Images:
    """Streams ``web`` and ``api`` as they were imported, and the digests of the lists that their registry serves."""

    namespace: str
    web: str
    api: str
    source: str


def push_without_platform(given: Surroundings, name: str) -> None:
    """Push a list of two images, of which one has no platform."""
    repository, salt = given.repository(name), f"{given.run} {name}"
    image = build_image(PLATFORMS.split()[:2], salt=salt)
    content = json.loads(image.top.content)
    del content["manifests"][1]["platform"]
    with RegistryClient(given.registries["private"]) as client:
        client.push_image(repository, "v1", PLATFORMS.split()[:2], salt=salt)
        client.put_manifest(repository, "v1", Manifest(image.top.media_type, json.dumps(content).encode()))


@pytest.fixture
def images(given: Surroundings, cluster: Cluster, namespace: str) -> Images:
    """Return lists that are imported as one child each, beside a list as a whole, a single image, and a list that
    cannot be."""
    credential = given.credential()
    auth = base64.b64encode(f"{credential['username']}:{credential['password']}".encode()).decode()
    content = base64.b64encode(json.dumps({"auths": {credential["registry"]: {"auth": auth}}}).encode()).decode()
    secret: Document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "private"},
        "type": "kubernetes.io/dockerconfigjson",
    }
    cluster.create("secrets", namespace, {**secret, "data": {".dockerconfigjson": content}})
    web = given.push("private", "multi-web", "v1", PLATFORMS)
    api = given.push("private", "multi-api", "v1", "linux/amd64 linux/s390x", image_format="oci")
    given.push("private", "multi-single", "v1")
    push_without_platform(given, "multi-odd")
    source = given.image("private", "multi-web", "v1")
    tags = {
        "v1": (source, {"importMode": "Legacy", "scheduled": True}),
        "whole": (source, {"importMode": "PreserveOriginal"}),
        "single": (given.image("private", "multi-single", "v1"), {"importMode": "Legacy"}),
    }
    cluster.import_images(namespace, "web", tags)
    more = {
        "v1": (given.image("private", "multi-api", "v1"), {"importMode": "Legacy"}),
        "odd": (given.image("private", "multi-odd", "v1"), {"importMode": "Legacy"}),
        "absent": (given.image("private", "multi-api", "absent"), {"importMode": "Legacy"}),
    }
    cluster.import_images(namespace, "api", more)
    cluster.patch_tag(namespace, "web", "latest", {"from": {"kind": "ImageStreamTag", "name": "v1"}})
    cluster.settled([namespace])
    return Images(namespace, web, api, source)


def create(
    cluster: Cluster,
    kind: str,
    namespace: str,
    name: str,
    tag: str,
    *,
    stream_namespace: str = "",
    paused: bool = False,
) -> None:
    """Create an object of a kind that watches a tag; its controllers start nothing."""
    pod_spec: Document = {"containers": [{"name": "app", "image": "nowhere.example.com/app"}], "nodeSelector": NOWHERE}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod_spec}
    path = 'spec.template.spec.containers[?(@.name=="app")].image'
    spec: Document = {"template": template, "selector": {"matchLabels": {"app": name}}}
    if kind == "CronJob":
        pod_spec["restartPolicy"] = "Never"
        spec = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod_spec}}}}
        path = f"spec.jobTemplate.{path}"
    elif kind != "DaemonSet":
        spec["replicas"] = 0
        if kind == "StatefulSet":
            spec["serviceName"] = name
    source = {"kind": "ImageStreamTag", "name": tag, **({"namespace": stream_namespace} if stream_namespace else {})}
    trigger = {"from": source, "fieldPath": path, **({"paused": True} if paused else {})}
    metadata = {
        "name": name,
        "namespace": namespace,
        "annotations": {"image.openshift.io/triggers": json.dumps([trigger])},
    }
    body = {"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata, "spec": spec}
    cluster.call("POST", f"/apis/{KINDS[kind]}/namespaces/{namespace}/{kind.lower()}s", body)


def by_tag(found: Mapping[str, t.Any]) -> dict[str, Mapping[str, t.Any]]:
    return {f"{one['stream']}:{one['tag']}": one for one in found["candidates"]}


def states(found: Mapping[str, t.Any]) -> dict[str, str]:
    return {f"{one['stream']}:{one['tag']}": one["state"] for one in found["others"]}


def test_every_tag_is_told_apart(
    cluster: Cluster, images: Images, new_namespace: t.Callable[[], str], new_stage: NewStage
) -> None:
    namespace, other = images.namespace, new_namespace()
    for kind in KINDS:
        create(cluster, kind, namespace, f"uses-{kind.lower()}", "web:v1")
    create(cluster, "Deployment", namespace, "alias", "web:latest")
    create(cluster, "Deployment", namespace, "paused", "web:v1", paused=True)
    create(cluster, "Deployment", namespace, "uninterested", "web:single")
    create(cluster, "Deployment", other, "elsewhere", "web:v1", stream_namespace=namespace)
    stage = new_stage("look.yml", namespace, variables={"target_namespaces": [namespace]})

    predicted, done = stage.predict(), stage.run()

    assert predicted.changed() == done.changed() == []
    found = done.of("Look at the namespaces")
    assert predicted.of("Look at the namespaces")["candidates"] == found["candidates"]
    assert states(found) == {
        "web:whole": "preserved",
        "web:single": "single",
        "web:latest": "not_external",
        "api:absent": "unreadable",
    }
    candidates = by_tag(found)
    assert set(candidates) == {"web:v1", "api:v1", "api:odd"}
    web = candidates["web:v1"]
    assert (web["from"], web["import_mode"], web["platform"], web["upstream_moved"]) == (
        images.source,
        "Legacy",
        "linux/amd64",
        False,
    )
    assert web["digest"] == web["legacy_digest"] == cluster.tag(namespace, "web", "v1").digest
    assert (web["list_digest"], web["digest_after"]) == (images.web, images.web)
    assert web["platforms"] == PLATFORMS.split()
    assert (web["gained_platforms"], web["lost_platforms"], web["followed_by"]) == (
        PLATFORMS.split()[1:],
        [],
        ["latest"],
    )
    assert {(one["kind"], one["namespace"], one["name"], one["automatic"], one["tag"]) for one in web["triggers"]} == {
        *((kind, namespace, f"uses-{kind.lower()}", True, "v1") for kind in KINDS),
        ("Deployment", namespace, "alias", True, "latest"),
        ("Deployment", namespace, "paused", False, "v1"),
        ("Deployment", other, "elsewhere", True, "v1"),
    }
    assert {field for one in web["triggers"] for field in one["fields"]} == {"app"}
    assert candidates["api:v1"]["triggers"] == []
    odd = candidates["api:odd"]
    assert not odd["migratable"]
    assert "without a platform" in odd["why"]
    assert {tag["name"] for stream in found["to_preserve"] for tag in stream["tags"]} == {"v1"}
    assert found["summary"]["complete"]
    assert (found["summary"]["triggers"], found["summary"]["automatic_triggers"]) == (len(KINDS) + 3, len(KINDS) + 2)
    some = done.of("Look at some tags by patterns")
    assert list(by_tag(some)) == ["web:v1"]
    assert "elsewhere" not in {one["name"] for one in some["candidates"][0]["triggers"]}


def test_the_playbook_migrates_and_goes_back(
    cluster: Cluster, images: Images, new_stage: NewStage, tmp_path: Path
) -> None:
    namespace, record = images.namespace, tmp_path / "record.json"
    create(cluster, "Deployment", namespace, "shop", "web:v1")
    variables: dict[str, t.Any] = {"migrate_to_multiarch_namespaces": namespace, "migrate_to_multiarch_batch_size": 1}
    before = tags_of(cluster.get("imagestreams", namespace, "web"))

    report = new_stage(PLAYBOOK, namespace, variables=variables).predict()
    assert report.of(LOOK)["summary"]["migratable"] == 2
    for text in (
        f"{namespace}/web:v1",
        "linux/arm64, linux/arm/v7",
        f"fires  Deployment {namespace}/shop (app)",
        "CANNOT BE MIGRATED",
    ):
        assert text in report.output

    forward = new_stage(PLAYBOOK, namespace, variables={**variables, "migrate_to_multiarch_apply": True})
    without_record = forward.run_to_fail()
    assert "migrate_to_multiarch_record is needed" in without_record.messages()[OPTIONS]
    forward.variables["migrate_to_multiarch_record"] = str(record)
    assert not record.exists()
    forward.predict()
    assert not record.exists(), "check mode wrote the record"
    _predicted, done = forward.predict_and_do()

    assert done.changed() == [
        NOTE,
        *(f"{IMPORT} (streams {number} to {number} of 2: 1 tag changed, 0 unchanged, 0 failed)" for number in (1, 2)),
    ]
    assert done.changed_tags() == {
        (f"{namespace}/{stream}", "v1"): ("import_mode_changed",) for stream in ("api", "web")
    }
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    after = tags_of(cluster.get("imagestreams", namespace, "web"))
    assert (after["v1"].digest, after["v1"].import_mode, after["v1"].scheduled) == (
        images.web,
        "PreserveOriginal",
        True,
    )
    assert {name: tag for name, tag in after.items() if name not in ("v1", "latest")} == {
        name: tag for name, tag in before.items() if name not in ("v1", "latest")
    }
    assert cluster.tag(namespace, "api", "v1").digest == images.api
    forward.find_nothing_to_do()
    assert len(json.loads(record.read_text())["streams"]) == 2, "a run without candidates leaves the record as it is"

    back = new_stage(PLAYBOOK, namespace, variables={**variables, "migrate_to_multiarch_back_from": str(record)})
    cluster.import_images(namespace, "api", {"v1": (images.source, {"importMode": "PreserveOriginal"})})
    report = back.predict()
    (candidate,) = report.of(LOOK)["candidates"]
    assert (candidate["stream"], candidate["lost_platforms"]) == ("web", PLATFORMS.split()[1:])
    assert candidate["digest_after"] == before["v1"].digest
    assert [one["name"] for one in candidate["triggers"]] == ["shop"]
    assert states(report.of(LOOK)) == {"api:v1": "source_changed"}
    assert f"LEFT ALONE {namespace}/api:v1" in report.output
    back.variables["migrate_to_multiarch_apply"] = True
    _predicted, done = back.predict_and_do()
    assert done.changed() == [f"{IMPORT} (streams 1 to 1 of 1: 1 tag changed, 0 unchanged, 0 failed)"]
    assert cluster.tag(namespace, "web", "v1").import_mode == "Legacy"
    assert cluster.tag(namespace, "web", "v1").digest == before["v1"].digest
    assert cluster.tag(namespace, "api", "v1").import_mode == "PreserveOriginal"
    back.find_nothing_to_do()


def test_going_back_restores_the_preferred_platform(
    cluster: Cluster, images: Images, new_stage: NewStage, tmp_path: Path
) -> None:
    namespace = images.namespace
    preference = {"importer.image.openshift.io/prefer-arch": "arm64"}
    cluster.patch_tag(namespace, "web", "v1", {"annotations": preference})
    cluster.import_images(namespace, "web", {"v1": (images.source, {"importMode": "Legacy"})})
    arm = cluster.tag(namespace, "web", "v1").digest
    variables = {
        "migrate_to_multiarch_namespaces": [namespace],
        "migrate_to_multiarch_streams": ["w*"],
        "migrate_to_multiarch_tags": ["v1"],
        "migrate_to_multiarch_apply": True,
    }
    record = {"migrate_to_multiarch_record": str(tmp_path / "record.json")}
    done = new_stage(PLAYBOOK, namespace, variables={**variables, **record}).run()
    (candidate,) = done.of(LOOK)["candidates"]
    assert (candidate["platform"], candidate["legacy_digest"]) == ("linux/arm64", arm)
    assert cluster.tag(namespace, "web", "v1").digest == images.web
    cluster.patch_tag(namespace, "web", "v1", {"annotations": {"importer.image.openshift.io/prefer-arch": None}})

    back = new_stage(
        PLAYBOOK, namespace, variables={**variables, "migrate_to_multiarch_back_from": str(tmp_path / "record.json")}
    )
    _predicted, done = back.predict_and_do()

    assert [one["legacy_platform"] for one in done.of(LOOK)["candidates"]] == ["linux/arm64"]
    assert cluster.tag(namespace, "web", "v1").digest == arm
    back.find_nothing_to_do()


def test_a_record_is_of_one_cluster(images: Images, new_stage: NewStage, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"cluster": "another", "streams": []}), encoding="utf-8")
    stage = new_stage(PLAYBOOK, images.namespace, variables={"migrate_to_multiarch_back_from": str(record)})
    assert stage.run_to_fail().messages()[OPTIONS].endswith("is the record of another, not of localhost")
    stage.variables = {"migrate_to_multiarch_back_from": str(tmp_path / "absent.json")}
    assert "there is no file" in stage.run_to_fail().messages()[OPTIONS]


@pytest.fixture
def migrator(cluster: Cluster, given: Surroundings, namespace: str, playbooks: Playbooks) -> Iterator[Playbooks]:
    """Run playbooks as a user with the rights of the manifest's first role in one namespace, and nothing else."""
    role = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["items"][0]
    role["metadata"]["name"] += f"-{given.run}-{namespace[-6:]}"
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    cluster.call("POST", path, role)
    yield playbooks.with_environment(cluster.create_user(namespace, "migrator", role["metadata"]["name"]).variables())
    cluster.call("DELETE", f"{path}/{role['metadata']['name']}", allowed=404)


def test_the_rights_of_the_manifest_are_enough(
    cluster: Cluster, images: Images, migrator: Playbooks, new_namespace: t.Callable[[], str], tmp_path: Path
) -> None:
    namespace, hidden, record = images.namespace, new_namespace(), str(tmp_path / "record.json")
    create(cluster, "StatefulSet", namespace, "shop", "web:v1")
    variables = {"migrate_to_multiarch_namespaces": [namespace], "migrate_to_multiarch_apply": True}

    done = migrator.run(PLAYBOOK, variables={**variables, "migrate_to_multiarch_record": record})
    assert done.exit_code == 0, done.output
    assert done.complaints() == []
    found = done.of(LOOK)
    assert (found["triggers_read_in"], found["triggers_not_read"]) == ([namespace], [])
    assert [one["name"] for one in by_tag(found)["web:v1"]["triggers"]] == ["shop"]
    assert cluster.tag(namespace, "web", "v1").digest == images.web
    back = migrator.run(PLAYBOOK, variables={**variables, "migrate_to_multiarch_back_from": record})
    assert back.exit_code == 0, back.output
    assert cluster.tag(namespace, "web", "v1").import_mode == "Legacy"

    partly = migrator.run(PLAYBOOK, variables={"migrate_to_multiarch_namespaces": [namespace, hidden]})
    assert partly.exit_code == 0, partly.output
    assert [entry["namespace"] for entry in partly.of(LOOK)["failed_namespaces"]] == [hidden]
    assert partly.of(LOOK)["summary"]["migratable"] == 2
    assert f"NOT READ {hidden}" in partly.output
    elsewhere = migrator.run(
        PLAYBOOK,
        variables={"migrate_to_multiarch_namespaces": [namespace], "migrate_to_multiarch_trigger_namespaces": [hidden]},
    )
    assert elsewhere.exit_code == 0, elsewhere.output
    assert {one["namespace"] for one in elsewhere.of(LOOK)["triggers_not_read"]} == {hidden}
    assert f"TRIGGERS NOT READ {hidden} deployments" in elsewhere.output
