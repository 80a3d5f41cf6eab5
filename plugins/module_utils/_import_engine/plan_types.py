# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for image streams as values: reasons, the parts of a plan, and what a plan may rely on.

No decision is made here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType
from typing import NamedTuple

from .images import STREAM_TAG, Image, ImportItem, Lookup, Outcome
from .observed import ObservedStream, ObservedTag

STREAM_MISSING = "stream_missing"
TAG_MISSING = "tag_missing"
SOURCE_CHANGED = "source_changed"
IMPORT_MODE_CHANGED = "import_mode_changed"
REFERENCE_POLICY_CHANGED = "reference_policy_changed"
SCHEDULED_CHANGED = "scheduled_changed"
INSECURE_CHANGED = "insecure_changed"
PREFERENCE_CHANGED = "preference_changed"
REFERENCE_CHANGED = "reference_changed"
UPSTREAM_MOVED = "upstream_moved"
LAST_IMPORT_FAILED = "last_import_failed"
NEVER_IMPORTED = "never_imported"
FORCED = "forced"
NOT_LISTED = "not_listed"
PUSHED = "pushed"

# Reasons to import again what a tag follows already.
IMPORTS_ONLY = frozenset((UPSTREAM_MOVED, LAST_IMPORT_FAILED, NEVER_IMPORTED, FORCED, PUSHED))

# What an import will bring if nobody can tell before.
UNKNOWN_IMAGE = Image("", "", "", (), "")


class TagPlan(NamedTuple):
    """What is to be done for one tag.

    ``patch`` is the tag's entry of a strategic merge patch, ``item`` its part of an import request, ``remove``
    deletes tag and history. ``outcome`` is known before anything is written. ``after`` is the tag as it will be
    (None: no such tag), ``unforeseen`` what could be said of an imported tag without knowing its image. ``lookup``
    is what has to be found out first; until then nothing else is planned.
    """

    name: str
    reasons: tuple[str, ...] = ()
    patch: t.Mapping[str, t.Any] | None = None
    item: ImportItem | None = None
    remove: bool = False
    outcome: Outcome | None = None
    after: ObservedTag | None = None
    unforeseen: ObservedTag | None = None
    lookup: Lookup | None = None


class StreamPlan(NamedTuple):
    """What is to be done for one stream, in this order: create or patch, import, remove tags; or delete it whole.

    ``held_back`` are the reasons of changes that were not approved, by tag, and by "" for the stream itself.
    """

    namespace: str
    name: str
    tags: tuple[TagPlan, ...] = ()
    create: bool = False
    delete: bool = False
    lookup_policy_local: bool | None = None
    held_back: t.Mapping[str, tuple[str, ...]] = MappingProxyType({})
    after: ObservedStream = ObservedStream("", "")

    @property
    def lookups(self) -> list[Lookup]:
        """Return what has to be found out first."""
        return [tag.lookup for tag in self.tags if tag.lookup]

    @property
    def patches(self) -> list[t.Mapping[str, t.Any]]:
        """Return the entries for ``spec.tags`` of a patch, or of the stream to create."""
        return [tag.patch for tag in self.tags if tag.patch]

    @property
    def items(self) -> list[ImportItem]:
        """Return the images to import."""
        return [tag.item for tag in self.tags if tag.item]

    @property
    def removals(self) -> list[str]:
        """Return the tags to remove."""
        return [tag.name for tag in self.tags if tag.remove]

    @property
    def changes_spec(self) -> bool:
        """Return whether something that is declared changes; to import again what a tag follows already does not."""
        if self.create or self.delete or self.lookup_policy_local is not None:
            return True
        return any(
            tag.patch or tag.remove or (tag.item and not IMPORTS_ONLY.issuperset(tag.reasons)) for tag in self.tags
        )

    @property
    def writes(self) -> bool:
        """Return whether carrying the plan out sends any request that can write."""
        policy = self.lookup_policy_local is not None
        return self.create or self.delete or policy or any(tag.patch or tag.item or tag.remove for tag in self.tags)

    def without(self, refused: t.Container[str]) -> StreamPlan:
        """Return the plan that writes nothing about the tags that the server has ``refused``."""
        if not any(tag.name in refused for tag in self.tags):
            return self
        rest = self._replace(
            tags=tuple(tag._replace(patch=None, item=None) if tag.name in refused else tag for tag in self.tags)
        )
        return rest._replace(create=self.create and (bool(rest.patches) or self.lookup_policy_local is not None))


class Knowledge(NamedTuple):
    """What a plan may rely on besides the cluster's state.

    ``looked_up``: answers of the registry. ``attempted``: outcomes of imports that this run has made, by tag; a tag
    that failed is not retried in the same run. ``foresee``: check mode, where each import's outcome is looked up
    first. ``control_plane_architecture`` completes a preference for an operating system alone (server-behaviour.md
    2.10). ``begun_with`` is the stream as it was before this run wrote anything to it, ``written`` are the tags as
    it has written them.
    """

    looked_up: t.Mapping[Lookup, Outcome]
    attempted: t.Mapping[str, Outcome] = MappingProxyType({})
    foresee: bool = False
    control_plane_architecture: str = "amd64"
    begun_with: ObservedStream | None = None
    written: t.Mapping[str, ObservedTag] = MappingProxyType({})


def followed_tag(namespace: str, stream: str, tag: ObservedTag) -> str:
    """Return the tag of the same stream that ``tag`` follows; "" if it follows none, or one of another stream."""
    if tag.kind != STREAM_TAG or tag.source_namespace not in ("", namespace):
        return ""
    of_stream, _colon, followed = tag.source.rpartition(":")
    return followed if of_stream in ("", stream) else ""
