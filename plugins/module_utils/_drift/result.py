# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a comparison of a cluster has shown, as data: every change with before and after, every failure with the
server's words.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

It is put together from the reports of the single parts, which come from their plans. Nothing here decides that
something changed.
"""

from __future__ import annotations

import json
import os
import typing as t
from collections import Counter
from typing import NamedTuple

from .._core.changes import Change
from .._core.errors import InputError
from .._core.report import Report
from .._import_engine.desired import PendingCredential
from .._import_engine.images import Image, ImportFailure
from .._import_engine.result import StreamResult
from .._import_engine.view import comes_with_its_tags

_APPROVABLE = ("id", "kind", "namespace", "name", "tag")
# Why a tag cannot be compared whose credential this very run would write.
CREDENTIAL_PENDING = "credential_pending"
# The notice of a credential that says itself when it ends.
CREDENTIAL_EXPIRES = "credential_expires"
_PENDING_MESSAGE = "What the registry serves is not known before the declared credential is written."
# What later steps compute with. Everything else in a file of results is text for people.
_NAMES = frozenset(
    (
        "id",
        "kind",
        "namespace",
        "name",
        "tag",
        "registries",
        "secrets",
        "state",
        "digest",
        "previous_digest",
        "image",
        "reasons",
    )
)

Place = tuple[str, str, str, t.Optional[str]]


class Part(NamedTuple):
    """The report on secrets, links or streams, and what it says as the whole report has it.

    ``kind`` says which: secret, link or stream. ``held_back`` are changes that were not approved, ``unknown`` what
    could not be compared, and why, ``confirmed`` the places that were found to be as declared, ``notices`` findings
    that are no change.
    """

    kind: str
    report: Report
    content: t.Sequence[dict[str, t.Any]]
    changes: t.Sequence[dict[str, t.Any]]
    failures: t.Sequence[dict[str, t.Any]]
    held_back: t.Sequence[dict[str, t.Any]] = ()
    unknown: t.Sequence[dict[str, t.Any]] = ()
    confirmed: t.Container[Place] = ()
    notices: t.Sequence[dict[str, t.Any]] = ()


def held(kind: str, namespace: str, name: str, tag: str | None, reasons: t.Sequence[str]) -> dict[str, t.Any]:
    """Return a change that was not approved, as it is returned."""
    return {"kind": kind, "namespace": namespace, "name": name, "tag": tag, "reasons": list(reasons)}


def comparison_report(
    host: str,
    parts: t.Sequence[Part],
    promised: t.Sequence[PendingCredential],
    approved: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> Report:
    """Return the module's report: the parts put together, in their order.

    ``approved`` are the only changes that could be made.
    """
    drift: dict[str, t.Any] = {"host": host, "secrets": [], "links": [], "streams": [], "changes": [], "failures": []}
    drift.update(held_back=[], unknown=[], notices=[], warnings=[])
    for part in parts:
        drift[f"{part.kind}s"] += part.content
        drift["changes"] += part.changes
        drift["failures"] += part.failures
        drift["held_back"] += part.held_back
        drift["unknown"] += part.unknown
        drift["notices"] += part.notices
        drift["warnings"] += part.report.warnings
    summaries = [part.report.results["summary"] for part in parts if part.kind == "stream"]
    drift["counts"] = {
        "secrets": len(drift["secrets"]),
        "links": len(drift["links"]),
        "streams": sum(summary["streams"] for summary in summaries),
        "tags": sum(summary["tags"] for summary in summaries),
    }
    drift["confirmed"] = [one["id"] for one in approved if any(place_of(one) in part.confirmed for part in parts)]
    reasons = Counter(reason for change in drift["changes"] for reason in change["reasons"])
    summary = {
        **drift["counts"],
        "changes": len(drift["changes"]),
        "unknown": len(drift["unknown"]),
        "failures": len(drift["failures"]),
        "notices": len(drift["notices"]),
        "reasons": dict(sorted(reasons.items())),
    }
    credentials: dict[str, list[str]] = {}
    for one in promised:
        credentials.setdefault(one.namespace, []).append(one.registry)
    return Report(
        changed=any(part.report.changed for part in parts),
        results={
            "drift": drift,
            "to_approve": [{name: change[name] for name in _APPROVABLE} for change in drift["changes"]],
            "summary": summary,
            "described": described(len(drift["changes"]), summary["reasons"], len(drift["failures"])),
            "pending_credentials": [
                {"namespace": namespace, "registries": sorted(set(keys))}
                for namespace, keys in sorted(credentials.items())
            ],
        },
        differences=[difference for part in parts for difference in part.report.differences],
        failure="\n".join(part.report.failure for part in parts if part.report.failure) or None,
    )


def described(changes: int, reasons: t.Mapping[str, int], failures: int) -> str:
    """Return the numbers in words, as in "2 changes (upstream_moved 2), 1 failure"."""
    words = number(changes, "change")
    if reasons:
        words += f" ({', '.join(f'{reason} {count:,}' for reason, count in reasons.items())})"
    return f"{words}, {number(failures, 'failure')}" if failures else words


def number(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def place_of(item: t.Mapping[str, t.Any]) -> Place:
    """Return what an entry is about."""
    return (item["kind"], item["namespace"], item["name"], item["tag"])


def redacted(value: t.Any, redact: t.Callable[[str], str], keep: bool = False) -> t.Any:
    """Return results with every text for people redacted. Names stay whole: later steps compute with them."""
    if isinstance(value, str):
        return value if keep else redact(value)
    if isinstance(value, dict):
        return {key: redacted(inner, redact, key in _NAMES) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(inner, redact, keep) for inner in value]
    return value


def write_results(path: str, report: Report, redact: t.Callable[[str], str]) -> None:
    """Write the results of a run for the next step, readable by their owner only."""
    content = redacted({**report.results, "failure": report.failure}, redact)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file)
    except OSError as error:
        raise InputError(f"result_file: {path} cannot be written: {error.strerror}") from error


def unknown(kind: str, subject: t.Mapping[str, t.Any], tag: str | None, reason: str, message: str) -> dict[str, t.Any]:
    """Return what could not be compared, as it is returned."""
    return {
        "kind": kind,
        "namespace": subject["namespace"],
        "name": subject["name"],
        "tag": tag,
        "reason": reason,
        "message": message,
    }


def reason_of(error: BaseException | None) -> str:
    """Return a word for why something could not be read: the server's reason, or what went wrong."""
    return str(getattr(error, "reason", "")) or (type(error).__name__ if error is not None else "")


def stream_part(
    report: Report,
    held_back: t.Sequence[dict[str, t.Any]] = (),
    results: t.Sequence[StreamResult] = (),
) -> Part:
    """Return the part that a report on streams is; ``results`` say what of it is known."""
    streams = report.results["streams"]
    reasons = {
        (stream["namespace"], stream["name"]): {tag["name"]: tag["reasons"] for tag in stream["tags"]}
        for stream in streams
    }
    owners = {(stream["namespace"], stream["name"]): stream["managed_by"] for stream in streams}
    refused = {result.desired.key: result.refused for result in results}
    changes = []
    for where in {**report.before, **report.after}:
        namespace, name = where.split("/")
        key = (namespace, name)
        stream = {"namespace": namespace, "name": name, "managed_by": owners.get(key)}
        before, after = _without_tags(report.before.get(where)), _without_tags(report.after.get(where))
        if before != after and not (
            report.after.get(where) and comes_with_its_tags(before, after, _tags(report.after[where]))
        ):
            reason = "stream_missing" if before is None else "not_wanted" if after is None else "lookup_policy_changed"
            changes.append(change("stream", stream, None, before, after, [reason], refused=refused.get(key, "")))
        old, new = _tags(report.before.get(where)), _tags(report.after.get(where))
        for tag in sorted({**old, **new}):
            changes.append(
                change(
                    "tag",
                    stream,
                    tag,
                    old.get(tag),
                    new.get(tag),
                    reasons[key].get(tag, []),
                    refused=refused.get(key, ""),
                )
            )
    failures = [
        {
            "kind": "tag",
            **{field: failed[field] for field in ("namespace", "name", "tag", "from")},
            "reason": failed["reason"] or None,
            "message": failed["message"],
            "remedy": failed["remedy"] or None,
        }
        for failed in report.results["failed_tags"]
    ]
    named = {(failed["namespace"], failed["name"], failed["message"]) for failed in failures}
    failures += [
        failure("stream", stream, stream["error"])
        for stream in streams
        if stream["error"] and (stream["namespace"], stream["name"], stream["error"]) not in named
    ]
    changed = {place_of(one) for one in changes}
    open_questions = [one for one in _unknown(streams, failures, results) if place_of(one) not in changed]
    stopped = {(one["namespace"], one["name"]) for one in open_questions if one["kind"] == "stream"}
    content = [
        {**stream, "state": "unknown"} if (stream["namespace"], stream["name"]) in stopped else stream
        for stream in streams
    ]
    return Part("stream", report, content, changes, failures, held_back, open_questions, _Confirmed(results))


def _unknown(
    streams: t.Sequence[t.Mapping[str, t.Any]],
    failures: t.Sequence[t.Mapping[str, t.Any]],
    results: t.Sequence[StreamResult],
) -> t.Iterator[dict[str, t.Any]]:
    """Yield streams that could not be read, tags that could not be asked for, and those whose credential is not
    written yet."""
    causes = {result.desired.key: reason_of(result.error) for result in results if result.error is not None}
    for stream in streams:
        if stream["error"]:
            cause = causes.get((stream["namespace"], stream["name"]), "")
            yield unknown("stream", stream, None, cause, stream["error"])
    for failed in failures:
        if failed["kind"] == "tag":
            cause = failed["reason"] or causes.get((failed["namespace"], failed["name"]), "")
            yield unknown("tag", failed, failed["tag"], cause, failed["message"])
    for result in results:
        if result.error is not None:
            continue
        subject = {"namespace": result.desired.namespace, "name": result.desired.name}
        for name, outcome in result.outcomes.items():
            if isinstance(outcome, Image) and not outcome.is_known:
                yield unknown("tag", subject, name, CREDENTIAL_PENDING, _PENDING_MESSAGE)


class _Confirmed:
    """The places of streams and tags that a run has read, and found nothing to do at."""

    def __init__(self, results: t.Sequence[StreamResult]) -> None:
        self._results = {result.desired.key: result for result in results}

    def __contains__(self, place: object) -> bool:
        kind, namespace, name, tag = t.cast("Place", place)
        result = self._results.get((namespace, name))
        if (
            kind not in ("stream", "tag")
            or result is None
            or result.error is not None
            or (tag or "") in result.held_back
        ):
            return False
        if kind == "stream":
            return True
        if tag in {declared.name for declared in result.desired.tags}:
            return not isinstance(result.outcomes.get(tag or ""), ImportFailure)
        return tag not in result.after.tags


def _without_tags(shown: t.Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    return None if shown is None else {name: value for name, value in shown.items() if name != "tags"}


def _tags(shown: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    return {} if shown is None else dict(shown["tags"])


def change(
    kind: str,
    subject: t.Mapping[str, t.Any],
    tag: str | None,
    before: t.Any,
    after: t.Any,
    reasons: t.Sequence[str],
    identity: str = "",
    refused: str = "",
) -> dict[str, t.Any]:
    """Return a change as it is returned.

    ``identity`` is its id, if that cannot be told from before and after, ``refused`` why a run would not make it.
    """
    namespace, name = subject["namespace"], subject["name"]
    return {
        "id": identity or Change(kind, namespace, name, before, after, tag).id,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "tag": tag,
        "reasons": list(reasons),
        "before": before,
        "after": after,
        "managed_by": subject["managed_by"],
        "refused": refused or None,
    }


def failure(kind: str, subject: t.Mapping[str, t.Any], message: str, reason: str = "") -> dict[str, t.Any]:
    """Return what became of a whole object, as it is returned."""
    return {
        "kind": kind,
        "namespace": subject["namespace"],
        "name": subject["name"],
        "tag": None,
        "from": None,
        "reason": reason or None,
        "message": message,
        "remedy": None,
    }
