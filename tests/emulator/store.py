# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of the cluster: one revision counter, lookups by key, JSON encoded once a version."""

from __future__ import annotations

import json
import typing as t
import uuid
from collections.abc import Callable, Iterator

from .gotext import now_text
from .resources import ResourceType

Object = dict[str, t.Any]
Watcher = Callable[[str, ResourceType, "Stored"], None]


def encode(document: t.Any) -> bytes:
    """Compact JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class Stored:
    """One version of an object, without ``kind`` and ``apiVersion``. Never changed once stored."""

    __slots__ = ("_encoded", "data", "revision")

    def __init__(self, data: Object, revision: int) -> None:
        self.data = data
        self.revision = revision
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The object as it stands in a list."""
        if self._encoded is None:
            self._encoded = encode(self.data)
        return self._encoded

    def copy(self) -> Object:
        """Return the object to change freely."""
        return t.cast(Object, json.loads(self.encoded))


def typed(resource: ResourceType, encoded: bytes) -> bytes:
    """Return an encoded object with its ``kind`` and ``apiVersion`` in front."""
    head = encode({"kind": resource.kind, "apiVersion": resource.api_version})
    return head[:-1] + b"," + encoded[1:] if len(encoded) > len(b"{}") else head


class Store:
    """All objects by resource, namespace ("" for cluster scope) and name."""

    def __init__(self) -> None:
        self.revision = 1000
        self._objects: dict[ResourceType, dict[str, dict[str, Stored]]] = {}
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher(event, resource, stored)`` after each change; returns how to stop that.

        Events are those of a Kubernetes watch: ``ADDED``, ``MODIFIED``, ``DELETED``.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def get(self, resource: ResourceType, namespace: str, name: str) -> Stored | None:
        """Return the newest version, or None."""
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def items(self, resource: ResourceType, namespace: str | None = None) -> Iterator[Stored]:
        """All objects of a namespace, or of all (None), in the order of their keys."""
        spaces = self._objects.get(resource, {})
        for space in [namespace] if namespace is not None else sorted(spaces):
            objects = spaces.get(space, {})
            for name in sorted(objects):
                yield objects[name]

    def create(self, resource: ResourceType, namespace: str, data: Object) -> Stored:
        """Store a new object; its ``metadata`` gets uid (unless it has one), creation time and version."""
        metadata = data["metadata"]
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", now_text())
        stored = self._put(resource, namespace, data)
        self._tell("ADDED", resource, stored)
        return stored

    def replace(self, resource: ResourceType, namespace: str, data: Object) -> Stored:
        """Store the next version of an object."""
        stored = self._put(resource, namespace, data)
        self._tell("MODIFIED", resource, stored)
        return stored

    def delete(self, resource: ResourceType, namespace: str, name: str) -> Stored | None:
        """Remove an object; returns its last version."""
        stored = self._objects.get(resource, {}).get(namespace, {}).pop(name, None)
        if stored is not None:
            self.revision += 1
            self._tell("DELETED", resource, Stored(_with_version(stored.copy(), self.revision), self.revision))
        return stored

    def delete_namespace(self, namespace: str) -> None:
        """Remove everything that a namespace holds."""
        for resource, spaces in self._objects.items():
            for name in list(spaces.get(namespace, {})) if resource.namespaced else ():
                self.delete(resource, namespace, name)
            spaces.pop(namespace, None) if resource.namespaced else None

    def _put(self, resource: ResourceType, namespace: str, data: Object) -> Stored:
        self.revision += 1
        stored = Stored(_with_version(data, self.revision), self.revision)
        self._objects.setdefault(resource, {}).setdefault(namespace, {})[data["metadata"]["name"]] = stored
        return stored

    def _tell(self, event: str, resource: ResourceType, stored: Stored) -> None:
        for watcher in list(self._watchers):
            watcher(event, resource, stored)


def _with_version(data: Object, revision: int) -> Object:
    data["metadata"]["resourceVersion"] = str(revision)
    return data
