# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group, as a playbook uses it, on a machine without the collections whose groups it extends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Nobody listens on port 1, so the message of the failed task says which host it was given.
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/quayside.openshift_images.openshift:
      host: https://127.0.0.1:1
      api_key: not-a-token
  tasks:
    - name: Use a module of the group
      quayside.openshift_images.{module}: {options}
"""
OPTIONS = {
    "image_stream_import": "{namespace: team, name: app, tags: [{name: v1, from: '127.0.0.1:5000/team/app:v1'}]}",
    "pull_secret": "{namespace: team, name: private, registries: [{registry: registry.test, username: u, password: "
    "p}]}",
    "sa_secret_link": "{namespace: team, service_account: builder, secrets: [private]}",
}


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """Return a collections path with this collection only."""
    folder = tmp_path / "collections" / "ansible_collections" / "quayside"
    folder.mkdir(parents=True)
    (folder / "openshift_images").symlink_to(ROOT)
    return tmp_path / "collections"


def play(module: str, folder: Path, collections: Path) -> subprocess.CompletedProcess[t.Any]:
    playbook = folder / "playbook.yml"
    playbook.write_text(PLAYBOOK.format(module=module, options=OPTIONS[module]), encoding="utf-8")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG"))
    }
    environment = kept | {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_HOME": str(folder / "home")}
    inventory = ["-i", "localhost,", "--connection", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    program = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    command = [str(program), *inventory, str(playbook)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("module", sorted(OPTIONS))
def test_group_defaults_reach_the_module_without_any_warning(module: str, tmp_path: Path, collections: Path) -> None:
    outcome = play(module, tmp_path, collections)

    output = outcome.stdout + outcome.stderr
    assert outcome.returncode != 0
    assert "127.0.0.1:1" in output
    assert "WARNING" not in output
    assert "DEPRECATION" not in output
