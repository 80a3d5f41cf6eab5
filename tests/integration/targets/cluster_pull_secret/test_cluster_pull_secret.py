# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role cluster_pull_secret: merged and verified, refused if something would be lost, with the least rights."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.cluster import Cluster, Document
from integration.global_secret import NAME, NAMESPACE, borrowed, find, put
from integration.playbooks import Playbooks
from integration.registry_secrets import auth, entry, forms, registry_secret
from integration.rights import Rights
from integration.stage import NewStage
from integration.surroundings import Surroundings

MERGE = "Merge the registries into the cluster's pull secret"
FORMER = "a-former-password-of-tests"
BESIDE = "beside.example.com"
OLD = "old.example.com"
WRONG = "a-wrong-password-of-tests"


@pytest.fixture
def there(cluster: Cluster, given: Surroundings) -> Iterator[Document]:
    """Yield the pull secret of a cluster: what it needs itself, and two registries that somebody has added."""
    with borrowed(cluster, given.run):
        known = find(cluster)
        auths = cluster.auths(NAMESPACE, NAME) if known else {}
        secret = registry_secret(NAME, {**auths, BESIDE: entry("robot", FORMER), OLD: entry("robot", FORMER)})
        put(cluster, {**secret, "metadata": {}})
        yield secret


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    yield rights
    rights.remove()


@pytest.fixture
def private(given: Surroundings) -> dict[str, t.Any]:
    return {**given.credential(), "ca_cert": str(given.registries["private"].ca_file)}


def test_merged_verified_and_nothing_is_lost(
    there: Document, cluster: Cluster, given: Surroundings, private: dict[str, t.Any], new_stage: NewStage
) -> None:
    before = cluster.auths(NAMESPACE, NAME)
    registries = [private, {"registry": OLD, "state": "absent"}]
    stage = new_stage("role.yml", NAMESPACE, variables={"cluster_pull_secret_registries": registries})

    predicted, done = stage.predict_and_do()
    stage.find_nothing_to_do()

    after = cluster.auths(NAMESPACE, NAME)
    assert after[private["registry"]]["auth"] == auth(private["username"], private["password"])
    assert {key: value for key, value in after.items() if key != private["registry"]} == {
        key: value for key, value in before.items() if key != OLD
    }
    assert done.of(MERGE)["verified"][0]["result"] == "accepted"
    for run in (predicted, done):
        shown = {
            result.item: result.content["msg"] for result in run.results if result.task == "Summary" and result.item
        }
        assert shown == {private["registry"]: f"{private['registry']}: registry_missing", OLD: f"{OLD}: not_wanted"}
        assert [form for form in forms(FORMER, private["password"]) if form in run.output] == []


def test_nothing_named_is_nothing_to_do(there: Document, new_stage: NewStage) -> None:
    new_stage("role.yml", NAMESPACE).find_nothing_to_do()


def test_a_refused_login_writes_nothing_unless_it_is_not_tried(
    there: Document, cluster: Cluster, private: dict[str, t.Any], new_stage: NewStage
) -> None:
    stage = new_stage(
        "role.yml", NAMESPACE, variables={"cluster_pull_secret_registries": [{**private, "password": WRONG}]}
    )
    before = stage.snapshot()

    for options in (("--check", "--diff"), ("--diff",)):
        run = stage.run_to_fail(*options)
        assert run.exit_code == 2
        message = run.messages()[MERGE]
        assert message.startswith(
            f'The registry "{private["registry"]}" refused the user "{private["username"]}" (HTTP 401'
        )
        assert message.endswith("nothing was written")
        assert WRONG not in run.output
    assert not stage.snapshot().written_since(before)

    stage.variables["cluster_pull_secret_verify"] = False
    stage.run()
    assert cluster.auths(NAMESPACE, NAME)[private["registry"]]["auth"] == auth(private["username"], WRONG)


def test_a_downloaded_pull_secret(there: Document, cluster: Cluster, new_stage: NewStage, tmp_path: Path) -> None:
    content = (
        f'{{"auths": {{"cloud.openshift.com": {{"auth": "{auth("a", FORMER)}"}}, "quay.example.com": {{"auth": '
        f'"{auth("b", FORMER)}"}}}}}}'
    )
    tmp_path.joinpath("pull-secret.txt").write_text(content)
    variables = {
        "cluster_pull_secret_auth_file": str(tmp_path / "pull-secret.txt"),
        "cluster_pull_secret_only": ["quay.*"],
        "cluster_pull_secret_verify": False,
    }
    before = cluster.auths(NAMESPACE, NAME)
    new_stage("role.yml", NAMESPACE, variables=variables).converge()

    assert set(cluster.auths(NAMESPACE, NAME)) == {*before, "quay.example.com"}


def test_the_rights_of_the_manifest_are_enough(
    there: Document, cluster: Cluster, namespace: str, private: dict[str, t.Any], playbooks: Playbooks, rights: Rights
) -> None:
    rights.apply("cluster_pull_secret.yml")
    access = rights.user(
        namespace, ("quayside-cluster-pull-secret", NAMESPACE), ("quayside-control-plane-topology", "")
    )

    run = playbooks.with_environment(access.variables()).run(
        Path(__file__).with_name("role.yml"), variables={"cluster_pull_secret_registries": [private]}
    )

    assert run.exit_code == 0, run.output
    assert run.complaints() == []
    assert run.of(MERGE)["secrets"][0]["reasons"] == ["registries_changed"]
    assert private["registry"] in cluster.auths(NAMESPACE, NAME)
