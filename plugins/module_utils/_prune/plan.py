# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which workloads use a child of a manifest list by its digest, and whether the pruner leaves it: a pure function.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The pruner compares the digests in use with those of the history, which are the lists'. It does not see that a child
is in use, drops the list's last item, and deletes the child with the list (server-behaviour.md 5).
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from typing import NamedTuple

from .image_uses import ImageReference, ImageUse
from .rules import (
    IMAGE_IN_USE,
    KEEP_YOUNGER_THAN,
    NOTHING,
    PINNED_TAG,
    STRENGTH,
    PrunePolicy,
    SeenByPruner,
    kept_by,
)
from .stream_history import HistoryItem, Key, StreamHistory, TagHistory

PRUNABLE = "prunable"
YOUNG = "young"
REVISIONS = "revisions"
ELSEWHERE = "elsewhere"
PROTECTED = "protected"
LEVELS = (PRUNABLE, YOUNG, REVISIONS, ELSEWHERE, PROTECTED)


class Keeper(NamedTuple):
    """A history item that holds a child: as the child itself, or, if ``parent`` is not empty, as its list.

    ``rule`` is what makes the pruner keep the item.
    """

    stream: StreamHistory
    tag: TagHistory
    item: HistoryItem
    parent: str
    rule: str


class Risk(NamedTuple):
    """A use of a child by its digest.

    ``keepers`` are the items that hold the child where the workload gets it from, the most lasting first;
    ``in_list`` is the first of them that is a list. ``image_id`` tells that the digest is that of what runs, not of
    what the object names. ``followers`` are the objects of the same controller with the same use.
    """

    use: ImageUse
    child: str
    image_id: bool
    level: str
    keepers: tuple[Keeper, ...]
    in_list: Keeper
    followers: tuple[tuple[str, str], ...] = ()


class Missing(NamedTuple):
    """A use of a digest that its stream holds no more, neither as an image of its history nor as a child of one."""

    use: ImageUse
    digest: str
    stream: Key
    followers: tuple[tuple[str, str], ...] = ()


class Findings(NamedTuple):
    """What was found, the most urgent first."""

    risks: tuple[Risk, ...]
    missing: tuple[Missing, ...]


def find_risks(
    uses: t.Sequence[ImageUse],
    streams: t.Mapping[Key, StreamHistory],
    seen: SeenByPruner,
    policy: PrunePolicy,
    registry_hosts: t.Collection[str],
) -> Findings:
    """Return every use of a child by digest, judged by what the pruner would do next.

    The uses of what is gone already are there too.

    ``registry_hosts`` are the names of the cluster's own registry; a workload that pulls from another one does not
    need what the pruner deletes. A list that is used by its own digest counts as a use of the list, whatever the
    node says it runs.
    """
    holders = _holders(streams.values(), seen, policy)
    risks: list[Risk] = []
    missing: list[Missing] = []
    for use in uses:
        if use.workload.finished:
            continue
        found = _digest_in_use(use, holders)
        if found is None:
            continue
        digest, reference, image_id = found
        from_cluster, stream = _origin(reference, streams, registry_hosts)
        keepers = holders.get(digest, ())
        if stream is not None:
            keepers = tuple(keeper for keeper in keepers if keeper.stream.key == stream.key)
            if not keepers and not image_id and stream.children is not None:
                missing.append(Missing(use, digest, stream.key))
        in_list = next((keeper for keeper in keepers if keeper.parent), None)
        if in_list is not None:
            risks.append(Risk(use, digest, image_id, _level(keepers[0].rule, from_cluster), keepers, in_list))
    return Findings(
        tuple(sorted(_fold(risks, uses), key=lambda risk: (LEVELS.index(risk.level), _order(risk.use)))),
        tuple(sorted(_fold(missing, uses), key=lambda one: _order(one.use))),
    )


def _holders(
    streams: t.Iterable[StreamHistory], seen: SeenByPruner, policy: PrunePolicy
) -> dict[str, tuple[Keeper, ...]]:
    """Return every digest of the streams, children too, with the history items that hold it, the most lasting first."""
    holders: dict[str, list[Keeper]] = defaultdict(list)
    for stream in streams:
        for tag in stream.tags:
            for item in tag.items:
                if not item.image:
                    continue
                rule = kept_by(stream, tag, item, seen, policy)
                holders[item.image].append(Keeper(stream, tag, item, "", rule))
                for child in (stream.children or {}).get(item.image, ()):
                    holders[child].append(Keeper(stream, tag, item, item.image, rule))
    return {
        digest: tuple(
            sorted(keepers, key=lambda one: (STRENGTH.index(one.rule), one.item.revision, one.stream.key, one.tag.name))
        )
        for digest, keepers in holders.items()
    }


def _digest_in_use(
    use: ImageUse, holders: t.Mapping[str, t.Sequence[Keeper]]
) -> tuple[str, ImageReference, bool] | None:
    """Return the digest that the object names, or else the one that runs.

    With it comes where it came from, and whether it is the one that runs.

    A container that names a digest runs that image or a child of it, so what the node says adds nothing.
    """
    named, running = use.reference, use.running
    if named is not None and named.digest:
        return named.digest, named, False
    if running is None or not any(keeper.parent for keeper in holders.get(running.digest, ())):
        return None
    origin = running if running.repository else named
    return running.digest, origin if origin is not None else running, True


def _origin(
    reference: ImageReference, streams: t.Mapping[Key, StreamHistory], registry_hosts: t.Collection[str]
) -> tuple[bool, StreamHistory | None]:
    """Return whether the image is pulled from the cluster's registry, and the stream that serves it there.

    A host that is not known to be the cluster's counts as it, as for the pruner, if the path is that of a stream
    which does not import from that very place: then it is another name of the cluster's registry.
    """
    key = reference.stream
    stream = streams.get(key) if key is not None else None
    if reference.registry in registry_hosts:
        return True, stream
    if stream is not None and not any(
        item.source.partition("@")[0] == f"{reference.registry}/{reference.repository}"
        for tag in stream.tags
        for item in tag.items
    ):
        return True, stream
    return False, None


def _level(rule: str, from_cluster: bool) -> str:
    if rule in (IMAGE_IN_USE, PINNED_TAG):
        return PROTECTED
    if not from_cluster:
        return ELSEWHERE
    return {NOTHING: PRUNABLE, KEEP_YOUNGER_THAN: YOUNG}.get(rule, REVISIONS)


Finding = t.TypeVar("Finding", Risk, Missing)


def _fold(findings: t.Sequence[Finding], uses: t.Sequence[ImageUse]) -> list[Finding]:
    """Return one finding for a controller and its replica sets and pods that use the same image in the same container.

    It is the controller's own if that uses the image too, and otherwise the first one's.
    """
    owners = {(use.workload.kind, use.workload.namespace, use.workload.name): use.workload.owner for use in uses}
    groups: dict[tuple[t.Any, ...], list[tuple[int, Finding]]] = defaultdict(list)
    for finding in findings:
        use = finding.use
        root, depth = _root(use, owners)
        groups[use.workload.namespace, root, use.container, use.place, use.image, _identity(finding)].append(
            (depth, finding)
        )
    folded = []
    for members in groups.values():
        ordered = [finding for _depth, finding in sorted(members, key=lambda one: (one[0], _order(one[1].use)))]
        followers = tuple((one.use.workload.kind, one.use.workload.name) for one in ordered[1:])
        folded.append(ordered[0]._replace(followers=followers))
    return folded


def _identity(finding: Risk | Missing) -> tuple[t.Any, ...]:
    return (finding.child, finding.image_id) if isinstance(finding, Risk) else (finding.digest,)


def _root(
    use: ImageUse, owners: t.Mapping[tuple[str, str, str], tuple[str, str] | None]
) -> tuple[tuple[str, str], int]:
    """Return the topmost controller that is known by name, and how many steps below it the workload is."""
    kind, name = use.workload.kind, use.workload.name
    passed = {(kind, name)}
    while True:
        owner = owners.get((kind, use.workload.namespace, name))
        if owner is None or owner in passed:
            return (kind, name), len(passed) - 1
        passed.add(owner)
        kind, name = owner


def _order(use: ImageUse) -> tuple[str, str, str, str, str]:
    workload = use.workload
    return workload.namespace, workload.kind, workload.name, use.place, use.container
