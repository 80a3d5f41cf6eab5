# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import Conflict, Invalid
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
    ImportItem,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.stream_imports import (
    chunks,
    send_images,
    send_repository,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    HUB,
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    WEB_V1_AMD64,
    WEB_V1_ARM64,
    WEB_V1_LIST,
    WEB_V2,
    recorded,
    recorded_error,
)
from hypothesis import given
from hypothesis import strategies as st

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def item(source: str = f"{PRIVATE}/team/web:v2", to: str = "v2", **options: t.Any) -> ImportItem:
    return ImportItem(source, to, **{"import_mode": "Legacy", "insecure": False, **options})


def web(digest: str, mode: str = "Legacy") -> Image:
    return Image(digest, f"{PRIVATE}/team/web@{digest}", DOCKER_MANIFEST, (), mode, "amd64")


@pytest.mark.parametrize(
    ("asked", "policy", "reference_policy"),
    [
        (item(), {"insecure": False, "scheduled": False, "importMode": "Legacy"}, None),
        (
            item(import_mode="PreserveOriginal", insecure=True, scheduled=True, reference_policy="Local"),
            {"insecure": True, "scheduled": True, "importMode": "PreserveOriginal"},
            {"type": "Local"},
        ),
        (item(import_mode=None), {"insecure": False, "scheduled": False}, None),
    ],
)
def test_an_image_is_asked_for_with_its_complete_policy_and_its_tag(
    asked: ImportItem, policy: dict[str, t.Any], reference_policy: t.Any
) -> None:
    expected: dict[str, t.Any] = {
        "from": {"kind": "DockerImage", "name": f"{PRIVATE}/team/web:v2"},
        "to": {"name": "v2"},
        "importPolicy": policy,
    }
    if reference_policy:
        expected["referencePolicy"] = reference_policy
    assert asked.body() == expected


def test_an_import_is_one_request_with_a_time_limit_and_a_precondition() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("reimport_unchanged", 1))
    answer = send_images(cluster.client, NAMESPACE, "web", [item()], store=True, timeout=120, resource_version="7")
    (request,) = cluster.sent
    assert request.body == {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStreamImport",
        "metadata": {"name": "web", "namespace": NAMESPACE, "resourceVersion": "7"},
        "spec": {"import": True, "images": [item().body()]},
    }
    assert request.query == {"timeout": "120s"}
    assert request.timeout is not None
    assert 120 < request.timeout <= 150
    assert answer.outcomes == [web(WEB_V2)]
    assert answer.stream is not None
    assert answer.stream["metadata"]["resourceVersion"] == "1"


def test_a_lookup_stores_nothing_and_has_no_precondition() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("lookup_without_import", 1))
    answer = send_images(
        cluster.client, NAMESPACE, "web", [item(f"{PRIVATE}/team/web:v1", "v1")], store=False, timeout=5
    )
    (request,) = cluster.sent
    assert request.body["spec"]["import"] is False
    assert request.body["metadata"] == {"name": "web", "namespace": NAMESPACE}
    assert "dryRun" not in request.query
    assert answer.outcomes == [web(WEB_V1_AMD64)]
    assert answer.stream is None


def test_a_list_is_known_with_its_children() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("lookup_without_import", 2))
    (image,) = send_images(
        cluster.client, NAMESPACE, "web", [item(import_mode="PreserveOriginal")], store=False, timeout=5
    ).outcomes
    assert isinstance(image, Image)
    assert (image.digest, image.media_type, image.import_mode) == (WEB_V1_LIST, DOCKER_LIST, "PreserveOriginal")
    assert image.manifests[:2] == (
        Manifest("linux", "amd64", "", WEB_V1_AMD64, 423, DOCKER_MANIFEST),
        Manifest("linux", "arm64", "", WEB_V1_ARM64, 423, DOCKER_MANIFEST),
    )
    assert image.without_platform == []


def test_a_variant_is_known() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("oci_index", 1))
    (image,) = send_images(cluster.client, NAMESPACE, "web", [item()], store=True, timeout=5).outcomes
    assert isinstance(image, Image)
    assert [(child.architecture, child.variant) for child in image.manifests] == [("amd64", ""), ("arm64", "v8")]
    assert image.media_type == "application/vnd.oci.image.index.v1+json"


def test_entries_without_a_platform_are_known_by_digest() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("list_entry_without_platform", 2))
    (image,) = send_images(cluster.client, NAMESPACE, "odd", [item()], store=False, timeout=5).outcomes
    assert isinstance(image, Image)
    assert [digest[:13] for digest in image.without_platform] == ["sha256:9f8f75"]


def test_answers_belong_to_images_by_position_since_the_tag_in_them_is_that_of_the_source() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("import_not_found", 1))
    asked = [item(f"{PRIVATE}/team/web:nope", "nope"), item(f"{PRIVATE}/team/absent:v1", "absent")]
    outcomes = send_images(cluster.client, NAMESPACE, "web", asked, store=True, timeout=5).outcomes
    assert outcomes == [
        ImportFailure("NotFound", f'dockerimage.image.openshift.io "{PRIVATE}/team/web:nope" not found'),
        ImportFailure("NotFound", f'dockerimage.image.openshift.io "{PRIVATE}/team/absent:v1" not found'),
    ]


def test_success_without_an_image_is_a_failure() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("hub_second_pass", 4))
    asked = [item(f"{HUB}/private/plain:v2", "priv"), item(f"{PRIVATE}/team/web:v2", "good")]
    outcomes = send_images(cluster.client, NAMESPACE, "a", asked, store=True, timeout=5).outcomes
    assert outcomes == [
        ImportFailure("Unauthorized", f'incorrect username or password for image "{HUB}/private/plain:v2"'),
        ImportFailure("", "unknown error prevented import"),
    ]


def test_an_answer_with_fewer_images_than_asked_for_fails_those_that_are_missing() -> None:
    answer = recorded("reimport_unchanged", 1)
    cluster = ScriptedCluster().on("POST", IMPORTS, answer)
    outcomes = send_images(cluster.client, NAMESPACE, "web", [item(), item(to="other")], store=True, timeout=5).outcomes
    assert outcomes == [web(WEB_V2), ImportFailure("", "unknown error prevented import")]


def test_the_mode_that_the_server_used_is_the_one_of_its_answer() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("mode_flip", 1))
    (image,) = send_images(cluster.client, NAMESPACE, "web", [item(import_mode=None)], store=True, timeout=5).outcomes
    assert image.import_mode == recorded("mode_flip", 1)["spec"]["images"][0]["importPolicy"]["importMode"]


def test_a_refusal_of_the_whole_request_is_the_failure_of_its_only_image() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded_error("list_entry_without_platform", 3))
    answer = send_images(cluster.client, NAMESPACE, "o", [item()], store=True, timeout=5)
    (failure,) = answer.outcomes
    assert isinstance(failure, ImportFailure)
    assert failure.reason == "Invalid"
    assert failure.message.startswith('Image.image.openshift.io "sha256:faf53c5f')
    assert failure.message.endswith(
        "[dockerImageManifests[1].architecture: Required value, dockerImageManifests[1].os: Required value]"
    )
    assert answer.stream is None


def test_a_refusal_of_several_images_says_nothing_about_one_of_them() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded_error("list_entry_without_platform", 3))
    with pytest.raises(Invalid):
        send_images(cluster.client, NAMESPACE, "o", [item(), item(to="other")], store=True, timeout=5)


def test_a_conflict_is_raised() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded_error("resource_version_conflict", 4))
    with pytest.raises(Conflict):
        send_images(cluster.client, NAMESPACE, "web", [item()], store=True, timeout=5, resource_version="1")


def test_a_repository_is_looked_up_and_not_imported() -> None:
    answer = recorded("repository_import", 1)
    answer["status"]["repository"]["additionalTags"] = ["old"]
    cluster = ScriptedCluster().on("POST", IMPORTS, answer)
    found = send_repository(
        cluster.client,
        NAMESPACE,
        "web",
        PullSpec.parse(f"{PRIVATE}/team/web"),
        import_mode="PreserveOriginal",
        insecure=True,
        timeout=9,
    )
    (request,) = cluster.sent
    assert request.body["spec"] == {
        "import": False,
        "repository": {
            "from": {"kind": "DockerImage", "name": f"{PRIVATE}/team/web"},
            "importPolicy": {"insecure": True, "importMode": "PreserveOriginal"},
        },
    }
    assert request.query == {"timeout": "9s"}
    assert found.tags == ["latest", "v1", "v2", "v3", "old"]
    assert found.images["v2"] == web(WEB_V2, "PreserveOriginal")
    assert found.failure is None


def test_a_repository_that_cannot_be_listed_says_why() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("repository_import", 4))
    found = send_repository(
        cluster.client,
        NAMESPACE,
        "web",
        PullSpec.parse(f"{PRIVATE}/team/absent"),
        import_mode=None,
        insecure=False,
        timeout=9,
    )
    assert (found.images, found.additional) == ({}, [])
    assert found.failure == ImportFailure(
        "NotFound", f'dockerimage.image.openshift.io "{PRIVATE}/team/absent" not found'
    )


def test_a_repository_of_which_some_tags_fail_is_listed() -> None:
    answer = recorded("repository_import", 1)
    answer["status"]["repository"]["status"] = {
        "status": "Failure",
        "reason": "ImportFailed",
        "message": "one of the images ...",
    }
    answer["status"]["repository"]["images"][1] = {
        "status": {"status": "Failure", "reason": "InternalError", "message": "broken"},
        "tag": "v1",
    }
    cluster = ScriptedCluster().on("POST", IMPORTS, answer)
    found = send_repository(
        cluster.client,
        NAMESPACE,
        "web",
        PullSpec.parse(f"{PRIVATE}/team/web"),
        import_mode=None,
        insecure=False,
        timeout=9,
    )
    assert found.failure is None
    assert found.images["v1"] == ImportFailure("InternalError", "broken")


@examples
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=25, unique_by=lambda pair: pair))
def test_requests_are_small_hold_every_image_once_and_never_mix_insecure(wanted: list[tuple[int, bool]]) -> None:
    items = [
        item(f"{PRIVATE}/team/web:v{number}", f"{number}-{insecure}", insecure=insecure) for number, insecure in wanted
    ]
    requests = chunks(items)
    assert sorted(asked.to for request in requests for asked in request) == sorted(asked.to for asked in items)
    assert all(1 <= len(request) <= 3 for request in requests)
    assert all(len({asked.insecure for asked in request}) == 1 for request in requests)
    fewest = sum(-(-sum(insecure is kind for _number, insecure in wanted) // 3) for kind in (True, False))
    assert len(requests) == fewest
