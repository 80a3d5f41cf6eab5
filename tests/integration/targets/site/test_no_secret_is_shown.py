# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No credential reaches anything that a run prints, logs, caches, leaves behind or starts: at the highest verbosity."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import typing as t
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fleet.inventory import write_inventory
from integration.cluster import Cluster
from integration.playbooks import Playbooks, Run
from integration.surroundings import Surroundings
from security.canaries import canary, found_in

PASSWORD = canary("password")
AUTH_PASSWORD = canary("auth")
FILE_PASSWORD = canary("auth_file")
CONTENT_PASSWORD = canary("content")
TOKEN = canary("identity")
NEW_PASSWORD = canary("rotated")


class ProcessArguments:
    """Collects the command lines of all processes while it is entered."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> ProcessArguments:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            # not by a glob, which asks whether each file is there and raises for a process that ends while it asks
            for process in os.listdir("/proc"):
                if process.isdigit():
                    with contextlib.suppress(OSError):
                        self.seen.add(
                            Path("/proc", process, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                        )


def written_texts(directories: Iterable[Path], given: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Every file below the directories, except those that the test wrote itself."""
    own = set(given)
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_file() and path not in own:
                yield path, path.read_text(encoding="utf-8", errors="replace")


@pytest.fixture
def auth_file(tmp_path: Path) -> Path:
    path = tmp_path / "auth.json"
    auth = base64.b64encode(f"robot:{FILE_PASSWORD}".encode()).decode()
    path.write_text(f'{{"auths": {{"file.example.com": {{"auth": "{auth}"}}}}}}')
    return path


@pytest.fixture
def variables(given: Surroundings, namespace: str, auth_file: Path) -> dict[str, t.Any]:
    """Every way to give a credential, and a stream that needs the real one."""
    given.push("private", "web", "v1")
    secrets = [
        {
            "name": "registries",
            "namespaces": [namespace],
            "registries": [
                given.credential(),
                {"registry": "password.example.com", "username": "robot", "password": PASSWORD},
                {"registry": "auth.example.com", "auth": base64.b64encode(f"robot:{AUTH_PASSWORD}".encode()).decode()},
            ],
            "link": [{"service_accounts": ["default"], "for": ["pull", "mount"]}],
        },
        {"name": "from-file", "namespaces": [namespace], "auth_file": str(auth_file)},
        {
            "name": "from-content",
            "namespaces": [namespace],
            "auth_content": json.dumps(
                {"auths": {"content.example.com": {"username": "robot", "password": CONTENT_PASSWORD}}}
            ),
        },
    ]
    stream = {
        "namespace": namespace,
        "name": "web",
        "tags": [{"name": "v1", "from": given.image("private", "web", "v1")}],
    }
    return {"registry_access_secrets": secrets, "image_streams_desired": [stream]}


@pytest.fixture
def watched(
    cluster: Cluster, namespace: str, playbooks: Playbooks, tmp_path: Path, variables: dict[str, t.Any], auth_file: Path
) -> t.Any:
    """Run the site with everything that Ansible can be told to write, and look for the credentials in all of it."""
    developer = cluster.create_user(namespace, "developer", "edit")
    content = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": developer.host, "certificate-authority": developer.ca_file}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "users": [{"name": "it", "user": {"token": developer.token}}],
    }
    inventory = write_inventory(tmp_path / "inventory.yml", harbour=developer.as_host())
    scratch = {name: tmp_path / name for name in ("log", "cache", "local", "remote")}
    for directory in scratch.values():
        directory.mkdir()
    settings = {
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(scratch["cache"]),
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
        "ANSIBLE_LOCAL_TEMP": str(scratch["local"]),
        "ANSIBLE_LOG_PATH": str(scratch["log"] / "ansible.log"),
        # arguments travel in files, and are to be gone afterwards
        "ANSIBLE_PIPELINING": "false",
        "ANSIBLE_REMOTE_TEMP": str(scratch["remote"]),
    }
    credentials = [developer.token, PASSWORD, AUTH_PASSWORD, FILE_PASSWORD, CONTENT_PASSWORD, TOKEN, NEW_PASSWORD]
    credentials += [
        str(registry["password"])
        for registry in variables["registry_access_secrets"][0]["registries"]
        if "password" in registry
    ]

    def run(playbook: Path | str, *options: str, kubeconfig: bool = False, **more: str) -> Run:
        # a credential of its own for the whole play, or one inside of a kubeconfig's content
        way = (
            {"k8s_auth_kubeconfig": content, "k8s_auth_host": "", "k8s_auth_api_key": "", "k8s_auth_ca_cert": ""}
            if kubeconfig
            else {}
        )
        with ProcessArguments() as arguments:
            run = playbooks.with_environment({}).run(
                playbook, *options, variables={**variables, **way, **more}, inventory=inventory, settings=settings
            )
        assert any("ansible-playbook" in line for line in arguments.seen)
        assert (scratch["log"] / "ansible.log").stat().st_size > 0
        places = {"output": run.output, "arguments of processes": "\n".join(arguments.seen)}
        own_variables = tmp_path.glob("variables-*.yml")
        places |= {str(path): text for path, text in written_texts([tmp_path], [inventory, auth_file, *own_variables])}
        places |= {f"result of {result.title}": str(result.content) for result in run.results}
        assert found_in(places, credentials) == {}
        return run

    return run


def test_in_a_run_that_does_everything(watched: t.Callable[..., Run], request: pytest.FixtureRequest) -> None:
    everything = request.path.parent / "show_everything.yml"

    predicted, done = watched(everything, "-vvvv", "--check", "--diff"), watched(everything, "-vvvv", "--diff")

    assert (predicted.exit_code, done.exit_code) == (0, 0), done.output
    assert "registry_access_written" in done.output


def test_in_a_run_that_fails(watched: t.Callable[..., Run], variables: dict[str, t.Any]) -> None:
    first = variables["registry_access_secrets"][0]
    # refused by the specification of the role
    first["registries"][1]["stat"] = "present"
    assert watched("quayside.openshift_images.site", "-vvvv", "--diff").exit_code == 2
    # refused by the module
    first["registries"][1] = {"registry": "password.example.com", "password": PASSWORD}
    assert watched("quayside.openshift_images.site", "-vvvv", "--diff").exit_code == 2
    # given with a warning, beside a registry that refuses to be verified
    first["registries"][1] = {"registry": "password.example.com", "identity_token": TOKEN}
    first["verify"] = True
    assert watched("quayside.openshift_images.site", "-vvvv", "--diff").exit_code == 2


def test_in_a_rotation(watched: t.Callable[..., Run], namespace: str, variables: dict[str, t.Any]) -> None:
    assert watched("quayside.openshift_images.site", "-vvvv").exit_code == 0
    rotation = {
        "rotate_credentials_registry": "password.example.com",
        "rotate_credentials_username": "robot",
        "rotate_credentials_password": NEW_PASSWORD,
        "rotate_credentials_namespaces": namespace,
    }

    # nobody answers at that registry, so that nothing is written
    refused = watched("quayside.openshift_images.rotate_credentials", "-vvvv", "--diff", kubeconfig=True, **rotation)
    done = watched(
        "quayside.openshift_images.rotate_credentials",
        "-vvvv",
        "--diff",
        kubeconfig=True,
        rotate_credentials_verify="false",
        **rotation,
    )

    assert (refused.exit_code, done.exit_code) == (2, 0), done.output
    assert done.changed() != []
