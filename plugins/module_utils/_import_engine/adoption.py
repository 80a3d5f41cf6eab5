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
from .._core.references import PullSpec, check_tag_name
from .images import EXTERNAL
from .observed import ObservedStream, ObservedTag


class Adoption(NamedTuple):
    """A stream as the input of image_stream_import, and the tags that this input cannot carry with the reason."""

    variables: dict[str, t.Any]
    left_out: tuple[tuple[str, str], ...]


def adopt(stream: ObservedStream) -> Adoption:
    """Return the stream as an entry of ``streams`` of image_stream_import.

    Importing it back changes nothing: it holds what tracks an external image, with every policy as it is.
    """
    tags, left_out = [], []
    for tag in stream.tags.values():
        reason = _why_left_out(tag)
        if reason:
            left_out.append((tag.name, reason))
            continue
        entry: dict[str, t.Any] = {"name": tag.name, "from": tag.source}
        if tag.import_mode:
            entry["import_mode"] = tag.import_mode
        if tag.reference_policy:
            entry["reference_policy"] = tag.reference_policy
        entry.update(scheduled=tag.scheduled, insecure=tag.insecure)
        if tag.prefer_architecture:
            entry["prefer_architecture"] = tag.prefer_architecture
        if tag.prefer_os:
            entry["prefer_os"] = tag.prefer_os
        tags.append(entry)
    variables: dict[str, t.Any] = {
        "namespace": stream.namespace,
        "name": stream.name,
        "lookup_policy_local": stream.lookup_policy_local,
    }
    if tags:
        variables["tags"] = tags
    return Adoption(variables, tuple(left_out))


def _why_left_out(tag: ObservedTag) -> str:
    if tag.kind != EXTERNAL:
        return f"it follows the {tag.kind} {tag.source}" if tag.kind else "it has no source: images are pushed to it"
    if tag.reference:
        return "it is a reference, which is not imported"
    try:
        check_tag_name(tag.name)
        PullSpec.parse(tag.source)
    except InputError as error:
        return error.message
    return ""
