# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interpreters are found by what they are, not by their name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import Refused
from tools.interpreters import find

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


def link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def test_one_that_does_not_start_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link(tmp_path / "bin" / f"python{OWN}", "/bin/false")
    link(tmp_path / "pyenv" / "versions" / f"{OWN}.9" / "bin" / "python", sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    assert find("3.99", OWN) == str(tmp_path / "pyenv" / "versions" / f"{OWN}.9" / "bin" / "python")


def test_none_is_refused_with_the_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    with pytest.raises(Refused, match=r"No Python 3\.98 or 3\.99 was found"):
        find("3.98", "3.99")
