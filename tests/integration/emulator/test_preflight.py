# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a cluster on which the tests cannot run, what keeps a second run away, and what a cluster does by
itself."""

from __future__ import annotations

import typing as t

import pytest
from emulator.server import Emulator
from integration import preflight
from integration.cluster import Cluster, tags_of
from integration.rights import Rights
from integration.surroundings import Surroundings

EDIT = "/apis/rbac.authorization.k8s.io/v1/clusterroles/edit"


def test_nothing_is_missing(cluster: Cluster) -> None:
    assert preflight.missing(cluster) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/apis/config.openshift.io/v1/images/cluster", ["There is no images.config.openshift.io/cluster"]),
        (
            "/api/v1/namespaces/openshift-config/secrets/pull-secret",
            ["There is no global pull secret (openshift-config/pull-secret)"],
        ),
        (EDIT, ['The ClusterRole "edit" does not allow to create imagestreamimports']),
    ],
)
def test_what_is_missing_is_named(cluster: Cluster, path: str, words: list[str]) -> None:
    cluster.call("DELETE", path)
    found = preflight.missing(cluster)
    assert len(found) == len(words)
    assert all(sentence.startswith(start) for sentence, start in zip(found, words, strict=True))


def test_a_plain_kubernetes(emulator: Emulator, cluster: Cluster) -> None:
    emulator.cluster.discovery.openshift = False
    assert preflight.missing(cluster)[0] == "The cluster does not serve image.openshift.io/v1."


def test_a_second_run_is_kept_away(cluster: Cluster) -> None:
    preflight.occupy(cluster, "first")
    with pytest.raises(
        preflight.Occupied,
        match=r"Another run of these tests works on this cluster: first on .* kubectl delete configmap -n default",
    ):
        preflight.occupy(cluster, "second")
    preflight.release(cluster)
    preflight.occupy(cluster, "second")


@pytest.mark.parametrize(
    "switches", [{"import_controller": True}, {"import_controller": False}], ids=["with", "without"]
)
def test_what_comes_to_rest(cluster: Cluster, given: Surroundings, namespace: str, switches: dict[str, t.Any]) -> None:
    """With a controller once it has imported, without one although a tag waits."""
    image = given.image("plain", "rest", "v1")
    given.push("plain", "rest", "v1")
    tag = {"name": "v1", "from": {"kind": "DockerImage", "name": image}, "importPolicy": {"insecure": True}}
    document = {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": {"name": "web"},
        "spec": {"tags": [tag]},
    }
    cluster.create("imagestreams", namespace, document)

    now = cluster.settled([namespace])

    assert cluster.imports_by_itself() is switches["import_controller"]
    assert tags_of(now.stream(namespace, "web"))["v1"].images == int(switches["import_controller"])


def test_rights_that_do_not_come(cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right is named that the cluster does not grant."""
    monkeypatch.setattr("integration.cluster._RIGHTS_SECONDS", 0.5)
    cluster.create_account(namespace, "nobody")
    with pytest.raises(TimeoutError, match=r"the cluster does not grant .*'resource': 'secrets'"):
        cluster.with_rights(
            cluster.access_of(namespace, "nobody"), [{"verb": "get", "resource": "secrets", "namespace": namespace}]
        )
    rights = Rights(cluster, namespace)
    rights.apply("registry_access_info.yml")
    access = rights.user(namespace, ("quayside-registry-access-info", namespace))
    assert cluster.allows({"verb": "list", "resource": "secrets", "namespace": namespace}, access.token)
    rights.remove()
