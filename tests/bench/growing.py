# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run over streams of five tags each, in memory: ``python -m bench.growing idle|new|none TAGS``. For ``growth``,
which counts it; ``none`` only makes what the run of ``idle`` finds."""

from __future__ import annotations

import sys

from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.large_cluster import (
    declared,
    large_cluster,
    run,
)

TAGS_OF_A_STREAM = 5


def main() -> None:
    """Do it."""
    kind, tags = sys.argv[1], int(sys.argv[2])
    size = (tags // TAGS_OF_A_STREAM, TAGS_OF_A_STREAM)
    cluster = large_cluster(() if kind == "new" else declared(*size))
    if kind == "none":
        return
    streams = declared(*size, refresh="missing")
    summary = run(cluster, streams, concurrency=1)["summary"]
    if (summary["tags"], summary["changed"]) != (tags, 0 if kind == "idle" else tags):
        raise SystemExit(f"unexpected: {summary}")


if __name__ == "__main__":
    main()
