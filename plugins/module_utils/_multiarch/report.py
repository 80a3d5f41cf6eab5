# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user gets to see of a migration to manifest lists: the candidates, the others, and the input for the import.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from .._core.errors import CollectionError
from .._core.manifests import LEGACY, PRESERVE
from .._core.references import PullSpec
from .._core.report import Report
from .._import_engine.images import ImportFailure
from .._workloads.triggers import ImageTrigger, ObservedTriggers
from .plan import (
    STATES,
    Candidate,
    Other,
)

RemedyFor = t.Callable[[str, PullSpec, ImportFailure], str]


def migration_report(
    candidates: t.Sequence[Candidate],
    others: t.Sequence[Other],
    triggers: ObservedTriggers,
    errors: t.Mapping[str, CollectionError],
    remedy_for: RemedyFor,
) -> Report:
    """Return the module's report. It fails only if no namespace at all could be read."""
    possible = [candidate for candidate in candidates if not candidate.why]
    failed = [{"namespace": namespace, "error": str(error)} for namespace, error in errors.items()]
    unread = [
        {"namespace": one.namespace, "resource": one.resource, "error": str(one.error)} for one in triggers.failures
    ]
    states = Counter(other.state for other in others)
    firing = {_identity(trigger): trigger for candidate in possible for trigger in candidate.triggers}
    nothing_read = bool(failed) and not candidates and not others
    sentence = _sentence(
        "The image streams of these namespaces could not be read", [entry["error"] for entry in failed]
    )
    not_seen = _sentence(
        "Not every trigger could be read, so that more may act than the result says",
        [entry["error"] for entry in unread],
    )
    return Report(
        changed=False,
        results={
            "candidates": [_candidate(candidate) for candidate in candidates],
            "others": [
                _other(other, remedy_for)
                for other in sorted(others, key=lambda other: (other.namespace, other.stream, other.tag))
            ],
            "to_preserve": _streams(
                (candidate, _preserving(candidate)) for candidate in possible if not candidate.back
            ),
            "to_legacy": _streams((candidate, _going_back(candidate)) for candidate in possible),
            "failed_namespaces": failed,
            "triggers_read_in": list(triggers.namespaces),
            "triggers_not_read": unread,
            "not_served": sorted(triggers.not_served),
            "summary": {
                "tags": len(candidates) + len(others),
                "candidates": len(candidates),
                "migratable": len(possible),
                "not_migratable": len(candidates) - len(possible),
                "others": {state: states[state] for state in STATES},
                "triggers": len(firing),
                "automatic_triggers": sum(trigger.automatic for trigger in firing.values()),
                "failed_namespaces": len(failed),
                "complete": not failed and not unread,
            },
        },
        failure=sentence if nothing_read else None,
        warnings=[text for text in ("" if nothing_read else sentence, not_seen) if text],
    )


def _sentence(head: str, errors: t.Sequence[str]) -> str:
    return f"{head}:\n" + "\n".join(f"- {error}" for error in dict.fromkeys(errors)) if errors else ""


def _identity(trigger: ImageTrigger) -> tuple[str, str, str]:
    return trigger.kind, trigger.namespace, trigger.name


def _candidate(candidate: Candidate) -> dict[str, t.Any]:
    stream, tag = candidate.question.stream, candidate.question.tag
    return {
        "namespace": stream.namespace,
        "stream": stream.name,
        "tag": tag.name,
        "from": tag.source,
        "import_mode": tag.import_mode or None,
        "digest": tag.digest or None,
        "platform": candidate.platform or None,
        "upstream_moved": candidate.moved,
        "digest_after": candidate.digest_after,
        "list_digest": candidate.image.digest if candidate.image.manifests else None,
        "platforms": list(candidate.platforms),
        "legacy_digest": candidate.legacy_digest,
        "legacy_platform": (candidate.legacy.platform if candidate.legacy else "") or None,
        "gained_platforms": [] if candidate.back else list(candidate.difference),
        "lost_platforms": list(candidate.difference) if candidate.back else [],
        "followed_by": list(candidate.followed_by),
        "triggers": [
            {
                "kind": trigger.kind,
                "namespace": trigger.namespace,
                "name": trigger.name,
                "fields": list(trigger.fields),
                "automatic": trigger.automatic,
                "tag": trigger.watches.tag,
            }
            for trigger in candidate.triggers
        ],
        "migratable": not candidate.why,
        "why": candidate.why or None,
    }


def _other(other: Other, remedy_for: RemedyFor) -> dict[str, t.Any]:
    remedy = remedy_for(other.namespace, PullSpec.parse(other.source), other.failure) if other.failure else ""
    return {
        "namespace": other.namespace,
        "stream": other.stream,
        "tag": other.tag,
        "from": other.source or None,
        "state": other.state,
        "why": f"{other.why} - {remedy}" if remedy else other.why,
    }


def _streams(tags: t.Iterable[tuple[Candidate, dict[str, t.Any]]]) -> list[dict[str, t.Any]]:
    """Return the tags as the option ``streams`` of image_stream_import, each stream once."""
    streams: dict[tuple[str, str], dict[str, t.Any]] = {}
    for candidate, entry in tags:
        stream = candidate.question.stream
        streams.setdefault(stream.key, {"namespace": stream.namespace, "name": stream.name, "tags": []})["tags"].append(
            entry
        )
    return list(streams.values())


def _preserving(candidate: Candidate) -> dict[str, t.Any]:
    """Return the mode alone: the tag keeps what an entry leaves out."""
    tag = candidate.question.tag
    return {"name": tag.name, "from": tag.source, "import_mode": PRESERVE}


def _going_back(candidate: Candidate) -> dict[str, t.Any]:
    tag, wanted = candidate.question.tag, candidate.question.wanted
    if wanted is None:
        return {
            "name": tag.name,
            "from": tag.source,
            "import_mode": tag.import_mode or LEGACY,
            "prefer_architecture": tag.prefer_architecture,
            "prefer_os": tag.prefer_os,
        }
    entry = {"name": tag.name, "from": tag.source, "import_mode": wanted.import_mode or LEGACY}
    preferences = {"prefer_architecture": wanted.prefer_architecture, "prefer_os": wanted.prefer_os}
    return {**entry, **{option: value for option, value in preferences.items() if value is not None}}
