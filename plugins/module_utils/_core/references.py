# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How images are named: pull specs, digests, tag names, stream names, namespaces.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The grammar of pull specs is that of the distribution project's reference package, which the API server uses too
(contract case invalid_requests: "invalid reference format"). Tag names of streams are checked more strictly than the
server checks them, because it accepts names that its own imagestreamtags API cannot address (server-behaviour.md 2.9).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import InputError
from .outward import visible

_DOMAIN = (
    r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*"
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
)
_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
# The server knows these algorithms only ("unsupported digest algorithm"), and no other length or case of the digits.
_DIGEST = r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}"
_STREAM = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
_NAMESPACE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"

DEFAULT_REGISTRY = "docker.io"


class PullSpec(NamedTuple):
    """A pull spec, taken apart.

    ``registry`` is as written, and empty if the text names none (then it is Docker Hub).
    """

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> PullSpec:
        """Take ``text`` apart; raise ``InputError`` with one message that says which part is wrong."""
        if not text or text != text.strip():
            raise _refusal(f'"{text}" is not a pull spec: it is empty or has space around it')
        if "://" in text:
            raise _refusal(
                f'"{text}" is not a pull spec: leave out "{text.split("://", 1)[0]}://" and begin with the registry'
            )
        rest, digest = text, ""
        if "@" in rest:
            rest, digest = rest.split("@", 1)
            check_digest(digest, text)
        name, tag = rest, ""
        if ":" in rest.rsplit("/", 1)[-1]:
            name, tag = rest.rsplit(":", 1)
            if not tag:
                raise _refusal(f'"{text}" is not a pull spec: the tag after the colon is empty')
        if tag and not re.fullmatch(_TAG, tag):
            raise _refusal(f'"{text}" is not a pull spec: "{tag}" is not a tag')
        registry, repository = _split_registry(name)
        if registry and not re.fullmatch(_DOMAIN, registry):
            raise _refusal(f'"{text}" is not a pull spec: "{registry}" is not a registry host')
        if not re.fullmatch(_PATH, repository):
            raise _refusal(
                f'"{text}" is not a pull spec: "{repository}" is not a repository name (lower case, digits, and . _ - '
                "/ between them)"
            )
        if not registry and re.fullmatch(r"[0-9a-f]{64}", repository):
            raise _refusal(f'"{text}" is not a pull spec: it is an image id without a repository')
        if len(repository) > 255:
            raise _refusal(f'"{text[:60]}..." is not a pull spec: the repository name is longer than 255 characters')
        return cls(registry, repository, tag, digest)

    def __str__(self) -> str:
        return self.full_repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def full_repository(self) -> str:
        """Return registry and repository as written, without tag and digest."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def location(self) -> str:
        """Return registry and repository with Docker's defaults filled in: what credentials are matched with."""
        if self.registry and self.registry not in (DEFAULT_REGISTRY, "index.docker.io"):
            return f"{self.registry}/{self.repository}"
        return f"{DEFAULT_REGISTRY}/" + (self.repository if "/" in self.repository else f"library/{self.repository}")


def _refusal(sentence: str) -> InputError:
    """Return the error with a sentence that shows a name, in one line: the name may be somebody else's."""
    return InputError(visible(sentence))


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return first, rest
    return "", name


def check_digest(digest: str, text: str) -> None:
    """Raise ``InputError`` unless ``digest`` is one; ``text`` is the whole pull spec, for the sentence."""
    if not re.fullmatch(_DIGEST, digest):
        raise _refusal(
            f'"{text}" is not a pull spec: "{digest}" is not a digest (sha256: and 64 hexadecimal digits in lower case)'
        )


def check_tag_name(name: str) -> None:
    """Raise ``InputError`` for a tag name that the imagestreamtags API could not address (server-behaviour.md 2.9)."""
    if not re.fullmatch(_TAG, name):
        raise _refusal(
            f'"{name}" is not a tag name that the API can address: use letters, digits, _ . - (at most 128, not '
            "beginning with . or -)"
        )


def check_stream_name(namespace: str, name: str) -> None:
    """Raise ``InputError`` for a stream name that the server refuses (contract case invalid_requests)."""
    first, slash, rest = name.partition("/")
    if slash and re.fullmatch(_NAMESPACE, first) and re.fullmatch(_STREAM, rest.partition(":")[0]):
        raise _refusal(f'"{name}": leave the namespace out of the name of an image stream, it is the option namespace')
    if not re.fullmatch(_STREAM, name):
        raise _refusal(
            f'"{name}" is not an image stream name: lower case letters and digits with single . _ - between them'
        )
    if len(namespace) + 1 + len(name) > 255:
        raise _refusal(
            f'"{namespace}/{name[:60]}..." is too long for an image stream: namespace and name together are limited to '
            "255 characters"
        )


def check_namespace(name: str) -> None:
    """Raise ``InputError`` for what cannot be a namespace (a DNS label)."""
    if not re.fullmatch(_NAMESPACE, name):
        raise _refusal(f'"{name}" is not a namespace name: at most 63 lower case letters, digits and - between them')
