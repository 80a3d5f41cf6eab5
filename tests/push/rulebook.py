# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook with a rulebook of the collection, as a child process."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import typing as t
from pathlib import Path

import yaml

_START_SECONDS = 120.0
# Where the environment of its own is: it has ansible-rulebook, ansible-core and the modules' libraries.
BIN = "QUAYSIDE_TEST_EDA_BIN"


class RulebookDidNotStartError(Exception):
    """It ended or did not listen in time; the message names its log."""


class Rulebook:
    """Runs between ``start`` and ``stop``. Its sources listen on the ports; start it from the main thread."""

    def __init__(
        self,
        directory: Path,
        inventory: t.Mapping[str, t.Any],
        variables: t.Mapping[str, t.Any],
        ports: t.Sequence[int],
    ) -> None:
        self.directory = directory
        self.log_file = directory / "rulebook.log"
        self._inventory = inventory
        self._variables = variables
        self._ports = ports
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Rulebook:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self, rulebook: str = "quayside.openshift_images.registry_push") -> None:
        """Start it and wait until every source listens."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "home").mkdir(exist_ok=True)
        files = {"inventory.yml": self._inventory, "variables.yml": self._variables}
        for name, content in files.items():
            (self.directory / name).write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
            (self.directory / name).chmod(0o600)
        folder = os.environ[BIN]
        command = ["setpriv", "--pdeathsig", "TERM", f"{folder}/ansible-rulebook", "--rulebook", rulebook]
        command += [
            "--inventory",
            str(self.directory / "inventory.yml"),
            "--vars",
            str(self.directory / "variables.yml"),
        ]
        # Nothing of this process counts but where programs and the collection are.
        environment = {
            "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.directory / "home"),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not all(map(listens, self._ports)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RulebookDidNotStartError(
                    f"ansible-rulebook did not start, see {self.log_file}:\n{self.log()[-3000:]}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """End it and wait for its end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        """The process while it runs."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Everything that it and its playbooks wrote."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
