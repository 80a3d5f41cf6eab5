# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections of a test server that runs on aiohttp."""

from __future__ import annotations

import asyncio

from aiohttp import web


async def abort_connections(runner: web.AppRunner) -> None:
    """Reset every connection, and see their sockets closed."""
    for connection in runner.server.connections if runner.server is not None else ():
        if connection.transport is not None:
            connection.transport.abort()
    # the event loop closes them in its next turns
    for _turn in range(3):
        await asyncio.sleep(0)
