# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the cost of a run grows: instructions for each tag, with 100, 1,000 and 10,000 tags."""

from __future__ import annotations

import sys
from itertools import pairwise

from .figures import Figure
from .growing import TAGS_OF_A_STREAM
from .processes import instructions
from .scene import Scene

_SIZES = (100, 1_000, 10_000)
_KINDS = {"idle": "nothing to do", "new": "all new"}


def run(_scene: Scene) -> list[Figure]:
    """Return the figures."""
    figures = []
    for kind, words in _KINDS.items():
        # The program itself, and what is imported only if there is something to do.
        least = _count(kind, TAGS_OF_A_STREAM)
        each = {size: (_count(kind, size) - least) / (size - TAGS_OF_A_STREAM) / 1000 for size in _SIZES}
        details = {f"{size} tags": round(cost, 1) for size, cost in each.items()}
        figures += [
            Figure(
                "growth",
                f"thousand instructions a tag, {words}",
                f"{size:,} tags, {each[size]:.0f}",
                f"{smaller:,} tags, {each[smaller]:.0f}",
                "≤",
                1.2,
                each[size] / each[smaller],
                details,
            )
            for smaller, size in pairwise(_SIZES)
        ]
    return figures


def _count(kind: str, tags: int) -> int:
    counted = instructions([sys.executable, "-m", "bench.growing", kind, str(tags)])
    # To make the cluster that a run finds is not part of the run.
    return counted - _count("none", tags) if kind == "idle" else counted
