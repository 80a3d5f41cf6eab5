# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module, role and playbook on an API server and a registry that say what runs a program, or forges lines,
wherever they can say anything.

``targets/adopt/test_hostile.py`` is about a user of a namespace, whose texts a real API server takes. Each playbook
runs once over all of the texts, with the oldest and the newest ansible-core too (``tools/gates.py``).
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import ScriptedServer
from emulator.server import Emulator
from integration.cluster import Cluster
from integration.global_secret import NAME, put
from integration.hostile import FORGED, LyingCluster, LyingRegistry, hold, hold_files, hostile_texts
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import entry, registry_secret
from integration.surroundings import Surroundings
from security.specs import MODULES

COLLECTION = "quayside.openshift_images"
NAMESPACE = "shop"
PASSWORD = "a-password-of-tests"
CHILD = "importer.example.com/web@sha256:" + "cd" * 32


class Lies(t.NamedTuple):
    """The two servers, the file that the programs in their texts would make, and the image that there really is."""

    cluster: LyingCluster
    registry: str
    proof: Path
    image: str
    playbooks: Playbooks
    folder: Path

    def run(self, playbook: Path | str, *options: str, code: int = 0, **variables: t.Any) -> Run:
        """Run a playbook, and hold what it does against the texts."""
        run = self.playbooks.run(playbook, *options, variables=variables)
        hold(run, self.proof, code)
        hold_files(self.folder)
        return run

    def edit(self, report: Path) -> None:
        """Put every text into every string of a report's changes."""
        said = "\n".join(hostile_texts(self.proof))

        def edited(value: t.Any) -> t.Any:
            if isinstance(value, dict):
                return {key: edited(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [edited(inner) for inner in value]
            return said if isinstance(value, str) else value

        document = json.loads(report.read_text(encoding="utf-8"))
        for cluster in document["clusters"]:
            cluster["changes"] = edited(cluster["changes"])
        report.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def switches() -> dict[str, t.Any]:
    return {"samples_operator": True, "deployment_configs": True}


@pytest.fixture
def lies(given: Surroundings, emulator: Emulator, cluster: Cluster, tmp_path: Path) -> Iterator[Lies]:
    given.push("plain", "hostile", "v1", "linux/amd64 linux/arm64")
    image = given.image("plain", "hostile", "v1")
    cluster.create_namespace(NAMESPACE)
    cluster.import_images(NAMESPACE, "web", {"good": (image, {"insecure": True, "importMode": "Legacy"})})
    for name in ("registries", "held"):
        cluster.create("secrets", NAMESPACE, registry_secret(name, {"rotated.example.com": entry("old", PASSWORD)}))
    # the cluster's pull secret
    put(cluster, registry_secret(NAME, {"beside.example.com": entry("robot", PASSWORD)}))
    container = {"name": "web", "image": CHILD}
    metadata = {"name": "web", "namespace": NAMESPACE}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    cluster.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
    cluster.settled([NAMESPACE])
    folder = tmp_path / "files"
    folder.mkdir()
    proof = tmp_path / "proof"
    texts = hostile_texts(proof)
    lying, registry = (
        LyingCluster(emulator.url, emulator.ca_file, texts),
        ScriptedServer(script=LyingRegistry(texts).answer),
    )
    front = ScriptedServer(script=lying.answer)
    playbooks = Playbooks(tmp_path, {"K8S_AUTH_HOST": front.url, "K8S_AUTH_API_KEY": emulator.admin_token})
    yield Lies(lying, registry.host, proof, image, playbooks, folder)
    front.close()
    registry.close()


def calls_of(lies: Lies) -> dict[str, list[dict[str, t.Any]]]:
    """Options for each module, so that it meets what the servers say."""
    registry = lies.registry
    login = {"registry": registry, "username": "robot", "password": PASSWORD, "insecure": True}
    failing = [f"{registry}/lies/{name}" for name in ("errors", "words", "page", "challenge")]
    linked = [f"{registry}/lies/linked-{number}" for number in range(LyingRegistry.LINKS)]
    good = f"{registry}/lies/good:v1"
    here = {"namespace": NAMESPACE}
    stream = {**here, "name": "web", "insecure": True}
    tags = [{"name": f"t{number}", "from": f"{image}:v1"} for number, image in enumerate([*failing, linked[0]])]
    secrets = [{"name": "registries", "namespaces": [NAMESPACE], "update": "replace", "registries": [login]}]
    declared = {"secrets": secrets, "streams": [{**stream, "tags": tags}]}
    link = {**here, "service_accounts": ["default"], "secrets": ["registries"]}
    own = {**here, "registries": [login]}
    return {
        "cluster_drift": [declared, {**declared, "approved": []}],
        "image_prune_risk_info": [{"namespaces": [NAMESPACE]}],
        "image_stream_import": [
            {**stream, "tags": tags},
            {"streams": [{**stream, "name": f"w{n}", "repository": one} for n, one in enumerate([*failing, *linked])]},
        ],
        "image_stream_info": [{**here, "upstream": True}, {}],
        "image_stream_refresh": [
            {"pushes": [{"registry": registry, "repository": "lies/errors"}], "only_scheduled": False}
        ],
        "image_stream_tag": [
            {**here, "name": "web:copy", "from": "web:good", "from_kind": "ImageStreamTag"},
            {**here, "name": "web:good", "state": "absent"},
        ],
        "multiarch_migration_info": [{"namespaces": [NAMESPACE]}],
        "pull_secret": [{**own, "name": "own", "verify": True}, {**own, "name": "registries", "update": "replace"}],
        "registry_access_info": [
            {"namespaces": [NAMESPACE], "explain_for": [f"{failing[0]}:v1"]},
            {"registry": registry},
        ],
        "registry_image_info": [
            {"images": [*(f"{one}:v1" for one in failing), good], "repositories": linked, "insecure": True},
            {"images": [good], "insecure": True, **here},
        ],
        "sa_secret_link": [link, {**link, "state": "exact"}, {**link, "state": "absent"}],
        "samples_operator": [{"samples_registry": registry, "wait_timeout": 1, "wait_sleep": 1}],
        "verify_variables": [{"roles": ["image_streams"]}],
    }


def playbook_of(lies: Lies) -> Path:
    """Return a playbook that calls each module, shows its result and computes with it."""
    tasks: list[dict[str, t.Any]] = []
    for module, calls in calls_of(lies).items():
        for options in calls:
            called = {"name": f"Call {module}", f"{COLLECTION}.{module}": options, "register": "told"}
            tasks.append({**called, "ignore_errors": True})
            tasks.append({"name": f"Show what {module} told", "ansible.builtin.debug": {"msg": "{{ told }}"}})
    path = lies.playbooks.directory / "every_module.yml"
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], sort_keys=False))
    return path


def test_every_module(lies: Lies) -> None:
    # The others are the parts of a role, and read the files that another one wrote.
    assert {*MODULES, "verify_variables"} == {*calls_of(lies), "drift_report"}
    run = lies.run(playbook_of(lies), "--diff")
    told = {result.task.removeprefix("Call ") for result in run.results if result.task.startswith("Call ")}
    assert told == set(calls_of(lies))


def test_every_playbook(lies: Lies) -> None:
    adopted, record, drift = (str(lies.folder / name) for name in ("adopted.yml", "record.json", "drift.json"))
    kinds = {"json": "json", "html": "html", "junit": "xml", "metrics": "prom"}

    def reports(name: str) -> dict[str, str]:
        return {f"drift_report_{kind}_file": str(lies.folder / f"{name}.{ending}") for kind, ending in kinds.items()}

    (declared, *_rest), registry = calls_of(lies)["cluster_drift"], lies.registry
    credentials = declared["secrets"][0]["registries"]
    variables = {
        "registry_access_secrets": [{**declared["secrets"][0], "link": [{"service_accounts": ["default"]}]}],
        "image_streams_desired": declared["streams"],
        "cluster_pull_secret_registries": credentials,
        "cluster_pull_secret_verify": False,
    }
    samples = {"samples_registry_registry": registry, "samples_registry_wait": False}

    lies.run(f"{COLLECTION}.adopt", "--diff", adopt_namespaces=NAMESPACE, adopt_file=adopted)
    lies.run(f"{COLLECTION}.site", "-e", f"@{adopted}", "--diff")
    migrating = {"migrate_to_multiarch_namespaces": NAMESPACE, "migrate_to_multiarch_apply": True}
    lies.run(f"{COLLECTION}.migrate_to_multiarch", "--diff", **migrating, migrate_to_multiarch_record=record)
    lies.run(f"{COLLECTION}.migrate_to_multiarch", "--diff", **migrating, migrate_to_multiarch_back_from=record)
    lies.run(f"{COLLECTION}.prune_risks", prune_risks_protect=True)
    rotating = {"registry": "rotated.example.com", "username": "new", "password": "another", "verify": False}
    rotating |= {"former_password": PASSWORD, "namespaces": NAMESPACE}
    rotating = {f"rotate_credentials_{name}": value for name, value in rotating.items()}
    # the secrets that are not there cannot be written
    lies.run(f"{COLLECTION}.rotate_credentials", "--diff", code=2, **rotating)

    # none of the declared images can be had
    lies.run(f"{COLLECTION}.drift", code=2, **variables, **reports("drift"))
    approved = {**variables, "drift_correct": True, "drift_report_approved_file": drift}
    lies.run(f"{COLLECTION}.drift", code=2, **approved, **reports("corrected"))
    lies.run(f"{COLLECTION}.drift_merge", drift_report_files=drift, **reports("merged"))
    lies.run(f"{COLLECTION}.site", "--diff", code=2, **variables)
    lies.run(f"{COLLECTION}.site", "--diff", "--tags", "samples_registry", **samples)
    pushes = [{"registry": registry, "repository": f"lies/{name}"} for name in ("errors", "linked-0")]
    lies.run(f"{COLLECTION}.pushed", code=2, pushed_pushes=pushes, pushed_only_scheduled=False)

    lies.edit(Path(drift))
    refused = lies.run(f"{COLLECTION}.drift", code=2, **approved, **reports("refused"))
    (message,) = refused.messages().values()
    assert message.endswith("drift.json names changes in a way that no report does")


def test_names_that_cannot_be_shown(lies: Lies) -> None:
    lies.cluster.names = True
    adopted = {"adopt_namespaces": NAMESPACE, "adopt_file": str(lies.folder / "adopted.yml")}
    run = lies.run(f"{COLLECTION}.adopt", code=2, **adopted)
    (message,) = run.messages().values()
    assert "is no name, because it holds other than visible characters or is too long" in message


def test_answers_of_a_survey(lies: Lies) -> None:
    """Whoever may start a job types them. AWX hands them on as text that is no template."""
    text = f"\x1b[2J\x9b2J\r\n{FORGED}"
    answers = {
        "registry_access_survey_namespaces": f"{NAMESPACE}{text}",
        "registry_access_survey_secret": text,
        "registry_access_survey_service_accounts": text,
        "registry_access_credential_registry": f"r.example.com{text}",
        "registry_access_credential_username": "robot",
        "registry_access_credential_password": PASSWORD,
        "image_streams_survey": text,
    }
    lies.run(f"{COLLECTION}.site", code=2, **answers)
    registries = [{"registry": "r.example.com", "username": "robot", "password": PASSWORD}]
    secret = {"name": text, "namespaces": [NAMESPACE, text], "registries": registries}
    link = {"service_accounts": [text], "for": ["pull"]}
    lies.run(f"{COLLECTION}.site", code=2, registry_access_secrets=[{**secret, "link": [link]}])
