# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares answers with recorded ones, field by field; tokens stand for what differs from run to run."""

from __future__ import annotations

import re
import typing as t

_TOKEN = re.compile(r"<(uid|time|rv:\d+)>")
_PATTERNS = {
    "uid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "time": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z",
    "rv": r"[0-9A-Za-z]+",
}


class Tokens:
    """The values of a case's tokens: equal ``<rv:N>`` have equal values, different ones different values."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def __getitem__(self, token: str) -> str:
        return self._values[token]

    def __contains__(self, token: str) -> bool:
        return token in self._values

    def match(self, recorded: str, answered: str) -> str:
        """Why a text does not match a recorded one with tokens; empty if it does."""
        names: list[str] = []

        def group(found: re.Match[str]) -> str:
            names.append(found[1])
            return f"({_PATTERNS[found[1].partition(':')[0]]})"

        parts = _TOKEN.split(recorded)
        pattern = "".join(
            group(t.cast("re.Match[str]", _TOKEN.fullmatch(f"<{part}>"))) if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        found = re.fullmatch(pattern, answered, re.DOTALL)
        if found is None:
            return f"{answered!r} instead of {recorded!r}"
        for name, value in zip(names, found.groups(), strict=True):
            if name.startswith("rv:"):
                problem = self._bind(name, value)
                if problem:
                    return problem
        return ""

    def _bind(self, name: str, value: str) -> str:
        known = self._values.setdefault(name, value)
        if known != value:
            return f"resourceVersion {value} instead of {known} for <{name}>"
        others = [other for other, theirs in self._values.items() if theirs == value and other != name]
        return f"resourceVersion {value} of <{others[0]}> also for <{name}>" if others else ""


def differences(recorded: t.Any, answered: t.Any, tokens: Tokens, path: str = "body") -> list[str]:
    """Every place where an answer differs: other values, missing fields, fields that were not there."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        found = [f"{path}.{key} is missing" for key in recorded if key not in answered]
        found += [f"{path}.{key} was not there: {answered[key]!r}" for key in answered if key not in recorded]
        for key in recorded:
            if key in answered:
                found += differences(recorded[key], answered[key], tokens, f"{path}.{key}")
        return found
    if isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            return [f"{path} has {len(answered)} entries instead of {len(recorded)}: {answered!r}"]
        found = []
        for index, (one, other) in enumerate(zip(recorded, answered, strict=True)):
            found += differences(one, other, tokens, f"{path}[{index}]")
        return found
    if isinstance(recorded, str) and isinstance(answered, str):
        problem = tokens.match(recorded, answered)
        return [f"{path}: {problem}"] if problem else []
    if type(recorded) is not type(answered) or recorded != answered:
        return [f"{path}: {answered!r} instead of {recorded!r}"]
    return []
