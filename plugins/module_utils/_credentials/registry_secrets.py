# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the registry secrets of a namespace mean together: which credential an import uses, and why.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

An import uses every secret of its namespace of the two Docker types, linked to a service account or not, except those
that are excluded by annotation; after them the cluster's global pull secret, which is not looked at here
(server-behaviour.md 2.8; contract cases secret_types_for_import, secret_shadowing, secret_malformed_breaks_namespace).
"""

from __future__ import annotations

import base64
import typing as t
from typing import NamedTuple

from .._core.owners import owner_of
from .auth_document import (
    AuthDocument,
    MalformedAuth,
    decode_entry,
    parse_document,
)
from .keyring import (
    DOCKER_HUB,
    DOCKER_HUB_FALLBACK,
    Keyring,
    KeyringEntry,
    RegistryKey,
    file_key,
    shown_key,
)
from .secret_types import CONSUMED_TYPES, DATA_KEYS

EXCLUDE_ANNOTATION = "openshift.io/image.excludeSecret"


class RegistrySecret(NamedTuple):
    """A secret with registry credentials, as the cluster has it.

    ``document`` is None if the cluster could not read it either; ``problem`` then says why. ``managed_by`` is who
    reconciles it, in words.
    """

    name: str
    secret_type: str
    excluded: bool
    document: AuthDocument | None
    problem: str = ""
    managed_by: str = ""

    @property
    def is_candidate(self) -> bool:
        """Say whether imports of the namespace take this secret into account."""
        return self.secret_type in CONSUMED_TYPES and not self.excluded

    @property
    def breaks_imports(self) -> str:
        """Return why this secret breaks every import of its namespace, as the end of a sentence.

        Return "" if it does not.
        """
        if not self.is_candidate:
            return ""
        if self.document is None:
            return self.problem
        for key, reason in self.document.malformed().items():
            return f'its entry for "{shown_key(key)}" cannot be decoded: {reason}'
        return ""


def read_secret_object(secret: t.Mapping[str, t.Any]) -> RegistrySecret | None:
    """Return what a Secret object of the API holds for registries, or None if it is not meant for them.

    A secret of another type counts when it has the data key of one: it is what people create by mistake.
    """
    metadata = secret.get("metadata") or {}
    data = secret.get("data") or {}
    secret_type = secret.get("type") or "Opaque"
    name = metadata.get("name", "")
    excluded = (metadata.get("annotations") or {}).get(EXCLUDE_ANNOTATION) == "true"
    owner = owner_of("Secret", metadata)
    managed_by = owner.name if owner is not None else ""
    data_key = DATA_KEYS.get(secret_type) or next((key for key in DATA_KEYS.values() if key in data), None)
    if data_key is None:
        return None
    content_type = (
        secret_type if secret_type in DATA_KEYS else next(kind for kind, key in DATA_KEYS.items() if key == data_key)
    )
    if not data.get(data_key):
        # The importer passes over a secret without content.
        return RegistrySecret(name, secret_type, excluded, AuthDocument(), "", managed_by)
    try:
        text = base64.b64decode(data[data_key]).decode("utf-8", "replace")
        return RegistrySecret(name, secret_type, excluded, parse_document(text, content_type), "", managed_by)
    except MalformedAuth as exc:
        return RegistrySecret(name, secret_type, excluded, None, f'its "{data_key}" cannot be read: {exc}', managed_by)


def registry_secrets(objects: t.Iterable[t.Mapping[str, t.Any]]) -> list[RegistrySecret]:
    """Return the registry secrets among Secret objects, by name, which is the order of the API server."""
    found = [secret for secret in map(read_secret_object, objects) if secret is not None]
    return sorted(found, key=lambda secret: secret.name)


def keyring_of(secrets: t.Iterable[RegistrySecret]) -> Keyring:
    """Return the keyring of the secrets; an entry that cannot be decoded is left out."""
    entries = []
    for secret in secrets:
        for written, raw in (secret.document.auths if secret.document else {}).items():
            try:
                login = decode_entry(raw)
            except MalformedAuth:
                continue
            entries.append(KeyringEntry(secret.name, written, login.username, login.password))
    return Keyring(entries)


def secret_texts(objects: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return every text of registry secrets that must never be shown, the base64 of the whole content included."""
    found: list[str] = []
    for secret in objects:
        data = secret.get("data") or {}
        found.extend(data[key] for key in DATA_KEYS.values() if data.get(key))
        parsed = read_secret_object(secret)
        if parsed is not None and parsed.document is not None:
            found.extend(parsed.document.secrets())
    return list(dict.fromkeys(found))


class Hider(NamedTuple):
    """The entry that imports use in the place of another one: its secret, its key as written there, and the rule.

    ``rule`` is "order" (of the names of secrets), "fallback" (index.docker.io comes last) or "chance" (both are in
    one secret).
    """

    secret: str
    written: str
    rule: str

    def because(self, name: str) -> str:
        """Return the reason as half a sentence about an entry of the secret ``name``."""
        whose = "the same secret" if self.secret == name else f'the secret "{self.secret}"'
        if self.rule == "chance":
            return (
                f'{whose} has another credential under "{shown_key(self.written)}", which is the same registry, and '
                "chance decides which one is used"
            )
        if self.rule == "fallback":
            return (
                f'{whose} has the key "{shown_key(self.written)}", and {DOCKER_HUB_FALLBACK} is used only if no other '
                "key matches"
            )
        return (
            f"{whose} has another credential for it and comes first, because secrets are tried in the order of their "
            "names"
        )


def hidden_keys(name: str, written_keys: t.Iterable[str], secrets: t.Sequence[RegistrySecret]) -> dict[str, Hider]:
    """Return the keys of the secret ``name`` that no import ever gets to, each with the entry that hides it.

    ``secrets`` are all registry secrets of the namespace, ``name`` included. An entry is hidden by one with another
    credential for the same key in a secret whose name sorts before; Docker Hub's index.docker.io by any docker.io,
    also of the same secret.
    """
    candidates = [secret for secret in secrets if secret.is_candidate]
    if name not in [secret.name for secret in candidates]:
        return {}
    keyring = keyring_of(candidates)
    found: dict[str, Hider] = {}
    for written in written_keys:
        key = file_key(written)
        if key is None:
            continue
        same = keyring.entries(key)
        own = next((entry for entry in same if entry.secret == name and entry.written == written), None)
        if own is None:
            continue
        before = (
            [(entry, "fallback") for entry in keyring.entries(RegistryKey(DOCKER_HUB, ""))]
            if str(key) == DOCKER_HUB_FALLBACK
            else []
        )
        before += [
            (entry, "order" if entry.secret != name else "chance")
            for entry in same
            if entry.secret < name or entry.secret == name
        ]
        rival, rule = before[0]
        if rule == "chance":
            rival = next((entry for entry, _rule in before if entry.login != own.login), own)
        if rival.login != own.login:
            found[written] = Hider(rival.secret, rival.written, rule)
    return found
