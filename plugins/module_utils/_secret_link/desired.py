# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which secrets a service account must be linked to: options, checked and typed, without any access to the cluster.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .._core.names import names_from
from .._core.numbers import check_numbers

# What the option calls a list, and the field of the service account.
LIST_FIELDS = {"pull": "imagePullSecrets", "mount": "secrets"}


class DesiredLinks(NamedTuple):
    """The links as the task wants them, for each of its service accounts the same.

    ``state`` is present, absent or exact; ``purposes`` are the lists it is about, pull, mount or both. ``pending`` are
    secrets that check mode takes to be there, because an earlier task of the play would have created them.
    With ``take_over`` accounts are written though somebody else reconciles them.
    """

    secrets: tuple[str, ...]
    purposes: tuple[str, ...] = ("pull",)
    state: str = "present"
    pending: tuple[str, ...] = ()
    take_over: bool = False


class AccountName(NamedTuple):
    """One service account."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Waiting(NamedTuple):
    """How long, in seconds, a service account that does not exist yet is waited for, and how long between two looks."""

    timeout: float = 30
    pause: float = 1


def desired_links(params: t.Mapping[str, t.Any]) -> DesiredLinks:
    """Return what the options of ``sa_secret_link`` ask for.

    Raise ``InputError`` with the whole message if they cannot be.
    """
    take_over = bool(params.get("take_over"))
    purposes = tuple(purpose for purpose in LIST_FIELDS if purpose in params["for"])
    if not purposes:
        raise InputError("for: the list is empty; give pull, mount or both")
    if params["state"] == "exact" and not params["secrets"]:
        # An empty list is a wish here: no link but those of the cluster itself.
        return DesiredLinks((), purposes, "exact", take_over=take_over)
    return DesiredLinks(
        names_from("secrets", params["secrets"]),
        purposes,
        params["state"],
        tuple(params.get("pending_secrets") or ()),
        take_over,
    )


def account_names(namespaces: t.Sequence[str], params: t.Mapping[str, t.Any]) -> list[AccountName]:
    """Return the service accounts of the options, namespace by namespace."""
    names = names_from("service_accounts", params["service_accounts"])
    return [AccountName(namespace, name) for namespace in namespaces for name in names]


def waiting_from(params: t.Mapping[str, t.Any]) -> Waiting:
    """Return the options ``wait_timeout`` and ``wait_sleep``; raise ``InputError`` if they make no sense."""
    check_numbers(params, wait_timeout=0, wait_sleep=1)
    return Waiting(params["wait_timeout"], params["wait_sleep"])
