# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds that only some clusters serve: deployment configs, build configs and builds that use images and watch
tags."""

from __future__ import annotations

import typing as t

import pytest
from integration.cluster import Cluster
from integration.stage import NewStage
from integration.surroundings import Surroundings

APPS, BUILD = "apps.openshift.io/v1", "build.openshift.io/v1"


def create(
    cluster: Cluster, namespace: str, group_version: str, kind: str, name: str, spec: dict[str, t.Any], phase: str = ""
) -> None:
    body = {"apiVersion": group_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    path = f"/apis/{group_version}/namespaces/{namespace}/{kind.lower()}s"
    cluster.call("POST", path, body)
    if phase:
        found = cluster.call("GET", f"{path}/{name}")
        cluster.call("PUT", f"{path}/{name}/status", {**found, "status": {"phase": phase}})


@pytest.mark.parametrize("switches", [{"deployment_configs": True}])
def test_they_are_looked_at_where_they_are_served(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    given.push("plain", "configs", "v1", "linux/amd64 linux/arm64")
    source = given.image("plain", "configs", "v1")
    policies = {"v1": "PreserveOriginal", "single": "Legacy"}
    cluster.import_images(
        namespace, "web", {tag: (source, {"insecure": True, "importMode": mode}) for tag, mode in policies.items()}
    )
    repository = cluster.get("imagestreams", namespace, "web")["status"]["dockerImageRepository"]
    listed = cluster.call("GET", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamtags/web:v1")
    # What the tag "single" holds is in the history by itself; the other child is not.
    [child] = [entry["digest"] for entry in listed["image"]["dockerImageManifests"] if entry["architecture"] == "arm64"]
    image = f"{repository}@{child}"

    def deployment_config(name: str, pod: dict[str, t.Any], *, automatic: bool) -> None:
        watched = {
            "from": {"kind": "ImageStreamTag", "name": "web:single"},
            "containerNames": ["app"],
            "automatic": automatic,
        }
        spec = {
            "replicas": 0,
            "template": {"spec": pod},
            "triggers": [{"type": "ConfigChange"}, {"type": "ImageChange", "imageChangeParams": watched}],
        }
        create(cluster, namespace, APPS, "DeploymentConfig", name, spec)

    def strategy(kind: str) -> dict[str, t.Any]:
        return {"strategy": {"type": "x", kind: {"from": {"kind": "DockerImage", "name": image}}}}

    deployment_config("runs", {"containers": [{"name": "app", "image": image}]}, automatic=True)
    deployment_config(
        "waits",
        {"containers": [{"name": "app", "image": "x"}], "initContainers": [{"name": "i", "image": image}]},
        automatic=False,
    )
    create(cluster, namespace, BUILD, "BuildConfig", "builds", strategy("sourceStrategy"))
    watching = {
        "strategy": {"type": "Docker", "dockerStrategy": {"from": {"kind": "ImageStreamTag", "name": "web:single"}}}
    }
    create(
        cluster,
        namespace,
        BUILD,
        "BuildConfig",
        "watches",
        {**watching, "triggers": [{"type": "ImageChange", "imageChange": {}}]},
    )
    create(cluster, namespace, BUILD, "Build", "builds-1", strategy("dockerStrategy"), "Complete")
    create(cluster, namespace, BUILD, "Build", "builds-2", strategy("customStrategy"), "Running")

    run = new_stage("deployment_configs.yml", namespace, variables={"target_namespace": namespace}).predict()

    found = run.of("What pruning would take from them")
    assert {
        (risk["workload"]["kind"], risk["workload"]["name"], risk["workload"]["place"], risk["level"])
        for risk in found["risks"]
    } == {
        ("DeploymentConfig", "runs", "container", "prunable"),
        ("DeploymentConfig", "waits", "init", "prunable"),
        ("BuildConfig", "builds", "build", "prunable"),
        ("Build", "builds-2", "build", "prunable"),
    }
    assert found["not_served"] == []
    [candidate] = run.of("What a migration would start")["candidates"]
    assert {
        (trigger["kind"], trigger["name"], tuple(trigger["fields"]), trigger["automatic"])
        for trigger in candidate["triggers"]
    } == {
        ("DeploymentConfig", "runs", ("app",), True),
        ("DeploymentConfig", "waits", ("app",), False),
        ("BuildConfig", "watches", (), True),
    }
