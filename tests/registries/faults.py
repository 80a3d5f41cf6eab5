# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switchable faults of an embedded registry, and the log of what was asked of it."""

from __future__ import annotations

import asyncio
import re
import typing as t
from dataclasses import asdict, dataclass, fields

from aiohttp import web

from .answers import registry_error

Handler = t.Callable[[web.Request], t.Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What to do with requests whose method and path match (regular expression, searched); ``times`` -1 is for ever.

    Exactly what is set happens, in this order: wait ``delay`` seconds; close the connection (``reset``), or after
    half of the answer (``cut``); answer ``status`` (with ``retry_after`` seconds in Retry-After); redirect to
    ``redirect``; answer a body of ``huge_body`` bytes; serve the manifest under a digest that is not its own
    (``wrong_digest``).
    """

    path: str = ""
    method: str = ""
    times: int = -1
    delay: float = 0.0
    reset: bool = False
    status: int = 0
    retry_after: str = ""
    redirect: str = ""
    huge_body: int = 0
    wrong_digest: bool = False
    cut: bool = False

    @classmethod
    def from_document(cls, document: dict[str, t.Any]) -> Fault:
        """Build from JSON; an unknown key is a ValueError."""
        unknown = set(document) - {entry.name for entry in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        return cls(**document)

    def matches(self, request: web.Request) -> bool:
        """Tell whether the fault is to strike this request."""
        return self.times != 0 and self.method in ("", request.method) and bool(re.search(self.path, request.path))


class FaultSwitches:
    """The faults of one registry and its request log; thread-safe enough for tests: lists are swapped, not edited."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.requests: list[dict[str, t.Any]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the control endpoint; its own requests are not logged."""
        return [
            web.get("/_control/faults", self._show_faults),
            web.put("/_control/faults", self._set_faults),
            web.get("/_control/requests", self._show_requests),
            web.delete("/_control/requests", self._clear_requests),
        ]

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log the request, then strike with the first matching fault."""
        if request.path.startswith("/_control/"):
            return await handler(request)
        entry = {"method": request.method, "path": request.path, "authenticated": "Authorization" in request.headers}
        self.requests.append(entry)
        try:
            response = await self._respond(request, handler)
        except web.HTTPException as refusal:
            entry["status"] = refusal.status
            raise
        entry["status"] = response.status
        return response

    async def _respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = next((fault for fault in self.faults if fault.matches(request)), None)
        if fault is None:
            return await handler(request)
        if fault.times > 0:
            fault.times -= 1
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.reset:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.status:
            answer = registry_error(
                fault.status, "TOOMANYREQUESTS" if fault.status == 429 else "UNKNOWN", "a fault of the test registry"
            )
            if fault.retry_after:
                answer.headers["Retry-After"] = fault.retry_after
            return answer
        if fault.redirect:
            return web.Response(status=307, headers={"Location": fault.redirect})
        if fault.huge_body:
            return await _huge(request, fault.huge_body)
        response = await handler(request)
        if fault.cut and isinstance(response, web.Response) and isinstance(response.body, bytes):
            return await _half(request, response)
        if fault.wrong_digest and isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.headers["Docker-Content-Digest"] = "sha256:" + "0" * 64
            response.body = response.body.replace(b"{", b"{ ", 1)
        return response

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self.faults])

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults = [Fault.from_document(document) for document in await request.json()]
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"faults": len(self.faults)})

    async def _show_requests(self, _request: web.Request) -> web.Response:
        return web.json_response(self.requests)

    async def _clear_requests(self, _request: web.Request) -> web.Response:
        self.requests = []
        return web.json_response({})


async def _half(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Announce the whole answer, send half of it, and be gone."""
    body = t.cast(bytes, whole.body)
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response


async def _huge(request: web.Request, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = size
    await response.prepare(request)
    block = b" " * 65536
    while size > 0:
        await response.write(block[:size])
        size -= len(block)
    await response.write_eof()
    return response
