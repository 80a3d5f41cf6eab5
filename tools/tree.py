# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the collection at a real path ".../ansible_collections/quayside/openshift_images".

ansible-test and ansible-lint refuse, or misread, a checkout with any other path and a link to one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools import ROOT

# What is in the copy only: the virtual environments that ansible-test uses again, and the repository that stops tools
# from asking the checkout's own one, which ignores the copy.
KEPT = (Path("tests", "output"), Path(".git"))


def collection_files(root: Path = ROOT) -> list[Path]:
    """Return every file of the checkout that is tracked, or new and not ignored, relative to it."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted({Path(name) for name in names if name and (root / name).is_file()})


def refresh(name: str, root: Path = ROOT) -> Path:
    """Bring the copy called ``name`` in line with the checkout and return the folder of the collection in it."""
    collection = root / ".build" / name / "ansible_collections" / "quayside" / "openshift_images"
    wanted = collection_files(root)
    remove_others(collection, set(wanted))
    for relative in wanted:
        source, target = root / relative, collection / relative
        if not same(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    if not (collection / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(collection)], check=True)
    return collection


def same(source: Path, target: Path) -> bool:
    """Tell whether the copy of a file is up to date: size, time and mode, as a copy keeps them."""
    if not target.exists():
        return False
    one, other = source.stat(), target.stat()
    return (one.st_size, one.st_mtime_ns, one.st_mode) == (other.st_size, other.st_mtime_ns, other.st_mode)


def remove_others(collection: Path, wanted: set[Path]) -> None:
    """Remove what the checkout no longer has, caches included, and the folders that are empty then."""
    visited = []
    for folder, names, files in os.walk(collection):
        relative = Path(folder).relative_to(collection)
        names[:] = [name for name in names if relative / name not in KEPT]
        visited.append(folder)
        for name in files:
            if relative / name not in wanted:
                Path(folder, name).unlink()
    for folder in reversed(visited):
        if not os.listdir(folder):
            Path(folder).rmdir()
