# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures by cause: a right that is missing, or a registry that is down, fails many objects and is one thing to mend.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .words import where

# The API server's words for a right that is missing.
_RIGHT = re.compile(
    r'User "(?P<user>[^"]+)" cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)" in API group "[^"]*"(?: in the '
    r'namespace "(?P<namespace>[^"]+)")?'
)

_Entry = t.Mapping[str, t.Any]


def causes(failed: t.Iterable[tuple[_Entry, _Entry]]) -> list[dict[str, t.Any]]:
    """Group failures, pairs of a cluster and an entry: what differs in the names of the objects only has one cause.

    Those with the most objects come first.
    """
    groups: dict[tuple[str, ...], list[tuple[_Entry, _Entry]]] = {}
    for cluster, entry in failed:
        groups.setdefault(_cause(cluster, entry), []).append((cluster, entry))
    found = [_group(members) for members in groups.values()]
    return sorted(found, key=lambda group: (-len(group["objects"]), group["reason"], group["message"]))


def _cause(cluster: _Entry, entry: _Entry) -> tuple[str, ...]:
    right = _RIGHT.search(entry["message"])
    if right:
        return ("right", right["user"], right["verb"])
    names = sorted({cluster["name"], cluster["host"] or "", *_own_names(entry)} - {""}, key=len, reverse=True)
    pattern = "|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names)
    texts = (entry["message"], entry.get("remedy") or "")
    return (
        entry["reason"] or "",
        *(re.sub(pattern, "\N{HORIZONTAL ELLIPSIS}", text) if pattern else text for text in texts),
    )


def _own_names(entry: _Entry) -> t.Iterator[str]:
    for key in ("namespace", "name", "tag", "from"):
        yield entry.get(key) or ""


def _group(members: t.Sequence[tuple[_Entry, _Entry]]) -> dict[str, t.Any]:
    _cluster, first = members[0]
    remedy = first.get("remedy") or ""
    message = first["message"]
    right = _RIGHT.search(message)
    if right and len(members) > 1:
        matches = [match for match in (_RIGHT.search(entry["message"]) for _one, entry in members) if match]
        resources = sorted({match["resource"] for match in matches})
        namespaces = sorted({match["namespace"] for match in matches if match["namespace"]})
        message = f"the user {right['user']} may not {right['verb']} {', '.join(resources)}" + (
            f" in {', '.join(namespaces)}" if namespaces else ""
        )
    return {
        "reason": first["reason"] or ("Forbidden" if right else ""),
        "message": message,
        "remedy": remedy,
        # What is only not known yet is not told as a failure.
        "failed": any("remedy" in entry for _one, entry in members),
        "objects": [
            {"kind": entry["kind"], "where": where(entry), "from": entry.get("from"), "cluster": cluster["name"]}
            for cluster, entry in members
        ],
        "clusters": list(dict.fromkeys(cluster["name"] for cluster, _entry in members)),
    }
