# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo's last page: what every stream serves."""

from __future__ import annotations

from .cluster import Cluster

_HEADER = ("STREAM", "TAG", "MODE", "SCHEDULED", "ARCHITECTURES", "DIGEST")


def final_table(cluster: Cluster) -> str:
    """Streams, tags, architectures and digests, in columns."""
    rows = [_HEADER]
    for (namespace, stream, name), tag in sorted(cluster.snapshot().tags().items()):
        rows.append(
            (
                f"{namespace}/{stream}",
                name,
                tag.import_mode,
                "yes" if tag.scheduled else "no",
                ", ".join(cluster.platforms(tag.digest)),
                tag.digest,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
