# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on several items at once.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

Item = t.TypeVar("Item")
Outcome = t.TypeVar("Outcome")


def concurrent_map(work: t.Callable[[Item], Outcome], items: t.Collection[Item], width: int) -> list[Outcome]:
    """Return ``work`` of every item, in their order; at most ``width`` at once. What ``work`` raises first, in that order, is raised
    when everything that had begun has ended."""
    if len(items) < 2 or width < 2:
        # threads, and the library for them, cost more than they gain
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=min(width, len(items))) as pool:
        return list(pool.map(work, items))
