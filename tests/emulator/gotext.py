# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts as Go writes them: quoted strings, values in messages, times, durations, errors of its JSON parser."""

from __future__ import annotations

import datetime as dt
import json
import re

from .gojson import Members

_LITERALS = {"t": "true", "f": "false", "n": "null"}
_SPACE = " \t\r\n"
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}  # noqa: RUF001
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")  # noqa: RUF001


def quote(text: str) -> str:
    """``%q``: in double quotes, with escapes."""
    return json.dumps(text, ensure_ascii=False)


def value_text(value: object) -> str:
    """Return a refused value within a message."""
    return quote(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def go_text(value: object) -> str:
    """``%v`` of a value that came as JSON: a map with its keys in order, a list, true and false in lower case."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else "<nil>" if value is None else str(value)


def now_text() -> str:
    """Return the present time as objects carry it: RFC 3339, UTC, whole seconds."""
    return time_text(dt.datetime.now(dt.timezone.utc))


def time_text(moment: dt.datetime) -> str:
    """Return a time as objects carry it."""
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_duration(text: str) -> float | None:
    """Seconds of a Go duration (``300s``, ``1h0m0s``); None if it is not one."""
    if text == "0":
        return 0.0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


class _Bad(Exception):
    """The scanner's verdict, in Go's words."""


class _Scanner:
    """Go's ``encoding/json`` scanner, for its error messages only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self) -> str:
        if self.at >= len(self.text):
            raise _Bad("unexpected end of JSON input")
        self.at += 1
        return self.text[self.at - 1]

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take_visible(self) -> str:
        while True:
            character = self.take()
            if character not in _SPACE:
                return character

    @staticmethod
    def refuse(character: str, context: str) -> _Bad:
        if character == "'":
            shown = r"'\''"
        elif character == '"':
            shown = "'\"'"
        else:
            shown = f"'{quote(character)[1:-1]}'"
        return _Bad(f"invalid character {shown} {context}")

    def document(self) -> None:
        self.value(self.take_visible())
        while self.peek():
            character = self.take()
            if character not in _SPACE:
                raise self.refuse(character, "after top-level value")

    def value(self, first: str) -> None:
        if first == "{":
            self.members()
        elif first == "[":
            self.elements()
        elif first == '"':
            self.string()
        elif first == "-" or is_digit(first):
            self.number(first)
        elif first in _LITERALS:
            for expected in _LITERALS[first][1:]:
                character = self.take()
                if character != expected:
                    raise self.refuse(character, f"in literal {_LITERALS[first]} (expecting '{expected}')")
        else:
            raise self.refuse(first, "looking for beginning of value")

    def members(self) -> None:
        character = self.take_visible()
        if character == "}":
            return
        while True:
            if character != '"':
                raise self.refuse(character, "looking for beginning of object key string")
            self.string()
            character = self.take_visible()
            if character != ":":
                raise self.refuse(character, "after object key")
            self.value(self.take_visible())
            character = self.take_visible()
            if character == "}":
                return
            if character != ",":
                raise self.refuse(character, "after object key:value pair")
            character = self.take_visible()

    def elements(self) -> None:
        character = self.take_visible()
        if character == "]":
            return
        while True:
            self.value(character)
            character = self.take_visible()
            if character == "]":
                return
            if character != ",":
                raise self.refuse(character, "after array element")
            character = self.take_visible()

    def string(self) -> None:
        while True:
            character = self.take()
            if character == '"':
                return
            if character < " ":
                raise self.refuse(character, "in string literal")
            if character == "\\":
                self.escape()

    def escape(self) -> None:
        character = self.take()
        if character == "u":
            for _place in range(4):
                digit = self.take()
                if digit not in "0123456789abcdefABCDEF":
                    raise self.refuse(digit, "in \\u hexadecimal character escape")
        elif character not in '"\\/bfnrt':
            raise self.refuse(character, "in string escape code")

    def number(self, first: str) -> None:
        if first == "-":
            first = self.take()
            if not is_digit(first):
                raise self.refuse(first, "in numeric literal")
        if first != "0":
            self.digits()
        if self.peek() == ".":
            self.take()
            self.need_digit("after decimal point in numeric literal")
        if self.peek() in ("e", "E"):
            self.take()
            if self.peek() in ("+", "-"):
                self.take()
            self.need_digit("in exponent of numeric literal")

    def need_digit(self, context: str) -> None:
        character = self.take()
        if not is_digit(character):
            raise self.refuse(character, context)
        self.digits()

    def digits(self) -> None:
        while is_digit(self.peek()):
            self.take()


def json_error(text: str) -> str | None:
    """Why Go's JSON parser refuses ``text``; None if it accepts it."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return _scan(text)
    return None


def _refuse_constant(name: str) -> None:
    """NaN and the like, which only Python takes for JSON."""
    raise ValueError(name)


def _scan(text: str) -> str | None:
    try:
        _Scanner(text).document()
    except _Bad as verdict:
        return str(verdict)
    return None


def json_type(value: object) -> str:
    """Return the name of a JSON value's type in ``cannot unmarshal ... into``."""
    if isinstance(value, bool):
        return "bool"
    names: dict[type, str] = {
        str: "string",
        int: "number",
        float: "number",
        list: "array",
        dict: "object",
        Members: "object",
    }
    return names.get(type(value), "null")


def is_digit(character: str) -> bool:
    """Whether it is one of JSON's ten digits, and not one of another script."""
    return character.isascii() and character.isdigit()
