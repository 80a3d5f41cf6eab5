# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Ansible community and Automation Hub ask of a collection, as far as no tool asks for it."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The sections that a certified collection has.
SECTIONS = (
    "Requirements",
    "Installation",
    "Use cases",
    "Testing",
    "Contributing",
    "Support",
    "Communication",
    "Release notes and roadmap",
    "Related information",
    "Licence",
)
COMMUNITY_FILES = (
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "MAINTAINERS.md",
    "REVIEW_CHECKLIST.md",
    "SECURITY.md",
    "CHANGELOG.md",
)
# What is text and can hold an address of the project.
TEXTS = (
    "*.md",
    "*.yml",
    ".github/**/*.yml",
    "docs/**/*.md",
    "docs/**/*.yml",
    "docs/**/*.rst",
    "meta/*",
    "playbooks/**/*.yml",
    "plugins/**/*.py",
    "roles/**/*",
)


def load(*parts: str) -> t.Any:
    return yaml.safe_load(ROOT.joinpath(*parts).read_text(encoding="utf-8"))


def test_every_address_of_the_project_is_below_the_one_of_galaxy_yml() -> None:
    galaxy = load("galaxy.yml")
    base = galaxy["repository"]
    texts = {
        path: path.read_text(encoding="utf-8") for pattern in TEXTS for path in ROOT.glob(pattern) if path.is_file()
    }
    addresses = [
        (path.name, found)
        for path, text in texts.items()
        for found in re.findall(r"https?://[\w./-]*/openshift_images[\w./-]*", text)
    ]

    assert (galaxy["homepage"], galaxy["issues"]) == (base, f"{base}/issues")
    assert len(addresses) > 5
    assert [
        (name, address) for name, address in addresses if address != base and not address.startswith(f"{base}/")
    ] == []
    assert load("docs", "docsite", "links.yml")["edit_on_github"]["repository"] == base.removeprefix(
        "https://github.com/"
    )


@pytest.mark.parametrize("role", ROLES)
def test_metadata_of_a_role_agrees_with_its_argument_specs_and_the_collection(role: str) -> None:
    about = load("roles", role, "meta", "main.yml")
    specified = load("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]
    galaxy = load("galaxy.yml")
    info = about["galaxy_info"]

    assert info["description"] == specified["short_description"]
    assert [info["license"]] == galaxy["license"]
    assert f">={info['min_ansible_version']}.0" == load("meta", "runtime.yml")["requires_ansible"]
    assert set(info["galaxy_tags"]) <= set(galaxy["tags"])
    assert info["platforms"]
    assert about["dependencies"] == []


@pytest.mark.parametrize("name", COMMUNITY_FILES)
def test_files_of_a_community_project_are_there_and_the_readme_leads_to_them(name: str) -> None:
    assert (ROOT / name).is_file()
    assert f"]({name})" in README


@pytest.mark.parametrize("section", SECTIONS)
def test_the_readme_has_the_sections_of_a_certified_collection(section: str) -> None:
    body = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert body.strip()


def test_the_readme_is_short_enough_to_be_read() -> None:
    text = re.sub(r"^```.*?^```|^    .*?$|<!--.*?-->", "", README, flags=re.MULTILINE | re.DOTALL)
    assert len([line for line in text.splitlines() if line.strip()]) <= 150


def test_the_changelog_is_written_in_the_format_of_its_name() -> None:
    config = load("changelogs", "config.yaml")

    assert [Path(config["changelog_filename_template"]).suffix] == [f".{name}" for name in config["output_formats"]]
    assert ROOT.joinpath("changelogs", config["changelog_filename_template"]).resolve().is_file()


def test_pages_for_the_ansible_documentation_are_there() -> None:
    pages = [page for section in load("docs", "docsite", "extra-docs.yml")["sections"] for page in section["toctree"]]

    assert pages
    assert [page for page in pages if not (ROOT / "docs" / "docsite" / "rst" / f"{page}.rst").is_file()] == []


@pytest.mark.parametrize("index", ["README.md", "docs/docsite/index.md", "docs/docsite/rst/guides.rst"])
def test_every_guide_is_in_each_index_with_a_description(index: str) -> None:
    text = (ROOT / index).read_text(encoding="utf-8")
    described = set(re.findall(r"docs/([\w-]+)\.md(?:\)|>`__):? \w", text))

    assert {path.stem for path in (ROOT / "docs").glob("*.md")} - described == set()


def test_public_ci_calls_make_every_night_too_and_nothing_else() -> None:
    workflow = load(".github", "workflows", "ci.yml")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    targets = [
        target
        for job in workflow["jobs"].values()
        for target in job.get("strategy", {}).get("matrix", {}).get("target", [])
    ]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert {step["run"] for step in steps if "run" in step} == {"make everything", "make ${{ matrix.target }}"}
    assert [
        name for name in targets if not re.search(rf"^(?:\.PHONY:|ONE_GATE :=).*\b{name}\b", makefile, re.MULTILINE)
    ] == []
    assert {step["uses"].partition("@")[0] for step in steps if "uses" in step} == {
        "actions/checkout",
        "actions/setup-python",
    }
    assert workflow["on"]["schedule"]
    assert "secrets." not in (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
