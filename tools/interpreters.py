# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Python interpreters of a version: on the PATH, and among those that pyenv has installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools import Refused


def find(*versions: str) -> str:
    """Return the interpreter of the first of ``versions`` that is installed. Raises Refused if none is."""
    for version in versions:
        for candidate in candidates(version):
            # A pyenv shim exists for versions that it then refuses to start.
            if version_of(candidate) == version:
                return candidate
    raise Refused(
        f"No Python {' or '.join(versions)} was found on the PATH or under pyenv: install one; this test needs it."
    )


def version_of(python: str) -> str:
    """Return "3.11" for an interpreter, "" for one that does not start."""
    command = [python, "-c", "import sys; print('.'.join(map(str, sys.version_info[:2])))"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    for folder in sorted(pyenv.glob(f"versions/{version}.*"), reverse=True):
        yield str(folder / "bin" / "python")
