# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of docs/push.md, so that what a reader copies is what the tests run."""

from __future__ import annotations

import re
import textwrap
import typing as t
from pathlib import Path

import yaml

GUIDE = Path(__file__).parents[2] / "docs" / "push.md"


def block(name: str) -> t.Any:
    """Return the content of the YAML block whose first line names it."""
    return yaml.safe_load(text_block("yaml", name))


def text_block(language: str, name: str) -> str:
    """Return the block whose first line names it."""
    text = GUIDE.read_text(encoding="utf-8")
    blocks = (
        textwrap.dedent(found)
        for found in re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    )
    (found,) = (content for content in blocks if content.startswith(f"# {name}\n"))
    return found


def replaced(found: t.Mapping[str, t.Any], own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a mapping of the guide with this run's values for keys that are in it, and for no others."""
    assert not own.keys() - found.keys(), f"docs/push.md does not have {own.keys() - found.keys()}"
    return {**found, **own}
