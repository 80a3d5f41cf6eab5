# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on a single tag: return values, diff and failure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from functools import partial

from .._core.diff import Difference, View
from .._core.report import Report
from .._import_engine.images import EXTERNAL
from .._import_engine.observed import ObservedTag
from .._import_engine.report import RemedyFor, stream_report
from .._import_engine.result import StreamResult
from .._import_engine.view import tag_lines, view
from .apply import TagChange
from .desired import DesiredStreamTag


def tag_report(desired: DesiredStreamTag, change: TagChange) -> Report:
    """Report on a tag that points into a stream, or is a reference."""
    before, after = view(change.before), view(change.after)
    changed = bool(change.reasons)
    shown = change.after or change.before or ObservedTag(desired.tag, kind="")
    result = {
        "namespace": desired.namespace,
        "stream": desired.stream,
        "tag": desired.tag,
        "state": "absent" if desired.source is None else "present",
        "from_kind": shown.kind or None,
        "from": shown.source or None,
        "from_namespace": shown.source_namespace or None,
        "reference": shown.reference,
        "import_mode": shown.import_mode or None,
        "reference_policy": shown.reference_policy or None,
        "scheduled": shown.scheduled,
        "insecure": shown.insecure,
        "digest": (change.after.digest or None) if change.after else None,
        "previous_digest": (change.before.digest or None) if change.before else None,
        "changed": changed,
        "reasons": list(change.reasons),
        "managed_by": change.owner.name if change.owner is not None else None,
        "error": None,
    }
    differences = [_difference(desired, before, after, change.removed)] if changed else []
    return Report(changed, {"tag": result}, differences, warnings=list(change.warnings))


def _difference(desired: DesiredStreamTag, before: View, after: View, removed: bool) -> Difference:
    if before is None and removed:
        return Difference("image stream tag", desired.where, {"state": "history only"}, after)
    return Difference("image stream tag", desired.where, before, after, partial(tag_lines, desired.tag))


def import_report(desired: DesiredStreamTag, result: StreamResult, remedy_for: RemedyFor) -> Report:
    """Report on a tag that the import engine has imported."""
    report = stream_report([result], remedy_for, only_changed=False)
    shown = report.results["streams"][0]
    tag = {
        "namespace": desired.namespace,
        "stream": desired.stream,
        "tag": desired.tag,
        "state": "present",
        "from_kind": EXTERNAL,
        "from_namespace": None,
        "reference": False,
        "managed_by": shown["managed_by"],
        **{name: value for name, value in shown["tags"][0].items() if name != "name"},
    }
    report.results = {"tag": tag}
    return report
