# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trying a credential at its registry, from where the module runs, before a secret with it is written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The way of ``docker login``: ask ``/v2/`` without a credential, then answer the challenge that comes back: Basic at the
registry itself, Bearer at the token server that the challenge names, and with the token at the registry once more.
"""

from __future__ import annotations

import time
import typing as t
from typing import NamedTuple

from .._core.concurrency import concurrent_map
from .._core.errors import MissingLibraryError, RegistryError
from .._credentials.auth_document import Login
from .._credentials.keyring import DOCKER_HUB_HOSTS, file_key
from .._http.session import HAS_REQUESTS
from .._registry.bearer import authorization, refused, unexpected
from .._registry.session import (
    DOCKER_HUB_API,
    RegistryHttp,
    RegistryNetwork,
)
from .desired import DesiredRegistry

_SIDE_BY_SIDE = 8


class LoginResult(NamedTuple):
    """What trying one login has shown: accepted, not_asked (the registry wants no credential), not_tried, refused or
    failed.

    ``error`` says why for the last two, ``status`` is the HTTP status code if an answer came.
    """

    registry: str
    username: str
    result: str
    error: str = ""
    status: int | None = None

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "registry": self.registry,
            "username": self.username,
            "result": self.result,
            "error": self.error or None,
            "status": self.status,
        }


class LoginsRefused(RegistryError):
    """At least one registry did not accept its credential, or could not be asked. ``tried`` are the results of all."""

    def __init__(self, message: str, tried: t.Sequence[LoginResult]) -> None:
        first = next(result for result in tried if result.error)
        super().__init__(message, registry=first.registry, status=first.status)
        self.tried = list(tried)

    def results(self) -> dict[str, t.Any]:
        return {**super().results(), "verified": [result.as_dict() for result in self.tried]}


def try_logins(registries: t.Sequence[DesiredRegistry]) -> list[LoginResult]:
    """Log in to every registry.

    Raise ``LoginsRefused`` with all refusals if there is one, ``MissingLibraryError`` without requests.
    """
    if not HAS_REQUESTS:
        raise MissingLibraryError(
            "verify: the Python library requests is not installed where the module runs; install it, or leave out "
            "verify"
        )
    tried = concurrent_map(_try_login, registries, _SIDE_BY_SIDE)
    errors = [result.error for result in tried if result.error]
    if errors:
        raise LoginsRefused(f"{'; '.join(errors)}; nothing was written", tried)
    return tried


def _try_login(registry: DesiredRegistry) -> LoginResult:
    login = registry.login or Login()
    if not _host(registry.registry):
        return LoginResult(registry.registry, login.shown_username, "not_tried")
    try:
        result = log_in(registry.registry, login, registry.insecure, registry.ca_cert)
    except RegistryError as exc:
        return LoginResult(
            registry.registry,
            login.shown_username,
            "refused" if exc.status in (401, 403) else "failed",
            str(exc),
            exc.status,
        )
    return LoginResult(registry.registry, login.shown_username, result)


def log_in(
    registry: str,
    login: Login,
    insecure: bool = False,
    ca_cert: str | None = None,
    *,
    sleep: t.Callable[[float], None] = time.sleep,
) -> str:
    """Return ``accepted`` or ``not_asked``.

    Raise ``RegistryError`` with the whole message if ``login`` does not open the registry.

    ``registry`` is a key that names one host. ``insecure`` and ``ca_cert`` are those of ``RegistryHttp``.
    """
    host = _host(registry)
    with RegistryNetwork(pool_size=1) as network:
        http = RegistryHttp(network, registry, insecure=insecure, ca_cert=ca_cert, sleep=sleep)
        return _log_in_at(http, DOCKER_HUB_API if host in DOCKER_HUB_HOSTS else host, login)


def _host(registry: str) -> str:
    """Return host[:port] of a key, "" if it names none, or more than one."""
    key = file_key(registry)
    return "" if key is None or "*" in key.host else key.host


def _log_in_at(http: RegistryHttp, host: str, login: Login) -> str:
    url = f"https://{host}/v2/"
    answer = http.send("GET", url)
    if answer.status == 200:
        return "not_asked"
    if answer.status == 403:
        # Some ask for no credential, and refuse who has none.
        raise http.error(
            f"lets nobody in without asking for a credential ({answer.said}); check host and port, and whether this "
            "host may reach it",
            403,
        )
    if answer.status != 401:
        raise unexpected(http, answer, "/v2/")
    answer = http.send("GET", url, headers={"Authorization": authorization(http, answer, login)})
    if answer.status in (401, 403):
        raise refused(http, answer, login)
    if answer.status != 200:
        raise unexpected(http, answer, "/v2/")
    return "accepted"
