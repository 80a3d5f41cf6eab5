# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports, where no contract case says how (server-behaviour.md 2.3 to 2.8)."""

from __future__ import annotations

import json
import threading
import time
import typing as t

import pytest
from emulator.client import ApiClient, ControlClient
from emulator.server import Emulator
from registries.content import Manifest, RepositoryContent
from registries.embedded import EmbeddedRegistry
from registries.faults import Fault
from registries.fleet import RegistryFleet

from .conftest import source

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
CONFIG = "/apis/config.openshift.io/v1/images/cluster"


def give_credential(admin: ApiClient, host: str, credential: tuple[str, str], kind: str = "dockerconfigjson") -> None:
    """Create a registry secret in the namespace."""
    entry = {host: {"username": credential[0], "password": credential[1]}}
    content = {"auths": entry} if kind == "dockerconfigjson" else entry
    secret = {
        "metadata": {"generateName": "pull-"},
        "type": f"kubernetes.io/{kind}",
        "stringData": {f".{kind}": json.dumps(content)},
    }
    assert admin.send("POST", admin.core("secrets"), secret).status_code == 201


def outcomes(answer: t.Any) -> list[str]:
    """Success, or the reason of the failure, of each image."""
    return [image["status"].get("reason", image["status"]["status"]) for image in answer.json()["status"]["images"]]


def many_tags(plain: EmbeddedRegistry, *tags: str) -> str:
    """Push a repository to the plain registry in which all these tags are one image; return its pull spec."""
    recorded = plain.content.repositories["team/plain"]
    digest = recorded.tags["v2"]
    plain.content.repositories["team/many"] = RepositoryContent(dict.fromkeys(tags, digest), dict(recorded.manifests))
    return f"{plain.host}/team/many"


def hold_fetches(registry: EmbeddedRegistry, seconds: float) -> None:
    """Let every fetch of a manifest take its time, from now on."""
    registry.switches.requests = []
    registry.switches.faults = [Fault(path="/manifests/", delay=seconds)]


def wait_for_fetch(registry: EmbeddedRegistry) -> None:
    """Until a manifest is being fetched."""
    deadline = time.monotonic() + 20.0
    while not any("/manifests/" in entry["path"] for entry in registry.switches.requests):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_old_secret_type(admin: ApiClient, fleet: RegistryFleet) -> None:
    """kubernetes.io/dockercfg works like dockerconfigjson."""
    host = fleet.hosts()["private"]
    give_credential(admin, host, fleet.credential, "dockercfg")
    assert outcomes(admin.import_images("s", source(f"{host}/team/web:v2", "v2"), store=False)) == ["Success"]


def test_the_clusters_pull_secret(admin: ApiClient, fleet: RegistryFleet) -> None:
    """Nodes have it, and so has every import; the namespace's secrets come first."""
    host = fleet.hosts()["private"]
    image = source(f"{host}/team/web:v2", "v2")
    assert outcomes(admin.import_images("s", image, store=False)) == ["Unauthorized"]
    content = {"auths": {host: {"username": fleet.credential[0], "password": fleet.credential[1]}}}
    secret = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": json.dumps(content)}}
    path = "/api/v1/namespaces/openshift-config/secrets/pull-secret"
    before = admin.send("GET", path).json()["data"]
    admin.send("PATCH", path, secret, content_type="application/merge-patch+json").raise_for_status()
    try:
        assert outcomes(admin.import_images("s", image, store=False)) == ["Success"]
        give_credential(admin, host, ("puller", "wrong"))
        assert outcomes(admin.import_images("s", image, store=False)) == ["Unauthorized"]
    finally:
        admin.send("PATCH", path, {"data": before}, content_type="application/merge-patch+json").raise_for_status()


def test_the_first_image_of_a_repository_decides_on_insecure(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """server-behaviour.md 2.7; other repositories of the registry decide for themselves."""
    image = f"{plain.host}/team/plain"
    pair = source(f"{image}:v1", "a", insecure=True), source(f"{image}:v2", "b")
    assert outcomes(admin.import_images("s", *pair, store=False)) == ["Success", "Success"]
    assert outcomes(admin.import_images("s", *reversed(pair), store=False)) == ["InternalError", "InternalError"]
    other = source(f"{many_tags(plain, 'x')}:x", "c")
    assert outcomes(admin.import_images("s", pair[0], other, store=False)) == ["Success", "InternalError"]


def test_registry_policy(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """insecureRegistries and blockedRegistries, by bare host; without the configuration every import fails."""
    image = source(f"{plain.host}/team/plain:v2", "a")

    def policy(**sources: t.Any) -> None:
        patch = {"spec": {"registrySources": sources or None}}
        assert admin.send("PATCH", CONFIG, patch, content_type=MERGE).ok

    try:
        policy(insecureRegistries=[plain.host])
        assert outcomes(admin.import_images("s", image, store=False)) == ["Success"]
        policy(blockedRegistries=[plain.host])
        answer = admin.import_images("s", {**image, "importPolicy": {"insecure": True}}, store=False)
        status = answer.json()["status"]["images"][0]["status"]
        assert (status["reason"], status["message"], status["code"]) == (
            "Forbidden",
            f"forbidden: registry {plain.host} blocked",
            403,
        )
        config = admin.send("GET", CONFIG).json()
        admin.send("DELETE", CONFIG)
        assert admin.import_images("s", image, store=False).status_code == 500
    finally:
        admin.send("POST", "/apis/config.openshift.io/v1/images", {"metadata": {"name": "cluster"}, "spec": {}})
        policy()
    assert config["metadata"]["name"] == "cluster"


def test_allowed_registries(
    admin: ApiClient, control: ControlClient, client: t.Callable[..., ApiClient], plain: EmbeddedRegistry
) -> None:
    """Refused with the whole request, lookups too; who may create images is only stopped by the stream
    (server-behaviour.md 2.1, 2.7)."""
    port = plain.host.rpartition(":")[2]
    binding = {
        "metadata": {"name": "editors"},
        "roleRef": {"kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": "ann"}],
    }
    admin.send("POST", admin.rbac("rolebindings"), binding)
    editor = client(control.token("ann"), admin.namespace)
    image = source(f"{plain.host}/team/plain:v2", "a", insecure=True)
    elsewhere = source("quay.example.com/a/b:v1", "b", insecure=True)
    assert editor.import_images("kept", image).status_code == 201

    def allow(*entries: dict[str, t.Any]) -> None:
        assert admin.send(
            "PATCH", CONFIG, {"spec": {"allowedRegistriesForImport": list(entries)}}, content_type=MERGE
        ).ok

    def causes(answer: t.Any) -> dict[str, str]:
        return {cause["field"]: cause["message"] for cause in answer.json()["details"]["causes"]}

    try:
        allow({"domainName": "quay.example.com"}, {"domainName": f"*.example.org:{port}"})
        named = f'"image-registry.openshift-image-registry.svc:5000", "quay.example.com:443", "*.example.org:{port}"'
        refused = editor.import_images("s", image, elsewhere, store=False)
        assert causes(refused) == {
            "spec.images[0].from.name": f'Forbidden: importing images from registry "{plain.host}" is forbidden: '
            f'registry "{plain.host}" not allowed by whitelist: {named}',
            "spec.images[1].from.name": 'Forbidden: importing images from registry "quay.example.com:80" is forbidden: '
            f'registry "quay.example.com:80" not allowed by whitelist: {named}',
        }
        # The administrator's lookup is not asked; the stream is, unless it has that repository already.
        assert outcomes(admin.import_images("s", image, store=False)) == ["Success"]
        refused = admin.import_images("s", image)
        assert refused.json()["details"]["kind"] == "ImageStream"
        assert set(causes(refused)) == {"spec.tags[a].from.name", "status.tags[a].items[0].dockerImageReference"}
        assert (
            admin.import_images("kept", source(f"{plain.host}/team/plain:v1", "other", insecure=True)).status_code
            == 201
        )
        tag = {"metadata": {"name": "s:a"}, "tag": {"from": {"kind": "DockerImage", "name": "quay.io/a/b:v1"}}}
        path = admin.image("imagestreamtags", "s:a")
        assert causes(admin.send("PUT", path, tag)) == {
            "tag.from.name": f'Forbidden: registry "quay.io" not allowed by whitelist: {named}'
        }
        allow({"domainName": f"localhost:{port}", "insecure": True})
        assert outcomes(editor.import_images("s", image)) == ["Success"]
    finally:
        admin.send("PATCH", CONFIG, {"spec": {"allowedRegistriesForImport": None}}, content_type=MERGE)


def test_mirrors(admin: ApiClient, fleet: RegistryFleet, plain: EmbeddedRegistry) -> None:
    """Before the source, by digest or by tag; the recorded image names the source, and several failures have no
    reason (2.5, 2.7)."""
    digest = plain.content.repositories["team/plain"].tags["v2"]
    image = f"localhost:1/shop/plain@{digest}"
    rule = {"source": "localhost:1/shop", "mirrors": [f"{plain.host}/absent", f"{plain.host}/team"]}
    sets = {
        "imagedigestmirrorsets": {"imageDigestMirrors": [rule]},
        "imagetagmirrorsets": {"imageTagMirrors": [{**rule, "mirrors": [f"{plain.host}/absent"]}]},
    }
    for plural, spec in sets.items():
        assert (
            admin.send(
                "POST", f"/apis/config.openshift.io/v1/{plural}", {"metadata": {"name": admin.namespace}, "spec": spec}
            ).status_code
            == 201
        )
    try:
        by_digest, by_tag, other = admin.import_images(
            "s",
            source(image, "a", insecure=True),
            source("localhost:1/shop/plain:v2", "b", insecure=True),
            source("localhost:1/shopping/plain:v2", "c", insecure=True),
            store=False,
        ).json()["status"]["images"]
        listed = f"localhost:1/shop/plain@{plain.content.repositories['team/plain'].tags['v1']}"
        (whole,) = admin.import_images(
            "s", source(listed, "d", insecure=True, importMode="PreserveOriginal"), store=False
        ).json()["status"]["images"]
    finally:
        for plural in sets:
            admin.send("DELETE", f"/apis/config.openshift.io/v1/{plural}/{admin.namespace}")
    assert by_digest["image"]["dockerImageReference"] == image
    assert by_tag["status"]["reason"] == "InternalError"
    begin = (
        f'Internal error occurred: [dockerimage.image.openshift.io "{plain.host}/absent/plain:v2" not found, '
        "localhost:1/shop/plain:v2: "
    )
    assert by_tag["status"]["message"].startswith(begin)
    assert other["status"]["message"].startswith("Internal error occurred: localhost:1/shopping/plain:v2: ")
    assert [child["dockerImageReference"].split("@")[0] for child in whole["manifests"]] == [
        "localhost:1/shop/plain"
    ] * 2


def test_limits_of_a_stream(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """422 for the whole request, and a condition on each tag that would have been new (server-behaviour.md 2.5)."""
    image = f"{plain.host}/team/plain"
    assert admin.import_images("s", source(f"{image}:v1", "a", insecure=True)).status_code == 201
    limit = {"type": "openshift.io/ImageStream", "max": {"openshift.io/image-tags": "1", "openshift.io/images": "5"}}
    made = admin.send("POST", admin.core("limitranges"), {"metadata": {"name": "few"}, "spec": {"limits": [limit]}})
    assert made.status_code == 201
    refused = admin.import_images(
        "s", source(f"{image}:v1", "a", insecure=True), source(f"{image}:v2", "b", insecure=True)
    )
    message = (
        'ImageStream.image.openshift.io "s" is invalid: : Internal error: ImageStream.image.openshift.io "s" is '
        "forbidden: "
        "requested usage of openshift.io/image-tags exceeds the maximum limit per openshift.io/ImageStream (2 > 1)"
    )
    assert (refused.status_code, refused.json()["message"]) == (422, message)
    stream = admin.stream("s")
    assert [tag["name"] for tag in stream["spec"]["tags"]] == ["a"]
    (condition,) = next(tag["conditions"] for tag in stream["status"]["tags"] if tag["tag"] == "b")
    assert (condition["reason"], condition["message"], condition["generation"]) == ("Invalid", message, 2)
    assert admin.import_images("s", source(f"{image}:v1", "again", insecure=True)).status_code == 201
    assert (
        admin.import_images(
            "new", source(f"{image}:v1", "a", insecure=True), source(f"{image}:v2", "b", insecure=True)
        ).status_code
        == 422
    )
    assert admin.send("GET", admin.image("imagestreams", "new")).status_code == 404


def test_an_import_turns_an_alias_into_an_external_tag(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """server-behaviour.md 2.4; annotations and reference policy stay."""
    admin.import_images("s", source(f"{plain.host}/team/plain:v1", "v1", insecure=True))
    alias = {
        "name": "alias",
        "from": {"kind": "ImageStreamTag", "name": "v1"},
        "annotations": {"x": "y"},
        "referencePolicy": {"type": "Local"},
    }
    admin.send("PATCH", admin.image("imagestreams", "s"), {"spec": {"tags": [alias]}}, content_type=STRATEGIC)
    admin.import_images("s", source(f"{plain.host}/team/plain:v2", "alias", insecure=True))
    tag = admin.stream("s")["spec"]["tags"][0]
    assert tag["from"] == {"kind": "DockerImage", "name": f"{plain.host}/team/plain:v2"}
    assert (tag["annotations"], tag["referencePolicy"]["type"]) == ({"x": "y"}, "Local")


def test_the_same_image_from_another_repository(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Changes the newest history item in place."""
    admin.import_images("s", source(f"{plain.host}/team/plain:v2", "a", insecure=True))
    admin.import_images("s", source(f"{many_tags(plain, 'x')}:x", "a", insecure=True))
    stream = admin.stream("s")
    (item,) = stream["status"]["tags"][0]["items"]
    assert item["dockerImageReference"].startswith(f"{plain.host}/team/many@")
    assert (item["generation"], stream["spec"]["tags"][0]["from"]["name"]) == (2, f"{plain.host}/team/many:x")


def test_a_failure_that_repeats_writes_nothing(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """The condition is as it was, and so is the stream."""
    image = source(f"{plain.host}/team/plain:absent", "a", insecure=True)
    first = admin.import_images("s", image).json()["status"]["import"]
    again = admin.import_images("s", image).json()["status"]["import"]
    assert again == first
    assert first["status"]["tags"][0]["conditions"][0]["reason"] == "NotFound"


def test_prefer_os_and_digest_sources(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """An unmatched preference falls back to linux/amd64; sources by digest do not look at annotations."""
    image = f"{plain.host}/team/plain"
    tag = {
        "name": "a",
        "from": {"kind": "DockerImage", "name": f"{image}:v1"},
        "annotations": {"importer.image.openshift.io/prefer-arch": "arm64"},
    }
    admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": "s"}, "spec": {"tags": [tag]}})

    def architecture(reference: str) -> str:
        answer = admin.import_images("s", source(reference, "a", insecure=True), store=False)
        return str(answer.json()["status"]["images"][0]["image"]["dockerImageMetadata"]["Architecture"])

    listed = plain.content.repositories["team/plain"].tags["v1"]
    assert architecture(f"{image}:v1") == "arm64"
    assert architecture(f"{image}@{listed}") == "amd64"
    patch = {"spec": {"tags": [{"name": "a", "annotations": {"importer.image.openshift.io/prefer-os": "windows"}}]}}
    admin.send("PATCH", admin.image("imagestreams", "s"), patch, content_type=STRATEGIC)
    assert architecture(f"{image}:v1") == "amd64"


def test_the_clusters_default_mode(admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry) -> None:
    """Where the client leaves the mode out."""
    control.change(default_import_mode="PreserveOriginal")
    answer = admin.import_images("s", source(f"{plain.host}/team/plain:v1", "a", insecure=True)).json()
    assert answer["status"]["import"]["spec"]["tags"][0]["importPolicy"]["importMode"] == "PreserveOriginal"
    assert len(answer["status"]["images"][0]["manifests"]) == 2


def test_include_manifest(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Shows the raw texts in a lookup; an import does not keep them."""
    image = {**source(f"{plain.host}/team/plain:v2", "a", insecure=True), "includeManifest": True}
    shown = admin.import_images("s", image, store=False).json()["status"]["images"][0]["image"]
    assert json.loads(shown["dockerImageManifest"])["schemaVersion"] == 2
    assert "dockerImageConfig" in shown
    stored = admin.import_images("s", image).json()["status"]["images"][0]["image"]
    assert "dockerImageManifest" not in stored


def test_a_repository_beyond_the_limit(admin: ApiClient, control: ControlClient, plain: EmbeddedRegistry) -> None:
    """The first by priority are imported, the others named."""
    repository = many_tags(plain, "latest", "1.0", "2.0", "1.0.1", "zz")
    control.change(bulk_limit=3)
    spec = {
        "import": True,
        "repository": {"from": {"kind": "DockerImage", "name": repository}, "importPolicy": {"insecure": True}},
    }
    answer = admin.send("POST", admin.image("imagestreamimports"), {"metadata": {"name": "s"}, "spec": spec}).json()
    found = answer["status"]["repository"]
    assert [image["tag"] for image in found["images"]] == ["latest", "2.0", "1.0"]
    assert found["additionalTags"] == ["1.0.1", "zz"]
    assert [tag["name"] for tag in admin.stream("s")["spec"]["tags"]] == ["1.0", "2.0", "latest"]


def test_a_repository_of_which_some_tags_fail(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Status of the whole, a condition on the tag, no spec tag for it."""
    repository = many_tags(plain, "good", "bad")
    plain.content.repositories["team/many"].tags["bad"] = "sha256:" + "0" * 64
    spec = {
        "import": True,
        "repository": {"from": {"kind": "DockerImage", "name": repository}, "importPolicy": {"insecure": True}},
    }
    answer = admin.send("POST", admin.image("imagestreamimports"), {"metadata": {"name": "s"}, "spec": spec}).json()
    status = answer["status"]["repository"]["status"]
    assert (status["reason"], status["message"]) == (
        "ImportFailed",
        "one of the images from this repository failed to import",
    )
    stream = admin.stream("s")
    assert [tag["name"] for tag in stream["spec"]["tags"]] == ["good"]
    assert [tag["tag"] for tag in stream["status"]["tags"]] == ["bad", "good"]


def test_three_images_pass_at_once_then_two_a_second(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Per request, and once for equal sources (server-behaviour.md 2.6)."""
    repository = many_tags(plain, *"abcde")

    def seconds(*tags: str) -> float:
        started = time.monotonic()
        images = [source(f"{repository}:{tag}", f"{tag}{index}", insecure=True) for index, tag in enumerate(tags)]
        assert set(outcomes(admin.import_images("s", *images, store=False))) == {"Success"}
        return time.monotonic() - started

    # Three more that are not the same would take 1.5 seconds.
    assert seconds(*"abc", *"abc") < 1.3
    assert seconds(*"abcde") > 0.9


def test_the_time_limit(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """504 after the query's timeout, and nothing is stored."""
    plain.switches.faults = [Fault(path="/manifests/", delay=6.0)]
    started = time.monotonic()
    answer = admin.import_images(
        "s", source(f"{plain.host}/team/plain:v2", "a", insecure=True), query={"timeout": "300ms"}
    )
    assert (answer.status_code, answer.json()["reason"]) == (504, "Timeout")
    assert time.monotonic() - started < 5.0
    assert admin.send("GET", admin.image("imagestreams", "s")).status_code == 404


@pytest.mark.parametrize("existing", [True, False])
def test_a_stream_that_changes_during_the_fetch(
    admin: ApiClient, emulator: Emulator, plain: EmbeddedRegistry, existing: bool
) -> None:
    """All work is lost: 409, of the resource that was asked for."""
    if existing:
        admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": "s"}})
    hold_fetches(plain, 1.0)
    answers: list[t.Any] = []

    def slow() -> None:
        with ApiClient(emulator.url, emulator.ca_file, emulator.admin_token, admin.namespace) as other:
            answers.append(other.import_images("s", source(f"{plain.host}/team/plain:v2", "a", insecure=True)))

    thread = threading.Thread(target=slow)
    thread.start()
    wait_for_fetch(plain)
    if existing:
        admin.send("PATCH", admin.image("imagestreams", "s"), {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    else:
        admin.send("POST", admin.image("imagestreams"), {"metadata": {"name": "s"}})
    thread.join()
    (answer,) = answers
    assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict" if existing else "AlreadyExists")
    assert 'imagestreamimports.image.openshift.io "s"' in answer.json()["message"]
    assert "tags" not in admin.stream("s")["spec"]


def test_requests_do_not_wait_for_each_other(admin: ApiClient, emulator: Emulator, plain: EmbeddedRegistry) -> None:
    """A slow import holds up nobody else."""
    hold_fetches(plain, 4.0)

    def slow() -> None:
        with ApiClient(emulator.url, emulator.ca_file, emulator.admin_token, admin.namespace) as other:
            other.import_images("s", source(f"{plain.host}/team/plain:v2", "a", insecure=True))

    thread = threading.Thread(target=slow)
    thread.start()
    wait_for_fetch(plain)
    started = time.monotonic()
    assert admin.send("GET", admin.image("imagestreams")).ok
    assert time.monotonic() - started < 3.0
    thread.join()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(path="/manifests/", status=500), "{ref}: received unexpected HTTP status: 500 Internal Server Error"),
        (Fault(path="/manifests/", status=429), "{ref}: toomanyrequests: a fault of the test registry"),
        (Fault(path="/manifests/", status=403), "{ref}: unknown: a fault of the test registry"),
        (
            Fault(path="/v2/$", status=404),
            '{ref}: endpoint "http://{host}" does not support v2 API (got 404 Not Found)',
        ),
        (Fault(path="/manifests/", reset=True), '{ref}: Get "http://{host}/v2/team/plain/manifests/v2": EOF'),
    ],
)
def test_what_registries_answer(admin: ApiClient, plain: EmbeddedRegistry, fault: Fault, words: str) -> None:
    """InternalError with the words of the registry client."""
    plain.switches.faults = [fault]
    reference = f"{plain.host}/team/plain:v2"
    answer = admin.import_images("s", source(reference, "a", insecure=True), store=False).json()
    status = answer["status"]["images"][0]["status"]
    assert status["reason"] == "InternalError"
    assert status["message"] == "Internal error occurred: " + words.format(ref=reference, host=plain.host)


def test_a_manifest_that_is_not_the_one_of_its_digest(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Refused without the image's name (importer/image.go, schema2OrOCIToImage)."""
    digest = plain.content.repositories["team/plain"].tags["v2"]
    served = plain.content.repositories["team/plain"].manifests[digest]
    wrong = "sha256:" + "0" * 64
    plain.content.repositories["team/forged"] = RepositoryContent({}, {wrong: served})
    answer = admin.import_images(
        "s", source(f"{plain.host}/team/forged@{wrong}", "a", insecure=True), store=False
    ).json()
    assert answer["status"]["images"][0]["status"]["message"] == (
        "Internal error occurred: content integrity error: the manifest retrieved (media type: "
        "application/vnd.docker.distribution.manifest.v2+json)"
        f" with digest {wrong} does not match the digest calculated from the content {digest}"
    )


def test_manifests_of_a_kind_that_is_not_known(admin: ApiClient, plain: EmbeddedRegistry) -> None:
    """Fail their tag, not the request."""
    artifact = Manifest("application/vnd.oci.image.manifest.v1+json", b'{"schemaVersion": 2}')
    plain.content.repositories["team/odd"] = RepositoryContent({"x": artifact.digest}, {artifact.digest: artifact})
    images = (
        source(f"{plain.host}/team/odd:x", "x", insecure=True),
        source(f"{plain.host}/team/plain:v2", "a", insecure=True),
    )
    assert outcomes(admin.import_images("s", *images)) == ["InternalError", "Success"]


def test_wrong_bodies(admin: ApiClient) -> None:
    """Refused with the fields, all of them."""
    path = admin.image("imagestreamimports")

    def message(spec: t.Any, **metadata: str) -> str:
        answer = admin.send("POST", path, {"metadata": {"name": "s", **metadata}, "spec": spec})
        assert answer.status_code in (400, 422)
        return str(answer.json()["message"])

    image = {"from": {"kind": "DockerImage", "name": "quay.io/a/b:v1"}}
    assert 'spec.images[0].to.name: Invalid value: "": the name of the target tag must be specified' in message(
        {"images": [{**image, "to": {"name": ""}}]}
    )
    assert "spec.images[0].from.name: Required value" in message(
        {"images": [{"from": {"kind": "DockerImage"}, "to": {"name": "a"}}]}
    )
    words = message(
        {"repository": {"from": {"kind": "DockerImage", "name": "quay.io/a/b"}, "importPolicy": {"importMode": "x"}}}
    )
    assert 'spec.repository.importPolicy.importMode: Invalid value: "x"' in words
    assert "[spec.images[0].from.kind" in message({"images": [{"from": {"kind": "x"}}, {"from": {"kind": "y"}}]})
    assert "cannot be handled as a ImageStreamImport" in message({"images": "all"})
    assert "does not match the namespace" in message({"images": [image]}, namespace="other")
    assert "metadata.name: Required value" in message({"images": [image]}, name="")
