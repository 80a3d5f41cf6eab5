# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on the samples: return values, diff, and what failed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._core.diff import Difference
from .._core.errors import InputError
from .._core.numbers import seconds
from .._core.references import PullSpec
from .._core.report import Report
from .._import_engine.images import ImportFailure
from .._import_engine.observed import ObservedStream, ObservedTag
from .._import_engine.view import failed_tag_text
from .apply import SpecChange
from .desired import Settings
from .observed import CONFIG_NAME, UNMANAGED, SamplesState

if t.TYPE_CHECKING:
    from .._import_engine.report import RemedyFor


@dataclass
class FailedImports:
    """Tags whose import failed: what the retry brought, and what is still not there."""

    retried: Report = field(default_factory=lambda: Report(False, {"streams": [], "failed_tags": []}))
    retried_count: int = 0
    failed: list[dict[str, t.Any]] = field(default_factory=list)


def failed_tag(stream: ObservedStream, tag: ObservedTag, remedy_for: RemedyFor) -> dict[str, t.Any]:
    failure = tag.failure or ImportFailure("", "")
    try:
        remedy = remedy_for(stream.namespace, PullSpec.parse(tag.source), failure)
    except InputError as error:
        remedy = error.message
    return {
        "namespace": stream.namespace,
        "name": stream.name,
        "tag": tag.name,
        "from": tag.source,
        "reason": failure.reason,
        "message": failure.message,
        "remedy": remedy,
    }


def samples_report(
    change: SpecChange, state: SamplesState, left: list[str], imports: FailedImports, settings: Settings
) -> Report:
    tags = list(state.external_tags())
    pending = sum(tag.pending for _stream, tag in tags)
    failed_streams = sorted({entry["name"] for entry in imports.failed})
    results = {
        "config": change.after.view(),
        "conditions": [
            {"type": entry.type, "status": entry.status, "reason": entry.reason, "message": entry.message}
            for entry in state.config.conditions.values()
        ],
        "version": state.config.version or None,
        "imagestreams": [stream.name for stream in state.streams],
        "streams": imports.retried.results["streams"],
        "failed_tags": imports.failed,
        "failed_imagestreams": failed_streams,
        "outstanding": left,
        "summary": {
            "imagestreams": len(state.streams),
            "tags": len(tags),
            "imported": len(tags) - pending - len(imports.failed),
            "pending": pending,
            "failed": len(imports.failed),
            "retried": imports.retried_count,
        },
    }
    differences = list(imports.retried.differences)
    if change.names:
        differences.append(Difference("configuration", CONFIG_NAME, change.before.view(), change.after.view()))
    problems, warnings = [], list(imports.retried.warnings)
    if left and not settings.check_mode:
        problems.append(_timeout_text(left, settings.wait_timeout))
    if imports.failed:
        # In check mode nobody waits, and what is still under way may bring them.
        tolerated = settings.ignore_failed_tags or (settings.check_mode and left)
        (warnings if tolerated else problems).append(_failed_text(imports.failed, failed_streams, len(tags)))
    if change.after.management_state == UNMANAGED and set(change.names) - {"management_state"}:
        warnings.append(
            "The samples are Unmanaged: the operator acts by the new configuration only once they are Managed again."
        )
    changed = bool(change.names) or imports.retried.changed
    return Report(changed, results, differences, "\n".join(problems) or None, warnings)


def _timeout_text(left: t.Sequence[str], waited: float) -> str:
    lines = "\n".join(f"- {entry}" for entry in left)
    return f"The Cluster Samples Operator was not done after {seconds(waited)}; wait_timeout gives it longer:\n{lines}"


def _failed_text(failed: t.Sequence[t.Mapping[str, t.Any]], streams: t.Sequence[str], count: int) -> str:
    head = (
        f"{len(failed)} of {count} tags of the samples could not be imported; bring them into the registry, or name in "
        "skipped_imagestreams"
    )
    return f"{head} what is not needed ({', '.join(streams)}):\n" + "\n".join(
        f"- {failed_tag_text(entry['name'], entry)}" for entry in failed
    )
