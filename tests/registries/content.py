# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a registry holds, as values: blobs, exact manifest texts, tags; and the reader of ``registry.json``."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
LIST_TYPES = frozenset({DOCKER_LIST, OCI_INDEX})
MANIFEST_TYPES = (DOCKER_LIST, OCI_INDEX, DOCKER_MANIFEST, OCI_MANIFEST)


def digest_of(content: bytes) -> str:
    """Return the content's digest, as registries name it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """One manifest, byte for byte: its digest is the digest of ``content``."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """sha256 of the exact text."""
        return digest_of(self.content)

    def children(self) -> list[str]:
        """Digests of the manifests that a list or index names; empty for a single image."""
        if self.media_type not in LIST_TYPES:
            return []
        return [entry["digest"] for entry in json.loads(self.content)["manifests"]]

    def blob_digests(self) -> list[str]:
        """Digests of the configuration and the layers of a single image; empty for a list."""
        if self.media_type in LIST_TYPES:
            return []
        document = json.loads(self.content)
        return [document["config"]["digest"], *(layer["digest"] for layer in document["layers"])]


@dataclass
class RepositoryContent:
    """Tags (name to digest) and manifests (by digest) of one repository."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)

    def in_push_order(self) -> list[Manifest]:
        """Children before the lists that name them: registries refuse a list with an unknown child."""
        return sorted(self.manifests.values(), key=lambda manifest: manifest.media_type in LIST_TYPES)


@dataclass
class RegistryContent:
    """Everything one registry holds; ``credential`` is (user, password), or None if anybody may read and write."""

    repositories: dict[str, RepositoryContent] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    credential: tuple[str, str] | None = None


def load_contents(path: Path) -> dict[str, RegistryContent]:
    """Read a file in the format of the contract's ``registry.json``; a text that misses its digest is a ValueError."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return {name: _content(name, entry) for name, entry in document.items()}


def _content(registry: str, entry: dict[str, t.Any]) -> RegistryContent:
    content = RegistryContent()
    if entry.get("auth"):
        content.credential = (entry["auth"]["username"], entry["auth"]["password"])
    for digest, encoded in entry["blobs"].items():
        blob = base64.b64decode(encoded, validate=True)
        _check(digest, blob, f"a blob of {registry}")
        content.blobs[digest] = blob
    for name, repository in entry["repositories"].items():
        manifests = {}
        for digest, manifest in repository["manifests"].items():
            text = manifest["content"].encode()
            _check(digest, text, f"a manifest of {registry}/{name}")
            manifests[digest] = Manifest(manifest["mediaType"], text)
        content.repositories[name] = RepositoryContent(dict(repository["tags"]), manifests)
    return content


def _check(digest: str, content: bytes, what: str) -> None:
    if digest_of(content) != digest:
        raise ValueError(f"{what} is listed as {digest} but its content has {digest_of(content)}")
