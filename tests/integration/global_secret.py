# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster's global pull secret, borrowed by one test at a time and given back as it was."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .cluster import Cluster, Document

_INFRASTRUCTURE = "/apis/config.openshift.io/v1/infrastructures/cluster"
NAMESPACE, NAME = "openshift-config", "pull-secret"


@contextmanager
def borrowed(cluster: Cluster, run: str) -> Iterator[None]:
    """Keep other processes of this ``run`` from it meanwhile; afterwards its content is what it was, or it is gone
    again. A hosting cluster would put it back meanwhile."""
    if _topology(cluster) == "External":
        pytest.skip("another cluster hosts the control plane, and keeps the global pull secret")
    with Path(tempfile.gettempdir(), f"quayside-test-{run}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster.call(
            "POST",
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            allowed=409,
        )
        before = find(cluster)
        try:
            yield
        finally:
            put(cluster, before)


def _topology(cluster: Cluster) -> str:
    """Where the control plane runs; "" if the cluster does not say."""
    try:
        infrastructure = cluster.call("GET", _INFRASTRUCTURE, allowed=404)
    except ValueError:
        # If the kind is not served the answer is no JSON.
        return ""
    status = infrastructure["status"] if infrastructure["kind"] == "Infrastructure" else {}
    return str(status.get("controlPlaneTopology", ""))


def find(cluster: Cluster) -> Document | None:
    """Return the secret as it is, None if there is none."""
    found = cluster.call("GET", cluster.path("secrets", NAMESPACE, NAME), allowed=404)
    return found if found["kind"] == "Secret" else None


def put(cluster: Cluster, wanted: Document | None) -> None:
    """Make it so: the data of ``wanted``, or no secret."""
    now = find(cluster)
    if wanted is None:
        cluster.call("DELETE", cluster.path("secrets", NAMESPACE, NAME), allowed=404)
    elif now is None:
        metadata = {"name": NAME, "namespace": NAMESPACE}
        cluster.create("secrets", NAMESPACE, {"apiVersion": "v1", "kind": "Secret", **wanted, "metadata": metadata})
    elif now["data"] != wanted["data"]:
        cluster.put("secrets", {**now, "data": wanted["data"]})
