# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers in the words of the distribution API."""

from __future__ import annotations

import typing as t

from aiohttp import web


def registry_error(status: int, code: str, message: str, detail: t.Any = None) -> web.Response:
    """Return an error body as docker-registry writes it."""
    return web.json_response({"errors": [{"code": code, "message": message, "detail": detail}]}, status=status)
