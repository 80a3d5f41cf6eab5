# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The streams that a tag and its source are in, as the cluster has them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.client import ClusterClient, image_path
from .._core.errors import NotFound
from .._import_engine.images import EXTERNAL
from .._import_engine.observed import ObservedStream, parse_stream
from .desired import DesiredStreamTag


class Images(NamedTuple):
    """The images that a stream's history holds, newest first, by tag: (digest, repository@digest).

    A digest may be empty.
    """

    by_tag: t.Mapping[str, tuple[tuple[str, str], ...]]

    @classmethod
    def of(cls, stream: t.Mapping[str, t.Any]) -> Images:
        """Read the history of an ImageStream object."""
        entries = (stream.get("status") or {}).get("tags") or ()
        return cls(
            {
                entry["tag"]: tuple(
                    (item.get("image", ""), item.get("dockerImageReference", "")) for item in entry.get("items") or ()
                )
                for entry in entries
            }
        )

    def holds(self, digest: str) -> bool:
        """Return whether some tag has or had the image."""
        return any(digest == known for items in self.by_tag.values() for known, _reference in items)


class Observed(NamedTuple):
    """The stream of the tag, and the histories of it and of the source's stream (None if there is none)."""

    stream: ObservedStream
    images: Images
    source_images: Images | None


def observe_stream_tag(client: ClusterClient, desired: DesiredStreamTag) -> Observed:
    """Read the stream of the tag, and that of its source if it is another one."""
    raw = _read(client, desired.namespace, desired.stream)
    stream = parse_stream(desired.namespace, raw) if raw else ObservedStream(desired.namespace, desired.stream)
    return Observed(stream, Images.of(raw or {}), _source_images(client, desired, raw))


def _read(client: ClusterClient, namespace: str, stream: str) -> dict[str, t.Any] | None:
    try:
        found: dict[str, t.Any] = client.get(image_path(namespace, "imagestreams", stream))
    except NotFound:
        return None
    return found


def _source_images(client: ClusterClient, desired: DesiredStreamTag, own: dict[str, t.Any] | None) -> Images | None:
    source = desired.source
    if source is None or source.kind == EXTERNAL:
        return None
    same = (source.namespace, source.stream) == (desired.namespace, desired.stream)
    raw = own if same else _read(client, source.namespace, source.stream)
    return Images.of(raw) if raw else None
