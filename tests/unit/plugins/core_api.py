# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The core kinds of an API server in memory, behind the methods of the cluster client: for tests of what is sent and
why."""

from __future__ import annotations

import copy
import json
import re
import threading
import typing as t
from dataclasses import dataclass, field

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


class CoreApi:
    """Secrets, service accounts and namespaces with optimistic concurrency, as the real server has it."""

    def __init__(self, *namespaces: str) -> None:
        self.namespaces = set(namespaces or ("shop",))
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.sent: list[Sent] = []
        self.labels: dict[str, dict[str, str]] = {}
        # Kinds of the whole cluster that are served, by their plural.
        self.of_the_cluster: dict[str, list[Object]] = {}
        self.forbidden: set[str] = set()
        self.before: list[t.Callable[[Sent], None]] = []
        self.after: list[t.Callable[[Sent], None]] = []
        self._version = 0
        self._lock = threading.RLock()

    @property
    def writes(self) -> list[Sent]:
        return [request for request in self.sent if request.method in WRITES]

    def put_in(self, plural: str, namespace: str, name: str, **content: t.Any) -> Object:
        """Store an object as if somebody else had written it."""
        with self._lock:
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

    def secret(self, namespace: str, name: str) -> Object:
        return self.objects["secrets", namespace, name]

    def account(self, namespace: str, name: str) -> Object:
        return self.objects["serviceaccounts", namespace, name]

    def get(self, path: str, *, query: t.Mapping[str, str] | None = None) -> t.Any:
        return self.request("GET", path, query=query)

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[Object]:
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
        if request.path in ("/api/v1/namespaces", "/api/v1/secrets", "/api/v1/serviceaccounts"):
            return self._list_all(request.path.rpartition("/")[2], request.query)
        if request.path.startswith("/apis/"):
            plural = request.path.rpartition("/")[2]
            if f"list {plural}" in self.forbidden:
                raise status_error(Forbidden, 403, "Forbidden", f"{plural} is forbidden")
            if plural not in self.of_the_cluster:
                raise status_error(ApiNotServed, 404, "", "the server could not find the requested resource")
            return {"items": self.of_the_cluster[plural]}
        parts = request.path.removeprefix("/api/v1/namespaces/").split("/")
        namespace = parts[0]
        kind = parts[1] if len(parts) > 1 else "namespaces"
        name = parts[2] if len(parts) > 2 else ""
        verb = {
            "GET": "get" if name or kind == "namespaces" else "list",
            "POST": "create",
            "PUT": "update",
            "DELETE": "delete",
        }[request.method]
        if f"{verb} {kind}" in self.forbidden:
            raise status_error(Forbidden, 403, "Forbidden", f'{kind} "{name}" is forbidden')
        if kind == "namespaces":
            if namespace not in self.namespaces:
                raise missing("namespaces", namespace)
            return {"metadata": {"name": namespace}}
        if request.method == "GET" and not name:
            items = [item for key, item in sorted(self.objects.items()) if key[:2] == (kind, namespace)]
            return {"items": [item for item in items if fits(item, request.query)]}
        if request.method == "POST":
            return self._create(kind, namespace, request.body)
        known = self.objects.get((kind, namespace, name))
        if known is None:
            raise missing(kind, name)
        if request.method == "GET":
            return known
        if request.method == "DELETE":
            wanted = (request.body or {}).get("preconditions") or {}
            if any(known["metadata"][field_name] != value for field_name, value in wanted.items()):
                raise status_error(Conflict, 409, "Conflict", "the precondition does not hold")
            return self.objects.pop((kind, namespace, name))
        assert request.body["metadata"]["name"] == name
        if request.body["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"]:
            raise status_error(Conflict, 409, "Conflict", "the object has been modified")
        if kind == "secrets" and request.body["type"] != known["type"]:
            raise status_error(Invalid, 422, "Invalid", "type: field is immutable")
        if known.get("immutable") and request.body.get("data") != known.get("data"):
            raise status_error(Invalid, 422, "Invalid", "data: field is immutable")
        content = {key: value for key, value in request.body.items() if key != "metadata"}
        return self.put_in(kind, namespace, name, metadata=dict(request.body["metadata"]), **content)

    def _list_all(self, kind: str, query: dict[str, str]) -> Object:
        if f"list {kind}" in self.forbidden or "list all" in self.forbidden:
            raise status_error(Forbidden, 403, "Forbidden", f"{kind} is forbidden")
        if kind == "namespaces":
            namespaces = [
                {"metadata": {"name": name, "labels": self.labels.get(name, {})}} for name in sorted(self.namespaces)
            ]
            wanted = dict(term.split("=") for term in query["labelSelector"].split(","))
            return {"items": [item for item in namespaces if wanted.items() <= item["metadata"]["labels"].items()]}
        return {"items": [item for key, item in sorted(self.objects.items()) if key[0] == kind and fits(item, query)]}

    def _create(self, kind: str, namespace: str, body: Object) -> Object:
        name = body["metadata"]["name"]
        if namespace not in self.namespaces:
            raise missing("namespaces", namespace)
        if (kind, namespace, name) in self.objects:
            raise status_error(Conflict, 409, "AlreadyExists", f'{kind} "{name}" already exists')
        assert "resourceVersion" not in body["metadata"], "resourceVersion should not be set on objects to be created"
        content = {key: value for key, value in body.items() if key != "metadata"}
        return self.put_in(kind, namespace, name, metadata=dict(body["metadata"]), **content)


def fits(item: Object, query: t.Mapping[str, str]) -> bool:
    """Whether an object is in a list with this field selector: equality and inequality of type and name."""
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        field_name, operator, value = re.fullmatch(r"([\w.]+)(!?=)(.*)", term).groups()  # type: ignore[union-attr]
        found = item["metadata"]["name"] if field_name == "metadata.name" else item[field_name]
        if (found == value) is not (operator == "="):
            return False
    return True


def status_error(error: type[ApiError], status: int, reason: str, message: str, **details: t.Any) -> ApiError:
    return error(
        f"The API server refused it: {message}.", status=status, reason=reason, server_message=message, details=details
    )


def missing(kind: str, name: str) -> ApiError:
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
    def happen(_request: Sent) -> None:
        raise error

    return happen
