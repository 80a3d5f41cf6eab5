# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose control plane another one hosts: its global pull secret is put back, and imports see nothing of the
additional one."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulator.client import ControlClient
from emulator.server import Emulator
from integration.cluster import Cluster
from integration.documents.documented import ROOT, blocks
from integration.global_secret import NAME, NAMESPACE, put
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import auth, entry, registry_secret
from integration.rights import Rights
from integration.stage import NewNamespace, NewStage, Stage
from integration.surroundings import Surroundings

MERGE = "Merge the registries into the cluster's pull secret"
ADDITIONAL = "additional-pull-secret"
SYSTEM = "kube-system"
ORIGINAL = "original.example.com"
PASSWORD = "a-password-of-tests"
OTHER = "another-password-of-tests"
UNSEEN = "image imports do not see it"


def host(emulator: Emulator) -> None:
    """From now on another cluster hosts the control plane, and keeps the global pull secret as it is."""
    ControlClient(emulator.url, emulator.ca_file, emulator.control_token).change(control_plane_topology="External")


@pytest.fixture
def hosted(emulator: Emulator, cluster: Cluster) -> Cluster:
    put(cluster, registry_secret(NAME, {ORIGINAL: entry("robot", PASSWORD)}))
    host(emulator)
    return cluster


@pytest.fixture
def private(given: Surroundings) -> dict[str, t.Any]:
    return {**given.credential(), "ca_cert": str(given.registries["private"].ca_file)}


@pytest.fixture
def rights(cluster: Cluster) -> Iterator[Rights]:
    rights = Rights(cluster, "hosted")
    yield rights
    rights.remove()


def stage_of(new_stage: NewStage, *namespaces: str, complaints: tuple[str, ...] = (), **variables: t.Any) -> Stage:
    return new_stage("hosted.yml", NAMESPACE, SYSTEM, *namespaces, variables=variables, complaints=complaints)


def unverified(registry: str, password: str = PASSWORD) -> dict[str, t.Any]:
    return {
        "cluster_pull_secret_registries": [{"registry": registry, "username": "robot", "password": password}],
        "cluster_pull_secret_verify": False,
    }


def warnings_of(run: Run, words: str) -> list[str]:
    return [complaint for complaint in run.complaints() if words in complaint]


def is_there(cluster: Cluster, namespace: str) -> bool:
    path = cluster.path("secrets", namespace, ADDITIONAL)
    return cluster.call("GET", path, allowed=404)["kind"] == "Secret"


def test_the_registries_are_merged_into_the_additional_secret(
    emulator: Emulator, hosted: Cluster, private: dict[str, t.Any], new_stage: NewStage
) -> None:
    """What imports do not see is said in every run; the global pull secret is never written, and the topology read
    once in a run."""
    before = hosted.get("secrets", NAMESPACE, NAME)
    stage = stage_of(new_stage, complaints=(UNSEEN,), cluster_pull_secret_registries=[private])

    done = stage.converge()

    (written,) = hosted.auths(SYSTEM, ADDITIONAL).items()
    assert (written[0], written[1]["auth"]) == (private["registry"], auth(private["username"], private["password"]))
    assert hosted.get("secrets", SYSTEM, ADDITIONAL)["type"] == "kubernetes.io/dockerconfigjson"
    assert hosted.get("secrets", NAMESPACE, NAME) == before
    assert (done.of(MERGE)["hosted"], done.of(MERGE)["verified"][0]["result"]) == (True, "accepted")
    (warning,) = warnings_of(done, UNSEEN)
    assert f'"{private["registry"]}"' in warning
    assert "cluster_pull_secret_import_namespaces" in warning
    requests = ControlClient(emulator.url, emulator.ca_file, emulator.control_token).requests(0)
    # The four runs of converge.
    assert len([one for one in requests if one["path"].endswith("/infrastructures/cluster")]) == 4


def test_what_others_have_added_stays_and_the_last_registry_takes_the_secret_along(
    hosted: Cluster, new_stage: NewStage
) -> None:
    """The hosting cluster refuses a secret without any entry, and the nodes would keep what was taken out."""
    hosted.create("secrets", SYSTEM, registry_secret(ADDITIONAL, {"beside.example.com": entry("robot", OTHER)}))
    stage = stage_of(new_stage, complaints=(UNSEEN,), **unverified("new.example.com"))
    stage.converge()
    assert set(hosted.auths(SYSTEM, ADDITIONAL)) == {"beside.example.com", "new.example.com"}

    for gone, left in (("new.example.com", True), ("beside.example.com", False)):
        stage.variables["cluster_pull_secret_registries"] = [{"registry": gone, "state": "absent"}]
        stage.converge()
        assert is_there(hosted, SYSTEM) is left


def test_imports_need_a_secret_of_their_namespace(
    hosted: Cluster, given: Surroundings, private: dict[str, t.Any], namespace: str, new_stage: NewStage
) -> None:
    """Without one they are refused, though nodes pull; with it they work, and check mode foresees that."""
    given.push("private", "web", "v1", "linux/amd64")
    streams = [
        {"namespace": namespace, "name": "web", "tags": [{"name": "v1", "from": given.image("private", "web", "v1")}]}
    ]
    stage = stage_of(
        new_stage,
        namespace,
        complaints=(UNSEEN,),
        cluster_pull_secret_registries=[private],
        image_streams_desired=streams,
    )
    assert stage.run_to_fail("--diff").exit_code == 2
    (condition,) = hosted.get("imagestreams", namespace, "web")["status"]["tags"][0]["conditions"]
    assert condition["reason"] == "Unauthorized"

    stage.complaints = ()
    stage.variables["cluster_pull_secret_import_namespaces"] = [namespace]
    done = stage.converge(images_known=False)

    assert hosted.auths(namespace, ADDITIONAL) == hosted.auths(SYSTEM, ADDITIONAL)
    assert hosted.tag(namespace, "web", "v1").digest
    assert [(one["namespace"], one["changed"]) for one in done.of(MERGE)["secrets"]] == [
        (SYSTEM, False),
        (namespace, True),
    ]


def test_a_copy_that_somebody_else_keeps_stops_nothing(
    hosted: Cluster, given: Surroundings, private: dict[str, t.Any], new_namespace: NewNamespace, new_stage: NewStage
) -> None:
    """The site playbook does everything else, in check mode as in a run, and names at its end what is left."""
    given.push("private", "web", "v1", "linux/amd64")
    kept, free = new_namespace(), new_namespace()
    secret = registry_secret(ADDITIONAL, {"kept.example.com": entry("robot", OTHER)})
    secret["metadata"]["labels"] = {"reconcile.external-secrets.io/managed": "true"}
    hosted.create("secrets", kept, secret)
    variables = {
        "cluster_pull_secret_registries": [private],
        "cluster_pull_secret_import_namespaces": [kept, free],
        "image_streams_desired": [
            {"namespace": one, "name": "web", "tags": [{"name": "v1", "from": given.image("private", "web", "v1")}]}
            for one in (kept, free)
        ],
    }
    stage = new_stage("quayside.openshift_images.site", NAMESPACE, SYSTEM, kept, free, variables=variables)
    last = "Fail for what could not be done"

    for options in (("--check",), (), ("-e", "samples_registry_registry=registry.example.com")):
        run = stage.run_to_fail(*options)
        message = run.messages()[last]
        assert message.startswith(
            "The registries could not be merged into the pull secret of the cluster:\n- The pull secret"
        )
        assert "is reconciled by External Secrets" in message
        assert f"{kept}/web:v1" in message
        assert f"{free}/web" not in message
        # The samples have no operator here, which hides nothing of that.
        assert (len(run.messages()) == 2) is (options[:1] == ("-e",))
    assert hosted.tag(free, "web", "v1").digest
    assert set(hosted.auths(SYSTEM, ADDITIONAL)) == {private["registry"]}


def test_a_cluster_that_hosts_itself_needs_no_copies(
    cluster: Cluster, namespace: str, private: dict[str, t.Any], new_stage: NewStage
) -> None:
    stage = stage_of(
        new_stage,
        namespace,
        cluster_pull_secret_registries=[private],
        cluster_pull_secret_import_namespaces=[namespace],
    )

    done = stage.converge()

    assert done.of(MERGE)["hosted"] is False
    assert [one["namespace"] for one in done.of(MERGE)["secrets"]] == [NAMESPACE]
    assert not is_there(cluster, namespace)
    assert not is_there(cluster, SYSTEM)


def test_a_conflict_with_the_original_is_told(hosted: Cluster, new_stage: NewStage) -> None:
    """In check mode too; the same credential is none."""
    wins = "and the original wins"
    stage = stage_of(new_stage, complaints=(UNSEEN, wins), **unverified(ORIGINAL, OTHER))
    for run in (*stage.predict_and_do(), stage.run("--diff")):
        (warning,) = warnings_of(run, wins)
        assert f'another credential for "{ORIGINAL}"' in warning
        assert f"{ORIGINAL}/TEAM" in warning
        assert not [word for word in (PASSWORD, OTHER) if word in run.output]

    stage.variables.update(unverified(f"https://{ORIGINAL}/v1/", OTHER))
    stage.complaints = (UNSEEN, "chance decides")
    assert warnings_of(stage.run("--diff"), "in another spelling, and chance decides which of the two a node uses")

    for registry, password in ((ORIGINAL, PASSWORD), (f"{ORIGINAL}/team", OTHER)):
        stage.variables.update(unverified(registry, password))
        stage.complaints = (UNSEEN,)
        stage.run("--diff")


def test_the_global_pull_secret_is_not_written(hosted: Cluster, playbooks: Playbooks, tmp_path: Path) -> None:
    """By the module neither, in check mode neither; what is as declared is no change."""
    options = {
        "namespace": NAMESPACE,
        "name": NAME,
        "registries": [{"registry": "new.example.com", "username": "robot"}],
    }
    options["registries"][0]["password"] = OTHER
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [{"name": "It", "quayside.openshift_images.pull_secret": options}],
    }
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([play]))
    before = hosted.get("secrets", NAMESPACE, NAME)

    for arguments in (("--check",), ()):
        run = playbooks.run(playbook, *arguments)
        assert run.exit_code == 2
        assert run.messages()["It"].endswith(
            "is kept by the hosting cluster (controlPlaneTopology: External), which undoes every change, so nothing "
            "was written; write the registries into kube-system/additional-pull-secret, as the role "
            "cluster_pull_secret does"
        )
        assert run.of("It")["secrets"][0]["managed_by"] == "the hosting cluster"
    assert hosted.get("secrets", NAMESPACE, NAME) == before

    options["registries"] = [{"registry": ORIGINAL, "username": "robot", "password": PASSWORD}]
    playbook.write_text(json.dumps([play]))
    run = playbooks.run(playbook)
    assert (run.exit_code, run.changed()) == (0, [])


def test_an_infrastructure_that_may_not_be_read(
    cluster: Cluster, namespace: str, private: dict[str, t.Any], playbooks: Playbooks, rights: Rights
) -> None:
    """The run goes on as on a cluster that hosts itself, with a warning."""
    rights.apply("cluster_pull_secret.yml")
    access = rights.user(namespace, ("quayside-cluster-pull-secret", NAMESPACE))

    run = playbooks.with_environment(access.variables()).run(
        Path(__file__).with_name("hosted.yml"), variables={"cluster_pull_secret_registries": [private]}
    )

    assert run.exit_code == 0, run.output
    (warning,) = run.complaints()
    assert "is hosted is not known, so it is taken for one that is not" in warning
    assert "infrastructures" in warning
    assert private["registry"] in cluster.auths(NAMESPACE, NAME)


def test_the_rights_of_the_manifest_are_enough(
    hosted: Cluster, namespace: str, private: dict[str, t.Any], playbooks: Playbooks, rights: Rights
) -> None:
    for manifest in ("cluster_pull_secret.yml", "pull_secret.yml"):
        rights.apply(manifest)
    access = rights.user(
        namespace,
        ("quayside-control-plane-topology", ""),
        ("quayside-additional-pull-secret", SYSTEM),
        ("quayside-pull-secret", namespace),
    )
    runner = playbooks.with_environment(access.variables())
    variables = {
        "cluster_pull_secret_registries": [private],
        "cluster_pull_secret_import_namespaces": [namespace],
    }
    for state in ("present", "absent"):
        if state == "absent":
            variables["cluster_pull_secret_registries"] = [{"registry": private["registry"], "state": "absent"}]
        run = runner.run(Path(__file__).with_name("hosted.yml"), variables=variables)
        assert run.exit_code == 0, run.output
        assert run.complaints() == []
        assert [is_there(hosted, one) for one in (SYSTEM, namespace)] == [state == "present"] * 2


def test_drift_compares_the_same_secret(
    hosted: Cluster,
    namespace: str,
    private: dict[str, t.Any],
    new_stage: NewStage,
    playbooks: Playbooks,
    tmp_path: Path,
) -> None:
    """It shows the difference, corrects what was shown, and finds nothing after that or after a run of the role."""
    report = tmp_path / "drift.json"
    variables = {
        "cluster_pull_secret_registries": [private],
        "cluster_pull_secret_import_namespaces": [namespace],
        "drift_report_json_file": str(report),
        "drift_report_html_file": "",
    }

    def drift(**more: t.Any) -> list[tuple[str, str, tuple[str, ...]]]:
        run = playbooks.run("quayside.openshift_images.drift", variables={**variables, **more})
        assert run.exit_code == 0, run.output
        assert run.complaints() == []
        (found,) = json.loads(report.read_text())["clusters"]
        return [(one["namespace"], one["name"], tuple(one["reasons"])) for one in found["changes"]]

    missing = [(where, ADDITIONAL, ("registry_missing", "secret_missing")) for where in (SYSTEM, namespace)]
    assert drift() == missing
    assert not is_there(hosted, SYSTEM)
    assert drift(drift_correct=True) == missing
    assert hosted.auths(namespace, ADDITIONAL) == hosted.auths(SYSTEM, ADDITIONAL)
    assert drift() == []

    hosted.call("DELETE", hosted.path("secrets", namespace, ADDITIONAL))
    assert drift() == [missing[1]]
    stage_of(new_stage, namespace, **variables).run()
    assert drift() == []


def test_a_rotation_finds_the_secret_that_nodes_pull_with(
    hosted: Cluster, namespace: str, new_stage: NewStage, playbooks: Playbooks
) -> None:
    """It and its copies; what only those who host the cluster can change is named."""
    registry = "rotated.example.com"
    held = {registry: entry("robot", PASSWORD)}
    for where in (SYSTEM, namespace):
        hosted.create("secrets", where, registry_secret(ADDITIONAL, held))
    rotation = {
        "rotate_credentials_registry": registry,
        "rotate_credentials_username": "robot",
        "rotate_credentials_password": OTHER,
        "rotate_credentials_former_password": PASSWORD,
        "rotate_credentials_verify": False,
    }
    playbook = "quayside.openshift_images.rotate_credentials"
    stage = new_stage(
        playbook,
        NAMESPACE,
        SYSTEM,
        namespace,
        variables={**rotation, "rotate_credentials_global_pull_secret": True},
    )

    stage.converge()

    for where in (SYSTEM, namespace):
        assert hosted.auths(where, ADDITIONAL)[registry]["auth"] == auth("robot", OTHER)

    run = playbooks.run(playbook, variables={**stage.variables, "rotate_credentials_registry": ORIGINAL})
    assert run.exit_code == 2, run.output
    assert f"{NAMESPACE}/{NAME}" in run.output
    assert "is kept by the hosting cluster" in run.output


def test_the_example_of_the_guide(
    hosted: Cluster, namespace: str, private: dict[str, t.Any], playbooks: Playbooks, tmp_path: Path
) -> None:
    """One declaration is right for both kinds of clusters; what it says of this kind is so."""
    (example,) = [
        block.text
        for block in blocks(ROOT / "docs" / "private-registries.md")
        if "cluster_pull_secret_import_namespaces" in block.text
    ]
    playbook = tmp_path / "example.yml"
    written = example.replace("registry.example.com:5000", private["registry"]).replace("[shop]", f"[{namespace}]")
    playbook.write_text(written)
    variables = {
        "registry_password": private["password"],
        "cluster_pull_secret_verify_ca_cert": private["ca_cert"],
    }

    run = playbooks.run(playbook, variables=variables)

    assert (run.exit_code, run.complaints()) == (0, []), run.output
    assert set(hosted.auths(namespace, ADDITIONAL)) == set(hosted.auths(SYSTEM, ADDITIONAL)) == {private["registry"]}
    assert playbooks.run(playbook, variables=variables).changed() == []
