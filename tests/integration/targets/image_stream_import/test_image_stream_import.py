# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_stream_import in playbooks: images of every kind, changes of a declaration, failures beside what succeeds."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from integration.cluster import Cluster, Document, tags_of
from integration.stage import NewStage
from integration.surroundings import Surroundings


@pytest.fixture
def variables(given: Surroundings, cluster: Cluster, namespace: str) -> dict[str, t.Any]:
    """Images in the registries, and a pull secret for the private one in the namespace."""
    digest = given.push("private", "web", "v1", "linux/amd64 linux/arm64")
    given.push("private", "web", "same", "linux/amd64 linux/arm64", content=f"{given.run} web:v1")
    given.push("private", "api", "v1")
    for tag in ("v1.0", "v1.1", "v2.0"):
        given.push("private", "releases", tag, "linux/amd64 linux/s390x", image_format="oci")
    given.push("plain", "tools", "v3", "linux/amd64 linux/ppc64le")
    given.push("selfsigned", "legacy", "v1")
    cluster.create("secrets", namespace, pull_secret(given))
    return {"target_namespace": namespace, "web_digest": digest} | {
        name: given.image(name, "", "").rstrip(":/") for name in ("private", "plain", "selfsigned")
    }


def pull_secret(given: Surroundings) -> Document:
    credential = given.credential()
    auth = base64.b64encode(f"{credential['username']}:{credential['password']}".encode()).decode()
    content = {"auths": {credential["registry"]: {"auth": auth}}}
    data = base64.b64encode(json.dumps(content).encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "private"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": data},
    }


def test_images_of_every_kind(
    cluster: Cluster, namespace: str, new_stage: NewStage, variables: dict[str, t.Any]
) -> None:
    done = new_stage("streams.yml", namespace, variables=variables).converge()

    assert len(done.changed()) == 4
    assert cluster.get("imagestreams", namespace, "web")["spec"]["lookupPolicy"] == {"local": True}
    tags = tags_of(cluster.get("imagestreams", namespace, "web"))
    assert (tags["list"].digest, tags["list"].import_mode, tags["list"].scheduled) == (
        variables["web_digest"],
        "PreserveOriginal",
        True,
    )
    assert (tags["legacy"].import_mode, tags["legacy"].reference_policy, tags["legacy"].scheduled) == (
        "Legacy",
        "Local",
        False,
    )
    assert tags["pinned"].digest == variables["web_digest"]
    assert len({variables["web_digest"], tags["legacy"].digest, tags["arm"].digest}) == 3
    arm = cluster.call("GET", f"/apis/image.openshift.io/v1/images/{tags['arm'].digest}")
    assert arm["dockerImageMetadata"]["Architecture"] == "arm64"
    assert cluster.tag(namespace, "tools", "v3").insecure
    assert cluster.tag(namespace, "legacy", "v1").digest
    assert set(tags_of(cluster.get("imagestreams", namespace, "releases"))) == {"v1.0", "v1.1"}
    assert cluster.tag(namespace, "missing", "v1").digest == tags["single"].digest


def test_another_declaration_changes_what_it_says_and_keeps_the_rest(
    cluster: Cluster, namespace: str, new_stage: NewStage, variables: dict[str, t.Any]
) -> None:
    source = f"{variables['private']}/web:v1"
    wanted = {"kind": "DockerImage", "name": source}
    policy = {"importMode": "PreserveOriginal", "scheduled": True}
    images = [
        {"from": wanted, "to": {"name": name}, "importPolicy": policy}
        for name in ("mode", "policies", "source", "moved", "unlisted")
    ]
    for stream in ("web", "unwanted"):
        body = {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStreamImport",
            "metadata": {"name": stream, "namespace": namespace},
            "spec": {"import": True, "images": images},
        }
        cluster.call("POST", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamimports", body)
    stage = new_stage("changes.yml", namespace, variables=variables)

    done = stage.converge()

    web = f"{namespace}/web"
    reasons = done.changed_tags()
    assert reasons[web, "mode"] == ("import_mode_changed",)
    assert set(reasons[web, "policies"]) == {"reference_policy_changed", "scheduled_changed", "insecure_changed"}
    assert reasons[web, "source"] == ("source_changed",)
    assert reasons[web, "moved"] == ("source_changed",)
    assert reasons[web, "unlisted"] == ("not_listed",)
    tags = tags_of(cluster.get("imagestreams", namespace, "web"))
    assert set(tags) == {"mode", "policies", "source", "moved"}
    assert (tags["mode"].import_mode, tags["mode"].scheduled) == ("Legacy", True)
    assert (tags["policies"].import_mode, tags["policies"].scheduled, tags["policies"].insecure) == (
        "PreserveOriginal",
        False,
        True,
    )
    assert (tags["source"].source, tags["source"].digest, tags["source"].images) == (
        f"{variables['private']}/web:same",
        variables["web_digest"],
        1,
    )
    assert (tags["moved"].source, tags["moved"].images) == (f"{variables['private']}/api:v1", 2)
    assert "unwanted" not in {address.name for address in stage.snapshot()}


def test_a_tag_that_fails_keeps_no_other_from_being_done_and_is_retried_alone(
    given: Surroundings, cluster: Cluster, namespace: str, new_stage: NewStage, variables: dict[str, t.Any]
) -> None:
    stage = new_stage("partial.yml", namespace, variables=variables)
    missing = f"{variables['private']}/web:not-yet"
    sentence = (
        "1 of 3 tags could not be imported:\n"
        f'- {namespace}/web:absent from {missing}\n    NotFound: dockerimage.image.openshift.io "{missing}" not found'
        "\n    -> The registry has no such tag, digest or repository: check the pull spec."
    )

    for options in (("--check", "--diff"), ("--diff",), ("--diff",)):
        run = stage.run_to_fail(*options)
        assert run.exit_code == 2
        said = sentence.replace("be imported", "be looked up") if "--check" in options else sentence
        assert run.messages() == {"Everything else is done": said}
    assert cluster.tag(namespace, "web", "good").digest
    assert cluster.tag(namespace, "api", "good").digest
    assert cluster.tag(namespace, "web", "absent").failure == "NotFound"

    given.push("private", "web", "not-yet")
    before = cluster.settled([namespace])
    _predicted, done = stage.predict_and_do()

    assert done.changed_tags() == {(f"{namespace}/web", "absent"): ("last_import_failed",)}
    assert {address.name for address in stage.snapshot().written_since(before)} == {"web"}
    stage.find_nothing_to_do()
