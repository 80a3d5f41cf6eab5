# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document as other programs take it: JUnit XML for CI, Prometheus' text format 0.0.4 for node_exporter's
textfile collector.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from .document import SETTLED, STATES, VERDICTS
from .words import where

# Everything but the characters that XML 1.0 allows.
_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_PREFIX = "quayside_drift"

_Entry = t.Mapping[str, t.Any]


def junit(document: _Entry) -> str:
    """Return the document as JUnit XML: a suite is a cluster, a case an object that was compared.

    What differs is a failure, what could not be compared is skipped, and a cluster that could not be compared at all
    is an error: a job that counts neither would call it green. Notices are the output of their case.
    """
    suites = [_suite(cluster, document["generated_at"]) for cluster in document["clusters"]]
    totals = {name: sum(suite.counts[name] for suite in suites) for name in ("tests", "failures", "errors", "skipped")}
    body = "".join(suite.text for suite in suites)
    return (
        '<?xml version="1.0" '
        f'encoding="UTF-8"?>\n<testsuites{_attributes({"name": "drift", **totals})}>\n{body}</testsuites>\n'
    )


class _Suite(t.NamedTuple):
    counts: t.Mapping[str, int]
    text: str


def _suite(cluster: _Entry, generated_at: str) -> _Suite:
    name = cluster["name"]
    cases, counts = [], Counter({"tests": 0, "failures": 0, "errors": 0, "skipped": 0})
    notices: dict[tuple[str, str], list[str]] = {}
    for one in cluster["notices"]:
        notices.setdefault((one["kind"], where(one)), []).append(f"{one['reason']}: {one['message']}")
    for (kind, title), (state, word, text) in _objects(cluster).items():
        counts["tests"] += 1
        head = f"  <testcase{_attributes({'classname': f'{name}.{kind}', 'name': f'{kind} {title}'})}"
        inner = ""
        if state:
            counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[state]] += 1
            facts = {"message": f"{word}: {text}" if word and text else word or text}
            if state != "skipped":
                facts["type"] = word or state
            inner = f"    <{state}{_attributes(facts)}/>\n"
        if (kind, title) in notices:
            inner += f"    <system-out>{_xml(chr(10).join(notices[kind, title]))}</system-out>\n"
        cases.append(f"{head}>\n{inner}  </testcase>\n" if inner else f"{head}/>\n")
    attributes = _attributes({"name": name, **counts, "timestamp": generated_at.rstrip("Z")})
    return _Suite(counts, f" <testsuite{attributes}>\n{''.join(cases)} </testsuite>\n")


def _objects(cluster: _Entry) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Return every object of a cluster with the state, the word and the text that its case shows."""
    found = {(one["kind"], where(one)): ("", "", "") for one in cluster["notices"]}
    for kind, items in (("secret", cluster["secrets"]), ("link", cluster["links"])):
        found.update({(kind, f"{item['namespace']}/{item['name']}"): ("", "", "") for item in items})
    for stream in cluster["streams"]:
        subject = f"{stream['namespace']}/{stream['name']}"
        found[("stream", subject)] = ("", "", "")
        found.update({("tag", f"{subject}:{tag['name']}"): ("", "", "") for tag in stream["tags"]})
    for one in cluster["failures"]:
        if one["kind"] in ("cluster", "prune_risks"):
            found[(one["kind"], where(one))] = ("error", one["reason"] or "", one["message"])
    for one in cluster["unknown"]:
        if one["kind"] != "cluster":
            found[(one["kind"], where(one))] = ("skipped", one["reason"], one["message"])
    for change in cluster["changes"]:
        if change["outcome"] not in SETTLED:
            reasons = ", ".join(change["reasons"])
            found[(change["kind"], where(change))] = (
                "failure",
                reasons,
                change["error"] or change.get("refused") or "differs from what is declared",
            )
    if cluster["verdict"] == "nothing_declared":
        found[("cluster", cluster["name"])] = ("error", "nothing_declared", "nothing is declared for this cluster")
    return found


def _attributes(values: t.Mapping[str, t.Any]) -> str:
    return "".join(f' {name}="{_xml(str(value))}"' for name, value in values.items())


def _xml(text: str) -> str:
    """Return text for an attribute or an element. A character that XML has no way to write becomes U+FFFD."""
    return re.sub(_NOT_XML, "\N{REPLACEMENT CHARACTER}", text).translate(_ENTITIES)


def metrics(document: _Entry) -> str:
    """Return the document in Prometheus' text format: gauges for each cluster.

    No label ever holds the name of a tag.
    """
    clusters = document["clusters"]

    def by_reason(kind: str) -> t.Iterator[_Sample]:
        for cluster in clusters:
            counted = Counter(one["reason"] or "other" for one in cluster[kind])
            yield from (
                ({"cluster": cluster["name"], "reason": reason}, count) for reason, count in sorted(counted.items())
            )

    def changes() -> t.Iterator[_Sample]:
        for cluster in clusters:
            left = (change for change in cluster["changes"] if change["outcome"] not in SETTLED)
            counted = Counter(reason for change in left for reason in change["reasons"])
            yield from (
                ({"cluster": cluster["name"], "reason": reason}, count) for reason, count in sorted(counted.items())
            )

    def counted(name: str) -> t.Iterator[_Sample]:
        yield from (({"cluster": cluster["name"]}, cluster["counts"][name]) for cluster in clusters)

    gauges: list[tuple[str, str, t.Iterable[_Sample]]] = [
        (
            "cluster_verdict",
            "Whether a cluster has this verdict, 1 or 0.",
            (
                ({"cluster": one["name"], "verdict": verdict}, int(one["verdict"] == verdict))
                for one in clusters
                for verdict in VERDICTS
            ),
        ),
        (
            "objects",
            "Pull secrets, links and tags that are declared, by state.",
            (({"cluster": one["name"], "state": state}, one["states"][state]) for one in clusters for state in STATES),
        ),
        ("changes_left", "Differences from the declaration that are left.", counted("left")),
        ("changes_corrected", "Differences that the run corrected.", counted("corrected")),
        ("changes", "Differences that are left, by reason; one can have several.", changes()),
        ("unknown", "Objects that could not be compared, by reason.", by_reason("unknown")),
        ("failures", "What could not be compared or corrected.", counted("failures")),
        ("notices", "Findings that are no difference, by reason.", by_reason("notices")),
        (
            "prune_risks",
            "Workloads that pruning would take the image from, if that was asked.",
            (({"cluster": one["name"]}, one["counts"]["prune_risks"]) for one in clusters if one["prune_risks"]),
        ),
    ]
    return "".join(_gauge(f"{_PREFIX}_{name}", text, samples) for name, text, samples in gauges)


_Sample = tuple[dict[str, str], int]


def _gauge(name: str, text: str, samples: t.Iterable[_Sample]) -> str:
    lines = [
        f"{name}{{{','.join(f'{label}={_label(value)}' for label, value in labels.items())}}} {value}\n"
        for labels, value in samples
    ]
    return f"# HELP {name} {text}\n# TYPE {name} gauge\n" + "".join(lines)


def _label(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return '"' + escaped.encode("utf-8", "replace").decode() + '"'
