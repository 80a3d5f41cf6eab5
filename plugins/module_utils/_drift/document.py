# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document drift.json: what was found on many clusters, put together from one file for each, or from other such documents.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

docs/drift.schema.json describes it. Everything in it has a fixed order, so that two reports can be compared line by line.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from .._core.errors import InputError
from .result import described, number

FORMAT = "quayside.openshift_images/drift"
PART_FORMAT = "quayside.openshift_images/drift-part"
FORMAT_VERSION = 1

VERDICTS = ("in_sync", "drift", "corrected", "partly_corrected", "failed")
_KINDS = ("secret", "link", "stream", "tag")
# What a change can have come to that leaves nothing to do.
_SETTLED = ("done", "not_needed")
_PRUNE_RISKS = ("risks", "missing", "failed_namespaces", "summary")


def drift_document(contents: t.Iterable[tuple[str, t.Any]], *, expected: t.Sequence[str] = (), generated_at: str) -> dict[str, t.Any]:
    """Return the document for all clusters of ``contents``, pairs of a file's name and what it holds.

    A cluster of ``expected`` that no file has is in it as failed. Of a cluster that several files have the last one counts.
    Raises ``InputError`` for a file that is no result.
    """
    clusters: dict[str, dict[str, t.Any]] = {}
    for name, content in contents:
        for cluster in _clusters_of(name, content):
            clusters[cluster["name"]] = cluster
    for name in expected:
        if name not in clusters:
            clusters[name] = cluster_entry({"cluster": name, "errors": ["There is no result of this cluster: its part of the run ended early."]})
    ordered = [clusters[name] for name in sorted(clusters)]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "generated_at": generated_at,
        "summary": _summary(ordered),
        "clusters": ordered,
    }


def _clusters_of(name: str, content: t.Any) -> list[dict[str, t.Any]]:
    form = content.get("format") if isinstance(content, dict) else None
    if form == PART_FORMAT:
        return [cluster_entry(content)]
    if form != FORMAT:
        raise InputError(f"{name} is no report on drift: its format is {form!r}")
    if content.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{name} is of version {content.get('format_version')!r}; this release reads version {FORMAT_VERSION}")
    return t.cast("list[dict[str, t.Any]]", content["clusters"])


def cluster_entry(part: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the entry for one cluster.

    ``compared`` of the part are results of cluster_drift, batch by batch, and ``corrected`` those of a ``correction`` that
    was to do what ``approved`` names. ``errors`` and their like are what modules said that had no result.
    """
    compared, corrected = part.get("compared") or [], part.get("corrected") or []
    shown = [change for one in compared for change in one["changes"]]
    correction = bool(part.get("correction"))
    risks = part.get("prune_risks") or None
    entry: dict[str, t.Any] = {
        "name": part["cluster"],
        "host": next((one["host"] for one in compared), None),
        "verdict": "",
        "complete": True,
        "upstream": bool(part.get("upstream")),
        "correction": correction,
        "counts": {},
        "reasons": dict(sorted(Counter(reason for change in shown for reason in change["reasons"]).items())),
        "changes": sorted(_with_outcomes(shown, part) if correction else map(_open, shown), key=_place),
        "failures": sorted(_failures(part, compared, corrected), key=_place),
        "secrets": sorted((item for one in compared for item in one["secrets"]), key=_place),
        "links": sorted((item for one in compared for item in one["links"]), key=_place),
        "streams": sorted((item for one in compared for item in one["streams"]), key=_place),
        "prune_risks": {name: risks[name] for name in _PRUNE_RISKS} if risks else None,
        "warnings": sorted({warning for one in [*compared, *corrected] for warning in one["warnings"]}),
    }
    entry["complete"] = not entry["failures"]
    entry["counts"] = _counts(entry, compared)
    entry["verdict"] = _verdict(entry)
    return entry


def _open(change: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**change, "outcome": "open", "error": None}


def _with_outcomes(shown: t.Iterable[t.Mapping[str, t.Any]], part: t.Mapping[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
    """Join each change that was shown with what became of it."""
    corrected, approved, errors = part.get("corrected") or [], part.get("approved") or [], part.get("correction_errors") or []
    made = [change for one in corrected for change in one["changes"]]
    ids, places = {change["id"] for change in made}, {_place(change) for change in made if change["kind"] != "link"}
    failed = {_place(failure): failure for one in corrected for failure in one["failures"]}
    held_back = {_place(held): held for one in corrected for held in one["held_back"]}
    for change in shown:
        place, outcome, error = _place(change), "not_needed", None
        if change["id"] not in approved:
            outcome = "not_approved"
        elif place in failed:
            outcome, error = "failed", failed[place]["message"]
        elif change["id"] in ids or place in places:
            outcome = "done"
        elif place in held_back:
            outcome, error = "changed_meanwhile", ", ".join(held_back[place]["reasons"]) or None
        elif errors:
            outcome, error = "failed", errors[0]
        yield {**change, "outcome": outcome, "error": error}


def _failures(
    part: t.Mapping[str, t.Any], compared: t.Sequence[t.Mapping[str, t.Any]], corrected: t.Sequence[t.Mapping[str, t.Any]]
) -> t.Iterator[dict[str, t.Any]]:
    """Yield what failed, of what was tried again the last word."""
    cluster = part["cluster"]
    for message in [*(part.get("errors") or ()), *(part.get("correction_errors") or ())]:
        yield _cluster_failure("cluster", cluster, message)
    for message in part.get("prune_errors") or ():
        yield _cluster_failure("prune_risks", cluster, message)
    for namespace in (part.get("prune_risks") or {}).get("failed_namespaces") or ():
        yield {**_cluster_failure("prune_risks", cluster, namespace["error"]), "namespace": namespace["namespace"]}
    again = {_place(item) for one in corrected for kind in ("changes", "failures") for item in one[kind]}
    yield from (failure for one in compared for failure in one["failures"] if _place(failure) not in again)
    yield from (failure for one in corrected for failure in one["failures"])


def _place(item: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    kind = item.get("kind", "")
    return (_KINDS.index(kind) if kind in _KINDS else -1, item.get("namespace") or "", item.get("name") or "", item.get("tag") or "")


def _cluster_failure(kind: str, cluster: str, message: str) -> dict[str, t.Any]:
    return {"kind": kind, "namespace": None, "name": cluster, "tag": None, "from": None, "reason": None, "message": message, "remedy": None}


def _counts(entry: t.Mapping[str, t.Any], compared: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, int]:
    counts = {name: sum(one["counts"][name] for one in compared) for name in ("secrets", "links", "streams", "tags")}
    counts["changes"] = len(entry["changes"])
    counts["corrected"] = sum(change["outcome"] == "done" for change in entry["changes"])
    counts["left"] = sum(change["outcome"] not in _SETTLED for change in entry["changes"])
    counts["failures"] = len(entry["failures"])
    counts["prune_risks"] = entry["prune_risks"]["summary"]["at_risk"] if entry["prune_risks"] else 0
    return counts


def _verdict(entry: t.Mapping[str, t.Any]) -> str:
    counts = entry["counts"]
    if counts["corrected"]:
        return "partly_corrected" if counts["left"] or counts["failures"] else "corrected"
    if counts["left"]:
        return "drift"
    return "failed" if counts["failures"] else "in_sync"


def _summary(clusters: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    totals: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for cluster in clusters:
        totals.update(cluster["counts"])
        reasons.update(cluster["reasons"])
    verdicts = Counter(cluster["verdict"] for cluster in clusters)
    names = ("secrets", "links", "streams", "tags", "changes", "corrected", "left", "failures", "prune_risks")
    return {
        "clusters": len(clusters),
        "verdicts": {verdict: verdicts[verdict] for verdict in VERDICTS},
        "counts": {name: totals[name] for name in names},
        "reasons": dict(sorted(reasons.items())),
    }


def findings(cluster: t.Mapping[str, t.Any]) -> dict[str, str | None]:
    """Return what a job may fail for, in a sentence each; None where there is nothing of the kind."""
    counts, name = cluster["counts"], cluster["name"]
    first = cluster["failures"][0] if cluster["failures"] else None
    failures, prune_risks = None, None
    if counts["prune_risks"]:
        prune_risks = f"{name}: pruning would take the image from {number(counts['prune_risks'], 'workload')}, see the report."
    if first is not None:
        remedy = f" - {first['remedy']}" if first["remedy"] else ""
        failures = f"{name}: {_subject(first)}{first['message']}{remedy}"
        if counts["failures"] > 1:
            failures += "" if failures.endswith(".") else "."
            failures += f" And {number(counts['failures'] - 1, 'more failure')}, see the report."
    return {
        "failures": failures,
        "drift": f"{name}: {in_words(cluster)}." if counts["left"] else None,
        "prune_risks": prune_risks,
    }


def _subject(failure: t.Mapping[str, t.Any]) -> str:
    if not failure["namespace"]:
        return ""
    return f"{failure['kind']} {failure['namespace']}/{failure['name']}{':' + failure['tag'] if failure['tag'] else ''}: "


def in_words(counted: t.Mapping[str, t.Any]) -> str:
    """Return the numbers of a cluster, or of all of them, in words."""
    counts = counted["counts"]
    words = [described(counts["changes"], counted["reasons"], counts["failures"])]
    if counts["corrected"]:
        words.append(f"{counts['corrected']:,} corrected, {counts['left']:,} left")
    if counts["prune_risks"]:
        words.append(number(counts["prune_risks"], "prune risk"))
    return ", ".join(words)


def lines(document: t.Mapping[str, t.Any]) -> list[str]:
    """Return the report as lines for a terminal: one for each cluster, and one for all."""
    summary = document["summary"]
    verdicts = ", ".join(f"{verdict} {number}" for verdict, number in summary["verdicts"].items() if number)
    found = [f"{cluster['name']}: {cluster['verdict']}: {in_words(cluster)}" for cluster in document["clusters"]]
    return [*found, f"{number(summary['clusters'], 'cluster')} ({verdicts}): {in_words(summary)}"]
