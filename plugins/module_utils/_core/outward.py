# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outward wall: what leaves a module or a report file is redacted, made printable and bounded here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

``_module/runner.py`` calls it once, over everything that a module returns. Ansible writes messages to terminals as
they are, and does not redact the keys of mappings.
"""

from __future__ import annotations

import re
import typing as t

from .masking import PLACEHOLDER, SECRETS_MET, redact

# characters: of one string in a result, and of one line of a message or a diff
TEXT_LIMIT = 64 * 1024
LINE_LIMIT = 4096
_CUT = "..."
# characters that are searched for secrets beyond the limit of an excerpt, because redacted text becomes shorter
_MARGIN = 64 * 1024
# control characters, what turns the direction of writing, halves of surrogate pairs
_COMMANDS = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_COMMAND = re.compile(f"[{_COMMANDS}]")
_PICTURES = 0x2400
# what may have several lines: our messages, tracebacks, and the two sides of a diff
_MULTILINE = frozenset(("msg", "exception", "before", "after"))


def visible(text: str) -> str:
    """Return the text with a visible character for each one that commands a terminal.

    Line ends are among them.
    """
    return _COMMAND.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def excerpt(text: str, limit: int) -> str:
    """Return up to ``limit`` characters of foreign text as a part of one of our lines.

    Every secret that this run has met is redacted before the text is cut: nobody would recognise what is left of
    one. Line ends become spaces.
    """
    redacted = redact(text[: limit + _MARGIN], SECRETS_MET)
    return visible(re.sub(r"\s*[\r\n\t]\s*", " ", redacted[:limit]))


class OutwardWall:
    """Makes values fit to leave, without any of ``secrets``, the forms of credentials that this run knows."""

    def __init__(self, secrets: t.Iterable[str]) -> None:
        forms = sorted((form for form in secrets if form), key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, forms))) if forms else None

    def text(self, text: str, *, multiline: bool = False) -> str:
        """Return the text redacted, printable and bounded; its line ends stay only if it is ``multiline``."""
        if self._secret is not None:
            text = self._secret.sub(PLACEHOLDER, text)
        if multiline:
            return "\n".join(_bounded(visible(line), LINE_LIMIT) for line in text.split("\n"))
        if not text.isprintable():
            text = visible(text)
        return _bounded(text, TEXT_LIMIT)

    def value(self, value: t.Any, *, multiline: bool = False) -> t.Any:
        """Return a value of JSON types with every string, keys included, as ``text`` returns it.

        Lists keep their length.
        """
        if isinstance(value, str):
            return self.text(value, multiline=multiline)
        if isinstance(value, t.Mapping):
            return {self._key(key): self.value(inner, multiline=key in _MULTILINE) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(inner) for inner in value]
        return value

    def _key(self, key: t.Any) -> t.Any:
        return self.text(key) if isinstance(key, str) else key


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
