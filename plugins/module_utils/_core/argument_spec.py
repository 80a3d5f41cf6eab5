# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specifications as one value: options together with their constraints.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

Constraint = t.Sequence[t.Any]


class ArgumentSpec:
    """Options and the constraints between them.

    Pieces are merged, and ``to_kwargs`` is what ``AnsibleModule`` takes.
    """

    def __init__(
        self,
        options: dict[str, dict[str, t.Any]],
        mutually_exclusive: Constraint = (),
        required_one_of: Constraint = (),
        required_together: Constraint = (),
        required_if: Constraint = (),
        required_by: t.Mapping[str, t.Any] | Constraint = (),
    ) -> None:
        self.options = dict(options)
        self.mutually_exclusive = list(mutually_exclusive)
        self.required_one_of = list(required_one_of)
        self.required_together = list(required_together)
        self.required_if = list(required_if)
        self.required_by = dict(required_by)

    def merge(self, other: ArgumentSpec) -> ArgumentSpec:
        """Return a new specification with the options and constraints of both.

        Raises ValueError for a doubled option.
        """
        doubled = sorted(set(self.options) & set(other.options))
        if doubled:
            raise ValueError(f"options defined twice: {', '.join(doubled)}")
        return ArgumentSpec(
            {**self.options, **other.options},
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
            required_one_of=self.required_one_of + other.required_one_of,
            required_together=self.required_together + other.required_together,
            required_if=self.required_if + other.required_if,
            required_by={**self.required_by, **other.required_by},
        )

    def to_kwargs(self) -> dict[str, t.Any]:
        """Return the keyword arguments for ``AnsibleModule``."""
        return {
            "argument_spec": self.options,
            "mutually_exclusive": self.mutually_exclusive,
            "required_one_of": self.required_one_of,
            "required_together": self.required_together,
            "required_if": self.required_if,
            "required_by": self.required_by,
        }
