# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to one cluster through a proxy. Imported only where there is one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ssl
import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._transport import ClusterAdapter, in_time, load_system_ca, trusting


class ProxiedAdapter(ClusterAdapter):
    """Has the proxy's headers, and TLS settings of its own for a proxy that is itself reached by TLS."""

    def __init__(self, connection: Connection, pool_size: int) -> None:
        by_tls = connection.proxy is not None and connection.proxy.startswith("https:")
        self._proxy_context = _proxy_context(connection) if by_tls else None
        self._proxy_headers = dict(connection.proxy_headers)
        super().__init__(connection, pool_size)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        if proxy in self.proxy_manager:
            return self.proxy_manager[proxy]
        if self._proxy_context is not None:
            # the second one is for a host without TLS, where urllib3 before 2 takes the proxy for the server
            kwargs.update({"proxy_ssl_context": self._proxy_context, "ssl_context": self._proxy_context})
        return in_time(super().proxy_manager_for(proxy, **{**kwargs, **self.tls}))

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        # all that requests would add is the credential of the URL, as Latin-1
        return self._proxy_headers if "Proxy-Authorization" in self._proxy_headers else {**super().proxy_headers(proxy), **self._proxy_headers}


def _proxy_context(connection: Connection) -> ssl.SSLContext:
    """The system's CAs and the cluster's."""
    context = trusting(connection)
    if connection.verify and connection.ca is not None:
        load_system_ca(context)
    return context
