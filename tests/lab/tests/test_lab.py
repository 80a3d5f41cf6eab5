# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab as its users meet it: commands, files, variables, and nothing that stays behind."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import requests
import yaml

TESTS = Path(__file__).parents[2]
NAMES = {
    "K8S_AUTH_HOST",
    "K8S_AUTH_API_KEY",
    "K8S_AUTH_SSL_CA_CERT",
    "K8S_AUTH_VERIFY_SSL",
    "KUBECONFIG",
    "TEST_REGISTRY_PRIVATE",
    "TEST_REGISTRY_PLAIN",
    "TEST_REGISTRY_SELFSIGNED",
    "TEST_REGISTRY_USER",
    "TEST_REGISTRY_PASSWORD",
    "TEST_REGISTRY_CA",
}


def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listens(address: str) -> bool:
    """Whether anything accepts connections there."""
    name, _colon, port = address.removeprefix("https://").rpartition(":")
    try:
        socket.create_connection((name, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def addresses(environment: dict[str, str]) -> list[str]:
    """Everything of a lab that listens."""
    return [
        environment["K8S_AUTH_HOST"],
        *(environment[name] for name in sorted(NAMES) if name.endswith(("ATE", "AIN", "NED"))),
    ]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """Yield a lab in the background."""
    path = tmp_path_factory.mktemp("lab")
    started = lab(
        "up", "--state-dir", str(path), "--engine", "embedded", "--namespace", "shop", "--owner", str(os.getpid())
    )
    assert started.returncode == 0, started.stderr
    yield path
    assert lab("down", "--state-dir", str(path)).returncode == 0


@pytest.fixture(scope="module")
def environment(directory: Path) -> dict[str, str]:
    """Return what a shell has after sourcing the environment file."""
    command = f". {directory}/lab.env && env -0"
    output = subprocess.run(["sh", "-c", command], env={}, capture_output=True, text=True, check=True).stdout
    pairs = dict(line.split("=", 1) for line in output.split("\0") if line)
    return {name: value for name, value in pairs.items() if name in NAMES}


def test_the_environment_file_has_every_variable_and_is_private(directory: Path, environment: dict[str, str]) -> None:
    assert set(environment) == NAMES
    assert all(environment.values())
    for name in ("lab.env", "lab.json", "kubeconfig"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600


def test_the_variables_reach_the_cluster_and_its_registries(environment: dict[str, str]) -> None:
    answer = requests.get(
        f"{environment['K8S_AUTH_HOST']}/apis/image.openshift.io/v1/namespaces/shop/imagestreams",
        headers={"Authorization": f"Bearer {environment['K8S_AUTH_API_KEY']}"},
        verify=environment["K8S_AUTH_SSL_CA_CERT"],
        timeout=10,
    )
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    private = requests.get(
        f"https://{environment['TEST_REGISTRY_PRIVATE']}/v2/",
        auth=(environment["TEST_REGISTRY_USER"], environment["TEST_REGISTRY_PASSWORD"]),
        verify=environment["TEST_REGISTRY_CA"],
        timeout=10,
    )
    assert private.status_code == 200
    assert requests.get(f"http://{environment['TEST_REGISTRY_PLAIN']}/v2/", timeout=10).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(
            f"https://{environment['TEST_REGISTRY_SELFSIGNED']}/v2/", verify=environment["TEST_REGISTRY_CA"], timeout=10
        )


@pytest.mark.parametrize(
    ("user", "reads", "writes"), [("admin", 200, 201), ("developer", 200, 201), ("viewer", 200, 403)]
)
def test_each_context_of_the_kubeconfig_has_its_rights(
    environment: dict[str, str], user: str, reads: int, writes: int
) -> None:
    config = yaml.safe_load(Path(environment["KUBECONFIG"]).read_text())
    assert config["current-context"] == "admin"
    context = next(entry["context"] for entry in config["contexts"] if entry["name"] == user)
    token = next(entry["user"]["token"] for entry in config["users"] if entry["name"] == context["user"])
    (cluster,) = [entry["cluster"] for entry in config["clusters"] if entry["name"] == context["cluster"]]
    url = f"{cluster['server']}/apis/image.openshift.io/v1/namespaces/shop/imagestreams"
    with requests.Session() as session:
        session.trust_env = False
        session.verify = cluster["certificate-authority"]
        session.headers["Authorization"] = f"Bearer {token}"
        assert session.get(url, timeout=10).status_code == reads
        stream = {"apiVersion": "image.openshift.io/v1", "kind": "ImageStream", "metadata": {"name": f"of-{user}"}}
        assert session.post(url, json=stream, timeout=10).status_code == writes
        session.delete(f"{url}/of-{user}", timeout=10)
        elsewhere = session.get(url.replace("/shop/", "/default/"), timeout=10)
        assert elsewhere.status_code == (200 if user == "admin" else 403)


def test_a_second_lab_in_the_same_place_is_refused(directory: Path) -> None:
    again = lab("up", "--state-dir", str(directory))
    assert (again.returncode, again.stderr) == (
        1,
        f"lab up: a lab runs in {directory} already; python -m lab down --state-dir {directory} stops it\n",
    )


def test_up_and_down_leave_nothing_that_listens(tmp_path: Path) -> None:
    started = lab("up", "--state-dir", str(tmp_path), "--no-controllers", "--lifetime", "300")
    assert started.returncode == 0, started.stderr
    listening = addresses(json.loads((tmp_path / "lab.json").read_text())["environment"])
    assert len(listening) == 4
    assert all(listens(address) for address in listening)
    assert lab("down", "--state-dir", str(tmp_path)).returncode == 0
    assert not any(listens(address) for address in listening)
    again = lab("down", "--state-dir", str(tmp_path))
    assert (again.returncode, again.stderr) == (1, f"lab down: no lab runs in {tmp_path}\n")


def test_a_killed_lab_takes_everything_with_it_and_its_file_stops_nobody(tmp_path: Path) -> None:
    started = lab("up", "--state-dir", str(tmp_path), "--lifetime", "300")
    assert started.returncode == 0, started.stderr
    state = json.loads((tmp_path / "lab.json").read_text())
    os.kill(state["pid"], 9)
    listening = addresses(state["environment"])
    deadline = time.monotonic() + 20
    while any(listens(address) for address in listening):
        assert time.monotonic() < deadline, "something still listens"
        time.sleep(0.1)
    assert (tmp_path / "lab.json").exists()
    assert lab("down", "--state-dir", str(tmp_path)).stderr == f"lab down: no lab runs in {tmp_path}\n"
    again = lab("up", "--state-dir", str(tmp_path), "--engine", "embedded", "--lifetime", "300")
    assert again.returncode == 0, again.stderr
    assert not (tmp_path / "registries" / "private").exists()
    assert lab("down", "--state-dir", str(tmp_path)).returncode == 0


def test_run_gives_the_command_the_variables_and_returns_its_code(tmp_path: Path) -> None:
    program = f"import os, sys; print(sorted(set(os.environ) & {NAMES!r})); sys.exit(7)"
    finished = lab("run", "--engine", "embedded", "--logs", str(tmp_path), "--", sys.executable, "-c", program)
    assert (finished.returncode, finished.stdout) == (7, f"{sorted(NAMES)}\n")
    assert (tmp_path / "cluster" / "emulator.log").exists()
    assert not (tmp_path / "lab.json").exists()


def test_what_cannot_start_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "emulator.json").mkdir()
    failed = lab("run", "--engine", "embedded", "--logs", str(tmp_path), "--", "true")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "emulator.json" in failed.stderr
