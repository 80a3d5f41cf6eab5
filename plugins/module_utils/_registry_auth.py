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
from dataclasses import dataclass, field

from ansible_collections.quayside.openshift_images.plugins.module_utils._auth_document import (
    CONSUMED_TYPES,
    DATA_KEYS,
    AuthDocument,
    Login,
    MalformedAuth,
    decode_entry,
    parse_document,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._keyring import (
    DOCKER_HUB,
    DOCKER_HUB_FALLBACK,
    DOCKER_HUB_HOSTS,
    Keyring,
    KeyringEntry,
    RegistryKey,
    file_key,
    lookup_text,
    mismatch,
)

EXCLUDE_ANNOTATION = "openshift.io/image.excludeSecret"


@dataclass(frozen=True)
class RegistrySecret:
    """A secret with registry credentials, as the cluster has it.

    ``document`` is None where the cluster could not read it either; ``problem`` then says why.
    """

    name: str
    secret_type: str
    excluded: bool
    document: AuthDocument | None = field(repr=False)
    problem: str = ""

    @property
    def is_candidate(self) -> bool:
        """Say whether imports of the namespace take this secret into account."""
        return self.secret_type in CONSUMED_TYPES and not self.excluded

    @property
    def breaks_imports(self) -> str:
        """Return why this secret breaks every import of its namespace, as the end of a sentence; "" where it does not."""
        if not self.is_candidate:
            return ""
        if self.document is None:
            return self.problem
        for key, reason in self.document.malformed().items():
            return f'its entry for "{key}" cannot be decoded: {reason}'
        return ""


class Explanation(t.NamedTuple):
    """Which credential an import of one image uses, in one sentence and in parts; no part is a credential.

    ``result``: used (the entry of ``key``), anonymous (that entry has no credential), no_match (a key ``wanted_key`` would
    match), broken (``secret`` makes every import of the namespace fail), not_allowed (the secrets may not be listed).
    """

    result: str
    sentence: str
    secret: str = ""
    key: str = ""
    username: str = ""
    wanted_key: str = ""


def read_secret_object(secret: t.Mapping[str, t.Any]) -> RegistrySecret | None:
    """Return what a Secret object of the API holds for registries, or None where it is not meant for them.

    A secret of another type counts when it has the data key of one: it is what people create by mistake.
    """
    metadata = secret.get("metadata") or {}
    data = secret.get("data") or {}
    secret_type = secret.get("type") or "Opaque"
    name = metadata.get("name", "")
    excluded = (metadata.get("annotations") or {}).get(EXCLUDE_ANNOTATION) == "true"
    data_key = DATA_KEYS.get(secret_type) or next((key for key in DATA_KEYS.values() if key in data), None)
    if data_key is None:
        return None
    content_type = secret_type if secret_type in DATA_KEYS else next(kind for kind, key in DATA_KEYS.items() if key == data_key)
    if not data.get(data_key):
        # The importer passes over a secret without content.
        return RegistrySecret(name, secret_type, excluded, AuthDocument())
    try:
        text = base64.b64decode(data[data_key]).decode("utf-8", "replace")
        return RegistrySecret(name, secret_type, excluded, parse_document(text, content_type))
    except MalformedAuth as exc:
        return RegistrySecret(name, secret_type, excluded, None, f'its "{data_key}" cannot be read: {exc}')


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


def hidden_keys(name: str, written_keys: t.Iterable[str], secrets: t.Sequence[RegistrySecret]) -> dict[str, str]:
    """Return the keys of the secret ``name`` that no import ever gets to, each with the name of the secret that hides it.

    ``secrets`` are all registry secrets of the namespace, ``name`` included. An entry is hidden by one with another
    credential for the same key in a secret whose name sorts before; Docker Hub's index.docker.io by any docker.io.
    """
    candidates = [secret for secret in secrets if secret.is_candidate]
    if name not in [secret.name for secret in candidates]:
        return {}
    keyring = keyring_of(candidates)
    found: dict[str, str] = {}
    for written in written_keys:
        key = file_key(written)
        if key is None:
            continue
        rivals = keyring.entries(key)
        own = next((entry for entry in rivals if entry.secret == name and entry.written == written), None)
        if str(key) == DOCKER_HUB_FALLBACK:
            rivals = keyring.entries(RegistryKey(DOCKER_HUB, "")) + rivals
        if own is None or not rivals or rivals[0].secret == name:
            continue
        if (rivals[0].username, rivals[0].password) != (own.username, own.password):
            found[written] = rivals[0].secret
    return found


def explain(known: list[RegistrySecret], image: str) -> Explanation:
    """Return which key of the namespace's registry secrets, by name, the API server uses for the pull spec ``image``.

    Raises ``InputError`` where that is none. The sentence holds names of secrets, keys and users, never a password.
    """
    target = lookup_text(image)
    candidates = [secret for secret in known if secret.is_candidate]
    for secret in candidates:
        if secret.breaks_imports:
            return Explanation(
                "broken",
                f'Every import of the namespace fails because of the secret "{secret.name}": {secret.breaks_imports}; '
                f"repair or delete it, or keep it from imports with the annotation {EXCLUDE_ANNOTATION}=true.",
                secret=secret.name,
            )
    matches = keyring_of(candidates).lookup(target)
    if not matches:
        return Explanation("no_match", _explain_no_match(target, image, known, candidates), wanted_key=_wanted_key(target))
    used, rest = matches[0], matches[1:]
    first = f'For {image} the API server uses the key "{used.entry.written}" of the secret "{used.entry.secret}"'
    others = _names(match.entry.secret for match in rest if match.entry.secret != used.entry.secret)
    if used.entry.is_empty:
        hidden = f", and it hides {others}" if others else ""
        sentence = f"{first}, but that entry has no user name and password, so it asks anonymously{hidden}; give the entry its credential or remove it."
        return Explanation("anonymous", sentence, used.entry.secret, used.entry.written)
    before = f"; what {others} would give for it comes after that and is not tried" if others else ""
    user = Login(used.entry.username).shown_username
    return Explanation("used", f'{first} (user "{user}"){before}.', used.entry.secret, used.entry.written, user)


def explain_without_rights(namespace: str, image: str) -> str:
    """Return the sentence for a caller who may not list the secrets of ``namespace``."""
    return explain_unread(namespace, image).sentence


def explain_unread(namespace: str, image: str) -> Explanation:
    """Return what can be said to a caller who may not list the secrets of ``namespace``: which key would match."""
    wanted = _wanted_key(lookup_text(image))
    sentence = (
        f"Which credential the API server uses for {image} cannot be said here, because you may not list the secrets of the namespace "
        f'"{namespace}"; a secret there with the key "{wanted}" would match.'
    )
    return Explanation("not_allowed", sentence, wanted_key=wanted)


def _explain_no_match(target: str, image: str, known: list[RegistrySecret], candidates: list[RegistrySecret]) -> str:
    wanted = _wanted_key(target)
    if not candidates:
        found = "The namespace has no registry secret that imports use"
    else:
        found = f"No key in the registry secrets of the namespace matches {image}"
    remarks = [
        f'the key "{match.entry.written}" of the secret "{match.entry.secret}" would, but {_why_unused(secret)}'
        for secret in known
        if not secret.is_candidate
        for match in keyring_of([secret]).lookup(target)[:1]
    ]
    remarks += [
        f'the key "{written}" of the secret "{secret.name}" {reason}'
        for secret in candidates
        for written in (secret.document.auths if secret.document else {})
        for reason in [_near_miss(written, target)]
        if reason
    ]
    detail = f" ({'; '.join(remarks[:3])})" if remarks else ""
    return f'{found}{detail}; a key "{wanted}" would match, where the cluster\'s global pull secret has none either.'


def _why_unused(secret: RegistrySecret) -> str:
    if secret.excluded:
        return f"the secret is kept from imports by the annotation {EXCLUDE_ANNOTATION}=true"
    return f"the secret is of the type {secret.secret_type}, which imports do not read"


def _near_miss(written: str, target: str) -> str:
    """Return why a key for the same host does not match, "" for a key of another host."""
    key = file_key(written)
    if key is None:
        return ""
    if target.split("/", 1)[0] == DOCKER_HUB and key.host in DOCKER_HUB_HOSTS and not key.path:
        return f"does not match an image of {DOCKER_HUB}"
    reason = mismatch(key, target)
    return "" if reason == "is for another host" else reason


def _wanted_key(target: str) -> str:
    host = target.split("/", 1)[0]
    return DOCKER_HUB if host in DOCKER_HUB_HOSTS[:2] else host


def _names(names: t.Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    if not found:
        return ""
    quoted = [f'"{name}"' for name in found]
    return f"the secret {quoted[0]}" if len(quoted) == 1 else f"the secrets {', '.join(quoted[:-1])} and {quoted[-1]}"
