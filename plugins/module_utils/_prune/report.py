# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user gets to see of risks: return values, a sentence for each, the safe reference, and the streams that
protect.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict

from .._core.errors import ApiError, CollectionError
from .._core.report import ReadFailure, Report, without_dot
from .image_uses import ImageReference, ImageUse
from .observed import Observed
from .plan import (
    ELSEWHERE,
    LEVELS,
    PROTECTED,
    PRUNABLE,
    YOUNG,
    Findings,
    Keeper,
    Missing,
    Risk,
)
from .rules import IMAGE_IN_USE, PINNED_TAG, TAG_IN_USE, PrunePolicy

_SHORT = 12
_NAMED_IN_A_SENTENCE = 5


def report_risks(
    observed: Observed,
    findings: Findings,
    platforms: t.Mapping[str, str],
    policy: PrunePolicy,
    *,
    only_at_risk: bool = False,
) -> Report:
    """Return the module's report.

    It fails only if nothing at all could be read; what is missing otherwise is a warning.
    """
    shown = [risk for risk in findings.risks if not only_at_risk or risk.level == PRUNABLE]
    failed = _failed_namespaces(observed.failures)
    levels = [risk.level for risk in findings.risks]
    sentence = _failure_sentence(failed)
    return Report(
        changed=False,
        results={
            "risks": [_risk(risk, platforms, policy) for risk in shown],
            "missing": [_missing(one) for one in findings.missing],
            "protection": protecting_streams(shown),
            "failed_namespaces": failed,
            "not_served": sorted(observed.not_served),
            "summary": {
                "namespaces": len(observed.namespaces),
                "workloads": observed.workloads,
                "image_streams": len(observed.streams),
                "manifest_lists": len(
                    {digest for stream in observed.streams.values() for digest in stream.children or ()}
                ),
                "risks": len(levels),
                "at_risk": levels.count(PRUNABLE),
                "levels": {level: levels.count(level) for level in LEVELS},
                "missing": len(findings.missing),
                "failed_namespaces": len(failed),
                "complete": not failed,
            },
        },
        failure=sentence if not observed.anything else None,
        warnings=[sentence] if sentence and observed.anything else [],
    )


def protecting_streams(risks: t.Iterable[Risk]) -> list[dict[str, t.Any]]:
    """Return the ``streams`` of image_stream_import that protect.

    Each child that the pruner may reach gets a tag of its own.

    A child of a list cannot be tagged, only imported by its digest (server-behaviour.md 3); the tag takes over how
    the list was imported. A tag that follows a digest never moves, so what it holds stays the newest revision.
    """
    tags: dict[tuple[str, str], dict[str, dict[str, t.Any]]] = defaultdict(dict)
    for risk in risks:
        keeper = risk.in_list
        if risk.level not in (PROTECTED, ELSEWHERE) and keeper.item.source:
            name = protecting_tag(risk.child)
            tag: dict[str, t.Any] = {"name": name, "from": f"{_repository(keeper.item.source)}@{risk.child}"}
            if keeper.tag.reference_policy:
                tag["reference_policy"] = keeper.tag.reference_policy
            if keeper.tag.insecure:
                tag["insecure"] = True
            tags[keeper.stream.key].setdefault(name, tag)
    return [
        {"namespace": key[0], "name": key[1], "tags": [found[name] for name in sorted(found)]}
        for key, found in sorted(tags.items())
    ]


def protecting_tag(child: str) -> str:
    """Return the name of the tag that protects a child: its digest, short."""
    return f"keep-{child.split(':', 1)[1][:_SHORT]}"


def _risk(risk: Risk, platforms: t.Mapping[str, str], policy: PrunePolicy) -> dict[str, t.Any]:
    keeper, listed = risk.keepers[0], risk.in_list
    return {
        "namespace": risk.use.workload.namespace,
        "workload": _workload(risk.use, risk.followers),
        "image": risk.use.image,
        "image_id": risk.use.image_id,
        "found_in": "image_id" if risk.image_id else "image",
        "child": risk.child,
        "platform": platforms.get(risk.child, ""),
        "parent": listed.parent,
        "stream_namespace": keeper.stream.namespace,
        "stream": keeper.stream.name,
        "tag": keeper.tag.name,
        "revision": keeper.item.revision,
        "kept_by": keeper.rule,
        "keepers": [_keeper(one) for one in risk.keepers],
        "level": risk.level,
        "at_risk": risk.level == PRUNABLE,
        "why": _why(risk, policy),
        "safe_reference": _safe_reference(risk),
    }


def _missing(one: Missing) -> dict[str, t.Any]:
    namespace, stream = one.stream
    return {
        "namespace": one.use.workload.namespace,
        "workload": _workload(one.use, one.followers),
        "image": one.use.image,
        "digest": one.digest,
        "stream_namespace": namespace,
        "stream": stream,
        "why": f"{_subject(one.use)} names {_short(one.digest)}, which image stream {namespace}/{stream} holds no "
        "more, neither in its history"
        " nor as a child of a manifest list there: the next pull from the cluster's registry fails.",
    }


def _workload(use: ImageUse, followers: t.Sequence[tuple[str, str]]) -> dict[str, t.Any]:
    workload = use.workload
    return {
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "container": use.container,
        "place": use.place,
        "owner": "/".join(workload.owner) if workload.owner else "",
        "followers": ["/".join(follower) for follower in followers],
    }


def _keeper(keeper: Keeper) -> dict[str, t.Any]:
    return {
        "stream_namespace": keeper.stream.namespace,
        "stream": keeper.stream.name,
        "tag": keeper.tag.name,
        "revision": keeper.item.revision,
        "image": keeper.item.image,
        "created": keeper.item.created.strftime("%Y-%m-%dT%H:%M:%SZ") if keeper.item.created else "",
        "kept_by": keeper.rule,
    }


def _safe_reference(risk: Risk) -> str:
    """Return what to write instead: the list by its digest, which the pruner sees.

    A reference that is safe already is returned as it is written.

    From the cluster's registry the list is pulled under the name that the workload writes, if that is the stream's.
    """
    if risk.level == PROTECTED and not risk.image_id:
        return risk.use.image
    keeper = risk.in_list
    written = _place(risk)
    if risk.level == ELSEWHERE:
        return keeper.item.source
    if written is not None and written.registry and written.stream == keeper.stream.key:
        return f"{written.registry}/{written.repository}@{keeper.parent}"
    return f"{keeper.stream.repository}@{keeper.parent}" if keeper.stream.repository else keeper.item.source


def _why(risk: Risk, policy: PrunePolicy) -> str:
    """Return one sentence about what keeps the child, or what will happen to it."""
    keeper = risk.keepers[0]
    subject = _subject(risk.use)
    does = "runs" if risk.image_id else "names"
    where = f"revision {keeper.item.revision} of {keeper.stream.namespace}/{keeper.stream.name}:{keeper.tag.name}"
    child = _short(risk.child)
    if not keeper.parent:
        held = f"{subject} {does} {child}, which is {where} by itself"
    else:
        held = f"{subject} {does} {child}, a child of the list {_short(keeper.parent)}, which is {where}"
    if risk.level == ELSEWHERE:
        place = _place(risk)
        host = place.registry if place is not None and place.registry else "Docker Hub"
        return (
            f"{held}; it is pulled from {host}, which pruning this cluster does not touch, unless that is another name "
            "of the cluster's registry."
        )
    if risk.level == PRUNABLE:
        return (
            f"{held}, beyond the {policy.keep_tag_revisions} that are kept; the pruner does not see this use, and its "
            "next run takes the child away."
        )
    if risk.level == YOUNG:
        return (
            f"{held}; the pruner does not see this use, and only its age of less than "
            f"{policy.keep_younger_than_minutes} minutes keeps it yet."
        )
    if keeper.rule == IMAGE_IN_USE:
        return f"{held}; a workload names that very digest of the stream, which the pruner sees."
    if keeper.rule == PINNED_TAG:
        return f"{held}; the tag follows a digest, so this stays its newest revision."
    if keeper.rule == TAG_IN_USE:
        return (
            f"{held}; the pruner does not see this use, and keeps it only until the tag moves, because a workload "
            "names the tag."
        )
    moves = policy.keep_tag_revisions - keeper.item.revision + 1
    return (
        f"{held}; the pruner does not see this use, and takes the child away when the tag has moved {moves} more "
        f"time{'s' if moves > 1 else ''}."
    )


def _subject(use: ImageUse) -> str:
    subject = f"{use.workload.kind} {use.workload.name}"
    word = {"container": "container", "volume": "volume"}.get(use.place, f"{use.place} container")
    return subject if use.place == "build" else f"{subject}, {word} {use.container},"


def _place(risk: Risk) -> ImageReference | None:
    """Return where the image is pulled from, as far as it is told."""
    running = risk.use.running
    return running if risk.image_id and running is not None and running.repository else risk.use.reference


def _repository(source: str) -> str:
    """Return a ``dockerImageReference`` without its digest or tag."""
    repository = source.partition("@")[0]
    head, slash, last = repository.rpartition("/")
    return head + slash + last.partition(":")[0]


def _short(digest: str) -> str:
    algorithm, _colon, value = digest.partition(":")
    return f"{algorithm}:{value[:_SHORT]}"


def _failed_namespaces(failures: t.Sequence[ReadFailure]) -> list[dict[str, t.Any]]:
    by_namespace: dict[str, list[ReadFailure]] = defaultdict(list)
    for failure in failures:
        by_namespace[failure.namespace].append(failure)
    return [
        {
            "namespace": namespace,
            "resources": sorted({failure.resource for failure in found}),
            "error": str(found[0].error),
            **_status(found[0].error),
        }
        for namespace, found in sorted(by_namespace.items())
    ]


def _status(error: CollectionError) -> dict[str, t.Any]:
    return {"status": error.status} if isinstance(error, ApiError) else {}


def _failure_sentence(failed: t.Sequence[t.Mapping[str, t.Any]]) -> str | None:
    if not failed:
        return None
    parts = [
        f"{_scope(one['namespace'])} ({', '.join(one['resources'])}): {without_dot(one['error'])}"
        for one in failed[:_NAMED_IN_A_SENTENCE]
    ]
    if len(failed) > _NAMED_IN_A_SENTENCE:
        parts.append(f"and {len(failed) - _NAMED_IN_A_SENTENCE} more, which are in failed_namespaces")
    return f"Not everything could be read, so there may be risks that are not reported: {'; '.join(parts)}."


def _scope(namespace: str) -> str:
    return "all namespaces" if namespace == "*" else namespace
