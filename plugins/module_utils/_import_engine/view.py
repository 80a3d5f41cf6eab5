# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person cares about in a stream and in a tag. Two that look the same here are the same to every report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .observed import EXTERNAL, ObservedStream, ObservedTag


def stream_view(stream: ObservedStream) -> dict[str, t.Any] | None:
    """Return what a person cares about in a stream besides its tags."""
    return {"lookup_policy_local": stream.lookup_policy_local} if stream.exists else None


def view(tag: ObservedTag | None) -> dict[str, t.Any] | None:
    """Return what a person cares about in a tag; two tags with equal views are the same to the report."""
    if tag is None:
        return None
    source = tag.source if tag.kind == EXTERNAL else f"{tag.kind} {tag.source_namespace}/{tag.source}".replace(" /", " ")
    shown: dict[str, t.Any] = {
        "from": source,
        "image": tag.digest,
        "reference_policy": tag.reference_policy,
        "scheduled": tag.scheduled,
        "insecure": tag.insecure,
    }
    if tag.import_mode:
        shown["import_mode"] = tag.import_mode
    if tag.reference:
        shown["reference"] = True
    if tag.prefer_architecture:
        shown["prefer_architecture"] = tag.prefer_architecture
    if tag.prefer_os:
        shown["prefer_os"] = tag.prefer_os
    if tag.failure:
        shown["import_failure"] = f"{tag.failure.reason}: {tag.failure.message}" if tag.failure.reason else tag.failure.message
    if tag.pending:
        shown["import_pending"] = True
    return shown


def differ(old: ObservedTag | None, new: ObservedTag | None) -> bool:
    """Whether the report calls a tag changed. Most tags of most runs are the very same, which needs no comparison."""
    return old is not new and view(old) != view(new)


def comes_with_its_tags(before: t.Any, after: t.Any, tags: t.Sized) -> bool:
    """Whether a stream is new and has nothing to be shown but its tags: their changes are the whole change."""
    return before is None and after == {"lookup_policy_local": False} and len(tags) > 0
