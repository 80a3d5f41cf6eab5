# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs galaxy-importer, which decides whether Automation Hub takes an artifact, on the one that tools.artifact
built.

Its ansible-test part starts a container and is switched off: the gate "sanity" is that part. What it only warns of
fails here, too: Automation Hub shows it to those who decide.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tools import BUILD, say

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
    answer = subprocess.run(
        command, check=False, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    say(answer.stdout)
    found = complaints(answer.stdout)
    if found:
        say(f"galaxy-importer complains of {len(found)} things:\n" + "\n".join(found))
    return answer.returncode or bool(found)


def complaints(output: str) -> list[str]:
    """Return the lines that are no mere progress."""
    return [line for line in output.splitlines() if line.startswith(("WARNING", "ERROR", "CRITICAL"))]


if __name__ == "__main__":
    sys.exit(main())
