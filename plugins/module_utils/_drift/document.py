# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document drift.json: what was found on many clusters, put together from one file for each, or from other such
documents.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

docs/drift.schema.json describes it. Everything in it has a fixed order, so that two reports can be compared line by
line.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from .._core.errors import InputError
from .._core.outward import visible

FORMAT = "quayside.openshift_images/drift"
PART_FORMAT = "quayside.openshift_images/drift-part"
FORMAT_VERSION = 1

VERDICTS = ("in_sync", "drift", "corrected", "partly_corrected", "failed", "nothing_declared")
# The worst first, for people.
_SEVERITY = {"failed": 0, "drift": 1, "partly_corrected": 1, "nothing_declared": 2, "corrected": 3, "in_sync": 4}
_KINDS = ("cluster", "secret", "link", "stream", "tag")
# What a change can have come to that leaves nothing to do.
SETTLED = ("done", "not_needed")
_PRUNE_RISKS = ("risks", "missing", "failed_namespaces", "summary")
_COUNTS = (
    "secrets",
    "links",
    "streams",
    "tags",
    "changes",
    "corrected",
    "left",
    "unknown",
    "failures",
    "notices",
    "prune_risks",
)
_MESSAGES = frozenset(("message", "remedy", "error", "why", "errors", "correction_errors", "prune_errors", "warnings"))
STATES = ("as_declared", "differs", "unknown")
_LOST = "There is no result of this cluster: its part of the run ended early."
_NOT_DONE = "The correction did not come to it."

Json = dict[str, t.Any]
_Entry = t.Mapping[str, t.Any]


def drift_document(
    contents: t.Iterable[tuple[str, t.Any]], *, expected: t.Sequence[str] = (), generated_at: str
) -> Json:
    """Return the document for all clusters of ``contents``, pairs of a file's name and what it holds.

    A cluster of ``expected`` that no file has is in it as failed. Of a cluster that several files have the last one
    counts. Raises ``InputError`` for a file that is no result.
    """
    clusters: dict[str, Json] = {}
    inventory: list[str] = []
    versions: list[str] = []
    for name, content in contents:
        readable = _readable(content)
        for cluster in _clusters_of(name, readable):
            clusters[cluster["name"]] = cluster
        run = _run_of(readable)
        inventory += run["inventory"]
        versions += [run["collection_version"]] if run["collection_version"] else []
    for name in expected:
        if name not in clusters:
            clusters[name] = cluster_entry({"cluster": name, "errors": [_LOST]})
    ordered = [clusters[name] for name in sorted(clusters)]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "generated_at": generated_at,
        "run": {
            "collection_version": ", ".join(sorted(set(versions))),
            "inventory": list(dict.fromkeys(inventory)),
            "upstream": any(cluster["upstream"] for cluster in ordered),
            "correction": any(cluster["correction"] for cluster in ordered),
        },
        "summary": _summary(ordered),
        "clusters": ordered,
    }


def worst_first(clusters: t.Iterable[Json]) -> list[Json]:
    """Return the clusters in the order in which a person looks at them."""

    def rank(cluster: _Entry) -> tuple[t.Any, ...]:
        counts = cluster["counts"]
        return (_SEVERITY[cluster["verdict"]], -counts["left"], -counts["unknown"], cluster["name"])

    return sorted(clusters, key=rank)


def _readable(value: t.Any, message: bool = False) -> t.Any:
    """Return what a file holds without characters that command a terminal: it may have come from anywhere.

    Messages keep their lines.
    """
    if isinstance(value, str):
        if value.isprintable():
            return value
        return "\n".join(map(visible, value.split("\n"))) if message else visible(value)
    if isinstance(value, dict):
        return {_readable(key): _readable(inner, message=key in _MESSAGES) for key, inner in value.items()}
    return [_readable(inner, message) for inner in value] if isinstance(value, list) else value


def _clusters_of(name: str, content: t.Any) -> list[Json]:
    form = content.get("format") if isinstance(content, dict) else None
    if form not in (FORMAT, PART_FORMAT):
        raise InputError(f"{name} is no report on drift: its format is {form!r}")
    try:
        if form == PART_FORMAT:
            return [cluster_entry(content)]
        if content.get("format_version") != FORMAT_VERSION:
            raise InputError(
                f"{name} is of version {content.get('format_version')!r}; this release reads version {FORMAT_VERSION}"
            )
        return [_checked(cluster) for cluster in content["clusters"]]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"{name} is no complete report on drift ({type(error).__name__}: {error}): make it again"
        ) from error


def _run_of(content: _Entry) -> Json:
    """Return what a file says of the run that made it. Files of former releases say nothing."""
    run = content.get("run")
    inventory, version = (
        (run.get("inventory"), run.get("collection_version")) if isinstance(run, dict) else (None, None)
    )
    return {
        "inventory": [str(one) for one in inventory] if isinstance(inventory, list) else [],
        "collection_version": version if isinstance(version, str) else "",
    }


def _checked(cluster: Json) -> Json:
    """Return a cluster of a former document with everything that is said of clusters today.

    What has another form raises an error.
    """
    if not isinstance(cluster["name"], str):
        raise TypeError("the name of a cluster is no string")
    if cluster["verdict"] not in VERDICTS:
        raise ValueError(f"there is no verdict {cluster['verdict']!r}")
    entry = {"unknown": [], "notices": [], **cluster}
    for kind in ("changes", "failures", "unknown", "notices"):
        for item in entry[kind]:
            _place(item)
            if not all(isinstance(item[key], str) for key in ("kind", "name")):
                raise TypeError(f"an entry of {kind} has no name")
    for change in entry["changes"]:
        if not (
            isinstance(change["id"], str) and isinstance(change["outcome"], str) and isinstance(change["reasons"], list)
        ):
            raise TypeError("a change has another form")
        if not all(isinstance(change.get(key), (str, type(None))) for key in ("managed_by", "refused")):
            raise TypeError("the owner of a change has another form")
    former = cluster["counts"]
    entry["counts"] = _counts(entry, {name: int(former[name]) for name in ("secrets", "links", "streams", "tags")})
    entry["states"] = _states(entry)
    return entry


def cluster_entry(part: _Entry) -> Json:
    """Return the entry for one cluster.

    ``compared`` of the part are results of cluster_drift, batch by batch, and ``corrected`` those of a
    ``correction`` that was to do what ``approved`` names. ``errors`` and their like are what modules said that had
    no result.
    """
    compared, corrected = part.get("compared") or [], part.get("corrected") or []
    shown = [change for one in compared for change in one["changes"]]
    correction = bool(part.get("correction"))
    risks = part.get("prune_risks") or None
    entry: Json = {
        "name": part["cluster"],
        "host": next((one["host"] for one in compared), None),
        "verdict": "",
        "complete": True,
        "upstream": bool(part.get("upstream")),
        "correction": correction,
        "counts": {},
        "states": {},
        "reasons": dict(sorted(Counter(reason for change in shown for reason in change["reasons"]).items())),
        "changes": sorted(_with_outcomes(shown, part) if correction else map(_open, shown), key=_place),
        "unknown": sorted(_unknown(part, compared), key=_place),
        "failures": sorted(_failures(part, compared, corrected), key=_place),
        "notices": sorted((item for one in compared for item in one.get("notices") or ()), key=_place),
        "secrets": sorted((item for one in compared for item in one["secrets"]), key=_place),
        "links": sorted((item for one in compared for item in one["links"]), key=_place),
        "streams": sorted((item for one in compared for item in one["streams"]), key=_place),
        "prune_risks": {name: risks[name] for name in _PRUNE_RISKS} if risks else None,
        "warnings": sorted({warning for one in [*compared, *corrected] for warning in one["warnings"]}),
    }
    entry["complete"] = not entry["failures"] and not entry["unknown"]
    entry["counts"] = _counts(
        entry, {name: sum(one["counts"][name] for one in compared) for name in ("secrets", "links", "streams", "tags")}
    )
    entry["states"] = _states(entry)
    entry["verdict"] = _verdict(entry)
    return entry


def _open(change: _Entry) -> Json:
    return {**change, "outcome": "open", "error": None}


def _with_outcomes(shown: t.Iterable[_Entry], part: _Entry) -> t.Iterator[Json]:
    """Join each change that was shown with what became of it. It is settled only if the correction says so."""
    corrected, approved, errors = (
        part.get("corrected") or [],
        part.get("approved") or [],
        part.get("correction_errors") or [],
    )
    made = [change for one in corrected for change in one["changes"]]
    ids, places = {change["id"] for change in made}, {_place(change) for change in made if change["kind"] != "link"}
    confirmed = {identity for one in corrected for identity in one.get("confirmed") or ()}
    failed = {_place(failure): failure for one in corrected for failure in one["failures"]}
    held_back = {_place(held): held for one in corrected for held in one["held_back"]}
    for change in shown:
        place, outcome, error = _place(change), "not_done", errors[0] if errors else _NOT_DONE
        if change["id"] not in approved:
            outcome, error = "not_approved", None
        elif place in failed:
            outcome, error = "failed", failed[place]["message"]
        elif change["id"] in ids or place in places:
            outcome, error = "done", None
        elif place in held_back:
            outcome, error = "changed_meanwhile", ", ".join(held_back[place]["reasons"]) or None
        elif change["id"] in confirmed:
            outcome, error = "not_needed", None
        elif errors:
            outcome = "failed"
        yield {**change, "outcome": outcome, "error": error}


def _unknown(part: _Entry, compared: t.Sequence[_Entry]) -> t.Iterator[Json]:
    """Yield what nobody knows the state of; of a cluster that did not answer that is the cluster itself."""
    for message in part.get("errors") or ():
        yield {
            "kind": "cluster",
            "namespace": None,
            "name": part["cluster"],
            "tag": None,
            "reason": "",
            "message": message,
        }
    for one in compared:
        yield from one.get("unknown") or ()


def _failures(part: _Entry, compared: t.Sequence[_Entry], corrected: t.Sequence[_Entry]) -> t.Iterator[Json]:
    """Yield what failed; of what was retried, the last failure."""
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


def _place(item: _Entry) -> tuple[t.Any, ...]:
    kind = item.get("kind", "")
    return (
        _KINDS.index(kind) if kind in _KINDS else -1,
        item.get("namespace") or "",
        item.get("name") or "",
        item.get("tag") or "",
    )


def _cluster_failure(kind: str, cluster: str, message: str) -> Json:
    return {
        "kind": kind,
        "namespace": None,
        "name": cluster,
        "tag": None,
        "from": None,
        "reason": None,
        "message": message,
        "remedy": None,
    }


def _counts(entry: _Entry, compared: t.Mapping[str, int]) -> dict[str, int]:
    return {
        **compared,
        "changes": len(entry["changes"]),
        "corrected": sum(change["outcome"] == "done" for change in entry["changes"]),
        "left": sum(change["outcome"] not in SETTLED for change in entry["changes"]),
        "unknown": len(entry["unknown"]),
        "failures": len(entry["failures"]),
        "notices": len(entry["notices"]),
        "prune_risks": entry["prune_risks"]["summary"]["at_risk"] if entry["prune_risks"] else 0,
    }


def _states(entry: _Entry) -> dict[str, int]:
    """Count secrets, links and tags by state, and streams that differ in themselves or could not be read."""
    counts = entry["counts"]
    differing = {_place(change) for change in entry["changes"] if change["outcome"] not in SETTLED}
    unknown = {_place(one) for one in entry["unknown"]} - differing
    elsewhere = {_KINDS.index("cluster"), _KINDS.index("stream")}
    known = counts["secrets"] + counts["links"] + counts["tags"]
    as_declared = known - sum(place[0] not in elsewhere for place in differing | unknown)
    return {"as_declared": max(as_declared, 0), "differs": len(differing), "unknown": len(unknown)}


def _verdict(entry: _Entry) -> str:
    counts = entry["counts"]
    if counts["corrected"]:
        return "partly_corrected" if counts["left"] or counts["failures"] else "corrected"
    if counts["left"]:
        return "drift"
    if counts["failures"]:
        return "failed"
    return "in_sync" if any(counts[name] for name in ("secrets", "links", "streams")) else "nothing_declared"


def _summary(clusters: t.Sequence[_Entry]) -> Json:
    totals: Counter[str] = Counter()
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    notices: Counter[str] = Counter()
    for cluster in clusters:
        totals.update(cluster["counts"])
        states.update(cluster["states"])
        reasons.update(cluster["reasons"])
        unknown.update(one["reason"] for one in cluster["unknown"] if one["reason"])
        notices.update(one["reason"] for one in cluster["notices"])
    verdicts = Counter(cluster["verdict"] for cluster in clusters)
    return {
        "clusters": len(clusters),
        "verdicts": {verdict: verdicts[verdict] for verdict in VERDICTS},
        "counts": {name: totals[name] for name in _COUNTS},
        "states": {name: states[name] for name in STATES},
        "reasons": dict(sorted(reasons.items())),
        "unknown_reasons": dict(sorted(unknown.items())),
        "notice_reasons": dict(sorted(notices.items())),
    }
