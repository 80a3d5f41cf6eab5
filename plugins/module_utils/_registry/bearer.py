# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answering a registry's challenge: Basic at the registry itself, Bearer with a token of the server that the
challenge names.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .._core.errors import RegistryError
from .._core.masking import scrub
from .._core.outward import excerpt
from .session import RegistryAnswer, RegistryHttp

if t.TYPE_CHECKING:
    from .._credentials.auth_document import Login

_CLIENT_ID = "quayside.openshift_images"
_CHALLENGE = re.compile(r"(?:^|,)\s*(Basic|Bearer)(?:\s+|$)", re.IGNORECASE)
# Each word is looked at once: a challenge may be long.
_PARAMETER = re.compile(r'(?<![A-Za-z_])([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
# A challenge may word a scope in its own way, but only for reading one repository.
_PULL_SCOPE = re.compile(r"repository(?:\([a-z0-9]+\))?:[^\s:]+:pull")


def authorization(http: RegistryHttp, answer: RegistryAnswer, login: Login | None, scope: str = "") -> str:
    """Return the ``Authorization`` header that answers the 401 ``answer``.

    ``login`` is None to ask for an anonymous token.

    ``scope`` is what a token must open ("" for none: only that the login is good). Raises ``RegistryError`` with
    the whole message if the challenge cannot be answered or the token server refuses.
    """
    challenges = parse_challenges(answer.headers.get("WWW-Authenticate", ""))
    if "basic" in challenges and login is not None and login.password:
        return f"Basic {login.auth}"
    if "bearer" in challenges:
        return f"Bearer {_token(http, challenges['bearer'], answer.url, login, scope)}"
    if login is None:
        raise http.error("asks for a user name and a password; give its credential", answer.status)
    kind = "an identity token" if login.identity_token else "a user name and a password"
    raise http.error(f"asks for a credential in a way that {kind} cannot answer", answer.status)


def refused(http: RegistryHttp, answer: RegistryAnswer, login: Login | None) -> RegistryError:
    """Return the error for a login, or an anonymous request, that was refused."""
    if login is None:
        return http.error(f"gives no access without a credential ({answer.said}); give one", answer.status)
    who = f'the user "{login.shown_username}"' if login.password else "the identity token"
    return http.error(f"refused {who} ({answer.said}); correct the credential", answer.status)


def unexpected(http: RegistryHttp, answer: RegistryAnswer, where: str) -> RegistryError:
    """Return the error for an answer that no registry should give at ``where``."""
    hint = (
        "; it does not look like a registry, check host and port"
        if answer.status == 404 or 300 <= answer.status < 400
        else ""
    )
    if answer.status == 429:
        hint = "; it limits the rate of requests, retry later"
    if answer.status >= 500:
        hint = "; it fails itself, retry later"
    return http.error(f"answered {answer.said} at {where}{hint}", answer.status)


def parse_challenges(header: str) -> dict[str, dict[str, str]]:
    """Return the parameters of each challenge of a WWW-Authenticate header by its scheme, ``basic`` or ``bearer``."""
    found: dict[str, dict[str, str]] = {}
    schemes = list(_CHALLENGE.finditer(header))
    for position, scheme in enumerate(schemes):
        end = schemes[position + 1].start() if position + 1 < len(schemes) else len(header)
        parameters = {
            name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
            for name, quoted, plain in _PARAMETER.findall(header[scheme.end() : end])
        }
        found.setdefault(scheme.group(1).lower(), parameters)
    return found


def _token(http: RegistryHttp, challenge: t.Mapping[str, str], url: str, login: Login | None, scope: str) -> str:
    """Return the token that the challenge of the registry at ``url`` leads to.

    With TLS here there has to be TLS there, insecure or not: that is about certificates, and about hosts that do not
    speak TLS themselves.
    """
    realm = challenge.get("realm", "")
    if not realm.startswith("https://") and not (url.startswith("http://") and realm.startswith("http://")):
        what = "no token is fetched" if login is None else "no password is sent"
        raise http.error(
            f'names the token server "{scrub(excerpt(realm, 200))}", which is not reached over HTTPS; {what} there'
        )
    fields = {"client_id": _CLIENT_ID}
    if challenge.get("service"):
        fields["service"] = challenge["service"]
    if scope:
        named = challenge.get("scope", "")
        fields["scope"] = named if _PULL_SCOPE.fullmatch(named) else scope
    if login is None:
        answer = http.send("GET", realm, params=fields)
    elif login.identity_token:
        fields.update(grant_type="refresh_token", refresh_token=login.identity_token)
        answer = http.send("POST", realm, data=fields)
    else:
        fields["account"] = login.shown_username
        answer = http.send("GET", realm, params=fields, headers={"Authorization": f"Basic {login.auth}"})
    if answer.status in (400, 401, 403):
        raise refused(http, answer, login)
    if answer.status != 200:
        raise unexpected(http, answer, "its token server")
    token = answer.json_object()
    text = token.get("token") or token.get("access_token")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise http.error("has a token server that answered without a token")
    return text
