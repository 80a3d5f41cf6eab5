# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small images built in memory: the same arguments always give the same digests."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field

from .content import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Manifest, digest_of

_TYPES = {
    "docker": (
        DOCKER_MANIFEST,
        DOCKER_LIST,
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ),
    "oci": (
        OCI_MANIFEST,
        OCI_INDEX,
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
}
FORMATS = tuple(_TYPES)


@dataclass(frozen=True)
class Platform:
    """``os/architecture`` or ``os/architecture/variant``."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``linux/arm64/v8``; anything else than two or three non-empty parts is a ValueError."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"a platform is os/architecture or os/architecture/variant, not {text!r}")
        return cls(*parts)

    def entry(self) -> dict[str, str]:
        """Return the ``platform`` object of a list entry."""
        fields = {"os": self.os, "architecture": self.architecture, "variant": self.variant}
        return {key: value for key, value in fields.items() if value}


@dataclass
class Image:
    """What has to be in a repository so that ``top`` can be pulled: blobs, then manifests in push order."""

    top: Manifest
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: list[Manifest] = field(default_factory=list)


def build_image(
    platforms: Sequence[str], *, salt: str, image_format: str = "docker", as_list: bool | None = None
) -> Image:
    """One single image per platform, below a list when there are several (or ``as_list``).

    ``salt`` goes into the layer and a label, so another salt is another digest. ``image_format`` is ``docker``
    (schema 2, manifest list) or ``oci`` (OCI image, index).
    """
    if image_format not in _TYPES:
        raise ValueError(f"the image format is {' or '.join(FORMATS)}, not {image_format!r}")
    wanted = [Platform.parse(platform) for platform in platforms]
    if not wanted:
        raise ValueError("an image needs at least one platform")
    listed = len(wanted) > 1 if as_list is None else as_list
    if not listed and len(wanted) > 1:
        raise ValueError("several platforms need a list")
    manifest_type, list_type, config_type, layer_type = _TYPES[image_format]
    blobs: dict[str, bytes] = {}
    singles = []
    for platform in wanted:
        layer, diff_id = _layer(platform, salt)
        config = _config(platform, salt, diff_id)
        blobs[digest_of(config)] = config
        blobs[digest_of(layer)] = layer
        document = {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": _descriptor(config_type, config),
            "layers": [_descriptor(layer_type, layer)],
        }
        singles.append(Manifest(manifest_type, _compact(document)))
    if not listed:
        return Image(singles[0], blobs, singles)
    entries = [
        {**_descriptor(single.media_type, single.content), "platform": platform.entry()}
        for single, platform in zip(singles, wanted, strict=True)
    ]
    top = Manifest(list_type, _compact({"schemaVersion": 2, "mediaType": list_type, "manifests": entries}))
    return Image(top, blobs, [*singles, top])


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


def _layer(platform: Platform, salt: str) -> tuple[bytes, str]:
    """Return a layer with one file. Stored, not compressed: compressors differ between machines, stored blocks do
    not."""
    text = f"{salt} {platform.os}/{platform.architecture}/{platform.variant}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("etc/salt")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    archive_bytes = buffer.getvalue()
    return gzip.compress(archive_bytes, compresslevel=0, mtime=0), digest_of(archive_bytes)


def _config(platform: Platform, salt: str, diff_id: str) -> bytes:
    return _compact(
        {
            **platform.entry(),
            "created": "2026-01-01T00:00:00Z",
            "config": {"Labels": {"salt": salt}, "Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    )


def _compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
