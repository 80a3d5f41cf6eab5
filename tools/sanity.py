# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``ansible-test sanity`` if its own downloads are not to be had.

ansible-test fetches a script that installs pip into its virtual environments from a host of its project. It keeps that
script under the home folder, so it is given a home folder of its own in which the script is there already, made of
what Python and pip bring. Nothing is written to the person's home.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

from tools import BUILD, Refused, say
from tools.interpreters import find
from tools.tree import refresh

PIP_SCRIPT = """\
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
packages = [word for word in sys.argv[1:] if "==" in word and not word.startswith("pip==")]
if packages:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *packages])
"""


def prepare_home() -> Path:
    """Return a home folder with a pip script for each version of pip that the installed ansible-test may ask for."""
    ansible_test = Path(str(importlib.metadata.distribution("ansible-core").locate_file("ansible_test")))
    home = BUILD / "ansible-test-home"
    scripts = home / ".ansible" / "test" / "cache"
    scripts.mkdir(parents=True, exist_ok=True)
    source = (ansible_test / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    for version in re.findall(r"pip=['\"]([\d.]+)['\"]", source):
        (scripts / f"get_pip_{version.replace('.', '_')}.py").write_text(PIP_SCRIPT, encoding="utf-8")
    for folder in (".cache/pip", ".config/pip", ".pip"):
        share(Path.home() / folder, home / folder)
    return home


def share(theirs: Path, ours: Path) -> None:
    """Let pip find the person's own cache and configuration."""
    if theirs.exists() and not ours.exists():
        ours.parent.mkdir(parents=True, exist_ok=True)
        ours.symlink_to(theirs)


def run(targets: list[str], tests: list[str]) -> int:
    """Run every sanity test, or those of ``tests``, with the Python of this process, and what concerns modules with
    the Pythons ``targets`` too."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    core = importlib.metadata.version("ansible-core")
    say(f"ansible-test sanity of ansible-core {core}, Python {own}, target Pythons {', '.join([*targets, own])}")
    command = ["ansible-test", "sanity", "--color", "no", "--controller", f"origin:python=venv/{own}"]
    folders = [Path(sys.executable).parent]
    for target in targets:
        interpreter = find(target)
        command += ["--target-python", f"{target}@{interpreter}"]
        # ansible-test looks for interpreters by name too, so this one has to come before any other of its name.
        folders.append(Path(interpreter).parent)
    environment = os.environ | {
        "HOME": str(prepare_home()),
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
    }
    command += ["--target-python", "default", *(word for name in tests for word in ("--test", name))]
    collection = refresh(f"sanity-{core}")
    return subprocess.run(command, check=False, cwd=collection, env=environment).returncode


if __name__ == "__main__":
    try:
        parser = argparse.ArgumentParser(prog="python -m tools.sanity", description="Run ansible-test sanity.")
        parser.add_argument("targets", nargs="*", help="Pythons of target hosts, besides this one")
        parser.add_argument("--test", action="append", default=[], help="a sanity test to run, in place of all")
        options = parser.parse_args()
        sys.exit(run(options.targets, options.test))
    except Refused as refusal:
        sys.exit(str(refusal))
