# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories that one run reads: connections, logins and trust put together; each repository is opened once.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import threading
import typing as t

from ansible.module_utils.basic import missing_required_lib

from .._core.errors import MissingLibraryError
from .._core.references import DEFAULT_REGISTRY, PullSpec
from .repository import RegistryRepository
from .session import HAS_REQUESTS, Patience, RegistryHttp, RegistryNetwork

if t.TYPE_CHECKING:
    from .._credentials.auth_document import Login


class RegistryReader:
    """Opens repositories; safe to use from several threads. ``close`` gives the connections back."""

    def __init__(self, *, pool_size: int = 8, patience: Patience | None = None) -> None:
        if not HAS_REQUESTS:
            raise MissingLibraryError(missing_required_lib("requests"))
        self._network = RegistryNetwork(pool_size)
        self._patience = patience
        self._lock = threading.Lock()
        self._registries: dict[tuple[str, bool, str | None], RegistryHttp] = {}
        self._repositories: dict[tuple[t.Any, ...], RegistryRepository] = {}

    def __enter__(self) -> RegistryReader:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._network.close()

    def repository(self, spec: PullSpec, login: Login | None, *, insecure: bool = False, ca_cert: str | None = None) -> RegistryRepository:
        """The repository of a pull spec, as one login reads it; the same object for the same arguments, so that a token is
        fetched once. Raises ConfigurationError for a CA file that cannot be used."""
        registry = spec.registry or DEFAULT_REGISTRY
        with self._lock:
            way = (registry, insecure, ca_cert)
            if way not in self._registries:
                self._registries[way] = RegistryHttp(self._network, registry, insecure=insecure, ca_cert=ca_cert, patience=self._patience)
            which = (*way, spec.location, login)
            if which not in self._repositories:
                self._repositories[which] = RegistryRepository(self._registries[way], spec, login)
            return self._repositories[which]
