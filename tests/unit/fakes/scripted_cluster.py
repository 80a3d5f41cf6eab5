# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster that answers each request with the next answer that was laid out for its method and path.

A request that nobody laid out an answer for fails the test, and so does an answer that was not asked for: "no write" is
therefore tested by every test that lays out none.
"""

from __future__ import annotations

import copy
import json
import threading
import typing as t
from collections import deque
from dataclasses import dataclass, field

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import ClusterClient
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import CollectionError


@dataclass
class Request:
    """A request that the engine sent. ``timeout`` is how long it waits for the answer, in seconds."""

    method: str
    path: str
    query: dict[str, str]
    body: t.Any
    content_type: str
    timeout: float | None
    repeatable: bool

    @property
    def images(self) -> list[dict[str, t.Any]]:
        """The images of an import or lookup."""
        images: list[dict[str, t.Any]] = self.body["spec"]["images"]
        return images

    @property
    def writes(self) -> bool:
        """Whether the server may store something."""
        return self.method not in ("GET", "HEAD") and not (
            self.path.endswith("/imagestreamimports") and self.body["spec"]["import"] is False
        )


@dataclass
class ScriptedCluster:
    """Answers in the order in which they were laid out; see the module's words."""

    sent: list[Request] = field(default_factory=list)
    _answers: dict[tuple[str, str], deque[t.Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, method: str, path: str, *answers: t.Any) -> ScriptedCluster:
        """Lay out answers: a dict is returned, an error raised, a callable called with the ``Request``."""
        self._answers.setdefault((method, path), deque()).extend(answers)
        return self

    @property
    def client(self) -> ClusterClient:
        """The cluster as the engine's client."""
        return t.cast(ClusterClient, self)

    @property
    def writes(self) -> list[Request]:
        """The requests that may have stored something."""
        return [request for request in self.sent if request.writes]

    @property
    def lookups(self) -> list[Request]:
        """The requests that asked a registry and stored nothing."""
        return [request for request in self.sent if request.path.endswith("/imagestreamimports") and not request.writes]

    def assert_all_asked(self) -> None:
        """Fail if an answer was laid out that nobody asked for."""
        left = {f"{method} {path}": len(answers) for (method, path), answers in self._answers.items() if answers}
        assert not left, f"not asked for: {left}"

    def request(
        self,
        method: str,
        path: str,
        *,
        query: t.Mapping[str, str] | None = None,
        body: t.Any = None,
        content_type: str = "application/json",
        timeout: float | None = None,
        repeatable: bool = True,
    ) -> t.Any:
        request = Request(method, path, dict(query or {}), copy.deepcopy(body), content_type, timeout, repeatable)
        with self._lock:
            self.sent.append(request)
            answers = self._answers.get((method, path))
            assert answers, f"no answer was laid out for {method} {path} {json.dumps(body)}"
            answer = answers.popleft()
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, CollectionError):
            raise answer
        return copy.deepcopy(answer)

    def get(self, path: str, *, query: t.Mapping[str, str] | None = None, timeout: float | None = None) -> t.Any:
        return self.request("GET", path, query=query, timeout=timeout)

    def list_items(self, path: str, *, query: t.Mapping[str, str] | None = None) -> list[dict[str, t.Any]]:
        items: list[dict[str, t.Any]] = self.request("GET", path, query=query)["items"]
        return items

    def create(self, path: str, body: t.Any) -> t.Any:
        return self.request("POST", path, body=body)

    def patch(self, path: str, body: t.Any, content_type: str) -> t.Any:
        return self.request("PATCH", path, body=body, content_type=content_type)

    def delete(self, path: str, *, body: t.Any = None) -> t.Any:
        return self.request("DELETE", path, body=body)
