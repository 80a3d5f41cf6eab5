# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP side of the API server: paths to calls, who calls, faults, the log."""

from __future__ import annotations

import asyncio
import logging
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from .access import ANONYMOUS, Action, User
from .cluster import Cluster
from .control import Control
from .faults import Fault
from .handling import Answer, Call
from .protobuf import CONTENT_TYPE, to_json
from .resources import BY_PATH, ResourceType, is_custom
from .statuses import (
    GroupName,
    StatusError,
    internal_error,
    invalid,
    method_not_supported,
    no_such_resource,
    too_large,
    unsupported_media_type,
    unsupported_value,
)
from .store import encode
from .watching import stream_changes

_LOGGER = logging.getLogger("emulator")
_BODY_LIMIT = 3 * 1024 * 1024
_NOT_SERVED = Answer(404, b"404 page not found\n", "text/plain")
# The second is what aiohttp reports for a body without a type.
_JSON_TYPES = ("application/json", "application/octet-stream")
_ACCEPTED_TYPES = ("application/json", "application/yaml", CONTENT_TYPE)
_HEALTH = ("/healthz", "/livez", "/readyz")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "GET": "get", "HEAD": "get", "DELETE": "delete"}
_IMPERSONATE = ("Impersonate-Group", "Impersonate-Uid")


@dataclass(frozen=True)
class Target:
    """What a path names; that need not exist, for the right to it is asked first."""

    resource: ResourceType
    namespace: str
    name: str
    subresource: str

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be done with it."""
        if not self.subresource:
            return self.resource.verbs
        return next((verbs for name, _handler, verbs in self.resource.subresources if name == self.subresource), ())

    @property
    def exists(self) -> bool:
        """Whether such a path is served: the resource, at this scope, and the subresource."""
        if not self.verbs or (self.namespace and not self.resource.namespaced):
            return False
        return bool(self.namespace) or not self.resource.namespaced or not self.name


def find_target(path: str) -> Target | None:
    """Return what a path below an API group names; None for other paths. ``path`` is still percent-encoded."""
    parts = [unquote(part) for part in path.split("/")[1:]]
    if parts[:1] == ["api"]:
        group, version, rest = "", parts[1] if len(parts) > 1 else "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and (group or rest[2] not in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3:
        return None
    resource = BY_PATH.get((group, version, rest[0])) or ResourceType(group, version, rest[0], rest[0], verbs=())
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    return Target(resource, namespace, name, subresource)


class Application:
    """Answers every request."""

    def __init__(self, cluster: Cluster, control: Control) -> None:
        self.cluster = cluster
        self._control = control
        self.begin_outage: Callable[[float], None] = lambda _seconds: None

    def build(self) -> web.Application:
        """Return the aiohttp application."""
        application = web.Application(client_max_size=_BODY_LIMIT)
        application.router.add_route("*", "/_emulator/{tail:.*}", self._control.handle)
        application.router.add_route("*", "/{tail:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        user = ANONYMOUS
        code = 0
        try:
            fault = self.cluster.faults.hitting(request.method, request.rel_url.raw_path)
            if fault is not None and fault.delay:
                await asyncio.sleep(fault.delay)
            if fault is not None and fault.expire:
                self.cluster.access.expire(fault.expire)
            if fault is not None and fault.outage:
                self.begin_outage(fault.outage)
                return _reset(request)
            if fault is not None and fault.reset == "before":
                return _reset(request)
            if fault is not None and fault.status and not fault.after_work:
                code = fault.status
                return _response(fault.answer())
            if fault is not None and fault.imports == "before":
                await self.cluster.import_controller.act()
            try:
                user = self._caller(request)
                if request.query.get("watch") in ("1", "true"):
                    code = 200
                    return await self._watch(request, user)
                answer = await self._answer(request, user, fault)
            except StatusError as error:
                answer = Answer.refusal(error)
            except web.HTTPRequestEntityTooLarge:
                answer = Answer.refusal(too_large(_BODY_LIMIT))
            except Exception as error:
                _LOGGER.exception("%s %s failed", request.method, request.rel_url.raw_path)
                answer = Answer.refusal(internal_error(f"the emulator failed: {type(error).__name__}"))
            if fault is not None and fault.imports == "after":
                await self.cluster.import_controller.act()
            if fault is not None and fault.status:
                answer = fault.answer()
            code = answer.code
            return await _deliver(request, answer, fault)
        finally:
            url = request.rel_url
            self.cluster.log.add(
                request.method, url.raw_path, url.raw_query_string, user.name, code, time.monotonic() - started
            )

    def _caller(self, request: web.Request) -> User:
        user = self.cluster.access.authenticate(request.headers, _certificate_user(request))
        name = request.headers.get("Impersonate-User", "")
        if not name:
            if any(header in request.headers for header in _IMPERSONATE):
                raise internal_error("requested impersonation without impersonating a user")
            return user
        groups = request.headers.getall("Impersonate-Group", [])
        return self.cluster.access.impersonate(user, name, groups, request.headers.get("Impersonate-Uid", ""))

    async def _answer(self, request: web.Request, user: User, fault: Fault | None) -> Answer:
        path = request.rel_url.raw_path
        target = find_target(path)
        if target is None:
            return self._document(request, user, path)
        resource = target.resource
        verb = _verb(request.method, target)
        action = Action(verb, resource, target.subresource, target.namespace, target.name)
        self.cluster.access.require(user, action)
        if not self.cluster.discovery.serves(resource.group, resource.version):
            return _NOT_SERVED
        if not target.exists:
            if is_custom(resource.group):
                return _NOT_SERVED
            raise no_such_resource()
        handler = self.cluster.handlers.get(resource)
        if handler is None or verb not in target.verbs:
            raise method_not_supported()
        _require_dry_run(verb, request.query.getall("dryRun", []))
        body, content_type = await _body(request)
        if verb in ("create", "update") and content_type not in _JSON_TYPES:
            raise unsupported_media_type(_ACCEPTED_TYPES)
        place = (target.subresource, target.namespace, target.name)
        call = Call(user, verb, resource, *place, request.query, content_type, body)
        if fault is not None and fault.imports == "during":
            call.meanwhile = self.cluster.import_controller.act
        return await handler.handle(call)

    def _document(self, request: web.Request, user: User, path: str) -> Answer:
        self.cluster.access.require(user, Action(_VERBS.get(request.method, "get"), path=path))
        if path in _HEALTH:
            return Answer(200, b"ok", "text/plain")
        document = self.cluster.discovery.document(path)
        return _NOT_SERVED if document is None else Answer(200, encode(document))

    async def _watch(self, request: web.Request, user: User) -> web.StreamResponse:
        target = find_target(request.rel_url.raw_path)
        if target is None or target.name or "watch" not in target.resource.verbs:
            return _response(_NOT_SERVED)
        self.cluster.access.require(user, Action("watch", target.resource, namespace=target.namespace))
        return await stream_changes(request, self.cluster.store, target.resource, target.namespace)


async def _body(request: web.Request) -> tuple[bytes, str]:
    """Return the body and its type, from protobuf turned into JSON."""
    body = await request.read()
    if request.content_type != CONTENT_TYPE:
        return body, request.content_type
    converted = to_json(body) if body else b""
    return (body, CONTENT_TYPE) if converted is None else (converted, "application/json")


def _require_dry_run(verb: str, values: list[str]) -> None:
    """422 for a dry run of any other kind than ``All``; reading has no such option."""
    options = {
        "create": "CreateOptions",
        "update": "UpdateOptions",
        "patch": "PatchOptions",
        "delete": "DeleteOptions",
        "deletecollection": "DeleteOptions",
    }
    if verb in options and any(value != "All" for value in values):
        raise invalid(GroupName("meta.k8s.io", options[verb]), "", [unsupported_value("dryRun", values, ["All"])])


def _verb(method: str, target: Target) -> str:
    verb = _VERBS.get(method, method.lower())
    if not target.name:
        return {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return verb


def _certificate_user(request: web.Request) -> User | None:
    """Return the caller whose client certificate was verified: common name and organizations."""
    transport = request.transport
    certificate: dict[str, t.Any] | None = transport.get_extra_info("peercert") if transport else None
    if not certificate:
        return None
    fields = [pair for group in certificate.get("subject", ()) for pair in group]
    names = [value for key, value in fields if key == "commonName"]
    groups = [value for key, value in fields if key == "organizationName"]
    return User(names[0], (*groups, "system:authenticated")) if names else None


def _response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.code, body=answer.body, content_type=answer.content_type, headers=dict(answer.headers)
    )


def _reset(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _deliver(request: web.Request, answer: Answer, fault: Fault | None) -> web.StreamResponse:
    if fault is not None and fault.reset == "after":
        return _reset(request)
    if fault is None or fault.reset != "middle":
        return _response(answer)
    response = web.StreamResponse(status=answer.code, headers=dict(answer.headers))
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response
