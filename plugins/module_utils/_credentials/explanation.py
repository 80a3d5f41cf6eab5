# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential of a namespace the API server uses for an image, in words.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .auth_document import Login
from .expiry import EXPIRED, expiry_of
from .keyring import (
    DOCKER_HUB,
    DOCKER_HUB_HOSTS,
    file_key,
    lookup_text,
    mismatch,
    shown_key,
)
from .registry_secrets import EXCLUDE_ANNOTATION, RegistrySecret, keyring_of


class Explanation(NamedTuple):
    """Which credential an import of one image uses, in one sentence and in parts; no part is a credential.

    ``result``: used (the entry of ``key``), anonymous (that entry has no credential), no_match (a key ``wanted_key``
    would match), broken (``secret`` makes every import of the namespace fail), not_allowed (the secrets may not be
    listed). ``expired`` is when the credential that is used ended, if it did and says so itself.
    """

    result: str
    sentence: str
    secret: str = ""
    key: str = ""
    username: str = ""
    wanted_key: str = ""
    expired: str = ""


def explain(known: list[RegistrySecret], image: str) -> Explanation:
    """Return which key of the namespace's registry secrets, by name, the API server uses for the pull spec ``image``.

    Raises ``InputError`` if that is none. The sentence holds names of secrets, keys and users, never a password.
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
        return Explanation(
            "no_match", _explain_no_match(target, image, known, candidates), wanted_key=_wanted_key(target)
        )
    used, rest = matches[0], matches[1:]
    first = (
        f'For {image} the API server uses the key "{shown_key(used.entry.written)}" of the secret "{used.entry.secret}"'
    )
    others = _names(match.entry.secret for match in rest if match.entry.secret != used.entry.secret)
    if used.entry.is_empty:
        hidden = f", and it hides {others}" if others else ""
        sentence = (
            f"{first}, but that entry has no user name and password, so it asks anonymously{hidden}; give the entry "
            "its credential or remove it."
        )
        return Explanation("anonymous", sentence, used.entry.secret, shown_key(used.entry.written))
    before = f"; what {others} would give for it comes after that and is not tried" if others else ""
    user = Login(used.entry.username).shown_username
    expiry = expiry_of(used.entry.password)
    expired = expiry.text if expiry.state() == EXPIRED else ""
    ended = f" That credential expired at {expired}: give a fresh one." if expired else ""
    return Explanation(
        "used",
        f'{first} (user "{user}"){before}.{ended}',
        used.entry.secret,
        shown_key(used.entry.written),
        user,
        expired=expired,
    )


def explain_without_rights(namespace: str, image: str) -> str:
    """Return the sentence for a caller who may not list the secrets of ``namespace``."""
    return explain_unread(namespace, image).sentence


def explain_unread(namespace: str, image: str) -> Explanation:
    """Return what can be said to a caller who may not list the secrets of ``namespace``: which key would match."""
    wanted = _wanted_key(lookup_text(image))
    sentence = (
        f"Which credential the API server uses for {image} cannot be said here, because you may not list the secrets "
        "of the namespace "
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
        f'the key "{shown_key(match.entry.written)}" of the secret "{match.entry.secret}" would, but '
        f"{_why_unused(secret)}"
        for secret in known
        if not secret.is_candidate
        for match in keyring_of([secret]).lookup(target)[:1]
    ]
    remarks += [
        f'the key "{shown_key(written)}" of the secret "{secret.name}" {reason}'
        for secret in candidates
        for written in (secret.document.auths if secret.document else {})
        for reason in [_near_miss(written, target)]
        if reason
    ]
    detail = f" ({'; '.join(remarks[:3])})" if remarks else ""
    return (
        f'{found}{detail}. Add a credential with the key "{wanted}" to a pull secret of the namespace, or to the '
        "cluster's global pull secret."
    )


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
