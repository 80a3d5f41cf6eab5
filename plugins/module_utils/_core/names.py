# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of namespaces, secrets and service accounts as options give them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .errors import InputError
from .masking import is_content
from .references import check_namespace

_SUBDOMAIN = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
_MAX_LENGTH = 253
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_MAX_WORD = 63


def check_object_name(option: str, name: str) -> None:
    """Raise ``InputError`` for what cannot be the name of a secret or a service account (a DNS subdomain)."""
    if not re.fullmatch(_SUBDOMAIN, name) or len(name) > _MAX_LENGTH:
        raise InputError(
            f'{option}: "{name}" cannot be the name of an object; use lower case letters, digits, "-" and ".", '
            f"beginning and ending with a letter or digit, {_MAX_LENGTH} characters at most"
        )


def check_key(option: str, key: str) -> None:
    """Raise ``InputError`` for what cannot be the key of a label or annotation.

    A word, or a DNS subdomain, a slash and a word.
    """
    prefix, slash, word = key.rpartition("/")
    has_prefix = not slash or (re.fullmatch(_SUBDOMAIN, prefix) and len(prefix) <= _MAX_LENGTH)
    if not has_prefix or not _is_word(word):
        raise InputError(
            f'{option}: "{key}" cannot be the key of one; use letters, digits, "-", "_" and ".", beginning and ending '
            f"with a letter or digit, {_MAX_WORD} characters at most, with or without a domain and a slash before it"
        )


def check_label_value(key: str, value: str) -> None:
    """Raise ``InputError`` for what cannot be the value of a label."""
    if value and not _is_word(value):
        raise InputError(
            f'labels: "{value}" cannot be the value of "{key}"; use letters, digits, "-", "_" and ".", beginning and '
            f"ending with a letter or digit, {_MAX_WORD} characters at most"
        )


def _is_word(text: str) -> bool:
    return len(text) <= _MAX_WORD and bool(re.fullmatch(_WORD, text))


def names_from(option: str, names: t.Sequence[str]) -> tuple[str, ...]:
    """Return the names without repetition; raise ``InputError`` if there is none or one is impossible."""
    if not names:
        raise InputError(f"{option}: the list is empty; give at least one name")
    for name in names:
        check_object_name(option, name)
    return tuple(dict.fromkeys(names))


def namespaces_from(params: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return the namespaces of the options ``namespace`` or ``namespaces``, without repetition."""
    if params.get("namespaces") is None:
        namespaces = [params["namespace"]]
    else:
        namespaces = params["namespaces"]
        if not namespaces:
            raise InputError("namespaces: the list is empty; give at least one namespace")
    for namespace in namespaces:
        check_namespace(namespace)
    return tuple(dict.fromkeys(namespaces))


def check_path(option: str, path: str, instead: str = "write it into a file and give its path") -> None:
    """Raise ``InputError`` for what is the content of a file and not its path.

    It may hold credentials, so it is not repeated.

    ``instead`` says what to do with the content.
    """
    if is_content(path):
        raise InputError(f"{option}: it holds the content of a file where the path of one is expected; {instead}")
