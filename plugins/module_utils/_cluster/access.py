# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of a task to a connection: which of them decides, in the order that kubernetes.core documents.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
import typing as t
from urllib.parse import unquote, urlsplit

from .._core.errors import ConfigurationError, InputError
from .._core.masking import basic_credential, is_content, url_passwords
from .._core.names import check_path
from .._http.tls import Pem
from .connection import TOKEN_TEXT, Connection, Mask, split_url
from .options import environment_names, environment_value, in_environment, option_origin

Params = t.Mapping[str, t.Any]
SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
SERVICE_ACCOUNT_CA = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
_HEADER_TEXT = r"[^\x00-\x1f\x7f]+\Z"


def connection_from_params(params: Params, mask: Mask) -> Connection:
    """Return the connection that the cluster options describe.

    In this order: host with a credential of its own; a named kubeconfig or context; the kubeconfig of
    ``$KUBECONFIG``; the service account of the pod; the kubeconfig at the default place; host alone. Options that
    are set then replace what was found. Every secret that is met on the way goes to ``mask``; those of the options
    themselves are in ``option_secrets``. Raises InputError, ConfigurationError, MissingLibraryError; nothing is
    sent.
    """
    _refuse_two_clusters(params, mask)
    connection = _with_options(_base(params, mask), params)
    _check(connection)
    mask(_connection_secrets(connection))
    return connection


def _refuse_two_clusters(params: Params, mask: Mask) -> None:
    """Raise InputError if the environment names another cluster than the task or its host.

    The environment's cluster would be used instead, or its credential would be sent to the cluster of the task.
    """
    host, kubeconfig = params.get("host"), params.get("kubeconfig")
    host_variable, file_variable = in_environment("host", host), in_environment("kubeconfig", kubeconfig)
    context = None if in_environment("context", params.get("context")) else params.get("context")
    if host_variable:
        if (kubeconfig and not file_variable) or context:
            option = "kubeconfig" if kubeconfig and not file_variable else "context"
            _refuse_another(
                option, _server_of(kubeconfig, params, mask), host_variable, _address(str(host), host_variable)
            )
        return
    credentials = [name for name in ("api_key", "password", "client_cert") if in_environment(name, params.get(name))]
    borrows = bool(credentials) or (file_variable is not None and not _own_credential(params))
    if host and borrows:
        named = _address(host, "the option host")
        other = environment_value("host")
        if other:
            _refuse_another("host", named, environment_names("host")[0], _address(other, environment_names("host")[0]))
        if file_variable:
            _refuse_another("host", named, file_variable, _server_of(kubeconfig, params, mask))
    elif kubeconfig and credentials and not file_variable:
        other = environment_value("kubeconfig")
        if other:
            _refuse_another(
                "kubeconfig",
                _server_of(kubeconfig, params, mask),
                environment_names("kubeconfig")[0],
                _server_of(other, {}, mask),
            )


def _refuse_another(option: str, named: str, variable: str, other: str) -> None:
    if named.lower() != other.lower():
        raise InputError(
            f"The option {option} names the cluster {named}, and the environment variable {variable} names {other}; "
            f"unset {variable}, or leave the option {option} out."
        )


def _server_of(kubeconfig: t.Any, params: Params, mask: Mask) -> str:
    source = kubeconfig or _default_paths_for_context(str(params.get("context")))
    return _address(_kubeconfig().load_kubeconfig(source, params.get("context"), mask).cluster.server, "the kubeconfig")


def _own_credential(params: Params) -> bool:
    return bool(
        params.get("api_key") or (params.get("username") and params.get("password")) or params.get("client_cert")
    )


def _base(params: Params, mask: Mask) -> Connection:
    host = params.get("host")
    if host and _own_credential(params):
        return Connection(host=host)
    if params.get("kubeconfig") or params.get("context"):
        return _from_kubeconfig(params, params.get("kubeconfig") or _default_paths_for_context(params["context"]), mask)
    # before the pod's own account, as kubectl and oc do
    paths = _kubeconfig().kubeconfig_paths_of_environment()
    if paths:
        return _from_kubeconfig(params, paths, mask)
    if (
        os.path.isfile(SERVICE_ACCOUNT_TOKEN)
        and os.environ.get("KUBERNETES_SERVICE_HOST")
        and os.environ.get("KUBERNETES_SERVICE_PORT")
    ):
        return _of_the_pod(mask)
    paths = _kubeconfig().default_kubeconfig_paths()
    if paths:
        return _from_kubeconfig(params, paths, mask)
    if host:
        return Connection(host=host)
    raise ConfigurationError(
        "No cluster is named: set the options host and api_key, or kubeconfig (or K8S_AUTH_HOST and K8S_AUTH_API_KEY "
        "in the environment);"
        " there is no kubeconfig at the default place either, and this is not a pod with a service account."
    )


def _kubeconfig() -> t.Any:
    """Return the module that reads kubeconfigs and tokens."""
    from . import kubeconfig  # noqa: PLC0415 - yaml comes with it, and host and token need neither

    return kubeconfig


def _of_the_pod(mask: Mask) -> Connection:
    """Return the connection of the pod's service account, whose token is read again after a 401."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    origin = "the service account of this pod"
    return Connection(
        host=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        token=_kubeconfig().read_bearer_token(SERVICE_ACCOUNT_TOKEN, origin),
        ca=Pem(f"the CA file of {origin}", path=SERVICE_ACCOUNT_CA),
        credential_origin=f"{origin} ({SERVICE_ACCOUNT_TOKEN})",
        renew_token=_kubeconfig().renewal(
            lambda: _kubeconfig().read_bearer_token(SERVICE_ACCOUNT_TOKEN, origin), origin, mask
        ),
    )


def _default_paths_for_context(context: str) -> list[str]:
    paths: list[str] = _kubeconfig().kubeconfig_paths_of_environment() or _kubeconfig().default_kubeconfig_paths()
    if not paths:
        raise ConfigurationError(
            f"The context '{context}' is named, but there is no kubeconfig: set the option kubeconfig or $KUBECONFIG."
        )
    return paths


def _from_kubeconfig(params: Params, source: t.Any, mask: Mask) -> Connection:
    context = _kubeconfig().load_kubeconfig(source, params.get("context"), mask)
    cluster, user = context.cluster, context.user
    connection = Connection(
        host=cluster.server,
        client_cert=user.client_cert,
        client_key=user.client_key,
        ca=cluster.ca,
        verify=cluster.verify,
        server_name=cluster.server_name,
        proxy=cluster.proxy,
        cluster_origin=cluster.origin,
        impersonation=user.impersonation,
        credential_origin=user.origin if user.client_cert else "",
    )
    if params.get("api_key") or (params.get("username") and params.get("password")):
        # the task's own credential replaces the user's, so no plugin has to run for it
        return connection
    if user.auth_provider is not None or (user.exec_plugin is not None and not (user.token or user.token_file)):
        from .kubernetes_library import plugin_connection  # noqa: PLC0415 - the kubernetes library takes a second

        return plugin_connection(connection, context, bool(params.get("persist_config")), mask)
    if user.token_file:
        path = user.token_file
        token = user.token or _kubeconfig().read_bearer_token(path, user.origin)
        again = _kubeconfig().renewal(lambda: _kubeconfig().read_bearer_token(path, user.origin), user.origin, mask)
        return connection._replace(token=token, renew_token=again, credential_origin=user.origin)
    if user.token:
        return connection._replace(token=user.token, credential_origin=user.origin)
    if user.username and user.password:
        return connection._replace(username=user.username, password=user.password, credential_origin=user.origin)
    return connection


def _with_options(connection: Connection, params: Params) -> Connection:
    for option in ("ca_cert", "client_cert", "client_key"):
        if params.get(option):
            check_path(option, params[option])
    named_by = option_origin("host", params["host"]) if params.get("host") else connection.cluster_origin
    changes: dict[str, t.Any] = {
        "host": _address(params.get("host") or connection.host, named_by),
        "cluster_origin": named_by,
    }
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
        excluded = excluded_from_proxy(changes["host"], params.get("no_proxy") or "")
        origin = option_origin("proxy", proxy) if params.get("proxy") else f"proxy-url of {connection.cluster_origin}"
        changes["proxy"] = None if excluded else proxy_address(proxy, origin)
        changes["proxy_origin"] = origin
        changes["proxy_headers"] = proxy_headers(params.get("proxy_headers") or {}, changes["proxy"] or "")
    impersonation = connection.impersonation
    changes["impersonation"] = impersonation._replace(
        user=params.get("impersonate_user") or impersonation.user,
        groups=tuple(params.get("impersonate_groups") or impersonation.groups),
    )
    return connection._replace(**changes)


def _check(connection: Connection) -> None:
    """Refuse what cannot be sent, in words that do not repeat a secret."""
    if connection.token is not None and not re.match(TOKEN_TEXT, connection.token):
        raise InputError(
            f"The bearer token of {connection.credential_origin} holds a character that no token has, such as a space "
            "or a line end."
        )
    impersonation = connection.impersonation
    if (impersonation.groups or impersonation.uid or impersonation.extra) and not impersonation.user:
        raise InputError(
            "impersonate_groups needs impersonate_user: the API server does not impersonate a group alone."
        )
    for name, value in impersonation.headers():
        if not re.match(_HEADER_TEXT, value):
            raise InputError(f"The value for {name} is empty or holds a control character.")


def _address(host: str, named_by: str) -> str:
    """Return the API server's URL without a trailing slash. Raises InputError for what is no such URL."""
    text = host.strip().rstrip("/")
    parts = split_url(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        shown = re.sub(r"//[^/@]*@", "//", text)
        raise InputError(
            f"'{shown}' of {named_by} is not the URL of an API server; write it like "
            "https://api.cluster.example.com:6443."
        )
    if parts.username is not None or parts.password is not None:
        raise InputError(f"The URL of {named_by} holds a user name or password; use the options username and password.")
    return parts.scheme + text[len(parts.scheme) :]


def option_secrets(params: Params) -> set[str]:
    """Return every secret in the cluster options.

    Those inside of a kubeconfig that is given as content count too, and the password of every URL in whatever option.
    """
    found: set[str | None] = {params.get("api_key"), params.get("password")}
    kubeconfig = params.get("kubeconfig")
    if kubeconfig:
        found |= _contents_of(kubeconfig) or _kubeconfig().kubeconfig_secrets(kubeconfig)
    if params.get("username") and params.get("password"):
        found.add(basic_credential(params["username"], params["password"]))
    headers = params.get("proxy_headers") or {}
    for name in ("proxy_basic_auth", "basic_auth"):
        value = headers.get(name)
        if value:
            found |= {value, value.partition(":")[2]}
    found |= url_passwords(params)
    return {value for value in found if value}


def _contents_of(kubeconfig: t.Any) -> set[str]:
    """Return what is a kubeconfig's content as a string, in any form, where a path may stand too."""
    texts = kubeconfig if isinstance(kubeconfig, (list, tuple)) else [kubeconfig]
    return {
        text for text in texts if isinstance(text, str) and (_kubeconfig().is_kubeconfig_text(text) or is_content(text))
    }


def _connection_secrets(connection: Connection) -> set[str]:
    found = {connection.token, connection.password} | url_passwords(connection.proxy)
    if connection.username and connection.password:
        found.add(basic_credential(connection.username, connection.password))
    if connection.client_key is not None:
        found.add(connection.client_key.text)
    return {value for value in found if value}


def proxy_address(proxy: str, named_by: str) -> str:
    """Return the proxy's URL. Raises InputError for what is none."""
    text = proxy.strip() if "://" in proxy else f"http://{proxy.strip()}"
    parts = split_url(text)
    if (
        parts is None
        or parts.scheme not in ("http", "https", "socks5", "socks5h", "socks4", "socks4a")
        or not parts.hostname
    ):
        raise InputError(
            f"The value of {named_by} is not the URL of a proxy; write it like http://proxy.example.com:3128."
        )
    return parts.scheme + text[len(parts.scheme) :]


def proxy_headers(options: Params, proxy: str) -> dict[str, str]:
    """Return what the option proxy_headers adds to the requests for the proxy.

    The credential in the proxy's URL is added too, which ``urllib3`` leaves out.
    """
    headers = {}
    parts = urlsplit(proxy)
    if parts.username and parts.password is not None:
        headers["Proxy-Authorization"] = f"Basic {_base64(f'{unquote(parts.username)}:{unquote(parts.password)}')}"
    if options.get("proxy_basic_auth"):
        headers["Proxy-Authorization"] = f"Basic {_base64(options['proxy_basic_auth'])}"
    if options.get("basic_auth"):
        headers["Authorization"] = f"Basic {_base64(options['basic_auth'])}"
    if options.get("user_agent"):
        headers["User-Agent"] = options["user_agent"]
    return headers


def excluded_from_proxy(host: str, no_proxy: str) -> bool:
    """Return whether ``no_proxy`` names the host.

    It has names, domains, addresses and networks, each with an optional port, or ``*``, separated by commas.
    """
    parts = urlsplit(host)
    name = (parts.hostname or "").lower().rstrip(".")
    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    return any(entry == "*" or _matches(name, port, entry) for entry in entries if entry)


def _matches(name: str, port: str, entry: str) -> bool:
    try:
        return ipaddress.ip_address(name) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pattern, separator, wanted_port = entry.rpartition(":")
        if not separator or not wanted_port.isdigit():
            pattern, wanted_port = entry, port
        domain = pattern.strip("[]").lstrip("*").lstrip(".")
        return bool(domain) and wanted_port == port and (name == domain or name.endswith(f".{domain}"))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")
