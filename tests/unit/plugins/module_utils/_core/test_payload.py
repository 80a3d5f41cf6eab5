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

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core import payload as payload_module
from ansible_collections.quayside.openshift_images.plugins.module_utils._core import zip_loader

PACKAGE = payload.__name__.rpartition(".")[0]
# Counts what is compiled from the zip file, as an audit hook sees it.
PROGRAM = f"""
import gc
import sys
compiled = []
sys.addaudithook(lambda event, args: compiled.append(args[1]) if event == "compile" and args[1] else None)
from {PACKAGE} import payload
payload.compile_once()
payload.spare_collector()
from {PACKAGE} import _first
from {PACKAGE}._second import WORD
from ansible.module_utils.deep import _third
print(*(sum(file in str(name) for name in compiled) for file in ("_second.py", "_third.py")), WORD, _first.__file__, _first.__spec__.origin)
print(gc.get_freeze_count() > 0, gc.isenabled(), gc.get_threshold()[0])
"""
# Four threads that import one file at the same time, with the usual loader and with the one for Python before 3.10.
THREADS = f"""
import sys
import threading
from {PACKAGE} import payload
payload.compile_once()
if sys.argv[1] == "ours":
    from {PACKAGE}.zip_loader import ZipLoader
    payload._FinderInZip.loader_of = ZipLoader
found = []
def go():
    from {PACKAGE}._slow import WORD
    found.append(WORD)
threads = [threading.Thread(target=go) for _number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*found, type(sys.modules["{PACKAGE}._slow"].__loader__).__name__)
"""


def run(folder: Path, program: str, *arguments: str, **files: str) -> list[str]:
    """The words that a program prints which has our loaders, and these utilities, in a zip file."""
    with zipfile.ZipFile(folder / "payload.zip", "w") as payload:
        parts = PACKAGE.split(".")
        for depth in range(1, len(parts) + 1):
            payload.writestr("/".join([*parts[:depth], "__init__.py"]), "")
        for module in (payload, zip_loader):
            files[module.__name__.rpartition(".")[2]] = Path(module.__file__ or "").read_text(encoding="utf-8")
        for name, text in files.items():
            payload.writestr(f"{'/'.join(parts)}/{name}.py", text)
        for place in ("ansible", "ansible/module_utils", "ansible/module_utils/deep"):
            payload.writestr(f"{place}/__init__.py", "")
        payload.writestr("ansible/module_utils/deep/_third.py", "")
    # the tree that the tests run in must not take the place of the zip file
    environment = {**os.environ, "PYTHONPATH": str(folder / "payload.zip")}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=folder).stdout.split()


@pytest.mark.parametrize(("which", "loader"), [("usual", "ZipLoader" if sys.version_info < (3, 10) else "zipimporter"), ("ours", "ZipLoader")])
def test_threads_may_import_the_same_file_at_once(tmp_path: Path, which: str, loader: str) -> None:
    assert run(tmp_path, THREADS, which, _slow="import time\ntime.sleep(0.2)\nWORD = 'found'\n") == [*["found"] * 4, loader]


def test_each_file_is_compiled_once(tmp_path: Path) -> None:
    times, of_ansible, word, file, origin, *collector = run(tmp_path, PROGRAM, _first=f"from {PACKAGE} import _second\n", _second="WORD = 'found'\n")
    assert (times, of_ansible, word) == ("1", "1", "found")
    assert file == origin == str(tmp_path / "payload.zip" / Path(*PACKAGE.split(".")) / "_first.py")
    # what is there stays uncollected, and what comes later is collected all the same
    assert collector == ["True", "True", str(payload._BEFORE_COLLECTING)]


def test_it_is_in_force_in_every_module_before_the_other_utilities() -> None:
    folder = Path(payload.__file__).parents[1] / "modules"
    for module in sorted(folder.glob("*.py")):
        lines = [line for line in module.read_text(encoding="utf-8").splitlines() if line.startswith(f"from {PACKAGE}.")]
        # one that imports none of them needs none of it
        assert not lines or lines[0].startswith(f"from {PACKAGE}._argspec import"), module.name


def test_nothing_changes_outside_of_a_zip_file() -> None:
    collector = (gc.get_freeze_count(), gc.get_threshold())
    payload.compile_once()
    payload.compile_once()
    payload.spare_collector()
    assert (gc.get_freeze_count(), gc.get_threshold()) == collector
    assert [finder.__name__ for finder in sys.meta_path if getattr(finder, "__name__", "") == "_FinderInZip"] == ["_FinderInZip"]
    folder = str(Path(payload.__file__).parent)
    assert payload._FinderInZip.find_spec(payload.__name__, [folder]) is None
    assert payload._FinderInZip.find_spec("json.decoder", [folder]) is None
