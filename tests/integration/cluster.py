# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster as an administrator sees it: plain API calls that know nothing of the collection."""

from __future__ import annotations

import base64
import json
import secrets
import time
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config

CORE = "/api/v1/namespaces/{namespace}/{plural}"
IMAGE = "/apis/image.openshift.io/v1/namespaces/{namespace}/{plural}"
PATHS = {"secrets": CORE, "serviceaccounts": CORE, "imagestreams": IMAGE}
ACCOUNTS = ("default", "builder", "deployer")
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SETTLING_SECONDS = 60.0
_QUIET_SECONDS = 0.5
_PROBE_SECONDS = 8.0
_RIGHTS_SECONDS = 30.0
_TOKEN_SECONDS = 3600

Document = dict[str, t.Any]


class Address(t.NamedTuple):
    """Where an object is."""

    plural: str
    namespace: str
    name: str


class Snapshot(dict[Address, Document]):
    """Secrets, service accounts and image streams at one moment."""

    def written_since(self, earlier: Snapshot) -> set[Address]:
        """Return what was created, deleted or written between the two."""
        return {
            address
            for address in self.keys() | earlier.keys()
            if _version(self.get(address)) != _version(earlier.get(address))
        }

    def stream(self, namespace: str, name: str) -> Document:
        """Return an image stream's document."""
        return self[Address("imagestreams", namespace, name)]

    def waits_for_import(self) -> bool:
        """Whether a controller that runs would still import a tag: its generation is ahead of what was seen."""
        for address, document in self.items():
            if address.plural == "imagestreams":
                seen = {status["tag"]: _seen_generation(status) for status in document["status"].get("tags") or []}
                if any(
                    (tag.get("generation") or 0) > seen.get(tag["name"], 0)
                    for tag in document["spec"].get("tags") or []
                ):
                    return True
        return False


Right = Mapping[str, str]
"""What a review asks for: verb, group, resource, subresource, namespace, name."""


@dataclass(frozen=True)
class Access:
    """How to reach the API without a kubeconfig."""

    host: str
    token: str
    ca_file: str

    def variables(self) -> dict[str, str]:
        """As variables of the environment."""
        return {"K8S_AUTH_HOST": self.host, "K8S_AUTH_API_KEY": self.token, "K8S_AUTH_SSL_CA_CERT": self.ca_file}

    def as_host(self) -> dict[str, str]:
        """As variables of a host of an inventory."""
        return {"k8s_auth_host": self.host, "k8s_auth_api_key": self.token, "k8s_auth_ca_cert": self.ca_file}

    def __repr__(self) -> str:
        return f"Access(host={self.host!r})"


class Cluster:
    """Calls with the credential of a kubeconfig's current context."""

    def __init__(self, kubeconfig: Path) -> None:
        configuration = kubernetes_client.Configuration()
        kubernetes_config.load_kube_config(str(kubeconfig), client_configuration=configuration)
        self.host: str = configuration.host
        self.ca_file = str(configuration.ssl_ca_cert)
        self._imports_by_itself: bool | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = self.ca_file
        if configuration.cert_file:
            self._session.cert = (configuration.cert_file, configuration.key_file)
        for setting in configuration.auth_settings().values():
            self._session.headers[setting["key"]] = setting["value"]

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def call(
        self, method: str, path: str, body: t.Any = None, *, content_type: str = "application/json", allowed: int = 0
    ) -> Document:
        """One call; an answer of 400 and above, other than ``allowed``, is a requests.HTTPError."""
        data = None if body is None else json.dumps(body)
        answer = self._session.request(
            method, self.host + path, data=data, headers={"Content-Type": content_type}, timeout=60
        )
        if answer.status_code != allowed:
            answer.raise_for_status()
        return t.cast("Document", answer.json())

    def path(self, plural: str, namespace: str, name: str = "") -> str:
        """Return the path of a collection or of an object."""
        return PATHS[plural].format(namespace=namespace, plural=plural) + (f"/{name}" if name else "")

    def get(self, plural: str, namespace: str, name: str) -> Document:
        """One object."""
        return self.call("GET", self.path(plural, namespace, name))

    def put(self, plural: str, document: Document) -> Document:
        """Write an object that was read."""
        metadata = document["metadata"]
        return self.call("PUT", self.path(plural, metadata["namespace"], metadata["name"]), document)

    def create(self, plural: str, namespace: str, document: Document) -> Document:
        """Create an object."""
        return self.call("POST", self.path(plural, namespace), document)

    def create_namespace(self, name: str) -> None:
        """Create a namespace with the service accounts that every project has, whoever creates them."""
        self.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for account in ACCOUNTS:
            self.create_account(name, account)

    def delete_namespace(self, name: str) -> None:
        """Start the deletion of a namespace."""
        self.call("DELETE", f"/api/v1/namespaces/{name}", allowed=404)

    def create_account(self, namespace: str, name: str) -> None:
        """Create a service account, unless it is there."""
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
        self.call("POST", self.path("serviceaccounts", namespace), body, allowed=409)

    def create_user(self, namespace: str, name: str, role: str) -> Access:
        """Return a service account with a ClusterRole in its namespace, and access with a token of its own. The secret
        that a controller gives to a new account is waited for."""
        self.create_account(namespace, name)
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }
        self.call("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding)
        rules = self.call("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}")["rules"]
        access = self.with_rights(self.access_of(namespace, name), rights_of(rules[:1], namespace))
        self.settled([namespace])
        return access

    def with_rights(self, access: Access, rights: Iterable[Right]) -> Access:
        """Return the access, once the cluster grants it these rights: a binding counts a moment after it was created. A
        TimeoutError names the right that does not come."""
        deadline = time.monotonic() + _RIGHTS_SECONDS
        for right in rights:
            while not self.allows(right, access.token):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the cluster does not grant {dict(right)} within {_RIGHTS_SECONDS:.0f} seconds")
                time.sleep(0.1)
        return access

    def allows(self, right: Right, token: str = "") -> bool:
        """Whether the administrator, or the owner of ``token``, has a right."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": dict(right)},
        }
        if not token:
            return bool(self.call("POST", REVIEWS, body)["status"]["allowed"])
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                self.host + REVIEWS,
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                verify=self.ca_file,
                timeout=60,
            )
        answer.raise_for_status()
        return bool(answer.json()["status"]["allowed"])

    def access_of(self, namespace: str, name: str) -> Access:
        """Access of a service account, with a new token."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        answer = self.call("POST", f"{self.path('serviceaccounts', namespace, name)}/token", request)
        return Access(self.host, answer["status"]["token"], self.ca_file)

    def import_images(self, namespace: str, stream: str, tags: Mapping[str, tuple[str, Mapping[str, t.Any]]]) -> None:
        """Import as somebody else does: tag to pull spec and import policy."""
        images = [
            {"from": {"kind": "DockerImage", "name": source}, "to": {"name": tag}, "importPolicy": dict(policy)}
            for tag, (source, policy) in tags.items()
        ]
        document = {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStreamImport",
            "metadata": {"name": stream, "namespace": namespace},
            "spec": {"import": True, "images": images},
        }
        self.call("POST", IMAGE.format(namespace=namespace, plural="imagestreamimports"), document)

    def snapshot(self, namespaces: Iterable[str]) -> Snapshot:
        """Everything that the tests watch."""
        found = Snapshot()
        for namespace in namespaces:
            for plural in PATHS:
                for document in self.call("GET", self.path(plural, namespace))["items"]:
                    found[Address(plural, namespace, document["metadata"]["name"])] = document
        return found

    def settled(self, namespaces: Iterable[str]) -> Snapshot:
        """Wait until controllers have nothing left to do, and return that state; a TimeoutError when that takes too
        long.

        On a cluster without an import controller what waits for an import is at rest too.
        """
        watched = tuple(namespaces)
        deadline = time.monotonic() + _SETTLING_SECONDS
        earlier = self.snapshot(watched)
        while time.monotonic() < deadline:
            time.sleep(_QUIET_SECONDS)
            now = self.snapshot(watched)
            if not now.written_since(earlier) and not (now.waits_for_import() and self.imports_by_itself()):
                return now
            earlier = now
        raise TimeoutError(f"the namespaces {', '.join(watched)} did not come to rest")

    def imports_by_itself(self) -> bool:
        """Whether an import controller runs: found out once, with a stream that it would try to import."""
        if self._imports_by_itself is None:
            name = f"quayside-test-probe-{secrets.token_hex(3)}"
            self.create_namespace(name)
            try:
                tag = {"name": "none", "from": {"kind": "DockerImage", "name": "localhost:1/none:none"}}
                stream = {
                    "apiVersion": "image.openshift.io/v1",
                    "kind": "ImageStream",
                    "metadata": {"name": "probe"},
                    "spec": {"tags": [tag]},
                }
                self.create("imagestreams", name, stream)
                deadline = time.monotonic() + _PROBE_SECONDS
                while self.snapshot([name]).waits_for_import() and time.monotonic() < deadline:
                    time.sleep(0.1)
                self._imports_by_itself = not self.snapshot([name]).waits_for_import()
            finally:
                self.delete_namespace(name)
        return self._imports_by_itself

    def auths(self, namespace: str, name: str) -> dict[str, dict[str, str]]:
        """Return the registries of a pull secret of the usual type."""
        return t.cast("dict[str, dict[str, str]]", content_of(self.get("secrets", namespace, name))["auths"])

    def links(self, namespace: str, account: str) -> dict[str, list[str]]:
        """Return the names in the lists of a service account."""
        document = self.get("serviceaccounts", namespace, account)
        return {
            plural: [entry["name"] for entry in document.get(plural) or []]
            for plural in ("imagePullSecrets", "secrets")
        }

    def tag(self, namespace: str, stream: str, tag: str) -> Tag:
        """Return a tag of a stream as it is now."""
        return tags_of(self.get("imagestreams", namespace, stream))[tag]

    def patch_tag(self, namespace: str, stream: str, tag: str, change: Mapping[str, t.Any]) -> None:
        """Change a tag by hand."""
        body = {"spec": {"tags": [{"name": tag, **change}]}}
        self.call("PATCH", self.path("imagestreams", namespace, stream), body, content_type=STRATEGIC_MERGE)


@dataclass(frozen=True)
class Tag:
    """What matters of a tag: its spec, and the newest image with its history's length."""

    source: str
    import_mode: str
    reference_policy: str
    scheduled: bool
    insecure: bool
    digest: str
    images: int
    failure: str


def tags_of(stream: Document) -> dict[str, Tag]:
    """All tags of a stream's document."""
    statuses = {status["tag"]: status for status in stream["status"].get("tags") or []}
    found = {}
    for tag in stream["spec"].get("tags") or []:
        status = statuses.get(tag["name"], {})
        items = status.get("items") or []
        policy = tag.get("importPolicy") or {}
        found[tag["name"]] = Tag(
            source=tag["from"]["name"],
            import_mode=policy.get("importMode", ""),
            reference_policy=tag["referencePolicy"]["type"],
            scheduled=policy.get("scheduled", False),
            insecure=policy.get("insecure", False),
            digest=items[0]["image"] if items else "",
            images=len(items),
            failure=next(
                (entry["reason"] for entry in status.get("conditions") or [] if entry["status"] == "False"), ""
            ),
        )
    return found


def content_of(secret: Document) -> Document:
    """Return the decoded auth file in a secret of the usual type."""
    return t.cast("Document", json.loads(base64.b64decode(secret["data"][".dockerconfigjson"])))


def with_content(secret: Document, content: Document) -> Document:
    """Return the secret with another auth file."""
    data = base64.b64encode(json.dumps(content).encode()).decode()
    return {**secret, "data": {**secret["data"], ".dockerconfigjson": data}}


def rights_of(rules: Iterable[Document], namespace: str) -> Iterator[Right]:
    """Yield a right for each resource of the rules of a role, in a namespace or with "" in the whole cluster."""
    for rule in rules:
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                plural, _slash, subresource = resource.partition("/")
                right = {
                    "verb": rule["verbs"][0],
                    "group": group,
                    "resource": plural,
                    "subresource": subresource,
                    "namespace": namespace,
                }
                yield {**right, "name": (rule.get("resourceNames") or [""])[0]}


def _version(document: Document | None) -> str | None:
    return document["metadata"]["resourceVersion"] if document else None


def _seen_generation(status: Document) -> int:
    entries = [*(status.get("items") or []), *(status.get("conditions") or [])]
    return max((entry["generation"] for entry in entries), default=0)
