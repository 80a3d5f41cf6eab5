# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab in the background: started by one command, found and stopped by another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Sequence
from pathlib import Path

from registries.lifetime import process_start

from .running import FOLDERS, STATE_FILE

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_TESTS = Path(__file__).parents[1]


class LabError(Exception):
    """A lab was not started or not stopped; the message says why."""


def start(directory: Path, arguments: Sequence[str]) -> dict[str, t.Any]:
    """Start ``python -m lab serve`` with ``arguments`` in a session of its own; returns its state once it serves.

    What a lab that is gone left in the directory's folders is removed first.
    """
    if _running(directory) is not None:
        raise LabError(f"a lab runs in {directory} already; python -m lab down --state-dir {directory} stops it")
    state_file = directory / STATE_FILE
    state_file.unlink(missing_ok=True)
    for folder in FOLDERS:
        shutil.rmtree(directory / folder, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    log_file = directory / "lab.log"
    with log_file.open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "lab", "serve", "--state-dir", str(directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
            start_new_session=True,
        )
    _wait(lambda: state_file.exists() or server.poll() is not None, _START_SECONDS)
    if not state_file.exists():
        server.terminate()
        raise LabError(f"the lab did not start: {log_file.read_text(encoding='utf-8').strip() or 'no answer in time'}")
    return t.cast("dict[str, t.Any]", json.loads(state_file.read_text(encoding="utf-8")))


def stop(directory: Path) -> None:
    """End the lab of a directory and wait for its end."""
    process = _running(directory)
    if process is None:
        raise LabError(f"no lab runs in {directory}")
    os.kill(process, signal.SIGTERM)
    if not _wait(lambda: _running(directory) is None and not process_start(process), _STOP_SECONDS):
        raise LabError(f"process {process} does not end")


def _running(directory: Path) -> int | None:
    """Return the process that serves the lab of a directory; a state file that was left behind is not one."""
    try:
        state = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return int(state["pid"]) if process_start(state["pid"]) == state["started"] else None


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
