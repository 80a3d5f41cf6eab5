# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What galaxy-importer says that fails the gate."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import importer

PROGRESS = "Importing with galaxy-importer 0.4.44\nLoading role image_streams\n...ansible-lint run complete\n"
WARNING = "WARNING: No role description found in role metadata"


def answer(monkeypatch: pytest.MonkeyPatch, folder: Path, output: str, code: int = 0) -> None:
    """Let galaxy-importer answer that, for an artifact in ``folder``."""
    (folder / "artifact").mkdir()
    (folder / "artifact" / "some-thing-1.0.0.tar.gz").touch()
    monkeypatch.setattr(importer, "BUILD", folder)
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_more: subprocess.CompletedProcess(command, code, stdout=output)
    )


def test_progress_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer(monkeypatch, tmp_path, PROGRESS)

    assert importer.main() == 0


def test_a_warning_fails_and_is_named_at_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, tmp_path, f"{WARNING}\n{PROGRESS}")

    assert importer.main() == 1
    assert capsys.readouterr().out.endswith(f"galaxy-importer complains of 1 things:\n{WARNING}\n")


def test_a_refusal_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer(monkeypatch, tmp_path, "ERROR: no README\n", code=1)

    assert importer.main() == 1
