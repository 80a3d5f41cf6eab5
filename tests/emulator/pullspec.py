# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image references as the image API parses and writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

DOCKER_HUB = "docker.io"
_HUB_NAMES = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")
_NAME_LIMIT = 255

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?"
# The server's own has [-]*, which says the same: what separates nothing would make Python look in exponentially many
# ways.
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ALGORITHM = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_REFERENCE = re.compile(rf"(?P<name>{_NAME})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_ALGORITHM}:[0-9a-fA-F]{{32,}}))?")
_HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class BadReference(ValueError):
    """Not an image reference; the text is the server's."""


@dataclass(frozen=True)
class PullSpec:
    """``registry/namespace/name:tag@digest``, each part as written, empty if it was not."""

    registry: str
    namespace: str
    name: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> PullSpec:
        """Parse what a user wrote; raises BadReference."""
        found = _REFERENCE.fullmatch(text)
        if found is None:
            if _REFERENCE.fullmatch(text.lower()) is not None:
                raise BadReference("repository name must be lowercase")
            raise BadReference("invalid reference format")
        if len(found["name"]) > _NAME_LIMIT:
            raise BadReference(f"repository name must not be more than {_NAME_LIMIT} characters")
        digest = found["digest"] or ""
        if digest:
            _check_digest(digest)
        first, slash, rest = found["name"].partition("/")
        if slash:
            is_registry = ":" in first or "." in first or first == "localhost"
        else:
            is_registry = "." in first or first.startswith("localhost")
        if is_registry and not slash:
            return cls(text, "", "", "", digest)
        registry, path = (first, rest) if is_registry else ("", found["name"])
        namespace, slash, name = path.partition("/")
        if not slash:
            namespace, name = "", path
        return cls(registry, namespace, name, found["tag"] or "", digest)

    def with_defaults(self) -> PullSpec:
        """With Docker's defaults: ``docker.io``, ``library``, ``latest``."""
        registry = self.registry or DOCKER_HUB
        namespace = self.namespace or ("library" if registry in _HUB_NAMES else "")
        return replace(self, registry=registry, namespace=namespace, tag=self.tag or "latest")

    @property
    def repository(self) -> str:
        """The path below the registry."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def host(self) -> str:
        """Where the registry is reached."""
        return "registry-1.docker.io" if self.registry in _HUB_NAMES[:2] else self.registry

    def as_repository(self) -> PullSpec:
        """Without tag and digest."""
        return replace(self, tag="", digest="")

    def at_digest(self, digest: str) -> PullSpec:
        """Return this repository at a digest."""
        return replace(self, tag="", digest=digest)

    def at_tag(self, tag: str) -> PullSpec:
        """Return this repository at a tag."""
        return replace(self, tag=tag, digest="")

    def normalized(self) -> str:
        """In full, as messages of the importer name an image."""
        registry = self.registry or DOCKER_HUB
        namespace = self.namespace or ("library" if registry in _HUB_NAMES else "")
        return str(replace(self, registry=registry, namespace=namespace))

    def __str__(self) -> str:
        suffix = f"@{self.digest}" if self.digest else f":{self.tag}" if self.tag else ""
        prefix = f"{self.registry}/" if self.registry else ""
        return prefix + self.repository + suffix


def _check_digest(digest: str) -> None:
    algorithm, _colon, value = digest.partition(":")
    if algorithm not in _HEX_LENGTHS:
        raise BadReference("unsupported digest algorithm")
    if len(value) != _HEX_LENGTHS[algorithm]:
        raise BadReference("invalid checksum digest length")
    if re.fullmatch(r"[0-9a-f]+", value) is None:
        raise BadReference("invalid checksum digest format")
