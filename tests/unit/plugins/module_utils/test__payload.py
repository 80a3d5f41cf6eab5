# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's utilities in a zip file, as Ansible sends them: found, run, compiled once, and left alone by the garbage collector."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from ansible_collections.quayside.openshift_images.plugins.module_utils import _payload

PACKAGE = _payload.__name__.rpartition(".")[0]
# Counts what is compiled from the zip file, as an audit hook sees it.
PROGRAM = f"""
import gc
import sys
compiled = []
sys.addaudithook(lambda event, args: compiled.append(args[1]) if event == "compile" and args[1] else None)
from {PACKAGE} import _payload
_payload.compile_once()
_payload.spare_collector()
from {PACKAGE} import _first
from {PACKAGE}._second import WORD
from ansible.module_utils.deep import _third
print(*(sum(file in str(name) for name in compiled) for file in ("_second.py", "_third.py")), WORD, _first.__file__, _first.__spec__.origin)
print(gc.get_freeze_count() > 0, gc.isenabled(), gc.get_threshold()[0])
"""


def test_each_file_is_compiled_once(tmp_path: Path) -> None:
    archive = tmp_path / "payload.zip"
    parts = PACKAGE.split(".")
    with zipfile.ZipFile(archive, "w") as payload:
        for depth in range(1, len(parts) + 1):
            payload.writestr("/".join([*parts[:depth], "__init__.py"]), "")
        folder = "/".join(parts)
        payload.writestr(f"{folder}/_payload.py", Path(_payload.__file__).read_text(encoding="utf-8"))
        payload.writestr(f"{folder}/_first.py", f"from {PACKAGE} import _second\n")
        payload.writestr(f"{folder}/_second.py", "WORD = 'found'\n")
        for folder in ("ansible", "ansible/module_utils", "ansible/module_utils/deep"):
            payload.writestr(f"{folder}/__init__.py", "")
        payload.writestr("ansible/module_utils/deep/_third.py", "")
    # the tree that the tests run in must not take the place of the zip file
    environment = {**os.environ, "PYTHONPATH": str(archive)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment, cwd=tmp_path)
    times, of_ansible, word, file, origin, *collector = done.stdout.split()
    assert (times, of_ansible, word) == ("1", "1", "found")
    assert file == origin == str(archive / Path(*parts) / "_first.py")
    # what is there stays uncollected, and what comes later is collected all the same
    assert collector == ["True", "True", str(_payload._BEFORE_COLLECTING)]


def test_it_is_in_force_in_every_module_before_the_other_utilities() -> None:
    folder = Path(_payload.__file__).parents[1] / "modules"
    for module in sorted(folder.glob("*.py")):
        lines = [line for line in module.read_text(encoding="utf-8").splitlines() if line.startswith(f"from {PACKAGE}.")]
        # one that imports none of them needs none of it
        assert not lines or lines[0].startswith(f"from {PACKAGE}._argspec import"), module.name


def test_nothing_changes_outside_of_a_zip_file() -> None:
    collector = (gc.get_freeze_count(), gc.get_threshold())
    _payload.compile_once()
    _payload.compile_once()
    _payload.spare_collector()
    assert (gc.get_freeze_count(), gc.get_threshold()) == collector
    assert [finder.__name__ for finder in sys.meta_path if getattr(finder, "__name__", "") == "_FinderInZip"] == ["_FinderInZip"]
    folder = str(Path(_payload.__file__).parent)
    assert _payload._FinderInZip.find_spec(_payload.__name__, [folder]) is None
    assert _payload._FinderInZip.find_spec("json.decoder", [folder]) is None
