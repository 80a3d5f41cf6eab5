# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is reached, as values: address, credential, trust, proxy, impersonation. No file or network is touched here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType
from typing import NamedTuple


class Pem(NamedTuple):
    """Certificates or a key in PEM form: the path of a file, or the text itself. ``origin`` names it in error messages."""

    origin: str
    path: str | None = None
    text: str | None = None

    def __repr__(self) -> str:
        # the text can be a key
        return f"Pem({self.described!r})"

    @property
    def described(self) -> str:
        """The origin, and the file where there is one."""
        return f"{self.origin} ({self.path})" if self.path else self.origin

    @property
    def named(self) -> str:
        """The same at the start of a sentence."""
        return self.described[0].upper() + self.described[1:]


class Impersonation(NamedTuple):
    """As whom the API server shall treat the requests; every part is sent as its own ``Impersonate-*`` header."""

    user: str | None = None
    groups: tuple[str, ...] = ()
    uid: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        """Header names and values in the order of sending; a group or extra value has a header of its own."""
        found: list[tuple[str, str]] = []
        if self.user:
            found.append(("Impersonate-User", self.user))
        found.extend(("Impersonate-Group", group) for group in self.groups)
        if self.uid:
            found.append(("Impersonate-Uid", self.uid))
        found.extend((f"Impersonate-Extra-{key}", value) for key, value in self.extra)
        return found


class Connection(NamedTuple):
    """Everything that a client needs to reach one cluster.

    ``credential_origin`` says in words where the credential came from ("" where there is none), never its value.
    ``renew_token`` gets a fresh bearer token (a token file that is rotated, an exec plugin); the client asks it once
    after a 401. ``proxy`` is None where ``no_proxy`` excludes the host.
    """

    host: str
    token: str | None = None
    username: str | None = None
    password: str | None = None
    client_cert: Pem | None = None
    client_key: Pem | None = None
    ca: Pem | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    proxy_headers: t.Mapping[str, str] = MappingProxyType({})
    impersonation: Impersonation = Impersonation()
    credential_origin: str = ""
    renew_token: t.Callable[[], str] | None = None

    def __repr__(self) -> str:
        # no credential gets into a traceback or a log
        return f"Connection({self.host!r})"
