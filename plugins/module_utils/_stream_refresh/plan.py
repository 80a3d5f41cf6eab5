# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags of the cluster track what was pushed: a pure function.

What becomes of each of them is the import engine's to plan.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A tag tracks what was pushed if its spec names an external image by a tag, that tag was pushed, and its repository is
the one that was pushed to: by its own name, by another name of its registry, or because the cluster imports it
through a mirror that was pushed to. A push never moves what names a digest, follows another tag or is a reference
only.
"""

from __future__ import annotations

import typing as t

from .._core.errors import InputError
from .._core.references import PullSpec
from .._import_engine.desired import DesiredStream, DesiredTag
from .._import_engine.images import EXTERNAL
from .._import_engine.observed import ObservedStream, ObservedTag
from .._registry_access.mirrors import Mirrors
from .desired import DesiredRefresh, Push, RegistryNames

# What a pull spec means that names no tag.
_DEFAULT_TAG = "latest"


def plan_refresh(
    wanted: DesiredRefresh, streams: t.Iterable[ObservedStream], mirrors: Mirrors
) -> list[tuple[DesiredStream, ObservedStream]]:
    """Return the streams with the tags to import, each with the stream as it was read."""
    by_location: dict[str, list[Push]] = {}
    for push in wanted.pushes:
        for location in push.locations:
            by_location.setdefault(location, []).append(push)
    plans = []
    for stream in streams:
        tags = tuple(
            DesiredTag(tag.name, source)
            for tag in stream.tags.values()
            for source in _moved_source(tag, wanted, by_location, mirrors)
        )
        if tags:
            plans.append((DesiredStream(stream.namespace, stream.name, tags, refresh="pushed"), stream))
    return plans


def _moved_source(
    tag: ObservedTag, wanted: DesiredRefresh, by_location: t.Mapping[str, list[Push]], mirrors: Mirrors
) -> list[PullSpec]:
    """Return the source of a tag if it was pushed and the tag may not have it yet, else nothing."""
    if tag.kind != EXTERNAL or tag.reference or (wanted.only_scheduled and not tag.scheduled):
        return []
    try:
        source = PullSpec.parse(tag.source)
    except InputError:
        # The server took it once and would not import it today.
        return []
    if source.digest:
        return []
    name = source.tag or _DEFAULT_TAG
    pushes = [
        push
        for location in _locations(source, wanted.names, mirrors)
        for push in by_location.get(location, ())
        if push.tag in ("", name)
    ]
    return [source] if pushes and not _has_already(tag, pushes) else []


def _has_already(tag: ObservedTag, pushes: t.Sequence[Push]) -> bool:
    """Return whether each push is of the image that the tag has.

    Under Legacy a tag has a child of a list, so that it cannot be told.
    """
    return (
        bool(tag.digest)
        and not tag.failure
        and not tag.pending
        and all(push.tag and push.digest == tag.digest for push in pushes)
    )


def _locations(source: PullSpec, names: RegistryNames, mirrors: Mirrors) -> set[str]:
    """Return where imports of ``source`` look.

    They look in the mirrors of the longest rule that it is in, and at the place that it names.
    """
    location = source.location
    places = [location, *mirrors.places(location, for_digests=False)]
    return {names.location(place) for place in places}
