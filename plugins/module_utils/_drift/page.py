# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page drift.html: the document in a template that escapes every value, with its style and script inside.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The browser is told to run that script and to take that style only, by their hashes, and to fetch nothing: whatever a
cluster has put into a name or a message stays text. What the page shows of the document is made in page_view.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import typing as t

from .._core.errors import InputError, MissingLibraryError
from .page_view import page_view
from .words import DECLARING, correction_command

try:
    import jinja2
    from markupsafe import Markup, escape
except ImportError:
    # Managed hosts may have none.
    HAS_JINJA2 = False
else:
    HAS_JINJA2 = True

VERDICTS = {
    "in_sync": "as declared",
    "drift": "drift",
    "corrected": "corrected",
    "partly_corrected": "partly corrected",
    "failed": "failed",
    "nothing_declared": "nothing declared",
}
_DIGEST = r"(sha256:[0-9a-f]{64})"
_SHORT = slice(len("sha256:"), len("sha256:") + 12)
# A line of a long name may end after these.
_BREAKS = r"(?<=[/:@])(?=[^/:@])"


class Asked(t.NamedTuple):
    """What the page needs to know besides: where the document is, and how many tags may be listed."""

    json_file: str | None
    most_tags: int


def render(document: t.Mapping[str, t.Any], template: str, title: str, asked: Asked) -> str:
    """Return the page. ``template`` has a style and a script of the same name beside it, ending in .css and .js.

    Raises MissingLibraryError without Jinja2, which every machine that runs Ansible has.
    """
    if not HAS_JINJA2:
        raise MissingLibraryError(
            "The page needs the Python library jinja2, which is not installed where the module runs"
        )

    def name(text: object) -> str:
        """Return a name that may be broken between lines where its parts end, and nowhere else."""
        return Markup("<wbr>").join(escape(part) for part in re.split(_BREAKS, str(text)))

    def shown(value: object) -> str:
        """Return a value, with the digests in it short.

        The whole one is in the title, and is what the button copies.
        """
        parts = re.split(_DIGEST, _as_text(value))
        for place in range(1, len(parts), 2):
            digest = parts[place]
            parts[place] = Markup('<button class="d" title="{}">{}</button>').format(digest, digest[_SHORT])
        return Markup("").join(part if place % 2 else name(part) for place, part in enumerate(parts))

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(
        name=name, shown=shown, number=lambda value: f"{value:,}", words=lambda text: str(text).replace("_", " ")
    )
    beginning = template[: -len(".html.j2")] if template.endswith(".html.j2") else os.path.splitext(template)[0]
    style, script = _read(f"{beginning}.css"), _read(f"{beginning}.js")
    return environment.from_string(_read(template)).render(
        document=document,
        title=title,
        view=page_view(document, asked.most_tags),
        command=correction_command(document, asked.json_file),
        command_for=lambda cluster: correction_command(document, asked.json_file, limit=cluster),
        verdicts=VERDICTS,
        declaring=DECLARING,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _as_text(value: object) -> str:
    if value is None:
        return "\N{EM DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"template: {path} cannot be read: {error.strerror}") from error
