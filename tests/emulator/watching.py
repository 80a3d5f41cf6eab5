# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watch requests: changes as a stream of JSON lines, for clients that wait for something."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from .resources import ResourceType
from .selectors import field_test, label_test
from .store import Store, Stored, encode, typed

_DEFAULT_SECONDS = 300.0


async def stream_changes(
    request: web.Request, store: Store, resource: ResourceType, namespace: str
) -> web.StreamResponse:
    """Send what changes until the client leaves or ``timeoutSeconds`` are over.

    Without a resourceVersion (or with 0) the present objects come first; with one, those that are newer than it.
    """
    changes: asyncio.Queue[tuple[str, Stored]] = asyncio.Queue()
    labels = label_test(request.query.get("labelSelector", ""))
    fields = field_test(request.query.get("fieldSelector", ""), resource.kind)

    def concerns(stored: Stored) -> bool:
        space = stored.data["metadata"].get("namespace", "")
        return (not namespace or space == namespace) and labels(stored.data) and fields(stored.data)

    def notice(event: str, changed: ResourceType, stored: Stored) -> None:
        if changed is resource and concerns(stored):
            changes.put_nowait((event, stored))

    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    since = int(request.query.get("resourceVersion") or 0)
    ends = time.monotonic() + float(request.query.get("timeoutSeconds") or _DEFAULT_SECONDS)
    stop = store.watch(notice)
    try:
        for stored in store.items(resource, namespace or None):
            if stored.revision > since and concerns(stored):
                changes.put_nowait(("ADDED", stored))
        while True:
            event, stored = await asyncio.wait_for(changes.get(), ends - time.monotonic())
            line = b'{"type":' + encode(event) + b',"object":' + typed(resource, stored.encoded) + b"}\n"
            await response.write(line)
    except (TimeoutError, ConnectionError):
        return response
    finally:
        stop()
