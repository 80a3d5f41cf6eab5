# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service accounts as the cluster has them, and whether the secrets to link exist.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.facts import ReadingClient
from .._cluster.paths import core_path
from .._core.concurrency import IMPORTING
from .._core.errors import CollectionError, Forbidden, NotFound
from .desired import AccountName

Account = dict[str, t.Any]


def observe_account(client: ReadingClient, account: AccountName) -> Account | None:
    """Read one service account; None if it, or its namespace, does not exist."""
    try:
        found: Account = client.get(core_path(account.namespace, "serviceaccounts", account.name))
    except NotFound:
        return None
    return found


def observe_accounts(client: ReadingClient, namespace: str) -> dict[str, Account]:
    """Read all service accounts of a namespace with one call, by name.

    Empty if the caller may not list them, or if that fails otherwise: each is then read for itself, and has an
    error of its own.
    """
    try:
        items = client.list_items(core_path(namespace, "serviceaccounts"))
    except CollectionError:
        return {}
    return {item["metadata"]["name"]: item for item in items}


def secret_types(
    client: ReadingClient, namespace: str, names: t.Iterable[str], mask: t.Callable[..., None]
) -> dict[str, str | None]:
    """Return the types of those of the secrets that the caller may read, None for one that does not exist."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            secret = client.get(core_path(namespace, "secrets", name))
        except NotFound:
            found[name] = None
        except Forbidden:
            continue
        else:
            with IMPORTING:
                from .._credentials.registry_secrets import secret_texts  # noqa: PLC0415 - for secrets that exist only
            mask(*secret_texts([secret]))
            found[name] = secret.get("type") or "Opaque"
    return found
