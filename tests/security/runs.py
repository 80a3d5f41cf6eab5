# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module and keeps everything that it lets out: in this process, or in one whose memory and time are
measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_VERBOSE = {"_ansible_verbosity": 4, "_ansible_tracebacks_for": ["always"], "_ansible_target_log_info": "canaries"}
_LONGEST = 120.0


@dataclass(frozen=True)
class Ended:
    """How a module ended. ``places`` is every text that it let out, by where it was found."""

    result: dict[str, t.Any]
    places: dict[str, str]

    @property
    def message(self) -> str:
        """What a user is shown of a failure."""
        return str(self.result.get("msg", ""))


@dataclass(frozen=True)
class Measured(Ended):
    """``peak`` is the most memory that the process ever had, in MiB; ``seconds`` is its time on the clock."""

    peak: float
    seconds: float


RunHere = Callable[..., Ended]


def arguments(options: Mapping[str, t.Any], *, check_mode: bool = False) -> dict[str, t.Any]:
    """Return the options with what Ansible adds at the highest verbosity."""
    return {**options, **_VERBOSE, "_ansible_check_mode": check_mode, "_ansible_diff": True}


def result_in(printed: str) -> dict[str, t.Any]:
    """Return the module's one answer."""
    (line,) = [line for line in printed.splitlines() if line.startswith("{")]
    return t.cast("dict[str, t.Any]", json.loads(line))


def run_apart(module: str, options: Mapping[str, t.Any], folder: Path, **environment: str) -> Measured:
    """Run a module as a process of its own with temporary files in ``folder``."""
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **environment,
    }
    began = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-m", "security.module_process", module, str(folder / "peak")],
        input=json.dumps(arguments(options)),
        env=own,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_LONGEST,
        check=False,
    )
    assert finished.stderr == ""
    peak = int((folder / "peak").read_text()) / 1024
    return Measured(result_in(finished.stdout), {"output": finished.stdout}, peak, time.monotonic() - began)
