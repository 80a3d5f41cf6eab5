# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: what a real API server, its load balancer or the network do now and then."""

from __future__ import annotations

import itertools
import re
import typing as t
from dataclasses import dataclass, field

from .handling import Answer
from .statuses import GroupName, StatusError, conflict, internal_error, timeout
from .store import Object

RESETS = ("before", "after", "middle")
IMPORTS = ("before", "during", "after")
_FIELDS = (
    "method",
    "path",
    "count",
    "skip",
    "delay",
    "status",
    "retry_after",
    "after_work",
    "reset",
    "message",
    "outage",
    "expire",
    "imports",
)


@dataclass
class Fault:
    """One fault, for requests whose method equals ``method`` ("" any) and whose path contains regex ``path``.

    The first ``skip`` of them pass untouched, the next ``count`` (None: all) are hit: delayed by ``delay`` seconds,
    then answered with ``status``; or with the connection reset before the work, after it, or in the middle of the
    answer (``reset``). ``after_work``: the work is done although ``status`` is answered. ``outage``: the server
    starts again; every connection is reset, this request with them, and for so many seconds nothing listens.
    ``expire``: the tokens of this user end just before the request is looked at. ``imports``: the import controller
    acts on all that waits for it: before the request is looked at, ``during`` an import, between its look-ups and
    its write, or after the work and before the answer.
    """

    method: str = ""
    path: str = ""
    count: int | None = 1
    skip: int = 0
    delay: float = 0.0
    status: int | None = None
    retry_after: int | None = None
    after_work: bool = False
    reset: str = ""
    message: str = ""
    outage: float = 0.0
    expire: str = ""
    imports: str = ""
    id: int = 0
    hits: int = 0
    seen: int = field(default=0, repr=False)

    @classmethod
    def read(cls, document: Object) -> Fault:
        """Return a fault as described over the control endpoint; ValueError if that does not make sense."""
        unknown = set(document) - set(_FIELDS)
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        fault = cls(**document)
        if fault.reset and fault.reset not in RESETS:
            raise ValueError(f"reset is one of {', '.join(RESETS)}")
        if fault.imports and fault.imports not in IMPORTS:
            raise ValueError(f"imports is one of {', '.join(IMPORTS)}")
        if not (fault.delay or fault.status or fault.reset or fault.outage or fault.expire or fault.imports):
            raise ValueError(
                "a fault delays, answers a status, resets, expires tokens, lets the import controller act or is an "
                "outage"
            )
        re.compile(fault.path)
        return fault

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.method and self.method.upper() != method:
            return False
        if not re.search(self.path, path) or (self.count is not None and self.hits >= self.count):
            return False
        self.seen += 1
        if self.seen <= self.skip:
            return False
        self.hits += 1
        return True

    def answer(self) -> Answer:
        """Return the refusal that ``status`` stands for, as the server words it."""
        return Answer.refusal(self._refusal())

    def _refusal(self) -> StatusError:
        status = self.status or 500
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        details = {} if self.retry_after is None else {"retryAfterSeconds": self.retry_after}
        wording: dict[int, StatusError] = {
            409: conflict(GroupName("image.openshift.io", "imagestreams"), "fault"),
            429: StatusError(429, "TooManyRequests", "Too many requests, please try again later.", details),
            500: internal_error("an error on the server has prevented the request from succeeding"),
            503: StatusError(
                503, "ServiceUnavailable", "the server is currently unable to handle the request", details
            ),
            504: timeout(),
        }
        error = wording.get(status) or StatusError(status, "Unknown", f"the server answers {status}", details)
        return StatusError(status, error.reason, self.message or error.message, error.details, headers)

    def document(self) -> Object:
        """Return the fault and how often it hit."""
        fields: Object = {name: getattr(self, name) for name in _FIELDS}
        return {"id": self.id, "hits": self.hits, **fields}


class Faults:
    """The faults that are switched on, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on."""
        fault.id = next(self._ids)
        self._faults.append(fault)
        return fault

    def clear(self, identity: int | None = None) -> None:
        """Switch one off, or all."""
        self._faults = [fault for fault in self._faults if identity is not None and fault.id != identity]

    def hitting(self, method: str, path: str) -> Fault | None:
        """Return the first fault that hits this request."""
        return next((fault for fault in self._faults if fault.takes(method, path)), None)

    def documents(self) -> list[t.Any]:
        """All, as the control endpoint shows them."""
        return [fault.document() for fault in self._faults]
