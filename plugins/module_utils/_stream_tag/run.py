# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drive a single tag: observe, plan, apply, report. External images that are imported go through the import engine.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.report import Report
from .._import_engine.desired import desired_streams
from .._import_engine.images import EXTERNAL
from .._import_engine.remedy_finder import RemedyFinder
from .._import_engine.run import converge_streams
from .apply import converge_stream_tag
from .desired import DesiredStreamTag
from .report import import_report, tag_report


def run_stream_tag(
    client: ClusterClient,
    desired: DesiredStreamTag,
    policies: t.Mapping[str, t.Any],
    mask: t.Callable[..., None],
    *,
    check_mode: bool,
    timeout: int,
) -> Report:
    """Converge the tag, or tell what that would do, and report it. Raises ``CollectionError``.

    ``policies`` are the options of an import; ``timeout`` is the server's limit for it, in seconds.
    """
    if desired.source is None or desired.source.kind != EXTERNAL or desired.reference:
        return tag_report(desired, converge_stream_tag(client, desired, check_mode=check_mode))
    tag = {"name": desired.tag, "from": desired.source.pull_spec, "reference": False, **policies}
    [stream] = desired_streams(
        {
            "namespace": desired.namespace,
            "name": desired.stream,
            "tags": [tag],
            "refresh": "missing",
            "take_over": desired.take_over,
        }
    )
    [result] = converge_streams(client, [stream], check_mode=check_mode, concurrency=1, timeout=timeout)
    return import_report(desired, result, RemedyFinder(client, mask).remedy)
