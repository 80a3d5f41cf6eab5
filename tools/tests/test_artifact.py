# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be in the artifact."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tools.artifact import unexpected


def artifact(folder: Path, *names: str) -> Path:
    """An archive as ansible-galaxy builds it: names without a leading folder."""
    path = folder / "artifact.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return path


def test_what_a_user_needs_is_expected(tmp_path: Path) -> None:
    names = ("MANIFEST.json", "plugins/modules/pull_secret.py", "roles/registry_access/tasks/main.yml", "README.md")

    assert unexpected(artifact(tmp_path, *names)) == []


def test_tests_tools_and_caches_are_not(tmp_path: Path) -> None:
    names = ("README.md", "tests/emulator/app.py", "tools/gates.py", ".venv/bin/python", "plugins/modules/__pycache__/a.pyc")

    assert unexpected(artifact(tmp_path, *names)) == [*names[1:]]
