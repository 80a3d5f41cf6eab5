# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report on a large fleet: a hundred clusters with fifty tags each, none of which has the images of another."""

from __future__ import annotations

import hashlib
import typing as t

from .results import change, compared, part, stream, tag, view

CLUSTERS, STREAMS, TAGS = 100, 10, 5
_EVERY_DRIFTED = 5


def large_parts(clusters: int = CLUSTERS, *, alike: bool = False) -> list[dict[str, t.Any]]:
    """Return the results of the clusters; ``alike`` gives all of them the same images."""
    return [_part(number, alike=alike) for number in range(clusters)]


def _part(number: int, *, alike: bool) -> dict[str, t.Any]:
    streams, changes = [], []
    for place in range(STREAMS):
        tags = []
        for version in range(TAGS):
            digest = _digest("" if alike else number, place, version)
            moved = number % _EVERY_DRIFTED == 0 and (place, version) == (number % STREAMS, 0)
            source = f"registry.example.com:5000/team-{place}/service-{place}:v{version}"
            served = _digest("moved", place) if moved else digest
            tags.append(
                tag(
                    f"v{version}",
                    **{"from": source},
                    digest=served,
                    previous_digest=digest,
                    changed=moved,
                    reasons=["upstream_moved"] * moved,
                )
            )
            if moved:
                before, after = (view(**{"from": source, "image": image}) for image in (digest, served))
                changes.append(
                    change(
                        number,
                        "tag",
                        f"team-{place}",
                        f"service-{place}",
                        before,
                        after,
                        "upstream_moved",
                        tag_name=f"v{version}",
                    )
                )
        streams.append(stream(f"team-{place}", f"service-{place}", *tags))
    return part(
        f"cluster-{number:03}",
        [compared(streams=streams, changes=changes, host=f"https://api.cluster-{number:03}.example.com:6443")],
    )


def _digest(*parts: object) -> str:
    return "sha256:" + hashlib.sha256(repr(parts).encode()).hexdigest()
