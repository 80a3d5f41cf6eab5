# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide for newcomers, followed word by word: its files written, its commands typed, its excerpts looked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from emulator.server import Emulator
from integration.cluster import Cluster
from integration.documents.documented import ROOT, Block, blocks
from integration.playbooks import collections_path
from integration.surroundings import Surroundings
from lab.files import lab_environment, write_environment
from lab.kubernetes_api import ApiAccess
from registries.client import RegistryClient

GUIDE = ROOT / "docs" / "getting-started.md"
# What the demo does, and what needs another cluster.
BY_HAND = "by hand"
FAILS = "fails"
STEP = "---- step"


def clone(directory: Path, given: Surroundings, emulator: Emulator, cluster: Cluster) -> Path:
    """Return a folder that is to the commands of the guide what a clone is after ``make demo KEEP=1``."""
    folder = directory / "clone"
    demo = folder / ".cache" / "demo"
    demo.mkdir(parents=True)
    private = given.registries["private"]
    with RegistryClient(private) as registry:
        registry.push_image("team/web", "v1", ["linux/amd64", "linux/arm64"], salt="team/web:v1")
    cluster.create_namespace("shop")
    cluster.settled(["shop"])
    access = ApiAccess(emulator.url, emulator.ca_file, emulator.admin_token)
    assert private.ca_file, "the private registry of an emulated cluster has a CA of its own"
    write_environment(demo / "lab.env", lab_environment(access, emulator.kubeconfig, given.registries, private.ca_file))
    (demo / "collections").symlink_to(collections_path(directory))
    (folder / "tests").symlink_to(ROOT / "tests")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def script(guide: list[Block]) -> str:
    """Return the guide as a reader follows it in one shell; the output of each step begins with a line of its own."""
    lines = []
    for number, block in enumerate(guide):
        if block.file:
            lines.append(f"cat > {block.file} <<'END OF FILE'\n{block.text}END OF FILE")
        elif block.language == "sh" and block.mark != BY_HAND:
            lines.append(f"echo '{STEP} {number}'")
            lines.append(f"if ({block.text}); then exit 1; fi" if block.mark == FAILS else block.text)
    return "\n".join(["set -e", *lines, "echo Done"])


def excerpts(guide: list[Block]) -> dict[int, list[str]]:
    """Return what the guide shows of each step's output, line by line, by the number of the step."""
    shown: dict[int, list[str]] = {}
    step = -1
    for number, block in enumerate(guide):
        if block.language == "sh":
            step = number
        elif block.language == "text":
            shown[step] = block.text.splitlines()
    return shown


def missing(lines: list[str], output: str) -> list[str]:
    """Return the lines that do not come in the output, one after the other; "..." stands for anything in a line."""
    place, absent = 0, []
    for line in lines:
        pattern = re.compile(".*".join(re.escape(part) for part in line.strip().split("...")))
        found = pattern.search(output, place)
        if found:
            place = found.end()
        else:
            absent.append(line)
    return absent


def test_getting_started(given: Surroundings, emulator: Emulator, cluster: Cluster, tmp_path: Path) -> None:
    guide = blocks(GUIDE)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "TEST_REGISTRY_", "PYTHON"))
    }
    run = subprocess.run(
        ["bash", "-c", script(guide)],
        cwd=clone(tmp_path, given, emulator, cluster),
        env=kept | {"ANSIBLE_HOME": str(tmp_path / "ansible-home"), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert run.stdout.endswith("\nDone\n")
    steps = {int(text.split("\n", 1)[0]): text for text in run.stdout.split(STEP)[1:]}
    shown = excerpts(guide)
    assert len(shown) >= 5
    assert {number: absent for number, lines in shown.items() if (absent := missing(lines, steps[number]))} == {}, (
        run.stdout
    )
    assert given.credential()["password"] not in run.stdout
