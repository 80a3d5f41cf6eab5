# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image-import controller: imports what a changed stream waits for, and scheduled tags at intervals
(server-behaviour.md 2.11)."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Callable

from .access import MASTERS, User, account_user
from .handling import Call
from .imports import ImportHandler
from .pullspec import BadReference, PullSpec
from .resources import STREAM_IMPORTS, STREAMS, ResourceType
from .statuses import StatusError
from .store import Object, Store, Stored, encode
from .streams import CHECK_ANNOTATION, is_insecure

DELAY = 0.3
INTERVAL = 15 * 60.0
_FIRST_RETRY, _LAST_RETRY = 0.005, 1000.0
_CREATED, _CONFLICT = 201, 409
_MOST_ATTEMPTS = 20

_ACCOUNT = account_user("openshift-infra", "image-import-controller")
# The role of the real one lets it create images, so that imports do not ask where images come from.
_USER = User(_ACCOUNT.name, (*_ACCOUNT.groups, MASTERS))

Key = tuple[str, str]


class ImportController:
    """Watches streams. ``running`` is its switch.

    ``after``: seconds from a change to the import; None: only ``act`` and ``act_on_schedule`` import, so that a test
    says when. ``interval``: seconds between two imports of a scheduled tag; any write of the stream puts the next off.
    """

    def __init__(self, store: Store, importer: ImportHandler) -> None:
        self.running = True
        self.after: float | None = DELAY
        self.interval = INTERVAL
        self._store = store
        self._importer = importer
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: set[Key] = set()
        self._scheduled: dict[Key, asyncio.TimerHandle] = {}
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to watch; to be called on the event loop."""
        self._unwatch = self._store.watch(self._notice)

    async def stop(self) -> None:
        """Stop watching, and what is under way."""
        self._unwatch()
        for timer in self._scheduled.values():
            timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def switch(self, *, running: bool, after: float | None, interval: float) -> None:
        """Turn it on or off, with its times. Turned on, it looks at every stream, as after a start."""
        looks = (running, after, interval) != (self.running, self.after, self.interval)
        self.running, self.after, self.interval = running, after, interval
        for stored in self._store.items(STREAMS) if looks else ():
            self._notice("MODIFIED", STREAMS, stored)

    async def act(self, namespace: str = "") -> list[Object]:
        """Import now what waits, in a namespace or in all; returns each stream with the code of the answer."""
        return await self._act_on(namespace, scheduled=False)

    async def act_on_schedule(self, namespace: str = "") -> list[Object]:
        """Import now every scheduled tag, whenever its time is."""
        return await self._act_on(namespace, scheduled=True)

    async def _act_on(self, namespace: str, *, scheduled: bool) -> list[Object]:
        acted = []
        for key in [_key(stored) for stored in self._store.items(STREAMS, namespace or None)]:
            for _attempt in range(_MOST_ATTEMPTS):
                code = await self._import(key, scheduled=scheduled)
                if code:
                    acted.append({"namespace": key[0], "name": key[1], "code": code})
                if code != _CONFLICT:
                    break
        return acted

    def _notice(self, event: str, resource: ResourceType, stored: Stored) -> None:
        if resource is not STREAMS:
            return
        key = _key(stored)
        self._schedule(key, None if event == "DELETED" else stored)
        if event != "DELETED" and self.running and self.after is not None and import_of(stored.data):
            self._queue(key, self.after)

    def _queue(self, key: Key, seconds: float, failures: int = 0) -> None:
        """Import once, however often the stream changes until then; after a failure again, later and later."""
        if key in self._queued:
            return
        self._queued.add(key)

        async def work() -> None:
            try:
                await asyncio.sleep(seconds)
            finally:
                self._queued.discard(key)
            if not self.running or self.after is None:
                return
            code = await self._import(key, scheduled=False)
            if code and code != _CREATED:
                self._queue(key, min(_FIRST_RETRY * 2**failures, _LAST_RETRY), failures + 1)

        self._run(work())

    def _schedule(self, key: Key, stored: Stored | None) -> None:
        """Set the time of a stream's next scheduled import, or forget it."""
        timer = self._scheduled.pop(key, None)
        if timer is not None:
            timer.cancel()
        if stored is None or not self.running or self.after is None or not _scheduled_tags(stored.data):
            return
        self._scheduled[key] = asyncio.get_running_loop().call_later(self.interval, lambda: self._run(self._poll(key)))

    async def _poll(self, key: Key) -> None:
        """Make a scheduled import. One that changes nothing writes nothing, so the next time is set here."""
        await self._import(key, scheduled=True)
        self._schedule(key, self._store.get(STREAMS, *key))

    def _run(self, work: t.Coroutine[t.Any, t.Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _import(self, key: Key, *, scheduled: bool) -> int:
        """Import what a stream waits for, or what is scheduled; the code of the answer, 0 if there is nothing to
        import."""
        stored = self._store.get(STREAMS, *key)
        if stored is None:
            return 0
        return await import_waiting_tags(stored, self._importer, _USER, scheduled=scheduled)


async def import_waiting_tags(stored: Stored, importer: ImportHandler, user: User, *, scheduled: bool = False) -> int:
    """Send the controller's import of a stream; the code of the answer, 0 if there is nothing to import."""
    spec = import_of(stored.data, _scheduled_tags(stored.data) if scheduled else ())
    if spec is None:
        return 0
    present = stored.data["metadata"]
    metadata = {field: present[field] for field in ("name", "namespace", "uid", "resourceVersion")}
    body = encode({"metadata": metadata, "spec": {"import": True, **spec}})
    try:
        await importer.run(Call(user, "create", STREAM_IMPORTS, namespace=present["namespace"], body=body))
    except StatusError as error:
        return error.code
    return _CREATED


def import_of(stream: Object, due: t.Container[str] = ()) -> Object | None:
    """Return what the controller imports of a stream: its part of an ImageStreamImport's spec, or None.

    A tag waits if its generation is ahead of its newest image and of its condition, or if it is ``due``. A whole
    repository is imported, together with every tag, as long as the annotation of a first import is missing.
    """
    annotations = stream["metadata"].get("annotations") or {}
    repository = stream["spec"].get("dockerImageRepository")
    whole = bool(repository) and not annotations.get(CHECK_ANNOTATION)
    images = [
        {
            "from": {"kind": "DockerImage", "name": tag["from"]["name"]},
            "to": {"name": tag["name"]},
            "importPolicy": tag["importPolicy"],
            "referencePolicy": tag["referencePolicy"],
        }
        for tag in stream["spec"].get("tags") or []
        if _importable(tag) and (whole or tag["name"] in due or _waits(stream, tag))
    ]
    spec: Object = {"images": images} if images else {}
    if whole:
        policy = {"insecure": True} if is_insecure(stream["metadata"]) else {}
        spec["repository"] = {"from": {"kind": "DockerImage", "name": repository}, "importPolicy": policy}
    return spec or None


def _importable(tag: Object) -> bool:
    return (tag.get("from") or {}).get("kind") == "DockerImage" and not tag.get("reference")


def _waits(stream: Object, tag: Object) -> bool:
    """Whether the tag's generation is ahead of what was seen of it."""
    if tag.get("generation") is None:
        return True
    histories = stream["status"].get("tags") or []
    history = next((history for history in histories if history["tag"] == tag["name"]), {})
    seen = [item["generation"] for item in (history.get("items") or [])[:1]]
    seen += [entry["generation"] for entry in history.get("conditions") or [] if entry["type"] == "ImportSuccess"][:1]
    return int(tag["generation"]) > max(seen, default=0)


def _scheduled_tags(stream: Object) -> frozenset[str]:
    """Return the tags that are imported at intervals; one that names a digest only until it has been imported."""
    found = set()
    for tag in stream["spec"].get("tags") or []:
        if not _importable(tag) or not tag["importPolicy"].get("scheduled"):
            continue
        try:
            fixed = bool(PullSpec.parse(tag["from"].get("name", "")).digest)
        except BadReference:
            continue
        if not fixed or _waits(stream, tag):
            found.add(tag["name"])
    return frozenset(found)


def _key(stored: Stored) -> Key:
    metadata = stored.data["metadata"]
    return metadata["namespace"], metadata["name"]
