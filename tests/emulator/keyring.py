# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential the importer uses for an image: the kubelet's keyring (server-behaviour.md 2.8)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re
import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from . import gojson
from .gotext import json_error, json_type

Credential = tuple[str, str]

EXCLUDE_ANNOTATION = "openshift.io/image.excludeSecret"
SECRET_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
_HUB_KEY = "index.docker.io"


class MalformedSecret(Exception):
    """A secret that breaks every import of its namespace; the text is the server's."""


class Keyring:
    """Credentials by registry key, looked up as text prefixes and globs."""

    def __init__(self) -> None:
        self._credentials: dict[str, list[Credential]] = {}

    @classmethod
    def of(cls, secrets: Iterable[Mapping[str, t.Any]]) -> Keyring:
        """Return the keyring of secrets in the order of their names; raises MalformedSecret."""
        keyring = cls()
        for secret in secrets:
            key = SECRET_KEYS.get(secret.get("type", ""), "")
            content = base64.b64decode((secret.get("data") or {}).get(key, ""))
            if key and content:
                keyring.add(_entries(content, wrapped=key == ".dockerconfigjson"))
        return keyring

    def add(self, entries: Mapping[str, Credential]) -> None:
        """Add the entries of one auth file."""
        for location, credential in entries.items():
            key = _normalize(location)
            if key is not None:
                self._credentials.setdefault(key, []).append(credential)

    def find(self, image: str) -> Credential | None:
        """Return the first match for ``registry/path:tag``: keys in reverse order, then the order in which secrets
        came."""
        for key in sorted(self._credentials, reverse=True):
            if _matches(key, image):
                return self._credentials[key][0]
        if _HUB_KEY in self._credentials and _is_docker_hub(image):
            return self._credentials[_HUB_KEY][0]
        return None


def is_candidate(secret: Mapping[str, t.Any]) -> bool:
    """Whether imports look at a secret at all (contract case secret_types_for_import)."""
    annotations = secret["metadata"].get("annotations") or {}
    return secret.get("type") in SECRET_KEYS and annotations.get(EXCLUDE_ANNOTATION) != "true"


def _entries(content: bytes, *, wrapped: bool) -> dict[str, Credential]:
    """Return the credentials by key. A map that stands there twice is filled twice; null empties it."""
    text = content.decode(errors="replace")
    problem = json_error(text)
    if problem is not None:
        raise MalformedSecret(problem)
    document = gojson.parse(text)
    given = (
        [value for _name, value in gojson.fields(document, ("auths",))]
        if wrapped and isinstance(document, gojson.Members)
        else [document]
    )
    found: dict[str, Credential] = {}
    for auths in given:
        if auths is None:
            found = {}
        elif isinstance(auths, gojson.Members):
            found.update({location: _credential(entry) for location, entry in auths})
        else:
            where = "Go struct field DockerConfigJSON.auths" if wrapped else "Go value"
            raise MalformedSecret(
                f"json: cannot unmarshal {json_type(auths)} into {where} of type credentialprovider.DockerConfig"
            )
    return found


def _credential(entry: t.Any) -> Credential:
    """One entry. Of a field that stands there twice the last one counts, and null leaves it as it was."""
    if entry is None:
        return "", ""
    if not isinstance(entry, gojson.Members):
        raise MalformedSecret(
            f"json: cannot unmarshal {json_type(entry)} into Go value of type "
            "credentialprovider.dockerConfigEntryWithAuth"
        )
    texts = {"username": "", "password": "", "auth": ""}
    for field, value in gojson.fields(entry, (*texts, "email")):
        if value is not None and not isinstance(value, str):
            raise MalformedSecret(
                f"json: cannot unmarshal {json_type(value)} into Go struct field dockerConfigEntryWithAuth.{field} of "
                "type string"
            )
        texts[field] = texts.get(field, "") if value is None else value
    return _decode(texts["auth"]) if texts["auth"] else (texts["username"], texts["password"])


def _decode(field: str) -> Credential:
    padded = field.strip().endswith("=")
    position = _bad_base64(field, padded=padded)
    if position is not None:
        raise MalformedSecret(f"illegal base64 data at input byte {position}")
    clean = re.sub(r"[\r\n]", "", field)
    decoded = base64.b64decode(clean if padded else clean + "=" * (-len(clean) % 4))
    username, colon, password = decoded.decode(errors="replace").partition(":")
    if not colon:
        raise MalformedSecret("unable to parse auth field, must be formatted as base64(username:password)")
    return username, password


def _bad_base64(field: str, *, padded: bool) -> int | None:
    """Where Go's decoder stops, None if it does not; line breaks are skipped."""
    found = re.search(r"[^A-Za-z0-9+/\r\n]", field.rstrip("=\r\n") if padded else field)
    if found:
        return found.start()
    try:
        clean = re.sub(r"[\r\n]", "", field)
        base64.b64decode(clean if padded else clean + "=" * (-len(clean) % 4), validate=True)
    except binascii.Error:
        return len(field)
    return len(field) if not padded and len(re.sub(r"[\r\n]", "", field)) % 4 == 1 else None


def _normalize(location: str) -> str | None:
    """Scheme stripped, ``/v1/`` and ``/v2/`` taken as the host alone; None for what is no URL, which the server
    passes over."""
    # a URL to the server: what follows # and ? is no part of host and path, nor is a user, and a path may be escaped
    host, slash, path = re.sub(r"^https?://", "", location).partition("#")[0].partition("?")[0].partition("/")
    if re.search("%(?![0-9A-Fa-f]{2})", path):
        return None
    host, path = host.rpartition("@")[2], slash + unquote(path)
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return host + path if path not in ("", "/") else host


def _split_host(host: str) -> tuple[list[str], str]:
    name, colon, port = host.rpartition(":")
    if not colon or ":" in name:
        return host.split("."), ""
    return name.split("."), port


def _matches(key: str, image: str) -> bool:
    key_host, key_slash, key_path = key.partition("/")
    image_host, image_slash, image_path = image.partition("/")
    key_labels, key_port = _split_host(key_host)
    labels, port = _split_host(image_host)
    return (
        key_port == port
        and len(key_labels) == len(labels)
        and (image_slash + image_path).startswith(key_slash + key_path)
        and all(fnmatch.fnmatchcase(label, pattern) for pattern, label in zip(key_labels, labels, strict=True))
    )


def _is_docker_hub(image: str) -> bool:
    host, slash, _path = image.partition("/")
    return not slash or host in ("docker.io", "index.docker.io") or not ("." in host or ":" in host)
