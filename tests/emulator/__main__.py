# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the emulator until it is told to stop, its owner is gone, or its lifetime is over."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

from registries.lifetime import DEFAULT_LIFETIME, wait_for_the_end

from .import_controller import INTERVAL
from .imports import BULK_LIMIT
from .server import EmulatorSettings, EmulatorThread, write_private


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulator", description="An emulator of an OpenShift API server for tests.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--ca-dir", type=Path, help="where certificates and kubeconfig go (default: a new directory)")
    parser.add_argument("--state-file", type=Path, help="address and tokens as JSON (default: standard output)")
    parser.add_argument("--registry-ca", type=Path, action="append", default=[], help="trusted for imports; repeatable")
    parser.add_argument("--import-mode", choices=("Legacy", "PreserveOriginal"), default="Legacy")
    parser.add_argument(
        "--bulk-limit", type=int, default=BULK_LIMIT, help="tags of one repository import; -1: no limit"
    )
    parser.add_argument("--no-import-controller", action="store_true", help="import nothing by itself")
    parser.add_argument(
        "--scheduled-imports-every",
        type=float,
        default=INTERVAL,
        metavar="SECONDS",
        help="scheduled tags (default: %(default)s)",
    )
    parser.add_argument("--service-account-controller", action="store_true", help="keep dockercfg secrets linked")
    parser.add_argument("--service-accounts-after", type=float, metavar="SECONDS", help="in each new namespace")
    parser.add_argument(
        "--samples-operator", action="store_true", help="act by the configuration of the samples in openshift"
    )
    parser.add_argument("--plain-kubernetes", action="store_true", help="serve no group of OpenShift")
    parser.add_argument("--owner", type=int, metavar="PID", help="stop when this process is gone")
    parser.add_argument("--lifetime", type=float, default=DEFAULT_LIFETIME, metavar="SECONDS")
    return parser.parse_args()


def main() -> int:
    """Start, tell where, wait, stop."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="emulator-") as scratch:
        settings = EmulatorSettings(
            directory=arguments.ca_dir or Path(scratch),
            port=arguments.port,
            registry_cas=arguments.registry_ca,
            default_import_mode=arguments.import_mode,
            bulk_limit=arguments.bulk_limit,
            switches={
                "openshift": not arguments.plain_kubernetes,
                "import_controller": not arguments.no_import_controller,
                "scheduled_imports_every": arguments.scheduled_imports_every,
                "service_account_controller": arguments.service_account_controller,
                "samples_operator": arguments.samples_operator,
                "service_accounts_after": arguments.service_accounts_after,
            },
        )
        with EmulatorThread(settings) as emulator:
            state = json.dumps(emulator.state(), indent=2) + "\n"
            if arguments.state_file:
                write_private(arguments.state_file, state)
            else:
                sys.stdout.write(state)
                sys.stdout.flush()
            wait_for_the_end(arguments.owner, arguments.lifetime)
    return 0


if __name__ == "__main__":
    sys.exit(main())
