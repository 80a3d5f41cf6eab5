# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pull_secret in playbooks: the four ways of the documentation, and every change of a secret that is there."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from integration.cluster import Cluster, content_of
from integration.stage import NewNamespace, NewStage
from integration.surroundings import Surroundings

OTHER_PASSWORD = "a-password-of-tests"
NEW_PASSWORD = "another-password-of-tests"


def encoded(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def secret(
    name: str, auths: dict[str, dict[str, str]], kind: str = "kubernetes.io/dockerconfigjson"
) -> dict[str, object]:
    """Return a secret as somebody else made it."""
    key = "auth.json" if kind.endswith("podmanconfigjson") else ".dockerconfigjson"
    data = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": kind, "data": {key: data}}


def test_every_way_of_the_documentation(
    given: Surroundings, cluster: Cluster, new_namespace: NewNamespace, new_stage: NewStage, tmp_path: Path
) -> None:
    private = given.credential()
    docker_file, podman_file = tmp_path / "config.json", tmp_path / "auth.json"
    docker_file.write_text(
        json.dumps(
            {
                "auths": {
                    "quay.io/team": {"auth": encoded("robot", OTHER_PASSWORD)},
                    "ignored.example.com": {"auth": encoded("a", "b")},
                }
            }
        )
    )
    podman_file.write_text(
        json.dumps({"auths": {private["registry"]: {"auth": encoded(private["username"], private["password"])}}})
    )
    raw = {"auths": {"raw.example.com": {"username": "robot", "password": OTHER_PASSWORD}}}
    namespaces = new_namespace(), new_namespace()
    stage = new_stage(
        "every_way.yml",
        *namespaces,
        variables={
            "target_namespaces": list(namespaces),
            "private_registry": private,
            "registry_ca": str(given.registries["private"].ca_file),
            "other_password": OTHER_PASSWORD,
            "docker_file": str(docker_file),
            "podman_file": str(podman_file),
            "raw_content": json.dumps(raw),
        },
    )

    done = stage.converge()

    assert len(done.changed()) == 5
    for namespace in namespaces:
        auths = cluster.auths(namespace, "from-login")
        assert set(auths) == {private["registry"], "other.example.com"}
        assert auths["other.example.com"]["auth"] == encoded("robot", OTHER_PASSWORD)
        assert auths[private["registry"]]["email"] == "team@example.com"
        assert cluster.get("secrets", namespace, "from-login")["metadata"]["labels"] == {"team": "shop"}
    first = namespaces[0]
    assert set(cluster.auths(first, "from-docker")) == {"quay.io/team"}
    assert cluster.auths(first, "from-podman")[private["registry"]]["auth"] == encoded(
        private["username"], private["password"]
    )
    assert set(cluster.auths(first, "from-raw")) == {"raw.example.com"}
    older = cluster.get("secrets", first, "older")
    assert older["type"] == "kubernetes.io/dockercfg"
    assert older["metadata"]["annotations"]["openshift.io/image.excludeSecret"] == "true"
    assert set(json.loads(base64.b64decode(older["data"][".dockercfg"]))) == {"other.example.com"}
    assert done.of("From a Podman file, tried first")["verified"][0]["result"] == "accepted"


def test_changes_of_secrets_that_are_there(cluster: Cluster, new_namespace: NewNamespace, new_stage: NewStage) -> None:
    namespaces = new_namespace(), new_namespace()
    old = {"auth": encoded("robot", OTHER_PASSWORD)}
    for namespace in namespaces:
        cluster.create(
            "secrets",
            namespace,
            secret("merged", {"kept.example.com": old, "gone.example.com": old, "beside.example.com": old}),
        )
        cluster.create("secrets", namespace, secret("replaced", {"beside.example.com": old}))
        cluster.create(
            "secrets", namespace, secret("podman", {"moved.example.com": old}, "kubernetes.io/podmanconfigjson")
        )
        cluster.create("secrets", namespace, secret("unwanted", {"beside.example.com": old}))
    stage = new_stage(
        "change.yml", *namespaces, variables={"target_namespaces": list(namespaces), "new_password": NEW_PASSWORD}
    )

    done = stage.converge()

    assert len(done.changed()) == 4
    for namespace in namespaces:
        new = encoded("robot", NEW_PASSWORD)
        merged = cluster.auths(namespace, "merged")
        assert {registry: entry["auth"] for registry, entry in merged.items()} == {
            "kept.example.com": new,
            "beside.example.com": old["auth"],
        }
        assert {registry: entry["auth"] for registry, entry in cluster.auths(namespace, "replaced").items()} == {
            "only.example.com": new
        }
        podman = cluster.get("secrets", namespace, "podman")
        assert podman["type"] == "kubernetes.io/dockerconfigjson"
        assert set(content_of(podman)["auths"]) == {"moved.example.com", "only.example.com"}
        assert "unwanted" not in {address.name for address in stage.snapshot()}


def test_a_refused_login_writes_nothing(given: Surroundings, namespace: str, new_stage: NewStage) -> None:
    private = given.credential()
    variables = {
        "target_namespace": namespace,
        "registry": private["registry"],
        "registry_ca": str(given.registries["private"].ca_file),
    }
    stage = new_stage("refused.yml", namespace, variables=variables)
    before = stage.snapshot()

    run = stage.run_to_fail("--diff")

    assert run.exit_code == 2
    (message,) = run.messages().values()
    assert private["registry"] in message
    assert not stage.snapshot().written_since(before)
