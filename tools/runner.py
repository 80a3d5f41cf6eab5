# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Works off commands side by side, each with its own log, and says at the end what happened to every one of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from tools import say

# A gate that takes longer hangs: the slowest takes some minutes.
LONGEST_SECONDS = 2400
# What a passed gate shows of its output; a failed one shows all.
LINES_OF_A_PASSED_GATE = 2
# What the end of the output repeats of a failed one, for those who see nothing but the end.
LINES_AT_THE_END = 12


@dataclass(frozen=True)
class Gate:
    """One command that passes or fails. ``after`` names gates that must have passed before it can start; one that is
    not ``required`` may fail."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: dict[str, str]
    after: tuple[str, ...] = ()
    required: bool = True


@dataclass
class Outcome:
    """What happened to one gate."""

    gate: Gate
    passed: bool
    seconds: float = 0.0
    processor_seconds: float = 0.0
    output: str = field(default="", repr=False)

    @property
    def state(self) -> str:
        """Return the word for it that people read."""
        if self.passed:
            return "passed"
        return "FAILED" if self.gate.required else "may fail"


def run_all(gates: Sequence[Gate], logs: Path, jobs: int) -> bool:
    """Run the gates, at most ``jobs`` at once, in their order as far as ``after`` allows. Tell whether all passed."""
    logs.mkdir(parents=True, exist_ok=True)
    # A gate has a session of its own, so what ends this program from outside has to be passed on.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    start = time.monotonic()
    waiting = list(gates)
    outcomes: dict[str, Outcome] = {}
    with ThreadPoolExecutor(max_workers=jobs) as pool, Processes() as processes:
        running: set[Future[Outcome]] = set()
        while waiting or running:
            for gate in list(waiting):
                failed = [name for name in gate.after if name in outcomes and not outcomes[name].passed]
                if failed:
                    waiting.remove(gate)
                    outcomes[gate.name] = report(Outcome(gate, False, output=f"Not run, because {failed[0]} failed.\n"))
                elif len(running) < jobs and all(name in outcomes for name in gate.after):
                    waiting.remove(gate)
                    running.add(pool.submit(run, gate, logs, processes))
            if running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    outcome = report(future.result())
                    outcomes[outcome.gate.name] = outcome
    return summary([outcomes[gate.name] for gate in gates], time.monotonic() - start)


class Processes:
    """The processes that run at the moment; leaving the context ends them, whatever the reason."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._ended = False

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_reason: object) -> None:
        with self._lock:
            self._ended = True
            for process in self._running:
                end(process)

    def wait(self, start: Callable[[], subprocess.Popen[bytes]]) -> tuple[int, float]:
        """Start a process, wait for its end and return its exit code and the seconds that it kept a processor busy,
        with all that it started and waited for. It is ended when it takes far too long."""
        with self._lock:
            if self._ended:
                return -signal.SIGTERM, 0.0
            process = start()
            self._running.add(process)
        timer = threading.Timer(LONGEST_SECONDS, end, (process,))
        timer.start()
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
        with self._lock:
            self._running.discard(process)
        return process.returncode, usage.ru_utime + usage.ru_stime


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def run(gate: Gate, logs: Path, processes: Processes) -> Outcome:
    """Run one gate; its output goes to a file, so that nothing is lost when the terminal is."""
    start = time.monotonic()
    log = logs / f"{gate.name}.log"
    with log.open("w", encoding="utf-8") as output:
        code, processor_seconds = processes.wait(
            lambda: subprocess.Popen(
                gate.command,
                cwd=gate.folder,
                env=gate.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    if code < 0:
        text += f"Ended by signal {-code} after {time.monotonic() - start:.0f} s.\n"
    return Outcome(gate, code == 0, time.monotonic() - start, processor_seconds, text)


def report(outcome: Outcome) -> Outcome:
    """Print one gate's section: a header, then its last lines if it passed and everything if it failed."""
    lines = outcome.output.rstrip().splitlines()
    if outcome.passed:
        lines = lines[-LINES_OF_A_PASSED_GATE:]
    say(f"\n==== {outcome.gate.name}: {outcome.state} after {outcome.seconds:.0f} s")
    say("\n".join(lines))
    return outcome


def summary(outcomes: Sequence[Outcome], seconds: float) -> bool:
    """Print the table of all gates, why gates failed, and the count as the last line."""
    say("\n==== summary: time, and time of a processor")
    for outcome in outcomes:
        say(f"{outcome.gate.name:<24}{outcome.state:<8}{outcome.seconds:>6.0f} s{outcome.processor_seconds:>6.0f} s")
    busy = sum(outcome.processor_seconds for outcome in outcomes)
    say(f"{'all together':<32}{seconds:>6.0f} s{busy:>6.0f} s")
    failed = [outcome for outcome in outcomes if not outcome.passed and outcome.gate.required]
    forgiven = [outcome.gate.name for outcome in outcomes if not outcome.passed and not outcome.gate.required]
    for outcome in failed:
        say(f"\n==== {outcome.gate.name} failed, the end of its output")
        say("\n".join(outcome.output.rstrip().splitlines()[-LINES_AT_THE_END:]))
    if forgiven:
        say(f"\nfailed, and may: {', '.join(forgiven)}; see their output above")
    say(f"gates: {len(outcomes) - len(failed) - len(forgiven)} passed, {len(failed)} failed")
    return not failed
