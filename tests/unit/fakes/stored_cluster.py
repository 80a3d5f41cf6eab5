# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a cluster in memory, behind the methods of the cluster client: for tests of what is read, what is sent
and why."""

from __future__ import annotations

import copy
import json
import re
import threading
import typing as t
from dataclasses import dataclass, field

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import Target, target_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiError,
    ApiNotServed,
    CollectionError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)

Object = dict[str, t.Any]
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Sent:
    """One request as the code under test made it."""

    method: str
    path: str
    body: t.Any = None
    query: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix('/api/v1/namespaces/')}"


class StoredCluster:
    """Objects of any kind with optimistic concurrency, as the real server has it.

    A kind of an API group is served once it is named to ``serve`` or has an object; those of the core always are.
    ``errors`` and ``forbidden`` say what is refused: a kind ("pods"), a verb of it ("list pods"), either of them in a
    namespace ("pods in shop") or over all ("list pods in *"). What a kind of ``computed`` answers to GET is computed.
    """

    def __init__(self, *namespaces: str) -> None:
        self.namespaces = set(namespaces)
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.sent: list[Sent] = []
        self.labels: dict[str, dict[str, str]] = {}
        self.errors: dict[str, CollectionError] = {}
        self.forbidden: set[str] = set()
        self.computed: dict[str, t.Callable[[Target], Object]] = {}
        self.before: list[t.Callable[[Sent], None]] = []
        self.after: list[t.Callable[[Sent], None]] = []
        self._served: set[str] = set()
        self._version = 0
        self._lock = threading.RLock()

    @property
    def writes(self) -> list[Sent]:
        """The requests that may have stored something."""
        return [request for request in self.sent if request.method in WRITES]

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.sent]

    def serve(self, *plurals: str) -> None:
        """Serve kinds of which there may be no object."""
        self._served.update(plurals)

    def put_in(self, plural: str, namespace: str, name: str, **content: t.Any) -> Object:
        """Store an object as if somebody else had written it; ``namespace`` is "" for one of the whole cluster."""
        with self._lock:
            self.serve(plural)
            self._version += 1
            metadata = {
                "name": name,
                "namespace": namespace,
                "uid": f"uid-{self._version}",
                **content.pop("metadata", {}),
            }
            known = self.objects.get((plural, namespace, name))
            if known is not None:
                metadata["uid"] = known["metadata"]["uid"]
            metadata["resourceVersion"] = str(self._version)
            self.objects[plural, namespace, name] = {"metadata": metadata, **content}
            return self.objects[plural, namespace, name]

    def add(self, plural: str, *objects: Object) -> None:
        """Store whole objects, and make their namespaces."""
        for one in objects:
            metadata = one["metadata"]
            self.namespaces.add(metadata["namespace"])
            self.put_in(plural, metadata["namespace"], metadata["name"], **copy.deepcopy(one))

    def secret(self, namespace: str, name: str) -> Object:
        """Return a stored secret."""
        return self.objects["secrets", namespace, name]

    def account(self, namespace: str, name: str) -> Object:
        """Return a stored service account."""
        return self.objects["serviceaccounts", namespace, name]

    def get(self, path: str, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        """Read one object."""
        return self.request("GET", path, query=query)

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[Object]:
        """List objects."""
        return t.cast("list[Object]", self.request("GET", path, query=query)["items"])

    def request(
        self,
        method: str,
        path: str,
        *,
        query: t.Mapping[str, str] | None = None,
        body: t.Any = None,
        repeatable: bool = True,
    ) -> t.Any:
        """Carry out one request; what happens in ``before`` and ``after`` is what others do meanwhile, or what
        breaks."""
        assert repeatable or method != "GET"
        request = Sent(method, path, copy.deepcopy(body), dict(query or {}))
        with self._lock:
            self.sent.append(request)
        for happen in list(self.before):
            happen(request)
        with self._lock:
            answer = copy.deepcopy(self._answer(request))
        for happen in list(self.after):
            happen(request)
        # What goes over the wire is JSON.
        return json.loads(json.dumps(answer))

    def _answer(self, request: Sent) -> t.Any:
        target = target_of(request.method, request.path)
        self._refuse(target)
        if target.plural in self.computed:
            return self.computed[target.plural](target)
        if target.plural == "namespaces":
            return self._namespaces(target, request.query)
        if target.group and target.plural not in self._served:
            raise status_error(ApiNotServed, 404, "", "the server could not find the requested resource")
        if target.verb == "list":
            return {"items": self._list(target, request.query)}
        if target.verb == "create":
            return self._create(target, request.body)
        known = self.objects.get((target.plural, target.namespace or "", target.name or ""))
        if known is None:
            raise missing(target.plural, target.name or "")
        return self._write(target, request.body, known) if request.method in WRITES else known

    def _refuse(self, target: Target) -> None:
        where = target.namespace or "*"
        kinds = (target.plural, f"{target.verb} {target.plural}")
        for what in (*kinds, *(f"{kind} in {where}" for kind in kinds)):
            if what in self.errors:
                raise self.errors[what]
            if what in self.forbidden:
                named = f'{target.plural} "{target.name}"' if target.name is not None else target.plural
                raise status_error(Forbidden, 403, "Forbidden", f"{named} is forbidden")

    def _namespaces(self, target: Target, query: t.Mapping[str, str]) -> Object:
        if target.name is not None:
            if target.name not in self.namespaces:
                raise missing("namespaces", target.name)
            return {"metadata": {"name": target.name}}
        wanted = dict(term.split("=") for term in query["labelSelector"].split(","))
        found = {name: self.labels.get(name, {}) for name in sorted(self.namespaces)}
        return {
            "items": [
                {"metadata": {"name": name, "labels": labels}}
                for name, labels in found.items()
                if wanted.items() <= labels.items()
            ]
        }

    def _list(self, target: Target, query: t.Mapping[str, str]) -> list[Object]:
        return [
            item
            for (plural, namespace, _name), item in sorted(self.objects.items())
            if plural == target.plural and target.namespace in (None, namespace) and fits(item, query)
        ]

    def _create(self, target: Target, body: Object) -> Object:
        namespace, name = target.namespace or "", body["metadata"]["name"]
        if namespace not in self.namespaces:
            raise missing("namespaces", namespace)
        if (target.plural, namespace, name) in self.objects:
            raise status_error(Conflict, 409, "AlreadyExists", f'{target.plural} "{name}" already exists')
        assert "resourceVersion" not in body["metadata"], "resourceVersion should not be set on objects to be created"
        return self._store(target, name, body)

    def _write(self, target: Target, body: Object, known: Object) -> Object:
        name = known["metadata"]["name"]
        if target.method == "DELETE":
            wanted = (body or {}).get("preconditions") or {}
            if any(known["metadata"][field_name] != value for field_name, value in wanted.items()):
                raise status_error(Conflict, 409, "Conflict", "the precondition does not hold")
            return self.objects.pop((target.plural, target.namespace or "", name))
        assert (target.method, body["metadata"]["name"]) == ("PUT", name)
        if body["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
            raise status_error(Conflict, 409, "Conflict", "the object has been modified")
        if target.plural == "secrets" and body["type"] != known["type"]:
            raise status_error(Invalid, 422, "Invalid", "type: field is immutable")
        if known.get("immutable") and body.get("data") != known.get("data"):
            raise status_error(Invalid, 422, "Invalid", "data: field is immutable")
        return self._store(target, name, body)

    def _store(self, target: Target, name: str, body: Object) -> Object:
        return self.put_in(target.plural, target.namespace or "", name, **{**body, "metadata": dict(body["metadata"])})


def fits(item: Object, query: t.Mapping[str, str]) -> bool:
    """Whether an object is in a list with this field selector: equality and inequality of fields, "" if one is
    missing."""
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        path, operator, value = re.fullmatch(r"([\w.]+)(!?=)(.*)", term).groups()  # type: ignore[union-attr]
        found: t.Any = item
        for part in path.split("."):
            found = found.get(part, "") if isinstance(found, dict) else ""
        if (found == value) is not (operator == "="):
            return False
    return True


def status_error(error: type[ApiError], status: int, reason: str, message: str, **details: t.Any) -> ApiError:
    """Return the client's error for an answer of the API server."""
    return error(
        f"The API server refused it: {message}.", status=status, reason=reason, server_message=message, details=details
    )


def missing(kind: str, name: str) -> ApiError:
    """Return the client's error for an object that does not exist."""
    return status_error(NotFound, 404, "NotFound", f'{kind} "{name}" not found', kind=kind, name=name)


def once(act: t.Callable[[Sent], None], method: str, times: int = 1) -> t.Callable[[Sent], None]:
    """Return ``act`` for the first requests with ``method`` only."""
    left = [times]

    def happen(request: Sent) -> None:
        if request.method == method and left[0] > 0:
            left[0] -= 1
            act(request)

    return happen


def raising(error: CollectionError) -> t.Callable[[Sent], None]:
    """Return what raises the error at each request."""

    def happen(_request: Sent) -> None:
        raise error

    return happen
