# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster and a registry that misbehave on request, with two namespaces of their own for each test."""

from __future__ import annotations

import base64
import json
import secrets
import time
import typing as t
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import requests
from emulator.access import AUTHENTICATED, MASTERS, User
from emulator.client import IMAGE, ApiClient
from emulator.faults import Fault
from emulator.server import Emulator
from registries.embedded import EmbeddedRegistry

from .running import Run, run

SAMPLES = "/apis/samples.operator.openshift.io/v1/configs"
MANAGED = "dockercfg-of-the-cluster"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
PASSWORD = "corr3ct-horse"
ROBOT = "robot"
Json = dict[str, t.Any]


@dataclass
class Place:
    """Where a module runs. ``robot`` is the user of its token."""

    emulator: Emulator
    registry: EmbeddedRegistry
    api: ApiClient
    registry_ca: str
    call_on_loop: Callable[[Coroutine[t.Any, t.Any, t.Any]], t.Any]
    token: str = ""
    namespaces: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Log in, and create the namespaces, in which the registry's credential is."""
        self.log_in()
        for letter in "ab":
            name = f"{letter}-{secrets.token_hex(4)}"
            self.post("/api/v1/namespaces", {"metadata": {"name": name}})
            self.namespaces.append(name)
            self.put_secret(name, "registry", {self.registry.host: ("puller", PASSWORD)})

    def begin_anew(self) -> None:
        """Leave the namespaces with everything in them for fresh ones."""
        self.close()
        self.namespaces.clear()
        self.open()

    def close(self) -> None:
        """Switch the faults off, remove the namespaces."""
        self.repair()
        self.back_again()
        for name in self.namespaces:
            self.call("DELETE", f"/api/v1/namespaces/{name}")

    def run(self, module: str, *, check_mode: bool = False, **options: t.Any) -> Run:
        """Run a module here."""
        return run(module, {**self.access(), **options}, check_mode=check_mode)

    def access(self) -> Json:
        """Return the options that lead to the cluster."""
        return {"host": self.emulator.url, "api_key": self.token, "ca_cert": str(self.emulator.ca_file)}

    def break_api(self, fault: Fault) -> Fault:
        """Switch a fault of the API server on."""
        return self.emulator.cluster.faults.add(fault)

    def repair(self) -> None:
        """Everything works again."""
        self.emulator.cluster.faults.clear()
        self.registry.switches.faults = []

    def log_in(self) -> None:
        """Give the robot a new token."""
        self.token = self.emulator.cluster.access.issue(User(ROBOT, (MASTERS, AUTHENTICATED)))

    def back_again(self) -> None:
        """Wait until the API server answers after an outage."""
        deadline = time.monotonic() + 10
        while True:
            try:
                self.call("GET", "/version")
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    # What is there, and what others put there.

    def call(self, method: str, path: str, body: t.Any = None, *, content_type: str = "application/json") -> t.Any:
        """One request of the administrator, which has to succeed."""
        answer = self.api.send(method, path, body, content_type=content_type)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: t.Any) -> t.Any:
        """Create an object."""
        return self.call("POST", path, body)

    def put_secret(
        self,
        namespace: str,
        name: str,
        logins: dict[str, tuple[str, str]],
        kind: str = "kubernetes.io/dockerconfigjson",
    ) -> None:
        """Create a pull secret."""
        auths = {host: {"auth": base64.b64encode(":".join(login).encode()).decode()} for host, login in logins.items()}
        content = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
        self.post(
            f"/api/v1/namespaces/{namespace}/secrets",
            {"metadata": {"name": name}, "type": kind, "data": {".dockerconfigjson": content}},
        )

    def logins(self, namespace: str, name: str = "pull") -> dict[str, str]:
        """Return the user and password of each registry of a pull secret."""
        content = self.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")["data"][".dockerconfigjson"]
        entries = json.loads(base64.b64decode(content))["auths"]
        return {host: base64.b64decode(entry["auth"]).decode() for host, entry in entries.items()}

    def secret_names(self, namespace: str) -> set[str]:
        """Return the secrets of a namespace."""
        return {
            item["metadata"]["name"] for item in self.call("GET", f"/api/v1/namespaces/{namespace}/secrets")["items"]
        }

    def put_account(self, namespace: str, name: str, *linked: str) -> None:
        """Create a service account that has links already, the cluster's own among them."""
        entries = [{"name": one} for one in (MANAGED, *linked)]
        self.post(
            f"/api/v1/namespaces/{namespace}/serviceaccounts",
            {"metadata": {"name": name}, "secrets": entries, "imagePullSecrets": entries},
        )

    def links(self, namespace: str, account: str, field_name: str = "imagePullSecrets") -> list[str]:
        """Return the links of a service account."""
        found = self.call("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")
        return [entry["name"] for entry in found.get(field_name) or []]

    def image(self, tag: str) -> str:
        """Return a pull spec."""
        return f"{self.registry.host}/team/web:{tag}"

    def import_tags(self, namespace: str, stream: str, *tags: str) -> None:
        """Import tags as somebody else would."""
        images = [{"from": {"kind": "DockerImage", "name": self.image(tag)}, "to": {"name": tag}} for tag in tags]
        body = {"metadata": {"name": stream}, "spec": {"import": True, "images": images}}
        self.post(f"{IMAGE}/namespaces/{namespace}/imagestreamimports", body)

    def streams(self, namespace: str) -> dict[str, Json]:
        """Return the image streams of a namespace by name."""
        return {
            item["metadata"]["name"]: item
            for item in self.call("GET", f"{IMAGE}/namespaces/{namespace}/imagestreams")["items"]
        }

    def digests(self, namespace: str, stream: str) -> dict[str, list[str]]:
        """Return the digests in the history of each tag, the newest first."""
        found = self.streams(namespace).get(stream) or {}
        histories = (found.get("status") or {}).get("tags") or []
        return {history["tag"]: [item["image"] for item in history.get("items") or []] for history in histories}

    def versions(self) -> dict[str, str]:
        """Return the version of every object in the namespaces: a run that writes nothing leaves it as it is."""
        found = {}
        for namespace in self.namespaces:
            for prefix, kind in (("/api/v1", "secrets"), ("/api/v1", "serviceaccounts"), (IMAGE, "imagestreams")):
                for item in self.call("GET", f"{prefix}/namespaces/{namespace}/{kind}")["items"]:
                    found[f"{namespace}/{kind}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
        return found

    def put_samples(self) -> None:
        """Put the operator's configuration as somebody left it, in place of what an earlier test did."""
        self.api.send("DELETE", f"{SAMPLES}/cluster")
        self.post(
            SAMPLES,
            {"metadata": {"name": "cluster"}, "spec": {"managementState": "Managed", "skippedTemplates": ["kept"]}},
        )

    def samples_operator(self) -> AbstractContextManager[None]:
        """Let the Cluster Samples Operator act by its configuration."""
        return self._switched_on("samples_operator")

    def service_account_controller(self) -> AbstractContextManager[None]:
        """Service accounts get a secret of the cluster's own, again and again."""
        return self._switched_on("service_account_controller")

    @contextmanager
    def _switched_on(self, switch: str) -> Iterator[None]:
        async def turn(position: bool) -> None:
            self.emulator.control.change({switch: position})

        self.call_on_loop(turn(True))
        try:
            yield
        finally:
            self.call_on_loop(turn(False))

    def samples(self) -> Json:
        """Return the operator's configuration."""
        return t.cast(Json, self.call("GET", f"{SAMPLES}/cluster")["spec"])

    def requests_since(self, number: int) -> Iterator[Json]:
        """Return what was asked of the API server after a number of its log."""
        return iter(self.emulator.cluster.log.since(number))
