# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which registry key of a secret the cluster picks for an image: the keyring's matching rules, and nothing else.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Source of every rule: server-behaviour.md 2.8 and the contract cases secret_keys and secret_shadowing. In short:
scheme and a leading ``/v1/`` or ``/v2/`` of a key are dropped; the host is compared label by label, ``*`` stands for
(a part of) one label; the port must be the same text; the path is a plain string prefix; of the keys that match, the
one that sorts last as text comes first, then the secret whose name sorts first.
"""

from __future__ import annotations

import re
import typing as t
from typing import NamedTuple
from urllib.parse import unquote

from .._core.masking import PLACEHOLDER
from .._core.references import PullSpec

DOCKER_HUB = "docker.io"
DOCKER_HUB_FALLBACK = "index.docker.io"
DOCKER_HUB_HOSTS = (DOCKER_HUB, DOCKER_HUB_FALLBACK, "registry-1.docker.io")

# What the server's URL parser takes as a host: anything else makes it ignore the whole entry.
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-_.~!$&'()*+,;=<>\"]*)(?::[0-9]*)?"
_BAD_ESCAPE = r"%(?![0-9A-Fa-f]{2})"
_CONTROL = r"[\x00-\x1f\x7f]"
# A beginning of a repository path, optionally with the tag or digest of an image behind it.
_PATH_BEGINNING = (
    r"/(?:[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*/)*(?:[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:[._]|__|-+)?)?(?:[:@].*)?"
)
_DIGEST_BEHIND = r"@sha(?:256|384|512):[0-9a-f]*\Z"
_HOST_LABEL = r"[A-Za-z0-9*](?:[A-Za-z0-9*-]*[A-Za-z0-9*])?"


class RegistryKey(NamedTuple):
    """A key as the keyring files it: ``host`` (with port, as text) and ``path`` ("" or "/...")."""

    host: str
    path: str

    def __str__(self) -> str:
        return self.host + self.path

    @property
    def labels(self) -> list[str]:
        return _split_host(self.host)[0]

    @property
    def port(self) -> str:
        return _split_host(self.host)[1]


def file_key(written: str) -> RegistryKey | None:
    """Return the key under which the keyring files the entry ``written``, or None if it ignores the entry."""
    text = written.removeprefix("https://") if written.startswith("https://") else written.removeprefix("http://")
    if re.search(_CONTROL, text):
        return None
    text = text.split("#", 1)[0].split("?", 1)[0]
    host, slash, rest = text.partition("/")
    host = host.rpartition("@")[2]
    path = slash + rest
    if not re.fullmatch(_HOST, host) or re.search(_BAD_ESCAPE, path):
        return None
    path = unquote(path)
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return RegistryKey(host, "" if path == "/" else path)


def same_registry(one: str, other: str) -> bool:
    """Say whether two keys, differently written, are one and the same to the cluster (``https://h/v1/`` and ``h``)."""
    return filed_text(one) == filed_text(other)


def same_host(one: str, other: str) -> bool:
    """Say whether two keys are for the same host and port, whatever their paths.

    Globs stand for the hosts that they match, and Docker Hub is one host by each of its names.
    """
    first, second = file_key(one), file_key(other)
    if first is None or second is None:
        return False
    if first.host in DOCKER_HUB_HOSTS and second.host in DOCKER_HUB_HOSTS:
        return True
    if first.port != second.port or len(first.labels) != len(second.labels):
        return False
    return all(_label_matches(a, b) or _label_matches(b, a) for a, b in zip(first.labels, second.labels))


def shown_key(written: str) -> str:
    """Return a key as people may see it: without a user name and password that somebody has written into it."""
    begin, scheme, rest = written.rpartition("://")
    digest = re.search(_DIGEST_BEHIND, rest)
    place, tail = (rest[: digest.start()], rest[digest.start() :]) if digest else (rest, "")
    _user_info, at, place_alone = place.rpartition("@")
    return f"{begin}{scheme}{PLACEHOLDER}@{place_alone}{tail}" if at else written


def has_user_info(written: str) -> bool:
    """Return whether somebody has written a user name, or a password, into the key."""
    return shown_key(written) != written


def filed_text(written: str) -> str:
    """Return the text the keyring compares for the key ``written``; an ignored key stays as it is written."""
    key = file_key(written)
    return written if key is None else str(key)


def lookup_text(image: str) -> str:
    """Return what the API server looks up for ``image``: the pull spec with Docker's defaults filled in.

    Raises ``InputError`` if ``image`` is not a pull spec.
    """
    spec = PullSpec.parse(image)
    registry = spec.registry or DOCKER_HUB
    repository = spec.repository
    if registry in DOCKER_HUB_HOSTS and "/" not in repository:
        repository = f"library/{repository}"
    return f"{registry}/{repository}" + (f"@{spec.digest}" if spec.digest else f":{spec.tag or 'latest'}")


def key_matches(key: RegistryKey, target: str) -> bool:
    """Say whether ``key`` matches ``target``, a text that ``lookup_text`` returned."""
    host, slash, rest = target.partition("/")
    labels, port = _split_host(host)
    if key.port != port or len(key.labels) != len(labels) or not (slash + rest).startswith(key.path):
        return False
    return all(_label_matches(pattern, label) for pattern, label in zip(key.labels, labels))


def mismatch(key: RegistryKey, target: str) -> str:
    """Return the first rule by which ``key`` does not match ``target``, as half a sentence; "" if it matches."""
    host, slash, rest = target.partition("/")
    labels, port = _split_host(host)
    if len(key.labels) != len(labels) or not all(_label_matches(p, label) for p, label in zip(key.labels, labels)):
        return "is for another host"
    if key.port != port:
        wanted = f"port {port}" if port else "no port"
        return f"has {f'port {key.port}' if key.port else 'no port'}, but the image is written with {wanted}"
    if not (slash + rest).startswith(key.path):
        return "is for another path"
    return ""


class KeyringEntry(NamedTuple):
    """One entry of one secret: ``written`` is its key as the secret has it."""

    secret: str
    written: str
    username: str
    password: str

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return f"KeyringEntry({self.secret!r}, {self.written!r}, {self.username!r})"

    @property
    def login(self) -> tuple[str, str]:
        """Return user name and password, to be compared."""
        return self.username, self.password

    @property
    def is_empty(self) -> bool:
        """Say whether the entry makes the cluster ask anonymously: it matches, and hides others, all the same."""
        return not self.username or not self.password


class Match(NamedTuple):
    """An entry of the keyring that matches an image, with the key it is filed under."""

    key: str
    entry: KeyringEntry


class Keyring:
    """The entries of all candidate secrets, in the order in which the API server tries them."""

    def __init__(self, entries: t.Iterable[KeyringEntry]) -> None:
        self._filed: dict[RegistryKey, list[KeyringEntry]] = {}
        for entry in entries:
            key = file_key(entry.written)
            if key is not None:
                self._filed.setdefault(key, []).append(entry)
        for filed in self._filed.values():
            filed.sort(key=lambda entry: entry.secret)

    @property
    def keys(self) -> list[RegistryKey]:
        """Return the keys, the one that is tried first at the front."""
        return sorted(self._filed, key=str, reverse=True)

    def entries(self, key: RegistryKey) -> list[KeyringEntry]:
        """Return the entries filed under ``key``, by secret name: the first one is the one that is used."""
        return list(self._filed.get(key, []))

    def lookup(self, target: str) -> list[Match]:
        """Return all matches for ``target`` in the order of the server, which uses the first one only."""
        found = [Match(str(key), entry) for key in self.keys if key_matches(key, target) for entry in self._filed[key]]
        if not found and _may_be_docker_hubs(target.split("/", 1)[0]):
            fallback = RegistryKey(DOCKER_HUB_FALLBACK, "")
            found = [Match(str(fallback), entry) for entry in self._filed.get(fallback, [])]
        return found


def key_remark(written: str) -> str:
    """Return what a user should know about a key that matches nothing, or less than it seems to; "" for a plain one.

    The text is the end of a sentence that begins with the key. Docker Hub's ``https://index.docker.io/v1/`` is
    plain: it is how every tool writes it.
    """
    key = file_key(written)
    if key is None or not key.host:
        return (
            "is not a registry that an image could name, so the cluster ignores it; write host[:port][/path] as images "
            "do"
        )
    for remark in (_host_remark(key), _path_remark(key)):
        if remark:
            return remark
    return ""


def _host_remark(key: RegistryKey) -> str:
    if key.host in ("registry-1.docker.io", f"www.{DOCKER_HUB}", "hub.docker.com"):
        return (
            f"matches no image of Docker Hub, which are looked up as docker.io/...; write {DOCKER_HUB} or "
            "https://index.docker.io/v1/"
        )
    if key.host.endswith(":") or not all(re.fullmatch(_HOST_LABEL, label) for label in key.labels if ":" not in label):
        return "can never match: that is not a host that an image could name; write host[:port][/path] as images do"
    is_bare_word = (
        len(key.labels) == 1 and not key.port and not key.host.startswith("[") and key.host == key.host.lower()
    )
    if is_bare_word and not _label_matches(key.host, "localhost"):
        return (
            f'can never match: an image "{key.host}/..." is looked up on {DOCKER_HUB}, because "{key.host}" has '
            "neither a dot nor a port; write the host in full"
        )
    if key.host == "*":
        return (
            'matches images on "localhost" only: "*" stands for one part of a host name between dots, and a port is '
            "never matched by it"
        )
    if key.port in ("80", "443"):
        bare = key.host.rpartition(":")[0]
        return (
            f'matches only images that are written "{key.host}/...", never "{bare}/...": the port is compared as text'
        )
    if key.host != key.host.lower():
        return f'matches only images that write the host exactly so, "{key.host}": upper and lower case are told apart'
    return ""


def _path_remark(key: RegistryKey) -> str:
    if not key.path:
        return ""
    if "*" in key.path:
        return 'can never match: "*" stands for a part of the host only, in the path it is an ordinary character'
    if key.path != key.path.lower() and ":" not in key.path and "@" not in key.path:
        return "can never match: the path of an image is always in lower case"
    if not re.fullmatch(_PATH_BEGINNING, key.path):
        return "can never match: no image has such a path"
    if "@" in key.path or ":" in key.path:
        return (
            "has a tag or digest: pods never match it, and imports only when the first image of that repository in a "
            "request begins so; leave it out"
        )
    if key.path in ("/v1", "/v2"):
        return (
            f'matches only repositories that begin with "{key.path[1:]}": only "{key.path}/" with the slash is dropped '
            "from a key"
        )
    return ""


def _may_be_docker_hubs(host: str) -> bool:
    """Say whether the server tries the key of Docker Hub last: also for a host in one word, which is "localhost"."""
    return host in (DOCKER_HUB, DOCKER_HUB_FALLBACK) or not ("." in host or ":" in host)


def _split_host(host: str) -> tuple[list[str], str]:
    if host.startswith("["):
        inner, _bracket, port = host[1:].partition("]")
        return [inner], port[1:]
    name, colon, port = host.rpartition(":")
    return (name.split("."), port) if colon else (host.split("."), "")


def _label_matches(pattern: str, label: str) -> bool:
    """Return whether a part of a host name fits, as Go's ``path.Match`` decides.

    ``*`` stands for any text, also none.

    Patterns are foreign text, so this takes time that grows with the product of both lengths at most: between the
    first and the last ``*`` each piece is looked for behind the one before it, and never looked for again.
    """
    first, *others = pattern.split("*")
    if not others:
        return pattern == label
    last = others.pop()
    if len(label) < len(first) + len(last) or not label.startswith(first) or not label.endswith(last):
        return False
    place, end = len(first), len(label) - len(last)
    for piece in others:
        place = label.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True
