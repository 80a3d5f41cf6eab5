# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry plans for image streams out: write, read the answer, plan again, until nothing is left to do.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

One stream has one writer at a time, or the server answers 409; different streams are written side by side. The stream in an
import's answer is planned again in the same run, because a change may have left a tag's generation ahead of its newest image
(contract case generation_behind_settles): the next run, and the import controller, shall find nothing to do.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
import typing as t

from .._cluster.client import (
    STRATEGIC_MERGE,
    ClusterClient,
    image_path,
)
from .._core.concurrency import concurrent_map
from .._core.errors import (
    ApiError,
    ApiUnreachable,
    CollectionError,
    Conflict,
    Invalid,
    NotFound,
    Unauthorized,
    may_have_been_done,
)
from .desired import DesiredStream
from .images import Image, ImportItem, Lookup, Outcome
from .lookup import look_up
from .observed import (
    ImportFailure,
    Key,
    ObservedStream,
    parse_stream,
    read_stream,
)
from .plan import (
    Knowledge,
    StreamPlan,
    TagPlan,
    plan_stream,
)
from .result import StreamResult
from .stream_imports import chunks, send_images

# One round brings images, a second brings generations level; the third is for a writer who came between.
_MAX_ROUNDS = 4
# Both without any progress: each tag that was imported lets the count begin again.
_MAX_CONFLICTS = 25
_MAX_UNKNOWN_OUTCOMES = 1
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
# 504: the time of a request was over before its work was done
_GATEWAY_TIMEOUT = 504
_MAX_LATE = 3
_RECOVERY = 2.0
_MAX_RECOVERIES = 3


class _Halt:
    """The first error that makes further requests pointless: the API server gone, or the token no longer accepted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.error: CollectionError | None = None

    def notice(self, error: CollectionError) -> None:
        """Keep ``error`` if it is such a one."""
        if isinstance(error, (ApiUnreachable, Unauthorized)):
            with self._lock:
                self.error = self.error or error


def apply_streams(
    client: ClusterClient,
    streams: t.Sequence[tuple[DesiredStream, ObservedStream]],
    looked_up: t.Mapping[Lookup, Outcome],
    *,
    concurrency: int,
    timeout: int,
    control_plane_architecture: str = "amd64",
) -> dict[Key, StreamResult]:
    """Make each stream as declared; ``timeout`` is the server's limit for one import request in seconds.

    Never raises ``CollectionError``: what happened to a stream is in its result, and does not hide the others'.
    """
    halt = _Halt()

    def apply_one(pair: tuple[DesiredStream, ObservedStream]) -> StreamResult:
        try:
            return _apply_stream(client, pair[0], pair[1], looked_up, timeout, halt, control_plane_architecture)
        except Exception as exc:
            from .._core.errors import internal_error

            return StreamResult(*pair, pair[1], error=internal_error(exc))

    return {result.desired.key: result for result in concurrent_map(apply_one, streams, concurrency)}


def _apply_stream(
    client: ClusterClient,
    desired: DesiredStream,
    observed: ObservedStream,
    looked_up: t.Mapping[Lookup, Outcome],
    timeout: int,
    halt: _Halt,
    control_plane_architecture: str,
) -> StreamResult:
    result = StreamResult(desired, observed, observed)
    writer = _StreamWriter(client, desired, observed, timeout)
    known = dict(looked_up)
    # What may be done is known by its image: it has to be looked up before, as in check mode.
    knowledge = Knowledge(known, writer.outcomes, desired.approved is not None, control_plane_architecture, observed)
    rounds = conflicts = unknown = progress = 0
    fresh = True
    given_up: list[CollectionError] = []
    try:
        while True:
            if halt.error:
                raise CollectionError(f"not attempted any more, because of: {halt.error}")
            plan = writer.without_refused(plan_stream(desired, writer.observed, knowledge))
            if plan.lookups:
                for lookup, answer in look_up(client, plan.lookups, 1, timeout).items():
                    if isinstance(answer, CollectionError):
                        raise answer
                    known[lookup] = answer
                continue
            if fresh:
                # Reasons are those for which a state found on the cluster was changed, not those of settling our own writes.
                result.note(plan, writer.outcomes)
                fresh = False
            result.held_back.update(plan.held_back)
            if not plan.writes:
                break
            if given_up:
                raise given_up[0]
            if rounds == _MAX_ROUNDS:
                raise CollectionError(f"somebody else keeps changing the stream: it still differs after {rounds} rounds of corrections")
            rounds += 1
            try:
                writer.write(plan)
            except CollectionError as error:
                unheard = may_have_been_done(error)
                if _namespace_missing(error) or not (unheard or isinstance(error, (Conflict, NotFound))):
                    raise
                if len(writer.outcomes) > progress:
                    progress, conflicts, unknown = len(writer.outcomes), 0, 0
                conflicts += 1
                unknown += unheard
                rounds -= 1
                time.sleep(random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(conflicts, 6))))
                writer.read_again(halt, error)
                fresh = True
                if conflicts > _MAX_CONFLICTS or unknown > _MAX_UNKNOWN_OUTCOMES:
                    given_up.append(error)
    except CollectionError as error:
        halt.notice(error)
        result.error = error
        left = plan_stream(desired, writer.observed, knowledge)
        result.done = frozenset(tag.name for tag in left.tags if not tag.reasons)
    result.after = writer.observed
    result.outcomes.update(writer.outcomes)
    return result


def _namespace_missing(error: CollectionError) -> bool:
    return isinstance(error, ApiError) and error.details.get("kind") == "namespaces"


class _StreamWriter:
    """The one writer of a stream; ``observed`` is the stream as the server's last answer showed it."""

    def __init__(self, client: ClusterClient, desired: DesiredStream, observed: ObservedStream, timeout: int) -> None:
        self._client = client
        self._path = image_path(desired.namespace, "imagestreams", desired.name)
        self._namespace = desired.namespace
        self._name = desired.name
        self._timeout = timeout
        self._observed = observed
        self._unread: t.Mapping[str, t.Any] | None = None
        self.outcomes: dict[str, Outcome] = {}
        self._refused: set[str] = set()
        self._recoveries = _MAX_RECOVERIES
        # after a request that took too long, so that one slow registry does not cost the images beside it
        self._one_by_one = False
        self._late: dict[str, ApiError] = {}
        self._late_in_a_row = 0

    @property
    def observed(self) -> ObservedStream:
        """The stream as the server's last answer showed it. Taken apart only when it is asked for: a stream of many new tags
        comes back whole with every three of them."""
        if self._unread is not None:
            self.observed = parse_stream(self._namespace, self._unread)
        return self._observed

    @observed.setter
    def observed(self, stream: ObservedStream) -> None:
        self._observed, self._unread = stream, None

    @property
    def _version(self) -> str:
        if self._unread is None:
            return self._observed.resource_version
        return (self._unread.get("metadata") or {}).get("resourceVersion") or ""

    def write(self, plan: StreamPlan) -> None:
        """Carry ``plan`` out once. Raises ``Conflict`` and its like with ``observed`` possibly out of date."""
        if plan.delete:
            self._client.delete(self._path)
            self.observed = ObservedStream(self._namespace, self._name)
            return
        self._write_stream(plan)
        self._late.clear()
        self._late_in_a_row = 0
        items = self.without_refused(plan).items
        for chunk in chunks(items) if not self._one_by_one else [[item] for item in items]:
            self._import(chunk)
            if self._late_in_a_row == min(_MAX_LATE, len(items)):
                # not one slow registry: all of them, or the API server itself
                raise self._late.popitem()[1]
        for name, error in self._late.items():
            self.outcomes[name] = ImportFailure(error.reason, error.server_message)
        for tag in plan.removals:
            self._remove(tag)

    def read_again(self, halt: _Halt, error: CollectionError) -> None:
        """Find out what became of the stream after ``error`` of a write. Where that is impossible too, an error that leaves the
        outcome of the write open is the one that counts."""
        try:
            self.observed = read_stream(self._client, self._namespace, self._name)
        except CollectionError as unread:
            halt.notice(unread)
            raise (error if may_have_been_done(error) else unread) from unread

    def without_refused(self, plan: StreamPlan) -> StreamPlan:
        """Take out of ``plan`` what is about tags that the server has refused in this run."""
        for tag in plan.tags if self._refused else ():
            if tag.name in self._refused:
                tag.patch = tag.item = None
                plan.create = plan.create and (bool(plan.patches) or plan.lookup_policy_local is not None)
        return plan

    def _write_stream(self, plan: StreamPlan) -> None:
        patches, local = plan.patches, plan.lookup_policy_local
        try:
            self._write_spec(plan.create, local, patches)
        except Invalid as error:
            # One tag makes the server refuse the others with it, as in an import: of a registry that is not allowed, or one too many.
            if not patches:
                raise
            alone = len(patches) == 1 and local is None
            if local is not None:
                self._write_spec(plan.create, local, [])
            for tag in plan.tags:
                refusal = (error if alone else self._refusal(plan.create, tag.patch)) if tag.patch else None
                if refusal:
                    self._refuse(tag, refusal)

    def _refusal(self, create: bool, patch: dict[str, t.Any]) -> Invalid | None:
        """Write one tag's patch; returns why the server refuses it, None where it does not."""
        try:
            self._write_spec(create, None, [patch])
        except Invalid as error:
            return error
        return None

    def _write_spec(self, create: bool, local: bool | None, patches: list[dict[str, t.Any]]) -> None:
        spec: dict[str, t.Any] = {}
        if local is not None:
            spec["lookupPolicy"] = {"local": local}
        if patches:
            spec["tags"] = patches
        if create and not self.observed.exists:
            body = {
                "apiVersion": "image.openshift.io/v1",
                "kind": "ImageStream",
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": spec,
            }
            created = self._client.create(image_path(self._namespace, "imagestreams"), body)
            self.observed = parse_stream(self._namespace, created)
        elif spec and self.observed.exists:
            body = {"metadata": {"resourceVersion": self.observed.resource_version}, "spec": spec}
            self.observed = parse_stream(self._namespace, self._client.patch(self._path, body, STRATEGIC_MERGE))

    def _refuse(self, tag: TagPlan, refusal: Invalid) -> None:
        """Note that the server refused ``tag``: in the words of the lookup that check mode makes, where that is refused too."""
        outcome: Outcome | CollectionError = ImportFailure(refusal.reason, refusal.server_message)
        if tag.item:
            asked = Lookup(self._namespace, tag.item.source, tag.item.import_mode, tag.item.insecure)
            answer = look_up(self._client, [asked], 1, self._timeout)[asked]
            if not isinstance(answer, Image):
                outcome = answer
        if isinstance(outcome, CollectionError):
            raise outcome
        self._refused.add(tag.name)
        self.outcomes[tag.name] = outcome

    def _import(self, items: t.Sequence[ImportItem]) -> None:
        failed: dict[str, ImportFailure] = {}
        try:
            outcomes = self._send(items)
        except ApiError as error:
            if error.status == _GATEWAY_TIMEOUT and self._one_by_one:
                self._late[items[0].to] = error
                self._late_in_a_row += 1
                return
            self._one_by_one = self._one_by_one or error.status == _GATEWAY_TIMEOUT
            if not isinstance(error, Invalid) or len(items) == 1:
                raise
            # One image makes the server refuse the others with it (contract case list_entry_without_platform).
            alone = list(items)
        else:
            self._late_in_a_row = 0
            for item, outcome in zip(items, outcomes):
                # It may have failed only because of another image in the request (contract case hub_second_pass), or for a moment.
                if isinstance(outcome, ImportFailure) and (len(items) > 1 or outcome.may_pass):
                    failed[item.to] = outcome
                else:
                    self.outcomes[item.to] = outcome
            alone = [item for item in items if item.to in failed]
        for item in alone:
            self._let_registry_recover(failed.get(item.to))
            self.outcomes[item.to] = self._send([item])[0]

    def _let_registry_recover(self, failure: ImportFailure | None) -> None:
        """Wait a little before a registry is asked again that failed for a moment; a few times only, for it may fail for long."""
        if failure is not None and failure.may_pass and self._recoveries:
            self._recoveries -= 1
            time.sleep(random.uniform(0.5, 1.0) * _RECOVERY)

    def _send(self, items: t.Sequence[ImportItem]) -> list[Outcome]:
        answer = send_images(
            self._client,
            self._namespace,
            self._name,
            items,
            store=True,
            timeout=self._timeout,
            resource_version=self._version,
        )
        if answer.stream:
            self._unread = answer.stream
        return answer.outcomes

    def _remove(self, tag: str) -> None:
        """Remove a tag with its history; where the API cannot address its name, from the spec (server-behaviour.md 2.9, 2.11)."""
        if any(character in tag for character in "/%:"):
            body = {"spec": {"tags": [{"name": tag, "$patch": "delete"}]}}
            self.observed = parse_stream(self._namespace, self._client.patch(self._path, body, STRATEGIC_MERGE))
            return
        with contextlib.suppress(NotFound):
            self._client.delete(image_path(self._namespace, "imagestreamtags", f"{self._name}:{tag}"))
        self.observed = self.observed._replace(tags={name: kept for name, kept in self.observed.tags.items() if name != tag})
