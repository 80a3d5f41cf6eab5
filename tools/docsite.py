# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation site: the guides as they stand in the repository, and a page for each module and role.

Any warning, of antsibull-docs or of Sphinx, fails the build. Nothing is fetched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools import BUILD, ROOT, Refused, say
from tools.tree import collection_files

NAME = "quayside.openshift_images"
SITE = Path("docs", "docsite")
LINK = re.compile(r"\]\(([^)#\s]+)")
# An entry of the reference's menus: a page whose title is its full name with its description.
ENTRY = re.compile(r"^(    )(\w+)_(module|role|filter)$", re.MULTILINE)
# What becomes part of the site besides docs/, and what pages link to: links work on a git web page and on the site.
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "COPYING",
    "MAINTAINERS.md",
    "REVIEW_CHECKLIST.md",
    "SECURITY.md",
)


def gather(source: Path) -> None:
    """Bring the pages together in ``source``, at the places that they have in the repository; the site's own at the
    top."""
    if source.exists():
        shutil.rmtree(source)
    files = collection_files(ROOT)
    # What is below rst comes with the reference.
    pages = [
        relative
        for relative in files
        if (relative.parts[0] == "docs" and SITE / "rst" not in relative.parents) or str(relative) in PAGES
    ]
    linked = {target for page in pages if page.suffix == ".md" for target in links(page)}
    folders = {target: [file for file in files if target in file.parents] for target in linked}
    for relative in {*pages, *linked.intersection(files), *(file for inside in folders.values() for file in inside)}:
        target = source / (relative.relative_to(SITE) if SITE in relative.parents else relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / relative, target)
    for folder, inside in folders.items():
        if inside:
            (source / folder).with_suffix(".md").write_text(listing(folder, inside), encoding="utf-8")


def listing(folder: Path, files: list[Path]) -> str:
    """Return a page in the place of a folder that is linked to: a git web page lists its files, and so does this."""
    lines = [f"- [{file.relative_to(folder)}]({file.relative_to(folder.parent)})" for file in files]
    return "\n".join(["---", "orphan: true", "---", f"# {folder}", "", *lines, ""])


def links(page: Path) -> list[Path]:
    """Return the files and folders that a page links to and that are no pages themselves, relative to the checkout."""
    named = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    targets = [Path(os.path.normpath(page.parent / name)) for name in named if ":" not in name.split("/")[0]]
    return [target for target in targets if target.suffix != ".md"]


def reference(folder: Path) -> None:
    """Write a page for each module and role, from the collection that Ansible finds."""
    folder.mkdir(mode=0o700)
    run(
        "antsibull-docs",
        "collection",
        "--use-current",
        "--fail-on-error",
        "--squash-hierarchy",
        "--dest-dir",
        str(folder),
        NAME,
    )
    missing = [name for name in contents() if not (folder / f"{name}.rst").is_file()]
    if missing:
        raise Refused(f"antsibull-docs wrote no page for these: {', '.join(missing)}")
    index = folder / "index.rst"
    index.write_text(with_short_titles(index.read_text(encoding="utf-8")), encoding="utf-8")


def with_short_titles(index: str) -> str:
    """Return the index of the reference with the bare names of modules, roles and filters in its menus, which are
    narrow."""
    return ENTRY.sub(r"\1\2 <\2_\3>", index)


def contents() -> list[str]:
    """Return the names of the pages that the reference has to have."""
    modules = [f"{path.stem}_module" for path in (ROOT / "plugins" / "modules").glob("*.py")]
    return sorted(modules + [f"{path.parents[1].name}_role" for path in ROOT.glob("roles/*/meta/argument_specs.yml")])


def render(source: Path, site: Path) -> None:
    """Make the pages of ``source`` a new site."""
    remembered = site.with_name(f"{site.name}-doctrees")
    for old in (site, remembered):
        shutil.rmtree(old, ignore_errors=True)
    run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "-d", str(remembered), str(source), str(site))


def run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode:
        raise Refused(f"{command[0]} refuses the documentation: see its messages above.")


def main() -> None:
    source, site = BUILD / "docs" / "source", BUILD / "docs" / "html"
    # antsibull-docs wants a folder that nobody else can write to.
    os.umask(0o022)
    gather(source)
    reference(source / "reference")
    render(source, site)
    say(f"pages: {len(list(site.rglob('*.html')))}; open {site.relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        sys.exit(str(refusal))
