# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LimitRanges of image streams: how many tags and images one may have (server-behaviour.md 2.5)."""

from __future__ import annotations

from .pullspec import BadReference, PullSpec
from .resources import IMAGE, LIMIT_RANGES
from .statuses import GroupName, StatusError, forbidden
from .store import Store
from .streams import Stream

LIMIT_TYPE = "openshift.io/ImageStream"
EXCEEDED = "exceeds the maximum limit"
_TAGS, _IMAGES = "openshift.io/image-tags", "openshift.io/images"


def exceeded_limit(store: Store, stream: Stream, old: Stream | None) -> StatusError | None:
    """Return the 403 for a stream that grows beyond a limit of its namespace. One that was beyond it already may stay
    so."""
    limits: dict[str, int] = {}
    for stored in store.items(LIMIT_RANGES, stream.namespace):
        for item in (stored.data.get("spec") or {}).get("limits") or []:
            for resource in (_IMAGES, _TAGS) if item.get("type") == LIMIT_TYPE else ():
                if resource in (item.get("max") or {}):
                    limits[resource] = min(int(item["max"][resource]), limits.get(resource, int(item["max"][resource])))
    usage, before = _usage(stream), _usage(old) if old else {_TAGS: set(), _IMAGES: set()}
    if all(usage[resource] <= before[resource] for resource in usage):
        return None
    problems = [
        f"requested usage of {resource} {EXCEEDED} per {LIMIT_TYPE} ({len(usage[resource])} > {limit})"
        for resource, limit in limits.items()
        if len(usage[resource]) > limit
    ]
    if not problems:
        return None
    why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return forbidden(GroupName(IMAGE, "ImageStream"), stream.name, why)


def _usage(stream: Stream) -> dict[str, set[str]]:
    """Return the different sources of the spec, and the different images of the history."""
    sources = (_source(stream, tag.get("from") or {}) for tag in stream.spec_tags.values())
    items = (item for history in stream.status_tags.values() for item in history.get("items") or [])
    return {
        _TAGS: {source for source in sources if source},
        _IMAGES: {item["image"] for item in items if item["image"]},
    }


def _source(stream: Stream, reference: dict[str, str]) -> str:
    name = reference.get("name", "")
    if reference.get("kind") != "DockerImage":
        return f"{reference.get('namespace') or stream.namespace}/{name}"
    try:
        return str(PullSpec.parse(name).with_defaults())
    except BadReference:
        return ""
