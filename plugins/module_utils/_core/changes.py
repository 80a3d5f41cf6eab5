# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names for changes, and the approval of some of them: what a person saw is what may be carried out.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from typing import NamedTuple

from .errors import CollectionError


class NotApproved(CollectionError):
    """What would have to be done is another change than the one that was shown, so nothing was done."""

    def __init__(self, reasons: t.Sequence[str]) -> None:
        super().__init__("it is another change by now than the one that was shown, and was left alone")
        self.reasons = tuple(reasons)


class Change(NamedTuple):
    """What is changed: a secret, a link (the lists of a service account), a stream, or a tag, and to what.

    ``before`` and ``after`` are JSON types without any credential; None stands for nothing there.
    """

    kind: str
    namespace: str
    name: str
    before: t.Any
    after: t.Any
    tag: str | None = None

    @property
    def id(self) -> str:
        """Return what only the same change has, on whatever cluster."""
        content = [self.kind, self.namespace, self.name, self.tag, self.before, self.after]
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


Approved = t.Container[str]
