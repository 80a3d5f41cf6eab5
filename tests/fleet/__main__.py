# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures a report on a fleet: ``make bench-fleet``. What it costs has to grow with the clusters, and no faster."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from integration.playbooks import collections_path, impersonal
from registries.fleet import RegistryFleet

from .clusters import EmulatedFleet
from .measuring import Cost, measure

PLAYBOOK = "quayside.openshift_images.drift"
# How much more a cluster may cost in the largest fleet than in the smallest: a square would make it four times as much.
MOST = 1.5


def report_on(fleet: EmulatedFleet, forks: int, clusters: int, directory: Path) -> Cost:
    """Compare the first clusters of a fleet."""
    files = [word for kind in ("json", "html") for word in ("-e", f"drift_report_{kind}_file={directory}/drift.{kind}")]
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        PLAYBOOK,
        "-i",
        str(fleet.inventory),
        *fleet.vault_options,
        *files,
    ]
    command += ["--forks", str(forks), "--limit", ",".join(fleet.names[:clusters])]
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path(directory)),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_PIPELINING": "true",
    }
    cost = measure(command, {**impersonal(), **settings}, directory)
    # Two clusters cannot be compared, which fails the run once its report is written.
    if cost.exit_code != 2:
        raise SystemExit(directory.joinpath("output.txt").read_text(encoding="utf-8"))
    return cost


def main() -> int:
    """Print a table for docs/performance.md; 1 if the cost of a cluster grows with the number of clusters."""
    parser = argparse.ArgumentParser(
        prog="fleet", description="Time and memory of a drift report on emulated clusters."
    )
    parser.add_argument("--clusters", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--forks", type=int, nargs="+", default=[5, 10, 25])
    options = parser.parse_args()
    sizes, steep = sorted(options.clusters), []
    with tempfile.TemporaryDirectory(prefix="quayside-fleet-") as name:
        directory = Path(name)
        registries = RegistryFleet(directory / "registries")
        with registries, EmulatedFleet(directory / "fleet", registries.addresses["private"], sizes[-1]) as fleet:
            report_on(fleet, options.forks[0], 3, directory)
            print(
                "| forks | clusters | seconds | processor seconds | a cluster | MiB |\n| ---: | ---: | ---: | ---: | "
                "---: | ---: |"
            )
            for forks in options.forks:
                each = []
                for size in sizes:
                    cost = report_on(fleet, forks, size, directory)
                    each.append(cost.processor / size)
                    print(
                        f"| {forks} | {size} | {cost.seconds:.0f} | {cost.processor:.0f} | {each[-1]:.2f} | "
                        f"{cost.memory:.0f} |",
                        flush=True,
                    )
                steep += [forks] if each[-1] > MOST * each[0] else []
    if steep:
        print(
            f"With forks {steep} a cluster costs more than {MOST} times as much in the largest fleet as in the "
            "smallest."
        )
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
