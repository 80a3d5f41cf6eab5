# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner: nothing that fails is lost, and nothing starts before what it waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.runner import Gate, run_all


def gate(name: str, code: str, folder: Path, after: tuple[str, ...] = ()) -> Gate:
    return Gate(name, (sys.executable, "-c", code), folder, dict(os.environ), after)


def test_all_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gates = [gate("one", "print('first')", tmp_path), gate("two", "print('second')", tmp_path)]

    assert run_all(gates, tmp_path / "logs", jobs=2)
    assert capsys.readouterr().out.splitlines()[-1] == "gates: 2 passed, 0 failed"
    assert (tmp_path / "logs" / "two.log").read_text() == "second\n"


def test_a_failure_is_shown_whole_and_the_others_still_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gates = [
        gate("long", "print('\\n'.join(map(str, range(100, 150)))); raise SystemExit(3)", tmp_path),
        gate("short", "print('\\n'.join(map(str, range(200, 250))))", tmp_path),
    ]

    assert not run_all(gates, tmp_path / "logs", jobs=1)
    lines = capsys.readouterr().out.splitlines()
    assert {"100", "149", "249"} <= set(lines)
    assert "200" not in lines
    assert lines[-1] == "gates: 1 passed, 1 failed"
    assert lines[-3:-1] == ["148", "149"], "whoever sees only the end sees why it failed"


def test_a_gate_that_may_fail_does_not_fail_the_others_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next_core = Gate(
        "environment-next", (sys.executable, "-c", "raise SystemExit(1)"), tmp_path, dict(os.environ), required=False
    )
    unit = Gate(
        "unit-next", (sys.executable, "-c", ""), tmp_path, dict(os.environ), ("environment-next",), required=False
    )

    assert run_all([next_core, unit, gate("one", "", tmp_path)], tmp_path / "logs", jobs=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        "failed, and may: environment-next, unit-next; see their output above",
        "gates: 1 passed, 0 failed",
    ]
    assert "FAILED" not in "".join(lines)


def test_the_time_of_a_processor_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spin = "import time; end = time.process_time() + 1.2\nwhile time.process_time() < end: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"

    assert run_all([gate("spins", code, tmp_path)], tmp_path / "logs", jobs=1)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("spins")]
    assert int(line.split()[-2]) >= 1


def test_a_gate_waits_for_what_it_needs(tmp_path: Path) -> None:
    gates = [
        gate("reads", "open('made').read()", tmp_path, after=("makes",)),
        gate("makes", "import time; time.sleep(0.3); open('made', 'w').write('x')", tmp_path),
    ]

    assert run_all(gates, tmp_path / "logs", jobs=2)


def test_a_gate_fails_when_what_it_needs_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gates = [
        gate("first", "raise SystemExit(1)", tmp_path),
        gate("second", "open('ran', 'w')", tmp_path, after=("first",)),
        gate("third", "open('ran', 'w')", tmp_path, after=("second",)),
    ]

    assert not run_all(gates, tmp_path / "logs", jobs=2)
    assert "Not run, because second failed." in capsys.readouterr().out
    assert not (tmp_path / "ran").exists()


def test_ending_the_runner_ends_what_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom tools.runner import Gate, run_all\ngate = Gate('sleeper', "
        f"(sys.executable, '-c', {code!r}), Path({str(tmp_path)!r}), dict(os.environ))\nrun_all([gate], "
        f"Path({str(tmp_path / 'logs')!r}), jobs=1)\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2])
    child = int(wait_for(lambda: mark.exists() and mark.read_text()))

    runner.send_signal(signal.SIGTERM)

    assert runner.wait(timeout=10) == 128 + signal.SIGTERM
    assert wait_for(lambda: not Path(f"/proc/{child}").exists())


def wait_for(condition: Callable[[], t.Any]) -> t.Any:
    """Return what the condition gives once it is true; at most ten seconds."""
    for _turn in range(200):
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("the condition did not become true")
