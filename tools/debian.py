# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import Refused, say


def install_package(package: str) -> None:
    """Install a package on this machine. Raises Refused if that is not allowed or not possible."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Refused(
            f"{package} is missing, and only root on a Debian-like machine may install it from here: apt-get install "
            f"{package}"
        )
    say(f"Installing Debian's {package}")
    apt = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", package]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(apt, check=False, capture_output=True, env=quiet).returncode == 0:
        return
    subprocess.run(["apt-get", "update", "--quiet=2"], check=False)
    if subprocess.run(apt, check=False, env=quiet).returncode:
        raise Refused(f"apt-get could not install {package}: see its message above.")


def ensure_installed(program: str, package: str) -> None:
    """Install the package of a program that needs all of it, unless the program is there. Raises Refused as
    install_package."""
    if shutil.which(program) is None:
        install_package(package)


def ensure_program(program: str, package: str, folder: Path) -> None:
    """Put a program of a Debian package into ``folder``, unless it is installed on this machine.

    Only the file is taken out of the package: installing docker-registry would start a server on all addresses.
    Raises Refused if the machine has no apt-get, or if it must first learn of packages and we are not root.
    """
    if shutil.which(program) or (folder / program).exists():
        return
    if shutil.which("apt-get") is None:
        raise Refused(
            f"{program} is missing and this machine has no apt-get: install {program} and run the same again."
        )
    say(f"Fetching Debian's {package}")
    with tempfile.TemporaryDirectory() as scratch:
        if not download(package, scratch):
            if os.geteuid() != 0:
                raise Refused(f"{package} is missing and only root may fetch it here: apt-get install {package}")
            subprocess.run(["apt-get", "update", "--quiet=2"], check=False)
            if not download(package, scratch):
                raise Refused(
                    f"{package} is missing and apt-get does not find it: install {program} and run the same again."
                )
        (archive,) = Path(scratch).glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(archive), f"{scratch}/content"], check=True)
        (found,) = (path for path in Path(scratch, "content", "usr").glob(f"*bin/{program}") if path.is_file())
        shutil.copy2(found, folder / program)


def download(package: str, folder: str) -> bool:
    """Fetch the package file as whoever we are; the answer is whether it is there."""
    command = ["apt-get", "download", "--quiet=2", "--option", "APT::Sandbox::User=root", package]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True).returncode == 0
