# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be released, and as which version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import ROOT, Refused
from tools.release import check, check_announced, check_checkout, read, releases, version_of, write_version


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a collection that has released 1.1.0 and 1.2.0, with a fix to release."""
    files = {
        "galaxy.yml": "namespace: quayside\nname: openshift_images\nversion: 1.2.0\nreadme: README.md\nauthors: "
        "[somebody]\n",
        "changelogs/changelog.yaml": "releases:\n  1.1.0: {}\n  1.2.0: {}\n",
        "changelogs/fragments/fix.yml": "bugfixes:\n  - pull_secret - keep the order of keys.\n",
        "plugins/modules/pull_secret.py": 'DOCUMENTATION = r"""\nversion_added: 1.1.0\n"""\n',
        "roles/images/meta/argument_specs.yml": "argument_specs:\n  main:\n    version_added: 1.2.0\n",
        "meta/runtime.yml": "requires_ansible: '>=2.16'\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def refused(checkout: Path, version: str) -> str:
    with pytest.raises(Refused) as refusal:
        check(checkout, version)
    return str(refusal.value)


def change(checkout: Path, name: str, text: str) -> None:
    (checkout / name).write_text(text)


def test_what_this_collection_says_of_versions_is_true_in_the_one_that_is_worked_on() -> None:
    check_announced(ROOT, version_of(str(read(ROOT / "galaxy.yml")["version"])), releases(ROOT))


@pytest.mark.parametrize("version", ["1.2.1", "1.3.0", "2.0.0"])
def test_a_fix_is_at_least_a_patch(checkout: Path, version: str) -> None:
    check(checkout, version)


@pytest.mark.parametrize("version", ["1.2", "v1.3.0", "1.3.0-rc1", "01.3.0", ""])
def test_a_release_has_three_numbers(version: str) -> None:
    with pytest.raises(Refused, match="three numbers"):
        version_of(version)


@pytest.mark.parametrize("version", ["1.2.0", "1.1.9", "0.9.0"])
def test_versions_rise(checkout: Path, version: str) -> None:
    assert "is not newer than 1.2.0" in refused(checkout, version)


def test_something_has_to_be_said(checkout: Path) -> None:
    (checkout / "changelogs" / "fragments" / "fix.yml").unlink()
    assert "nothing to release" in refused(checkout, "1.2.1")


def test_something_new_is_no_patch(checkout: Path) -> None:
    change(checkout, "changelogs/fragments/new.yml", "minor_changes:\n  - pull_secret - add only.\n")
    assert "raise the minor number" in refused(checkout, "1.2.1")
    check(checkout, "1.3.0")


def test_what_breaks_something_is_a_major_version(checkout: Path) -> None:
    change(checkout, "changelogs/fragments/gone.yml", "removed_features:\n  - pull_secret - remove force.\n")
    assert "removed_features: raise the major number" in refused(checkout, "1.3.0")
    check(checkout, "2.0.0")


def test_before_the_first_major_version_a_minor_one_may_break_something(checkout: Path) -> None:
    change(checkout, "changelogs/changelog.yaml", "releases:\n  0.1.0: {}\n")
    change(checkout, "changelogs/fragments/gone.yml", "breaking_changes:\n  - pull_secret - mean something else.\n")
    change(checkout, "plugins/modules/pull_secret.py", "version_added: 0.1.0\n")
    change(checkout, "roles/images/meta/argument_specs.yml", "version_added: 0.2.0\n")
    assert "raise the minor number" in refused(checkout, "0.1.1")
    check(checkout, "0.2.0")


def test_what_is_added_is_added_now_or_was_there(checkout: Path) -> None:
    change(checkout, "plugins/modules/pull_secret.py", "    version_added: '1.2.5'\n")
    assert (
        refused(checkout, "1.3.0")
        == "plugins/modules/pull_secret.py has version_added 1.2.5, which is neither 1.3.0 nor a version that was "
        "released."
    )


@pytest.mark.parametrize(
    "text",
    ["removed_in_version='2.0.0'", '"removed_in_version": "2.0.0"', "removed_in: 2.0.0", "  removal_version: 2.0.0"],
)
def test_what_was_to_go_goes(checkout: Path, text: str) -> None:
    change(checkout, "meta/runtime.yml", text)
    assert "was to be removed in 2.0.0" in refused(checkout, "2.0.0")
    check(checkout, "1.3.0")


def test_only_what_is_committed_on_the_main_branch_is_released(checkout: Path) -> None:
    def git(*words: str) -> None:
        person = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
        subprocess.run(["git", "-C", str(checkout), *person, *words], check=True, capture_output=True)

    git("init", "--initial-branch", "topic")
    git("add", "--all")
    git("commit", "--message", "All of it")
    with pytest.raises(Refused, match='on the branch main, this is "topic"'):
        check_checkout(checkout)
    git("branch", "--move", "main")
    check_checkout(checkout)
    change(checkout, "galaxy.yml", "version: 1.2.1\n")
    with pytest.raises(Refused, match=r"galaxy\.yml"):
        check_checkout(checkout)


def test_version_and_changelog_are_written(checkout: Path) -> None:
    (checkout / "changelogs" / "config.yaml").write_bytes((ROOT / "changelogs" / "config.yaml").read_bytes())
    change(checkout, "changelogs/changelog.yaml", "ancestor: null\nreleases: {}\n")
    (checkout / "plugins" / "modules" / "pull_secret.py").unlink()

    write_version(checkout, "1.2.1")

    assert "version: 1.2.1" in (checkout / "galaxy.yml").read_text()
    assert "keep the order of keys" in (checkout / "CHANGELOG.md").read_text()
    assert not list((checkout / "changelogs" / "fragments").iterdir())
