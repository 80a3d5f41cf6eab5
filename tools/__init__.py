# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Makefile runs: environments, the copy of the collection, the gates. Until .venv is there, the standard
library only."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build"


class Refused(Exception):
    """The work cannot be done here; the text is the one sentence that says why and what to do."""


def say(text: str) -> None:
    """Tell the person at the screen, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
