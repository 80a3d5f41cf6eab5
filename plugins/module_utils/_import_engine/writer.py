# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writes of one stream: its spec, its imports, its removals, each against the version that the last answer showed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import random
import threading
import time
import typing as t

from .._cluster.client import STRATEGIC_MERGE, ClusterClient, image_path
from .._core.errors import (
    ApiError,
    ApiUnreachable,
    CollectionError,
    Invalid,
    Unauthorized,
    may_have_been_done,
)
from .desired import DesiredStream
from .images import Image, ImportFailure, ImportItem, Lookup, Outcome
from .observed import ObservedStream, ObservedTag, parse_stream, read_stream
from .plan_types import StreamPlan, TagPlan
from .removal import drop_history, remove_tags
from .stream_imports import NO_IMAGE, chunks, look_up, send_images

# 504: the time of a request was over before its work was done
_GATEWAY_TIMEOUT = 504
_MAX_LATE = 3
_RECOVERY = 2.0
_MAX_RECOVERIES = 3


class Halt:
    """The first error that makes further requests pointless: the API server gone, or the token no longer accepted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.error: CollectionError | None = None

    def notice(self, error: CollectionError) -> None:
        """Keep ``error`` if it makes further requests pointless."""
        if isinstance(error, (ApiUnreachable, Unauthorized)):
            with self._lock:
                self.error = self.error or error

    def check(self) -> None:
        """Raise if there was such an error."""
        if self.error:
            raise CollectionError(f"not attempted any more, because of: {self.error}")


class StreamWriter:
    """The one writer of a stream; ``observed`` is the stream as the server's last answer showed it."""

    def __init__(self, client: ClusterClient, desired: DesiredStream, observed: ObservedStream, timeout: int) -> None:
        self._client = client
        self._path = image_path(desired.namespace, "imagestreams", desired.name)
        self._namespace = desired.namespace
        self._name = desired.name
        self._timeout = timeout
        self._approved_only = desired.approved is not None
        self._observed = observed
        self._unread: t.Mapping[str, t.Any] | None = None
        self._recoveries = _MAX_RECOVERIES
        # after a request that took too long, so that one slow registry does not cost the images beside it
        self._one_by_one = False
        self._late: dict[str, ApiError] = {}
        self._late_in_a_row = 0
        # outcomes of the imports that were made, by tag; and the tags that the server refused
        self.outcomes: dict[str, Outcome] = {}
        self.refused: set[str] = set()
        # tags as this run has written them
        self.written: dict[str, ObservedTag] = {}
        # removed tags whose histories are still there
        self._histories: list[str] = []

    @property
    def observed(self) -> ObservedStream:
        """Return the stream as the server's last answer showed it.

        Taken apart only when it is asked for: a stream of many new tags comes back whole with every three of them.
        """
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

    @property
    def is_done(self) -> bool:
        """Return whether nothing is left of what was begun."""
        return all(name in self.observed.tags for name in self._histories)

    def write(self, plan: StreamPlan) -> None:
        """Carry ``plan`` out once. Raises ``Conflict`` and its like with ``observed`` possibly out of date."""
        if plan.delete:
            self._client.delete(self._path, body={"preconditions": {"resourceVersion": self._version}})
            self.observed = ObservedStream(self._namespace, self._name)
            return
        self._write_stream(plan)
        self._import_all(plan.without(self.refused).items)
        if plan.removals:
            self._remove(plan.removals)
        self._drop_histories()

    def read_again(self) -> None:
        """Find out what became of the stream.

        What the cluster's import controller has tried since this run wrote a tag need not be retried
        (server-behaviour.md 2.11).
        """
        self.observed = read_stream(self._client, self._namespace, self._name)
        for name, written in self.written.items():
            tag = self.observed.tags.get(name)
            failure = tag.failure if tag and not tag.pending and tag.settings == written.settings else None
            if tag and (failure, tag.failure_generation) == (written.failure, written.failure_generation):
                # That of an import before this run.
                failure = None
            if failure and name not in self.outcomes and not failure.may_pass and failure.message != NO_IMAGE:
                self.outcomes[name] = dataclasses.replace(failure, import_mode=written.import_mode)

    def _write_stream(self, plan: StreamPlan) -> None:
        patches, local = plan.patches, plan.lookup_policy_local
        try:
            self._write_spec(plan.create, local, patches)
        except Invalid as error:
            # One tag makes the server refuse the others with it, as in an import: of a registry that is not allowed, or
            # one too many.
            if not patches:
                raise
            alone = len(patches) == 1 and local is None
            if local is not None:
                self._write_spec(plan.create, local, [])
            for tag in plan.tags:
                refusal = (error if alone else self._refusal(plan.create, tag.patch)) if tag.patch else None
                if refusal:
                    self._refuse(tag, refusal)

    def _refusal(self, create: bool, patch: t.Mapping[str, t.Any]) -> Invalid | None:
        """Write one tag's patch; returns why the server refuses it, None if it does not."""
        try:
            self._write_spec(create, None, [patch])
        except Invalid as error:
            return error
        return None

    def _write_spec(self, create: bool, local: bool | None, patches: t.Sequence[t.Mapping[str, t.Any]]) -> None:
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
            self._keep_written(parse_stream(self._namespace, created), patches)
        elif spec and self.observed.exists:
            body = {"metadata": {"resourceVersion": self.observed.resource_version}, "spec": spec}
            self._keep_written(
                parse_stream(self._namespace, self._client.patch(self._path, body, STRATEGIC_MERGE)), patches
            )

    def _keep_written(self, stream: ObservedStream, patches: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        self.observed = stream
        self.written.update(
            {patch["name"]: stream.tags[patch["name"]] for patch in patches if patch["name"] in stream.tags}
        )

    def _refuse(self, tag: TagPlan, refusal: Invalid) -> None:
        """Note that the server refused ``tag``.

        If the lookup that check mode makes is refused too, the failure has the words of that refusal.
        """
        outcome: Outcome | CollectionError = ImportFailure(refusal.reason, refusal.server_message)
        if tag.item:
            asked = Lookup(self._namespace, tag.item.source, tag.item.import_mode, tag.item.insecure)
            answer = look_up(self._client, [asked], 1, self._timeout)[asked]
            if not isinstance(answer, Image):
                outcome = answer
        if isinstance(outcome, CollectionError):
            raise outcome
        self.refused.add(tag.name)
        self.outcomes[tag.name] = outcome

    def _import_all(self, items: t.Sequence[ImportItem]) -> None:
        """Import in requests of a few images.

        An image that alone took too long is a failure of that image, unless all do.
        """
        self._late.clear()
        self._late_in_a_row = 0
        for chunk in chunks(items) if not self._one_by_one else [[item] for item in items]:
            self._import(chunk)
            if self._late_in_a_row == min(_MAX_LATE, len(items)):
                # not one slow registry: all of them, or the API server itself
                raise self._late.popitem()[1]
        for name, error in self._late.items():
            self.outcomes[name] = ImportFailure(error.reason, error.server_message)

    def _import(self, items: t.Sequence[ImportItem]) -> None:
        """Import the items together, and once more alone those that may have failed because of another one."""
        failed: dict[str, ImportFailure] = {}
        try:
            outcomes = self._send(items)
        except ApiError as error:
            if self._is_late(error, items):
                return
            if not isinstance(error, Invalid) or len(items) == 1:
                raise
            # One image makes the server refuse the others with it (contract case list_entry_without_platform).
            alone = list(items)
        else:
            self._late_in_a_row = 0
            failed = self._keep(items, outcomes)
            alone = [item for item in items if item.to in failed]
        for item in alone:
            self._let_registry_recover(failed.get(item.to))
            self.outcomes[item.to] = self._send([item])[0]

    def _is_late(self, error: ApiError, items: t.Sequence[ImportItem]) -> bool:
        """Return whether one image alone took too long, which is kept.

        After a request of several images that did, they are asked for one by one.
        """
        if error.status != _GATEWAY_TIMEOUT:
            return False
        if self._one_by_one:
            self._late[items[0].to] = error
            self._late_in_a_row += 1
            return True
        self._one_by_one = True
        return False

    def _keep(self, items: t.Sequence[ImportItem], outcomes: t.Sequence[Outcome]) -> dict[str, ImportFailure]:
        """Keep the outcomes that count.

        Return the failures that may be those of another image (contract case hub_second_pass), or of a moment.
        """
        failed: dict[str, ImportFailure] = {}
        for item, outcome in zip(items, outcomes):
            if isinstance(outcome, ImportFailure) and (len(items) > 1 or outcome.may_pass):
                failed[item.to] = outcome
            else:
                self.outcomes[item.to] = outcome
        return failed

    def _let_registry_recover(self, failure: ImportFailure | None) -> None:
        """Wait a little before a registry is asked again that failed for a moment.

        A few times only, for it may fail for long.
        """
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
            if self._approved_only:
                self.written.update(
                    {item.to: self.observed.tags[item.to] for item in items if item.to in self.observed.tags}
                )
        return answer.outcomes

    def _remove(self, names: t.Sequence[str]) -> None:
        """Remove tags by a patch that names the version that was read.

        Their histories, which a patch leaves (server-behaviour.md 2.11), are deleted afterwards.
        """
        addressable = [name for name in names if is_addressable(name)]
        try:
            self.observed = parse_stream(self._namespace, remove_tags(self._client, self._path, names, self._version))
        except CollectionError as error:
            if may_have_been_done(error):
                self._histories += addressable
            raise
        self._histories += addressable

    def _drop_histories(self) -> None:
        # A tag that is there (again) is left alone.
        self._histories = [name for name in dict.fromkeys(self._histories) if name not in self.observed.tags]
        while self._histories:
            name = self._histories[-1]
            drop_history(self._client, self._namespace, self._name, name)
            self._histories.pop()
            self.observed = self.observed._replace(
                left={tag: kept for tag, kept in self.observed.left.items() if tag != name}
            )


def is_addressable(tag: str) -> bool:
    """Return whether the API can address a tag by its name (server-behaviour.md 2.9)."""
    return not any(character in tag for character in "/%:")
