# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is declared for one cluster, and how it is compared.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

if t.TYPE_CHECKING:
    from .._import_engine.desired import DesiredStream
    from .._pull_secret.desired import DesiredSecret
    from .._secret_link.desired import AccountName, DesiredLinks


class DeclaredSecret(NamedTuple):
    """A pull secret in its namespaces; ``verify`` logs in to its registries first.

    With ``is_global`` it is the cluster's, wherever this cluster has it; ``import_namespaces`` get a copy if the
    control plane is hosted.
    """

    desired: DesiredSecret
    namespaces: tuple[str, ...]
    verify: bool = False
    is_global: bool = False
    import_namespaces: tuple[str, ...] = ()


class DeclaredLinks(NamedTuple):
    """The links from service accounts to one secret."""

    desired: DesiredLinks
    accounts: tuple[AccountName, ...]


class Declared(NamedTuple):
    """What is declared for a cluster. With ``approved``, the ids of changes, nothing but these is to be changed."""

    secrets: tuple[DeclaredSecret, ...] = ()
    links: tuple[DeclaredLinks, ...] = ()
    streams: tuple[DesiredStream, ...] = ()
    approved: frozenset[str] | None = None

    def texts_to_hide(self) -> list[str]:
        """Return every string that must never be shown."""
        return [text for secret in self.secrets for text in secret.desired.secrets()]


class Settings(NamedTuple):
    """How a comparison is made: times in seconds, ``concurrency`` requests at a time.

    What ends within ``expires_within`` hours is told.
    """

    check_mode: bool
    mask: t.Callable[..., None]
    concurrency: int
    timeout: int
    wait_timeout: int = 0
    only_changed: bool = False
    platforms: bool = False
    expires_within: int = 0
