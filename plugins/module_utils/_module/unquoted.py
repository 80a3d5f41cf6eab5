# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that are strings and were given as numbers: Ansible would convert them, long after YAML has changed them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

YAML reads ``3.10`` as 3.1, ``017`` as 15, ``0123456`` as 42798 and ``yes`` as true. Nobody can tell afterwards what
was written.
"""

from __future__ import annotations

import typing as t

Spec = t.Mapping[str, t.Mapping[str, t.Any]]


def unquoted_options(spec: Spec, params: t.Mapping[str, t.Any], where: str = "") -> list[str]:
    """Return the string options, as ``tags[0].name``, whose value is a number or a truth value.

    ``params`` are as they were given.
    """
    found: list[str] = []
    for name, option in spec.items():
        for given in (name, *(option.get("aliases") or ())):
            found += _unquoted(option, params.get(given), f"{where}{given}")
    return found


def _unquoted(option: t.Mapping[str, t.Any], value: t.Any, where: str) -> list[str]:
    kind, inner = option.get("type", "str"), option.get("options")
    if kind == "str":
        return [where] if isinstance(value, (bool, int, float)) else []
    if kind == "list" and isinstance(value, list):
        element = {"type": option.get("elements", "raw"), "options": inner}
        return [found for index, entry in enumerate(value) for found in _unquoted(element, entry, f"{where}[{index}]")]
    if kind == "dict" and inner and isinstance(value, dict):
        return unquoted_options(inner, value, f"{where}.")
    return []
