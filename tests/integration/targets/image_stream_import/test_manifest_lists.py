# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_stream_import and manifest lists: one child or the whole list and back, periodic, insecure, and the
children's table."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from integration.cluster import Cluster, Document
from integration.playbooks import Run
from integration.stage import NewStage
from integration.surroundings import Surroundings

PLATFORMS = "linux/amd64 linux/arm64"
VARIANTS = "linux/amd64 linux/arm/v6 linux/arm/v7 linux/arm64/v8"
FLIP = "A list from one registry, as one child or as a whole"
OTHERS = "Lists that the cluster imports periodically, or without verified TLS"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def digests(given: Surroundings) -> dict[str, str]:
    """Return lists in each registry, with their digests."""
    found = {
        registry: given.push(registry, "lists", "v1", PLATFORMS, content=f"{given.run} {registry}")
        for registry in given.registries
    }
    return {**found, "index": given.push("private", "index", "v1", VARIANTS, image_format="oci")}


@pytest.fixture
def variables(given: Surroundings, cluster: Cluster, namespace: str) -> dict[str, t.Any]:
    """Return the registries, of which the namespace may read the private one."""
    credential = given.credential()
    auth = base64.b64encode(f"{credential['username']}:{credential['password']}".encode()).decode()
    data = base64.b64encode(json.dumps({"auths": {credential["registry"]: {"auth": auth}}}).encode()).decode()
    secret: Document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "private"},
        "type": "kubernetes.io/dockerconfigjson",
    }
    cluster.create("secrets", namespace, {**secret, "data": {".dockerconfigjson": data}})
    return {"target_namespace": namespace} | {name: given.image(name, "", "").rstrip(":/") for name in given.registries}


def reported(run: Run, task: str, stream: str) -> dict[str, dict[str, t.Any]]:
    """Return the tags of a stream as a task reports them."""
    (found,) = [entry for entry in run.of(task)["streams"] if entry["name"] == stream]
    return {tag["name"]: tag for tag in found["tags"]}


def table(tag: dict[str, t.Any]) -> list[str]:
    """Return the platforms in the table of child manifests."""
    return [
        "/".join(filter(None, (child["os"], child["architecture"], child["variant"]))) for child in tag["manifests"]
    ]


def test_lists_as_a_whole_and_back(
    cluster: Cluster, namespace: str, new_stage: NewStage, variables: dict[str, t.Any], digests: dict[str, str]
) -> None:
    stage = new_stage("manifest_lists.yml", namespace, variables={**variables, "import_mode": "Legacy"})
    done = stage.converge()

    single = reported(done, FLIP, "flip")["v1"]
    child = single["digest"]
    assert (single["media_type"], single["manifests"]) == (DOCKER_IMAGE, [])
    scheduled = cluster.tag(namespace, "scheduled", "v1")
    assert (scheduled.digest, scheduled.scheduled, scheduled.insecure) == (digests["private"], True, False)
    assert scheduled.import_mode == "PreserveOriginal"
    for name, registry in {"plain": "plain", "selfsigned": "selfsigned", "both": "plain"}.items():
        insecure = cluster.tag(namespace, "insecure", name)
        assert (insecure.digest, insecure.insecure, insecure.scheduled) == (digests[registry], True, name == "both")
        assert table(reported(done, OTHERS, "insecure")[name]) == PLATFORMS.split()
    index = reported(done, OTHERS, "index")["v1"]
    assert (index["digest"], index["media_type"], table(index)) == (digests["index"], OCI_INDEX, VARIANTS.split())
    # the children are images of the cluster, each with its size in the list
    for entry in index["manifests"]:
        image = cluster.call("GET", f"/apis/image.openshift.io/v1/images/{entry['digest']}")
        assert image["dockerImageMetadata"]["Architecture"] == entry["architecture"]
        assert entry["size"] > 0

    stage.variables["import_mode"] = "PreserveOriginal"
    _predicted, done = stage.predict_and_do()
    assert done.changed_tags() == {(f"{namespace}/flip", "v1"): ("import_mode_changed",)}
    whole = reported(done, FLIP, "flip")["v1"]
    assert (whole["digest"], whole["previous_digest"], whole["media_type"]) == (digests["private"], child, DOCKER_LIST)
    assert table(whole) == PLATFORMS.split()
    assert child == whole["manifests"][0]["digest"]
    stage.find_nothing_to_do()

    stage.variables["import_mode"] = "Legacy"
    _predicted, done = stage.predict_and_do()
    assert done.changed_tags() == {(f"{namespace}/flip", "v1"): ("import_mode_changed",)}
    tag = cluster.tag(namespace, "flip", "v1")
    assert (tag.digest, tag.import_mode, tag.images) == (child, "Legacy", 3)


def test_a_list_that_moves_is_followed_as_a_whole(
    given: Surroundings,
    cluster: Cluster,
    namespace: str,
    new_stage: NewStage,
    variables: dict[str, t.Any],
    digests: dict[str, str],
) -> None:
    stage = new_stage("manifest_lists.yml", namespace, variables={**variables, "import_mode": "PreserveOriginal"})
    stage.run()
    moved = given.push("plain", "lists", "v1", "linux/amd64 linux/s390x", content=f"{given.run} moved")

    _predicted, done = stage.predict_and_do()

    insecure = f"{namespace}/insecure"
    assert done.changed_tags() == {(insecure, "plain"): ("upstream_moved",), (insecure, "both"): ("upstream_moved",)}
    assert table(reported(done, OTHERS, "insecure")["both"]) == ["linux/amd64", "linux/s390x"]
    tag = cluster.tag(namespace, "insecure", "both")
    assert (tag.digest, tag.scheduled, tag.insecure) == (moved, True, True)
    stage.find_nothing_to_do()
