# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order the tags of a repository are imported: the first ones count, beyond the limit they are only named."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?"
    r"(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?"
)
_MINOR = re.compile(r"(\d+\.\d+)(?:-(\w+))?")
_LATEST, _MINOR_VERSION, _FULL_VERSION, _OTHER = range(4)


@dataclass(frozen=True)
class _Ranked:
    tag: str
    rank: int
    numbers: tuple[int, ...] = ()
    prerelease: str | None = None
    prefix: str = ""


def by_priority(tags: Iterable[str]) -> list[str]:
    """``latest``, then minor versions (5.1, v5.1-rc1) from new to old, then full versions, then the rest by name."""
    ranked = [_rank(tag) for tag in sorted({tag or "latest" for tag in tags})]
    return [entry.tag for entry in sorted(ranked, key=functools.cmp_to_key(_compare))]


def _rank(tag: str) -> _Ranked:
    if tag == "latest":
        return _Ranked(tag, _LATEST)
    prefix, text = ("v", tag[1:]) if tag.startswith("v") else ("", tag)
    rank, found = _FULL_VERSION, _VERSION.fullmatch(text)
    if found is None and (minor := _MINOR.fullmatch(text)):
        completed = f"{minor[1]}.0" + (f"-{minor[2]}" if minor[2] else "")
        rank, found = _MINOR_VERSION, _VERSION.fullmatch(completed)
    if found is None:
        return _Ranked(tag, _OTHER)
    return _Ranked(tag, rank, tuple(int(number) for number in found.groups()[:3]), found[4], prefix)


def _compare(left: _Ranked, right: _Ranked) -> int:
    if left.rank != right.rank:
        return left.rank - right.rank
    if left.rank == _OTHER:
        return -1 if left.tag < right.tag else 1
    newer = _compare_versions(right, left)
    return newer or (-1 if left.prefix < right.prefix else 1)


def _compare_versions(one: _Ranked, other: _Ranked) -> int:
    if one.numbers != other.numbers:
        return -1 if one.numbers < other.numbers else 1
    if one.prerelease == other.prerelease:
        return 0
    if one.prerelease is None or other.prerelease is None:
        return 1 if one.prerelease is None else -1
    mine, theirs = (_identifiers(text) for text in (one.prerelease, other.prerelease))
    return -1 if mine < theirs else 1


def _identifiers(prerelease: str) -> list[tuple[int, int, str]]:
    """Numbers sort before words, as semantic versioning says."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in prerelease.split(".")]
