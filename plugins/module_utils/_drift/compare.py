# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster compared with what is declared for it: secrets, then links, then image streams, each on its own road.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._cluster.client import ClusterClient
from .._core.report import Report
from .._import_engine.desired import PendingCredential
from .._import_engine.remedy_finder import RemedyFinder
from .._import_engine.report import stream_report
from .._import_engine.run import converge_streams
from .declared import Declared, Settings
from .result import Part, comparison_report, held, place_of, stream_part

if t.TYPE_CHECKING:
    from .._import_engine.tag_reader import TagReader
    from .platforms import Place, Platforms


def compare(
    client: ClusterClient,
    wanted: Declared,
    settings: Settings,
    *,
    pending: t.Sequence[PendingCredential] = (),
    tag_reader: TagReader | None = None,
    approved: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> Report:
    """Tell how the cluster differs from what is declared, or outside check mode converge it.

    ``pending`` are credentials that check mode counts on besides those of ``wanted``; ``approved`` are the changes
    that may be made. Raises ``ApiUnreachable`` and ``Unauthorized``: nothing more can be told about a cluster that
    does not answer.
    """
    parts: list[Part] = []
    if wanted.secrets or wanted.links:
        from .compare_secrets import compare_links, compare_secret  # noqa: PLC0415 - streams need none of it

        parts += [compare_secret(client, secret, wanted.approved, settings) for secret in wanted.secrets]
        parts += [compare_links(client, links, wanted.approved, settings) for links in wanted.links]
    promised = [*pending, *_promised(parts)]
    if wanted.streams:
        results = converge_streams(
            client,
            wanted.streams,
            check_mode=settings.check_mode,
            concurrency=settings.concurrency,
            timeout=settings.timeout,
            pending=promised,
            tag_reader=tag_reader,
            compare=True,
        )
        remedy_for = RemedyFinder(client, settings.mask).remedy
        held_back = [
            held("tag" if tag else "stream", result.desired.namespace, result.desired.name, tag or None, reasons)
            for result in results
            for tag, reasons in result.held_back.items()
        ]
        report = stream_report(results, remedy_for, only_changed=settings.only_changed)
        if settings.platforms:
            from .platforms import platforms_of  # noqa: PLC0415 - few ask for it

            _add_platforms(
                report, platforms_of(client, results, concurrency=settings.concurrency, timeout=settings.timeout)
            )
        parts.append(stream_part(report, held_back, results))
    return comparison_report(client.connection.host, parts, promised, approved)


def _add_platforms(report: Report, platforms: t.Mapping[Place, Platforms]) -> None:
    for stream in report.results["streams"]:
        for tag in stream["tags"]:
            known = platforms.get((stream["namespace"], stream["name"], tag["name"]))
            tag["platforms"] = known.as_dict() if known else None


def _promised(parts: t.Iterable[Part]) -> list[PendingCredential]:
    """Return the credentials that the run writes, or would write."""
    refused = {place_of(change) for part in parts for change in part.changes if change["refused"]}
    return [
        PendingCredential(secret["namespace"], registry["registry"])
        for part in parts
        if part.kind == "secret"
        for secret in part.report.results["secrets"]
        if secret["changed"] and ("secret", secret["namespace"], secret["name"], None) not in refused
        for registry in secret["registries"]
        if registry["state"] == "present"
    ]
