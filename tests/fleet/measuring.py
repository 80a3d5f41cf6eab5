# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run costs: seconds, processor seconds, and the memory of all its processes together."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.25


@dataclass(frozen=True)
class Cost:
    """``processor`` in seconds of all processes; ``memory`` is the highest sum of their proportional shares, in MiB."""

    exit_code: int
    seconds: float
    processor: float
    memory: float


def measure(command: Sequence[str], environment: Mapping[str, str], directory: Path) -> Cost:
    """Run a command and its processes to their end, with its output in a file of the directory."""
    before, begin = _children(), time.monotonic()
    with directory.joinpath("output.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    highest = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY):
            highest[0] = max(highest[0], _memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    exit_code = process.wait()
    ended.set()
    watcher.join()
    return Cost(exit_code, time.monotonic() - begin, _children() - before, highest[0])


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _memory(first: int) -> float:
    """Shared pages are counted once: what forked processes have in common is most of what each of them shows."""
    total = 0
    for process in _family(first):
        try:
            lines = Path("/proc", str(process), "smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            # it ended in between
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _family(first: int) -> set[int]:
    """Return a process with all its descendants; Ansible's workers have sessions of their own, so only their parents
    tell."""
    parents = {}
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit():
                # The name of the program stands in brackets and may hold anything.
                parents[int(entry.name)] = int(
                    Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
                )
        except OSError:
            continue
    found = {first}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found
