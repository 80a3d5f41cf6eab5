# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets inside of a kubeconfig.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .._core.masking import basic_credential, url_passwords

SECRET_KUBECONFIG_KEYS = frozenset({"token", "password", "client-key-data", "id-token", "refresh-token", "access-token", "client-secret"})

_SECRET_NAME = r"(?i)(token|secret|passw|credential|access_key)"
_SECRET_ARGUMENT = r"(?i)(?:token|secret|password)=(.+)\Z"


def kubeconfig_secrets(content: t.Any) -> set[str]:
    """Every secret value inside the content of a kubeconfig (a dictionary), wherever it stands.

    Of an exec plugin's environment and arguments those whose name says so; masking all would hide half the output.
    """
    found: set[str] = set()
    if isinstance(content, t.Mapping):
        for key, value in content.items():
            if key in SECRET_KUBECONFIG_KEYS and isinstance(value, (str, int)) and not isinstance(value, bool):
                found.add(str(value))
            elif key == "exec" and isinstance(value, t.Mapping):
                found |= _exec_secrets(value)
            elif isinstance(value, str):
                found |= url_passwords(value)
            else:
                found |= kubeconfig_secrets(value)
        username, password = content.get("username"), content.get("password")
        if isinstance(username, str) and isinstance(password, str):
            found.add(basic_credential(username, password))
    elif isinstance(content, (list, tuple)):
        for item in content:
            found |= kubeconfig_secrets(item)
    return {value for value in found if value}


def _exec_secrets(plugin: t.Mapping[str, t.Any]) -> set[str]:
    found: set[str] = set()
    for variable in plugin.get("env") or ():
        if isinstance(variable, t.Mapping) and isinstance(variable.get("value"), str) and re.search(_SECRET_NAME, str(variable.get("name"))):
            found.add(variable["value"])
    for argument in plugin.get("args") or ():
        match = re.search(_SECRET_ARGUMENT, argument) if isinstance(argument, str) else None
        if match:
            found.add(match.group(1))
    return found
