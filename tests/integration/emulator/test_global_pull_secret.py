# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A global pull secret that is gone or broken. Every import of a cluster fails meanwhile, so the cluster is this
test's own."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from integration.cluster import Cluster
from integration.global_secret import NAME, NAMESPACE, put
from integration.registry_secrets import entry, registry_secret, secret_with
from integration.stage import NewStage

ROLE = Path(__file__).parents[1] / "targets" / "cluster_pull_secret" / "role.yml"
BESIDE = "beside.example.com"
PASSWORD = "a-password-of-tests"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "does not exist in the namespace"),
        ({"auths": "none"}, 'cannot be merged into: its ".dockerconfigjson" cannot be read'),
        ({"auths": {BESIDE: {"auth": "%"}}}, f'cannot be merged into: its entry for "{BESIDE}" cannot be decoded'),
    ],
)
def test_what_would_be_lost_is_not_written(cluster: Cluster, new_stage: NewStage, document: t.Any, words: str) -> None:
    put(cluster, registry_secret(NAME, {BESIDE: entry("robot", PASSWORD)}))
    put(cluster, secret_with(NAME, document) if document else None)
    new = {"registry": "new.example.com", "username": "robot", "password": PASSWORD}
    variables = {"cluster_pull_secret_verify": False, "cluster_pull_secret_registries": [new]}
    stage = new_stage(str(ROLE), NAMESPACE, variables=variables)
    before = stage.snapshot()

    for options in (("--check", "--diff"), ("--diff",)):
        run = stage.run_to_fail(*options)
        assert run.exit_code == 2
        assert words in run.messages()["Merge the registries into the cluster's pull secret"]
    assert not stage.snapshot().written_since(before)
