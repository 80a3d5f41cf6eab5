# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on several items at once: in order, bounded, and without threads where these gain nothing."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.concurrent_map import concurrent_map


@pytest.mark.parametrize(("items", "width"), [([], 4), ([1], 4), ([1, 2, 3], 1)])
def test_one_at_a_time_is_the_callers_own_work(items: list[int], width: int) -> None:
    done = concurrent_map(lambda item: (item, threading.get_ident()), items, width)
    assert done == [(item, threading.get_ident()) for item in items]


def test_outcomes_are_in_order_and_the_width_is_kept_and_used() -> None:
    lock, both = threading.Lock(), threading.Barrier(2, timeout=30)
    under_way, most = set(), 0

    def work(item: int) -> int:
        nonlocal most
        with lock:
            under_way.add(item)
            most = max(most, len(under_way))
        # fails unless two are here at once
        both.wait()
        with lock:
            under_way.discard(item)
        return -item

    assert concurrent_map(work, range(8), 2) == [-item for item in range(8)]
    assert most == 2


def test_the_first_error_in_order_is_raised_when_all_that_began_has_ended() -> None:
    ended = []

    def work(item: int) -> None:
        time.sleep(0.05 * (3 - item))
        ended.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        concurrent_map(work, range(3), 3)
    assert sorted(ended) == [0, 1, 2]
