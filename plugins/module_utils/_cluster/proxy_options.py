# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options for a proxy, as they are used: its address, its headers, and which hosts are reached without it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import ipaddress
import typing as t
from urllib.parse import unquote, urlsplit

from .._core.errors import InputError
from .access import split_url

Params = t.Mapping[str, t.Any]


def proxy_address(proxy: str, named_by: str) -> str:
    """The proxy's URL. Raises InputError for what is none."""
    text = proxy.strip() if "://" in proxy else f"http://{proxy.strip()}"
    parts = split_url(text)
    if parts is None or parts.scheme not in ("http", "https", "socks5", "socks5h", "socks4", "socks4a") or not parts.hostname:
        raise InputError(f"The value of {named_by} is not the URL of a proxy; write it like http://proxy.example.com:3128.")
    return parts.scheme + text[len(parts.scheme) :]


def proxy_headers(options: Params, proxy: str) -> dict[str, str]:
    """What the option proxy_headers adds to the requests for the proxy, and the credential in the proxy's URL, which ``urllib3``
    leaves out."""
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
    """Whether ``no_proxy`` (names, domains, addresses, networks, each with an optional port, or ``*``; comma-separated) names the host."""
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
