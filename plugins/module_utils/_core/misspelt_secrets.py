# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials under names that are none of the module's options. Imported only where a module fails.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

# of an option that does not exist: the name of one that was meant, with room for a slip
_MEANT_SECRET = r"(?i)pas|pw|secr|tok|auth|cred|key"


def misspelt_secrets(options: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> set[str]:
    """The values of what is given and is none of the options of an argument spec, where its name is that of a credential:
    Ansible shows the arguments that it refuses."""
    known = {alias: definition for name, definition in options.items() for alias in (name, *definition.get("aliases", ()))}
    found: set[str] = set()
    for name, value in given.items():
        if name not in known:
            found |= _texts(value) if re.search(_MEANT_SECRET, str(name)) and not str(name).startswith("_ansible") else set()
        elif known[name].get("options"):
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, t.Mapping):
                    found |= misspelt_secrets(known[name]["options"], entry)
    return found


def _texts(value: t.Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    entries = value.values() if isinstance(value, t.Mapping) else value if isinstance(value, (list, tuple)) else ()
    return {text for entry in entries for text in _texts(entry)}
