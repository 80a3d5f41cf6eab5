# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster does now and then: no image API, overload, conflicts, connections that break, controllers that
write too."""

from __future__ import annotations

import dataclasses

import pytest
from emulator.faults import Fault
from emulator.server import Emulator
from integration.cluster import Cluster
from integration.playbooks import Run
from integration.stage import NewStage, Stage
from integration.surroundings import Surroundings

REFUSED_FOR_NOW = [
    Fault("GET", "/secrets/registries$", count=2, status=429, retry_after=1),
    Fault("GET", "/serviceaccounts/default$", status=500),
    Fault("PUT", "/serviceaccounts/default$", count=2, status=409),
    Fault("GET", "/imagestreams$", status=503),
    Fault("POST", "/imagestreamimports$", status=429, retry_after=1),
    Fault("POST", "/imagestreamimports$", count=2, status=409),
    Fault("POST", "/imagestreamimports$", reset="before"),
]
DONE_UNANSWERED = [
    Fault("POST", "/secrets$", reset="after"),
    Fault("PUT", "/serviceaccounts/default$", reset="after"),
    Fault("POST", "/imagestreamimports$", reset="after"),
]


@pytest.fixture
def stage(given: Surroundings, namespace: str, new_stage: NewStage) -> Stage:
    """Return a playbook with every module, and an image in the private registry."""
    given.push("private", "web", "v1", "linux/amd64 linux/arm64")
    variables = {
        "target_namespace": namespace,
        "private_registry": given.credential(),
        "image": given.image("private", "web", "v1"),
        "mode": "PreserveOriginal",
    }
    return new_stage("application.yml", namespace, variables=variables)


def everything_is_there(cluster: Cluster, namespace: str, run: Run) -> None:
    assert run.changed() == ["Secret", "Link", "Streams"]
    assert run.changed_tags() == {(f"{namespace}/{name}", "v1"): ("stream_missing",) for name in ("web", "copy")}
    assert len(cluster.auths(namespace, "registries")) == 1
    assert cluster.links(namespace, "default")["imagePullSecrets"][-1] == "registries"
    web, copy = cluster.tag(namespace, "web", "v1"), cluster.tag(namespace, "copy", "v1")
    assert (web.import_mode, web.reference_policy, bool(web.digest)) == ("PreserveOriginal", "Local", True)
    assert (copy.scheduled, bool(copy.digest)) == (True, True)


@pytest.mark.parametrize("faults", [REFUSED_FOR_NOW, DONE_UNANSWERED], ids=["refused for now", "done but unanswered"])
def test_a_run_gets_through(
    emulator: Emulator, cluster: Cluster, namespace: str, stage: Stage, faults: list[Fault]
) -> None:
    switched_on = [emulator.cluster.faults.add(dataclasses.replace(fault)) for fault in faults]

    done = stage.run("--diff")

    assert [fault.hits for fault in switched_on] == [fault.count for fault in switched_on]
    everything_is_there(cluster, namespace, done)
    assert stage.run("--diff").changed() == []


@pytest.mark.parametrize("switches", [{"import_controller": True, "service_account_controller": True}])
def test_controllers_find_nothing_to_do_after_a_run(cluster: Cluster, namespace: str, stage: Stage) -> None:
    everything_is_there(cluster, namespace, stage.run("--diff"))
    cluster.settled([namespace])
    cluster.patch_tag(namespace, "copy", "v1", {"importPolicy": {"importMode": "PreserveOriginal", "scheduled": False}})
    cluster.settled([namespace])
    stage.variables["mode"] = "Legacy"
    _predicted, done = stage.predict_and_do()

    assert done.changed_tags() == {
        (f"{namespace}/web", "v1"): ("import_mode_changed",),
        (f"{namespace}/copy", "v1"): ("scheduled_changed",),
    }
    stage.find_nothing_to_do()


def test_a_cluster_without_image_api(emulator: Emulator, cluster: Cluster, namespace: str, stage: Stage) -> None:
    emulator.cluster.discovery.openshift = False

    run = stage.run_to_fail("--diff")

    assert run.messages() == {
        "Streams": (
            f'Cannot list image streams in namespace "{namespace}": the API server {cluster.host} answered 404: 404 '
            "page not found; this cluster does not serve the image API (image.openshift.io/v1): it is plain Kubernetes "
            "and not OpenShift, or host is not an OpenShift API server."
        )
    }
    assert run.changed() == ["Secret", "Link"]
