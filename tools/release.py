# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a release in the checkout: checks, version, changelog, artifact, commit and tag. Publishes nothing.

docs/releases.md says what a version promises; this holds a release to it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from tools import BUILD, ROOT, Refused, artifact, importer, say
from tools.gates import environment
from tools.tree import refresh

Version = tuple[int, int, int]
MAJOR, MINOR, PATCH = range(3)
LEVELS = ("major", "minor", "patch")
# What a section of the changelog asks of the version.
ASKS = {
    "breaking_changes": MAJOR,
    "removed_features": MAJOR,
    "major_changes": MINOR,
    "minor_changes": MINOR,
    "deprecated_features": MINOR,
}
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_ADDED = re.compile(r"^\s*(?:- )?version_added: *[\"']?([\w.]+)", re.MULTILINE)
_REMOVED = re.compile(r"[\"']?(?:removed_in_version|removed_in|removal_version)[\"']? *[:=] *[\"']?([\w.]+)")
BRANCH = "main"


def version_of(text: str) -> Version:
    """Read a version; Refused if it is none of a release."""
    found = _VERSION.fullmatch(text)
    if not found:
        raise Refused(f'"{text}" is not the version of a release: give three numbers, as in VERSION=1.2.0')
    return int(found[1]), int(found[2]), int(found[3])


def check(root: Path, version: str) -> None:
    """See that what stands in the checkout can be released as ``version``; Refused with the reason if not."""
    wanted, released = version_of(version), releases(root)
    last = max(released, default=None)
    if last is not None and wanted <= last:
        raise Refused(f"{version} is not newer than {shown(last)}, which was released already.")
    sections = {name for fragment in fragments(root) for name in read(fragment)}
    if not sections:
        raise Refused("There is nothing to release: changelogs/fragments is empty.")
    if last is not None:
        check_level(wanted, last, sections)
    check_announced(root, wanted, released)


def releases(root: Path) -> list[Version]:
    return [version_of(str(text)) for text in read(root / "changelogs" / "changelog.yaml").get("releases") or {}]


def check_announced(root: Path, wanted: Version, released: Iterable[Version]) -> None:
    """See that what the collection says of versions is true in ``wanted``."""
    version = shown(wanted)
    known = {shown(one) for one in released} | {version}
    for place, added in found_in(root, _ADDED):
        if added not in known:
            raise Refused(
                f"{place} has version_added {added}, which is neither {version} nor a version that was released."
            )
    for place, removed in found_in(root, _REMOVED):
        if version_of(removed) <= wanted:
            raise Refused(f"{place} has something that was to be removed in {removed}: remove it, or move the date.")


def check_level(wanted: Version, last: Version, sections: Iterable[str]) -> None:
    """See that the version rises as much as the changelog asks for."""
    asked = min((ASKS.get(section, PATCH) for section in sections), default=PATCH)
    if last[0] == 0:
        # Before 1.0.0 a minor version may break something.
        asked = max(asked, MINOR)
    level = next(place for place in range(3) if wanted[place] != last[place])
    if level > asked:
        reason = ", ".join(sorted(section for section in sections if ASKS.get(section, PATCH) < level))
        raise Refused(
            f"After {shown(last)}, {shown(wanted)} is a {LEVELS[level]} version, and the fragments have {reason}: "
            f"raise the {LEVELS[asked]} number."
        )


def fragments(root: Path) -> list[Path]:
    return sorted(path for path in (root / "changelogs" / "fragments").glob("*") if path.suffix in (".yml", ".yaml"))


def read(path: Path) -> dict[str, t.Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise Refused(f"{path} is not a mapping.")
    return content


def found_in(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield the version that ``pattern`` finds, with the file, wherever the collection says one."""
    for path in sorted(
        [*root.glob("plugins/**/*.py"), *root.glob("roles/*/meta/*.yml"), root / "meta" / "runtime.yml"]
    ):
        for text in pattern.findall(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(root)), text


def shown(version: Version) -> str:
    return ".".join(map(str, version))


def check_checkout(root: Path) -> None:
    """See that what is released is what is committed, on the branch of releases."""
    branch = git(root, "branch", "--show-current")
    if branch != BRANCH:
        raise Refused(f'Releases are made on the branch {BRANCH}, this is "{branch}".')
    if changed := git(root, "status", "--porcelain"):
        raise Refused(f"Commit or remove what is not committed first:\n{changed}")


def git(root: Path, *words: str) -> str:
    answer = subprocess.run(["git", "-C", str(root), *words], check=False, capture_output=True, text=True)
    if answer.returncode:
        raise Refused(f"git {words[0]} failed: {answer.stderr.strip()}")
    return answer.stdout.strip()


def write_version(root: Path, version: str) -> None:
    """Put the version into galaxy.yml, and what the fragments say into the changelog."""
    galaxy = root / "galaxy.yml"
    galaxy.write_text(
        re.sub(r"^version: .*$", f"version: {version}", galaxy.read_text(encoding="utf-8"), flags=re.MULTILINE),
        encoding="utf-8",
    )
    # The plugins are read again: what an earlier state of them left in the cache would be announced instead.
    command = ["antsibull-changelog", "release", "--version", version, "--reload-plugins"]
    if subprocess.run(command, check=False, cwd=root).returncode:
        raise Refused("antsibull-changelog could not make the changelog: see its message above.")


def build(root: Path) -> Path:
    """Build the artifact, look at what is in it, install it, and have galaxy-importer judge it."""
    artifact.main(refresh("work", root))
    if importer.main():
        raise Refused("galaxy-importer refuses the artifact: see its messages above.")
    (built,) = (BUILD / "artifact").glob("*.tar.gz")
    return built


def main(version: str) -> None:
    check_checkout(ROOT)
    check(ROOT, version)
    os.environ.update(environment(Path(sys.executable).parent, refresh("work")))
    try:
        write_version(ROOT, version)
        built = build(ROOT)
    except BaseException:
        say("Nothing was committed: git restore . takes back what was written.")
        raise
    git(ROOT, "commit", "--all", "--message", f"Release {version}")
    git(ROOT, "tag", "--annotate", version, "--message", f"quayside.openshift_images {version}")
    say(f"Released {version} in this checkout: {built.relative_to(ROOT)}\nWhat is left, and cannot be undone:")
    say(f"    git push origin {BRANCH} {version}\n    ansible-galaxy collection publish {built.relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Refused as refusal:
        sys.exit(str(refusal))
