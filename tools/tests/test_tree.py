# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy of the collection is what the checkout is, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.tree import KEPT, refresh


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    write(tmp_path, ".gitignore", ".build/\n*.pyc\n")
    write(tmp_path, "galaxy.yml", "name: one\n")
    write(tmp_path, "plugins/modules/thing.py", "print()\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def content(collection: Path) -> set[str]:
    """Return the files of a copy without those that are in it only."""
    paths = [path.relative_to(collection) for path in collection.rglob("*") if path.is_file()]
    return {str(path) for path in paths if not any(kept in path.parents for kept in KEPT)}


def test_new_files_are_copied_and_ignored_ones_are_not(checkout: Path) -> None:
    write(checkout, "plugins/modules/thing.pyc", "x")

    collection = refresh("copy", checkout)

    assert collection.parts[-3:] == ("ansible_collections", "quayside", "openshift_images")
    assert content(collection) == {".gitignore", "galaxy.yml", "plugins/modules/thing.py"}


def test_a_second_time_it_follows_the_checkout(checkout: Path) -> None:
    collection = refresh("copy", checkout)
    write(checkout, "galaxy.yml", "name: two\n")
    (checkout / "plugins" / "modules" / "thing.py").unlink()
    write(collection, "plugins/modules/__pycache__/thing.pyc", "x")

    refresh("copy", checkout)

    assert (collection / "galaxy.yml").read_text() == "name: two\n"
    assert content(collection) == {".gitignore", "galaxy.yml"}
    assert not (collection / "plugins").exists()


def test_what_ansible_test_installed_stays(checkout: Path) -> None:
    collection = refresh("copy", checkout)
    write(collection, "tests/output/.tmp/python", "x")

    refresh("copy", checkout)

    assert (collection / "tests" / "output" / ".tmp" / "python").exists()
