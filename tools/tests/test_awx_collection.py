# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is taken out of the package with awx.awx in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools import Refused
from tools.awx_collection import extract


def package(folder: Path, *names: str) -> Path:
    path = folder / "ansible-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return path


def test_only_the_collection_is_taken_out(tmp_path: Path) -> None:
    module = "ansible_collections/awx/awx/plugins/modules/project.py"

    extract(package(tmp_path, module, "ansible_collections/other/thing/galaxy.yml", "../outside"), tmp_path / "out")

    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [tmp_path / "out" / module]


def test_a_package_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"ansible-0-py3-none-any\.whl has no awx\.awx"):
        extract(package(tmp_path, "ansible_collections/other/thing/galaxy.yml"), tmp_path / "out")
