# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's nginx with the configuration of docs/push.md, before a rulebook."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from registries.certificates import KeyPair
from registries.ports import choose_port

from . import guide
from .rulebook import listens

_START_SECONDS = 20.0
# One process, with every file below its own directory.
_MAIN = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/push.conf;
}}
"""


class ReverseProxy:
    """Runs between ``start`` and ``stop``; start it from the main thread.

    ``values`` replace what the guide's configuration says; each of them has to be in it.
    """

    def __init__(self, directory: Path, pair: KeyPair, values: dict[str, str]) -> None:
        self.port = choose_port(0)
        self._directory = directory
        self._values = {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "/etc/push/push.pem": str(pair.certificate),
            "/etc/push/push.key": str(pair.key),
            "/var/log/nginx/push.log": str(directory / "push.log"),
            **values,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ReverseProxy:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = shutil.which("nginx")
        assert program, "nginx is not installed"
        self._directory.mkdir(parents=True)
        text = guide.text_block("nginx", "push.conf, included in the http block of nginx")
        for said, own in self._values.items():
            assert said in text, f"docs/push.md does not have {said}"
            text = text.replace(said, own)
        (self._directory / "push.conf").write_text(text, encoding="utf-8")
        main = self._directory / "nginx.conf"
        main.write_text(_MAIN.format(directory=self._directory), encoding="utf-8")
        command = ["setpriv", "--pdeathsig", "TERM", program, "-p", str(self._directory), "-c", str(main)]
        # The log of its start is that of the configuration, but for mistakes before that is read.
        command += ["-e", str(self._directory / "error.log")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        while not listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"nginx did not start: {self.log()}")
            time.sleep(0.05)

    def log(self) -> str:
        """Everything that it has written."""
        return "".join(file.read_text(encoding="utf-8") for file in sorted(self._directory.glob("*.log")))

    def stop(self) -> None:
        """End it and wait for its end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None
