# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifests in docs/rbac hold what their use needs, and nothing else: without any single right the use is
another."""

from __future__ import annotations

import base64
import copy
import json
import re
import secrets
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from emulator.client import ApiClient, ControlClient
from emulator.server import Emulator, EmulatorSettings, EmulatorThread
from registries.content import load_contents
from registries.fleet import RegistryFleet

from security.runs import RunHere
from security.specs import ROOT
from security.uses import CHECK, EVERYWHERE, USES, Use

_RECORDED = ROOT / "tests" / "contract" / "registry.json"
_MANIFESTS = ROOT / "docs" / "rbac"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_STREAMS = "/apis/image.openshift.io/v1/namespaces/openshift/imagestreams"
_SAMPLES = "/apis/samples.operator.openshift.io/v1/configs/cluster"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
Right = tuple[str, int, str, str]
Roles = dict[str, list[dict[str, t.Any]]]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryFleet]:
    with RegistryFleet(tmp_path_factory.mktemp("registries"), load_contents(_RECORDED), engine="embedded") as running:
        yield running


@pytest.fixture(scope="module")
def emulator(fleet: RegistryFleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    switches = {"import_controller": False}
    with EmulatorThread(
        EmulatorSettings(
            tmp_path_factory.mktemp("emulator"), registry_cas=[fleet.certificates.ca_file], switches=switches
        )
    ) as running:
        yield running


class Cluster:
    """The cluster as its administrator: makes what a use needs, and users with given rights."""

    def __init__(self, emulator: Emulator, fleet: RegistryFleet) -> None:
        self.emulator = emulator
        self._fleet = fleet
        self._users: dict[str, str] = {}
        self._api = ApiClient(emulator.url, emulator.ca_file, emulator.admin_token)
        self.control = ControlClient(emulator.url, emulator.ca_file, emulator.control_token)

    def close(self) -> None:
        self._api.session.close()

    def words(self, topology: str) -> dict[str, t.Any]:
        """Return new namespaces with a source stream and secrets; the words for the steps of a use."""
        # What hosts the control plane would put back what is made anew.
        self.control.change(control_plane_topology="HighlyAvailable")
        hosts, word = self._fleet.hosts(), secrets.token_hex(4)
        words: dict[str, t.Any] = {name: f"{name}-{word}" for name in ("here", "there", "nowhere")}
        words |= {
            "image": f"{hosts['plain']}/team/plain:v1",
            "private": f"{hosts['private']}/team/web:v1",
            "ca_file": str(self._fleet.certificates.ca_file),
        }
        words["mirrored"] = "mirrored.example.com/team/plain:v1"
        rule = {"source": "mirrored.example.com", "mirrors": [hosts["plain"]]}
        mirrors = {"metadata": {"name": "mirrored"}, "spec": {"imageTagMirrors": [rule]}}
        self._post("/apis/config.openshift.io/v1/imagetagmirrorsets", mirrors, but=409)
        for name in ("here", "there"):
            self._post(
                "/api/v1/namespaces",
                {"metadata": {"name": words[name], "labels": {"kubernetes.io/metadata.name": words[name]}}},
            )
        for name in ("here", "there"):
            images = [
                {
                    "from": {"kind": "DockerImage", "name": words["image"]},
                    "to": {"name": "v1"},
                    "importPolicy": {"insecure": True},
                }
            ]
            for stream in ("source", "second"):
                body = {"metadata": {"name": stream}, "spec": {"import": True, "images": images}}
                self._post(f"/apis/image.openshift.io/v1/namespaces/{words[name]}/imagestreamimports", body)
        for account in ("default", "builder", "deployer"):
            self._post(f"/api/v1/namespaces/{words['here']}/serviceaccounts", {"metadata": {"name": account}}, but=409)
        login = base64.b64encode(b"puller:wrong").decode()
        auths = {registry: {"auth": login} for registry in ("registry.example.com", hosts["private"])}
        data = {".dockerconfigjson": base64.b64encode(json.dumps({"auths": auths}).encode()).decode()}
        secret = {"metadata": {"name": "first"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
        self._post(f"/api/v1/namespaces/{words['here']}/secrets", secret)
        entry = {"auths": {"registry.example.com": {"auth": login}}}
        kept = {".dockerconfigjson": base64.b64encode(json.dumps(entry).encode()).decode()}
        self._post(
            f"/api/v1/namespaces/{words['there']}/secrets", {**secret, "metadata": {"name": "kept"}, "data": kept}
        )
        self._run_a_child_of_a_list(words)
        self._fail_a_sample(words["private"])
        self._post("/api/v1/namespaces", {"metadata": {"name": "openshift-config"}}, but=409)
        path = "/api/v1/namespaces/openshift-config/secrets"
        self._api.send("DELETE", f"{path}/pull-secret")
        self._post(path, {**secret, "metadata": {"name": "pull-secret"}})
        self._api.send("DELETE", "/api/v1/namespaces/kube-system/secrets/additional-pull-secret")
        self.control.change(control_plane_topology=topology)
        return words

    def user(self, use: Use, rights: Roles, words: dict[str, t.Any]) -> str:
        """Return a token for a new user with the roles, bound as the use says."""
        user = f"user-{secrets.token_hex(4)}"
        for role, bound in use.bindings.items():
            name, namespace = f"{role}-{user}", words.get(bound, bound)
            where = f"/namespaces/{namespace}" if bound != EVERYWHERE else ""
            binding = "RoleBinding" if where else "ClusterRoleBinding"
            self._post(f"{_RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rights[role]})
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
            body = {
                "metadata": {"name": name},
                "roleRef": reference,
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
            }
            self._post(f"{_RBAC}{where}/{binding.lower()}s", body)
        token = self.control.token(user)
        self._users[token] = user
        return token

    def requests_of(self, token: str, since: int) -> int:
        """How many requests the owner of a token has made."""
        return sum(1 for entry in self.control.requests(since) if entry["user"] == self._users[token])

    def _run_a_child_of_a_list(self, words: dict[str, t.Any]) -> None:
        """Run a pod here with an image that only a manifest list in a stream there keeps."""
        there, stream = f"/namespaces/{words['there']}", "multi"
        address = self._fleet.addresses["private"]
        login = {"auths": {address.host: {"username": address.username, "password": address.password}}}
        data = {".dockerconfigjson": base64.b64encode(json.dumps(login).encode()).decode()}
        self._post(
            f"/api/v1{there}/secrets",
            {"metadata": {"name": "good"}, "type": "kubernetes.io/dockerconfigjson", "data": data},
        )
        source = {"kind": "DockerImage", "name": words["private"]}
        images = [{"from": source, "to": {"name": "v1"}, "importPolicy": {"importMode": "PreserveOriginal"}}]
        path = f"/apis/image.openshift.io/v1{there}"
        self._post(
            f"{path}/imagestreamimports", {"metadata": {"name": stream}, "spec": {"import": True, "images": images}}
        )
        tag = self._api.send("GET", f"{path}/imagestreamtags/{stream}:v1").json()
        child = tag["image"]["dockerImageManifests"][0]["digest"]
        image = f"image-registry.openshift-image-registry.svc:5000/{words['there']}/{stream}@{child}"
        pod = {"metadata": {"name": "old"}, "spec": {"containers": [{"name": "it", "image": image}]}}
        self._post(f"/api/v1/namespaces/{words['here']}/pods", pod)

    def _fail_a_sample(self, image: str) -> None:
        """Make an operator that has done its work, but for a sample whose registry wants a credential."""
        self._post("/api/v1/namespaces", {"metadata": {"name": "openshift"}}, but=409)
        for path in ("/api/v1/namespaces/openshift/secrets/samples-registry", f"{_STREAMS}/ruby", _SAMPLES):
            self._api.send("DELETE", path)
        images = [{"from": {"kind": "DockerImage", "name": image}, "to": {"name": "3.0"}}]
        self._post(
            _STREAMS.replace("imagestreams", "imagestreamimports"),
            {"metadata": {"name": "ruby"}, "spec": {"import": True, "images": images}},
        )
        label = {"metadata": {"labels": {"samples.operator.openshift.io/managed": "true"}}}
        self._api.send(
            "PATCH", f"{_STREAMS}/ruby", label, content_type="application/merge-patch+json"
        ).raise_for_status()
        done = {"managementState": "Managed", "conditions": [{"type": "SamplesExist", "status": "True"}]}
        self._post(
            _SAMPLES.rpartition("/")[0],
            {"metadata": {"name": "cluster"}, "spec": {"managementState": "Managed"}, "status": done},
        )

    def _post(self, path: str, body: t.Any, but: int = 0) -> None:
        answer = self._api.send("POST", path, body)
        assert answer.ok or answer.status_code == but, answer.text


@pytest.fixture(scope="module")
def cluster(emulator: Emulator, fleet: RegistryFleet) -> Iterator[Cluster]:
    cluster = Cluster(emulator, fleet)
    yield cluster
    cluster.close()


def manifest_roles(manifest: str) -> Roles:
    """Return the rules of each role of a manifest."""
    content = yaml.safe_load((_MANIFESTS / manifest).read_text(encoding="utf-8"))
    return {
        role["metadata"]["name"]: role["rules"]
        for role in (content["items"] if content["kind"] == "List" else [content])
    }


def single_rights(use: Use, roles: Roles) -> list[Right]:
    """Every verb on every resource that the roles grant and the use shows. To see a namespace takes more than a
    RoleBinding in it."""
    return [
        (role, position, resource, verb)
        for role, rules in roles.items()
        for position, rule in enumerate(rules)
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if (resource == use.about if use.about else resource != "namespaces" or use.bindings[role] == EVERYWHERE)
    ]


def without(roles: Roles, right: Right) -> Roles:
    """Return the roles but for one verb on one resource."""
    role, position, resource, verb = right
    left = copy.deepcopy(roles)
    rule = left[role].pop(position)
    left[role].append({**rule, "resources": [other for other in rule["resources"] if other != resource]})
    left[role].append({**rule, "resources": [resource], "verbs": [other for other in rule["verbs"] if other != verb]})
    return left


def outcome(run_here: RunHere, cluster: Cluster, use: Use, roles: Roles) -> tuple[str, int]:
    """Return what the steps report with exactly these rights, without what differs between two runs, and their number
    of requests."""
    words = cluster.words(use.topology)
    token, since = cluster.user(use, roles, words), cluster.control.last_number()
    access = {"host": cluster.emulator.url, "api_key": token, "ca_cert": str(cluster.emulator.ca_file)}
    results = []
    for module, given in use.steps(words):
        options = {name: value for name, value in given.items() if name != CHECK}
        result = run_here(module, {**access, **options}, check_mode=CHECK in given).result
        results.append({name: value for name, value in result.items() if name not in ("invocation", "exception")})
    text = json.dumps(results, sort_keys=True)
    for name in ("here", "there", "nowhere"):
        text = text.replace(words[name], name)
    text = re.sub(r"user-[0-9a-f]{8}", "user", _TIME.sub("then", text))
    # where in this file the run was begun
    text = re.sub(r", line \d+, in ", ", line, in ", text)
    # the id of a change depends on the name of its namespace
    return re.sub(r'"(uid|resource_version|generation|id)": [^,}\]]*', "", text), cluster.requests_of(token, since)


def test_every_role_of_every_manifest_has_a_use() -> None:
    used = {(use.manifest, role) for use in USES.values() for role in use.bindings}
    there = {(path.name, role) for path in _MANIFESTS.glob("*.yml") for role in manifest_roles(path.name)}
    assert used == there


@pytest.mark.parametrize("name", USES)
def test_rights_are_enough_and_none_is_superfluous(
    name: str, run_here: RunHere, cluster: Cluster, tmp_path: Path
) -> None:
    use = USES[name]
    roles = {role: rules for role, rules in manifest_roles(use.manifest).items() if role in use.bindings}

    (with_all, requests), (again, _requests) = (
        outcome(run_here, cluster, use, roles),
        outcome(run_here, cluster, use, roles),
    )

    assert again == with_all
    superfluous = []
    for right in single_rights(use, roles):
        report, asked = outcome(run_here, cluster, use, without(roles, right))
        # some rights save requests only: their objects can be read one by one
        if report == with_all and not (right[3] == "list" and asked > requests):
            superfluous.append(right)
    assert superfluous == []
    assert "cannot" not in with_all
