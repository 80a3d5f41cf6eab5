# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running lab: registries, cluster, namespaces, users, and the files that describe them."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registries.certificates import write_private
from registries.fleet import RegistryFleet
from registries.lifetime import process_start

from .emulator_process import EmulatorProcess
from .files import ADMIN, lab_environment, write_environment, write_kubeconfig
from .kubernetes_api import ApiAccess, LabSetup

STATE_FILE = "lab.json"
FOLDERS = ("registries", "cluster")
ENVIRONMENT_FILE = "lab.env"
DEFAULT_NAMESPACES = ("shop", "billing")


@dataclass
class Lab:
    """Runs between ``start`` and ``stop`` (or inside ``with``); start it from the main thread.

    ``controllers``: whether the cluster imports by itself and gives service accounts their secrets, as a real one does.
    ``namespaces`` are created. Users: ``admin`` (everything), ``developer`` (edit in the namespaces), ``viewer``
    (view in the namespaces).
    """

    directory: Path
    controllers: bool = True
    engine: str = "auto"
    namespaces: Sequence[str] = DEFAULT_NAMESPACES

    fleet: RegistryFleet = field(init=False)
    access: ApiAccess = field(init=False)
    environment: dict[str, str] = field(default_factory=dict, init=False)
    _cluster: EmulatorProcess | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.directory = self.directory.resolve()
        self.fleet = RegistryFleet(self.directory / "registries", None, self.engine)

    def __enter__(self) -> Lab:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with a context for each user."""
        return self.directory / "kubeconfig"

    @property
    def environment_file(self) -> Path:
        """A file to be sourced by a shell."""
        return self.directory / ENVIRONMENT_FILE

    def start(self) -> None:
        """Start everything; nothing is left running when a part of it fails."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self.fleet.start()
            ca_file = self.fleet.certificates.ca_file
            self._cluster = EmulatorProcess(self.directory / "cluster", ca_file, controllers=self.controllers)
            self.access = self._cluster.start()
            tokens = {ADMIN: self.access.token, **self._create_users()}
            write_kubeconfig(self.kubeconfig, self.access, tokens, self.namespaces[0])
            self.environment = lab_environment(self.access, self.kubeconfig, self.fleet.addresses, ca_file)
            write_environment(self.environment_file, self.environment)
            self._write_state()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; the files stay, except the one that says that it runs."""
        (self.directory / STATE_FILE).unlink(missing_ok=True)
        if self._cluster is not None:
            self._cluster.stop()
            self._cluster = None
        self.fleet.stop()

    def _create_users(self) -> dict[str, str]:
        with LabSetup(self.access) as setup:
            for namespace in self.namespaces:
                setup.create_namespace(namespace)
            return {
                user: setup.create_user(user, dict.fromkeys(self.namespaces, role))
                for user, role in (("developer", "edit"), ("viewer", "view"))
            }

    def _write_state(self) -> None:
        document: dict[str, t.Any] = {
            "pid": os.getpid(),
            "started": process_start(os.getpid()),
            "api": self.access.host,
            "kubeconfig": str(self.kubeconfig),
            "environment_file": str(self.environment_file),
            "engine": self.fleet.engine_in_use,
            "registries": self.fleet.hosts(),
            "emulator": str(self._cluster.state_file) if self._cluster else None,
            "environment": self.environment,
        }
        unfinished = self.directory / (STATE_FILE + ".unfinished")
        write_private(unfinished, json.dumps(document, indent=2).encode() + b"\n")
        unfinished.replace(self.directory / STATE_FILE)
