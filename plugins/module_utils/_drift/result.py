# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a comparison of a cluster has shown, as data: every change with before and after, every failure with the server's words.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

It is put together from the reports of the single parts, which come from their plans. Nothing here decides that something
changed.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from typing import NamedTuple

from .._core.report import Report
from .._import_engine.desired import PendingCredential
from .._import_engine.view import comes_with_its_tags

_APPROVABLE = ("id", "kind", "namespace", "name", "tag")


class Part(NamedTuple):
    """The report on secrets, links or streams, and what it says as the whole report has it; ``kind`` says which: secret, link or
    stream. ``held_back`` are changes that were not approved.
    """

    kind: str
    report: Report
    content: t.Sequence[dict[str, t.Any]]
    changes: t.Sequence[dict[str, t.Any]]
    failures: t.Sequence[dict[str, t.Any]]
    held_back: t.Sequence[dict[str, t.Any]] = ()


def held(kind: str, namespace: str, name: str, tag: str | None, reasons: t.Sequence[str]) -> dict[str, t.Any]:
    """Return a change that was not approved, as it is returned."""
    return {"kind": kind, "namespace": namespace, "name": name, "tag": tag, "reasons": list(reasons)}


def drift_report(host: str, parts: t.Sequence[Part], promised: t.Sequence[PendingCredential]) -> Report:
    """Return the module's report: the parts put together, in their order."""
    drift: dict[str, t.Any] = {"host": host, "secrets": [], "links": [], "streams": [], "changes": [], "failures": []}
    drift.update(held_back=[], warnings=[])
    for part in parts:
        drift[f"{part.kind}s"] += part.content
        drift["changes"] += part.changes
        drift["failures"] += part.failures
        drift["held_back"] += part.held_back
        drift["warnings"] += part.report.warnings
    summaries = [part.report.results["summary"] for part in parts if part.kind == "stream"]
    drift["counts"] = {
        "secrets": len(drift["secrets"]),
        "links": len(drift["links"]),
        "streams": sum(summary["streams"] for summary in summaries),
        "tags": sum(summary["tags"] for summary in summaries),
    }
    reasons = Counter(reason for change in drift["changes"] for reason in change["reasons"])
    summary = {
        **drift["counts"],
        "changes": len(drift["changes"]),
        "failures": len(drift["failures"]),
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
            "pending_credentials": [{"namespace": namespace, "registries": sorted(set(keys))} for namespace, keys in sorted(credentials.items())],
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


def stream_part(report: Report, held_back: t.Sequence[dict[str, t.Any]] = ()) -> Part:
    """Return the part that a report on streams is."""
    streams = report.results["streams"]
    reasons = {(stream["namespace"], stream["name"]): {tag["name"]: tag["reasons"] for tag in stream["tags"]} for stream in streams}
    changes = []
    for where in {**report.before, **report.after}:
        namespace, name = where.split("/")
        stream = {"namespace": namespace, "name": name}
        before, after = _without_tags(report.before.get(where)), _without_tags(report.after.get(where))
        if before != after and not (report.after.get(where) and comes_with_its_tags(before, after, _tags(report.after[where]))):
            reason = "stream_missing" if before is None else "not_wanted" if after is None else "lookup_policy_changed"
            changes.append(change("stream", stream, None, before, after, [reason]))
        old, new = _tags(report.before.get(where)), _tags(report.after.get(where))
        for tag in sorted({**old, **new}):
            changes.append(change("tag", stream, tag, old.get(tag), new.get(tag), reasons[namespace, name].get(tag, [])))
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
    return Part("stream", report, streams, changes, failures, held_back)


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
) -> dict[str, t.Any]:
    """Return a change as it is returned; ``identity`` is its id, where that cannot be told from before and after."""
    from .._core.changes import Change

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
    }


def failure(kind: str, subject: t.Mapping[str, t.Any], message: str) -> dict[str, t.Any]:
    """Return what became of a whole object, as it is returned."""
    return {
        "kind": kind,
        "namespace": subject["namespace"],
        "name": subject["name"],
        "tag": None,
        "from": None,
        "reason": None,
        "message": message,
        "remedy": None,
    }
