# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page shows of the document: the same object of many clusters once, the same cause once, the worst cluster
first.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t

from .causes import causes
from .document import SETTLED, worst_first
from .result import CREDENTIAL_PENDING, number
from .words import is_correctable, kept_by_owners, where

OUTCOMES = {
    "open": "differs",
    "done": "corrected",
    "failed": "failed",
    "changed_meanwhile": "changed meanwhile",
    "not_approved": "not approved",
    "not_done": "not done",
    "not_needed": "as declared",
}
_AS_DECLARED, _UNKNOWN = "as declared", "unknown"
_COMPARED = {"stream": "image stream", "secret": "pull secret", "link": "link"}
_FAILURE = "import_failure"
# Of each kind the keys that the page shows in a place of their own, or not at all. Any other is a fact that is shown by
# its name.
_KNOWN = frozenset(
    (
        *("namespace", "name", "kind", "state", "type", "changed", "reasons", "error"),
        *("registries", "shadowing_checked", "lists"),
        *("lookup_policy_local", "tags", "gone_upstream", "tags_from", "tags_from_reason"),
        *(
            "from",
            "import_mode",
            "reference_policy",
            "scheduled",
            "insecure",
            "digest",
            "previous_digest",
            "media_type",
            "manifests",
        ),
        *("platforms", "architecture"),
    )
)

_Entry = t.Mapping[str, t.Any]
Json = dict[str, t.Any]


def page_view(document: _Entry, most_tags: int) -> Json:
    """Return everything that the template shows.

    If there are more than ``most_tags`` lines of tags, those as declared are counted only.
    """
    ordered = worst_first(document["clusters"])
    names = {cluster["name"]: f"c{place}" for place, cluster in enumerate(ordered, 1)}
    reasons = _reason_ids(document["summary"])
    clusters = [_cluster(cluster, names[cluster["name"]], reasons) for cluster in ordered]
    changed = _objects(ordered, reasons)
    places = {(one["kind"], one["where"]): one["id"] for one in changed}
    for cluster in clusters:
        for change in cluster["changed"]:
            change["id"] = places[change["kind"], change["where"]]
    tags, left_out = _tags(ordered, reasons, most_tags)
    failed = [(cluster, entry) for cluster in ordered for entry in [*cluster["failures"], *_unexplained(cluster)]]
    return {
        "clusters": clusters,
        "ids": names,
        "with_section": {cluster["name"] for cluster in clusters if cluster["has_section"]},
        "reasons": [
            {"id": reasons[reason], "words": reason, "count": count, "kind": kind}
            for kind in ("reasons", "unknown_reasons", "notice_reasons")
            for reason, count in document["summary"][kind].items()
        ],
        "share": _share(document["summary"]["states"]),
        "compared": compared_words(document["summary"]["counts"]),
        "objects": changed,
        "causes": [{**cause, "reasons": _ids([cause["reason"]], reasons)} for cause in causes(failed)],
        "kept": kept_by_owners(document),
        "correctable": is_correctable(document),
        "notices": _said_of((cluster, one) for cluster in ordered for one in cluster["notices"]),
        "warnings": _warnings(ordered),
        "tags": tags,
        "tags_left_out": left_out,
        "others": _secrets_and_links(ordered, reasons),
        "matrix": matrix(ordered),
        "columns": {
            "left": any(cluster["correction"] for cluster in ordered),
            "prune_risks": any(cluster["prune_risks"] for cluster in ordered),
            "clusters": len(ordered) > 1,
        },
    }


def _reason_ids(summary: _Entry) -> dict[str, str]:
    """Give each reason a short name for the filters: the reasons of servers can be any text."""
    known = [reason for kind in ("reasons", "unknown_reasons", "notice_reasons") for reason in summary[kind]]
    return {reason: f"r{place}" for place, reason in enumerate(dict.fromkeys(known), 1)}


def _ids(reasons: t.Iterable[str], ids: t.Mapping[str, str]) -> str:
    return " ".join(dict.fromkeys(ids[reason] for reason in reasons if reason in ids))


def _share(states: t.Mapping[str, int]) -> Json | None:
    """Return the shares of the states in percent. Nothing is rounded up to all, or down to none."""
    total = sum(states.values())
    if not total:
        return None
    percent = {state: count * 100 / total for state, count in states.items()}
    shown = {
        state: (min(99, max(1, round(value))) if 0 < states[state] < total else round(value))
        for state, value in percent.items()
    }
    return {"percent": percent, "shown": shown, "total": total}


def compared_words(counts: t.Mapping[str, int]) -> str:
    """Return what was compared in words, without what there is none of; empty for nothing."""
    found = [number(counts[f"{name}s"], noun) for name, noun in _COMPARED.items() if counts[f"{name}s"]]
    if counts["streams"]:
        found[0] += f" with {number(counts['tags'], 'tag')}"
    return " and ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)


def _unexplained(cluster: _Entry) -> list[Json]:
    """Return what is unknown without having failed: nothing else on the page says why."""
    told = {(one["kind"], where(one)) for one in cluster["failures"]}
    return [one for one in cluster["unknown"] if (one["kind"], where(one)) not in told]


def _cluster(cluster: _Entry, identity: str, ids: t.Mapping[str, str]) -> Json:
    reasons = [
        *cluster["reasons"],
        *(one["reason"] for kind in ("unknown", "notices") for one in cluster[kind]),
        *(one["reason"] for one in cluster["failures"] if one["reason"]),
    ]
    changed = [
        {
            "kind": change["kind"],
            "where": where(change),
            "state": OUTCOMES[change["outcome"]],
            "reasons": change["reasons"],
            "rows": rows(change["before"], change["after"]),
            "ids": _ids(change["reasons"], ids),
            "error": _why_left(change),
        }
        for change in cluster["changes"]
    ]
    # A correction that failed is there as a change already, with the same words.
    told = {(one["kind"], one["where"], one["error"]) for one in changed}
    return {
        **cluster,
        "id": identity,
        "filter": _ids(reasons, ids),
        "changed": changed,
        "compared": compared_words(cluster["counts"]),
        "failed": [
            {**one, "where": where(one)}
            for one in cluster["failures"]
            if (one["kind"], where(one), one["message"]) not in told
        ],
        "has_section": bool(
            changed or cluster["failures"] or cluster["notices"] or cluster["prune_risks"] or cluster["unknown"]
        )
        or cluster["verdict"] == "nothing_declared",
    }


def _objects(clusters: t.Sequence[_Entry], ids: t.Mapping[str, str]) -> list[Json]:
    """Return what differs, each object once for all clusters, with a variant for each way in which it differs."""
    pending = {
        (cluster["name"], one["namespace"], one["name"], one["tag"])
        for cluster in clusters
        for one in cluster["unknown"]
        if one["reason"] == CREDENTIAL_PENDING
    }
    found: dict[tuple[str, str], dict[str, Json]] = {}
    for cluster in clusters:
        for change in cluster["changes"]:
            pends = (cluster["name"], change["namespace"], change["name"], change["tag"]) in pending
            variant = {
                "state": OUTCOMES[change["outcome"]],
                "error": _why_left(change),
                "managed_by": change.get("managed_by"),
                "reasons": change["reasons"],
                "rows": rows(change["before"], change["after"], pends),
                "new": change["before"] is None,
                "gone": change["after"] is None,
                "sides": ("Was", "Is now") if change["outcome"] == "done" else ("On the cluster", "Declared"),
            }
            variants = found.setdefault((change["kind"], where(change)), {})
            variants.setdefault(json.dumps(variant, sort_keys=True), {**variant, "clusters": []})["clusters"].append(
                cluster["name"]
            )
    objects = [_object(kind, subject, list(variants.values()), ids) for (kind, subject), variants in found.items()]
    ordered = sorted(objects, key=lambda one: (one["settled"], -len(one["clusters"]), one["kind"], one["where"]))
    return [{**one, "id": f"o{place}"} for place, one in enumerate(ordered, 1)]


def _why_left(change: _Entry) -> str | None:
    """Return what keeps a change from being made: the failure of a correction, or an owner who would undo it."""
    return change["error"] or (change.get("refused") if change["outcome"] not in SETTLED else None)


def _object(kind: str, subject: str, variants: list[Json], ids: t.Mapping[str, str]) -> Json:
    reasons = list(dict.fromkeys(reason for variant in variants for reason in variant["reasons"]))
    settled = {OUTCOMES[outcome] for outcome in SETTLED}
    return {
        "kind": kind,
        "where": subject,
        "variants": sorted(variants, key=lambda variant: -len(variant["clusters"])),
        "clusters": list(dict.fromkeys(name for variant in variants for name in variant["clusters"])),
        "reasons": reasons,
        "states": list(dict.fromkeys(variant["state"] for variant in variants)),
        "settled": all(variant["state"] in settled for variant in variants),
        "filter": _ids(reasons, ids),
    }


def rows(before: t.Any, after: t.Any, pending: bool = False) -> list[Json]:
    """Return what differs between both sides of a change line by line: name, before and after, and whether it is a
    failure."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    unknown = "unknown until the credential is written" if pending else "unknown until it is imported"
    return [
        {
            "name": name,
            "before": old.get(name) if old.get(name) != "" else None,
            "after": unknown if name == "image" and new.get(name) == "" else new.get(name),
            "fails": name == _FAILURE and name in new,
        }
        for name in names
    ]


def _flat(value: t.Any, name: str = "") -> t.Iterator[tuple[str, t.Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(
                inner, f"{name} \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} {key}" if name else str(key)
            )
    elif name:
        yield name, value


def _said_of(entries: t.Iterable[tuple[_Entry, _Entry]]) -> list[Json]:
    """Group findings that are no change by their reason and their words."""
    groups: dict[tuple[str, str], Json] = {}
    for cluster, one in entries:
        group = groups.setdefault(
            (one["reason"], one["message"]), {"reason": one["reason"], "message": one["message"], "objects": []}
        )
        group["objects"].append({"kind": one["kind"], "where": where(one), "from": None, "cluster": cluster["name"]})
    return [
        {**group, "clusters": list(dict.fromkeys(one["cluster"] for one in group["objects"]))}
        for group in groups.values()
    ]


def _warnings(clusters: t.Sequence[_Entry]) -> list[Json]:
    found: dict[str, list[str]] = {}
    for cluster in clusters:
        for warning in cluster["warnings"]:
            found.setdefault(warning, []).append(cluster["name"])
    return [{"text": text, "clusters": names} for text, names in found.items()]


def _states(cluster: _Entry) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Return the state of every object that is not as declared, with its reasons."""
    found = {
        (one["kind"], where(one)): (_UNKNOWN, [one["reason"]] if one["reason"] else []) for one in cluster["unknown"]
    }
    found.update(
        {
            (change["kind"], where(change)): (OUTCOMES[change["outcome"]], change["reasons"])
            for change in cluster["changes"]
        }
    )
    return found


def _facts(*items: _Entry) -> list[tuple[str, t.Any]]:
    """Return what else is known of an object, for people: who manages it, or when its credential expires."""
    ends = [
        (f"expires, {registry['registry']}", registry["expires_at"])
        for item in items
        for registry in item.get("registries") or ()
        if registry.get("expires_at")
    ]
    return ends + [
        (key, value)
        for item in items
        for key, value in item.items()
        if key not in _KNOWN and value not in (None, "", [], {}) and isinstance(value, (str, int, float, bool))
    ]


def _grouped(lines: t.Iterable[tuple[str, Json]]) -> list[Json]:
    """Put the lines of several clusters that say the same into one, with the names of the clusters.

    The worst line comes first, then they go by name.
    """
    found: dict[str, Json] = {}
    for cluster, line in lines:
        found.setdefault(json.dumps(line, sort_keys=True), {**line, "clusters": []})["clusters"].append(cluster)
    return sorted(
        found.values(),
        key=lambda line: (line["state"] in (_AS_DECLARED, OUTCOMES["done"]), line["where"], -len(line["clusters"])),
    )


def _tags(clusters: t.Sequence[_Entry], ids: t.Mapping[str, str], most: int) -> tuple[list[Json], int]:
    """Return the lines of the table of tags, and how many tags are not in it."""
    lines = []
    for cluster in clusters:
        states = _states(cluster)
        for stream in cluster["streams"]:
            for tag in stream["tags"]:
                subject = f"{stream['namespace']}/{stream['name']}:{tag['name']}"
                state, reasons = states.get(("tag", subject), (_AS_DECLARED, []))
                line = {
                    "where": subject,
                    "state": state,
                    "reasons": reasons,
                    "filter": _ids(reasons, ids),
                    "from": tag["from"],
                    "digest": tag["digest"],
                    "mode": tag["import_mode"] or "",
                    "policies": ", ".join(
                        [tag["reference_policy"] or "", *(name for name in ("scheduled", "insecure") if tag[name])]
                    ).removeprefix(", "),
                    "facts": _facts(stream, tag),
                }
                lines.append((cluster["name"], line))
    grouped = _grouped(lines)
    if len(grouped) > most:
        grouped = [line for line in grouped if line["state"] != _AS_DECLARED]
    listed = sum(len(line["clusters"]) for line in grouped)
    return grouped, max(sum(cluster["counts"]["tags"] for cluster in clusters) - listed, 0)


def _secrets_and_links(clusters: t.Sequence[_Entry], ids: t.Mapping[str, str]) -> list[Json]:
    lines = []
    for cluster in clusters:
        states = _states(cluster)
        for kind, items in (("secret", cluster["secrets"]), ("link", cluster["links"])):
            for item in items:
                subject = f"{item['namespace']}/{item['name']}"
                state, reasons = (
                    states.get((kind, subject), (_AS_DECLARED, []))
                    if item["changed"] or item["error"]
                    else (_AS_DECLARED, [])
                )
                line = {
                    "kind": kind,
                    "where": subject,
                    "state": state,
                    "reasons": reasons,
                    "filter": _ids(reasons, ids),
                    "holds": _holds(kind, item),
                    "facts": _facts(item),
                }
                lines.append((cluster["name"], line))
    return _grouped(lines)


def _holds(kind: str, item: _Entry) -> str:
    if kind == "secret":
        return ", ".join(registry["registry"] for registry in item["registries"] if registry["state"] == "present")
    return "; ".join(f"{one['for']}: {', '.join(one['secrets']) or 'none'}" for one in item["lists"])


def matrix(clusters: t.Sequence[_Entry]) -> Json | None:
    """Return the platforms as columns and the tags as rows, each cell a word; None if no platform is known.

    Tags that are the same on several clusters are one row. A single image names its architecture only: it stands in
    the column of that architecture under Linux, with a sign of its own.
    """
    found: dict[str, Json] = {}
    names: set[str] = set()
    for cluster in clusters:
        for stream in cluster["streams"]:
            for tag in stream["tags"]:
                known = tag.get("platforms")
                if not known or not (known["offered"] or known["taken"]):
                    continue
                sides = {
                    side: None if known[side] is None else sorted(map(_column, known[side]))
                    for side in ("offered", "taken")
                }
                names.update(name for side in sides.values() for name in side or ())
                row = {
                    "where": f"{stream['namespace']}/{stream['name']}:{tag['name']}",
                    "mode": tag["import_mode"] or "",
                    "single": known["single"],
                    "sides": sides,
                    "changed": tag["changed"],
                }
                found.setdefault(json.dumps(row, sort_keys=True), {**row, "clusters": []})["clusters"].append(
                    cluster["name"]
                )
    if not names:
        return None
    columns = sorted(names)
    ordered = sorted(found.values(), key=lambda row: (row["where"], -len(row["clusters"])))
    return {
        "platforms": columns,
        "has_single": any(row["single"] for row in ordered),
        "rows": [{**row, "cells": [_cell(name, row["sides"], row["single"]) for name in columns]} for row in ordered],
    }


def _column(platform: str) -> str:
    return platform if "/" in platform else f"linux/{platform}"


def _cell(name: str, sides: _Entry, single: bool) -> str:
    offered, taken = sides["offered"], sides["taken"]
    if taken is not None and name in taken:
        if offered is not None and name not in offered:
            return "kept"
        return "single" if single else "taken"
    if offered is not None and name in offered:
        return "offered" if taken is not None else "unknown"
    return "none"
