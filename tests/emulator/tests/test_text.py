# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Go's words: what its JSON parser says, durations."""

from __future__ import annotations

import pytest
from emulator.gotext import json_error, parse_duration


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope", "invalid character 'o' in literal null (expecting 'u')"),
        ("", "unexpected end of JSON input"),
        ('{"a": ', "unexpected end of JSON input"),
        ("{a: 1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a": 1 "b": 2}', "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ('{"a": 1,}', "invalid character '}' looking for beginning of object key string"),
        ("'a'", "invalid character '\\'' looking for beginning of value"),
        ("01", "invalid character '1' after top-level value"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        ('"a\nb"', "invalid character '\\n' in string literal"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
        ("tru ", "invalid character ' ' in literal true (expecting 'e')"),
    ],
)
def test_json_error(text: str, words: str) -> None:
    """The parser stops where Go's does and says what it says."""
    assert json_error(text) == words


@pytest.mark.parametrize("text", ["null", " {} ", "[]", '{"a": [1, -2.5e+3, "x\\u00e9\\n"], "b": {"c": true}}', "0"])
def test_valid_json(text: str) -> None:
    """What is JSON is accepted."""
    assert json_error(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("300s", 300.0), ("1h0m0s", 3600.0), ("1.5m", 90.0), ("250ms", 0.25), ("5", None), ("", None)]
)
def test_duration(text: str, seconds: float | None) -> None:
    """Go's durations need a unit."""
    assert parse_duration(text) == seconds
