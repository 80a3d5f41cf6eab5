# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers, certificates and clients for tests of the way to the cluster."""

from __future__ import annotations

import socket
import ssl
import typing as t

import pytest
import trustme
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import ClusterClient
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.retry import RetryPolicy
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    ScriptedServer,
)


@pytest.fixture
def api() -> t.Iterator[ScriptedServer]:
    """Yield a plain HTTP server."""
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    ca = trustme.CA(organization_name="Unit test CA")
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    client = ca.issue_cert("developer@example.com")
    client.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))
    client.private_key_pem.write_to_path(str(folder / "client.key"))
    return Authority(ca, folder / "ca.pem", ca.cert_pem.bytes().decode(), folder / "client.pem", folder / "client.key")


@pytest.fixture
def serve() -> t.Iterator[t.Callable[..., ScriptedServer]]:
    """``serve(tls_context)`` starts one more server for this test."""
    servers: list[ScriptedServer] = []

    def start(tls: ssl.SSLContext | None = None) -> ScriptedServer:
        servers.append(ScriptedServer(tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def make_client() -> t.Iterator[t.Callable[..., ClusterClient]]:
    """``make_client(connection, **keywords)``: a client whose waits take no time; they are in ``client.waits``."""
    clients: list[ClusterClient] = []

    def make(connection: Connection, **keywords: t.Any) -> ClusterClient:
        waits: list[float] = []
        client = ClusterClient(connection, sleep=waits.append, **keywords)
        client.waits = waits  # type: ignore[attr-defined]
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def quick() -> RetryPolicy:
    """Few tries, for tests of what comes after the last one."""
    return RetryPolicy(busy_attempts=2, broken_attempts=2, slow_attempts=2)


@pytest.fixture
def free_port() -> int:
    """Return a port where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
