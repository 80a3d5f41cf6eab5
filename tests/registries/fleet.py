# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registries that tests need, started together: private, plain, selfsigned, and the contract's hub."""

from __future__ import annotations

import json
import os
import secrets
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .access import AccessPolicy, BasicAccess, HubAccess
from .certificates import Certificates, KeyPair, create_certificates, write_private
from .client import RegistryAddress, RegistryClient
from .content import RegistryContent
from .docker_registry import DockerRegistry, find_docker_registry
from .embedded import EmbeddedRegistry
from .ports import choose_port

DEFAULT_USER = "puller"
HUB_CREDENTIAL = ("hub", "good")
ENGINES = ("auto", "docker-registry", "embedded")
KINDS = ("private", "plain", "selfsigned")


class EngineMissing(Exception):
    """docker-registry was asked for by name and is not installed."""


@dataclass
class RegistryFleet:
    """All registries, running between ``start`` and ``stop`` (or inside ``with``).

    ``contents`` as read by ``content.load_contents`` (None: empty registries with a random password); ``ports`` are
    wishes, taken if they are free. Call ``start`` from the main thread, see ``DockerRegistry``.
    """

    directory: Path
    contents: Mapping[str, RegistryContent] | None = None
    engine: str = "auto"
    ports: Mapping[str, int] = field(default_factory=dict)

    addresses: dict[str, RegistryAddress] = field(default_factory=dict, init=False)
    certificates: Certificates = field(init=False)
    credential: tuple[str, str] = field(init=False)
    running: dict[str, DockerRegistry | EmbeddedRegistry] = field(default_factory=dict, init=False)
    program: Path | None = field(default=None, init=False)

    def __enter__(self) -> RegistryFleet:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def engine_in_use(self) -> str:
        """``docker-registry`` or ``embedded``; the hub is always embedded."""
        return "docker-registry" if self.program else "embedded"

    def start(self) -> None:
        """Start all registries and push their contents; nothing is left running when one of them fails."""
        self.program = self._choose_program()
        self.certificates = create_certificates(self.directory / "certificates")
        private = (self.contents or {}).get("private", RegistryContent())
        self.credential = private.credential or (DEFAULT_USER, secrets.token_urlsafe(12))
        try:
            for name in KINDS:
                self._start_one(name)
            self._start_hub()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop whatever runs."""
        while self.running:
            _name, registry = self.running.popitem()
            registry.stop()

    def hosts(self) -> dict[str, str]:
        """host:port by name: private, plain, selfsigned, hub."""
        return {name: address.host for name, address in self.addresses.items()}

    def client(self, name: str) -> RegistryClient:
        """Return a client for one of the registries, with its credential and trust; the caller closes it."""
        return RegistryClient(self.addresses[name])

    def _choose_program(self) -> Path | None:
        if self.engine not in ENGINES:
            raise ValueError(f"the engine is one of {', '.join(ENGINES)}, not {self.engine!r}")
        if self.engine == "embedded":
            return None
        program = find_docker_registry()
        if program is None and self.engine == "docker-registry":
            raise EngineMissing("docker-registry is not installed; Debian's package of that name has it")
        return program

    def _start_one(self, name: str) -> None:
        key_pair = {
            "private": self.certificates.trusted,
            "plain": None,
            "selfsigned": self.certificates.self_signed,
        }[name]
        credential = self.credential if name == "private" else None
        content = (self.contents or {}).get(name, RegistryContent())
        registry: DockerRegistry | EmbeddedRegistry
        if self.program is not None:
            registry = DockerRegistry(
                self.program,
                self.directory / name,
                key_pair=key_pair,
                credential=credential,
                preferred_port=self.ports.get(name, 0),
            )
            registry.start()
        else:
            access = BasicAccess(*credential) if credential else None
            registry = start_embedded(RegistryContent(), access=access, key_pair=key_pair, port=self.ports.get(name, 0))
        self.running[name] = registry
        self.addresses[name] = RegistryAddress(
            registry.host,
            username=credential[0] if credential else "",
            password=credential[1] if credential else "",
            ca_file=self.certificates.ca_file if name == "private" else None,
            insecure=name != "private",
        )
        with self.client(name) as client:
            client.push_content(content)

    def _start_hub(self) -> None:
        source = (self.contents or {}).get("plain", RegistryContent())
        content = RegistryContent(blobs=dict(source.blobs))
        if "team/plain" in source.repositories:
            for name in ("public/plain", "private/plain"):
                content.repositories[name] = source.repositories["team/plain"]
        hub = start_embedded(
            content,
            access=HubAccess(*HUB_CREDENTIAL),
            key_pair=self.certificates.trusted,
            port=self.ports.get("hub", 0),
        )
        self.running["hub"] = hub
        self.addresses["hub"] = RegistryAddress(hub.host, *HUB_CREDENTIAL, ca_file=self.certificates.ca_file)

    def write_state(self, path: Path) -> None:
        """Describe the running registries in a JSON file, and the password in a file of its own, both for the owner
        only. Written in one move, so a reader sees all or nothing."""
        password_file = self.directory / "password"
        write_private(password_file, self.credential[1].encode())
        document: dict[str, t.Any] = {
            "pid": os.getpid(),
            "engine": self.engine_in_use,
            "ca_file": str(self.certificates.ca_file),
            "username": self.credential[0],
            "password_file": str(password_file),
            "registries": {
                name: {
                    "host": address.host,
                    "scheme": "http" if name == "plain" else "https",
                    "trusted": not address.insecure,
                    "username": address.username or None,
                    "engine": "docker-registry" if isinstance(self.running[name], DockerRegistry) else "embedded",
                    "log": str(self._log_of(name)) if self._log_of(name) else None,
                }
                for name, address in self.addresses.items()
            },
        }
        unfinished = path.with_suffix(".unfinished")
        write_private(unfinished, json.dumps(document, indent=2).encode() + b"\n")
        unfinished.replace(path)

    def _log_of(self, name: str) -> Path | None:
        registry = self.running[name]
        return registry.log_file if isinstance(registry, DockerRegistry) else None


def start_embedded(
    content: RegistryContent,
    *,
    access: AccessPolicy | None = None,
    key_pair: KeyPair | None = None,
    port: int = 0,
) -> EmbeddedRegistry:
    """Start an embedded registry on the wished port, or on any free one when that is taken."""
    registry = EmbeddedRegistry(content, access=access, key_pair=key_pair, port=choose_port(port))
    try:
        registry.start()
    except OSError:
        registry.stop()
        raise
    return registry
