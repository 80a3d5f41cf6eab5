# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""registry_access_info in playbooks: what it tells is what imports do, and it needs no more rights than its manifest
has."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.registry_secrets import entry, forms, registry_secret, secret_with
from integration.rights import Rights
from integration.stage import NewNamespace, NewStage
from integration.surroundings import Surroundings

WRONG = "a-wrong-password-of-tests"
EXPLAIN = Path(__file__).with_name("explain.yml")


def imported(cluster: Cluster, namespace: str, image: str) -> bool:
    """Whether the API server gets the image with what the namespace has; nothing is stored."""
    body = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "looked-up", "namespace": namespace},
        "spec": {"import": False, "images": [{"from": {"kind": "DockerImage", "name": image}, "to": {"name": "v1"}}]},
    }
    answer = cluster.call("POST", f"/apis/image.openshift.io/v1/namespaces/{namespace}/imagestreamimports", body)
    return bool(answer["status"]["images"][0]["status"]["status"] == "Success")


def test_what_is_said_of_a_credential_is_what_an_import_does(
    given: Surroundings, cluster: Cluster, new_namespace: NewNamespace, new_stage: NewStage
) -> None:
    given.push("private", "explained", "v1")
    image = given.image("private", "explained", "v1")
    credential = given.credential()
    registry, good = credential["registry"], entry(credential["username"], credential["password"])
    path = image.rpartition(":")[0]
    scenes: dict[str, tuple[list[dict[str, t.Any]], str, str | None, bool]] = {
        "used": ([registry_secret("b", {registry: good})], "used", "b", True),
        "hidden": (
            [registry_secret("b", {registry: good}), registry_secret("a", {registry: entry("nobody", WRONG)})],
            "used",
            "a",
            False,
        ),
        "longer": (
            [registry_secret("b", {path: good}), registry_secret("a", {registry: entry("nobody", WRONG)})],
            "used",
            "b",
            True,
        ),
        "anonymous": (
            [registry_secret("b", {registry: good}), registry_secret("a", {path: {}})],
            "anonymous",
            "a",
            False,
        ),
        "no_match": (
            [
                registry_secret("b", {registry.partition(":")[0]: good}),
                registry_secret("c", {registry: good}, "Opaque"),
            ],
            "no_match",
            None,
            False,
        ),
        "broken": (
            [registry_secret("b", {registry: good}), registry_secret("a", {"h.example": {"auth": "%"}})],
            "broken",
            "a",
            False,
        ),
    }
    namespaces = {scene: new_namespace() for scene in scenes}
    for scene, (secrets, _result, _secret, _imported) in scenes.items():
        for secret in secrets:
            cluster.create("secrets", namespaces[scene], secret)
    stage = new_stage(
        "explain.yml",
        *namespaces.values(),
        variables={"target_namespaces": list(namespaces.values()), "images": [image]},
    )

    run = stage.predict()

    explained = {one["namespace"]: one for one in run.of("Explain")["explanations"]}
    assert {
        scene: (explained[namespaces[scene]]["result"], explained[namespaces[scene]]["secret"]) for scene in scenes
    } == {scene: (result, secret) for scene, (_secrets, result, secret, _imported) in scenes.items()}
    assert {scene: imported(cluster, namespaces[scene], image) for scene in scenes} == {
        scene: last for scene, (*_rest, last) in scenes.items()
    }
    assert f'user "{credential["username"]}"' in explained[namespaces["used"]]["sentence"]
    assert explained[namespaces["no_match"]]["wanted_key"] == registry
    assert [form for form in forms(credential["password"], WRONG) if form in run.output] == []


def test_what_a_namespace_has(cluster: Cluster, namespace: str, new_stage: NewStage) -> None:
    for secret in (
        registry_secret("good", {"h.example.com": entry("robot", WRONG)}),
        registry_secret("older", {"h.example.com": entry("nobody", f"{WRONG}-2")}, "kubernetes.io/dockercfg"),
        registry_secret("podman", {"h.example.com": entry("robot", WRONG)}, "kubernetes.io/podmanconfigjson"),
        registry_secret("opaque", {"h.example.com": entry("robot", WRONG)}, "Opaque"),
        secret_with("unreadable", {"auths": []}),
    ):
        cluster.create("secrets", namespace, secret)
    account = cluster.get("serviceaccounts", namespace, "builder")
    before = {name: list(account.get(name) or []) for name in ("imagePullSecrets", "secrets")}
    account["imagePullSecrets"] = [*before["imagePullSecrets"], {"name": "good"}, {"name": "podman"}]
    account["secrets"] = [*before["secrets"], {"name": "git"}]
    cluster.put("serviceaccounts", account)
    stage = new_stage("describe.yml", namespace, variables={"target_namespaces": [namespace]})

    described = stage.predict().of("Describe")

    problems = {
        secret["name"]: [problem["problem"] for problem in secret["problems"]] for secret in described["secrets"]
    }
    assert problems == {
        "good": [],
        "older": ["hidden"],
        "podman": ["type_not_read"],
        "opaque": ["type_not_read"],
        "unreadable": ["malformed"],
    }
    (builder,) = described["links"]
    assert (builder["pull"], builder["mount"], builder["ineffective"]) == (["good", "podman"], ["git"], ["podman"])
    assert [secret["name"] for secret in described["as_variables"]] == ["good", "older", "podman"]
    assert {one["name"] for one in described["not_in_variables"]} == {"opaque", "unreadable"}


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    rights.apply("registry_access_info.yml")
    yield rights
    rights.remove()


def test_the_rights_of_the_manifest_are_enough_and_the_lack_of_them_is_an_answer(
    cluster: Cluster, namespace: str, new_namespace: NewNamespace, playbooks: Playbooks, rights: Rights
) -> None:
    hidden = new_namespace()
    cluster.create("secrets", namespace, registry_secret("good", {"h.example.com": entry("robot", WRONG)}))
    as_user = playbooks.with_environment(
        rights.user(namespace, ("quayside-registry-access-info", namespace)).variables()
    )

    described = as_user.run(Path(__file__).with_name("describe.yml"), variables={"target_namespaces": [namespace]})
    assert described.exit_code == 0, described.output
    assert described.complaints() == []
    assert [secret["name"] for secret in described.of("Describe")["secrets"]] == ["good"]

    variables = {"target_namespaces": [namespace, hidden], "images": ["h.example.com/team/web:v1"]}
    explained = as_user.run(EXPLAIN, variables=variables)
    assert explained.exit_code == 0, explained.output
    assert [(one["namespace"], one["result"]) for one in explained.of("Explain")["explanations"]] == [
        (namespace, "used"),
        (hidden, "not_allowed"),
    ]
    (complaint,) = explained.complaints()
    assert "secrets" in complaint
    assert hidden in complaint
