# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML that Ansible reads as variables, in which nothing is a template but what is marked as one.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Ansible templates every string of a variables file. What came from a cluster or a registry may be written so that it
runs a program then. Such a string gets the tag C(!unsafe), with which it stays text on every release; the rest is
plain YAML.
"""

from __future__ import annotations

import json
import re
import typing as t

import yaml

_MARKS = re.compile(r"\{[{%#]")
# What can stand in a comment as it is: no line end of any kind, nothing that commands a terminal.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}")
_SHOWN = 1024


class OwnTemplate(str):
    """A template of the collection's own, the only kind of string that stays one."""

    __slots__ = ()


class _Unsafe(str):
    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: one value in two places is written twice."""

    def ignore_aliases(self, data: t.Any) -> bool:
        """Return that no value gets an anchor."""
        return True


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))
_Dumper.add_representer(
    OwnTemplate, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')
)


def unsafe_yaml(data: t.Any) -> str:
    """Return ``data`` as YAML for Ansible: mappings with plain keys, lists, strings, numbers, true, false and null."""
    return yaml.dump(_tagged(data), Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=4096)


def _tagged(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        for key in value:
            if _MARKS.search(str(key)):
                raise ValueError("a key cannot carry the tag: it must be a name of the collection's own")
        return {_exact(key): _tagged(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tagged(inner) for inner in value]
    if isinstance(value, OwnTemplate):
        return value
    if isinstance(value, str):
        text = _exact(value)
        return _Unsafe(text) if _MARKS.search(text) else text
    return value


def _exact(text: str) -> str:
    """Return the text without the class that Ansible gives to what it did not make.

    Its str() returns one of its own again.
    """
    return str.encode(text, "utf-8", "surrogatepass").decode("utf-8", "surrogatepass")


def in_a_comment(text: str) -> str:
    """Return the text as it can stand in a comment or a line for people.

    Plain text stays as it is; other text is quoted, with its odd characters escaped.
    """
    return text if _PLAIN.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """Return the text in quotes, on one line whatever it holds, and bounded."""
    return json.dumps(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
