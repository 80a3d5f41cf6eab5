# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report on drift: results of clusters in, drift.json, drift.html and what machines read out.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import stat
import tempfile
import typing as t

from .._core.errors import InputError
from .._core.report import Report, without_dot
from .document import SETTLED, drift_document
from .machines import junit, metrics
from .page import Asked, render
from .words import FINDINGS, correction_command, findings, lines

_SHOWN_OF_A_CLUSTER = ("name", "verdict", "complete", "counts", "states")
_PURPOSES = {
    "html_file": "for people",
    "json_file": "for programs",
    "junit_file": "JUnit",
    "metrics_file": "Prometheus",
}


def write_report(params: t.Mapping[str, t.Any], *, check_mode: bool) -> Report:
    """Carry the options of the module drift_report out."""
    contents = [(path, _read(path)) for path in _paths(params["files"])]
    if not contents and not params["clusters"]:
        given = ", ".join(params["files"]) or "an empty list"
        raise InputError(f"files: there is no report in {given}: name reports, or folders with files that end in .json")
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    document = drift_document(
        contents, expected=params["clusters"], generated_at=now.isoformat().replace("+00:00", "Z")
    )
    command = correction_command(document, params["json_file"])
    makers: dict[str, t.Callable[[], str]] = {
        "json_file": lambda: json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        "html_file": lambda: render(
            document, params["template"], params["title"], Asked(params["json_file"], params["most_tags"])
        ),
        "junit_file": lambda: junit(document),
        "metrics_file": lambda: metrics(document),
    }
    outputs = [(params[name], make()) for name, make in makers.items() if params[name]]
    if not check_mode:
        for path, text in outputs:
            _write(path, text)
    clusters = [
        {
            **{name: cluster[name] for name in _SHOWN_OF_A_CLUSTER},
            "findings": findings(cluster),
            "change_ids": [change["id"] for change in cluster["changes"] if change["outcome"] not in SETTLED],
        }
        for cluster in document["clusters"]
    ]
    files = {purpose: params[name] for name, purpose in _PURPOSES.items() if params[name]}
    results = {
        "summary": document["summary"],
        "lines": lines(document, files, command),
        "command": command,
        "clusters": clusters,
        "failing": _failing(clusters, params["fail_on"]),
        "stats": _stats(document["summary"], clusters),
    }
    return Report(changed=bool(outputs), results=results)


def _stats(summary: t.Mapping[str, t.Any], clusters: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return what the next job of a workflow gets.

    A job that corrects may do what this one has shown, and nothing else.
    """
    return {
        "drift_report_summary": summary,
        "drift_report_clusters_with_drift": [cluster["name"] for cluster in clusters if cluster["counts"]["left"]],
        "drift_report_clusters_failed": [cluster["name"] for cluster in clusters if cluster["counts"]["failures"]],
        "drift_report_approved": {cluster["name"]: cluster["change_ids"] for cluster in clusters},
    }


def _failing(clusters: t.Iterable[t.Mapping[str, t.Any]], fail_on: t.Collection[str]) -> dict[str, str]:
    """Return why the job fails for a cluster, by its name."""
    found = {
        cluster["name"]: [
            cluster["findings"][name] for name in FINDINGS if name in fail_on and cluster["findings"][name]
        ]
        for cluster in clusters
    }
    return {
        name: " ".join([*(f"{without_dot(one)}." for one in sentences[:-1]), sentences[-1]])
        for name, sentences in found.items()
        if sentences
    }


def _paths(given: t.Iterable[str]) -> t.Iterator[str]:
    for path in given:
        if os.path.isdir(path):
            yield from sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".json"))
        else:
            yield path


def _read(path: str) -> t.Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise InputError(f"files: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"files: {path} is not JSON: {error}") from error


def _write(path: str, text: str) -> None:
    """Write a file as a whole or not at all, so that nobody reads half a report.

    It keeps its former mode; a new one gets the umask's.
    """
    target = os.path.realpath(path)
    try:
        handle, scratch = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".drift-")
        try:
            with open(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            os.chmod(scratch, _mode(target))
            os.replace(scratch, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scratch)
            raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _mode(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        # The umask can only be read by setting it; nothing else runs in this process.
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
