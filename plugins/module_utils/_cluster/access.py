# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of a task to a connection: which of them decides, in the order that kubernetes.core documents.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import SplitResult, urlsplit

from .._core.errors import InputError
from .._core.masking import basic_credential, url_passwords
from .connection import Connection, Pem
from .options import option_origin

if t.TYPE_CHECKING:
    from .kubeconfig import Mask

Params = t.Mapping[str, t.Any]
_HEADER_TEXT = r"[^\x00-\x1f\x7f]+\Z"
TOKEN_TEXT = r"[\x21-\x7e]+\Z"


def connection_from_params(params: Params, mask: Mask) -> Connection:
    """The connection that the cluster options describe.

    In this order: host with a credential of its own; a named kubeconfig or context; the service account of the pod;
    the default kubeconfig; host alone. Options that are set then replace what was found. Every secret that is met on the
    way goes to ``mask``; those of the options themselves are in ``option_secrets``.
    Raises InputError, ConfigurationError, MissingLibraryError; nothing is sent.
    """
    connection = _with_options(_base(params, mask), params)
    _check(connection)
    mask(_connection_secrets(connection))
    return connection


def _base(params: Params, mask: Mask) -> Connection:
    host = params.get("host")
    own_credential = params.get("api_key") or (params.get("username") and params.get("password")) or params.get("client_cert")
    if host and own_credential:
        return Connection(host=host)
    from .cluster_files import connection_from_files

    return connection_from_files(params, mask)


def _with_options(connection: Connection, params: Params) -> Connection:
    changes: dict[str, t.Any] = {"host": _address(params.get("host") or connection.host, "the option host" if params.get("host") else "the kubeconfig")}
    if params.get("client_cert"):
        changes["client_cert"] = Pem("the option client_cert", path=params["client_cert"])
        changes["client_key"] = None
        changes["credential_origin"] = option_origin("client_cert", params["client_cert"])
    if params.get("client_key"):
        if not params.get("client_cert") and connection.client_cert is None:
            raise InputError("The option client_key needs the option client_cert.")
        changes["client_key"] = Pem("the option client_key", path=params["client_key"])
    if params.get("api_key"):
        changes.update(token=params["api_key"].strip(), username=None, password=None, renew_token=None)
        changes["credential_origin"] = option_origin("api_key", params["api_key"])
    elif params.get("username") and params.get("password"):
        changes.update(token=None, username=params["username"], password=params["password"], renew_token=None)
        changes["credential_origin"] = option_origin("password", params["password"])
    if params.get("ca_cert"):
        changes["ca"] = Pem("the option ca_cert", path=params["ca_cert"])
    if params.get("validate_certs") is not None:
        changes["verify"] = params["validate_certs"]
    proxy = params.get("proxy") or connection.proxy
    if proxy:
        from .proxy_options import excluded_from_proxy, proxy_address, proxy_headers

        excluded = excluded_from_proxy(changes["host"], params.get("no_proxy") or "")
        changes["proxy"] = None if excluded else proxy_address(proxy, "the option proxy" if params.get("proxy") else "proxy-url of the kubeconfig")
        changes["proxy_headers"] = proxy_headers(params.get("proxy_headers") or {}, changes["proxy"] or "")
    impersonation = connection.impersonation
    changes["impersonation"] = impersonation._replace(
        user=params.get("impersonate_user") or impersonation.user,
        groups=tuple(params.get("impersonate_groups") or impersonation.groups),
    )
    return connection._replace(**changes)


def _check(connection: Connection) -> None:
    """What cannot be sent ends here, in words that do not repeat a secret."""
    if connection.token is not None and not re.match(TOKEN_TEXT, connection.token):
        raise InputError(f"The bearer token of {connection.credential_origin} holds a character that no token has, such as a space or a line end.")
    impersonation = connection.impersonation
    if (impersonation.groups or impersonation.uid or impersonation.extra) and not impersonation.user:
        raise InputError("impersonate_groups needs impersonate_user: the API server does not impersonate a group alone.")
    for name, value in impersonation.headers():
        if not re.match(_HEADER_TEXT, value):
            raise InputError(f"The value for {name} is empty or holds a control character.")


def _address(host: str, named_by: str) -> str:
    """The API server's URL without a trailing slash. Raises InputError for what is no such URL."""
    text = host.strip().rstrip("/")
    parts = split_url(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        shown = re.sub(r"//[^/@]*@", "//", text)
        raise InputError(f"'{shown}' of {named_by} is not the URL of an API server; write it like https://api.cluster.example.com:6443.")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"The URL of {named_by} holds a user name or password; use the options username and password.")
    return parts.scheme + text[len(parts.scheme) :]


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL; None for what is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def option_secrets(params: Params) -> set[str]:
    """Every secret in the cluster options, those inside of a kubeconfig given as content included, and the password of
    every URL in whatever option."""
    found: set[str | None] = {params.get("api_key"), params.get("password")}
    kubeconfig = params.get("kubeconfig")
    if kubeconfig:
        from .kubeconfig import is_kubeconfig_text
        from .kubeconfig_secrets import kubeconfig_secrets

        found |= {kubeconfig} if is_kubeconfig_text(kubeconfig) else kubeconfig_secrets(kubeconfig)
    if params.get("username") and params.get("password"):
        found.add(basic_credential(params["username"], params["password"]))
    headers = params.get("proxy_headers") or {}
    for name in ("proxy_basic_auth", "basic_auth"):
        value = headers.get(name)
        if value:
            found |= {value, value.partition(":")[2]}
    found |= url_passwords(params)
    return {value for value in found if value}


def _connection_secrets(connection: Connection) -> set[str]:
    found = {connection.token, connection.password} | url_passwords(connection.proxy)
    if connection.username and connection.password:
        found.add(basic_credential(connection.username, connection.password))
    if connection.client_key is not None:
        found.add(connection.client_key.text)
    return {value for value in found if value}
