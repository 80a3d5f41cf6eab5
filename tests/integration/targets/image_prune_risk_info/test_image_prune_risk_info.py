# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_prune_risk_info and prune_risks.yml: lists that a tag has moved on from, and every kind of workload that
uses a child of one."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from integration.cluster import STRATEGIC_MERGE, Cluster, Document
from integration.playbooks import Playbooks
from integration.stage import NewStage
from integration.surroundings import Surroundings

PLAYBOOK = "quayside.openshift_images.prune_risks"
LOOK = "Look for images that pruning would take away"
LOOK_AGAIN = "Look again"
PROTECT = "Import each child by its digest into a tag of its own"
MANIFEST = Path(__file__).parents[4] / "docs" / "rbac" / "image_prune_risk_info.yml"
# No node has it, so what is created on a real cluster never starts.
NOWHERE = {"quayside-test": "nowhere"}
REVISIONS = 5
KINDS = {
    "ReplicationController": ("/api/v1", "replicationcontrollers"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "Job": ("/apis/batch/v1", "jobs"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Pod": ("/api/v1", "pods"),
}


@dataclass(frozen=True)
class History:
    """A stream ``web`` whose tag ``v1`` has moved: its lists, newest first, and each list's children by
    architecture."""

    namespace: str
    repository: str
    source: str
    lists: tuple[str, ...]
    children: tuple[Mapping[str, str], ...]

    def child(self, revision: int, architecture: str = "amd64") -> str:
        """How a workload names the child of a revision, as the cluster's registry serves it."""
        return f"{self.repository}@{self.children[revision - 1][architecture]}"


def import_list(cluster: Cluster, namespace: str, source: str) -> None:
    image = {
        "from": {"kind": "DockerImage", "name": source},
        "to": {"name": "v1"},
        "importPolicy": {"importMode": "PreserveOriginal"},
    }
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"import": True, "images": [{**image, "referencePolicy": {"type": "Local"}}]},
    }
    answer = cluster.call("POST", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamimports", body)
    assert answer["status"]["images"][0]["status"]["status"] == "Success", answer


def create(cluster: Cluster, kind: str, namespace: str, name: str, *images: str, **pod: t.Any) -> None:
    """Create an object of a kind with a container for each image; its controllers start nothing."""
    group_version, plural = KINDS[kind]
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    pod_spec = {"containers": containers, "nodeSelector": NOWHERE, **pod}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec}
    spec: Document = {"template": template, "selector": {"matchLabels": labels}}
    if kind == "Pod":
        spec = pod_spec
    elif kind == "ReplicationController":
        spec = {"replicas": 0, "template": template, "selector": labels}
    elif kind == "CronJob":
        pod_spec["restartPolicy"] = "Never"
        spec = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod_spec}}}}
    elif kind == "Job":
        pod_spec["restartPolicy"] = "Never"
        spec = {"suspend": True, "template": {"spec": pod_spec}}
    elif kind != "DaemonSet":
        spec["replicas"] = 0
        if kind == "StatefulSet":
            spec["serviceName"] = name
    version = group_version.removeprefix("/apis/").removeprefix("/api/")
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    cluster.call("POST", f"{group_version}/namespaces/{namespace}/{plural}", body)


def run_image(cluster: Cluster, namespace: str, pod: str, image_id: str) -> None:
    """Let the node say what the first container of a pod runs."""
    status = {"name": "c0", "imageID": image_id, "image": "", "ready": True, "restartCount": 0}
    body = {"status": {"phase": "Running", "containerStatuses": [status]}}
    cluster.call("PATCH", f"/api/v1/namespaces/{namespace}/pods/{pod}/status", body, content_type=STRATEGIC_MERGE)


@pytest.fixture
def history(given: Surroundings, cluster: Cluster, namespace: str) -> History:
    """Return a tag that moved four times, in a namespace that may pull from the private registry."""
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
    name = f"prune-{namespace}"
    lists: list[str] = []
    children: list[dict[str, str]] = []
    for revision in range(REVISIONS):
        lists.insert(0, given.push("private", name, "v1", "linux/amd64 linux/arm64", content=f"{name} {revision}"))
        import_list(cluster, namespace, given.image("private", name, "v1"))
        tag = cluster.call("GET", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamtags/web:v1")
        children.insert(0, {entry["architecture"]: entry["digest"] for entry in tag["image"]["dockerImageManifests"]})
    stream = cluster.get("imagestreams", namespace, "web")
    assert [item["image"] for item in stream["status"]["tags"][0]["items"]] == lists
    source = given.image("private", name, "").rstrip(":")
    return History(namespace, stream["status"]["dockerImageRepository"], source, tuple(lists), tuple(children))


def look(new_stage: NewStage, *namespaces: str) -> Mapping[str, t.Any]:
    """Return what the module says twice, in check mode and not: both see the same, and neither writes."""
    stage = new_stage("look.yml", *namespaces, variables={"target_namespaces": list(namespaces)})
    predicted, done = stage.predict(), stage.run()
    assert predicted.changed() == done.changed() == []
    found = done.of("Look at the namespaces")
    assert predicted.of("Look at the namespaces")["risks"] == found["risks"]
    assert done.of("Look with other options of the pruner")["risks"] == []
    return found


def test_every_kind_and_place(cluster: Cluster, history: History, new_stage: NewStage) -> None:
    namespace = history.namespace
    for kind in KINDS:
        create(cluster, kind, namespace, f"old-{kind.lower()}", history.child(5))
    create(
        cluster,
        "Pod",
        namespace,
        "init",
        "nginx",
        initContainers=[{"name": "setup", "image": history.child(4, "arm64")}],
    )
    create(cluster, "Pod", namespace, "runs", f"{history.repository}:v1")
    run_image(cluster, namespace, "runs", history.child(4))
    create(cluster, "Pod", namespace, "bare", "registry.example.com/other/web:v1")
    run_image(cluster, namespace, "bare", history.children[4]["arm64"])
    create(cluster, "Deployment", namespace, "newest", history.child(1))
    create(cluster, "Deployment", namespace, "outside", f"{history.source}@{history.children[4]['amd64']}")
    create(cluster, "Deployment", namespace, "careful", f"{history.repository}@{history.lists[3]}")

    found = look(new_stage, namespace)

    risks = {risk["workload"]["name"]: risk for risk in found["risks"]}
    levels = {name: risk["level"] for name, risk in risks.items()}
    assert levels == {
        **{f"old-{kind.lower()}": "prunable" for kind in KINDS},
        # the Deployment "careful" names their list, so the pruner keeps it
        "init": "protected",
        "runs": "protected",
        "bare": "elsewhere",
        "outside": "elsewhere",
        "newest": "revisions",
    }
    assert {risk["workload"]["kind"] for risk in risks.values() if risk["level"] == "prunable"} == set(KINDS)
    old = risks["old-deployment"]
    assert (old["child"], old["platform"], old["parent"]) == (
        history.children[4]["amd64"],
        "linux/amd64",
        history.lists[4],
    )
    assert (old["stream"], old["tag"], old["revision"], old["kept_by"], old["at_risk"]) == (
        "web",
        "v1",
        5,
        "nothing",
        True,
    )
    assert old["safe_reference"] == f"{history.repository}@{history.lists[4]}"
    assert (risks["init"]["platform"], risks["init"]["workload"]["place"]) == ("linux/arm64", "init")
    assert (risks["runs"]["found_in"], risks["runs"]["image"]) == ("image_id", f"{history.repository}:v1")
    assert risks["outside"]["safe_reference"] == f"{history.source}@{history.lists[4]}"
    assert found["missing"] == found["failed_namespaces"] == []
    assert found["summary"]["complete"]
    assert found["summary"]["at_risk"] == len(KINDS)


def test_a_child_of_another_namespace(
    cluster: Cluster, history: History, new_namespace: t.Callable[[], str], new_stage: NewStage
) -> None:
    other = new_namespace()
    create(cluster, "Deployment", other, "old", history.child(5))
    create(cluster, "Deployment", other, "gone", f"{history.repository}@sha256:{'0' * 64}")

    found = look(new_stage, other)

    (risk,) = found["risks"]
    assert (risk["namespace"], risk["stream_namespace"], risk["level"]) == (other, history.namespace, "prunable")
    (missing,) = found["missing"]
    assert (missing["workload"]["name"], missing["stream"], missing["stream_namespace"]) == (
        "gone",
        "web",
        history.namespace,
    )


def test_the_safe_reference_is_safe(cluster: Cluster, history: History, new_stage: NewStage) -> None:
    create(cluster, "Deployment", history.namespace, "old", history.child(5))
    (risk,) = look(new_stage, history.namespace)["risks"]
    containers = [{"name": "c0", "image": risk["safe_reference"]}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    path = f"/apis/apps/v1/namespaces/{history.namespace}/deployments/old"
    cluster.call("PATCH", path, body, content_type=STRATEGIC_MERGE)

    assert look(new_stage, history.namespace)["risks"] == []


def test_the_playbook_reports_and_protects(cluster: Cluster, history: History, new_stage: NewStage) -> None:
    namespace = history.namespace
    create(cluster, "Deployment", namespace, "old", history.child(5, "arm64"))
    create(cluster, "CronJob", namespace, "nightly", history.child(4))
    create(cluster, "Deployment", namespace, "new", history.child(2))
    variables = {"prune_risks_namespaces": [namespace], "prune_risks_keep_younger_than_minutes": 0}

    run = new_stage(PLAYBOOK, namespace, variables=variables).run()

    assert run.changed() == []
    assert run.of(LOOK)["summary"]["at_risk"] == 2
    for text in (
        f"AT RISK  {namespace} Deployment/old (linux/arm64)",
        f"AT RISK  {namespace} CronJob/nightly (linux/amd64)",
    ):
        assert text in run.output
    assert f"later    {namespace} Deployment/new (linux/amd64)" in run.output
    assert f"use {history.repository}@{history.lists[4]}" in run.output

    stage = new_stage(
        PLAYBOOK, namespace, variables={**variables, "prune_risks_protect": True, "prune_risks_fail": True}
    )
    expected = {
        f"keep-{digest.removeprefix('sha256:')[:12]}": digest
        for digest in (history.children[4]["arm64"], history.children[3]["amd64"], history.children[1]["amd64"])
    }
    predicted = stage.playbooks.run(PLAYBOOK, "--check", "--diff", variables=stage.variables)
    assert predicted.exit_code == 2, "check mode protects nothing, so that something is left to do"
    assert {tag for _stream, tag in predicted.changed_tags()} == set(expected)
    done = stage.run("--diff")

    assert done.changed() == [PROTECT]
    assert done.changed_tags() == predicted.changed_tags()
    assert done.diffs() == predicted.diffs()
    for name, digest in expected.items():
        tag = cluster.tag(namespace, "web", name)
        assert (tag.digest, tag.source, tag.reference_policy) == (digest, f"{history.source}@{digest}", "Local")
    assert [risk["level"] for risk in done.of(LOOK_AGAIN)["risks"]] == ["protected"] * 3
    stage.find_nothing_to_do()


@pytest.fixture
def reader(cluster: Cluster, given: Surroundings, namespace: str) -> Iterator[t.Callable[..., Playbooks]]:
    """Make users with the rights of the manifest and nothing else, and run playbooks as they."""
    roles = {role["metadata"]["name"]: role for role in yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["items"]}
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    for role in roles.values():
        role["metadata"]["name"] += f"-{given.run}-{namespace[-6:]}"
        cluster.call("POST", path, role)

    def make(playbooks: Playbooks, role: str) -> Playbooks:
        access = cluster.create_user(namespace, role, roles[role]["metadata"]["name"])
        return playbooks.with_environment(access.variables())

    yield make
    for role in roles.values():
        cluster.call("DELETE", f"{path}/{role['metadata']['name']}", allowed=404)


def test_the_rights_of_the_manifest_are_enough(
    cluster: Cluster,
    history: History,
    playbooks: Playbooks,
    reader: t.Callable[..., Playbooks],
    new_namespace: t.Callable[[], str],
) -> None:
    namespace, hidden = history.namespace, new_namespace()
    create(cluster, "Deployment", namespace, "old", history.child(5))
    variables = {"prune_risks_namespaces": [namespace], "prune_risks_keep_younger_than_minutes": 0}
    as_reader = reader(playbooks, "quayside-image-prune-risk-info")

    seen = as_reader.run(PLAYBOOK, variables=variables)
    assert seen.exit_code == 0, seen.output
    assert seen.complaints() == []
    assert [(risk["level"], risk["platform"]) for risk in seen.of(LOOK)["risks"]] == [("prunable", "linux/amd64")]
    assert seen.of(LOOK)["summary"]["complete"]

    # protecting is refused to the one who may only read, and a namespace that is not theirs does not hide the other
    refused = as_reader.run(PLAYBOOK, variables={**variables, "prune_risks_protect": True})
    assert refused.exit_code == 2
    assert "imagestreamimports" in refused.messages()[PROTECT]
    partly = as_reader.run(PLAYBOOK, variables={**variables, "prune_risks_namespaces": [namespace, hidden]})
    assert partly.exit_code == 0, partly.output
    assert [entry["namespace"] for entry in partly.of(LOOK)["failed_namespaces"]] == [hidden]
    assert len(partly.of(LOOK)["risks"]) == 1
    assert f"NOT READ {hidden}" in partly.output
    (complaint,) = partly.complaints()
    assert "Not everything could be read" in complaint

    protection = seen.of(LOOK)["protection"]
    as_protector = reader(playbooks, "quayside-image-prune-protect")
    protected = as_protector.run(Path(__file__).with_name("protect.yml"), variables={"protection": protection})
    assert protected.exit_code == 0, protected.output
    assert look_level(as_reader, variables) == "protected"


def look_level(playbooks: Playbooks, variables: dict[str, t.Any]) -> str:
    """Return the level of the only risk."""
    (risk,) = playbooks.run(PLAYBOOK, variables=variables).of(LOOK)["risks"]
    return str(risk["level"])
