# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which requests came in; never their bodies, which may hold credentials."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

_LIMIT = 100_000


@dataclass(frozen=True)
class Entry:
    """One request. ``code`` 0: the connection was reset; ``seconds`` until the answer was ready."""

    number: int
    method: str
    path: str
    query: str
    user: str
    code: int
    seconds: float


class RequestLog:
    """The newest requests, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_LIMIT)
        self._number = 0

    def add(self, method: str, path: str, query: str, user: str, code: int, seconds: float) -> None:
        """Note one request."""
        self._number += 1
        self._entries.append(Entry(self._number, method, path, query, user, code, round(seconds, 4)))

    def since(self, number: int = 0) -> list[dict[str, object]]:
        """Those after ``number``."""
        return [asdict(entry) for entry in self._entries if entry.number > number]

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._entries.clear()
