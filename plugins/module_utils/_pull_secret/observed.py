# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cluster has of a pull secret, and which other registry secrets are beside it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.facts import ReadingClient
from .._cluster.paths import core_path
from .._core.errors import Forbidden, NotFound
from .._core.owners import Owner, owner_of
from .._credentials.auth_document import AuthDocument
from .._credentials.registry_secrets import (
    RegistrySecret,
    read_secret_object,
    registry_secrets,
    secret_texts,
)
from .._credentials.secret_types import CONSUMED_TYPES


class ObservedSecret(NamedTuple):
    """A Secret object as the API returned it (``raw``, never shown)."""

    raw: dict[str, t.Any]

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return f"ObservedSecret({self.metadata.get('name')!r})"

    @property
    def secret_type(self) -> str:
        return self.raw.get("type") or "Opaque"

    @property
    def metadata(self) -> dict[str, t.Any]:
        return self.raw.get("metadata") or {}

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.metadata.get("labels") or {})

    @property
    def annotations(self) -> dict[str, str]:
        return dict(self.metadata.get("annotations") or {})

    @property
    def is_immutable(self) -> bool:
        return bool(self.raw.get("immutable"))

    @property
    def owner(self) -> Owner | None:
        """Return who reconciles it besides us."""
        return owner_of("Secret", self.metadata)

    @property
    def is_dying(self) -> bool:
        """Return whether it is marked for deletion.

        It goes, with whatever is written into it, once its finalizers are done.
        """
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def waits_for(self) -> str:
        """Return what keeps a secret that is marked for deletion, in words."""
        names = ", ".join(f'"{name}"' for name in self.metadata.get("finalizers") or ())
        return f"its finalizers {names}" if names else "the server"

    @property
    def registry_secret(self) -> RegistrySecret | None:
        """Return what it holds for registries; None if it is a secret of another purpose."""
        return read_secret_object(self.raw)

    @property
    def document(self) -> AuthDocument | None:
        """Return its registries.

        Return None if there are none to read, because of its purpose or because they are malformed.
        """
        secret = self.registry_secret
        return secret.document if secret is not None else None


def observe_secret(
    client: ReadingClient, namespace: str, name: str, mask: t.Callable[..., None]
) -> ObservedSecret | None:
    """Read one secret; None if it, or its namespace, does not exist.

    ``mask`` is told every credential that was read.
    """
    try:
        raw = client.get(core_path(namespace, "secrets", name))
    except NotFound:
        return None
    mask(*secret_texts([raw]))
    return ObservedSecret(raw)


def observe_registry_secrets(
    client: ReadingClient, namespace: str, mask: t.Callable[..., None]
) -> list[RegistrySecret] | None:
    """Read all secrets of the namespace that imports use; None if the caller may not list secrets."""
    found: list[dict[str, t.Any]] = []
    try:
        for secret_type in CONSUMED_TYPES:
            found += client.list_items(core_path(namespace, "secrets"), query={"fieldSelector": f"type={secret_type}"})
    except Forbidden:
        return None
    mask(*secret_texts(found))
    return registry_secrets(found)
