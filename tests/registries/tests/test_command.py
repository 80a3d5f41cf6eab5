# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m registries``: its own process, its state file, its end, and secrets kept out of argument lists."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from registries.client import RegistryClient
from registries.content import RegistryContent
from registries.fleet import RegistryFleet

TESTS = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, recorded: dict[str, RegistryContent]) -> t.Iterator[RegistryFleet]:
    """One engine is enough here: the other tests show that both do the same."""
    with RegistryFleet(tmp_path_factory.mktemp("command"), recorded, "embedded") as running:
        yield running


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "registries", *arguments],
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wait_until(condition: t.Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for the condition; it not coming true in time fails the test."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)


def listens(host: str) -> bool:
    """Whether anything accepts connections there."""
    name, _colon, port = host.rpartition(":")
    try:
        socket.create_connection((name, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def addressed(fleet: RegistryFleet, *arguments: str) -> list[str]:
    """Arguments that point a command at the private registry."""
    access = ["--user", fleet.credential[0], "--password-env", "SECRET", "--ca", str(fleet.certificates.ca_file)]
    return [arguments[0], "--registry", fleet.hosts()["private"], *access, *arguments[1:]]


def test_push_retag_and_untag_print_what_they_did(fleet: RegistryFleet) -> None:
    secret = fleet.credential[1]
    image = ["--repository", "command/web", "--platform", "linux/amd64", "--platform", "linux/arm64"]
    pushed = [
        command(*addressed(fleet, "push", *image, "--tag", tag, "--salt", tag), SECRET=secret) for tag in ("v1", "v2")
    ]
    assert [run.returncode for run in pushed] == [0, 0], pushed
    digests = [run.stdout.strip() for run in pushed]
    moved = command(
        *addressed(fleet, "retag", "--repository", "command/web", "--tag", "v1", "--to", "v2"), SECRET=secret
    )
    assert moved.stdout.strip() == digests[1]
    removed = command(*addressed(fleet, "untag", "--repository", "command/web", "--tag", "v2"), SECRET=secret)
    assert removed.returncode == 0
    with fleet.client("private") as client:
        assert client.tags("command/web") == ["v1"]
        assert client.manifest("command/web", "v1").digest == digests[1]


def test_plain_http_needs_insecure(fleet: RegistryFleet) -> None:
    image = [
        "--registry",
        fleet.hosts()["plain"],
        "--repository",
        "command/plain",
        "--tag",
        "v1",
        "--platform",
        "linux/amd64",
        "--salt",
        "x",
    ]
    secure = command("push", *image)
    assert (secure.returncode, secure.stdout) == (1, "")
    assert command("push", *image, "--insecure").returncode == 0


def test_a_wrong_password_is_one_sentence_without_it(fleet: RegistryFleet) -> None:
    run = command(
        *addressed(fleet, "retag", "--repository", "team/web", "--tag", "x", "--to", "v1"), SECRET="n0t-the-one"
    )
    assert run.returncode == 1
    assert "was answered 401" in run.stderr
    assert "Traceback" not in run.stderr
    assert "n0t-the-one" not in run.stdout + run.stderr


def test_a_missing_password_variable_is_named(fleet: RegistryFleet) -> None:
    environment = {key: value for key, value in ENVIRONMENT.items() if key != "SECRET"}
    arguments = addressed(fleet, "untag", "--repository", "team/web", "--tag", "x")
    run = subprocess.run(
        [sys.executable, "-m", "registries", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr == "registries untag: the environment has no variable SECRET\n"


@pytest.mark.parametrize("ending", ["terminated", "owner gone", "killed"])
def test_serve_ends_with_its_registries(tmp_path: Path, ending: str) -> None:
    owner = subprocess.Popen(["sleep", "120"])
    arguments = ["serve", "--state-dir", str(tmp_path), "--owner", str(owner.pid)]
    server = subprocess.Popen([sys.executable, "-m", "registries", *arguments], env=ENVIRONMENT)
    state_file = tmp_path / "registries.json"
    try:
        wait_until(state_file.exists)
        hosts = [entry["host"] for entry in json.loads(state_file.read_text())["registries"].values()]
        assert len(hosts) == 4
        assert all(listens(host) for host in hosts)
        {"terminated": server.terminate, "owner gone": owner.kill, "killed": server.kill}[ending]()
        wait_until(lambda: server.poll() is not None)
        wait_until(lambda: not any(listens(host) for host in hosts))
        assert state_file.exists() == (ending == "killed")
        assert server.returncode == (-9 if ending == "killed" else 0)
    finally:
        for process in (server, owner):
            process.kill()
            process.wait()


def test_serve_ends_after_its_lifetime(tmp_path: Path) -> None:
    run = command("serve", "--engine", "embedded", "--state-dir", str(tmp_path), "--lifetime", "0.2")
    assert (run.returncode, run.stderr) == (0, "")


def test_the_password_of_an_address_is_not_in_its_text(fleet: RegistryFleet) -> None:
    with RegistryClient(fleet.addresses["private"]) as client:
        assert fleet.credential[1] not in repr(client.address)
