# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registry credentials as Docker's config.json, Podman's auth.json, .dockercfg and pull secrets hold them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

What an entry means is what the API server's importer and the kubelet make of it (server-behaviour.md 2.8 and 4.3):
``auth`` wins over ``username`` and ``password``, base64 may lack its padding, the first colon splits. An entry that
they cannot decode breaks every import of its namespace (contract case secret_malformed_breaks_namespace); an empty
one matches, yields nothing and hides others (contract case secret_shadowing).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import fnmatch
import json
import math
import re
import typing as t
from dataclasses import dataclass, field
from typing import NamedTuple

from .._core.errors import InputError
from .._core.names import check_path
from .keyring import filed_text, has_user_info, shown_key
from .secret_types import DOCKER_CFG

_SECRET_FIELDS = ("password", "auth", "identitytoken", "registrytoken")
_CREDENTIAL_FIELDS = ("username", "email", *_SECRET_FIELDS)
# What Docker Desktop writes beside the login of Docker Hub.
_OWN_TOKENS = ("index.docker.io/access-token", "index.docker.io/refresh-token")
_AWX_PLACEHOLDER = "$encrypted$"
_SECRET_OBJECT = 'is a Secret object; give the value of its data[".dockerconfigjson"] as auth_content'
_BREAKS = "it would break every image import of the namespace"


class MalformedAuth(ValueError):
    """An entry or a document that the cluster cannot decode. The text ends a sentence and never holds a credential."""


class Login(NamedTuple):
    """What an entry means.

    Secret parts stay out of ``repr``; ``email`` and ``identity_token`` are "" if there is none.
    """

    username: str = ""
    password: str = ""
    email: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return f"Login({self.username!r}, email={self.email!r})"

    @property
    def is_empty(self) -> bool:
        """Say whether importer and kubelet ask anonymously with it: they need a user name and a password."""
        return not self.username or not self.password

    @property
    def shown_username(self) -> str:
        """Return the user name for output: bytes that are no UTF-8 are replaced."""
        return self.username.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    @property
    def is_text(self) -> bool:
        """Say whether user name and password can be written as text.

        Bytes that are no UTF-8 are in an ``auth`` only.
        """
        return _is_utf8(self.username + self.password)

    @property
    def auth(self) -> str:
        return encode_text(f"{self.username}:{self.password}")

    def secrets(self) -> list[str]:
        """Return every text of this login that must never be shown."""
        found = [self.password, self.identity_token]
        if self.username or self.password:
            found.append(self.auth)
        return [text for text in found if text]


def encode_text(text: str) -> str:
    """Return standard, padded base64 of the UTF-8 text."""
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def decode_auth(auth: str) -> tuple[str, str]:
    """Return user name and password of an ``auth`` field.

    Raise ``MalformedAuth`` if the cluster could not decode it.
    """
    # The server's decoder skips line breaks and nothing else; it wants the padding whole or not at all.
    text = auth.replace("\r", "").replace("\n", "")
    padded = text if text.endswith("=") else text + "=" * (-len(text) % 4)
    try:
        decoded = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedAuth("its auth is not base64 of user:password") from None
    username, colon, password = decoded.decode("utf-8", "surrogateescape").partition(":")
    if not colon:
        raise MalformedAuth("its auth is base64, but not of user:password: there is no colon in it")
    return username, password


def decode_entry(entry: t.Any) -> Login:
    """Return what one entry of ``auths`` means to the cluster.

    Raise ``MalformedAuth`` if it cannot decode the entry.
    """
    if entry is None:
        return Login()
    if not isinstance(entry, dict):
        raise MalformedAuth(f"it is {_json_kind(entry)} instead of an object")
    texts = dict.fromkeys(_CREDENTIAL_FIELDS, "")
    for name, value in entry.items():
        # The server's JSON decoder takes field names in any case.
        field_name = _folded(name)
        if field_name not in texts or value is None:
            continue
        if not isinstance(value, str):
            raise MalformedAuth(f'its "{field_name}" is {_json_kind(value)} instead of a string')
        texts[field_name] = value
    username, password = texts["username"], texts["password"]
    if texts["auth"]:
        username, password = decode_auth(texts["auth"])
    return Login(username, password, texts["email"], texts["identitytoken"])


def encode_entry(login: Login, former: t.Any = None) -> dict[str, t.Any]:
    """Return the entry for ``login``, written as ``oc create secret docker-registry`` writes it.

    ``former`` is the entry that it takes the place of: what it holds besides a credential stays, and so does its e-mail
    address unless ``login`` has one.
    """
    kept = former if isinstance(former, dict) else {}
    entry: dict[str, t.Any] = {}
    if login.username or login.password:
        # Bytes that are no UTF-8 can be in the base64 of auth, and nowhere else in JSON.
        if login.is_text:
            entry.update(username=login.username, password=login.password)
        entry["auth"] = login.auth
    if login.identity_token:
        entry["identitytoken"] = login.identity_token
    email = login.email or next((value for name, value in kept.items() if _folded(name) == "email"), "")
    if email:
        entry["email"] = email
    entry.update({name: value for name, value in kept.items() if _folded(name) not in _CREDENTIAL_FIELDS})
    return entry


@dataclass
class AuthDocument:
    """A parsed document: ``auths`` as they were, and ``rest``, everything beside them.

    A .dockercfg is a map of registries without ``auths`` around it, and so has no ``rest``.
    """

    auths: dict[str, t.Any] = field(default_factory=dict, repr=False)
    rest: dict[str, t.Any] = field(default_factory=dict, repr=False)

    def render(self, secret_type: str) -> str:
        """Return the JSON text for a secret of ``secret_type``."""
        document = self.auths if secret_type == DOCKER_CFG else {"auths": self.auths, **self.rest}
        return json.dumps(document, ensure_ascii=False, allow_nan=False)

    def keys_of(self, registry: str) -> list[str]:
        """Return the keys, however written, that are the registry ``registry`` to the cluster."""
        wanted = filed_text(registry)
        return [key for key in self.auths if filed_text(key) == wanted]

    def malformed(self) -> dict[str, str]:
        """Return the entries that break every import of the namespace, each with the reason."""
        found = {}
        for key, entry in self.auths.items():
            try:
                decode_entry(entry)
            except MalformedAuth as exc:
                found[key] = str(exc)
        return found

    def secrets(self) -> list[str]:
        """Return every text of this document that must never be shown, malformed entries included."""
        found: list[str] = []
        for key, entry in self.auths.items():
            if has_user_info(key):
                found += [
                    key,
                    key.rpartition("@")[0].rpartition("://")[2],
                    key.rpartition("@")[0].rpartition("://")[2].rpartition(":")[2],
                ]
            if isinstance(entry, dict):
                found.extend(
                    value
                    for name, value in entry.items()
                    if isinstance(value, str) and value and _folded(name) in _SECRET_FIELDS
                )
            try:
                found.extend(decode_entry(entry).secrets())
            except MalformedAuth:
                continue
        return list(dict.fromkeys(found))


def parse_document(text: str, secret_type: str) -> AuthDocument:
    """Parse what a secret of ``secret_type`` holds; raise ``MalformedAuth`` if the cluster could not read it.

    It is read as the cluster's Go reads it, so that what is merged and written back loses nothing that worked: field
    names count in any case, an "auths" that is there twice is filled twice, null empties it.
    """
    try:
        document = _load_json(text)
    except (ValueError, RecursionError) as exc:
        raise MalformedAuth(f"it is not JSON ({_json_place(exc)})") from None
    if document is None:
        # to the server's decoder it is an object without anything in it
        return AuthDocument()
    if not isinstance(document, _Members):
        raise MalformedAuth(f"it is {_json_kind(document)} instead of a JSON object")
    if secret_type == DOCKER_CFG:
        return AuthDocument(auths=_entries(document))
    return _wrapped(document)


def _wrapped(document: _Members) -> AuthDocument:
    """Return a document with ``auths`` around its registries."""
    auths: dict[str, t.Any] = {}
    rest: list[tuple[str, t.Any]] = []
    for name, value in document:
        if _folded(name) != "auths":
            rest.append((name, value))
        elif value is None:
            _refuse_replaced(auths)
            auths = {}
        elif isinstance(value, _Members):
            _fill(auths, value)
        else:
            raise MalformedAuth(f'its "auths" is {_json_kind(value)} instead of an object')
    return AuthDocument(auths, _plain(_Members(rest)))


def _entries(members: _Members) -> dict[str, t.Any]:
    """Return the registries of a map."""
    auths: dict[str, t.Any] = {}
    _fill(auths, members)
    return auths


def _fill(auths: dict[str, t.Any], members: _Members) -> None:
    """Put the registries of a map into ``auths``: of a key that is there twice the last entry counts."""
    for key, value in members:
        if key in auths:
            _refuse_replaced({key: auths[key]})
        auths[key] = _entry(value) if isinstance(value, _Members) else _plain(value)


def _refuse_replaced(auths: t.Mapping[str, t.Any]) -> None:
    """Raise ``MalformedAuth`` if an entry that another one replaces cannot be decoded.

    The cluster decodes it all the same.
    """
    for key, entry in auths.items():
        try:
            decode_entry(entry)
        except MalformedAuth as exc:
            raise MalformedAuth(
                f'it has "{shown_key(key)}" twice, and one of the two cannot be decoded: {exc}'
            ) from None


def _entry(members: _Members) -> dict[str, t.Any]:
    """Return one entry.

    Of a field that is there twice, in any case of letters, the last one counts, and null leaves it as it was.

    One of another type than text stays, because the cluster refuses it wherever it stands.
    """
    entry: dict[str, t.Any] = {}
    spelled: dict[str, str] = {}
    for name, value in members:
        field_name = _folded(name)
        former = entry.get(spelled.get(field_name, ""))
        if field_name not in _CREDENTIAL_FIELDS:
            entry[name] = _plain(value)
        elif field_name not in spelled or (value is not None and (former is None or isinstance(former, str))):
            entry.pop(spelled.get(field_name, ""), None)
            spelled[field_name] = name
            entry[name] = _plain(value)
    return entry


class _Members(list):  # type: ignore[type-arg]
    """The members of a JSON object in their order, those that are there twice included."""


def _plain(value: t.Any) -> t.Any:
    """Return a parsed value as dictionaries; of maps that are there twice both count, as Go fills one map."""
    if isinstance(value, _Members):
        found: dict[str, t.Any] = {}
        for name, member in value:
            new, former = _plain(member), found.get(name)
            found[name] = {**former, **new} if isinstance(former, dict) and isinstance(new, dict) else new
        return found
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _folded(name: str) -> str:
    """Return a field's name as Go compares it: without case, and two letters of Unicode are a k and an s to it."""
    return name.lower().replace("\u017f", "s")


def read_auth_file(path: str) -> AuthDocument:
    """Read a Docker config.json, a Podman auth.json or a .dockercfg on the host where the module runs.

    Raises ``InputError`` with the whole message if it holds no credentials that a secret could take.
    """
    check_path("auth_file", path, "give it as auth_content")
    try:
        with open(path, "rb") as handle:
            content = handle.read()
    except FileNotFoundError:
        raise InputError(
            f"auth_file: {path} does not exist on the host where the module runs; give the path of a Docker "
            "config.json or a Podman auth.json there"
        ) from None
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "that is no path"
        raise InputError(f"auth_file: {path} cannot be read on the host where the module runs ({reason})") from None
    source = f"auth_file: {path}"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{source} is text in UTF-16, which no tool reads as an auth file; save it as UTF-8")
    return parse_auth_file(content.decode("utf-8", "replace"), source)


def parse_auth_content(content: t.Any) -> AuthDocument:
    """Parse the option ``auth_content``.

    A mapping, its JSON text, or the base64 of that as a Secret's ``data`` has it.
    """
    source = "auth_content:"
    if isinstance(content, dict):
        return parse_auth_file(json.dumps(content), f"{source} the mapping")
    if not isinstance(content, str):
        raise InputError(
            f"{source} it is {_json_kind(content)}; give the content of a .dockerconfigjson as a mapping or a string"
        )
    return parse_auth_file(_decoded(content) or content, f"{source} the text")


def _decoded(text: str) -> str:
    """Return the JSON whose base64 ``text`` is, "" if it is not."""
    if text.lstrip().startswith("{"):
        return ""
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except ValueError:
        return ""
    return decoded if decoded.lstrip().startswith("{") else ""


def parse_auth_file(text: str, source: str) -> AuthDocument:
    """Parse an auth file's text; ``source`` begins the sentences of the ``InputError`` that it raises."""
    try:
        document = _load_json(text)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"{source} {_what_it_is(text) or _not_json(exc)}") from None
    if not isinstance(document, _Members):
        raise InputError(f'{source} holds {_json_kind(document)} where a JSON object with "auths" is expected')
    plain = _plain(document)
    if plain.get("kind") == "Secret":
        raise InputError(f"{source} {_SECRET_OBJECT}")
    for name, value in document:
        if _folded(name) == "auths" and value is not None and not isinstance(value, _Members):
            raise InputError(
                f'{source} has {_json_kind(value)} as "auths" where an object with one entry per registry is expected'
            )
    try:
        if "auths" not in map(_folded, plain) and _looks_flat(plain):
            return AuthDocument(auths=_entries(document))
        found = _wrapped(document)
    except MalformedAuth as exc:
        raise InputError(f"{source} cannot be used: {exc}; {_BREAKS}") from None
    helper = _credential_helper(found.rest)
    if helper and not any(_has_content(entry) for entry in found.auths.values()):
        raise InputError(
            f"{source} holds no credential: they are kept by the credential helper {helper}, which a cluster cannot "
            "ask; "
            'log in once more into a file of its own ("podman login --authfile FILE REGISTRY") and give that file, '
            "or give username and password in registries"
        )
    if not any(_folded(name) == "auths" and value is not None for name, value in document):
        raise InputError(
            f'{source} has no "auths": it is not a Docker config.json or a Podman auth.json that "docker login" or '
            '"podman login --authfile" has written'
        )
    if not found.auths:
        raise InputError(
            f'{source} has no registry in its "auths"; log in first ("podman login --authfile FILE REGISTRY")'
        )
    return found


def _what_it_is(text: str) -> str:
    """Return what a text that is no JSON is instead, and what to do, as the end of a sentence.

    Return "" if that is not known.
    """
    if not text.strip("\ufeff\0 \t\r\n"):
        return 'is empty; log in first ("podman login --authfile FILE REGISTRY")'
    if text.startswith("\ufeff"):
        return (
            "begins with a byte order mark, with which no tool reads it as an auth file; save it as UTF-8 without one"
        )
    if "\0" in text:
        return "is text in UTF-16, or no text at all, which no tool reads as an auth file; save it as UTF-8"
    if text.lstrip().startswith("$ANSIBLE_VAULT"):
        return (
            'is encrypted with Ansible Vault; give its content instead, auth_content: "{{ '
            "lookup('ansible.builtin.file', path) }}\", which decrypts it"
        )
    if _decoded(text):
        return "is the base64 of an auth file; decode it, or give the text as auth_content, which takes base64 too"
    if re.search(r"(?m)^kind:\s*[\"']?Secret\b", text):
        return _SECRET_OBJECT
    return ""


def _not_json(exc: Exception) -> str:
    return (
        f"is not JSON ({_json_place(exc)}); a Docker config.json or a Podman auth.json is expected, "
        'as "docker login" or "podman login --authfile" writes it'
    )


def take_from_auth_file(document: AuthDocument, only: t.Sequence[str], source: str) -> dict[str, t.Any]:
    """Return the entries of an auth file that go into a secret: those that match a glob of ``only``, or all.

    Tokens that Docker keeps for itself beside a login are no registries. Raises ``InputError`` if nothing
    matches, and for an entry that no secret should hold: one that cannot be decoded (it breaks every import of the
    namespace), one without a credential (it hides others), and one with a credential in its key.
    """
    registries = {key: entry for key, entry in document.auths.items() if not is_own_token(key)}
    taken = {key: entry for key, entry in registries.items() if not only or matches_any(key, only)}
    if not taken:
        what = f"only: no registry of {source} matches {_quoted(only)}" if only else f"{source} holds no registry"
        raise InputError(f"{what}; it has {_quoted(sorted(map(shown_key, document.auths)))}")
    for key, entry in taken.items():
        leave_out = 'or leave it out with "only"'
        begin = f'{source}: the entry of "{shown_key(key)}" cannot be used'
        if has_user_info(key):
            raise InputError(
                f"{begin}: its key has a user name or password in it, which the cluster does not use; log in to that "
                f"registry again, {leave_out}"
            )
        try:
            login = decode_entry(entry)
        except MalformedAuth as exc:
            raise InputError(f"{begin}: {exc}; {_BREAKS}, so log in to that registry again, {leave_out}") from None
        if login.is_empty and not login.identity_token:
            helper = "" if _has_content(entry) else _credential_helper(document.rest, key)
            kept = f", because the credential helper {helper} keeps it" if helper else ""
            raise InputError(
                f"{begin}: it has no user name and password{kept}; the cluster would ask that registry "
                f"anonymously and no longer try the credentials of other secrets, so log in to it again, {leave_out}"
            )
        refuse_placeholder(login, begin)
    return taken


def is_own_token(key: str) -> bool:
    """Return whether a key is one under which Docker keeps a token of its own for Docker Hub, beside the login."""
    return filed_text(key) in _OWN_TOKENS


def refuse_placeholder(login: Login, begin: str) -> None:
    """Raise ``InputError`` for a credential that is what AWX shows in place of one.

    The message begins with ``begin``.
    """
    if _AWX_PLACEHOLDER in (login.password, login.identity_token):
        raise InputError(
            f"{begin}: its credential is {_AWX_PLACEHOLDER}, which AWX shows in the place of a stored password and "
            "does not give to jobs that are launched with it; enter the password again"
        )


def matches_any(registry: str, globs: t.Sequence[str]) -> bool:
    """Say whether a glob matches the key as it is written, or as the cluster reads it."""
    return any(fnmatch.fnmatchcase(text, glob) for text in (registry, filed_text(registry)) for glob in globs)


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _has_content(entry: t.Any) -> bool:
    return not isinstance(entry, dict) or any(value for value in entry.values())


def _looks_flat(document: dict[str, t.Any]) -> bool:
    fields = set(_CREDENTIAL_FIELDS)
    return bool(document) and all(
        isinstance(entry, dict) and fields & {_folded(name) for name in entry} for entry in document.values()
    )


def _credential_helper(document: dict[str, t.Any], registry: str = "") -> str:
    """Return the helper that keeps the credential of ``registry``, or those of the whole file; "" if there is none."""
    store = document.get("credsStore")
    helpers = document.get("credHelpers")
    own = helpers.get(registry) if isinstance(helpers, dict) and registry else None
    if isinstance(own, str) and own:
        return f'"{own}" (credHelpers)'
    if isinstance(store, str) and store:
        return f'"{store}" (credsStore)'
    if isinstance(helpers, dict) and helpers and not registry:
        names = sorted({str(name) for name in helpers.values()})
        return f"{_quoted(names)} (credHelpers)"
    return ""


def _load_json(text: str) -> t.Any:
    """Return the parsed text.

    ``ValueError`` for NaN and Infinity too, which JSON does not have and the cluster refuses.
    """
    document = json.loads(text, parse_constant=_refuse_number, parse_float=_finite, object_pairs_hook=_Members)
    # an escape of half a character is the replacement character to the cluster, and nothing that Python could send
    return _whole_characters(document) if "\\ud" in text.lower() else document


def _whole_characters(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, _Members):
        return _Members((_whole_characters(name), _whole_characters(member)) for name, member in value)
    return [_whole_characters(item) for item in value] if isinstance(value, list) else value


def _refuse_number(text: str) -> t.NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _quoted(texts: t.Iterable[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts)


def _json_place(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"line {exc.lineno}, column {exc.colno}"
    return "it is nested too deeply or has an impossible number"


def _json_kind(value: t.Any) -> str:
    if isinstance(value, _Members):
        return "an object"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "null" if value is None else "a list" if isinstance(value, list) else "an object"
