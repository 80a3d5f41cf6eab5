# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sa_secret_link in playbooks: what it adds and takes away, and what it leaves alone."""

from __future__ import annotations

import threading
import time

from integration.cluster import Cluster
from integration.registry_secrets import registry_secret
from integration.stage import NewNamespace, NewStage

# What the cluster keeps for a service account itself is named in this annotation.
MANAGED = "openshift.io/internal-registry-pull-secret-ref"


def create_secrets(cluster: Cluster, namespace: str, *names: str) -> None:
    for name in names:
        cluster.create("secrets", namespace, registry_secret(name, {}))


def link(cluster: Cluster, namespace: str, account: str, *, pull: list[str], mount: list[str]) -> None:
    document = cluster.get("serviceaccounts", namespace, account)
    document["imagePullSecrets"] = [{"name": name} for name in pull]
    document["secrets"] = [{"name": name} for name in mount]
    cluster.put("serviceaccounts", document)


def without_own(links: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the links without the secret that a controller gives to each account."""
    return {plural: [name for name in names if "-dockercfg-" not in name] for plural, names in links.items()}


def test_links_converge_and_leave_others_alone(
    cluster: Cluster, new_namespace: NewNamespace, new_stage: NewStage
) -> None:
    namespaces = new_namespace(), new_namespace()
    first = namespaces[0]
    for namespace in namespaces:
        create_secrets(cluster, namespace, "first", "second")
        cluster.create_account(namespace, "linked")
        cluster.settled([namespace])
        link(cluster, namespace, "linked", pull=["kept", "first", "deleted"], mount=["deleted", "kept"])
    before = cluster.links(first, "default")
    cluster.create_account(first, "exact")
    cluster.settled([first])
    document = cluster.get("serviceaccounts", first, "exact")
    document["metadata"].setdefault("annotations", {})[MANAGED] = "exact-dockercfg-own"
    document["imagePullSecrets"] = [{"name": "exact-dockercfg-own"}, {"name": "first"}]
    cluster.put("serviceaccounts", document)
    stage = new_stage("links.yml", *namespaces, variables={"target_namespaces": list(namespaces)})

    done = stage.converge()

    assert len(done.changed()) == 4
    for namespace in namespaces:
        for account in ("default", "builder"):
            assert "first" in cluster.links(namespace, account)["imagePullSecrets"]
            assert "first" not in cluster.links(namespace, account)["secrets"]
        assert without_own(cluster.links(namespace, "linked")) == {"imagePullSecrets": ["kept"], "secrets": ["kept"]}
    assert cluster.links(first, "default")["imagePullSecrets"] == [*before["imagePullSecrets"], "first"]
    deployer = cluster.links(first, "deployer")
    assert {"first", "second"} <= set(deployer["imagePullSecrets"]) & set(deployer["secrets"])
    assert cluster.links(first, "exact")["imagePullSecrets"] == ["exact-dockercfg-own", "second"]


def test_a_service_account_that_is_created_later_is_waited_for(
    cluster: Cluster, namespace: str, new_stage: NewStage
) -> None:
    create_secrets(cluster, namespace, "first")
    stage = new_stage("wait.yml", namespace, variables={"target_namespace": namespace, "seconds": 60})
    # the module has started by then, and has looked at least once on any machine that is not much slower
    creation = threading.Timer(5.0, cluster.create_account, (namespace, "late"))
    creation.start()
    started = time.monotonic()

    stage.run()

    creation.join()
    assert time.monotonic() - started >= 5.0
    assert without_own(cluster.links(namespace, "late"))["imagePullSecrets"] == ["first"]


def test_a_service_account_that_never_comes_is_named(namespace: str, new_stage: NewStage) -> None:
    stage = new_stage("wait.yml", namespace, variables={"target_namespace": namespace, "seconds": 1})

    run = stage.run_to_fail("--diff")

    assert run.messages() == {
        "Wait and link": (
            f'The service account "late" does not exist in the namespace "{namespace}" and did not appear within 1 '
            "second; create it first, or check its name"
        )
    }
