# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports of samples that failed, repeated by the engine of image_stream_import.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.report import Report
from .._import_engine.desired import DesiredStream
from .._import_engine.report import RemedyFor, stream_report
from .._import_engine.run import converge_streams
from .desired import Settings


def repeat_imports(
    client: ClusterClient, streams: t.Sequence[DesiredStream], settings: Settings, remedy_for: RemedyFor
) -> Report:
    """Import the tags of ``streams`` again, or tell what that would do. Raises ``CollectionError``."""
    results = converge_streams(
        client,
        streams,
        check_mode=settings.check_mode,
        concurrency=settings.concurrency,
        timeout=settings.timeout,
        pending=settings.pending,
    )
    return stream_report(results, remedy_for, only_changed=False)
