# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report on drift: results of clusters in, drift.json and drift.html out.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import tempfile
import typing as t

from .._core.errors import InputError
from .._core.report import Report
from .document import drift_document, findings, lines
from .page import render

_SHOWN_OF_A_CLUSTER = ("name", "verdict", "complete", "counts")


def write_report(params: t.Mapping[str, t.Any], *, check_mode: bool) -> Report:
    """Carry the options of the module drift_report out."""
    contents = [(path, _read(path)) for path in _paths(params["files"])]
    if not contents and not params["clusters"]:
        given = ", ".join(params["files"]) or "an empty list"
        raise InputError(f"files: there is no report in {given}: name reports, or folders with files that end in .json")
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    document = drift_document(contents, expected=params["clusters"], generated_at=now.isoformat().replace("+00:00", "Z"))
    outputs = []
    if params["json_file"]:
        outputs.append((params["json_file"], json.dumps(document, indent=2, ensure_ascii=False) + "\n"))
    if params["html_file"]:
        outputs.append((params["html_file"], render(document, params["template"], params["title"], params["most_tags"])))
    if not check_mode:
        for path, text in outputs:
            _write(path, text)
    clusters = [
        {
            **{name: cluster[name] for name in _SHOWN_OF_A_CLUSTER},
            "findings": findings(cluster),
            "change_ids": [change["id"] for change in cluster["changes"] if change["outcome"] not in ("done", "not_needed")],
        }
        for cluster in document["clusters"]
    ]
    return Report(changed=bool(outputs), results={"summary": document["summary"], "lines": lines(document), "clusters": clusters})


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
    """Write a file as a whole or not at all, so that nobody reads half a report."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, scratch = tempfile.mkstemp(dir=folder, prefix=".drift-")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(scratch, 0o644)
            os.replace(scratch, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scratch)
            raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
