# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image streams with their whole history, and which of its images are manifest lists with which children.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field
from typing import NamedTuple

from .._core.manifests import platform_text

Object = t.Mapping[str, t.Any]
Key = tuple[str, str]


class HistoryItem(NamedTuple):
    """One image that a tag pointed to. ``revision`` counts from 1, the newest, as the pruner's log does."""

    revision: int
    image: str
    source: str
    created: dt.datetime | None


class TagHistory(NamedTuple):
    """A tag's images, newest first, and what its spec says about importing. ``pinned``: its source is a digest."""

    name: str
    items: tuple[HistoryItem, ...]
    pinned: bool = False
    insecure: bool = False
    reference_policy: str = ""


@dataclass(frozen=True)
class StreamHistory:
    """An image stream.

    ``repository`` is where the cluster's registry serves it, ``public_repository`` where outside of it.

    ``children`` maps each manifest list of the history to the digests of its children; None: they are not known.
    """

    namespace: str
    name: str
    created: dt.datetime | None = None
    repository: str = ""
    public_repository: str = ""
    tags: tuple[TagHistory, ...] = ()
    children: t.Mapping[str, tuple[str, ...]] | None = field(default=None, compare=False)

    @property
    def key(self) -> Key:
        """Return namespace and name."""
        return self.namespace, self.name

    @property
    def images(self) -> frozenset[str]:
        """Return the digests of the history; those of the children are not among them."""
        return frozenset(item.image for tag in self.tags for item in tag.items if item.image)

    @property
    def hosts(self) -> frozenset[str]:
        """Return the host names under which the cluster's registry serves the stream."""
        return frozenset(
            repository.split("/", 1)[0] for repository in (self.repository, self.public_repository) if "/" in repository
        )


def parse_history(stream: Object) -> StreamHistory:
    """Turn an ImageStream object into its history; the children are not part of it."""
    metadata, spec, status = (stream.get(part) or {} for part in ("metadata", "spec", "status"))
    specs = {tag.get("name"): tag for tag in spec.get("tags") or ()}
    return StreamHistory(
        metadata.get("namespace", ""),
        metadata.get("name", ""),
        _time(metadata.get("creationTimestamp")),
        status.get("dockerImageRepository") or "",
        status.get("publicDockerImageRepository") or "",
        tuple(_parse_tag(entry, specs.get(entry.get("tag")) or {}) for entry in status.get("tags") or ()),
    )


def _parse_tag(entry: Object, spec: Object) -> TagHistory:
    items = tuple(
        HistoryItem(
            revision, item.get("image") or "", item.get("dockerImageReference") or "", _time(item.get("created"))
        )
        for revision, item in enumerate(entry.get("items") or (), start=1)
    )
    source = spec.get("from") or {}
    return TagHistory(
        entry.get("tag", ""),
        items,
        source.get("kind") == "DockerImage" and "@" in (source.get("name") or ""),
        bool((spec.get("importPolicy") or {}).get("insecure")),
        (spec.get("referencePolicy") or {}).get("type") or "",
    )


def parse_children(layers: Object) -> dict[str, tuple[str, ...]]:
    """Return the children of each manifest list from the answer of ``imagestreams/<name>/layers``
    (contract case import_preserve_original)."""
    return {
        digest: tuple(image["manifests"])
        for digest, image in (layers.get("images") or {}).items()
        if image and image.get("manifests")
    }


def parse_platforms(image: Object) -> dict[str, str]:
    """Return ``os/architecture[/variant]`` of each child of an Image object that is a manifest list."""
    return {
        child["digest"]: platform_text(child.get("os"), child.get("architecture"), child.get("variant"))
        for child in image.get("dockerImageManifests") or ()
    }


def _time(text: t.Any) -> dt.datetime | None:
    """Return a time as the API writes it, in whole seconds of UTC."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)
    except (TypeError, ValueError):
        return None
