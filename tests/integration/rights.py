# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users with the rights of a manifest in docs/rbac, and nothing else."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from .cluster import Access, Cluster, Document, rights_of

MANIFESTS = Path(__file__).resolve().parents[2] / "docs" / "rbac"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Rights:
    """The roles of manifests, under names of this test's own, until ``remove``. ``word`` tells them from other
    tests'."""

    def __init__(self, cluster: Cluster, word: str) -> None:
        self._cluster = cluster
        self._word = word
        self._kinds: dict[str, str] = {}
        self._rules: dict[str, list[Document]] = {}
        self._made: list[str] = []

    def apply(self, manifest: str) -> None:
        """Create the roles of a manifest; a Role in the namespace that it names."""
        content = yaml.safe_load((MANIFESTS / manifest).read_text(encoding="utf-8"))
        for role in content["items"] if content["kind"] == "List" else [content]:
            metadata = role["metadata"]
            self._kinds[metadata["name"]] = role["kind"]
            self._rules[metadata["name"]] = role["rules"]
            metadata["name"] = self._named(metadata["name"])
            self._create(_collection(role["kind"], metadata.get("namespace", "")), role)

    def user(self, home: str, *bindings: tuple[str, str]) -> Access:
        """Return a service account in ``home`` with roles, each in a namespace, or with "" in the whole cluster; they
        count when it returns."""
        name = f"user-{len(self._made)}"
        self._cluster.create_account(home, name)
        for role, namespace in bindings:
            kind = "RoleBinding" if namespace else "ClusterRoleBinding"
            body: dict[str, t.Any] = {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": f"{self._named(role)}-{name}"},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": self._kinds[role],
                    "name": self._named(role),
                },
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": home}],
            }
            self._create(_collection(kind, namespace), body)
        rights = [right for role, namespace in bindings for right in rights_of(self._rules[role], namespace)]
        access = self._cluster.with_rights(self._cluster.access_of(home, name), rights)
        self._cluster.settled([home])
        return access

    def remove(self) -> None:
        """Take the roles and bindings away; the service accounts go with their namespaces."""
        for path in reversed(self._made):
            self._cluster.call("DELETE", path, allowed=404)

    def _named(self, role: str) -> str:
        return f"{role}-{self._word}"

    def _create(self, collection: str, body: dict[str, t.Any]) -> None:
        self._cluster.call("POST", collection, body)
        self._made.append(f"{collection}/{body['metadata']['name']}")


def _collection(kind: str, namespace: str) -> str:
    plural = f"{kind.lower()}s"
    return f"{_RBAC}/namespaces/{namespace}/{plural}" if namespace else f"{_RBAC}/{plural}"
