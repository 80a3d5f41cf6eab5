# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what in an embedded registry: everybody, one Basic pair, or holders of a Bearer token."""

from __future__ import annotations

import base64
import binascii
import secrets
import typing as t

from aiohttp import web

from .answers import registry_error


class AccessPolicy(t.Protocol):
    """Decides on each request of the ``/v2/`` API."""

    def refusal(self, request: web.Request, repository: str, /) -> web.Response | None:
        """None to let the request pass, else the answer. ``repository`` is empty for ``/v2/`` itself."""

    def routes(self) -> list[web.RouteDef]:
        """Further paths that the policy serves itself."""


class OpenAccess:
    """Anybody may read and write."""

    def refusal(self, _request: web.Request, _repository: str, /) -> web.Response | None:
        """Never refuses."""
        return None

    def routes(self) -> list[web.RouteDef]:
        """None."""
        return []


class BasicAccess:
    """One user with one password, answered as docker-registry with htpasswd answers."""

    def __init__(self, username: str, password: str) -> None:
        self._expected = (username, password)

    def refusal(self, request: web.Request, _repository: str, /) -> web.Response | None:
        """401 with a Basic challenge unless the pair is right."""
        if basic_pair(request) == self._expected:
            return None
        response = registry_error(401, "UNAUTHORIZED", "authentication required")
        response.headers["WWW-Authenticate"] = 'Basic realm="quayside test registry"'
        return response

    def routes(self) -> list[web.RouteDef]:
        """None."""
        return []


class HubAccess:
    """Bearer tokens from an own ``/token``, worded as the contract's ``{hub}`` (contract/README.md).

    Without a Basic header anybody gets an anonymous token, which opens ``public/*``; the right pair gets a token that
    opens ``private/*`` too; any other pair gets 401 with the body ``{"details": ...}`` and no token.
    """

    def __init__(self, username: str, password: str) -> None:
        self._expected = (username, password)
        self._known_by_token: dict[str, bool] = {}

    def refusal(self, request: web.Request, repository: str, /) -> web.Response | None:
        """401 with a Bearer challenge unless the request's token opens the repository."""
        scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
        known = self._known_by_token.get(token) if scheme.lower() == "bearer" else None
        if known is not None and (known or not repository or repository.startswith("public/")):
            return None
        scope = f',scope="repository:{repository}:pull"' if repository else ""
        response = registry_error(401, "UNAUTHORIZED", "authentication required")
        response.headers["WWW-Authenticate"] = (
            f'Bearer realm="{request.scheme}://{request.host}/token",service="hub"{scope}'
        )
        return response

    def routes(self) -> list[web.RouteDef]:
        """Return the token service."""
        return [web.get("/token", self._token)]

    async def _token(self, request: web.Request) -> web.Response:
        known = "Authorization" in request.headers
        if known and basic_pair(request) != self._expected:
            return web.json_response({"details": "incorrect username or password"}, status=401)
        token = secrets.token_urlsafe(24)
        self._known_by_token[token] = known
        return web.json_response({"token": token, "access_token": token, "expires_in": 300})


def basic_pair(request: web.Request) -> tuple[str, str] | None:
    """User and password of the request's Basic header, or None."""
    scheme, _blank, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None
