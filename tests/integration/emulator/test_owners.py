# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners that reconcile, beside the site playbook and the modules: two writers of one object fight zero rounds."""

from __future__ import annotations

import base64
import json
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from emulator.client import ControlClient
from emulator.server import Emulator
from integration.cluster import Address, Cluster, Document, content_of
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import auth, entry, registry_secret
from integration.stage import NewStage
from integration.surroundings import Surroundings

SITE = "quayside.openshift_images.site"
DRIFT = "quayside.openshift_images.drift"
ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs" / "drift.schema.json").read_text(encoding="utf-8"))
LAST = "Fail for what could not be done"
HOST = "kept.example.com"
OF_THE_OWNER = "a-password-of-the-owner"
OURS = "a-password-of-ours"
EVERYTHING = ("Secret", "ServiceAccount", "ImageStream")


@dataclass(frozen=True)
class Mark:
    """What an owner leaves in the metadata of an object, with places for kind, namespace and name, and its name."""

    owner: str
    kinds: tuple[str, ...] = EVERYTHING
    labels: t.Mapping[str, str] = field(default_factory=dict)
    annotations: t.Mapping[str, str] = field(default_factory=dict)
    references: tuple[Document, ...] = ()

    def metadata(self, kind: str, namespace: str, name: str) -> Document:
        """Return the metadata of an object with this mark."""
        group = "image.openshift.io" if kind == "ImageStream" else ""
        annotations = {
            key: value.format(kind=kind, group=group, namespace=namespace, name=name)
            for key, value in self.annotations.items()
        }
        marks = {"labels": dict(self.labels), "annotations": annotations, "ownerReferences": list(self.references)}
        return {"name": name, "namespace": namespace, **{key: value for key, value in marks.items() if value}}


def reference(api_version: str, kind: str) -> tuple[Document, ...]:
    """Return the reference of a controller."""
    return ({"apiVersion": api_version, "kind": kind, "name": "it", "uid": "1-2-3", "controller": True},)


MARKS = {
    "controller": Mark('the Team "it"', references=reference("example.com/v1", "Team")),
    "argo": Mark(
        'the Argo CD application "shop"',
        annotations={"argocd.argoproj.io/tracking-id": "shop:{group}/{kind}:{namespace}/{name}"},
    ),
    "kustomize": Mark(
        'the Flux Kustomization "flux-system/apps"',
        labels={
            "kustomize.toolkit.fluxcd.io/name": "apps",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        },
    ),
    "helmrelease": Mark(
        'the Flux HelmRelease "shop/chart"',
        labels={"helm.toolkit.fluxcd.io/name": "chart", "helm.toolkit.fluxcd.io/namespace": "shop"},
    ),
    "external": Mark("External Secrets", ("Secret",), labels={"reconcile.external-secrets.io/managed": "true"}),
    "externalref": Mark(
        'the ExternalSecret "it"', ("Secret",), references=reference("external-secrets.io/v1", "ExternalSecret")
    ),
    "sealed": Mark("Sealed Secrets", ("Secret",), annotations={"sealedsecrets.bitnami.com/managed": "true"}),
    "samples": Mark(
        "the Cluster Samples Operator", ("ImageStream",), labels={"samples.operator.openshift.io/managed": "true"}
    ),
}


def of(kind: str) -> list[str]:
    """Return the marks that objects of this kind get."""
    return [name for name, mark in MARKS.items() if kind in mark.kinds]


@pytest.fixture
def switches() -> dict[str, t.Any]:
    """Let the cluster's own controllers work too: they are no owners."""
    return {"import_controller": True, "service_account_controller": True}


@pytest.fixture
def control(emulator: Emulator) -> Iterator[ControlClient]:
    with ControlClient(emulator.url, emulator.ca_file, emulator.control_token) as made:
        yield made


@dataclass
class Scene:
    """A namespace in which an owner of each kind reconciles objects that we declare differently."""

    cluster: Cluster
    control: ControlClient
    namespace: str
    image: str
    owners: list[int] = field(default_factory=list)

    def set_up(self) -> None:
        """Create the owned objects, and let their owners begin."""
        for name in of("Secret"):
            secret = registry_secret(f"kept-{name}", {HOST: entry("owner", OF_THE_OWNER)})
            self._own(name, secret, "data")
        for name in of("ServiceAccount"):
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": f"robot-{name}"}}
            self._own(name, account)
        for name in of("ImageStream"):
            policy = {"importMode": "Legacy", "insecure": True}
            tag = {"name": "v1", "from": {"kind": "DockerImage", "name": self.image}, "importPolicy": policy}
            stream = {
                "apiVersion": "image.openshift.io/v1",
                "kind": "ImageStream",
                "metadata": {"name": f"stream-{name}"},
                "spec": {"tags": [tag]},
            }
            self._own(name, stream)
        self.cluster.settled([self.namespace])
        assert self.rounds() == 0, "the cluster itself leaves to owners what they declare"

    def _own(self, mark: str, document: Document, *exact: str) -> None:
        metadata = MARKS[mark].metadata(document["kind"], self.namespace, document["metadata"]["name"])
        self.owners.append(self.control.own({**document, "metadata": metadata}, *exact))

    def rounds(self) -> int:
        """How often all owners together had to put their objects back."""
        return sum(self.control.rounds(owner) for owner in self.owners)

    def end(self) -> None:
        """Let the owners go."""
        for owner in self.owners:
            self.control.send("DELETE", f"owners/{owner}")
        self.owners.clear()

    def owned(self) -> dict[str, str]:
        """Everything that has an owner, as messages name it, with the name of the owner."""
        secrets = {f'The secret "kept-{name}"': MARKS[name].owner for name in of("Secret")}
        accounts = {f'The service account "robot-{name}"': MARKS[name].owner for name in of("ServiceAccount")}
        streams = {
            f'The image stream "{self.namespace}/stream-{name}"': MARKS[name].owner for name in of("ImageStream")
        }
        return {**secrets, **accounts, **streams}

    def stream(self, name: str) -> Document:
        """Return what we declare of a stream, which is not what its owner does."""
        tag = {"name": "v1", "from": self.image, "import_mode": "PreserveOriginal", "scheduled": True, "insecure": True}
        return {"namespace": self.namespace, "name": name, "tags": [tag]}


@pytest.fixture
def scene(given: Surroundings, cluster: Cluster, control: ControlClient, namespace: str) -> Iterator[Scene]:
    given.push("plain", "owned", "v1", "linux/amd64 linux/arm64")
    image = given.image("plain", "owned", "v1")
    made = Scene(cluster, control, namespace, image)
    made.set_up()
    yield made
    made.end()


def ours() -> list[Document]:
    """Return the registries of a secret as we declare them."""
    return [{"registry": HOST, "username": "ours", "password": OURS}]


def tells_of_each(scene: Scene, text: str) -> None:
    """Each object with its owner in one sentence, and what to do."""
    for subject, owner in scene.owned().items():
        assert f"{subject}" in text
        sentence = text.split(subject, 1)[1].split("write it all the same", 1)[0]
        assert f" is reconciled by {owner}, which would undo the change, so nothing was written; change it " in sentence
        assert sentence.endswith("or set take_over: true to ")


def test_site_and_owners_fight_zero_rounds(cluster: Cluster, namespace: str, new_stage: NewStage, scene: Scene) -> None:
    robots = [f"robot-{name}" for name in of("ServiceAccount")]
    secrets = [f"kept-{name}" for name in of("Secret")]
    variables = {
        "registry_access_secrets": [
            *({"name": name, "namespaces": [namespace], "registries": ours()} for name in secrets),
            {
                "name": "free",
                "namespaces": [namespace],
                "registries": ours(),
                "link": [{"service_accounts": [*robots, "default"]}],
            },
        ],
        "image_streams_desired": [
            scene.stream(name) for name in (*(f"stream-{name}" for name in of("ImageStream")), "free")
        ],
    }
    stage = new_stage(SITE, namespace, variables=variables)
    before = cluster.settled([namespace])

    for options in (("--check", "--diff"), ("--diff",), ("--diff",)):
        run = stage.run_to_fail(*options)
        assert (run.exit_code, list(run.messages())) == (2, [LAST]), run.output
        tells_of_each(scene, run.messages()[LAST])
        if options == ("--diff",):
            # Nothing else is lost: the secret, the link and the stream that nobody else reconciles.
            assert {HOST} == set(cluster.auths(namespace, "free"))
            assert "free" in cluster.links(namespace, "default")["imagePullSecrets"]
            assert (
                cluster.tag(namespace, "free", "v1").import_mode,
                cluster.tag(namespace, "free", "v1").scheduled,
            ) == (
                "PreserveOriginal",
                True,
            )
    after = cluster.settled([namespace])
    free = {
        Address("secrets", namespace, "free"),
        Address("serviceaccounts", namespace, "default"),
        Address("imagestreams", namespace, "free"),
    }
    assert after.written_since(before) == free
    assert scene.rounds() == 0
    # The second run has found nothing to do with what is ours.
    assert run.changed() == []


def test_modules_leave_objects_to_their_owners_and_write_them_with_leave(
    cluster: Cluster, namespace: str, new_stage: NewStage, scene: Scene
) -> None:
    cluster.create("secrets", namespace, registry_secret("free", {HOST: entry("ours", OURS)}))
    variables = {
        "target_namespace": namespace,
        "secrets": [f"kept-{name}" for name in of("Secret")],
        "accounts": [f"robot-{name}" for name in of("ServiceAccount")],
        "registries": ours(),
        "streams": [scene.stream(f"stream-{name}") for name in of("ImageStream")],
        "take_over": False,
    }
    stage = new_stage("owned.yml", namespace, variables=variables)
    before = cluster.settled([namespace])

    for options in (("--check", "--diff"), ("--diff",), ("--diff",)):
        run = stage.run(*options)
        assert run.changed() == []
        tells_of_each(scene, "\n".join(str(result.content.get("msg", "")) for result in run.results))
    assert not cluster.settled([namespace]).written_since(before)
    assert scene.rounds() == 0
    each_result_says_who_it_is(scene, run)

    scene.end()
    stage.variables["take_over"] = True
    stage.predict_and_do()
    everything_is_ours(cluster, namespace)
    stage.find_nothing_to_do()


def each_result_says_who_it_is(scene: Scene, run: Run) -> None:
    """``managed_by`` has the name, and nobody is named whom nobody has marked."""
    found = {}
    for result in run.results:
        for kind, prefix in (("secrets", "kept-"), ("service_accounts", "robot-"), ("streams", "stream-")):
            for one in result.content.get(kind) or ():
                found[one["name"]] = one["managed_by"]
                assert one["name"].startswith(prefix)
    expected = {
        f"{prefix}-{name}": MARKS[name].owner
        for kind, prefix in (("Secret", "kept"), ("ServiceAccount", "robot"), ("ImageStream", "stream"))
        for name in of(kind)
    }
    assert found == expected


def everything_is_ours(cluster: Cluster, namespace: str) -> None:
    for name in of("Secret"):
        secret = cluster.get("secrets", namespace, f"kept-{name}")
        assert content_of(secret)["auths"][HOST]["auth"] == auth("ours", OURS)
    for name in of("ServiceAccount"):
        assert "free" in cluster.links(namespace, f"robot-{name}")["imagePullSecrets"]
    for name in of("ImageStream"):
        tag = cluster.tag(namespace, f"stream-{name}", "v1")
        assert (tag.import_mode, tag.scheduled) == ("PreserveOriginal", True)
        assert cluster.tag(namespace, f"stream-{name}", "outside").source == tag.source


def test_owners_who_reconcile_do_fight_with_whoever_takes_over(
    cluster: Cluster, namespace: str, new_stage: NewStage, scene: Scene
) -> None:
    """The emulated owners are real: without the refusal there are rounds."""
    variables = {
        "target_namespace": namespace,
        "secrets": ["kept-argo"],
        "accounts": [],
        "registries": ours(),
        "streams": [scene.stream("stream-argo")],
        "take_over": True,
    }
    stage = new_stage("owned.yml", namespace, variables=variables)

    stage.run("--diff")
    now = cluster.settled([namespace])

    assert scene.rounds() >= 2
    assert content_of(now[Address("secrets", namespace, "kept-argo")])["auths"][HOST]["auth"] == auth(
        "owner", OF_THE_OWNER
    )


def report_of(run: Run, path: Path) -> Document:
    """Return the cluster in a report that its schema allows."""
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert run.complaints() == [], run.output
    (cluster,) = document["clusters"]
    return t.cast("Document", cluster)


def owners_in(entries: list[Document]) -> dict[str, str]:
    """Who keeps each object that differs."""
    return {one["name"]: one["managed_by"] for one in entries if one["refused"]}


def test_drift_names_owners_and_a_correction_leaves_them_alone(
    cluster: Cluster, namespace: str, playbooks: Playbooks, scene: Scene, tmp_path: Path
) -> None:
    ended = base64.b64encode(json.dumps({"payload": "of ECR", "expiration": 1_000_000_000}).encode()).decode()
    cluster.create("secrets", namespace, registry_secret("ended", {HOST: entry("AWS", ended)}))
    robots = [f"robot-{name}" for name in of("ServiceAccount")]
    registry = {"registry": HOST, "username": "AWS", "password": ended}
    secrets = [
        *({"name": f"kept-{name}", "namespaces": [namespace], "registries": ours()} for name in of("Secret")),
        {"name": "ended", "namespaces": [namespace], "registries": [registry]},
        {
            "name": "free",
            "namespaces": [namespace],
            "registries": ours(),
            "link": [{"service_accounts": [*robots, "default"]}],
        },
    ]
    files = {"json": "drift.json", "html": "drift.html", "junit": "drift.xml", "metrics": "drift.prom"}
    variables = {
        "registry_access_secrets": secrets,
        "image_streams_desired": [scene.stream(f"stream-{name}") for name in of("ImageStream")],
        **{f"drift_report_{kind}_file": str(tmp_path / name) for kind, name in files.items()},
    }
    before = cluster.settled([namespace])
    owned = {
        **{f"kept-{name}": MARKS[name].owner for name in of("Secret")},
        **{f"robot-{name}": MARKS[name].owner for name in of("ServiceAccount")},
        **{f"stream-{name}": MARKS[name].owner for name in of("ImageStream")},
    }

    shown = playbooks.run(DRIFT, variables=variables)

    assert shown.exit_code == 0, shown.output
    found = report_of(shown, tmp_path / "drift.json")
    assert (found["failures"], found["unknown"]) == ([], [])
    assert owners_in(found["changes"]) == owned
    assert {one["name"] for one in found["changes"] if not one["refused"]} == {"free", "default"}
    assert [(one["name"], one["reason"]) for one in found["notices"]] == [("ended", "credential_expires")]
    text = {name: (tmp_path / name).read_text(encoding="utf-8") for name in files.values()}
    assert 'quayside_drift_notices{cluster="localhost",reason="credential_expires"} 1\n' in text["drift.prom"]
    assert "credential_expires: The credential of " in text["drift.xml"]
    assert all(owner.replace('"', "&#34;") in text["drift.html"] for owner in owned.values())
    assert "No correction changes what somebody else reconciles" in shown.output
    assert not cluster.snapshot([namespace]).written_since(before)

    corrected = playbooks.run(DRIFT, "-e", "drift_correct=true", variables=variables)

    assert corrected.exit_code == 2
    found = report_of(corrected, tmp_path / "drift.json")
    outcomes = {(one["name"], one["outcome"]) for one in found["changes"]}
    assert outcomes == {*((name, "failed") for name in owned), ("free", "done"), ("default", "done")}
    assert cluster.settled([namespace]).written_since(before) == {
        Address("secrets", namespace, "free"),
        Address("serviceaccounts", namespace, "default"),
    }
    assert scene.rounds() == 0

    scene.end()
    leave = {"registry_access_take_over": True, "image_streams_take_over": True}
    taken = playbooks.run(DRIFT, "-e", "drift_correct=true", variables={**variables, **leave})

    assert taken.exit_code == 0, taken.output
    found = report_of(taken, tmp_path / "drift.json")
    assert (found["verdict"], owners_in(found["changes"])) == ("corrected", {})
    assert {one["managed_by"] for one in found["changes"]} == {mark.owner for mark in MARKS.values()}


@pytest.mark.parametrize(
    "reference_of_the_cluster",
    [
        {"apiVersion": "v1", "kind": "Secret", "name": "default-token-abcde", "uid": "1-2", "controller": False},
        {"apiVersion": "v1", "kind": "ServiceAccount", "name": "default", "uid": "1-2", "controller": True},
    ],
    ids=["before 4.16", "since 4.16"],
)
def test_the_clusters_own_controllers_are_no_owners(
    cluster: Cluster, namespace: str, new_stage: NewStage, reference_of_the_cluster: Document
) -> None:
    """The secrets of service accounts refer to what they belong to, and nobody puts them back."""
    cluster.settled([namespace])
    name = "default-dockercfg-abcde"
    secret = registry_secret(
        name, {"registry.internal.example": entry("token", "a-token-of-the-cluster")}, "kubernetes.io/dockercfg"
    )
    secret["metadata"]["ownerReferences"] = [reference_of_the_cluster]
    secret["metadata"]["annotations"] = {"openshift.io/internal-registry-auth-token.service-account": "default"}
    cluster.create("secrets", namespace, secret)
    variables = {"target_namespace": namespace, "target_secret": name, "registries": ours()}
    stage = new_stage("described.yml", namespace, variables=variables)

    run = stage.run("--diff")

    assert run.changed() == ["A registry more in it", "A link of the account"]
    named = [
        one["managed_by"]
        for result in run.results
        for kind in ("secrets", "links", "service_accounts")
        for one in result.content.get(kind) or ()
    ]
    assert named
    assert set(named) == {None}
