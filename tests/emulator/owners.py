# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners that reconcile an object: whoever changes or deletes it finds it put back, as External Secrets or Argo CD
would do."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .access import AUTHENTICATED, MASTERS, User
from .handling import Call, Handler
from .patches import merge, strategic_merge
from .resources import BY_PATH, ResourceType
from .statuses import StatusError
from .store import Object, Store, Stored, encode

DELAY = 0.2
_USER = User("owner", (MASTERS, AUTHENTICATED))


@dataclass
class Owner:
    """What an owner wants of one object: the fields of ``document``; of those in ``exact``, at the top, nothing else.

    ``rounds``: how often it had to put the object back.
    """

    resource: ResourceType
    document: Object
    exact: tuple[str, ...] = ()
    after: float = DELAY
    id: int = 0
    rounds: int = field(default=0, repr=False)

    @classmethod
    def read(cls, given: Object) -> Owner:
        """Return an owner as described over the control endpoint: ``document``, ``exact``, ``after``; ValueError if
        it makes no sense."""
        unknown = set(given) - {"document", "exact", "after"}
        if unknown or not isinstance(given.get("document"), dict):
            raise ValueError(f"an owner has a document, exact and after, and not {sorted(unknown)}")
        document = copy.deepcopy(given["document"])
        kind = document.pop("apiVersion", ""), document.pop("kind", "")
        found = [resource for resource in BY_PATH.values() if (resource.api_version, resource.kind) == kind]
        if not found or not document.get("metadata", {}).get("name"):
            raise ValueError(
                "the document names no object: apiVersion, kind and metadata.name of a kind that is served"
            )
        return cls(found[0], document, tuple(given.get("exact") or ()), float(given.get("after", DELAY)))

    @property
    def namespace(self) -> str:
        """Where the object is; "" for one of the whole cluster."""
        return str(self.document["metadata"].get("namespace", ""))

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.document["metadata"]["name"])

    def wanted(self, present: Object | None) -> Object:
        """Return the object as the owner wants it, which has what it had besides."""
        kept = {key: value for key, value in (present or {}).items() if key not in self.exact}
        if self.resource.merge_keys is None:
            merged = merge(kept, self.document)
        else:
            merged = strategic_merge(kept, self.document, self.resource.rules)
        return copy.deepcopy(dict(merged))

    def shown(self) -> Object:
        """For the control endpoint; what it wants may be a credential and is left out."""
        return {
            "id": self.id,
            "kind": self.resource.kind,
            "namespace": self.namespace,
            "name": self.name,
            "rounds": self.rounds,
        }


class Owners:
    """The owners that are at work."""

    def __init__(self, store: Store, handlers: Mapping[ResourceType, Handler]) -> None:
        self._store = store
        self._handlers = handlers
        self._owners: dict[int, Owner] = {}
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to watch; to be called on the event loop."""
        self._unwatch = self._store.watch(self._notice)

    async def stop(self) -> None:
        """Stop watching, and what is under way."""
        self._unwatch()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def add(self, owner: Owner) -> Owner:
        """Let an owner work from the next change on."""
        owner.id = next(self._ids)
        self._owners[owner.id] = owner
        return owner

    async def start_with(self, owner: Owner) -> Owner:
        """Let an owner work; what it wants is there at once."""
        await self._put(self.add(owner))
        owner.rounds = 0
        return owner

    def remove(self, identity: int | None = None) -> None:
        """Let one go, or all."""
        self._owners = {number: owner for number, owner in self._owners.items() if identity not in (None, number)}

    def documents(self) -> list[Object]:
        """All, as the control endpoint shows them."""
        return [owner.shown() for owner in self._owners.values()]

    def _notice(self, _event: str, resource: ResourceType, stored: Stored) -> None:
        metadata = stored.data["metadata"]
        for owner in self._owners.values():
            if (owner.resource, owner.namespace, owner.name) == (
                resource,
                metadata.get("namespace", ""),
                metadata["name"],
            ) and self._differs(owner):
                task = asyncio.get_running_loop().create_task(self._reconcile(owner))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _reconcile(self, owner: Owner) -> None:
        await asyncio.sleep(owner.after)
        if owner.id in self._owners and self._differs(owner):
            await self._put(owner)

    def _present(self, owner: Owner) -> Object | None:
        stored = self._store.get(owner.resource, owner.namespace, owner.name)
        return stored.copy() if stored else None

    def _differs(self, owner: Owner) -> bool:
        present = self._present(owner)
        return present is None or owner.wanted(present) != present

    async def _put(self, owner: Owner) -> None:
        """Create or update the object as any client does. Who comes between is noticed, so that a refusal needs no
        care."""
        present = self._present(owner)
        wanted = owner.wanted(present)
        if wanted == present:
            return
        verb, name = ("create", "") if present is None else ("update", owner.name)
        call = Call(_USER, verb, owner.resource, namespace=owner.namespace, name=name, body=encode(wanted))
        with contextlib.suppress(StatusError):
            await self._handlers[owner.resource].handle(call)
            owner.rounds += 1
