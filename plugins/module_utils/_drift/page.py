# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page drift.html: the document in a template that escapes every value, with its style and script inside.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The browser is told to run that script and to take that style only, by their hashes, and to fetch nothing: whatever a cluster
has put into a name or a message stays text.
"""

from __future__ import annotations

import base64
import hashlib
import os
import typing as t

from .._core.errors import InputError, MissingLibraryError
from .result import number

VERDICTS = {
    "in_sync": "as declared",
    "drift": "drift",
    "corrected": "corrected",
    "partly_corrected": "partly corrected",
    "failed": "failed",
}
OUTCOMES = {
    "open": "differs",
    "done": "corrected",
    "failed": "failed",
    "changed_meanwhile": "changed meanwhile",
    "not_approved": "not approved",
    "not_needed": "as declared",
}
_COMPARED = {"stream": "image stream", "secret": "pull secret", "link": "link"}
_AS_DECLARED = "as declared"
_SHORT_DIGEST = 19
_FAILURE = "import_failure"


def render(document: t.Mapping[str, t.Any], template: str, title: str, most_tags: int) -> str:
    """Return the page. ``template`` has a style and a script of the same name beside it, ending in .css and .js.

    Where there are more than ``most_tags`` tags, those that are as declared are counted, not listed.

    Raises MissingLibraryError without Jinja2, which every machine that runs Ansible has.
    """
    try:
        import jinja2
        from markupsafe import Markup
    except ImportError as error:
        raise MissingLibraryError("The page needs the Python library jinja2, which is not installed where the module runs") from error
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(number=_number, short=_short, shown=_shown)
    beginning = template[: -len(".html.j2")] if template.endswith(".html.j2") else os.path.splitext(template)[0]
    everything = sum(len(stream["tags"]) for cluster in document["clusters"] for stream in cluster["streams"]) <= most_tags
    style, script = _read(f"{beginning}.css"), _read(f"{beginning}.js")
    return environment.from_string(_read(template)).render(
        document=document,
        title=title,
        clusters=[cluster_view(cluster, everything) for cluster in document["clusters"]],
        compared=compared_words(document["summary"]["counts"]),
        # Columns that say something of at least one cluster.
        columns={
            "left": any(cluster["correction"] for cluster in document["clusters"]),
            "prune_risks": any(cluster["prune_risks"] for cluster in document["clusters"]),
        },
        verdicts=VERDICTS,
        outcomes=OUTCOMES,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def cluster_view(cluster: t.Mapping[str, t.Any], everything: bool) -> dict[str, t.Any]:
    """Return the cluster as the page shows it: each change as rows of before and after, each tag in one line, the matrix.

    Without ``everything`` the tags that are as declared are left out.
    """
    changes = [{**change, "where": _where(change), "rows": rows(change["before"], change["after"])} for change in cluster["changes"]]
    states = {(change["namespace"], change["name"], change["tag"]): OUTCOMES[change["outcome"]] for change in changes if change["kind"] == "tag"}
    tags = [
        {**tag, "stream": f"{stream['namespace']}/{stream['name']}", "state": _state(tag, states.get((stream["namespace"], stream["name"], tag["name"])))}
        for stream in cluster["streams"]
        for tag in stream["tags"]
    ]
    listed = tags if everything else [tag for tag in tags if tag["state"] != _AS_DECLARED]
    return {
        **cluster,
        "changes": changes,
        "failures": [{**failure, "where": _where(failure)} for failure in cluster["failures"]],
        "tags": listed,
        # What the run itself has left out, and what this page does.
        "tags_left_out": max(cluster["counts"]["tags"] - len(listed), 0),
        "compared": compared_words(cluster["counts"]),
        "matrix": matrix(listed),
        "objects": _objects(cluster, changes),
    }


def compared_words(counts: t.Mapping[str, int]) -> str:
    """Return what was compared in words, without what there is none of; empty for nothing."""
    found = [number(counts[f"{name}s"], noun) for name, noun in _COMPARED.items() if counts[f"{name}s"]]
    if counts["streams"]:
        found[0] += f" with {number(counts['tags'], 'tag')}"
    return " and ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)


def matrix(tags: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any] | None:
    """Return the platforms as columns and the tags as rows, each cell a word; None where no platform is known."""
    known = [tag for tag in tags if tag.get("platforms") and (tag["platforms"]["offered"] or tag["platforms"]["taken"])]
    names = sorted({name for tag in known for side in ("offered", "taken") for name in tag["platforms"][side] or ()})
    if not names:
        return None
    return {
        "platforms": names,
        "has_single": any(tag["platforms"]["single"] for tag in known),
        "rows": [
            {
                "stream": tag["stream"],
                "tag": tag["name"],
                "mode": "single image" if tag["platforms"]["single"] else tag["import_mode"] or "",
                "cells": [_cell(name, tag["platforms"]) for name in names],
            }
            for tag in known
        ],
    }


def _cell(name: str, platforms: t.Mapping[str, t.Any]) -> str:
    offered, taken = platforms["offered"], platforms["taken"]
    if taken is not None and name in taken:
        return "taken" if offered is None or name in offered else "kept"
    if offered is not None and name in offered:
        return "offered" if taken is not None else "unknown"
    return "none"


def rows(before: t.Any, after: t.Any) -> list[dict[str, t.Any]]:
    """Return what differs between both sides of a change line by line: name, before and after, and whether it is a failure."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    return [{"name": name, "before": old.get(name), "after": new.get(name), "fails": name == _FAILURE and name in new} for name in names]


def _flat(value: t.Any, name: str = "") -> t.Iterator[tuple[str, t.Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} {key}" if name else str(key))
    elif name:
        yield name, value


def _where(item: t.Mapping[str, t.Any]) -> str:
    if not item["namespace"]:
        return str(item["name"])
    return f"{item['namespace']}/{item['name']}{':' + item['tag'] if item['tag'] else ''}"


def _state(tag: t.Mapping[str, t.Any], outcome: str | None) -> str:
    if tag["error"] and outcome in (None, OUTCOMES["open"]):
        return OUTCOMES["failed"]
    return outcome or _AS_DECLARED


def _objects(cluster: t.Mapping[str, t.Any], changes: t.Sequence[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The secrets and links in one list."""
    known = {(change["kind"], change["where"]): change for change in changes}
    found = []
    for kind, items in (("secret", cluster["secrets"]), ("link", cluster["links"])):
        for item in items:
            where = f"{item['namespace']}/{item['name']}"
            change = known.get((kind, where)) if item["changed"] else None
            state = OUTCOMES["failed"] if item["error"] else OUTCOMES[change["outcome"]] if change else _AS_DECLARED
            reasons = change["reasons"] if change else item["reasons"]
            found.append({"kind": kind, "where": where, "holds": _holds(kind, item), "state": state, "reasons": reasons})
    return found


def _holds(kind: str, item: t.Mapping[str, t.Any]) -> str:
    if kind == "secret":
        return ", ".join(registry["registry"] for registry in item["registries"] if registry["state"] == "present")
    return "; ".join(f"{one['for']}: {', '.join(one['secrets']) or 'none'}" for one in item["lists"])


def _number(value: int) -> str:
    return f"{value:,}"


def _short(digest: str | None) -> str:
    return (digest or "")[:_SHORT_DIGEST]


def _shown(value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"template: {path} cannot be read: {error.strerror}") from error
