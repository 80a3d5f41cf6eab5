# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection, looks at what is in the artifact, installs it without a network and lists its content."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tools import BUILD, Refused, say
from tools.awx_collection import ensure_awx_collection

# Anything else in the artifact is a mistake, whatever it is: a new folder has to be allowed here.
ALLOWED = {
    "CHANGELOG.md", "CONTRIBUTING.md", "COPYING", "FILES.json", "LICENSES", "MANIFEST.json", "README.md", "REUSE.toml",
    "changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "requirements.txt", "roles",
}
NAME = "quayside.openshift_images"


def build(collection: Path, folder: Path) -> Path:
    """Build the artifact of the collection into a folder of its own, and return it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(folder)], cwd=collection, check=True)
    (artifact,) = folder.glob("quayside-openshift_images-*.tar.gz")
    return artifact


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
            raise Refused(f"Ansible finds these {kind}s of the installed collection: {sorted(found)}, not {sorted(expected)}.")
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
