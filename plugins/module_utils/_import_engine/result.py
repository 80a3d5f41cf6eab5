# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of one stream of a run, for the report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._core.errors import CollectionError
from .desired import DesiredStream
from .images import ImportFailure, Outcome
from .observed import ObservedStream
from .plan_types import StreamPlan


class StreamResult:
    """What became of one stream, or would in check mode.

    ``outcomes`` and ``reasons`` are by tag; ``error`` is what stopped it as a whole, ``cause`` the registry's refusal
    behind that, ``done`` are the tags that were as declared by then; ``gone_upstream`` are tags of the stream that its
    repository no longer has; ``tags_from`` says who listed those that it has, and ``tags_from_reason`` why that was not
    the registry itself; ``held_back`` are the reasons of changes that were not approved, by tag and by "" for the
    stream itself; ``refused`` says why a run would not make the changes that a comparison shows.
    """

    def __init__(
        self,
        desired: DesiredStream,
        before: ObservedStream,
        after: ObservedStream,
        *,
        error: CollectionError | None = None,
        cause: ImportFailure | None = None,
    ) -> None:
        self.desired = desired
        self.before = before
        self.after = after
        self.error = error
        self.cause = cause
        self.reasons: dict[str, tuple[str, ...]] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.done: frozenset[str] = frozenset()
        self.gone_upstream: tuple[str, ...] = ()
        self.tags_from = ""
        self.tags_from_reason = ""
        self.warnings: list[str] = []
        # The stream was not read; what it would need was not found out.
        self.unread = False
        self.unasked = False
        self.held_back: dict[str, tuple[str, ...]] = {}
        self.refused = ""

    def note(self, plan: StreamPlan, settled: t.Container[str] = ()) -> None:
        """Keep the known outcomes of ``plan``, but for the tags that this run has ``settled`` already, and the
        reasons of the first plan of each tag: they are those of the state that the run began with, whatever others
        did since."""
        self.held_back.update(plan.held_back)
        for tag in plan.tags:
            self.reasons.setdefault(tag.name, tag.reasons)
            if tag.name in settled:
                continue
            if tag.outcome is not None:
                self.outcomes[tag.name] = tag.outcome
