# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run benches, say what each ratio is, and write the result file; with ``--table`` bring a page's table in line with
it."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import typing as t
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from . import drift_page, growth, many_streams, nothing_to_do, one_stream, pushes, start
from .figures import Figure, write_results, write_table
from .scene import Scene, scene

_BENCHES: dict[str, t.Callable[[Scene], list[Figure]]] = {
    "one_stream": one_stream.run,
    "many_streams": many_streams.run,
    "nothing_to_do": nothing_to_do.run,
    "start": start.run,
    "growth": growth.run,
    "pushes": pushes.run,
    "drift_page": drift_page.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Zero if every ratio is as wanted."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="BENCH", help=f"which ones: {', '.join(_BENCHES)} (default: all)")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("bench.json"),
        help="the result file; figures of benches that are not run stay in it",
    )
    parser.add_argument(
        "--table", type=Path, metavar="PAGE", help="write the table of this page from the result file, too"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(_BENCHES)
    if unknown:
        parser.error(f"there is no bench {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for name in options.names or _BENCHES:
        with tempfile.TemporaryDirectory(prefix="quayside-bench-") as directory, scene(Path(directory)) as prepared:
            found = _BENCHES[name](prepared)
        for figure in found:
            print(figure.line, flush=True)
        figures += found
        write_results(options.results, figures, _surroundings())
    if options.table:
        write_table(options.table, options.results, list(_BENCHES))
    return 0 if all(figure.met for figure in figures) else 1


def _surroundings() -> dict[str, str]:
    packages = {name: metadata.version(name) for name in ("ansible-core", "requests", "kubernetes")}
    return {"Python": platform.python_version(), **packages, "cores": str(os.cpu_count())}


if __name__ == "__main__":
    sys.exit(main())
