# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster that was given has to have before tests run on it, and the lock that keeps a second run away from
it."""

from __future__ import annotations

import datetime as dt
import socket
import typing as t

from .cluster import Cluster
from .global_secret import NAME as PULL_SECRET
from .global_secret import NAMESPACE as PULL_SECRET_NAMESPACE

LOCK_NAMESPACE, LOCK = "default", "quayside-integration-tests"
_LOCKS = f"/api/v1/namespaces/{LOCK_NAMESPACE}/configmaps"
_IMAGE_CONFIG = "/apis/config.openshift.io/v1/images/cluster"
_EDIT = "/apis/rbac.authorization.k8s.io/v1/clusterroles/edit"


class Occupied(Exception):
    """Another run works on the cluster."""


def missing(cluster: Cluster) -> list[str]:
    """Return what the cluster lacks, a sentence each."""
    if not cluster.allows({"verb": "*", "group": "*", "resource": "*"}):
        return [
            (
                "KUBECONFIG is not a cluster administrator's: the tests create namespaces, roles and bindings, and "
                "users with rights of their own."
            )
        ]
    found = []
    if not _is_there(cluster, "/apis/image.openshift.io/v1"):
        found.append("The cluster does not serve image.openshift.io/v1.")
    if not _is_there(cluster, _IMAGE_CONFIG):
        found.append("There is no images.config.openshift.io/cluster, without which every import fails.")
    if not _may_import(cluster.call("GET", _EDIT, allowed=404).get("rules") or []):
        found.append(
            'The ClusterRole "edit" does not allow to create imagestreamimports: on OpenShift a controller aggregates '
            "it from roles with the label rbac.authorization.k8s.io/aggregate-to-edit. Let that controller run, or put "
            "the rules of the image API into it."
        )
    if not _is_there(cluster, cluster.path("secrets", PULL_SECRET_NAMESPACE, PULL_SECRET)):
        found.append(
            f"There is no global pull secret ({PULL_SECRET_NAMESPACE}/{PULL_SECRET}), which every OpenShift cluster "
            "has."
        )
    return found


def occupy(cluster: Cluster, run: str) -> None:
    """Keep other runs away, or raise Occupied: two at once would change the same global pull secret."""
    data = {"run": run, "host": socket.gethostname(), "since": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": LOCK}, "data": data}
    answer = cluster.call("POST", _LOCKS, body, allowed=409)
    if answer["kind"] != "ConfigMap":
        other: dict[str, t.Any] = cluster.call("GET", f"{_LOCKS}/{LOCK}").get("data") or {}
        raise Occupied(
            f"Another run of these tests works on this cluster: {other.get('run')} on {other.get('host')} since "
            f"{other.get('since')}. If it was killed: kubectl delete configmap -n {LOCK_NAMESPACE} {LOCK}"
        )


def release(cluster: Cluster) -> None:
    """Let other runs in."""
    cluster.call("DELETE", f"{_LOCKS}/{LOCK}", allowed=404)


def _is_there(cluster: Cluster, path: str) -> bool:
    try:
        return cluster.call("GET", path, allowed=404).get("kind") != "Status"
    except ValueError:
        # The answer of a group that is not served is no JSON.
        return False


def _may_import(rules: list[dict[str, t.Any]]) -> bool:
    wanted = {"verbs": "create", "apiGroups": "image.openshift.io", "resources": "imagestreamimports"}
    return any(all({name, "*"} & set(rule.get(key) or ()) for key, name in wanted.items()) for rule in rules)
