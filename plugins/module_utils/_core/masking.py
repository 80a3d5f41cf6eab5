# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets and every form of them that could appear in an output.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
from urllib.parse import quote, unquote

try:
    # ansible-core 2.22 and later: a process-wide register that its own masking uses
    from ansible.module_utils.secrets import register_secrets as ansible_register
except ImportError:
    ansible_register = None

# what is a credential by its shape: OpenShift's tokens, JSON Web Tokens, what follows "Bearer", a password in a URL
_TOKEN_SHAPES = r"sha256~[\w-]+|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?<=[Bb]earer )[^\s\"',]+|(?<=://)[^\s/@]+(?=@)"
_USER_INFO = r"://([^\s/:@]*):([^\s/]+)@"
_BARE_USER_INFO = r"\A(?:\w+://)?([^\s/:@]*):([^\s/@]+)@(?!sha\d)"
# of an option that does not exist: the name of one that was meant, with room for a slip
_MEANT_SECRET = r"(?i)pas|pw|secr|tok|auth|cred|key"
PLACEHOLDER = "********"
# every form of every secret that this run has met
SECRETS_MET: set[str] = set()
# a credential and its name in the text of a mapping
_WRITTEN_SECRET = r"(?i)(?:pas|pw|secr|tok|auth)\w*[\"']?\s*[:=]\s*[\"']?([^\"',}\s]+)"
_LONGEST_PATH = 4096
# bytes that file systems take as the name of one file
_LONGEST_NAME = 255
_SHORTEST_CONTENT = 20
# what files begin with, and paths do not
_CONTENT = ("{", "[", "-----BEGIN", "$ANSIBLE_VAULT", "apiVersion", "kind:", "auths:")


def derived_forms(value: str) -> set[str]:
    """Return the secret itself and the forms in which it is written elsewhere: base64 (with and without padding,
    both alphabets), JSON and Python escapes, percent-encoding. Ansible masks literal values only."""
    raw = value.encode("utf-8", "surrogateescape")
    forms = {
        value,
        value.strip(),
        quote(raw, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
    }
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        text = encoded.decode("ascii")
        forms |= {text, text.rstrip("=")}
    return {form for form in forms if form}


def basic_credential(username: str, password: str) -> str:
    """Return the value of an HTTP Basic ``Authorization`` header without the word ``Basic``."""
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def url_passwords(value: t.Any) -> set[str]:
    """Return the password of every URL in ``value`` that has a user name and a password.

    It is returned as written and as sent.
    """
    found: set[str] = set()
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            for username, password in re.findall(_USER_INFO, item) if "@" in item else ():
                found |= {password, unquote(password), basic_credential(unquote(username), unquote(password))}
        elif isinstance(item, dict):
            left += item.values()
            # keys of auth files, and registries, are written without a scheme, too
            for name in (*item, item.get("registry")):
                found |= (
                    {password for _user, password in re.findall(_BARE_USER_INFO, name)}
                    if isinstance(name, str) and "@" in name
                    else set()
                )
        elif isinstance(item, (list, tuple)):
            left += item
    return found


def scrub(text: str) -> str:
    """Return foreign text (a plugin's stderr, a proxy's answer) without what is a credential by its shape."""
    return re.sub(_TOKEN_SHAPES, PLACEHOLDER, text)


class _MaskingModule(t.Protocol):
    no_log_values: set[str]


def register_secrets(module: _MaskingModule, values: t.Iterable[str]) -> set[str]:
    """Make Ansible mask the values and their derived forms in everything that the module returns from now on.

    Returns all these forms.
    """
    forms: set[str] = set()
    for value in values:
        if value:
            forms |= derived_forms(value)
    if not forms:
        return forms
    SECRETS_MET.update(forms)
    # up to ansible-core 2.21 the module itself masks what it returns
    module.no_log_values.update(forms)
    if ansible_register is not None:
        ansible_register(sorted(forms))
    return forms


def redact(text: str, forms: t.Iterable[str]) -> str:
    """Return the text without the given forms of secrets; longest first, since one can be part of another."""
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, PLACEHOLDER)
    return text


def misspelt_secrets(options: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> set[str]:
    """Return the credentials in options that Ansible will refuse, because it shows what it refuses.

    They are in options of another form than the argument spec's, or under names that it does not have and that are
    those of credentials.
    """
    known = {
        alias: definition for name, definition in options.items() for alias in (name, *definition.get("aliases", ()))
    }
    found: set[str] = set()
    for name, value in given.items():
        if name not in known:
            found |= (
                _texts(value) if re.search(_MEANT_SECRET, str(name)) and not str(name).startswith("_ansible") else set()
            )
        elif known[name].get("no_log"):
            found |= _texts(value)
        elif known[name].get("options"):
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, t.Mapping):
                    found |= misspelt_secrets(known[name]["options"], entry)
                elif isinstance(entry, str):
                    # text in the place of a mapping, which Ansible repeats in parts
                    found |= set(re.findall(_WRITTEN_SECRET, entry))
    return found


def _texts(value: t.Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {str(value)}
    entries = value.values() if isinstance(value, t.Mapping) else value if isinstance(value, (list, tuple)) else ()
    return {text for entry in entries for text in _texts(entry)}


def is_content(path: str) -> bool:
    """Return whether a string that should be a path can only be the content of a file.

    That is so for lines, JSON, PEM, the base64 of these, what no file system takes as a name, and a credential.
    """
    text = path.strip()
    if (
        re.search(r"[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]", text)
        or text.startswith(_CONTENT)
        or scrub(text) != text
    ):
        return True
    if len(text) > _LONGEST_PATH or any(
        len(part.encode("utf-8", "surrogateescape")) > _LONGEST_NAME for part in text.split("/")
    ):
        return True
    if len(text) < _SHORTEST_CONTENT or not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", text):
        return False
    try:
        content = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)).decode("utf-8")
    except ValueError:
        return False
    return "\n" in content or content.lstrip().startswith(_CONTENT)


def contents_of_paths(options: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> set[str]:
    """Return what was given as a path and is the content of a file, wherever ``options`` have a path.

    It may hold credentials.
    """
    found: set[str] = set()
    for name, definition in options.items():
        for key in (name, *definition.get("aliases", ())):
            value = given.get(key)
            if definition.get("type") == "path" and isinstance(value, str) and is_content(value):
                found |= {value, *(line for line in value.split("\n") if len(line) >= _SHORTEST_CONTENT)}
            elif value and _has_path(definition):
                for entry in value if isinstance(value, list) else [value]:
                    if isinstance(entry, t.Mapping):
                        found |= contents_of_paths(definition["options"], entry)
    return found


def _has_path(definition: t.Mapping[str, t.Any]) -> bool:
    """Return whether an option of the form ``definition`` has a path in it.

    Lists of thousands are not searched for nothing.
    """
    return any(inner.get("type") == "path" or _has_path(inner) for inner in (definition.get("options") or {}).values())
