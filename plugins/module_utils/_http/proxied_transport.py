# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to one cluster through a proxy. Imported only where there is one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ssl
import typing as t
from urllib.parse import unquote, urlsplit

from ansible.module_utils.basic import missing_required_lib

from .._cluster.connection import Connection
from .._core.errors import MissingLibraryError
from .session import load_system_ca, trusting


def proxy_manager(connection: Connection, pools: dict[str, t.Any]) -> t.Any:
    """The pools of connections through the proxy, with its own headers, and with TLS settings of its own for one that is itself
    reached by TLS. ``pools``: the settings for the cluster. Raises ConfigurationError, MissingLibraryError."""
    proxy = connection.proxy or ""
    if proxy.startswith("socks"):
        return _through_socks(proxy, pools)
    import urllib3

    if not proxy.startswith("https:"):
        return urllib3.ProxyManager(proxy, proxy_headers=dict(connection.proxy_headers), **pools)
    context = _proxy_context(connection)
    # the second one is for a host without TLS, where urllib3 before 2 takes the proxy for the server
    pools = {"ssl_context": context, **pools}
    return urllib3.ProxyManager(proxy, proxy_headers=dict(connection.proxy_headers), proxy_ssl_context=context, **pools)


def _through_socks(proxy: str, pools: dict[str, t.Any]) -> t.Any:
    try:
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError:
        raise MissingLibraryError(missing_required_lib("PySocks", reason="for a SOCKS proxy")) from None
    parts = urlsplit(proxy)
    username, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return SOCKSProxyManager(proxy, username=username, password=password, **pools)


def _proxy_context(connection: Connection) -> ssl.SSLContext:
    """The system's CAs and the cluster's."""
    context = trusting(connection)
    if connection.verify and connection.ca is not None:
        load_system_ca(context)
    return context
