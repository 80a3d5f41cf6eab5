# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's docker-registry with its notifications, the emulator, and ansible-rulebook between them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
import typing as t
from pathlib import Path

import requests
from lab.emulator_process import EmulatorProcess
from lab.kubernetes_api import ApiAccess, LabSetup
from registries.certificates import create_certificates
from registries.client import RegistryAddress, RegistryClient
from registries.docker_registry import DockerRegistry, find_docker_registry
from registries.ports import choose_port

from . import guide
from .rulebook import BIN, Rulebook

NAMESPACE = "shop"
IMAGE = f"/apis/image.openshift.io/v1/namespaces/{NAMESPACE}"


class Scene:
    """Runs between ``start`` and ``stop``, or inside ``with``; start it from the main thread.

    ``variables`` are those of the inventory's one cluster besides its address.
    """

    def __init__(self, directory: Path, **variables: t.Any) -> None:
        self.directory = directory
        self.token = secrets.token_hex(16)
        self.secret = secrets.token_hex(16)
        self.token_port, self.hmac_port = choose_port(0), choose_port(0)
        self._variables = variables
        self._stack: list[t.Callable[[], None]] = []

    def __enter__(self) -> Scene:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the registry sends its notifications."""
        return f"http://127.0.0.1:{self.token_port}/registry"

    def start(self) -> None:
        """Start everything; nothing is left running when a part of it fails."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        program = find_docker_registry()
        assert program, "docker-registry is not installed"
        self.certificates = create_certificates(self.directory / "certificates")
        notifications = guide.block("config.yml of the registry")["notifications"]
        (endpoint,) = notifications["endpoints"]
        endpoint.update(
            guide.replaced(endpoint, {"url": self.url, "headers": {"Authorization": [f"Bearer {self.token}"]}})
        )
        self.registry = DockerRegistry(program, self.directory / "registry", notifications=notifications)
        self.registry.start()
        self._stack.append(self.registry.stop)
        self.client = RegistryClient(RegistryAddress(self.registry.host, insecure=True))
        self._stack.append(self.client.close)
        cluster = EmulatorProcess(self.directory / "cluster", self.certificates.ca_file, controllers=False)
        self._stack.append(cluster.stop)
        self.access: ApiAccess = cluster.start()
        with LabSetup(self.access) as setup:
            setup.create_namespace(NAMESPACE)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(self.access.ca_file)
        self.session.headers["Authorization"] = f"Bearer {self.access.token}"
        self._stack.append(self.session.close)
        # The files are those of the guide, with the addresses and secrets of this run.
        inventory = guide.block("inventory.yml")
        (host,) = inventory["all"]["hosts"].values()
        own = {
            "k8s_auth_host": self.access.host,
            "k8s_auth_api_key": self.access.token,
            "k8s_auth_ca_cert": str(self.access.ca_file),
        }
        host.update(guide.replaced(host, own), **self._variables)
        variables = guide.replaced(
            guide.block("push.yml"), {"registry_push_token": self.token, "registry_push_secret": self.secret}
        )
        ports = {"registry_push_token_port": self.token_port, "registry_push_hmac_port": self.hmac_port}
        self.rulebook = Rulebook(
            self.directory / "rulebook", inventory, variables | ports, (self.token_port, self.hmac_port)
        )
        self._stack.append(self.rulebook.stop)
        self.rulebook.start()

    def stop(self) -> None:
        """Stop everything."""
        while self._stack:
            self._stack.pop()()

    def push(self, repository: str, tag: str, content: str, platforms: t.Sequence[str] = ("linux/amd64",)) -> str:
        """Push an image and return its digest."""
        return self.client.push_image(repository, tag, list(platforms), salt=content, image_format="docker")

    def declare(
        self,
        stream: str,
        tags: t.Mapping[str, str],
        *,
        scheduled: bool = True,
        mode: str = "PreserveOriginal",
        registry: str = "",
    ) -> None:
        """Import tags of a stream, by the repository:tag that each tracks; ``registry`` is another name of ours."""
        policy = {"insecure": True, "scheduled": scheduled, "importMode": mode}
        images = [
            {
                "from": {"kind": "DockerImage", "name": f"{registry or self.registry.host}/{source}"},
                "to": {"name": tag},
                "importPolicy": policy,
            }
            for tag, source in tags.items()
        ]
        body = {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStreamImport",
            "metadata": {"name": stream},
            "spec": {"import": True, "images": images},
        }
        self.session.post(f"{self.access.host}{IMAGE}/imagestreamimports", json=body, timeout=60).raise_for_status()

    def history(self, stream: str, tag: str) -> list[str]:
        """Return the digests that a tag has and had, newest first."""
        answer = self.session.get(f"{self.access.host}{IMAGE}/imagestreams/{stream}", timeout=30)
        answer.raise_for_status()
        found = [status["items"] for status in answer.json()["status"].get("tags") or () if status["tag"] == tag]
        return [item["image"] for item in found[0] or ()] if found else []

    def wait(self, stream: str, tag: str, digest: str, seconds: float = 60.0) -> float:
        """Wait until the tag has the image, and return how long that took."""
        start = time.monotonic()
        while digest not in self.history(stream, tag)[:1]:
            assert time.monotonic() - start < seconds, (
                f"{stream}:{tag} does not have {digest}\n{self.rulebook.log()[-4000:]}"
            )
            time.sleep(0.02)
        return time.monotonic() - start

    def play(self, playbook: str, *options: str, variables: t.Mapping[str, t.Any]) -> None:
        """Run a playbook of the collection by hand, with the rulebook's inventory. It has to succeed."""
        folder = os.environ[BIN]
        command = [f"{folder}/ansible-playbook", f"quayside.openshift_images.{playbook}", *options]
        command += ["--inventory", "inventory.yml", "--extra-vars", json.dumps(dict(variables))]
        environment = {
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.rulebook.directory / "home"),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        }
        done = subprocess.run(
            command, cwd=self.rulebook.directory, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
