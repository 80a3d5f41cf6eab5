# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Import what was pushed: read the streams once, choose the tags, and let the import engine do the rest.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .._cluster.client import ClusterClient
from .._core.report import Report
from .._import_engine.report import RemedyFor, stream_report
from .._import_engine.run import converge_observed
from .desired import DesiredRefresh
from .observed import observe
from .plan import plan_refresh


def refresh(
    client: ClusterClient,
    wanted: DesiredRefresh,
    remedy_for: RemedyFor,
    *,
    check_mode: bool,
    concurrency: int,
    timeout: int,
    only_changed: bool,
) -> Report:
    """Import the declared tags that track what was pushed.

    A namespace that cannot be read fails the task after the others' work.
    """
    if not wanted.pushes:
        return stream_report([], remedy_for, only_changed=only_changed)
    observed = observe(client, wanted.selection, concurrency)
    plans = plan_refresh(wanted, observed.streams, observed.mirrors)
    results = converge_observed(
        client,
        [desired for desired, _stream in plans],
        {stream.key: stream for _desired, stream in plans},
        check_mode=check_mode,
        concurrency=concurrency,
        timeout=timeout,
    )
    report = stream_report(results, remedy_for, only_changed=only_changed)
    if observed.errors:
        unread = "Not every namespace could be read:\n" + "\n".join(f"- {error}" for error in observed.errors.values())
        report.failure = f"{report.failure}\n{unread}" if report.failure else unread
    return report
