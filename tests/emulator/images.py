# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image objects: made of manifests, stored once, shown within tags; and the layers of a stream."""

from __future__ import annotations

import json
import typing as t

from .gotext import now_text
from .registry_reader import SCHEMA2, Manifest
from .resources import IMAGES
from .statuses import FieldError, invalid, required_value
from .store import Object, Store, Stored

LAYERS_ORDER = {"image.openshift.io/dockerLayersOrder": "ascending"}
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_TOP_TEXTS = {
    "parent": "Parent",
    "comment": "Comment",
    "container": "Container",
    "docker_version": "DockerVersion",
    "author": "Author",
    "architecture": "Architecture",
}
_CONFIG_FIELDS = frozenset(
    [
        "Hostname",
        "Domainname",
        "User",
        "Memory",
        "MemorySwap",
        "CpuShares",
        "Cpuset",
        "AttachStdin",
        "AttachStdout",
        "AttachStderr",
        "PortSpecs",
        "ExposedPorts",
        "Tty",
        "OpenStdin",
        "StdinOnce",
        "Env",
        "Cmd",
        "Dns",
        "Image",
        "Volumes",
        "VolumesFrom",
        "WorkingDir",
        "Entrypoint",
        "NetworkDisabled",
        "SecurityOpts",
        "OnBuild",
        "Labels",
    ]
)


def image_of_list(manifest: Manifest) -> Object:
    """Return the Image of a manifest list or index: no layers, no config, its children as ``dockerImageManifests``."""
    children = []
    for entry in manifest.document.get("manifests") or []:
        platform = entry.get("platform") or {}
        child = {
            "digest": entry.get("digest", ""),
            "mediaType": entry.get("mediaType", ""),
            "manifestSize": entry.get("size", 0),
            "architecture": platform.get("architecture", ""),
            "os": platform.get("os", ""),
        }
        if platform.get("variant"):
            child["variant"] = platform["variant"]
        children.append(child)
    image: Object = {
        "metadata": {"name": manifest.digest},
        "dockerImageMetadata": _metadata(manifest.digest, now_text()),
        "dockerImageMetadataVersion": "1.0",
        "dockerImageManifestMediaType": manifest.media_type,
    }
    if children:
        image["dockerImageManifests"] = children
    return image


def image_of_manifest(manifest: Manifest, config: bytes) -> Object:
    """Return the Image of one platform's manifest, with the raw texts that only lookups show."""
    document = manifest.document
    layers = [
        {"name": layer.get("digest", ""), "size": layer.get("size", 0), "mediaType": layer.get("mediaType", "")}
        for layer in document.get("layers") or []
    ]
    described = json.loads(config)
    metadata = _metadata(document["config"]["digest"], _seconds(described.get("created")))
    for key, shown in _TOP_TEXTS.items():
        if described.get(key):
            metadata[shown] = described[key]
    metadata["ContainerConfig"] = _container(described.get("container_config"))
    if described.get("config") is not None:
        metadata["Config"] = _container(described["config"])
    size = len(config) + sum({layer["name"]: layer["size"] for layer in layers}.values())
    if size:
        metadata["Size"] = size
    image: Object = {
        "metadata": {"name": manifest.digest, "annotations": dict(LAYERS_ORDER)},
        "dockerImageMetadata": metadata,
        "dockerImageMetadataVersion": "1.0",
        "dockerImageManifest": manifest.content.decode(),
        "dockerImageManifestMediaType": manifest.media_type,
        "dockerImageConfig": config.decode(),
    }
    if layers:
        image["dockerImageLayers"] = layers
    return image


def _metadata(identity: str, created: str | None) -> Object:
    return {
        "kind": "DockerImage",
        "apiVersion": "image.openshift.io/1.0",
        "Id": identity,
        "Created": created,
        "ContainerConfig": {},
    }


def _container(config: t.Any) -> Object:
    found = config if isinstance(config, dict) else {}
    return {key: value for key, value in found.items() if key in _CONFIG_FIELDS and value}


def _seconds(moment: t.Any) -> str | None:
    """Return a time of an image's config, in whole seconds."""
    text = str(moment or "")
    if not text or text.startswith("0001-01-01T00:00:00"):
        return None
    return text[:19] + "Z"


def without_manifest(image: Object) -> Object:
    """Return the image without its raw texts."""
    return {key: value for key, value in image.items() if key not in ("dockerImageManifest", "dockerImageConfig")}


class Images:
    """The cluster's Image objects."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> Stored | None:
        """Return the stored image of a digest."""
        return self._store.get(IMAGES, "", name)

    def save(self, image: Object) -> Object:
        """Store an image unless it is there; returns it as an import's answer shows it: with a uid, and with a
        version only if it is new (contract case ctl_failed_import_then).

        Raises the 422 of an image that is not valid (contract case list_entry_without_platform).
        """
        name = image["metadata"]["name"]
        problems = list(_problems(image))
        if problems:
            raise invalid(IMAGES.group_kind, name, problems)
        stored = self.get(name)
        shown = without_manifest(image)
        if stored is None:
            data = without_manifest(image)
            data["metadata"] = dict(image["metadata"])
            shown["metadata"] = dict(self._store.create(IMAGES, "", data).data["metadata"])
        else:
            shown["metadata"] = {
                key: value for key, value in stored.data["metadata"].items() if key != "resourceVersion"
            }
        return shown

    def within_tag(self, event: Object | None, reference: str, annotations: Object | None) -> Object:
        """Return the ``image`` of an imagestreamtag; that of a tag without a stored image is nearly empty."""
        name = event.get("image", "") if event else ""
        stored = self.get(name) if name else None
        if stored is not None:
            image = stored.copy()
            if annotations:
                image["metadata"]["annotations"] = {**(image["metadata"].get("annotations") or {}), **annotations}
        else:
            image = empty_image(name)
        if reference:
            image["dockerImageReference"] = reference
        return image

    def layers(self, stream: Object) -> tuple[Object, Object]:
        """``blobs`` and ``images`` of a stream's layers: every history item, and the children of lists."""
        blobs: Object = {}
        images: Object = {}
        for tag in stream["status"].get("tags") or []:
            for item in tag.get("items") or []:
                if item.get("image"):
                    self._add_layers(item["image"], blobs, images)
        return dict(sorted(blobs.items())), dict(sorted(images.items()))

    def _add_layers(self, name: str, blobs: Object, images: Object) -> None:
        if name in images:
            return
        stored = self.get(name)
        if stored is None:
            images[name] = {"imageMissing": True, "layers": None, "config": None}
            return
        image = stored.data
        media_type = image.get("dockerImageManifestMediaType") or SCHEMA2
        layers = image.get("dockerImageLayers") or []
        config = image["dockerImageMetadata"].get("Id") or None if media_type == SCHEMA2 else None
        entry: Object = {
            "imageMissing": False,
            "layers": [layer["name"] for layer in layers] or None,
            "config": config,
        }
        images[name] = entry
        for layer in layers:
            blobs.setdefault(layer["name"], {"size": layer["size"], "mediaType": layer["mediaType"]})
        if config:
            blobs.setdefault(config, {"size": None, "mediaType": _CONFIG_TYPE})
        blobs.setdefault(name, {"size": None, "mediaType": media_type})
        children = [child["digest"] for child in image.get("dockerImageManifests") or []]
        if children:
            entry["manifests"] = children
        for child in children:
            self._add_layers(child, blobs, images)


def empty_image(name: str) -> Object:
    """Return what stands for an image that is not shown or not known (contract case tags_between_streams)."""
    return {
        "metadata": {"name": name} if name else {},
        "dockerImageMetadata": _metadata("", None),
        "dockerImageMetadataVersion": "1.0",
    }


def _problems(image: Object) -> t.Iterator[FieldError]:
    for index, child in enumerate(image.get("dockerImageManifests") or []):
        for field in ("digest", "mediaType", "architecture", "os"):
            if not child.get(field):
                yield required_value(f"dockerImageManifests[{index}].{field}")
