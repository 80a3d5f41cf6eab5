# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document in words: lines for a terminal, what makes a job fail, and the command that corrects exactly what was
shown.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from .document import SETTLED, worst_first
from .result import described, number

PLAYBOOK = "quayside.openshift_images.drift"
# What a job may fail for.
FINDINGS = ("failures", "nothing_declared", "drift", "unknown", "notices", "prune_risks")
# The variables of which at least one has to say something.
DECLARING = (
    "registry_access_secrets",
    "cluster_pull_secret_registries",
    "cluster_pull_secret_auth_file",
    "image_streams_desired",
)
_MOST_NAMED = 3
_WIDEST = 40
_PLAIN = r"[\w@%+=:,./-]+"

_Entry = t.Mapping[str, t.Any]


def where(item: _Entry) -> str:
    """Return what an entry is about, as ``namespace/name`` or ``namespace/name:tag``."""
    if not item["namespace"]:
        return str(item["name"])
    return f"{item['namespace']}/{item['name']}{':' + item['tag'] if item['tag'] else ''}"


def findings(cluster: _Entry) -> dict[str, str | None]:
    """Return what a job may fail for, in a sentence each; None if there is nothing of the kind."""
    counts, name = cluster["counts"], cluster["name"]
    found: dict[str, str | None] = dict.fromkeys(FINDINGS)
    if cluster["failures"]:
        found["failures"] = _failures(cluster)
    if cluster["verdict"] == "nothing_declared":
        found["nothing_declared"] = (
            f"{name}: nothing is declared for this cluster. Give at least one of {', '.join(DECLARING)}, or check "
            "their spelling."
        )
    if counts["left"]:
        left = [change for change in cluster["changes"] if change["outcome"] not in SETTLED]
        found["drift"] = f"{name}: {number(counts['left'], 'change')}: {_named(left)}."
    if counts["unknown"]:
        found["unknown"] = (
            f"{name}: {number(counts['unknown'], 'object')} could not be compared: {_named(cluster['unknown'])}."
        )
    if counts["notices"]:
        found["notices"] = f"{name}: {number(counts['notices'], 'notice')}: {_named(cluster['notices'])}."
    if counts["prune_risks"]:
        found["prune_risks"] = (
            f"{name}: pruning would take the image from {number(counts['prune_risks'], 'workload')}, see the report."
        )
    return found


def _failures(cluster: _Entry) -> str:
    first, count = cluster["failures"][0], cluster["counts"]["failures"]
    subject = f"{first['kind']} {where(first)}: " if first["namespace"] else ""
    text = f"{cluster['name']}: {subject}{first['message']}" + (f" - {first['remedy']}" if first["remedy"] else "")
    # One line: in a result line ends of anybody else are shown as such.
    text = " ".join(text.split())
    if count == 1:
        return text
    return text + ("" if text.endswith(".") else ".") + f" And {number(count - 1, 'more failure')}, see the report."


def _named(items: t.Sequence[_Entry]) -> str:
    """Name the first objects, each with the reason why it is named."""
    words = []
    for item in items[:_MOST_NAMED]:
        reasons = item["reasons"] if "reasons" in item else [item["reason"]]
        words.append(" ".join([where(item), *([", ".join(filter(None, reasons))] if any(reasons) else [])]))
    more = len(items) - len(words)
    return ", ".join(words) + (f" and {more:,} more" if more > 0 else "")


def in_words(counted: _Entry) -> str:
    """Return the numbers of a cluster, or of all of them, in words."""
    counts = counted["counts"]
    words = [described(counts["changes"], counted["reasons"], counts["failures"])]
    if counts["unknown"]:
        words.append(f"{counts['unknown']:,} unknown")
    if counts["corrected"]:
        words.append(f"{counts['corrected']:,} corrected, {counts['left']:,} left")
    if counts["notices"]:
        words.append(number(counts["notices"], "notice"))
    if counts["prune_risks"]:
        words.append(number(counts["prune_risks"], "prune risk"))
    return ", ".join(words)


def lines(document: _Entry, files: t.Mapping[str, str] | None = None, command: str | None = None) -> list[str]:
    """Return the report for a terminal.

    It has a line for each cluster that is not as declared, the worst first, one for all, and what to do next.

    ``files`` are the files of the report, by what they are for; ``command`` corrects what is left.
    """
    summary = document["summary"]
    interesting = [cluster for cluster in worst_first(document["clusters"]) if _is_interesting(cluster)]
    width = min(max((len(cluster["name"]) for cluster in interesting), default=0), _WIDEST)
    verdict_width = max((len(cluster["verdict"]) for cluster in interesting), default=0)
    told = [
        f"{cluster['name']:<{width}}  {cluster['verdict']:<{verdict_width}}  {_line(cluster)}"
        for cluster in interesting
    ]
    verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in summary["verdicts"].items() if count)
    told.append(f"{number(summary['clusters'], 'cluster')} ({verdicts}): {in_words(summary)}")
    if files:
        told.append("Report: " + ", ".join(f"{path} ({purpose})" for purpose, path in files.items()))
    if command:
        told.append(f"To correct exactly this, run this command with the variables of this run: {command}")
    kept = kept_by_owners(document)
    if kept:
        named = ", ".join(f"{one['kind']} {one['where']} ({one['managed_by']})" for one in kept[:_MOST_NAMED])
        more = len(kept) - _MOST_NAMED
        told.append(
            "No correction changes what somebody else reconciles, change it there, or set take_over: "
            f"{named}{f' and {more:,} more' if more > 0 else ''}"
        )
    return told


def kept_by_owners(document: _Entry) -> list[dict[str, t.Any]]:
    """Return the objects that differ and that no correction changes, because somebody else reconciles them.

    Each is named once, with the clusters.
    """
    found: dict[tuple[str, ...], dict[str, t.Any]] = {}
    for cluster in document["clusters"]:
        for change in cluster["changes"]:
            if not is_refused(change):
                continue
            owner = change.get("managed_by") or "somebody else"
            kind = "stream" if change["kind"] == "tag" else change["kind"]
            place = where({**change, "tag": None})
            one = found.setdefault(
                (kind, place, owner),
                {"kind": kind, "where": place, "managed_by": owner, "clusters": []},
            )
            if cluster["name"] not in one["clusters"]:
                one["clusters"].append(cluster["name"])
    return list(found.values())


def is_refused(change: _Entry) -> bool:
    """Return whether a change is left because somebody else reconciles the object. Former reports do not say so."""
    return bool(change.get("refused")) and change["outcome"] not in SETTLED


def _is_interesting(cluster: _Entry) -> bool:
    counts = cluster["counts"]
    return cluster["verdict"] != "in_sync" or any(counts[name] for name in ("unknown", "notices", "prune_risks"))


def _line(cluster: _Entry) -> str:
    counts = cluster["counts"]
    words = []
    if cluster["verdict"] == "nothing_declared":
        words.append("nothing is declared for this cluster")
    left = [change for change in cluster["changes"] if change["outcome"] not in SETTLED]
    if counts["corrected"]:
        words.append(f"{counts['corrected']:,} corrected")
    if left:
        words.append(f"{number(len(left), 'change')}: {_named(left)}")
    if cluster["failures"]:
        first = cluster["failures"][0]
        subject = f"{where(first)}: " if first["namespace"] else ""
        more = len(cluster["failures"]) - 1
        message = " ".join(first["message"].split())
        words.append(
            f"{number(len(cluster['failures']), 'failure')}: {subject}{message}"
            + (f" (and {more:,} more)" if more else "")
        )
    elif counts["unknown"]:
        words.append(f"{counts['unknown']:,} unknown: {_named(cluster['unknown'])}")
    if counts["notices"]:
        words.append(f"{number(counts['notices'], 'notice')}: {_named(cluster['notices'])}")
    if counts["prune_risks"]:
        words.append(number(counts["prune_risks"], "prune risk"))
    return "; ".join(words)


def is_correctable(document: _Entry, limit: str | None = None) -> bool:
    """Return whether a correction could change anything of what is left, on the cluster ``limit`` or on any."""
    return any(
        change["outcome"] not in SETTLED and not is_refused(change)
        for cluster in document["clusters"]
        if limit in (None, cluster["name"])
        for change in cluster["changes"]
    )


def correction_command(document: _Entry, json_file: str | None, limit: str | None = None) -> str | None:
    """Return the command that corrects what the document shows and nothing else.

    Return None if nothing is left that it could, or no file has it.
    """
    if not json_file or not is_correctable(document, limit):
        return None
    words = ["ansible-playbook"]
    for source in document["run"]["inventory"]:
        words += ["-i", source]
    words += [PLAYBOOK]
    if limit:
        words += ["--limit", limit]
    if re.fullmatch(_PLAIN, json_file):
        words += ["-e", "drift_correct=true", "-e", f"drift_report_approved_file={json_file}"]
    else:
        words += ["-e", json.dumps({"drift_correct": True, "drift_report_approved_file": json_file})]
    return shlex.join(words)
