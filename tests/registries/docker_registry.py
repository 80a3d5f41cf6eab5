# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's docker-registry as a child process: TLS, htpasswd, a log file, and no life of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
import warnings
from pathlib import Path

import bcrypt
import requests
import yaml
from urllib3.exceptions import InsecureRequestWarning

from .certificates import KeyPair, write_private
from .ports import choose_port

_START_SECONDS = 20.0
_ATTEMPTS = 3


class RegistryDidNotStart(Exception):
    """The program ended or did not answer in time; the message names its log file."""


def find_docker_registry() -> Path | None:
    """Return the installed program, or None."""
    found = shutil.which("docker-registry")
    return Path(found) if found else None


class DockerRegistry:
    """One docker-registry process below ``directory`` (configuration, storage, log).

    The kernel ends the process when the thread that called ``start`` ends, so call it from the main thread.
    """

    def __init__(
        self,
        program: Path,
        directory: Path,
        *,
        key_pair: KeyPair | None = None,
        credential: tuple[str, str] | None = None,
        preferred_port: int = 0,
        notifications: dict[str, object] | None = None,
    ) -> None:
        self.directory = directory
        self.log_file = directory / "registry.log"
        self.port = 0
        self._program = program
        self._key_pair = key_pair
        self._credential = credential
        self._preferred_port = preferred_port
        self._notifications = notifications
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """host:port, as images of this registry are written."""
        return f"localhost:{self.port}"

    def start(self) -> None:
        """Start and wait until the API answers; another port is tried when somebody took the chosen one."""
        self.directory.mkdir(parents=True, exist_ok=True)
        preferred = self._preferred_port
        for _attempt in range(_ATTEMPTS):
            self.port = choose_port(preferred)
            if self._started():
                return
            preferred = 0
        raise RegistryDidNotStart(f"docker-registry did not answer on any of {_ATTEMPTS} ports, see {self.log_file}")

    def stop(self) -> None:
        """End the process and wait for its end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _started(self) -> bool:
        configuration = self._write_configuration()
        # setpriv lets the kernel end the registry when we die, however we die
        command = ["setpriv", "--pdeathsig", "KILL", str(self._program), "serve", str(configuration)]
        # the registry reads its configuration from REGISTRY_* variables too: give it none of ours
        environment = {"PATH": os.environ.get("PATH", os.defpath)}
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _answers(self) -> bool:
        scheme = "https" if self._key_pair else "http"
        with requests.Session() as session, warnings.catch_warnings():
            # only whether it answers is asked here; the clients verify its certificate
            warnings.simplefilter("ignore", InsecureRequestWarning)
            session.trust_env = False
            try:
                answer = session.get(f"{scheme}://{self.host}/v2/", verify=False, timeout=5)
            except requests.RequestException:
                return False
        return answer.status_code == (401 if self._credential else 200)

    def _write_configuration(self) -> Path:
        http: dict[str, object] = {
            "addr": f"127.0.0.1:{self.port}",
            "secret": secrets.token_hex(16),
            "relativeurls": True,
        }
        if self._key_pair is not None:
            http["tls"] = {"certificate": str(self._key_pair.certificate), "key": str(self._key_pair.key)}
        document: dict[str, object] = {
            "version": 0.1,
            "log": {"level": "info", "formatter": "json"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.directory / "storage")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": http,
        }
        if self._credential is not None:
            username, password = self._credential
            # the cheapest rounds: the registry hashes the password anew on every request
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4))
            htpasswd = self.directory / "htpasswd"
            write_private(htpasswd, username.encode() + b":" + hashed + b"\n")
            document["auth"] = {"htpasswd": {"realm": "quayside test registry", "path": str(htpasswd)}}
        if self._notifications is not None:
            document["notifications"] = self._notifications
        configuration = self.directory / "config.yml"
        configuration.write_text(yaml.safe_dump(document), encoding="utf-8")
        return configuration
