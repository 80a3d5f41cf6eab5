# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which login a registry is asked with: that of the options, or that which the cluster would use in a namespace.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Both are looked up as imports look up theirs: of the keys that match, the longest decides (server-behaviour.md 2.8).
"""

from __future__ import annotations

import threading
import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient, core_path
from .._core.concurrency import IMPORTING
from .._core.errors import CollectionError, InputError
from .._core.names import check_path
from .auth_document import (
    AuthDocument,
    Login,
    MalformedAuth,
    decode_entry,
    parse_auth_content,
    read_auth_file,
)
from .keyring import Keyring, KeyringEntry, file_key, key_matches, lookup_text, shown_key
from .option_login import login_from_options, refuse_user_info

# Of two entries with the same key the one of the name that sorts first is used, as with secrets.
_FROM_REGISTRIES, _FROM_FILE = "1", "2"


class Credential(NamedTuple):
    """A login and where it came from. ``login`` is empty if the entry makes the registry be asked anonymously."""

    login: Login
    source: str
    key: str

    def __repr__(self) -> str:
        # no password gets into a traceback or a log
        return f"Credential({self.source!r}, {self.key!r})"

    def as_dict(self) -> dict[str, t.Any]:
        """Return what may be shown of it."""
        return {"source": self.source, "key": shown_key(self.key), "username": self.login.shown_username or None}


class CredentialUnusable(CollectionError):
    """The entry that matches an image cannot be used, or no image of the namespace can be imported."""


class Credentials(t.Protocol):
    """Where logins come from."""

    def find(self, image: str) -> Credential | None:
        """Return the credential for a pull spec; None if none matches. Raises CollectionError."""


class RegistrySettings(NamedTuple):
    """How the registries that the key ``registry`` matches are reached.

    Return None if the task does not say it for them.
    """

    registry: str
    insecure: bool | None
    ca_cert: str | None


class OptionCredentials:
    """The options ``registries``, ``auth_file`` and ``auth_content``.

    What is said in ``registries`` comes before the file.
    """

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        self.settings: list[RegistrySettings] = []
        self._logins: dict[tuple[str, str], Login] = {}
        self._unusable: dict[tuple[str, str], str] = {}
        for entry in params.get("registries") or ():
            self._take_entry(entry)
        document = _document(params)
        for key, raw in document.auths.items():
            try:
                self._logins[_FROM_FILE, key] = decode_entry(raw)
            except MalformedAuth as exc:
                self._logins[_FROM_FILE, key] = Login()
                self._unusable[_FROM_FILE, key] = str(exc)
        self._keyring = Keyring(
            KeyringEntry(rank, key, login.username, login.password) for (rank, key), login in self._logins.items()
        )
        self._sources = {
            _FROM_REGISTRIES: "the option registries",
            _FROM_FILE: f"the option {'auth_file' if params.get('auth_file') else 'auth_content'}",
        }
        self._texts = document.secrets() + [text for login in self._logins.values() for text in login.secrets()]

    def secrets(self) -> list[str]:
        """Return every string that must never be shown."""
        return self._texts

    def find(self, image: str) -> Credential | None:
        """Return the credential of the longest key that matches.

        Raises CredentialUnusable if its entry is malformed.
        """
        match = next(iter(self._keyring.lookup(lookup_text(image))), None)
        if match is None:
            return None
        found = match.entry.secret, match.entry.written
        source, key = self._sources[match.entry.secret], match.entry.written
        if found in self._unusable:
            raise CredentialUnusable(
                f'The entry of "{shown_key(key)}" in {source} cannot be used: {self._unusable[found]}'
            )
        return Credential(self._logins[found], source, key)

    def settings_for(self, image: str) -> RegistrySettings | None:
        """Return how to reach the registry of a pull spec; None if ``registries`` has no entry for it."""
        target = lookup_text(image)
        found = [
            (str(key), settings)
            for settings in self.settings
            for key in [file_key(settings.registry)]
            if key and key_matches(key, target)
        ]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def _take_entry(self, entry: t.Mapping[str, t.Any]) -> None:
        registry = entry["registry"]
        refuse_user_info(registry)
        if entry.get("ca_cert"):
            check_path(f'registries: "{registry}": ca_cert', entry["ca_cert"])
        key = file_key(registry)
        if key is None or not key.host:
            raise InputError(
                f'registries: "{registry}" is not a registry that an image could name; write host[:port][/path] as '
                "images do"
            )
        if any(known.registry == registry for known in self.settings):
            raise InputError(f'registries: "{registry}" is listed twice')
        self.settings.append(RegistrySettings(registry, entry.get("insecure"), entry.get("ca_cert")))
        login = login_from_options(registry, entry)
        if login is not None:
            self._logins[_FROM_REGISTRIES, registry] = login


class NamespaceCredentials:
    """The registry secrets of namespaces, each namespace read once. Needs the right to list secrets there."""

    def __init__(self, client: ClusterClient, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._lock = threading.Lock()
        self._keyrings: dict[str, Keyring | CollectionError] = {}

    def of(self, namespace: str) -> Credentials:
        """Return the credentials that imports of one namespace use."""
        return _OneNamespace(self, namespace)

    def keyring(self, namespace: str) -> Keyring:
        """Return the namespace's keyring.

        Raises what reading it has raised, and CredentialUnusable where imports fail by it.
        """
        with self._lock:
            if namespace not in self._keyrings:
                self._keyrings[namespace] = self._read(namespace)
            found = self._keyrings[namespace]
        if isinstance(found, CollectionError):
            raise found
        return found

    def _read(self, namespace: str) -> Keyring | CollectionError:
        with IMPORTING:
            from .registry_secrets import keyring_of, registry_secrets, secret_texts  # noqa: PLC0415 - credentials of the options need no secret
        try:
            objects = self._client.list_items(core_path(namespace, "secrets"))
        except CollectionError as error:
            return error
        self._mask(*secret_texts(objects))
        candidates = [secret for secret in registry_secrets(objects) if secret.is_candidate]
        for secret in candidates:
            if secret.breaks_imports:
                return CredentialUnusable(
                    f'Every import of the namespace "{namespace}" fails because of the secret "{secret.name}": '
                    f"{secret.breaks_imports}"
                )
        return keyring_of(candidates)


class _OneNamespace:
    def __init__(self, namespaces: NamespaceCredentials, namespace: str) -> None:
        self._namespaces = namespaces
        self._namespace = namespace

    def find(self, image: str) -> Credential | None:
        match = next(iter(self._namespaces.keyring(self._namespace).lookup(lookup_text(image))), None)
        if match is None:
            return None
        entry = match.entry
        return Credential(Login(entry.username, entry.password), f'the secret "{entry.secret}"', entry.written)


def _document(params: t.Mapping[str, t.Any]) -> AuthDocument:
    if params.get("auth_file"):
        return read_auth_file(params["auth_file"])
    if params.get("auth_content") is not None:
        return parse_auth_content(params["auth_content"])
    return AuthDocument()
