# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person cares about in a stream and in a tag. Two that look the same here are the same to every report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.diff import View, only_different, shown_value, value_lines
from .images import EXTERNAL, ImportFailure
from .observed import ObservedStream, ObservedTag

# hexadecimal digits of a digest that a person compares
_SHOWN_DIGITS = 8
_DIGESTS = ("sha256", "sha384", "sha512")


def stream_view(stream: ObservedStream) -> dict[str, t.Any] | None:
    """Return what a person cares about in a stream besides its tags."""
    return {"lookup_policy_local": stream.lookup_policy_local} if stream.exists else None


def view(tag: ObservedTag | None) -> dict[str, t.Any] | None:
    """Return what a person cares about in a tag; two tags with equal views are the same to the report."""
    if tag is None:
        return None
    source = (
        tag.source if tag.kind == EXTERNAL else f"{tag.kind} {tag.source_namespace}/{tag.source}".replace(" /", " ")
    )
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
        shown["import_failure"] = tag.failure.text
    if tag.pending:
        shown["import_pending"] = True
    return shown


def differ(old: ObservedTag | None, new: ObservedTag | None) -> bool:
    """Return whether the report calls a tag changed.

    Most tags of most runs are the very same, which needs no comparison.
    """
    return old is not new and view(old) != view(new)


def comes_with_its_tags(before: t.Any, after: t.Any, tags: t.Sized) -> bool:
    """Return whether a stream is new and has nothing to be shown but its tags: their changes are the whole change."""
    return before is None and after == {"lookup_policy_local": False} and len(tags) > 0


def stream_lines(before: View, after: View) -> tuple[list[str], list[str]]:
    """Return the lines of a stream in a diff, and of its tags.

    A tag that comes or goes has one line, and so has each value that changes.
    """
    sides = ({**(before or {})}, {**(after or {})})
    tags = [side.pop("tags", {}) for side in sides]
    old, new = value_lines(*sides)
    if tags[1] and before is None:
        # a new stream is there because of its tags
        new = [line for line in new if line != "lookup_policy_local: no"]
    if tags[0] and after is None:
        old = [line for line in old if line != "lookup_policy_local: no"]
    for name in sorted({*tags[0], *tags[1]}):
        one, other = tag_lines(name, tags[0].get(name), tags[1].get(name))
        old, new = old + one, new + other
    return old, new


def tag_lines(name: str, before: View, after: View) -> tuple[list[str], list[str]]:
    """Return the lines of one tag; ``before`` and ``after`` are its views."""
    if before is None or after is None:
        return tuple([f"{name}: {_tag_in_one_line(side)}"] if side else [] for side in (before, after))  # type: ignore[return-value]
    one, other = (
        [
            f"{name}: {field}: {shown_value(short_digest(value))}"
            for field, value in side.items()
            if value not in (None, "")
        ]
        for side in (before, after)
    )
    return only_different(one, other)


def _tag_in_one_line(tag: t.Mapping[str, t.Any]) -> str:
    source, digest = tag["from"], tag["image"]
    words = [source if not digest or "@" in source else f"{source}@{short_digest(digest)}"]
    words += [tag[field] for field in ("import_mode", "reference_policy") if tag.get(field)]
    words += [field for field in ("scheduled", "insecure", "reference") if tag.get(field)]
    platform = "/".join(tag[field] for field in ("prefer_os", "prefer_architecture") if tag.get(field))
    if platform:
        words.append(f"prefers {platform}")
    if tag.get("import_failure"):
        words.append(f"(import failed: {tag['import_failure']})")
    return shown_value(" ".join(words))


def short_digest(value: t.Any) -> t.Any:
    """Return a digest shortened to what a person compares; anything else as it is."""
    algorithm, colon, digits = value.partition(":") if isinstance(value, str) else ("", "", "")
    return f"{algorithm}:{digits[:_SHOWN_DIGITS]}" if colon and algorithm in _DIGESTS and len(digits) >= 64 else value


def failed_tag_text(where: str, tag: t.Mapping[str, t.Any]) -> str:
    """Return three lines on an entry of ``failed_tags``: the tag and its source, the server's words, and what to do."""
    lines = [f"{where}:{tag['tag']} from {tag['from']}", ImportFailure(tag["reason"], tag["message"]).text]
    return "\n    ".join([*lines, f"-> {tag['remedy']}"] if tag["remedy"] else lines)
