# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster does with namespaces and service accounts beside the API server, each behind a switch that is off
at first."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import typing as t
from collections.abc import Awaitable, Callable

from .admission import INTERNAL_REGISTRY
from .resources import NAMESPACES, SECRETS, SERVICE_ACCOUNTS, ResourceType
from .store import Object, Store, Stored

ACCOUNT_DELAY = 0.2
DEFAULT_ACCOUNTS = ("builder", "default", "deployer")
PULL_SECRET_ANNOTATION = "openshift.io/internal-registry-pull-secret-ref"
_OWNER_ANNOTATION = "openshift.io/internal-registry-auth-token.service-account"


class Controllers:
    """Watches the store and acts a little later, as controllers do.

    ``dockercfg``: gives every service account its secret of the internal registry and puts it back;
    ``accounts_after``: seconds after which a new namespace has its service accounts (None: never).
    """

    def __init__(self, store: Store) -> None:
        self.dockercfg = False
        self.accounts_after: float | None = None
        self._store = store
        self._running: set[asyncio.Task[None]] = set()
        self._waiting: set[tuple[ResourceType, str, str]] = set()
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to watch; to be called on the event loop."""
        self._unwatch = self._store.watch(self._notice)

    async def stop(self) -> None:
        """Stop watching, and what is under way."""
        self._unwatch()
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def revisit(self) -> None:
        """Look at everything that is stored, after a switch was turned on."""
        for resource in (NAMESPACES, SERVICE_ACCOUNTS):
            for stored in self._store.items(resource):
                self._notice("MODIFIED", resource, stored)

    def _notice(self, event: str, resource: ResourceType, stored: Stored) -> None:
        if event == "DELETED":
            return
        metadata = stored.data["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        if resource is SERVICE_ACCOUNTS and self.dockercfg:
            self._later((resource, namespace, name), ACCOUNT_DELAY, lambda: self._give_dockercfg(namespace, name))
        elif resource is NAMESPACES and self.accounts_after is not None:
            self._later((resource, "", name), self.accounts_after, lambda: self._create_accounts(name))

    def _later(self, key: tuple[ResourceType, str, str], seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        """Act once, however often the object changes until then."""
        if key in self._waiting:
            return
        self._waiting.add(key)

        async def act() -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                self._waiting.discard(key)
            await action()

        task = asyncio.get_running_loop().create_task(act())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _create_accounts(self, namespace: str) -> None:
        for name in DEFAULT_ACCOUNTS:
            known = self._store.get(SERVICE_ACCOUNTS, namespace, name)
            if known is None and self._store.get(NAMESPACES, "", namespace) is not None:
                self._store.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": name, "namespace": namespace}})

    async def _give_dockercfg(self, namespace: str, account: str) -> None:
        """Like the controller of openshift-controller-manager: its own name is added, foreign names stay."""
        stored = self._store.get(SERVICE_ACCOUNTS, namespace, account)
        if stored is None or not self.dockercfg:
            return
        data = stored.copy()
        annotations = data["metadata"].setdefault("annotations", {})
        name = annotations.get(PULL_SECRET_ANNOTATION) or f"{account}-dockercfg-{secrets.token_hex(3)[:5]}"
        if self._store.get(SECRETS, namespace, name) is None:
            self._store.create(SECRETS, namespace, _dockercfg(namespace, name, account))
        annotations[PULL_SECRET_ANNOTATION] = name
        for field in ("secrets", "imagePullSecrets"):
            entries: list[t.Any] = data.setdefault(field, [])
            if name not in [entry.get("name") for entry in entries]:
                entries.append({"name": name})
        if data != stored.data:
            self._store.replace(SERVICE_ACCOUNTS, namespace, data)


def _dockercfg(namespace: str, name: str, account: str) -> Object:
    auth = base64.b64encode(f"<token>:{secrets.token_urlsafe(16)}".encode()).decode()
    content = {INTERNAL_REGISTRY: {"username": "<token>", "email": "serviceaccount@example.org", "auth": auth}}
    return {
        "metadata": {"name": name, "namespace": namespace, "annotations": {_OWNER_ANNOTATION: account}},
        "type": "kubernetes.io/dockercfg",
        "data": {".dockercfg": base64.b64encode(json.dumps(content).encode()).decode()},
    }
