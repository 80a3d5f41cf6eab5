# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stream of the cluster as the input of image_stream_import that would make it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._core.errors import InputError
from .desired import desired_streams
from .images import EXTERNAL
from .observed import ObservedStream, ObservedTag


class LeftOut(NamedTuple):
    """A tag that the input of image_stream_import cannot carry, and why.

    ``odd`` tags track an external image, but one of their values is refused by the options of the module.
    """

    tag: str
    reason: str
    odd: bool = False


class Adoption(NamedTuple):
    """A stream as the input of image_stream_import, and the tags that this input cannot carry.

    ``refused`` says why the stream cannot be declared at all, "" when it can.
    """

    variables: dict[str, t.Any]
    left_out: tuple[LeftOut, ...]
    refused: str = ""


def adopt(stream: ObservedStream) -> Adoption:
    """Return the stream as an entry of ``streams`` of image_stream_import.

    Importing it back changes nothing: it holds what tracks an external image, with every policy as it is. What the
    module's options would refuse is left out a tag at a time, so that one odd tag does not make the rest unusable.
    """
    variables: dict[str, t.Any] = {
        "namespace": stream.namespace,
        "name": stream.name,
        "lookup_policy_local": stream.lookup_policy_local,
    }
    refused = _refusal(variables)
    tags, left_out = [], []
    for tag in stream.tags.values():
        entry = _entry(tag)
        reason = _why_left_out(tag)
        odd = "" if reason else refused or _refusal({**variables, "tags": [entry]})
        if reason or odd:
            left_out.append(LeftOut(tag.name, reason or odd, odd=bool(odd)))
        else:
            tags.append(entry)
    if tags:
        variables["tags"] = tags
    return Adoption(variables, tuple(left_out), refused)


def _entry(tag: ObservedTag) -> dict[str, t.Any]:
    policies = {"import_mode": tag.import_mode, "reference_policy": tag.reference_policy}
    preferences = {"prefer_architecture": tag.prefer_architecture, "prefer_os": tag.prefer_os}
    return {
        "name": tag.name,
        "from": tag.source,
        **{option: value for option, value in policies.items() if value},
        "scheduled": tag.scheduled,
        "insecure": tag.insecure,
        **{option: value for option, value in preferences.items() if value},
    }


def _why_left_out(tag: ObservedTag) -> str:
    if tag.kind != EXTERNAL:
        return f"it follows the {tag.kind} {tag.source}" if tag.kind else "it has no source: images are pushed to it"
    return "it is a reference, which is not imported" if tag.reference else ""


def _refusal(entry: t.Mapping[str, t.Any]) -> str:
    """Return why image_stream_import refuses the entry, "" when it takes it."""
    try:
        desired_streams({"streams": [entry]})
    except InputError as error:
        # The caller names the stream and the tag.
        where = f"stream {entry['namespace']}/{entry['name']}"
        tag = ", tag {name}".format(**entry["tags"][0]) if entry.get("tags") else ""
        return error.message.removeprefix(f"{where}{tag}: ").removeprefix(f"{where}: ")
    return ""
