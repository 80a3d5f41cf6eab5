# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves what the collection says to those who build execution environments, on the artifact that tools.artifact
installed.

No image is built: that needs a container engine. ansible-builder reads everything and writes the image's build
context.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from tools import BUILD, Refused, say
from tools.environment import MATRIX

DEFINITION = Path("docs", "examples", "execution-environment.yml")
# The image for rulebooks.
DECISION = Path("docs", "examples", "decision-environment.yml")
CONTEXT = BUILD / "execution-environment"
NAME = "quayside.openshift_images"


def introspected(folder: Path) -> dict[str, list[str]]:
    """Return what ansible-builder reads of the collections in ``folder``: what pip and the system's packager
    install."""
    command = ["ansible-builder", "introspect", str(folder)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = yaml.safe_load(answer)
    return {
        kind: [str(entry).partition("#")[0].strip() for entry in found.get(kind) or []] for kind in ("python", "system")
    }


def check_needs(found: dict[str, list[str]], stated: Path) -> None:
    """Refuse anything that is not stated, any package of the system, and anything with compiled code in it."""
    lines = [line for line in stated.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    if found != {"python": lines, "system": []}:
        raise Refused(f"ansible-builder reads {found} of the collection, and {stated.name} states {lines}.")
    for line in lines:
        name = Requirement(line).name
        if "Root-Is-Purelib: true" not in (distribution(name).read_text("WHEEL") or ""):
            raise Refused(f"{name} is not pure Python, so not every execution environment can take it.")


def check_core(definition: Path, tested: str) -> None:
    """Refuse an image whose ansible-core is not limited to what the tests run with."""
    stated = yaml.safe_load(definition.read_text(encoding="utf-8"))["dependencies"]["ansible_core"]["package_pip"]
    if stated != tested:
        raise Refused(f"{definition.name} takes {stated}, and the tests run with {tested}.")


def supported_core() -> str:
    """Return the ansible-core that the matrix tests from end to end, as pip writes it."""
    cores = [re.findall(r"ansible-core~=2\.(\d+)\.0", " ".join(words)) for words, _pythons in MATRIX.values()]
    minors = [int(minor) for found in cores for minor in found]
    return f"ansible-core>=2.{min(minors)},<2.{max(minors) + 1}"


def check_context(context: Path) -> None:
    """Refuse a build context that does not install the collection and what it needs."""
    containerfile = (context / "Containerfile").read_text(encoding="utf-8")
    collections = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    if [entry["name"] for entry in collections] != [NAME] or "ansible-galaxy collection install" not in containerfile:
        raise Refused(f"The image would not hold {NAME}: its collections are {collections}.")


def main() -> None:
    installed = BUILD / "installed"
    collection = installed / "ansible_collections" / "quayside" / "openshift_images"
    found = introspected(installed)
    check_needs(found, collection / "meta" / "ee-requirements.txt")
    for definition in (DEFINITION, DECISION):
        check_core(collection / definition, supported_core())
        context = CONTEXT / definition.stem
        command = [
            "ansible-builder",
            "create",
            "--file",
            str(collection / definition),
            "--context",
            str(context),
            "--output-filename",
            "Containerfile",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        check_context(context)
    say(f"An execution environment needs {', '.join(found['python'])} and nothing of the system.")


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        sys.exit(str(refusal))
