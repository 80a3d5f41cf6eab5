# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for a tag that points to another tag, an image of a stream, or an external reference that is not
imported.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Pure: from what is declared and the two streams as read. A copy of a tag is fixed to the image that the source has
now, as ``oc tag`` writes it (server-behaviour.md 3), so that a source that moved shows as drift of the copy.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import CollectionError
from .._import_engine.images import EXTERNAL, STREAM_IMAGE, STREAM_TAG
from .._import_engine.observed import ObservedStream, ObservedTag
from .._import_engine.plan_types import (
    NOT_LISTED,
    SOURCE_CHANGED,
    STREAM_MISSING,
    TAG_MISSING,
    UPSTREAM_MOVED,
    followed_tag,
)
from .._import_engine.tag_changes import setting_changes
from .desired import DesiredStreamTag, Source
from .observed import Images


class StreamTagPlan(NamedTuple):
    """What is to be done for the tag: ``entry`` is its part of a stream's spec, ``remove`` deletes tag and history."""

    reasons: tuple[str, ...]
    entry: dict[str, t.Any] | None = None
    create: bool = False
    remove: bool = False
    after: ObservedTag | None = None


class SourceMissing(CollectionError):
    """The tag or image that the tag is to point to does not exist."""


class AliasOfItself(CollectionError):
    """The followed tag follows, in one step or more, its follower."""


def plan_stream_tag(
    desired: DesiredStreamTag, observed: ObservedStream, own_images: Images, source_images: Images | None
) -> StreamTagPlan:
    """Plan the tag. ``source_images`` is the history of the source's stream, None if that stream does not exist.

    Raises ``SourceMissing`` and ``AliasOfItself``: the cluster would accept a tag that points nowhere (contract case
    tags_between_streams).
    """
    tag = observed.tags.get(desired.tag)
    if desired.source is None:
        present = tag is not None or desired.tag in own_images.by_tag
        return StreamTagPlan((NOT_LISTED,) if present else (), remove=present)
    source, digest = _resolve(desired, desired.source, source_images)
    if desired.alias:
        _check_circle(desired, desired.source.tag, observed)
    wanted = _wanted(desired, source, digest, tag)
    reasons = _reasons(desired, wanted, tag, observed.exists)
    if not reasons:
        return StreamTagPlan((), after=tag)
    return StreamTagPlan(reasons, _entry(wanted, tag), create=not observed.exists, after=wanted)


def _resolve(desired: DesiredStreamTag, source: Source, images: Images | None) -> tuple[Source, str]:
    """Return the source as it is written on the tag, and the digest that the tag will have.

    An external reference has no digest: it is "".
    """
    if source.kind == EXTERNAL:
        return source, ""
    of = f"{source.namespace}/{source.stream}"
    if images is None:
        elsewhere = "; for a stream of another namespace write from: NAMESPACE/STREAM:TAG, or set from_namespace"
        hint = elsewhere if source.namespace == desired.namespace else ""
        raise SourceMissing(f"{desired.where} cannot point to the stream {of}, because it does not exist{hint}.")
    if source.kind == STREAM_IMAGE:
        if not images.holds(source.digest):
            raise SourceMissing(
                f"{desired.where} cannot point to {of}@{source.digest}, because no tag of that stream has or had this "
                "image; a child of a manifest list is imported by its digest with image_stream_import."
            )
        return source, source.digest
    newest = (images.by_tag.get(source.tag) or (("", ""),))[0]
    if newest == ("", ""):
        raise SourceMissing(
            f"{desired.where} cannot point to {of}:{source.tag}, because that tag does not exist or has no image."
        )
    digest, reference = newest
    if desired.alias:
        return source, digest
    if not digest:
        # The source is a reference itself: its copy is a reference to the same place, with nothing to be imported.
        return Source(EXTERNAL, pull_spec=reference), ""
    return Source(STREAM_IMAGE, source.namespace, source.stream, digest=digest), digest


def _check_circle(desired: DesiredStreamTag, followed: str, observed: ObservedStream) -> None:
    passed = [desired.tag]
    while followed not in passed:
        passed.append(followed)
        tag = observed.tags.get(followed)
        followed = followed_tag(desired.namespace, desired.stream, tag) if tag else ""
        if not followed:
            return
    if followed == desired.tag:
        raise AliasOfItself(
            f"{desired.where} cannot follow {passed[1]}, because that follows {desired.tag}: "
            f"{' -> '.join([*passed, followed])}."
        )


def _wanted(desired: DesiredStreamTag, source: Source, digest: str, tag: ObservedTag | None) -> ObservedTag:
    base = tag or ObservedTag(desired.tag, reference_policy="Source")
    if source.kind == EXTERNAL:
        name, namespace = source.pull_spec, ""
    elif source.kind == STREAM_TAG:
        # As the API writes an alias: the tag alone (contract case tags_between_streams).
        name, namespace = source.tag, ""
    else:
        name, namespace = f"{source.stream}@{source.digest}", source.namespace
    external = source.kind == EXTERNAL
    of_a_reference = external and desired.source is not None and desired.source.kind == STREAM_TAG
    declared = {
        option: getattr(desired, option)
        for option in ("insecure", "import_mode")
        if external and getattr(desired, option) is not None
    }
    return base._replace(
        kind=source.kind,
        source=name,
        source_namespace=namespace,
        reference=desired.reference or of_a_reference or (external and base.reference),
        reference_policy=base.reference_policy if desired.reference_policy is None else desired.reference_policy,
        # Only tags of external images may be scheduled (contract case tags_between_streams).
        scheduled=external and base.scheduled,
        digest=digest,
        **declared,
        failure=None,
        generation=0,
        image_generation=0,
        failure_generation=0,
    )


def _reasons(
    desired: DesiredStreamTag, wanted: ObservedTag, tag: ObservedTag | None, stream_exists: bool
) -> tuple[str, ...]:
    if not stream_exists:
        return (STREAM_MISSING,)
    if tag is None:
        return (TAG_MISSING,)
    reasons = []
    if _canonical(desired, wanted) != _canonical(desired, tag):
        same_stream = (tag.kind, tag.source.partition("@")[0]) == (STREAM_IMAGE, wanted.source.partition("@")[0])
        same_namespace = (tag.source_namespace or desired.namespace) == (wanted.source_namespace or desired.namespace)
        copy = desired.source is not None and desired.source.kind == STREAM_TAG
        reasons.append(UPSTREAM_MOVED if copy and same_stream and same_namespace else SOURCE_CHANGED)
    return (*reasons, *setting_changes(wanted, tag))


def _canonical(desired: DesiredStreamTag, tag: ObservedTag) -> tuple[str, str, str]:
    """Return the source in one of its spellings.

    An alias may be written ``tag`` or ``stream:tag``, a namespace be left out.
    """
    name = tag.source
    if tag.kind == EXTERNAL:
        return tag.kind, "", name
    if tag.kind == STREAM_TAG and ":" not in name:
        name = f"{desired.stream}:{name}"
    return tag.kind, tag.source_namespace or desired.namespace, name


def _entry(wanted: ObservedTag, tag: ObservedTag | None) -> dict[str, t.Any]:
    """Return the tag's entry for a strategic merge patch.

    It keeps the tag's annotations, which ``oc tag`` erases.
    """
    source: dict[str, t.Any] = {"kind": wanted.kind, "name": wanted.source}
    if wanted.source_namespace:
        source["namespace"] = wanted.source_namespace
    elif tag is not None and tag.source_namespace:
        source["namespace"] = None
    entry: dict[str, t.Any] = {
        "name": wanted.name,
        "from": source,
        "reference": wanted.reference,
        "referencePolicy": {"type": wanted.reference_policy or "Source"},
    }
    before = tag or ObservedTag(wanted.name)
    policy: dict[str, t.Any] = {}
    if before.scheduled != wanted.scheduled:
        policy["scheduled"] = wanted.scheduled
    if before.insecure != wanted.insecure:
        policy["insecure"] = wanted.insecure
    if before.import_mode != wanted.import_mode:
        policy["importMode"] = wanted.import_mode
    if policy:
        entry["importPolicy"] = policy
    return entry
