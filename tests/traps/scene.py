# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace with registries behind it, and the import engine at work in it.

``Scene.converge`` is the heart: whatever a test declares is first foreseen by check mode, then done, then done
again. Check mode has to write nothing and foresee the result, the second run has to write nothing.
"""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import ClusterClient
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.report import Report
from ansible_collections.quayside.openshift_images.plugins.module_utils._drift.result import stream_part
from ansible_collections.quayside.openshift_images.plugins.module_utils._http.tls import Pem
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.remedy_finder import RemedyFinder
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.report import stream_report
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.run import converge_streams
from emulator.client import ApiClient, ControlClient
from registries.client import RegistryClient
from registries.fleet import RegistryFleet

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
Json = dict[str, t.Any]


@dataclass
class Sent:
    """A request of the engine; ``query`` as it was given."""

    method: str
    path: str
    query: dict[str, str]
    body: t.Any

    @property
    def looks_up(self) -> bool:
        """Whether it only asks registries."""
        return self.path.endswith("/imagestreamimports") and self.body["spec"]["import"] is False

    @property
    def writes(self) -> bool:
        """Whether the server may store something because of it."""
        return self.method != "GET" and not self.looks_up

    @property
    def imports(self) -> list[Json]:
        """The images that it imports."""
        stores = self.path.endswith("/imagestreamimports") and self.writes
        return list(self.body["spec"]["images"]) if stores else []


class ListeningClient(ClusterClient):
    """The engine's client, which keeps what was sent. ``before`` is called with each request before it is sent."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.sent: list[Sent] = []
        self.before: Callable[[Sent], None] = lambda _sent: None

    def request(self, method: str, path: str, **keywords: t.Any) -> t.Any:
        """One API call."""
        sent = Sent(method, path, dict(keywords.get("query") or {}), keywords.get("body"))
        self.sent.append(sent)
        self.before(sent)
        return super().request(method, path, **keywords)


@dataclass
class Run:
    """One run of the engine: its report, and the requests that it sent."""

    report: Report
    sent: list[Sent]
    held_back: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def writes(self) -> list[Sent]:
        """Requests that may have stored something."""
        return [sent for sent in self.sent if sent.writes]

    @property
    def imported(self) -> list[str]:
        """The tags whose images were imported, in order, repeated if they were imported again."""
        return [image["to"]["name"] for sent in self.sent for image in sent.imports]

    @property
    def tags(self) -> dict[str, Json]:
        """The tags of all streams of the report, by name."""
        return {tag["name"]: tag for stream in self.report.results["streams"] for tag in stream["tags"]}

    @property
    def changes(self) -> list[Json]:
        """The changes, as cluster_drift returns them."""
        return list(stream_part(self.report).changes)

    @property
    def failed(self) -> dict[str, Json]:
        """The failed tags, by name."""
        return {tag["tag"]: tag for tag in self.report.results["failed_tags"]}


@dataclass
class Converged:
    """Check mode, the run, and the run after it."""

    foreseen: Run
    done: Run
    again: Run


@dataclass
class Scene:
    """A namespace of its own on the shared emulator, with the shared registries."""

    namespace: str
    fleet: RegistryFleet
    api: ApiClient
    control: ControlClient
    connection: Connection
    _clients: list[ListeningClient] = field(default_factory=list)

    @property
    def hosts(self) -> dict[str, str]:
        """host:port of the registries: private, plain, selfsigned, hub."""
        return self.fleet.hosts()

    @property
    def web(self) -> str:
        """The recorded repository of the private registry: v1 and latest are lists, v2 is a single image, v3 has no
        amd64."""
        return f"{self.hosts['private']}/team/web"

    # The engine.

    def client(self, token: str = "") -> ListeningClient:
        """Return a client of the administrator, or of the owner of ``token``."""
        connection = self.connection
        if token:
            connection = Connection(
                connection.host, token=token, ca=connection.ca, credential_origin="the option api_key"
            )
        self._clients.append(ListeningClient(connection))
        return self._clients[-1]

    def run(
        self,
        *,
        check_mode: bool = False,
        client: ListeningClient | None = None,
        timeout: int = 60,
        concurrency: int = 4,
        approved: Iterable[str] | None = None,
        **options: t.Any,
    ) -> Run:
        """Run the engine as the module does, with the module's options; ``approved`` are the ids of the only changes
        that may be made."""
        client = client or self.client()
        first = len(client.sent)
        given = {"namespace": self.namespace, **({} if "streams" in options else {"name": "web"}), **options}
        desired = desired_streams(given)
        if approved is not None:
            desired = [stream._replace(approved=frozenset(approved)) for stream in desired]
        results = converge_streams(client, desired, check_mode=check_mode, concurrency=concurrency, timeout=timeout)
        report = stream_report(results, RemedyFinder(client, lambda *_values: None).remedy, only_changed=False)
        told = repr(report)
        assert "Internal error of the module" not in told
        assert [secret for secret in self._secrets() if secret in told] == []
        held_back = {tag: reasons for result in results for tag, reasons in result.held_back.items()}
        return Run(report, client.sent[first:], held_back)

    def converge(self, **options: t.Any) -> Converged:
        """Foresee, do, do again. What every scene has to keep is checked."""
        before = self.versions()
        foreseen = self.run(check_mode=True, **options)
        assert foreseen.writes == []
        assert self.versions() == before
        done = self.run(**options)
        assert foreseen.report.results == done.report.results
        assert (foreseen.report.before, foreseen.report.after) == (done.report.before, done.report.after)
        assert foreseen.report.failure == done.report.failure
        assert foreseen.report.changed == done.report.changed
        assert all("dryRun" not in sent.query for sent in foreseen.sent + done.sent)
        after = self.versions()
        repeated = self.run(**options)
        assert self.versions() == after
        assert not repeated.report.changed
        if not done.report.failure and options.get("refresh") != "always":
            assert repeated.writes == []
        return Converged(foreseen, done, repeated)

    def _secrets(self) -> list[str]:
        """Return what no report may hold: the registry's password and the token, and what they look like in secrets."""
        username, password = self.fleet.credential
        texts = [password, f"{username}:{password}", str(self.connection.token)]
        return [
            form
            for text in texts
            for form in (
                text,
                base64.b64encode(text.encode()).decode(),
                base64.b64encode(text.encode()).decode().rstrip("="),
            )
        ]

    # What other people do.

    def secret(
        self,
        name: str,
        auths: Json,
        *,
        kind: str = "kubernetes.io/dockerconfigjson",
        key: str = ".dockerconfigjson",
        **metadata: t.Any,
    ) -> None:
        """Create a secret, or put it in the place of one of the same name."""
        data = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
        document = {"metadata": {"name": name, **metadata}, "type": kind, "data": {key: data}}
        self.api.send("DELETE", self.api.core("secrets", name))
        self.api.send("POST", self.api.core("secrets"), document).raise_for_status()

    def good_credential(self) -> Json:
        """Return the private registry's credential as an auth entry."""
        username, password = self.fleet.credential
        return {"username": username, "password": password}

    def import_as_others(self, stream: str = "web", **tags: Json) -> None:
        """Import tags the way another client does: what an entry leaves out is left out."""
        images = [
            {"from": {"kind": "DockerImage", "name": tag["from"]}, "to": {"name": name}, **tag.get("spec", {})}
            for name, tag in tags.items()
        ]
        self.api.import_images(stream, *images).raise_for_status()

    def patch(self, spec: Json, stream: str = "web") -> Json:
        """Change a stream by hand."""
        answer = self.api.send(
            "PATCH", self.api.image("imagestreams", stream), {"spec": spec}, content_type=STRATEGIC_MERGE
        )
        answer.raise_for_status()
        return t.cast(Json, answer.json())

    def patch_tag(self, name: str, stream: str = "web", **fields: t.Any) -> Json:
        """Change one tag of a stream by hand."""
        return self.patch({"tags": [{"name": name, **fields}]}, stream)

    def touch(self, stream: str = "web") -> None:
        """Write a label, as somebody else does at any time."""
        number = len(self.versions())
        body = {"metadata": {"labels": {"touched": f"{number}-{self.stream(stream)['metadata']['resourceVersion']}"}}}
        self.api.send("PATCH", self.api.image("imagestreams", stream), body, content_type=MERGE).raise_for_status()

    def registry(self, name: str) -> RegistryClient:
        """Return a registry with the right to push; to be closed by the caller."""
        return self.fleet.client(name)

    def push(
        self,
        repository: str,
        tag: str,
        platforms: Iterable[str] = ("linux/amd64",),
        *,
        salt: str,
        registry: str = "private",
    ) -> str:
        """Push an image and return its digest."""
        with self.registry(registry) as client:
            return client.push_image(repository, tag, list(platforms), salt=salt)

    # What the cluster has.

    def stream(self, name: str = "web") -> Json:
        """Return a stream that has to be there."""
        return self.api.stream(name)

    def tag(self, name: str, stream: str = "web") -> Json:
        """Return the spec of a tag."""
        return next(tag for tag in self.stream(stream)["spec"]["tags"] if tag["name"] == name)

    def history(self, name: str, stream: str = "web") -> list[Json]:
        """Return the images that a tag has had, newest first."""
        found = [tag for tag in self.stream(stream)["status"].get("tags") or () if tag["tag"] == name]
        return list(found[0].get("items") or ()) if found else []

    def digest(self, name: str, stream: str = "web") -> str:
        """Return the newest image of a tag."""
        return str(self.history(name, stream)[0]["image"])

    def versions(self) -> dict[str, str]:
        """resourceVersion of every stream of the namespace."""
        answer = self.api.send("GET", self.api.image("imagestreams"))
        answer.raise_for_status()
        return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in answer.json()["items"]}

    def close(self) -> None:
        """Close the connections of the engine's clients."""
        for client in self._clients:
            client.close()


def connection_to(url: str, ca_file: str, token: str) -> Connection:
    """How the engine reaches the emulator."""
    return Connection(
        url, token=token, ca=Pem("the option ca_cert", path=ca_file), credential_origin="the option api_key"
    )
