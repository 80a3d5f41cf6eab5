# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a server program has to end: a signal, the end of its owner, or its age."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

DEFAULT_LIFETIME = 4 * 3600.0


def wait_for_the_end(owner_pid: int | None, lifetime: float) -> str:
    """Block until SIGTERM or SIGINT, until process ``owner_pid`` is gone (also as a zombie), or for ``lifetime``
    seconds; returns which of them it was. Main thread only."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    if owner_pid is not None:
        try:
            poll.register(os.pidfd_open(owner_pid), select.POLLIN)
        except ProcessLookupError:
            return "the owner is gone"
    deadline = time.monotonic() + lifetime
    ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
    if not ready:
        return "the lifetime is over"
    return "a signal" if ready[0][0] == read_end else "the owner is gone"


def process_start(pid: int) -> str:
    """When a process started, in the kernel's ticks since boot: with the number it tells one process from all others.
    Empty when there is none, or only what its parent has not collected yet."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]
