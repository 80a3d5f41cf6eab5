# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a migration to manifest lists, read back by the rules of options: whoever wrote into it decides
nothing else.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import excerpt
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams

_STREAM = {"namespace", "name", "tags"}
_TAG = {"name", "from", "import_mode", "prefer_architecture", "prefer_os"}
_SHOWN = 120


class MigrationRecord(t.NamedTuple):
    """The streams of the record; ``problem`` says why they cannot be used, "" if they can."""

    streams: list[dict[str, t.Any]]
    problem: str = ""


def migration_record(text: str, path: str, cluster: str) -> MigrationRecord:
    """Read the text of a record; empty text is a record that was not begun."""
    if not text.strip():
        return MigrationRecord([])
    shown = excerpt(path, 4 * _SHOWN)
    try:
        content = json.loads(text)
        streams = [_stream(entry) for entry in content["streams"]]
        of = content["cluster"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return MigrationRecord([], f"{shown} is not the record of a migration")
    except InputError as error:
        return MigrationRecord([], f"{shown} is not the record of a migration: {error.message}")
    if of != cluster:
        return MigrationRecord([], f"{shown} is the record of {excerpt(str(of), _SHOWN)}, not of {cluster}")
    return MigrationRecord(streams)


def _stream(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the entry if the options of image_stream_import take it.

    No name and no value of it can be a template then.
    """
    if set(entry) != _STREAM or not all(set(tag) <= _TAG for tag in entry["tags"]):
        raise ValueError("something else is in it")
    texts = [entry["namespace"], entry["name"], *(value for tag in entry["tags"] for value in tag.values())]
    if not all(isinstance(value, str) for value in texts):
        raise TypeError("something in it is no text")
    desired_streams({"streams": [entry]})
    return entry
