# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``oc adm prune images`` keeps, and why: its rules for one history item of a tag.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The rules are those of the pruner's first stage (server-behaviour.md 5). An item that none of them keeps is dropped
from the stream, and its image, with the children of a manifest list, is deleted in the second stage unless another
item has it.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from typing import NamedTuple

from .image_uses import ImageUse
from .stream_history import HistoryItem, StreamHistory, TagHistory

# From the one that lasts to the one that ends by itself.
IMAGE_IN_USE = "image_in_use"
PINNED_TAG = "pinned_tag"
KEEP_TAG_REVISIONS = "keep_tag_revisions"
TAG_IN_USE = "tag_in_use"
KEEP_YOUNGER_THAN = "keep_younger_than"
NOTHING = "nothing"
STRENGTH = (IMAGE_IN_USE, PINNED_TAG, KEEP_TAG_REVISIONS, TAG_IN_USE, KEEP_YOUNGER_THAN, NOTHING)


class PrunePolicy(NamedTuple):
    """The options of the pruner's next run. ``now`` has a time zone."""

    now: dt.datetime
    keep_tag_revisions: int = 3
    keep_younger_than_minutes: int = 60

    def is_young(self, created: dt.datetime | None) -> bool:
        """Return whether the pruner keeps something of that age; what has no date is old to it."""
        return created is not None and created > self.now - dt.timedelta(minutes=self.keep_younger_than_minutes)


class SeenByPruner(NamedTuple):
    """The references that the pruner finds: ``(namespace, stream, tag)`` and ``(namespace, stream, digest)``."""

    tags: frozenset[tuple[str, str, str]] = frozenset()
    images: frozenset[tuple[str, str, str]] = frozenset()


def seen_by_pruner(uses: t.Iterable[ImageUse]) -> SeenByPruner:
    """Return what of the uses the pruner counts.

    It counts containers, init containers and the strategies of builds, not what a node runs.

    Pods that have ended are left out; it counts those too while they are young.
    """
    tags, images = set(), set()
    for use in uses:
        counted = use.place in ("container", "init") or (use.place == "build" and use.container == "strategy")
        if (
            not counted
            or use.reference is None
            or use.reference.stream is None
            or (use.workload.kind == "Pod" and use.workload.finished)
        ):
            continue
        if use.reference.digest:
            images.add((*use.reference.stream, use.reference.digest))
        else:
            tags.add((*use.reference.stream, use.reference.tag))
    return SeenByPruner(frozenset(tags), frozenset(images))


def kept_by(stream: StreamHistory, tag: TagHistory, item: HistoryItem, seen: SeenByPruner, policy: PrunePolicy) -> str:
    """Return the most lasting rule that keeps the item, or NOTHING.

    PINNED_TAG is KEEP_TAG_REVISIONS if it lasts: the newest item of a tag that follows a digest stays the newest.
    """
    if (stream.namespace, stream.name, item.image) in seen.images:
        return IMAGE_IN_USE
    if item.revision <= policy.keep_tag_revisions:
        return PINNED_TAG if item.revision == 1 and tag.pinned else KEEP_TAG_REVISIONS
    if item.revision == 1 and (stream.namespace, stream.name, tag.name) in seen.tags:
        return TAG_IN_USE
    if policy.is_young(item.created) or policy.is_young(stream.created):
        return KEEP_YOUNGER_THAN
    return NOTHING
