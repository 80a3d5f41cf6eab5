# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registry secrets and service accounts as the cluster has them: one LIST of each, of a namespace or of all.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.facts import ReadingClient, require_namespace
from .._cluster.paths import core_path
from .._core.concurrency import concurrent_map, each_with_outcome
from .._core.errors import CollectionError, NotFound
from .._credentials.registry_secrets import RegistrySecret, read_secret_object
from .._credentials.secret_types import DOCKER_CFG
from .._secret_link.observed import Account
from .desired import AccessSelection

# Secrets of these types hold no registry credentials: they are not even asked for.
_OTHER_TYPES = (
    "kubernetes.io/service-account-token",
    "kubernetes.io/tls",
    "kubernetes.io/basic-auth",
    "kubernetes.io/ssh-auth",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
)
_OPAQUE = "Opaque"
# The secrets of a whole cluster in one answer could be hundreds of megabytes.
_PAGE = {"limit": "500"}

# What the cluster writes into the secrets that it makes for service accounts: since 4.16, and before.
_MANAGED_ANNOTATIONS = ("openshift.io/internal-registry-auth-token.service-account", "openshift.io/token-secret.name")
_OWNER_ANNOTATION = "kubernetes.io/service-account.name"


class NamespaceAccess(NamedTuple):
    """What was read of one namespace. ``secrets`` (by name) and ``accounts`` are None if they could not be read.

    ``managed`` are the names of the secrets that the cluster itself keeps; they count for imports as all others do.
    """

    namespace: str
    secrets: list[RegistrySecret] | None = None
    managed: frozenset[str] = frozenset()
    accounts: list[Account] | None = None
    error: CollectionError | None = None


def observe_access(client: ReadingClient, wanted: AccessSelection, width: int) -> list[NamespaceAccess]:
    """Read what ``wanted`` selects with at most ``width`` requests at once.

    Namespaces in their order, of all by name.

    A namespace that could not be read has an ``error`` and hides no other; if all namespaces, or their labels,
    cannot be listed, that error is raised.
    """
    if wanted.namespaces is None and not wanted.namespace_selector:
        return _observe_everywhere(client, wanted, width)
    namespaces = wanted.namespaces
    if namespaces is None:
        items = client.list_items("/api/v1/namespaces", query={"labelSelector": wanted.namespace_selector})
        namespaces = tuple(sorted(item["metadata"]["name"] for item in items))
    return each_with_outcome(
        [namespace for namespace in namespaces if not wanted.skips(namespace)],
        lambda namespace: _observe_namespace(client, wanted, namespace),
        lambda namespace, error: NamespaceAccess(namespace, error=error),
        width=width,
    )


def is_managed_secret(secret: t.Mapping[str, t.Any]) -> bool:
    """Say whether the cluster itself keeps this Secret object.

    It holds the credential of a service account for the cluster's own registry.
    """
    annotations = (secret.get("metadata") or {}).get("annotations") or {}
    if any(name in annotations for name in _MANAGED_ANNOTATIONS):
        return True
    return secret.get("type") == DOCKER_CFG and _OWNER_ANNOTATION in annotations


def _observe_everywhere(client: ReadingClient, wanted: AccessSelection, width: int) -> list[NamespaceAccess]:
    queries = {"/api/v1/secrets": {**_secret_query(wanted), **_PAGE}}
    if wanted.links:
        queries["/api/v1/serviceaccounts"] = _PAGE
    lists = concurrent_map(lambda path: client.list_items(path, query=queries[path]), queries, width)
    of_namespace: dict[str, tuple[list[dict[str, t.Any]], list[Account]]] = {}
    for position, items in enumerate(lists):
        for item in items:
            of_namespace.setdefault(item["metadata"]["namespace"], ([], []))[position].append(item)
    return [
        _observed(namespace, own_secrets, own_accounts if wanted.links else None)
        for namespace, (own_secrets, own_accounts) in sorted(of_namespace.items())
        if not wanted.skips(namespace)
    ]


def _observe_namespace(client: ReadingClient, wanted: AccessSelection, namespace: str) -> NamespaceAccess:
    secrets: list[dict[str, t.Any]] | None = None
    accounts: list[Account] | None = None
    errors: list[CollectionError] = []
    try:
        secrets = _read_secrets(client, wanted, namespace)
    except CollectionError as exc:
        errors.append(exc)
    if wanted.links and not errors:
        try:
            accounts = client.list_items(core_path(namespace, "serviceaccounts"))
        except CollectionError as exc:
            errors.append(exc)
    if secrets is not None and not secrets and not accounts:
        # A list of a namespace that does not exist is empty, as that of an empty one is.
        try:
            require_namespace(client, namespace, "there is nothing to describe")
        except CollectionError as exc:
            errors.append(exc)
    return _observed(namespace, secrets, accounts, errors[0] if errors else None)


def _read_secrets(client: ReadingClient, wanted: AccessSelection, namespace: str) -> list[dict[str, t.Any]]:
    if not wanted.name:
        return client.list_items(core_path(namespace, "secrets"), query=_secret_query(wanted))
    try:
        return [client.get(core_path(namespace, "secrets", wanted.name))]
    except NotFound:
        return []


def _secret_query(wanted: AccessSelection) -> dict[str, str]:
    left_out = _OTHER_TYPES if wanted.include_opaque else (*_OTHER_TYPES, _OPAQUE)
    terms = [f"metadata.name={wanted.name}"] if wanted.name else [f"type!={secret_type}" for secret_type in left_out]
    return {"fieldSelector": ",".join(terms)}


def _observed(
    namespace: str,
    secrets: list[dict[str, t.Any]] | None,
    accounts: list[Account] | None,
    error: CollectionError | None = None,
) -> NamespaceAccess:
    found = [(item, read_secret_object(item)) for item in secrets or ()]
    described = sorted((secret for _item, secret in found if secret is not None), key=lambda secret: secret.name)
    managed = frozenset(secret.name for item, secret in found if secret is not None and is_managed_secret(item))
    return NamespaceAccess(namespace, None if secrets is None else described, managed, accounts, error)
