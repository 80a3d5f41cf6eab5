# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login of one entry of the option ``registries``.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.errors import InputError
from .auth_document import Login, MalformedAuth, decode_auth, refuse_placeholder
from .keyring import has_user_info, shown_key


def refuse_user_info(registry: str) -> None:
    """Raise ``InputError`` for an entry of ``registries`` with a user name or password in its registry.

    The message does not repeat it.
    """
    if has_user_info(registry):
        raise InputError(
            f'registries: "{shown_key(registry)}" has a user name or password in it, which the cluster does not use '
            "and results would show; leave it out, and give username and password"
        )


def login_from_options(registry: str, entry: t.Mapping[str, t.Any]) -> Login | None:
    """Return the login of an entry of the option ``registries``; None if it gives no credential.

    Raises ``InputError`` with the whole message for a credential that no registry would take, or that would break
    imports.
    """
    begin = f'registries: "{registry}"'
    email = entry.get("email") or ""
    if entry.get("identity_token") is not None:
        if not entry["identity_token"]:
            raise InputError(f"{begin}: the identity_token is empty")
        login = Login(email=email, identity_token=entry["identity_token"])
        refuse_placeholder(login, begin)
        return login
    if entry.get("auth") is not None:
        try:
            username, password = decode_auth(entry["auth"])
        except MalformedAuth as exc:
            raise InputError(
                f"{begin} cannot be used: {exc}; it would break every image import of the namespace"
            ) from None
    elif entry.get("username") is None or entry.get("password") is None:
        return None
    else:
        username, password = entry["username"], entry["password"]
        if ":" in username:
            raise InputError(
                f'{begin}: the user name "{username}" has a colon in it, which a registry would take for the end of '
                "the name"
            )
    if not username or not password:
        missing = "user name" if not username else "password"
        raise InputError(
            f"{begin}: the {missing} is empty; the cluster would ask that registry anonymously and try no other secret "
            "for it"
        )
    login = Login(username, password, email)
    refuse_placeholder(login, begin)
    return login
