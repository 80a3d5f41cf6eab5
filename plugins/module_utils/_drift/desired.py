# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is declared for one cluster, as the modules for single parts take it: options become typed, checked values.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._import_engine.desired import DesiredStream, desired_streams

if t.TYPE_CHECKING:
    from .._pull_secret.desired import DesiredSecret
    from .._secret_link.desired import AccountName, DesiredLinks


class DeclaredSecret(NamedTuple):
    """A pull secret in its namespaces; ``verify`` logs in to its registries first, ``look_around`` warns about others beside it."""

    desired: DesiredSecret
    namespaces: tuple[str, ...]
    verify: bool = False
    look_around: bool = True


class DeclaredLinks(NamedTuple):
    """The links from service accounts to one secret."""

    desired: DesiredLinks
    accounts: tuple[AccountName, ...]


class Declared(NamedTuple):
    """What shall be on a cluster. With ``approved``, the ids of changes, nothing but these is to be changed."""

    secrets: tuple[DeclaredSecret, ...] = ()
    links: tuple[DeclaredLinks, ...] = ()
    streams: tuple[DesiredStream, ...] = ()
    approved: frozenset[str] | None = None

    def texts_to_hide(self) -> list[str]:
        """Return every text that must never be shown."""
        return [text for secret in self.secrets for text in secret.desired.secrets()]


def declared(params: t.Mapping[str, t.Any]) -> Declared:
    """Turn the options of cluster_drift into what is declared; ``InputError`` names the entry at fault."""
    secrets: tuple[DeclaredSecret, ...] = ()
    links: tuple[DeclaredLinks, ...] = ()
    if params["secrets"] or params["cluster_pull_secret"]:
        from .desired_secrets import declared_secrets

        secrets, links = declared_secrets(params)
    everything = Declared(secrets, links, _streams(params))
    if params["approved"] is None:
        return everything
    from .approved import only_approved

    return only_approved(everything, params["approved"])


def _streams(params: t.Mapping[str, t.Any]) -> tuple[DesiredStream, ...]:
    """A comparison forces nothing: a tag that is to be imported always is one whose upstream is looked at."""
    if not params["streams"]:
        return ()
    streams = desired_streams({"streams": params["streams"], "purge_tags": params["purge_tags"], "purge_limit": params["purge_limit"]})
    if not params["upstream"]:
        return tuple(stream._replace(refresh="missing") for stream in streams)
    return tuple(stream._replace(refresh="drifted") if stream.refresh == "always" else stream for stream in streams)
