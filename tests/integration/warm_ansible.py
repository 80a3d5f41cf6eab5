# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that has Ansible loaded, and becomes ``ansible-playbook`` by a fork for each run.

Loading Ansible and packing modules costs as much as a short playbook itself. A fork has loaded what it needs, and
finds the modules packed by the runs before it. What a run does is the program's own code, from its command line to
its exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

_LOADED_BY_EVERY_RUN = (
    "ansible.executor.module_common",
    "ansible.executor.task_queue_manager",
    "ansible.plugins.filter.core",
    "ansible.template",
)


class WarmAnsible:
    """The process. ``environment`` holds the settings of Ansible, which it reads once: they are the same for every
    run."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, output: Path, timeout: float
    ) -> int:
        """Run ``ansible-playbook`` with the arguments and return its exit code; all that it prints goes to the file.

        Raises ``subprocess.TimeoutExpired`` after ``timeout`` seconds, when the run has been ended.
        """
        order = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "directory": str(directory),
            "output": str(output),
            "timeout": timeout,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer is None:
            raise subprocess.TimeoutExpired(list(arguments), timeout, output.read_bytes())
        return int(answer)

    def stop(self) -> None:
        """End the process, which removes what Ansible kept for its runs."""
        self._process.communicate()


def _serve() -> None:
    from ansible.cli.playbook import PlaybookCLI

    for module in _LOADED_BY_EVERY_RUN:
        importlib.import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        process = os.fork()
        if process == 0:
            _become(PlaybookCLI, order)
        print(json.dumps(_wait(process, order["timeout"])), flush=True)


def _become(program: t.Any, order: dict[str, t.Any]) -> t.NoReturn:
    """Run the program in this fork, which ends with it."""
    os.setsid()
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["ansible-playbook", *order["arguments"]]
    code: t.Any = 1
    try:
        program.cli_executor(sys.argv)
    except SystemExit as ending:
        code = ending.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def _wait(process: int, timeout: float) -> int | None:
    """Return the exit code of the fork; None if it took too long and was ended."""
    handle = os.pidfd_open(process)
    ready = select.select([handle], [], [], timeout)[0]
    if not ready:
        os.killpg(process, signal.SIGKILL)
    os.close(handle)
    status = os.waitpid(process, 0)[1]
    return os.waitstatus_to_exitcode(status) if ready else None


if __name__ == "__main__":
    _serve()
