# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters ``site.yml`` works on and as whom: no inventory and the environment, or hosts with variables of
their own."""

from __future__ import annotations

import typing as t
from pathlib import Path

from fleet.inventory import write_inventory
from integration.cluster import Cluster
from integration.playbooks import Playbooks
from integration.stage import NewNamespace

SITE = "quayside.openshift_images.site"
NOWHERE = {"K8S_AUTH_HOST": "https://127.0.0.1:1", "K8S_AUTH_API_KEY": "a-token-for-nobody"}


def secret_in(*namespaces: str) -> dict[str, t.Any]:
    registries = [{"registry": "registry.example.com", "username": "robot", "password": "a-password-of-tests"}]
    return {
        "registry_access_secrets": [{"name": "registries", "namespaces": list(namespaces), "registries": registries}]
    }


def test_without_inventory_it_is_the_cluster_of_the_environment(
    cluster: Cluster, namespace: str, playbooks: Playbooks
) -> None:
    developer = cluster.create_user(namespace, "developer", "edit")

    run = playbooks.with_environment(developer.variables()).run(SITE, variables=secret_in(namespace))

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    title = f"Create and update the pull secrets (registries in {namespace}, 1 of 1: 1 created)"
    assert [(result.host, result.title) for result in run.results if result.changed] == [("localhost", title)]
    assert set(cluster.auths(namespace, "registries")) == {"registry.example.com"}


def test_each_host_is_a_cluster_with_its_own_access(
    cluster: Cluster, new_namespace: NewNamespace, playbooks: Playbooks, tmp_path: Path
) -> None:
    namespaces = {"east": new_namespace(), "west": new_namespace()}
    hosts = {}
    for host, namespace in namespaces.items():
        developer = cluster.create_user(namespace, "developer", "edit")
        hosts[host] = {**developer.as_host(), **secret_in(namespace)}
    inventory = write_inventory(tmp_path / "inventory.yml", **hosts)

    # what a host says counts, whatever the environment says
    run = playbooks.with_environment(NOWHERE).run(SITE, inventory=inventory)

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    assert sorted(result.host for result in run.results if result.changed) == ["east", "west"]
    assert all(
        set(cluster.auths(namespace, "registries")) == {"registry.example.com"} for namespace in namespaces.values()
    )


def test_one_cluster_of_several_and_one_role_by_its_tag(
    cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path
) -> None:
    inventory = write_inventory(tmp_path / "inventory.yml", east={}, west={})
    variables = {**secret_in(namespace), "openshift_images_hosts": "west"}

    run = playbooks.run(SITE, "--tags", "image_streams", variables=variables, inventory=inventory)

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    assert {result.host for result in run.results} == {"west"}
    assert "Create and update the pull secrets" not in run.output
    assert "registries" not in {address.name for address in cluster.snapshot([namespace])}
