# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator as a server: faults, the log, switches and controllers, the program."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from emulator.client import ApiClient, ControlClient
from emulator.controllers import PULL_SECRET_ANNOTATION
from emulator.server import Emulator

MERGE = "application/merge-patch+json"
TESTS = Path(__file__).parents[2]


def wait_for(truth: Callable[[], t.Any], seconds: float = 10.0) -> t.Any:
    """Return the first true value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = truth()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (409, "Conflict"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
        (504, "Timeout"),
    ],
)
def test_refusals_on_demand(admin: ApiClient, control: ControlClient, status: int, reason: str) -> None:
    """So many times, for these requests only, with Retry-After."""
    control.fault(method="GET", path="/secrets", status=status, count=2, skip=1, retry_after=3)
    codes = [admin.send("GET", admin.core("secrets")) for _turn in range(4)]
    assert [answer.status_code for answer in codes] == [200, status, status, 200]
    assert (codes[1].json()["reason"], codes[1].headers["Retry-After"]) == (reason, "3")
    assert admin.send("GET", admin.core("serviceaccounts")).status_code == 200


def test_a_refusal_after_the_work(admin: ApiClient, control: ControlClient) -> None:
    """504 although the object is there."""
    control.fault(method="POST", path="/secrets", status=504, after_work=True)
    assert admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}}).status_code == 504
    assert admin.send("GET", admin.core("secrets", "s")).status_code == 200


@pytest.mark.parametrize(("moment", "stored"), [("before", False), ("after", True), ("middle", True)])
def test_resets(admin: ApiClient, control: ControlClient, moment: str, stored: bool) -> None:
    """The connection breaks before the work, after it, or within the answer."""
    control.fault(method="POST", path="/secrets", reset=moment)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}})
    assert (admin.send("GET", admin.core("secrets", "s")).status_code == 200) is stored


def test_latency(admin: ApiClient, control: ControlClient) -> None:
    """The answer comes later, and is right."""
    control.fault(path="/secrets", delay=0.4)
    started = time.monotonic()
    assert admin.send("GET", admin.core("secrets")).status_code == 200
    assert time.monotonic() - started >= 0.4


def test_an_outage(admin: ApiClient, control: ControlClient) -> None:
    """Connections are reset, then refused, then everything is as it was; the request that began it is not carried
    out."""
    admin.send("POST", admin.core("secrets"), {"metadata": {"name": "kept"}}).raise_for_status()
    control.fault(method="POST", path="/secrets", outage=0.3)
    began = time.monotonic()
    for _turn in range(2):
        with pytest.raises(requests.ConnectionError):
            admin.send("POST", admin.core("secrets"), {"metadata": {"name": "s"}})
    while time.monotonic() < began + 5:
        with contextlib.suppress(requests.ConnectionError):
            assert admin.send("GET", admin.core("secrets", "s")).status_code == 404
            break
    assert time.monotonic() >= began + 0.3
    assert admin.send("GET", admin.core("secrets", "kept")).status_code == 200


def test_tokens_that_end_with_a_request(admin: ApiClient, control: ControlClient) -> None:
    """In the middle of whatever their user does."""
    other = ApiClient(
        admin.url, str(admin.session.verify), control.token("somebody", "system:masters"), admin.namespace
    )
    control.fault(path="/secrets", skip=1, expire="somebody")
    with other:
        assert [other.send("GET", other.core("secrets")).status_code for _turn in range(3)] == [200, 401, 401]
    assert admin.send("GET", admin.core("secrets")).status_code == 200


def test_faults_are_listed_and_removed(control: ControlClient) -> None:
    """With their hits; what makes no sense is refused."""
    first, second = control.fault(path="/a", status=500), control.fault(path="/b", status=500)
    control.send("DELETE", f"faults/{first['id']}")
    assert [(fault["id"], fault["hits"]) for fault in control.send("GET", "faults")["faults"]] == [(second["id"], 0)]
    for wrong in ({"path": "/a"}, {"status": 500, "nonsense": 1}, {"reset": "sometimes"}, {"status": 500, "path": "("}):
        with pytest.raises(requests.HTTPError):
            control.send("POST", "faults", wrong)


def test_the_request_log(admin: ApiClient, control: ControlClient) -> None:
    """Method, path, query, user and code; no body."""
    before = control.last_number()
    admin.send(
        "POST",
        admin.core("secrets"),
        {"metadata": {"name": "s"}, "stringData": {"k": "very-secret"}},
        query={"dryRun": "All"},
    )
    admin.send("GET", admin.core("secrets", "none"))
    # A watch of another test is noted when it ends.
    first, second = [entry for entry in control.requests(before) if admin.namespace in entry["path"]]
    assert (first["method"], first["path"], first["query"], first["code"]) == (
        "POST",
        admin.core("secrets"),
        "dryRun=All",
        201,
    )
    assert (second["user"], second["code"]) == ("system:admin", 404)
    assert "very-secret" not in json.dumps(control.requests())
    control.send("DELETE", "requests")
    assert control.requests() == []


def test_the_control_endpoint_has_a_token_of_its_own(emulator: Emulator) -> None:
    """The administrator's does not open it, and the other way round."""
    for token, path in ((emulator.admin_token, "/_emulator/settings"), (emulator.control_token, "/version")):
        with ApiClient(emulator.url, emulator.ca_file, token) as client:
            assert client.send("GET", path).status_code == 401
    with ApiClient(emulator.url, emulator.ca_file, emulator.control_token) as client:
        assert client.send("GET", "/_emulator/nonsense").status_code == 404
        assert client.send("PATCH", "/_emulator/settings", {"nonsense": 1}).status_code == 400


def test_plain_kubernetes(admin: ApiClient, control: ControlClient) -> None:
    """No group of OpenShift is served; the core is."""
    control.change(openshift=False)
    answer = admin.send("GET", admin.image("imagestreams"))
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    groups = [group["name"] for group in admin.send("GET", "/apis").json()["groups"]]
    assert "apps" in groups
    assert not [group for group in groups if group.endswith("openshift.io")]
    assert admin.send("GET", admin.core("secrets")).status_code == 200


def test_service_accounts_of_new_namespaces(admin: ApiClient, control: ControlClient) -> None:
    """They come a while after the namespace, each with its secret, which is put back when somebody drops it."""
    control.change(service_accounts_after=0.3, service_account_controller=True)
    admin.send("POST", "/api/v1/namespaces", {"metadata": {"name": "fresh"}})
    accounts = "/api/v1/namespaces/fresh/serviceaccounts"
    assert admin.send("GET", accounts).json()["items"] == []
    wait_for(lambda: len(admin.send("GET", accounts).json()["items"]) == 3)

    def names(field: str) -> list[str]:
        return [entry["name"] for entry in admin.send("GET", f"{accounts}/default").json().get(field, [])]

    (own,) = wait_for(lambda: names("imagePullSecrets"))
    account = admin.send("GET", f"{accounts}/default").json()
    assert account["metadata"]["annotations"][PULL_SECRET_ANNOTATION] == own
    assert admin.send("GET", f"/api/v1/namespaces/fresh/secrets/{own}").json()["type"] == "kubernetes.io/dockercfg"
    admin.send("PATCH", f"{accounts}/default", {"imagePullSecrets": [{"name": "mine"}]}, content_type=MERGE)
    wait_for(lambda: names("imagePullSecrets") == ["mine", own])
    assert names("secrets") == [own]
    admin.send("DELETE", "/api/v1/namespaces/fresh")


def start_program(directory: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], dict[str, t.Any]]:
    """Return the emulator as a program, with what it says of itself."""
    state_file = directory / "state.json"
    command = [
        sys.executable,
        "-m",
        "emulator",
        "--ca-dir",
        str(directory / "ca"),
        "--state-file",
        str(state_file),
        *arguments,
    ]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TESTS)})
    wait_for(lambda: state_file.exists() or process.poll() is not None, 30.0)
    assert process.poll() is None
    assert state_file.stat().st_mode & 0o077 == 0
    return process, json.loads(state_file.read_text())


def test_the_program_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """On loopback only; its kubeconfig holds what is needed; SIGTERM ends it in an orderly way."""
    process, state = start_program(tmp_path, "--plain-kubernetes")
    try:
        with ApiClient(state["url"], state["ca_file"], state["admin_token"]) as client:
            assert client.send("GET", "/version").status_code == 200
            assert client.send("GET", "/apis/image.openshift.io/v1").status_code == 404
        kubeconfig = json.loads(Path(state["kubeconfig"]).read_text())
        assert kubeconfig["clusters"][0]["cluster"]["server"] == state["url"]
        assert kubeconfig["users"][0]["user"]["token"] == state["admin_token"]
        port = int(state["url"].rpartition(":")[2])
        own = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
        for address in {str(one) for one in own if not str(one).startswith("127.")}:
            with socket.socket() as probe:
                assert probe.connect_ex((address, port)) != 0
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0


def test_the_program_ends_with_its_owner(tmp_path: Path) -> None:
    """Also when the owner had no time to say so."""
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    process, _state = start_program(tmp_path, "--owner", str(owner.pid))
    try:
        owner.kill()
        owner.wait()
        assert process.wait(timeout=15) == 0
    finally:
        process.kill()
        process.wait()
