# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs galaxy-importer, which decides whether Automation Hub takes an artifact, on the one that tools.artifact built.

Its ansible-test part starts a container and is switched off: the gate "sanity" is that part.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tools import BUILD

CONFIGURATION = """\
[galaxy-importer]
LOG_LEVEL_MAIN = INFO
RUN_ANSIBLE_TEST = False
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = True
RUN_FLAKE8 = False
ANSIBLE_LOCAL_TMP = {temporary}
"""


def main() -> int:
    (artifact,) = (BUILD / "artifact").glob("*.tar.gz")
    folder = BUILD / "importer"
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "galaxy-importer.cfg"
    configuration.write_text(CONFIGURATION.format(temporary=folder / "tmp"), encoding="utf-8")
    environment = os.environ | {"GALAXY_IMPORTER_CONFIG": str(configuration)}
    command = [sys.executable, "-m", "galaxy_importer.main", str(artifact)]
    return subprocess.run(command, check=False, cwd=folder, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
