# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role registry_access: secrets and links by variables, their removal, and variables that cannot be meant."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from integration.cluster import Cluster
from integration.stage import NewNamespace, NewStage

PASSWORD = "a-password-of-tests"
ENTRY = {"name": "first", "namespaces": ["shop"]}


def test_secrets_and_links_come_and_go(
    cluster: Cluster, new_namespace: NewNamespace, new_stage: NewStage, tmp_path: Path
) -> None:
    namespaces = new_namespace(), new_namespace()
    auth_file = tmp_path / "auth.json"
    auth = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
    auth_file.write_text(json.dumps({"auths": {"quay.io/team": {"auth": auth}, "ignored.example.com": {"auth": auth}}}))
    first: dict[str, t.Any] = {
        "name": "first",
        "namespaces": list(namespaces),
        "registries": [{"registry": "registry.example.com", "username": "robot", "password": PASSWORD}],
        "labels": {"team": "shop"},
        "link": [
            {"service_accounts": ["default"]},
            {"service_accounts": ["builder", "deployer"], "for": ["pull", "mount"]},
        ],
    }
    second = {"name": "second", "namespaces": [namespaces[0]], "auth_file": str(auth_file), "only": ["quay.io/*"]}
    stage = new_stage("role.yml", *namespaces, variables={"registry_access_secrets": [first, second]})

    done = stage.converge()

    for namespace in namespaces:
        assert set(cluster.auths(namespace, "first")) == {"registry.example.com"}
        assert "first" in cluster.links(namespace, "default")["imagePullSecrets"]
        assert "first" not in cluster.links(namespace, "default")["secrets"]
        for account in ("builder", "deployer"):
            assert all("first" in names for names in cluster.links(namespace, account).values())
    assert set(cluster.auths(namespaces[0], "second")) == {"quay.io/team"}
    assert len(done.changed()) == 4

    stage.complaints = ()
    stage.variables["registry_access_secrets"] = [{**first, "state": "absent"}, second]
    done = stage.converge()

    for namespace in namespaces:
        assert "first" not in {address.name for address in stage.snapshot() if address.namespace == namespace}
        for account in ("default", "builder", "deployer"):
            assert not any("first" in names for names in cluster.links(namespace, account).values())
    assert len(done.changed()) == 3


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"namespaces": ["shop"]}, "missing required arguments: name found in registry_access_secrets"),
        ({"name": "first"}, "missing required arguments: namespaces found in registry_access_secrets"),
        (
            {**ENTRY, "link": [{"for": ["push"], "service_accounts": ["default"]}]},
            "value of for must be one or more of: pull, mount",
        ),
        (
            {**ENTRY, "registries": [{"registry": "a", "pasword": PASSWORD}]},
            "registry_access_secrets.registries.pasword",
        ),
        ({**ENTRY, "registries": [f"a robot {PASSWORD}"]}, "unable to convert to dict"),
    ],
)
def test_variables_that_cannot_be_meant_are_refused_without_showing_a_password(
    new_stage: NewStage, entry: dict[str, t.Any], sentence: str
) -> None:
    run = new_stage("role.yml", variables={"registry_access_secrets": [entry]}).run_to_fail("-vvvv")

    (message,) = run.messages().values()
    assert message.startswith("Validation of arguments failed:\n")
    assert sentence in message
    assert PASSWORD not in run.output
