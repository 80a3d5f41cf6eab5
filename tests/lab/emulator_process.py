# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster emulator as a child process, known here only by its command line and its state file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .kubernetes_api import ApiAccess

_START_SECONDS = 30.0
# every OpenShift project gets its service accounts soon after its creation, not with it
_ACCOUNTS_AFTER = 0.2
_TESTS = Path(__file__).parents[1]


class ClusterDidNotStartError(Exception):
    """The emulator ended or wrote no state file in time; the message names its log."""


class EmulatorProcess:
    """One emulator below ``directory``; ends with the thread that started it, so start it from the main thread."""

    def __init__(self, directory: Path, registry_ca: Path, *, controllers: bool) -> None:
        self.directory = directory
        self.log_file = directory / "emulator.log"
        self.state_file = directory / "emulator.json"
        self._registry_ca = registry_ca
        self._controllers = controllers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> ApiAccess:
        """Start it and wait until it serves; returns how an administrator reaches it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state_file.unlink(missing_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(_TESTS)},
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.state_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ClusterDidNotStartError(f"the cluster emulator did not start, see {self.log_file}")
            time.sleep(0.05)
        state = json.loads(self.state_file.read_text(encoding="utf-8"))
        return ApiAccess(state["url"], Path(state["ca_file"]), state["admin_token"])

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

    def _command(self) -> Sequence[str]:
        # setpriv lets the kernel end the emulator when we die, however we die
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "emulator"]
        command += ["--ca-dir", str(self.directory), "--state-file", str(self.state_file)]
        command += ["--registry-ca", str(self._registry_ca), "--service-accounts-after", str(_ACCOUNTS_AFTER)]
        command.append("--service-account-controller" if self._controllers else "--no-import-controller")
        return command
