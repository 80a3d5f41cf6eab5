# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.concurrency import (
    concurrent_map,
    each_with_outcome,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiUnreachable,
    CollectionError,
    Forbidden,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import (
    failure_sentence,
    without_dot,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import status_error


@dataclass
class Outcome:
    item: int
    error: CollectionError | None = None


def test_outcomes_keep_the_order_of_the_items_and_overlap() -> None:
    meeting = threading.Barrier(4, timeout=10)

    def work(item: int) -> Outcome:
        meeting.wait()
        return Outcome(item)

    assert [outcome.item for outcome in each_with_outcome(range(4), work, Outcome, width=4)] == [0, 1, 2, 3]


def test_a_mistake_at_one_item_hides_no_other_result() -> None:
    def work(item: int) -> Outcome:
        return Outcome({0: 10, 2: 12}[item])

    first, second, third = each_with_outcome(range(3), work, Outcome)
    assert (first, third) == (Outcome(10), Outcome(12))
    assert re.fullmatch(
        r"Internal error of the module \(KeyError at test_concurrency\.py:\d+\), nothing more is known about what was "
        r"done to this one; please report it",
        str(second.error),
    )


@pytest.mark.parametrize(
    "error",
    [ApiUnreachable("The cluster is out of reach."), status_error(Unauthorized, 401, "Unauthorized", "who are you")],
)
def test_nothing_more_is_tried_once_the_cluster_is_out_of_reach(error: CollectionError) -> None:
    tried: list[int] = []

    def work(item: int) -> Outcome:
        tried.append(item)
        return Outcome(item, error)

    outcomes = each_with_outcome(range(20), work, Outcome, width=1)
    assert tried == [0]
    assert [str(outcome.error) for outcome in outcomes[1:]] == [f"not tried, because of this: {error}"] * 19


def test_other_errors_keep_nobody_else_from_being_tried() -> None:
    error = status_error(Forbidden, 403, "Forbidden", "no")
    outcomes = each_with_outcome(range(5), lambda item: Outcome(item, error if item == 1 else None), Outcome, width=1)
    assert [outcome.error for outcome in outcomes] == [None, error, None, None, None]


def test_the_sentence_of_the_only_item_is_its_error() -> None:
    assert failure_sentence("The work", [("shop", CollectionError("It broke."))], 1) == "It broke."
    assert failure_sentence("The work", [], 3) is None


def test_the_sentence_names_every_failed_item() -> None:
    failures = [(name, CollectionError(f"{name} broke.")) for name in "abcdefg"]
    assert (
        failure_sentence("The work", failures[:2], 3)
        == "The work failed for 2 of 3, the others were done: a: a broke; b: b broke."
    )
    assert failure_sentence("The work", failures[:2], 2) == "The work failed for all 2: a: a broke; b: b broke."
    assert failure_sentence("The work", failures, 9) == (
        "The work failed for 7 of 9, the others were done: a: a broke; b: b broke; c: c broke; d: d broke; e: e broke; "
        "and likewise f, g (their errors are in the result)."
    )


def test_a_sentence_inside_of_another() -> None:
    assert without_dot(CollectionError("It broke.")) == "It broke"


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
