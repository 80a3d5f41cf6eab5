# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.optimistic import (
    ATTEMPTS,
    RetryNeeded,
    StillConflicting,
    WriteTracker,
    retry_until_settled,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiError,
    ApiOutcomeUnknown,
    ApiUnreachable,
    CollectionError,
    Conflict,
    Forbidden,
    NotFound,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.stored_cluster import missing, status_error

SUBJECT = 'The secret "pull" in the namespace "shop"'


def failing(error: Exception) -> t.Callable[[], t.NoReturn]:
    def write() -> t.NoReturn:
        raise error

    return write


def test_it_begins_again_until_nobody_comes_between() -> None:
    waits: list[float] = []
    left = [3]

    def attempt() -> str:
        if left[0]:
            left[0] -= 1
            raise RetryNeeded
        return "done"

    assert retry_until_settled(attempt, SUBJECT, WriteTracker[str](), sleep=waits.append) == "done"
    assert len(waits) == 3
    assert all(0 < wait <= 1 for wait in waits)


def test_it_gives_up_with_a_sentence() -> None:
    waits: list[float] = []
    with pytest.raises(StillConflicting) as caught:
        retry_until_settled(failing(RetryNeeded()), SUBJECT, WriteTracker[str](), sleep=waits.append)
    assert str(caught.value) == (
        f'The secret "pull" in the namespace "shop" was changed by somebody else each of the {ATTEMPTS} times that it '
        "was about to be written; find out who keeps changing it, then run the task again"
    )
    assert len(waits) == ATTEMPTS - 1
    assert max(waits) <= 1


@pytest.mark.parametrize("error", [status_error(Conflict, 409, "Conflict", "modified"), missing("secrets", "pull")])
def test_a_write_is_overtaken_by_another_writer(error: Exception) -> None:
    writes: WriteTracker[str] = WriteTracker()
    with pytest.raises(RetryNeeded):
        writes.send(failing(error), "update")
    assert writes.last is None


@pytest.mark.parametrize("error", [status_error(Forbidden, 403, "Forbidden", "no"), missing("namespaces", "shop")])
def test_other_errors_stand(error: Exception) -> None:
    with pytest.raises((Forbidden, NotFound)) as caught:
        WriteTracker[str]().send(failing(error), "update")
    assert caught.value is error


UNHEARD = [
    ApiOutcomeUnknown("no answer"),
    *(status_error(ApiError, code, "", "etcd timed out") for code in (500, 502, 504)),
]


@pytest.mark.parametrize("error", UNHEARD, ids=str)
def test_a_write_without_an_answer_is_remembered_a_few_times(error: CollectionError) -> None:
    writes: WriteTracker[str] = WriteTracker(limit=2)
    for _turn in range(2):
        with pytest.raises(RetryNeeded) as caught:
            writes.send(failing(error), "update")
        assert (writes.last, caught.value.unanswered) == ("update", True)
    # both were looked at and not there: a third is not sent
    with pytest.raises(type(error)) as ended:
        writes.send(failing(AssertionError()), "update")
    assert ended.value is error


def test_a_server_in_trouble_is_given_time_and_the_error_of_the_write_stands() -> None:
    waits: list[float] = []
    writes: WriteTracker[str] = WriteTracker()
    unanswered, unread = ApiOutcomeUnknown("it may have been carried out"), ApiUnreachable("refused")
    left = [2]

    def attempt() -> str:
        if left[0]:
            left[0] -= 1
            writes.send(failing(unanswered), "update")
        raise unread

    with pytest.raises(ApiOutcomeUnknown) as caught:
        retry_until_settled(attempt, SUBJECT, writes, sleep=waits.append)
    assert caught.value is unanswered
    first, second = waits
    assert 0.1 <= first <= 0.5
    assert 0.2 <= second <= 1.0
