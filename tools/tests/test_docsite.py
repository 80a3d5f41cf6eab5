# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation site is made of, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import ROOT, Refused
from tools.docsite import contents, gather, links, listing, render, with_short_titles


def test_pages_keep_their_places_so_that_links_between_them_work(tmp_path: Path) -> None:
    gather(tmp_path / "source")

    gathered = {
        str(path.relative_to(tmp_path / "source")) for path in (tmp_path / "source").rglob("*") if path.is_file()
    }
    assert {"conf.py", "index.md", "README.md", "docs/getting-started.md", "docs/rbac/pull_secret.yml"} <= gathered
    assert not [name for name in gathered if name.startswith(("docs/docsite", "tests", "plugins"))]


def test_files_that_a_page_links_to_come_along() -> None:
    assert Path("docs", "rbac", "pull_secret.yml") in links(Path("docs", "least-privilege.md"))
    assert not [
        target
        for page in ROOT.glob("docs/*.md")
        for target in links(page.relative_to(ROOT))
        if not (ROOT / target).exists()
    ]


def test_menus_name_modules_by_their_bare_names() -> None:
    index = (
        ".. toctree::\n    :hidden:\n\n    pull_secret_module\n    site_role\n\n* pull_secret_module is linked here\n"
    )

    assert with_short_titles(index) == (
        ".. toctree::\n    :hidden:\n\n    pull_secret <pull_secret_module>\n    site <site_role>\n\n"
        "* pull_secret_module is linked here\n"
    )


def test_a_folder_that_a_page_links_to_has_its_files_listed() -> None:
    page = listing(
        Path("docs", "examples"),
        [Path("docs", "examples", "clusters.yml"), Path("docs", "examples", "vars", "all.yml")],
    )

    assert page.endswith(
        "# docs/examples\n\n- [clusters.yml](examples/clusters.yml)\n- [vars/all.yml](examples/vars/all.yml)\n"
    )


def test_every_module_and_role_has_a_page() -> None:
    modules, roles = ROOT.glob("plugins/modules/*.py"), ROOT.glob("roles/*")

    assert contents() == sorted(
        [*(f"{path.stem}_module" for path in modules), *(f"{path.name}_role" for path in roles)]
    )


def test_a_link_to_nothing_fails_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text('extensions = ["myst_parser"]\n')
    (source / "index.md").write_text("# Guide\n\n[more](more.md)\n")

    with pytest.raises(Refused, match="refuses the documentation"):
        render(source, tmp_path / "html")
    assert "'more.md'" in capfd.readouterr().err
