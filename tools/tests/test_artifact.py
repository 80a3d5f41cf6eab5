# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be in the artifact, and where its pages lead."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

import pytest

from tools import ROOT, Refused
from tools.artifact import prepared, unexpected, with_addresses


def artifact(folder: Path, *names: str) -> Path:
    """Return an archive as ansible-galaxy builds it: names without a leading folder."""
    path = folder / "artifact.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return path


def test_what_a_user_needs_is_expected(tmp_path: Path) -> None:
    names = (
        "MANIFEST.json",
        "plugins/modules/pull_secret.py",
        "roles/registry_access/tasks/main.yml",
        "extensions/eda/a.py",
        "README.md",
        "SECURITY.md",
    )

    assert unexpected(artifact(tmp_path, *names)) == []


def test_tests_tools_and_caches_are_not(tmp_path: Path) -> None:
    names = (
        "README.md",
        "tests/emulator/app.py",
        "tools/gates.py",
        ".venv/bin/python",
        "plugins/modules/__pycache__/a.pyc",
    )

    assert unexpected(artifact(tmp_path, *names)) == [*names[1:]]


BASE = "https://git.example.com/quayside/openshift_images"


@pytest.mark.parametrize(
    ("page", "link", "address"),
    [
        ("README.md", "docs/awx.md", "/blob/1.2.0/docs/awx.md"),
        ("README.md", "docs/awx.md#surveys", "/blob/1.2.0/docs/awx.md#surveys"),
        ("README.md", "docs/rbac", "/tree/1.2.0/docs/rbac"),
        ("README.md", "docs/report.png", "/raw/1.2.0/docs/report.png"),
        ("roles/some/README.md", "../../docs/awx.md", "/blob/1.2.0/docs/awx.md"),
    ],
)
def test_links_of_the_readmes_lead_to_the_released_version(tmp_path: Path, page: str, link: str, address: str) -> None:
    (tmp_path / "docs" / "rbac").mkdir(parents=True)
    for name in ("awx.md", "report.png"):
        (tmp_path / "docs" / name).touch()

    text = with_addresses(f"See [this]({link}), please.", PurePosixPath(page), tmp_path, BASE, "1.2.0")

    assert text == f"See [this]({BASE}{address}), please."


def test_links_that_lead_elsewhere_stay(tmp_path: Path) -> None:
    text = "[a](https://example.com/b) [c](#licence) [d](mailto:e@example.com)"

    assert with_addresses(text, PurePosixPath("README.md"), tmp_path, BASE, "1.2.0") == text


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"README.md links to docs/gone.md, which is not there"):
        with_addresses("[a](docs/gone.md)", PurePosixPath("README.md"), tmp_path, BASE, "1.2.0")


def test_no_readme_of_the_artifact_has_a_relative_link(tmp_path: Path) -> None:
    source = prepared(ROOT, tmp_path / "source")

    pages = [source / "README.md", *source.glob("roles/*/README.md")]
    assert len(pages) > 5
    assert [
        line
        for page in pages
        for line in page.read_text().splitlines()
        if "](" in line and "](http" not in line and "](#" not in line
    ] == []
