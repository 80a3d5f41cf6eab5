# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials that are taken from other secrets of the cluster, before anything is planned with them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

What is taken is what an entry means, so the secret that is written has it in the form of its own type. Each secret
is read once.
"""

from __future__ import annotations

import typing as t

from .._cluster.facts import ReadingClient
from .._cluster.paths import core_path
from .._core.errors import CollectionError, Forbidden, NotFound
from .._credentials.auth_document import AuthDocument, Login, MalformedAuth, decode_entry
from .._credentials.keyring import shown_key
from .._credentials.registry_secrets import read_secret_object, secret_texts
from .desired import DesiredRegistry, DesiredSecret, SecretSource


class SourceUnusable(CollectionError):
    """The secret that a credential is to be taken from does not give it; ``reason`` is the server's, if it says so."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


def take_from_secrets(client: ReadingClient, desired: DesiredSecret, mask: t.Callable[..., None]) -> DesiredSecret:
    """Return ``desired`` with every credential that comes from a secret.

    Raise ``SourceUnusable`` if one of them is not there.
    """
    documents: dict[SecretSource, AuthDocument] = {}
    registries = []
    for registry in desired.registries:
        if registry.source is not None:
            if registry.source not in documents:
                documents[registry.source] = _read(client, registry.source, mask)
            registry = registry._replace(login=_login(registry, documents[registry.source]), source=None)
        registries.append(registry)
    return desired._replace(registries=tuple(registries))


def _read(client: ReadingClient, source: SecretSource, mask: t.Callable[..., None]) -> AuthDocument:
    try:
        raw = client.get(core_path(source.namespace, "secrets", source.name))
    except NotFound:
        raise SourceUnusable(f"from_secret: {source} does not exist; create it first, or check the names") from None
    except Forbidden as exc:
        raise SourceUnusable(f"from_secret: {source} cannot be read: {exc.message}", exc.reason) from None
    mask(*secret_texts([raw]))
    secret = read_secret_object(raw)
    if secret is None:
        raise SourceUnusable(
            f"from_secret: {source} is of the type {raw.get('type') or 'Opaque'} and holds no registry credentials"
        )
    if secret.document is None:
        raise SourceUnusable(f"from_secret: {source} cannot be used: {secret.problem}")
    return secret.document


def _login(registry: DesiredRegistry, document: AuthDocument) -> Login:
    begin = f'from_secret: the entry for "{registry.registry}" of {registry.source}'
    keys = document.keys_of(registry.registry)
    if not keys:
        known = ", ".join(f'"{shown_key(key)}"' for key in document.auths) or "none at all"
        raise SourceUnusable(f'from_secret: {registry.source} has no entry for "{registry.registry}"; it has {known}')
    try:
        login = decode_entry(document.auths[registry.registry if registry.registry in keys else keys[0]])
    except MalformedAuth as exc:
        raise SourceUnusable(f"{begin} cannot be used: {exc}") from None
    if login.is_empty and not login.identity_token:
        raise SourceUnusable(f"{begin} has no credential")
    given = registry.login or Login()
    return login._replace(email=given.email or login.email)
