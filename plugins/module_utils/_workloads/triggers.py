# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image triggers as the cluster has them: one LIST for each kind, of all namespaces where the caller may, else of some.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from typing import NamedTuple

from .._cluster.facts import ReadingClient
from .._cluster.paths import api_path
from .._core.concurrency import each_with_outcome
from .._core.errors import (
    ApiNotServed,
    ApiUnreachable,
    CollectionError,
    Forbidden,
    Unauthorized,
)
from .._core.report import ReadFailure
from .image_triggers import (
    TRIGGERED_KINDS,
    ImageTrigger,
    StreamTag,
    image_triggers,
)
from .kinds import WorkloadKind

EVERYWHERE = "*"

_PAGE = {"limit": "500"}


class ObservedTriggers:
    """``by_tag``: who acts when the tag gets another image. ``namespaces``: where was looked, ``*`` for all of a kind."""

    def __init__(self) -> None:
        self.by_tag: dict[StreamTag, list[ImageTrigger]] = {}
        self.namespaces: tuple[str, ...] = (EVERYWHERE,)
        self.not_served: list[str] = []
        self.failures: list[ReadFailure] = []


class _List(NamedTuple):
    kind: WorkloadKind
    namespace: str


class _Answer(NamedTuple):
    asked: _List
    triggers: tuple[ImageTrigger, ...] = ()
    error: CollectionError | None = None


def observe_triggers(client: ReadingClient, namespaces: tuple[str, ...] | None, fallback: t.Sequence[str], width: int) -> ObservedTriggers:
    """Read the image triggers of the namespaces with at most ``width`` requests at once.

    None is all namespaces; a kind that the caller may not list over all of them is read in those of ``fallback``, since any
    namespace can watch a stream of another one. What cannot be read is in ``failures`` and does not hide the rest. Raises
    ApiUnreachable and Unauthorized.
    """
    observed = ObservedTriggers()
    first = [_List(kind, namespace) for kind in TRIGGERED_KINDS for namespace in namespaces or (EVERYWHERE,)]
    answers = _read(client, first, width)
    refused = [answer.asked.kind for answer in answers if answer.asked.namespace == EVERYWHERE and isinstance(answer.error, Forbidden)]
    if refused:
        answers = [answer for answer in answers if answer.asked.kind not in refused]
        answers += _read(client, [_List(kind, namespace) for kind in refused for namespace in fallback], width)
        observed.namespaces = tuple(fallback)
    elif namespaces is not None:
        observed.namespaces = namespaces
    for answer in answers:
        _take(observed, answer)
    return observed


def _take(observed: ObservedTriggers, answer: _Answer) -> None:
    error, plural = answer.error, answer.asked.kind.plural
    if isinstance(error, (ApiUnreachable, Unauthorized)):
        raise error
    if isinstance(error, ApiNotServed):
        if plural not in observed.not_served:
            observed.not_served.append(plural)
    elif error is not None:
        observed.failures.append(ReadFailure(answer.asked.namespace, plural, error))
    for trigger in answer.triggers:
        observed.by_tag.setdefault(trigger.watches, []).append(trigger)


def _read(client: ReadingClient, lists: t.Sequence[_List], width: int) -> list[_Answer]:
    def one(asked: _List) -> _Answer:
        path = api_path(asked.kind.group_version, None if asked.namespace == EVERYWHERE else asked.namespace, asked.kind.plural)
        try:
            items = client.list_items(path, query=_PAGE)
        except CollectionError as error:
            return _Answer(asked, error=error)
        return _Answer(asked, tuple(trigger for item in items for trigger in image_triggers(asked.kind, item)))

    return each_with_outcome(lists, one, lambda asked, error: _Answer(asked, error=error), width=width)
