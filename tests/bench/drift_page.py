# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drift page of a hundred clusters with fifty tags each, none of which has the images of another: its size, and
how long a filter takes."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from browser.conftest import browser_of_this_machine, write_page
from fleet.large import CLUSTERS, STREAMS, TAGS, large_parts

from .figures import Figure
from .scene import Scene

_LARGEST = 2_000_000
_TURNS = 5
# What people type: a cluster, an object that each cluster has, nothing that there is, and everything again.
_TYPED = ("cluster-055", "team-3/service-3", "no such thing", "")
_FILTER = """(text) => {
    const find = document.getElementById('find');
    const begin = performance.now();
    find.value = text;
    find.dispatchEvent(new Event('input'));
    document.body.getBoundingClientRect();
    return performance.now() - begin;
}"""
_OPENED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


def run(_scene: Scene) -> list[Figure]:
    """Return the page's size, and the time of a filter as a part of the time that the page takes to open, on the
    same machine."""
    what = f"drift page of {CLUSTERS} clusters with {STREAMS * TAGS} tags each"
    with tempfile.TemporaryDirectory(prefix="quayside-bench-") as directory, browser_of_this_machine() as browser:
        path = write_page(Path(directory), large_parts())
        opened, filtered = [], []
        for _turn in range(_TURNS):
            page = browser.new_page()
            page.goto(path.as_uri())
            opened.append(page.evaluate(_OPENED))
            page.evaluate("() => document.querySelector('#tags > details').setAttribute('open', '')")
            page.evaluate(_FILTER, "warm")
            filtered.append(max(page.evaluate(_FILTER, text) for text in _TYPED))
            page.close()
        size = path.stat().st_size
    slowest, opening = statistics.median(filtered), statistics.median(opened)
    return [
        Figure(
            "drift_page",
            f"{what}: bytes",
            f"{size / 1e6:.2f} MB",
            f"{_LARGEST / 1e6:g} MB",
            "≤",
            1,
            size / _LARGEST,
            {"bytes": size},
        ),
        Figure(
            "drift_page",
            f"{what}: slowest of {len(_TYPED)} filters",
            f"{slowest:.0f} ms",
            f"opening it, {opening:.0f} ms",
            "≤",
            0.5,
            slowest / opening,
            {"filters_ms": filtered, "opened_ms": opened},
        ),
    ]
