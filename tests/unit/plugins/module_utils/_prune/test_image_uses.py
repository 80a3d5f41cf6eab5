# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.image_uses import (
    CLUSTER_REGISTRY,
    ImageReference,
    ImageUse,
    Workload,
    image_uses,
    parse_image,
    parse_image_id,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._workloads.kinds import WORKLOAD_KINDS
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import (
    containers,
    digest,
    workload,
)

D = digest("some image")
KINDS = {kind.kind: kind for kind in WORKLOAD_KINDS}


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (f"host:5000/shop/web@{D}", ImageReference("host:5000", "shop/web", "", D)),
        (f"host:5000/shop/web:v1@{D}", ImageReference("host:5000", "shop/web", "v1", D)),
        ("host:5000/shop/web:v1", ImageReference("host:5000", "shop/web", "v1", "")),
        ("host:5000/shop/web", ImageReference("host:5000", "shop/web", "latest", "")),
        ("nginx", ImageReference("", "nginx", "latest", "")),
        ("", None),
        ("  ", None),
        ("Not An Image", None),
        ("host/shop/web@sha256:short", None),
    ],
)
def test_images_of_pods(text: str, reference: ImageReference | None) -> None:
    assert parse_image(text) == reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (f"host:5000/shop/web@{D}", ImageReference("host:5000", "shop/web", "", D)),
        (f"docker-pullable://host:5000/shop/web@{D}", ImageReference("host:5000", "shop/web", "", D)),
        (f"docker://{D}", ImageReference("", "", "", D)),
        (D, ImageReference("", "", "", D)),
        (D.partition(":")[2], None),
        ("host:5000/shop/web:v1", None),
        ("", None),
    ],
)
def test_image_ids_of_nodes(text: str, reference: ImageReference | None) -> None:
    assert parse_image_id(text) == reference


def test_an_image_id_of_a_million_letters() -> None:
    """Each of them is looked at once: else this would take minutes."""
    assert parse_image_id("a" * 1_000_000) is None


@pytest.mark.parametrize(
    ("reference", "stream"),
    [
        (ImageReference("any.host", "shop/web", "", D), ("shop", "web")),
        (ImageReference("any.host", "a/b/c", "", D), None),
        (ImageReference("any.host", "web", "", D), None),
        (ImageReference("", "shop/web", "", D), None),
    ],
)
def test_the_stream_that_the_pruner_takes_a_reference_for(
    reference: ImageReference, stream: tuple[str, str] | None
) -> None:
    assert reference.stream == stream


def named(uses: t.Iterable[ImageUse]) -> list[tuple[str, str, str]]:
    return [(use.place, use.container, use.image) for use in uses]


POD_SPEC = {
    "containers": [{"name": "web", "image": "h.io/shop/web:v1"}],
    "initContainers": [{"name": "setup", "image": "h.io/shop/setup:v1"}],
    "ephemeralContainers": [{"name": "debug", "image": "h.io/shop/tools:v1"}],
    "volumes": [{"name": "model", "image": {"reference": "h.io/shop/model:v1"}}, {"name": "tmp", "emptyDir": {}}],
}
ALL_PLACES = [
    ("init", "setup", "h.io/shop/setup:v1"),
    ("container", "web", "h.io/shop/web:v1"),
    ("ephemeral", "debug", "h.io/shop/tools:v1"),
    ("volume", "model", "h.io/shop/model:v1"),
]


@pytest.mark.parametrize("kind", [kind for kind in WORKLOAD_KINDS if kind.template], ids=lambda kind: kind.kind)
def test_every_kind_with_a_pod_spec(kind: t.Any) -> None:
    one: dict[str, t.Any] = POD_SPEC
    for key in reversed(kind.template):
        one = {key: one}
    uses = image_uses(kind, workload("shop", "web", **one))
    assert named(uses) == ALL_PLACES
    assert {use.workload for use in uses} == {Workload(kind.kind, "shop", "web")}


def test_the_kinds_are_those_that_the_pruner_reads() -> None:
    assert {kind.kind for kind in WORKLOAD_KINDS} == {
        *("Pod", "ReplicationController", "ReplicaSet", "Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob"),
        *("DeploymentConfig", "BuildConfig", "Build"),
    }


def test_what_runs_is_found_by_the_containers_name() -> None:
    status = {
        "containerStatuses": [
            {"name": "other", "imageID": f"h.io/a/b@{digest('other')}"},
            {"name": "web", "imageID": f"h.io/shop/web@{D}"},
        ],
        "initContainerStatuses": [{"name": "setup", "imageID": D}],
        "ephemeralContainerStatuses": [{"name": "debug", "imageID": ""}],
    }
    uses = {use.place: use for use in image_uses(KINDS["Pod"], workload("shop", "web", spec=POD_SPEC, status=status))}
    assert uses["container"].running == ImageReference("h.io", "shop/web", "", D)
    assert uses["container"].image_id == f"h.io/shop/web@{D}"
    assert uses["init"].running == ImageReference("", "", "", D)
    assert uses["ephemeral"].running is None
    assert uses["volume"].running is None


def test_a_template_without_anything_names_nothing() -> None:
    assert image_uses(KINDS["CronJob"], workload("shop", "nightly")) == []
    assert image_uses(KINDS["Deployment"], workload("shop", "web", spec={"template": None})) == []
    (use,) = image_uses(
        KINDS["Deployment"], workload("shop", "web", spec={"template": {"spec": {"containers": [{"name": "web"}]}}})
    )
    assert use.reference is None


@pytest.mark.parametrize(
    ("origin", "reference"),
    [
        ({"kind": "DockerImage", "name": f"h.io/shop/base@{D}"}, ImageReference("h.io", "shop/base", "", D)),
        ({"kind": "ImageStreamImage", "name": f"base@{D}"}, ImageReference(CLUSTER_REGISTRY, "shop/base", "", D)),
        (
            {"kind": "ImageStreamImage", "name": f"base@{D}", "namespace": "openshift"},
            ImageReference(CLUSTER_REGISTRY, "openshift/base", "", D),
        ),
        (
            {"kind": "ImageStreamTag", "name": "base:v1", "namespace": "openshift"},
            ImageReference(CLUSTER_REGISTRY, "openshift/base", "v1", ""),
        ),
        ({"kind": "ImageStreamTag", "name": "base"}, None),
    ],
)
@pytest.mark.parametrize("strategy", ["dockerStrategy", "sourceStrategy", "customStrategy"])
def test_builds(strategy: str, origin: dict[str, str], reference: ImageReference | None) -> None:
    spec = {"strategy": {strategy: {"from": origin}}}
    (use,) = image_uses(KINDS["BuildConfig"], workload("shop", "web", spec=spec))
    assert (use.place, use.container, use.image, use.reference) == ("build", "strategy", origin["name"], reference)


def test_builds_also_copy_from_images() -> None:
    spec = {
        "strategy": {"dockerStrategy": {}},
        "source": {"images": [{"from": {"kind": "DockerImage", "name": "h.io/shop/tools:v1"}}]},
    }
    assert named(image_uses(KINDS["Build"], workload("shop", "web-1", spec=spec))) == [
        ("build", "source", "h.io/shop/tools:v1")
    ]


@pytest.mark.parametrize(
    ("kind", "status", "finished"),
    [
        ("Pod", {"phase": "Running"}, False),
        ("Pod", {}, False),
        ("Pod", {"phase": "Succeeded"}, True),
        ("Pod", {"phase": "Failed"}, True),
        ("Job", {"conditions": [{"type": "Complete", "status": "True"}]}, True),
        ("Job", {"conditions": [{"type": "Failed", "status": "True"}]}, True),
        (
            "Job",
            {"conditions": [{"type": "Suspended", "status": "True"}, {"type": "Complete", "status": "False"}]},
            False,
        ),
        ("Job", {}, False),
        ("Deployment", {"phase": "Failed"}, False),
    ],
)
def test_what_has_ended(kind: str, status: dict[str, t.Any], finished: bool) -> None:
    spec = containers("h.io/shop/web:v1") if kind == "Pod" else {"template": {"spec": containers("h.io/shop/web:v1")}}
    (use,) = image_uses(KINDS[kind], workload("shop", "web", spec=spec, status=status))
    assert use.workload.finished is finished


@pytest.mark.parametrize("phase", ["Complete", "Failed", "Error", "Cancelled"])
def test_builds_that_have_ended(phase: str) -> None:
    spec = {"strategy": {"dockerStrategy": {"from": {"kind": "DockerImage", "name": "h.io/a/b:1"}}}}
    (use,) = image_uses(KINDS["Build"], workload("shop", "web-1", spec=spec, status={"phase": phase}))
    assert use.workload.finished


def test_only_the_controller_owns() -> None:
    one = workload("shop", "web-1", spec=containers("h.io/shop/web:v1"))
    one["metadata"]["ownerReferences"] = [
        {"kind": "Other", "name": "x"},
        {"kind": "ReplicaSet", "name": "web-5f", "controller": True},
    ]
    (use,) = image_uses(KINDS["Pod"], one)
    assert use.workload.owner == ("ReplicaSet", "web-5f")
