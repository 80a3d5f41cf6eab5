# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m lab``: a cluster and registries on loopback, started, used and stopped."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from registries.docker_registry import RegistryDidNotStart
from registries.fleet import ENGINES, EngineMissing
from registries.lifetime import DEFAULT_LIFETIME, wait_for_the_end

from . import background
from .emulator_process import ClusterDidNotStartError
from .running import DEFAULT_NAMESPACES, Lab


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0, or another number with a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (background.LabError, ClusterDidNotStartError, RegistryDidNotStart, EngineMissing, OSError) as error:
        print(f"lab {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", help="start a lab in the background, print how to use it")
    serve = commands.add_parser("serve", help="run a lab in the foreground")
    down = commands.add_parser("down", help="stop the lab of a directory")
    run = commands.add_parser("run", help="start a lab, run a command in its environment, stop it")
    for parser_of_command, command in ((up, _up), (serve, _serve), (down, _down)):
        parser_of_command.add_argument("--state-dir", type=Path, required=True, help="for state, logs and storage")
        parser_of_command.set_defaults(run=command)
    for parser_of_command in (up, serve):
        parser_of_command.add_argument("--owner", type=int, metavar="PID", help="end when this process ends")
        parser_of_command.add_argument("--lifetime", type=float, default=DEFAULT_LIFETIME, help="in seconds")
    for parser_of_command in (up, serve, run):
        parser_of_command.add_argument(
            "--no-controllers", action="store_true", help="a cluster that does nothing by itself"
        )
        parser_of_command.add_argument("--engine", choices=ENGINES, default="auto", help="what the registries are")
        parser_of_command.add_argument("--namespace", action="append", default=[], help="a namespace to create")
    run.add_argument("--logs", type=Path, metavar="DIR", help="keep state and logs there")
    run.add_argument("argv", nargs="+", metavar="COMMAND")
    run.set_defaults(run=_run)
    return parser


def _lab(options: argparse.Namespace, directory: Path) -> Lab:
    return Lab(directory, not options.no_controllers, options.engine, options.namespace or DEFAULT_NAMESPACES)


def _serve(options: argparse.Namespace) -> int:
    # a signal while starting has to end what was started already
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with _lab(options, options.state_dir):
        wait_for_the_end(options.owner, options.lifetime)
    return 0


def _up(options: argparse.Namespace) -> int:
    arguments = ["--engine", options.engine, "--lifetime", str(options.lifetime)]
    if options.no_controllers:
        arguments.append("--no-controllers")
    if options.owner is not None:
        arguments += ["--owner", str(options.owner)]
    for namespace in options.namespace:
        arguments += ["--namespace", namespace]
    state = background.start(options.state_dir, arguments)
    print(f"cluster     {state['api']}")
    print(f"kubeconfig  {state['kubeconfig']}")
    print(f"use it      . {state['environment_file']}")
    print(f"stop it     python -m lab down --state-dir {options.state_dir}")
    return 0


def _down(options: argparse.Namespace) -> int:
    background.stop(options.state_dir)
    return 0


def _run(options: argparse.Namespace) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="quayside-lab-") as temporary,
        _lab(options, options.logs or Path(temporary)) as lab,
    ):
        return subprocess.run(options.argv, env={**os.environ, **lab.environment}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
