# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates virtual environments and installs into them, once for each state of the requirement files.

Run by the Python that the work is to be done with: ``python3 -m tools.environment check``.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools import BUILD, ROOT, Refused, say
from tools.debian import install_package
from tools.interpreters import find, version_of

OLDEST_PYTHON = (3, 11)
REQUIREMENTS = ROOT / "tests" / "requirements"
# What is supported, from end to end, what comes next, and the oldest Python that modules run with, with the oldest
# libraries that they work with: what pip installs, and the Pythons that it is for, best first.
MATRIX = {
    "oldest": (("-r", "matrix.txt", "ansible-core~=2.16.0", "-c", "oldest.txt"), ("3.11", "3.12")),
    "core-2.17": (("-r", "matrix.txt", "ansible-core~=2.17.0"), ("3.10", "3.11", "3.12")),
    "core-2.18": (("-r", "matrix.txt", "ansible-core~=2.18.0"), ("3.11", "3.12", "3.13")),
    "core-2.19": (("-r", "matrix.txt", "ansible-core~=2.19.0"), ("3.11", "3.12", "3.13")),
    "core-2.20": (("-r", "matrix.txt", "ansible-core~=2.20.0"), ("3.12", "3.13", "3.14")),
    "newest": (("-r", "matrix.txt", "ansible-core~=2.21.0"), ("3.13", "3.12", "3.14")),
    # Pinned, so that a change there does not come unasked; it may fail.
    "next": (("-r", "matrix.txt", "ansible-core==2.22.0rc1"), ("3.13", "3.14")),
    "eda": (("-r", "eda.txt"), ("3.12", "3.11", "3.13")),
    "oldest-target": (("-r", "../../requirements.txt", "-c", "oldest.txt"), ("3.9",)),
}


def ensure(venv: Path, requirements: list[str], python: str = sys.executable) -> Path:
    """Return the Python of the virtual environment ``venv``, which then has what ``requirements`` (pip's arguments)
    say.

    Raises Refused, with what to do, if that cannot be done.
    """
    inside = venv / "bin" / "python"
    stamp = venv / f".ready-{fingerprint(python, requirements)}"
    if stamp.exists():
        return inside
    start = time.monotonic()
    if not inside.exists() or version_of(str(inside)) != version_of(python):
        say(f"Creating {venv.name} (1 of 2)")
        create(venv, python)
    say(f"Installing into {venv.name} (2 of 2), a dot for each package: {' '.join(requirements)}")
    install(inside, requirements)
    stamp.touch()
    say(f"{venv.name} is ready after {time.monotonic() - start:.0f} s.")
    return inside


def install(python: Path, requirements: list[str]) -> None:
    """Install with pip, showing a dot for each package that it finds. Raises Refused, after pip's own words."""
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        *requirements,
    ]
    said = []
    with subprocess.Popen(
        command, cwd=REQUIREMENTS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if line.lstrip().startswith(("Collecting ", "Processing ")):
                sys.stdout.write(".")
                sys.stdout.flush()
    say("")
    if pip.returncode:
        say("".join(said))
        raise Refused(
            f"pip could not install what is needed into {python.parents[1].name}: see its message above; then run the "
            "same again."
        )


def fingerprint(python: str, requirements: list[str]) -> str:
    """Return a word that changes with the interpreter, the arguments and the text of every requirement file."""
    texts = [version_of(python), *requirements]
    texts += [path.read_text(encoding="utf-8") for path in requirement_files()]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def requirement_files() -> list[Path]:
    """Return every file that says what to install."""
    return [
        ROOT / "requirements.txt",
        ROOT / "tests" / "unit" / "requirements.txt",
        *sorted(REQUIREMENTS.glob("*.txt")),
    ]


def create(venv: Path, python: str) -> None:
    """Recreate the virtual environment. Debian's Python lacks a part of venv, which is another package."""
    if subprocess.run([python, "-c", "import ensurepip, venv"], check=False, capture_output=True).returncode:
        install_package(f"python{version_of(python)}-venv")
    if venv.exists():
        shutil.rmtree(venv)
    subprocess.run([python, "-m", "venv", str(venv)], check=True)


def path_of(name: str) -> Path:
    """Return the folder of an environment: \"run\" and \"check\" are the same one, with less or more in it."""
    return BUILD / "venvs" / name if name in MATRIX else ROOT / ".venv"


def main(name: str) -> None:
    if name in MATRIX:
        requirements, pythons = MATRIX[name]
        ensure(path_of(name), list(requirements), find(*pythons))
        return
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise Refused(
            f"The tests need Python 3.11 or newer, this is {sys.version.split()[0]}; as in: make PYTHON=python3.11 test"
        )
    ensure(path_of(name), ["-r", f"{name}.txt"])


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Refused as refusal:
        sys.exit(str(refusal))
