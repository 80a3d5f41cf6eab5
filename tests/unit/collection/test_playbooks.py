# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks reach a cluster in one and the same way, and take a variable that is given for given, whatever is
wrong inside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.options import cluster_argument_spec

ROOT = Path(__file__).resolve().parents[3]
GROUP = "group/quayside.openshift_images.openshift"
CLUSTER = ROOT / "playbooks" / "vars" / "cluster.yml"
# It alone is asked for; nobody listens there, so that a message names it.
ELSEWHERE = "https://127.0.0.1:1"
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
# They have no play of their own for it: the roles say what they take.
OF_ROLES = ("site", "drift", "drift_merge")
WITHOUT_CLUSTER = ("drift_merge", "awx_setup")


def play_of(playbook: Path) -> dict[str, t.Any]:
    """Return the only play of a playbook."""
    (play,) = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", play)


WITH_CLUSTER = [path for path in PLAYBOOKS if path.stem not in WITHOUT_CLUSTER]


@pytest.mark.parametrize("playbook", WITH_CLUSTER, ids=lambda path: path.stem)
def test_every_playbook_reaches_its_clusters_by_the_one_file(playbook: Path) -> None:
    play = play_of(playbook)

    assert play["vars_files"] == ["vars/cluster.yml"]
    assert (play["hosts"], play["module_defaults"][GROUP]) == (
        "{{ openshift_images_clusters }}",
        "{{ openshift_images_cluster }}",
    )
    assert (play["gather_facts"], play["connection"]) == (False, "local")


def test_the_file_has_every_option_of_a_cluster() -> None:
    variables = yaml.safe_load(CLUSTER.read_text(encoding="utf-8"))

    assert set(variables["openshift_images_cluster"]) == set(cluster_argument_spec().options)
    for option, template in variables["openshift_images_cluster"].items():
        assert (
            template
            == f"{{{{ k8s_auth_{option} if lookup('ansible.builtin.varnames', '^k8s_auth_{option}$') else omit }}}}"
        )


def run(playbook: Path, folder: Path, inventory: dict[str, t.Any], *options: str) -> str:
    """Run a playbook of the checkout, and return what it printed and its exit code."""
    tree = folder / "collections" / "ansible_collections" / "quayside"
    tree.mkdir(parents=True)
    (tree / "openshift_images").symlink_to(ROOT)
    (folder / "inventory.yml").write_text(yaml.safe_dump({"all": inventory}), encoding="utf-8")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG"))
    }
    environment = kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_NOCOLOR": "1",
    }
    program = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    command = [
        str(program),
        "-i",
        str(folder / "inventory.yml"),
        *options,
        f"quayside.openshift_images.{playbook.stem}",
    ]
    settings = environment | {"K8S_AUTH_HOST": ELSEWHERE, "K8S_AUTH_API_KEY": "a-token"}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=settings, cwd=folder, stdin=subprocess.DEVNULL
    )
    return f"{done.stdout}{done.stderr}\n{done.returncode}"


NEEDED = {
    "rotate_credentials": {
        **{
            f"rotate_credentials_{name}": "r.example"
            for name in ("registry", "username", "password", "former_password")
        },
        "rotate_credentials_verify": False,
    },
    "pushed": {"pushed_pushes": [{"registry": "r.example", "repository": "web"}]},
    "site": {
        "image_streams_desired": [
            {"namespace": "shop", "name": "web", "tags": [{"name": "v1", "from": "r.example/web:v1"}]}
        ]
    },
}


@pytest.mark.parametrize("playbook", WITH_CLUSTER, ids=lambda path: path.stem)
def test_a_variable_of_the_cluster_with_an_undefined_one_inside_is_no_missing_one(
    playbook: Path, tmp_path: Path
) -> None:
    variables = {
        **NEEDED.get(playbook.stem, {}),
        "k8s_auth_kubeconfig": "{{ mistyped }}/config",
        "drift_report_results": "changed",
    }

    output = run(playbook, tmp_path, {"hosts": {"here": variables}})

    assert "'mistyped' is undefined" in output
    assert "127.0.0.1" not in output
    assert output[-1] != "0"


@pytest.mark.parametrize(
    ("playbook", "variable"),
    [
        ("adopt", "adopt_namespaces"),
        ("prune_risks", "prune_risks_namespaces"),
        ("migrate_to_multiarch", "migrate_to_multiarch_namespaces"),
        ("rotate_credentials", "rotate_credentials_namespaces"),
        ("pushed", "pushed_namespaces"),
    ],
)
def test_a_variable_of_a_playbook_with_an_undefined_one_inside_does_not_mean_all_namespaces(
    playbook: str, variable: str, tmp_path: Path
) -> None:
    variables = {**NEEDED.get(playbook, {}), variable: "{{ mistyped }}"}

    output = run(ROOT / "playbooks" / f"{playbook}.yml", tmp_path, {"hosts": {"here": variables}})

    # 2.16 to 2.18 say it of the defaults of the modules, before the first task.
    assert "'mistyped' is undefined" in output
    assert "127.0.0.1" not in output
    assert output[-1] != "0"


def test_hosts_with_an_undefined_variable_inside_are_not_all_hosts(tmp_path: Path) -> None:
    output = run(
        ROOT / "playbooks" / "prune_risks.yml",
        tmp_path,
        {"hosts": {"here": {}}},
        "-e",
        '{"openshift_images_hosts": "{{ mistyped }}"}',
    )

    assert "'mistyped' is undefined" in output
    assert "127.0.0.1" not in output
    assert output[-1] != "0"


@pytest.mark.parametrize(
    "playbook", [path for path in PLAYBOOKS if path.stem not in OF_ROLES], ids=lambda path: path.stem
)
def test_variables_of_a_playbook_carry_its_name_and_are_described_at_its_head(playbook: Path) -> None:
    play = play_of(playbook)
    registered = [task["register"] for task in _tasks(play["tasks"]) if "register" in task]
    described = [
        line.split()[1]
        for line in playbook.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"#   {playbook.stem}_")
    ]

    assert described
    assert [name for name in [*play.get("vars", ()), *registered] if not name.startswith(f"{playbook.stem}_")] == []
    assert [name for name in described if playbook.read_text(encoding="utf-8").count(name) < 2] == []


def _tasks(tasks: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _tasks(task.get(part, []))
