# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's work hands back: the last step of the road options, desired, observed, plan, apply, report.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t


class Report:
    """The outcome of one module run. Holds JSON types only, and never a credential.

    ``failure`` is the complete sentence for the person at the screen where something was refused although the rest was
    done; ``results`` is returned in that case too, so that nothing is lost.
    ``before`` and ``after`` are what diff mode prints.
    """

    def __init__(
        self,
        changed: bool,
        results: dict[str, t.Any] | None = None,
        before: dict[str, t.Any] | None = None,
        after: dict[str, t.Any] | None = None,
        failure: str | None = None,
        warnings: list[str] | None = None,
    ) -> None:
        self.changed = changed
        self.results = results or {}
        self.before = before or {}
        self.after = after or {}
        self.failure = failure
        self.warnings = warnings or []
