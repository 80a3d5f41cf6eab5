# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator as a server: HTTPS on loopback, in this event loop (``Emulator``) or in a thread
(``EmulatorThread``)."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import ssl
import threading
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from aiohttp import web
from registries.connections import abort_connections

from .access import AUTHENTICATED, MASTERS, User
from .app import Application
from .cluster import Cluster
from .control import Control
from .imports import BULK_LIMIT, ImportSettings
from .store import Object

HOST = "127.0.0.1"
ADMIN = User("system:admin", (MASTERS, AUTHENTICATED))
_START_SECONDS = 30.0


@dataclass
class EmulatorSettings:
    """How an emulator is set up. ``directory`` gets its certificates and kubeconfigs; ``port`` 0: any free one."""

    directory: Path
    port: int = 0
    registry_cas: list[Path] = field(default_factory=list)
    default_import_mode: str = "Legacy"
    bulk_limit: int = BULK_LIMIT
    control_plane_architecture: str = "amd64"
    switches: dict[str, t.Any] = field(default_factory=dict)
    """Positions of the switches of ``control.Control.change`` at the start."""


class Emulator:
    """The server, between ``start`` and ``stop`` or within ``async with``."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.port = settings.port
        self.control_token = secrets.token_urlsafe(24)
        platform = (settings.control_plane_architecture, "linux")
        self.cluster = Cluster(
            settings.registry_cas, ImportSettings(settings.bulk_limit, platform), settings.default_import_mode
        )
        self.control = Control(self.cluster, self.control_token)
        self.admin_token = self.cluster.access.issue(ADMIN)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._tls: ssl.SSLContext | None = None
        self._outage: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"https://{HOST}:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The authority that signed its certificate, and that of client certificates."""
        return self.settings.directory / "ca.crt"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with the administrator's token."""
        return self.settings.directory / "kubeconfig"

    async def __aenter__(self) -> Emulator:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Create certificates, listen, write the kubeconfig."""
        context = self._certificates()
        await self.cluster.transport.start()
        self.cluster.controllers.start()
        self.cluster.import_controller.start()
        self.cluster.owners.start()
        self.cluster.samples_operator.start()
        self.control.change(self.settings.switches)
        application = Application(self.cluster, self.control)
        application.begin_outage = self._begin_outage
        self._runner = web.AppRunner(application.build(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        self._tls = context
        await self._listen(self._runner)
        write_private(self.kubeconfig, json.dumps(self._kubeconfig(), indent=2))

    async def stop(self) -> None:
        """Close everything."""
        await self.cluster.samples_operator.stop()
        await self.cluster.owners.stop()
        await self.cluster.import_controller.stop()
        await self.cluster.controllers.stop()
        if self._outage is not None:
            await self._outage
        if self._runner is not None:
            await abort_connections(self._runner)
            await self._runner.cleanup()
            self._runner = None
        await self.cluster.transport.stop()

    async def _listen(self, runner: web.AppRunner) -> None:
        self._site = web.TCPSite(runner, HOST, self.port, ssl_context=self._tls)
        await self._site.start()
        sockets = t.cast(asyncio.Server, self._site._server).sockets
        self.port = sockets[0].getsockname()[1]

    def _begin_outage(self, seconds: float) -> None:
        """Reset every connection, and listen to nobody for a while; what is stored stays, as it does with etcd."""
        if self._outage is None or self._outage.done():
            self._outage = asyncio.get_running_loop().create_task(self._be_away(seconds))

    async def _be_away(self, seconds: float) -> None:
        runner, site = self._runner, self._site
        if runner is None or site is None:
            return
        await site.stop()
        await abort_connections(runner)
        await asyncio.sleep(seconds)
        await self._listen(runner)

    def state(self) -> Object:
        """How to reach and control it. Holds tokens: for files that only the owner may read."""
        return {
            "pid": os.getpid(),
            "url": self.url,
            "ca_file": str(self.ca_file),
            "admin_token": self.admin_token,
            "control_token": self.control_token,
            "kubeconfig": str(self.kubeconfig),
            "admin_certificate": str(self.settings.directory / "admin.crt"),
            "admin_key": str(self.settings.directory / "admin.key"),
        }

    def _certificates(self) -> ssl.SSLContext:
        directory = self.settings.directory
        directory.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA(organization_name="quayside emulator")
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", HOST, common_name="localhost").configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        admin = authority.issue_cert("admin", common_name=ADMIN.name, organization_name=MASTERS)
        (directory / "admin.crt").write_bytes(b"".join(blob.bytes() for blob in admin.cert_chain_pems))
        write_private(directory / "admin.key", admin.private_key_pem.bytes().decode())
        return context

    def _kubeconfig(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "emulator", "cluster": {"server": self.url, "certificate-authority": str(self.ca_file)}}
            ],
            "users": [{"name": "admin", "user": {"token": self.admin_token}}],
            "contexts": [
                {"name": "admin", "context": {"cluster": "emulator", "user": "admin", "namespace": "default"}}
            ],
            "current-context": "admin",
        }


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read, from its first byte on, in one move."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(content)
    unfinished.replace(path)


async def _end_other_tasks() -> None:
    """Cancel what still runs on this loop, such as watches whose clients are gone."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class EmulatorThread:
    """An emulator with an event loop of its own, for tests and programs that are not asynchronous."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self.emulator = Emulator(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> Emulator:
        """Start and wait until it listens."""
        self._thread.start()
        self.call(self.emulator.start())
        return self.emulator

    def stop(self) -> None:
        """Stop and wait for the thread to end."""
        self.call(self.emulator.stop())
        self.call(_end_other_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: t.Coroutine[t.Any, t.Any, t.Any]) -> t.Any:
        """Run a coroutine on the emulator's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
