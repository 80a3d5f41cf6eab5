# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs run and measured."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_INSTRUCTIONS = re.compile(r"I\s+refs:\s+([\d,]+)")
_LONGEST = 1200
# Runs a program in its own process and notes that process's greatest size, which the parent cannot see: what the kernel
# tells it includes its own size at the time of the fork.
_NOTING_SIZE = """
import atexit, re, runpy, sys
target, program = sys.argv[1], sys.argv[2]
def note():
    size = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read()).group(1)
    open(target, "w").write(size)
atexit.register(note)
sys.argv = [program]
runpy.run_path(program, run_name="__main__")
"""


class ProgramFailed(Exception):
    """A program ended with an error; the message has its last words."""


@dataclass(frozen=True)
class Usage:
    """What a process took. ``size`` is its greatest resident size in MB."""

    seconds: float
    cpu_seconds: float
    size: float
    output: str

    @property
    def answer(self) -> dict[str, t.Any]:
        """The JSON object that a module prints."""
        return t.cast("dict[str, t.Any]", json.loads(self.output[self.output.index("{") :]))


def run_module_file(program: Path) -> Usage:
    """Run a module as Ansible would, from the file that Ansible made of it. Raises ProgramFailed if the module
    fails."""
    with tempfile.NamedTemporaryFile(prefix="size-") as size, tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", _NOTING_SIZE, size.name, str(program)], stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode()
        if process.returncode:
            raise ProgramFailed(f"{program.name}: {printed[-2000:]}")
        return Usage(seconds, used.ru_utime + used.ru_stime, int(size.read()) / 1024, printed)


def instructions(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """How many instructions a program executes outside of the kernel, counted by valgrind. Raises ProgramFailed."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise ProgramFailed("valgrind is missing: apt-get install valgrind")
    counted = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *command]
    done = subprocess.run(
        counted,
        env={**os.environ, **(environment or {}), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST,
    )
    found = _INSTRUCTIONS.search(done.stderr)
    if done.returncode or found is None:
        raise ProgramFailed(f"{' '.join(command)}: {done.stdout[-1000:]} {done.stderr[-1000:]}")
    return int(found.group(1).replace(",", ""))
