# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection, looks at what is in the artifact, installs it without a network and lists its content.

Links of the READMEs are relative in the repository, if they lead to the same version, and whole addresses in the
artifact, where Galaxy and Automation Hub show the page alone.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import yaml

from tools import BUILD, Refused, say
from tools.awx_collection import ensure_awx_collection
from tools.tree import collection_files

# Anything else in the artifact is a mistake, whatever it is: a new folder has to be allowed here.
ALLOWED = {
    # galaxy-importer lints with it, here as in Automation Hub.
    ".ansible-lint",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MAINTAINERS.md",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "REVIEW_CHECKLIST.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}
IMAGES = (".gif", ".jpg", ".png", ".svg", ".webp")
NAME = "quayside.openshift_images"
# A link, or a picture, of a page in Markdown.
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)#\s]+)(?P<fragment>#[^)\s]*)?(?P<after>\))")


def build(collection: Path, folder: Path) -> Path:
    """Build the artifact of the collection into a folder of its own, and return it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    source = prepared(collection, folder.with_name(f"{folder.name}-source"))
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(folder)], cwd=source, check=True)
    (artifact,) = folder.glob("quayside-openshift_images-*.tar.gz")
    return artifact


def prepared(collection: Path, source: Path) -> Path:
    """Make a copy of the collection in which the READMEs have whole addresses, and return it."""
    if source.exists():
        shutil.rmtree(source)
    for relative in collection_files(collection):
        (source / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(collection / relative, source / relative)
    galaxy = yaml.safe_load((source / "galaxy.yml").read_text(encoding="utf-8"))
    for page in (source / "README.md", *source.glob("roles/*/README.md")):
        where = PurePosixPath(page.relative_to(source).as_posix())
        page.write_text(
            with_addresses(page.read_text(encoding="utf-8"), where, source, galaxy["repository"], galaxy["version"]),
            encoding="utf-8",
        )
    return source


def with_addresses(text: str, page: PurePosixPath, root: Path, repository: str, version: str) -> str:
    """Return the text of ``page`` with the address of the released version in place of each relative link."""

    def address(found: re.Match[str]) -> str:
        target = found["target"]
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        path = posixpath.normpath(str(page.parent / target))
        if not (root / path).exists():
            raise Refused(f"{page} links to {target}, which is not there.")
        kind = "tree" if (root / path).is_dir() else "raw" if path.endswith(IMAGES) else "blob"
        return f"{found['before']}{repository}/{kind}/{version}/{path}{found['fragment'] or ''}{found['after']}"

    return LINK.sub(address, text)


def unexpected(artifact: Path) -> list[str]:
    """Return the files in the artifact that a user has no use for."""
    with tarfile.open(artifact) as archive:
        names = [member.name for member in archive.getmembers()]
    wrong = [name for name in names if Path(name).parts and Path(name).parts[0] not in ALLOWED]
    return wrong + [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def install(artifact: Path, folder: Path) -> None:
    """Install the artifact without a network and see that Ansible finds each module, role and playbook of it."""
    if folder.exists():
        shutil.rmtree(folder)
    command = ["ansible-galaxy", "collection", "install", "--offline", "-p", str(folder), str(artifact)]
    environment = os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(folder)}
    subprocess.run(command, check=True, env=environment)
    installed = folder / "ansible_collections" / "quayside" / "openshift_images"
    for kind, pattern in (("module", "plugins/modules/*.py"), ("role", "roles/*/meta/argument_specs.yml")):
        expected = {f"{NAME}.{content_name(path, kind)}" for path in installed.glob(pattern)}
        listing = ["ansible-doc", "--type", kind, "--list", "--json", NAME]
        answer = subprocess.run(listing, check=True, capture_output=True, text=True, env=environment)
        if answer.stderr:
            raise Refused(f"ansible-doc has something to say of the installed {kind}s: {answer.stderr}")
        found = set(json.loads(answer.stdout))
        if found != expected:
            raise Refused(
                f"Ansible finds these {kind}s of the installed collection: {sorted(found)}, not {sorted(expected)}."
            )
        say(f"{kind}s found after the installation: {len(found)}")
    environment["ANSIBLE_COLLECTIONS_PATH"] += f"{os.pathsep}{ensure_awx_collection()}"
    for playbook in sorted(installed.glob("playbooks/*.yml")):
        check = ["ansible-playbook", "--syntax-check", f"{NAME}.{playbook.stem}"]
        subprocess.run(check, check=True, env=environment, cwd=folder)


def content_name(path: Path, kind: str) -> str:
    return path.stem if kind == "module" else path.parent.parent.name


def main(collection: Path) -> None:
    artifact = build(collection, BUILD / "artifact")
    wrong = unexpected(artifact)
    if wrong:
        raise Refused(f"The artifact holds what it should not: {', '.join(wrong)}")
    install(artifact, BUILD / "installed")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Refused as refusal:
        sys.exit(str(refusal))
