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

from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import InputError

FORMAT = "quayside.openshift_images/drift"
PART_FORMAT = "quayside.openshift_images/drift-part"
FORMAT_VERSION = 1

VERDICTS = ("in_sync", "drift", "corrected", "partly_corrected", "failed")
_KINDS = ("secret", "link", "stream", "tag")
# What a change can have come to that leaves nothing to do.
_SETTLED = ("done", "not_needed")


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
    """Return the entry for one cluster: ``compared`` and ``corrected`` are results of cluster_drift, batch by batch."""
    compared, corrected = part.get("compared") or [], part.get("corrected")
    changes = [{**change, "outcome": "open", "error": None} for one in compared for change in one["changes"]]
    failures = [failure for one in compared for failure in one["failures"]]
    failures = [_cluster_failure(part["cluster"], message) for message in part.get("errors") or ()] + failures
    entry: dict[str, t.Any] = {
        "name": part["cluster"],
        "host": next((one["host"] for one in compared), None),
        "verdict": "",
        "complete": not failures,
        "upstream": bool(part.get("upstream")),
        "correction": corrected is not None,
        "counts": {},
        "reasons": {},
        "changes": sorted(changes, key=_place),
        "failures": sorted(failures, key=_place),
        "secrets": sorted((item for one in compared for item in one["secrets"]), key=_place),
        "links": sorted((item for one in compared for item in one["links"]), key=_place),
        "streams": sorted((item for one in compared for item in one["streams"]), key=_place),
        "prune_risks": part.get("prune_risks"),
        "warnings": sorted({warning for one in compared for warning in one["warnings"]}),
    }
    entry["reasons"] = dict(sorted(Counter(reason for change in entry["changes"] for reason in change["reasons"]).items()))
    entry["counts"] = _counts(entry, compared)
    entry["verdict"] = _verdict(entry)
    return entry


def _place(item: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    kind = item.get("kind", "")
    return (_KINDS.index(kind) if kind in _KINDS else -1, item.get("namespace") or "", item.get("name") or "", item.get("tag") or "")


def _cluster_failure(cluster: str, message: str) -> dict[str, t.Any]:
    return {"kind": "cluster", "namespace": None, "name": cluster, "tag": None, "from": None, "reason": None, "message": message, "remedy": None}


def _counts(entry: t.Mapping[str, t.Any], compared: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, int]:
    counts = {name: sum(one["counts"][name] for one in compared) for name in ("secrets", "links", "streams", "tags")}
    counts["changes"] = len(entry["changes"])
    counts["corrected"] = sum(change["outcome"] == "done" for change in entry["changes"])
    counts["left"] = sum(change["outcome"] not in _SETTLED for change in entry["changes"])
    counts["failures"] = len(entry["failures"])
    counts["prune_risks"] = len((entry["prune_risks"] or {}).get("risks") or ())
    return counts


def _verdict(entry: t.Mapping[str, t.Any]) -> str:
    counts = entry["counts"]
    if counts["left"]:
        return "partly_corrected" if counts["corrected"] else "drift"
    if counts["failures"]:
        return "failed"
    return "corrected" if counts["changes"] else "in_sync"


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
