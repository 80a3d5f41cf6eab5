# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers with an end: their headers, bodies and trailers are bounded in size and in time.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import time
import typing as t
from typing import NamedTuple

# who opens a session is told if they are missing
with contextlib.suppress(ImportError):
    import urllib3

# seconds for the body of an answer, over the time that the answer may take to begin
BODY_TIME = 120.0
CHUNK = 64 * 1024
# bytes of a body that is longer than allowed: it is only quoted from
_KEPT = 1024 * 1024
# seconds; nobody waits for longer
_LONGEST_RETRY_AFTER = 1e9


class RawAnswer(NamedTuple):
    """One HTTP answer.

    ``truncated`` is the limit of its kind if the body was longer, and 0 if it is whole; ``url`` is what was asked for,
    as the connection took it.
    """

    status: int
    headers: t.Mapping[str, str]
    body: bytes
    truncated: int
    url: str
    warnings: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """Return the media type without its parameters."""
        return media_type(self.headers)

    @property
    def location(self) -> str:
        """Return where the server redirects to, or ""."""
        return self.headers.get("Location", "")

    @property
    def retry_after(self) -> float | None:
        """Return the seconds that the server asks to wait; None if it names no time."""
        return seconds_to_wait(self.headers.get("Retry-After", ""))


class AnswerTimeout(Exception):
    """The answer began and did not end within the time allowed for it."""


class AnswerIncomplete(Exception):
    """The connection ended before the announced length."""

    def __init__(self) -> None:
        super().__init__("the connection ended in the middle of the answer")


class _BoundedResponse(http.client.HTTPResponse):
    """An answer whose beginning is bounded too: the limit of a socket is one for each piece that comes, however
    small."""

    def __init__(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = _Lines(_DeadlineReader(sock))


class _DeadlineReader(io.RawIOBase):
    """What comes from a socket, until the time for the whole answer is over."""

    def __init__(self, sock: t.Any) -> None:
        super().__init__()
        self._pieces = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + sock.gettimeout() + BODY_TIME

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise AnswerTimeout
        return t.cast("int | None", self._pieces.readinto(buffer))

    def close(self) -> None:
        self._pieces.close()
        super().close()


class _Lines(io.BufferedReader):
    """Lines with an end: older urllib3 reads the lines between the chunks of a body however long they are."""

    def readline(self, size: int | None = -1, /) -> bytes:
        return super().readline(CHUNK if size is None or size < 0 else size)


def with_deadline(manager: t.Any) -> t.Any:
    """Return the pool manager of urllib3, with connections whose answers are bounded."""
    manager.pool_classes_by_scheme = {
        scheme: _with_bounds(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }
    return manager


def _with_bounds(pool: t.Any) -> t.Any:
    connection = type("_Connection", (pool.ConnectionCls,), {"response_class": _BoundedResponse})
    return type("_Pool", (pool,), {"ConnectionCls": connection})


def read_body(response: t.Any, limit: int, deadline: float) -> tuple[bytes, bool]:
    """Return the body, or the beginning of one that is longer than ``limit`` bytes, and whether it is.

    Never wait for more than what has arrived, so that a server that sends a byte now and then meets the deadline.
    """
    decode = _is_plain_or_gzip(response.headers)
    # urllib3 before 2 has no read1, and waits until a piece is full: it is kept small for the deadline's sake
    piece = (
        (lambda: response.read1(CHUNK, decode_content=decode))
        if hasattr(response, "read1")
        else (lambda: response.read(64, decode_content=decode))
    )
    content = bytearray()
    while True:
        chunk = piece()
        if not chunk:
            break
        content += chunk
        if len(content) > limit:
            del content[min(limit, _KEPT) :]
            return bytes(content), True
        if time.monotonic() > deadline:
            raise AnswerTimeout
    announced = response.headers.get("Content-Length", "")
    # as a float, since it may have thousands of digits
    if announced.isdecimal() and response.tell() < float(announced):
        raise AnswerIncomplete
    return bytes(content), False


def media_type(headers: t.Mapping[str, str]) -> str:
    """Return the media type that the headers name, without its parameters."""
    return headers.get("Content-Type", "").split(";")[0].strip().lower()


def seconds_to_wait(header: str) -> float | None:
    """Return the seconds that a Retry-After header names, 0 for a date that has passed.

    Return None if it names no time: it may be anything.
    """
    try:
        return min(float(urllib3.Retry().parse_retry_after(header)), _LONGEST_RETRY_AFTER)
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError, TypeError, IndexError):
        # Python takes no number of thousands of digits
        return _LONGEST_RETRY_AFTER if header.strip().isdecimal() else None


def _is_plain_or_gzip(headers: t.Mapping[str, str]) -> bool:
    """Return whether a body may be unpacked.

    One that was packed several times becomes a thousand times larger with each.
    """
    return headers.get("Content-Encoding", "").strip().lower() in ("", "identity", "gzip", "x-gzip")
