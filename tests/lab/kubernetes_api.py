# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few API calls that set a lab up: namespaces, users as service accounts, rights, tokens."""

from __future__ import annotations

import json
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import requests

USERS_NAMESPACE = "lab-users"
PROJECT_ACCOUNTS = frozenset({"default", "builder", "deployer"})
_ACCOUNTS_SECONDS = 20.0
_TOKEN_SECONDS = 24 * 3600
_CONFLICT = 409


@dataclass(frozen=True)
class ApiAccess:
    """How to reach an API server; ``token`` is kept out of the text form."""

    host: str
    ca_file: Path
    token: str

    def __repr__(self) -> str:
        return f"ApiAccess(host={self.host!r})"


class LabSetup:
    """Calls with an administrator's token; what exists already is left as it is."""

    def __init__(self, access: ApiAccess) -> None:
        self._host = access.host
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(access.ca_file)
        self._session.headers.update({"Authorization": f"Bearer {access.token}", "Content-Type": "application/json"})

    def __enter__(self) -> LabSetup:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._session.close()

    def create_namespace(self, name: str) -> None:
        """Create a namespace; return when it has the service accounts that every OpenShift project gets, or raise
        TimeoutError."""
        self._create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        deadline = time.monotonic() + _ACCOUNTS_SECONDS
        while not self._accounts(name) >= PROJECT_ACCOUNTS:
            if time.monotonic() > deadline:
                raise TimeoutError(f"namespace {name} has no service accounts after {_ACCOUNTS_SECONDS:.0f} seconds")
            time.sleep(0.1)

    def _accounts(self, namespace: str) -> set[str]:
        answer = self._session.get(f"{self._host}/api/v1/namespaces/{namespace}/serviceaccounts", timeout=30)
        answer.raise_for_status()
        return {account["metadata"]["name"] for account in answer.json()["items"]}

    def create_account(self, namespace: str, name: str) -> None:
        """Create a service account."""
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
        self._create(f"/api/v1/namespaces/{namespace}/serviceaccounts", body)

    def create_user(self, name: str, rights: dict[str, str]) -> str:
        """Return a user (a service account of a namespace for users) with a ClusterRole in each namespace of
        ``rights``; returns a token of its own."""
        self._create(
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": USERS_NAMESPACE}},
        )
        self.create_account(USERS_NAMESPACE, name)
        for namespace, role in rights.items():
            body = {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": f"lab-{name}", "namespace": namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": USERS_NAMESPACE}],
            }
            self._create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", body)
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        path = f"/api/v1/namespaces/{USERS_NAMESPACE}/serviceaccounts/{name}/token"
        return str(self._post(path, request).json()["status"]["token"])

    def _create(self, path: str, body: dict[str, t.Any]) -> None:
        self._post(path, body, allowed=_CONFLICT)

    def _post(self, path: str, body: dict[str, t.Any], allowed: int = 0) -> requests.Response:
        answer = self._session.post(self._host + path, data=json.dumps(body), timeout=30)
        if answer.status_code != allowed:
            answer.raise_for_status()
        return answer
