# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry plans for image streams out: write, read the answer, plan again, until nothing is left to do.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

One stream has one writer at a time, or the server answers 409; different streams are written side by side. The
stream in an import's answer is planned again in the same run, because a change may have left a tag's generation
ahead of its newest image (contract case generation_behind_settles): the next run, and the import controller, must
find nothing to do.
"""

from __future__ import annotations

import time
import typing as t

from .._cluster.client import ClusterClient
from .._cluster.optimistic import RetryNeeded, WriteTracker, retry_until_settled
from .._core.concurrency import concurrent_map
from .._core.errors import CollectionError, internal_error
from .._core.owners import judge
from .desired import DesiredStream
from .images import Image, Lookup, Outcome
from .observed import Key, ObservedStream
from .plan import PurgeRefused, image_of, plan_stream
from .plan_types import Knowledge, StreamPlan
from .result import StreamResult
from .stream_imports import look_up
from .writer import Halt, StreamWriter

# One round brings images, a second brings generations level; the others are for a writer who came between.
_MAX_ROUNDS = 4
# In a row, without any progress: each tag that was imported lets the count begin again.
_ATTEMPTS = 26
_MAX_UNANSWERED = 2


def apply_streams(
    client: ClusterClient,
    streams: t.Sequence[tuple[DesiredStream, ObservedStream]],
    looked_up: t.Mapping[Lookup, Outcome],
    *,
    concurrency: int,
    timeout: int,
    control_plane_architecture: str = "amd64",
) -> dict[Key, StreamResult]:
    """Converge each stream; ``timeout`` is the server's limit for one import request in seconds.

    Never raises ``CollectionError``: what happened to a stream is in its result, and does not hide the others'.
    """
    halt = Halt()

    def apply_one(pair: tuple[DesiredStream, ObservedStream]) -> StreamResult:
        try:
            return _StreamChange(client, *pair, looked_up, timeout, halt, control_plane_architecture).make()
        except Exception as exc:
            return StreamResult(*pair, pair[1], error=internal_error(exc))

    return {result.desired.key: result for result in concurrent_map(apply_one, streams, concurrency)}


class _StreamChange:
    """One stream on its way to what is declared."""

    def __init__(
        self,
        client: ClusterClient,
        desired: DesiredStream,
        observed: ObservedStream,
        looked_up: t.Mapping[Lookup, Outcome],
        timeout: int,
        halt: Halt,
        control_plane_architecture: str,
    ) -> None:
        self._client = client
        self._desired = desired
        self._timeout = timeout
        self._halt = halt
        self._result = StreamResult(desired, observed, observed)
        self._writer = StreamWriter(client, desired, observed, timeout)
        self._writes: WriteTracker[None] = WriteTracker(_MAX_UNANSWERED)
        self._looked_up = dict(looked_up)
        # What may be done is known by its image: it has to be looked up before, as in check mode.
        foresee = desired.approved is not None
        self._knowledge = Knowledge(
            self._looked_up, self._writer.outcomes, foresee, control_plane_architecture, observed, self._writer.written
        )
        self._begun = False
        self._rounds = 0

    def make(self) -> StreamResult:
        """Make the change; return what became of it."""
        result, writer = self._result, self._writer
        subject = f"The image stream {self._desired.namespace}/{self._desired.name}"
        try:
            retry_until_settled(self._attempt, subject, self._writes, sleep=time.sleep, attempts=_ATTEMPTS)
        except CollectionError as error:
            self._halt.notice(error)
            result.error = error
            if not isinstance(error, PurgeRefused):
                left = plan_stream(self._desired, writer.observed, self._knowledge)
                result.done = frozenset(tag.name for tag in left.tags if not tag.reasons)
        result.after = writer.observed
        result.outcomes.update(writer.outcomes)
        if result.error is None:
            self._describe_what_came()
        return result

    def _describe_what_came(self) -> None:
        """Look up the images that the cluster's import controller has brought before this run came to it.

        The stream tells no more than their digests.
        """
        result, came = self._result, {}
        for tag in self._desired.tags:
            before, after = result.before.tags.get(tag.name), result.after.tags.get(tag.name)
            if tag.name not in result.outcomes and after and after.digest != (before.digest if before else ""):
                came[tag.name] = image_of(self._desired, tag, after, after, self._knowledge)
        asked = [found for found in came.values() if isinstance(found, Lookup)]
        answers = look_up(self._client, asked, 1, self._timeout) if asked else {}
        for name, found in came.items():
            answer = answers.get(found) if isinstance(found, Lookup) else found
            # Another image that is served by now, or a refusal, says nothing of the one that is there.
            if isinstance(answer, Image) and answer.digest == result.after.tags[name].digest:
                result.outcomes[name] = answer

    def _attempt(self) -> None:
        """Write until nothing is left to do. Raises ``RetryNeeded`` if the stream has to be read again."""
        if self._begun:
            self._read_again()
        fresh = self._begun = True
        while True:
            plan = self._plan()
            if fresh:
                self._result.note(plan, self._writer.outcomes)
                fresh = False
            self._result.held_back.update(plan.held_back)
            if not plan.writes and self._writer.is_done:
                return
            if self._rounds == _MAX_ROUNDS:
                raise CollectionError(
                    f"somebody else keeps changing the stream: it still differs after {self._rounds} rounds of "
                    "corrections"
                )
            self._write(plan)
            self._rounds += 1

    def _read_again(self) -> None:
        try:
            self._writer.read_again()
        except CollectionError as error:
            self._halt.notice(error)
            raise

    def _plan(self) -> StreamPlan:
        """Plan by the last answer, finding out from the registries what that depends on."""
        while True:
            self._halt.check()
            plan = plan_stream(self._desired, self._writer.observed, self._knowledge).without(self._writer.refused)
            if not plan.lookups:
                self._respect_the_owner(plan)
                return plan
            for lookup, answer in look_up(self._client, plan.lookups, 1, self._timeout).items():
                if isinstance(answer, CollectionError):
                    raise answer
                self._looked_up[lookup] = answer

    def _respect_the_owner(self, plan: StreamPlan) -> None:
        """Raise if somebody else reconciles the stream, who may have come since it was first read."""
        subject = f'The image stream "{self._desired.namespace}/{self._desired.name}"'
        refusal, _warning = judge(subject, self._writer.observed.owner, self._desired.take_over)
        if refusal is not None and plan.changes_spec:
            raise refusal

    def _write(self, plan: StreamPlan) -> None:
        known = len(self._writer.outcomes)
        try:
            self._writes.send(lambda: self._writer.write(plan), None)
        except RetryNeeded:
            if len(self._writer.outcomes) > known:
                self._writes.note_progress()
            raise
