# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection awx.awx, which playbooks/awx_setup.yml uses and this collection does not depend on: taken from
PyPI's package ansible."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools import BUILD, ROOT, Refused, say

REQUIREMENT = ROOT / "tests" / "requirements" / "awx.txt"
FOLDER = BUILD / "awx"
PART = "ansible_collections/awx/awx/"


def ensure_awx_collection(folder: Path = FOLDER) -> Path:
    """Return a folder of collections with awx.awx in it; only that is taken out of the package. Raises Refused if
    it cannot be fetched."""
    requirement = next(
        line for line in REQUIREMENT.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
    )
    stamp = folder / ".fetched"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == requirement:
        return folder
    say(f"Fetching awx.awx from {requirement}")
    with tempfile.TemporaryDirectory() as scratch:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--dest",
            scratch,
            requirement,
        ]
        if subprocess.run(pip, check=False).returncode:
            raise Refused(f"pip could not fetch {requirement}: see its message above; then run the same again.")
        (wheel,) = Path(scratch).glob("*.whl")
        shutil.rmtree(folder, ignore_errors=True)
        extract(wheel, folder)
    stamp.write_text(requirement, encoding="utf-8")
    return folder


def extract(wheel: Path, folder: Path) -> None:
    """Unpack the collection; Refused if the package has none."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(PART)]
        if not names:
            raise Refused(f"{wheel.name} has no awx.awx: name another release in {REQUIREMENT.name}.")
        archive.extractall(folder, names)
