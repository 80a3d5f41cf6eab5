# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""registry_image_info in playbooks: what registries of every kind serve, what they refuse, and whose credential is
used."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from integration.cluster import Cluster, Document
from integration.playbooks import Playbooks, Run
from integration.registry_secrets import auth, entry, forms, registry_secret
from integration.rights import Rights
from integration.surroundings import Surroundings
from registries.access import HubAccess
from registries.certificates import create_certificates
from registries.client import RegistryAddress, RegistryClient
from registries.content import RegistryContent
from registries.embedded import EmbeddedRegistry
from registries.faults import Fault
from registries.fleet import start_embedded

DESCRIBE = "Describe the images"
HUB = ("hub", "good-at-the-hub")
PLATFORMS = "linux/s390x linux/arm64 linux/amd64"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[EmbeddedRegistry, Path]]:
    """Yield a registry with tokens of its own token server, filled with an image that anybody may read and one that
    not; and its CA."""
    certificates = create_certificates(tmp_path / "hub")
    registry = start_embedded(RegistryContent(), access=HubAccess(*HUB), key_pair=certificates.trusted)
    with RegistryClient(RegistryAddress(registry.host, *HUB, ca_file=certificates.ca_file)) as client:
        for repository in ("public/web", "private/web"):
            client.push_image(repository, "v1", PLATFORMS.split(), salt=repository, image_format="oci")
    yield registry, certificates.ca_file
    registry.stop()


@pytest.fixture
def describe(playbooks: Playbooks, given: Surroundings) -> t.Callable[..., Run]:
    """Run the playbook; no credential may be in what it prints, at any verbosity."""

    def run(images: list[str], *registries: dict[str, t.Any], ca_file: Path | None = None, **rest: t.Any) -> Run:
        variables = {
            "images": images,
            "registries": list(registries),
            "ca_file": str(ca_file or given.registries["private"].ca_file),
            **rest,
        }
        run = playbooks.run(Path(__file__).with_name("describe.yml"), "-vvv", variables=variables)
        assert run.complaints() == []
        for registry in registries:
            if "password" in registry:
                hidden = [*forms(registry["password"]), auth(registry["username"], registry["password"])]
                assert [text for text in hidden if text in run.output] == []
        return run

    return run


def described(run: Run) -> list[Mapping[str, t.Any]]:
    return t.cast("list[Mapping[str, t.Any]]", run.of(DESCRIBE)["images"])


def private_secret(given: Surroundings) -> Document:
    """Return a pull secret for the private registry."""
    credential = given.credential()
    return registry_secret("private", {credential["registry"]: entry(credential["username"], credential["password"])})


@pytest.fixture
def rights(cluster: Cluster, namespace: str) -> Iterator[Rights]:
    rights = Rights(cluster, namespace)
    yield rights
    rights.remove()


def login(registry: EmbeddedRegistry, password: str = HUB[1]) -> dict[str, t.Any]:
    return {"registry": registry.host, "username": HUB[0], "password": password}


@pytest.mark.parametrize("image_format", ["docker", "oci"])
def test_a_list_and_a_single_image(given: Surroundings, describe: t.Callable[..., Run], image_format: str) -> None:
    name = f"described-{image_format}"
    listed = given.push("private", name, "v1", PLATFORMS, image_format=image_format)
    single = given.push("private", name, "v2", "linux/arm64", image_format=image_format)
    repository = given.image("private", name, "v1").rpartition(":")[0]
    run = describe(
        [f"{repository}:v1", f"{repository}:v2", f"{repository}@{listed}"],
        given.credential(),
        with_tags=True,
        prefer_architecture="arm64",
    )

    assert run.exit_code == 0, run.output
    first, second, pinned = described(run)
    assert (first["digest"], second["digest"], pinned["digest"]) == (listed, single, listed)
    assert first["platforms"] == PLATFORMS.split()
    assert first["tags"] == second["tags"] == ["v1", "v2"]
    assert (first["legacy_choice"]["architecture"], first["legacy_choice"]["rule"]) == ("arm64", "tag_annotation")
    assert (pinned["legacy_choice"]["architecture"], pinned["legacy_choice"]["rule"]) == (
        "amd64",
        "control_plane_architecture",
    )
    assert first["labels"] == {"salt": f"{given.run} {name}:v1"}
    assert (second["platforms"], second["legacy_choice"], second["created"]) == (
        ["linux/arm64"],
        None,
        "2026-01-01T00:00:00Z",
    )
    assert second["layers_size"] > 0


def test_the_child_that_legacy_takes_is_the_one_that_an_import_takes(
    given: Surroundings, cluster: Cluster, namespace: str, playbooks: Playbooks
) -> None:
    cluster.create("secrets", namespace, private_secret(given))
    platforms = {"usual": PLATFORMS, "first": "linux/s390x linux/ppc64le", "preferred": PLATFORMS}
    images = {name: (given.image("private", f"legacy-{name}", "v1"), {"importMode": "Legacy"}) for name in platforms}
    for name, text in platforms.items():
        given.push("private", f"legacy-{name}", "v1", text)
    cluster.import_images(namespace, "web", images)
    cluster.patch_tag(
        namespace, "web", "preferred", {"annotations": {"importer.image.openshift.io/prefer-arch": "arm64"}}
    )
    cluster.import_images(namespace, "web", images)

    for names, options in ((("usual", "first"), {}), (("preferred",), {"prefer_architecture": "arm64"})):
        variables = {
            "images": [images[name][0] for name in names],
            "target_namespace": namespace,
            "ca_file": str(given.registries["private"].ca_file),
            **options,
        }
        run = playbooks.run(Path(__file__).with_name("namespace.yml"), variables=variables)
        assert run.exit_code == 0, run.output
        for name, image in zip(names, run.of("Describe")["images"], strict=True):
            assert image["legacy_choice"]["digest"] == cluster.tag(namespace, "web", name).digest


def test_registries_of_every_kind_side_by_side(given: Surroundings, describe: t.Callable[..., Run]) -> None:
    images = []
    for registry in ("private", "plain", "selfsigned"):
        given.push(registry, "kinds", "v1")
        images.append(given.image(registry, "kinds", "v1"))
    plain, selfsigned = (
        {"registry": given.registries[name].host, "insecure": True} for name in ("plain", "selfsigned")
    )
    assert describe(images, given.credential(), plain, selfsigned).exit_code == 0

    run = describe(
        [*images, given.image("private", "kinds", "v9"), "127.0.0.1:1/nobody/listens:v1"], given.credential()
    )
    assert run.exit_code == 2
    good, http, tls, absent, closed = [entry["error"] for entry in described(run)]
    assert good is None
    assert "without TLS; if it is meant to be plain HTTP, set insecure: true for it" in http
    assert "that is not trusted" in tls
    assert 'does not have "v9"' in absent
    assert "could not be reached at https://127.0.0.1:1" in closed
    message = run.messages()[DESCRIBE]
    assert message.startswith("4 of 5 images could not be read:")
    assert all(text in message for text in (http, tls, absent, closed))


def test_tokens(hub: tuple[EmbeddedRegistry, Path], describe: t.Callable[..., Run]) -> None:
    registry, ca_file = hub
    images = [f"{registry.host}/{name}/web:v1" for name in ("public", "private")]

    known = describe(images, login(registry), ca_file=ca_file, with_tags=True)
    assert known.exit_code == 0, known.output
    assert [entry["tags"] for entry in described(known)] == [["v1"], ["v1"]]

    anonymous = describe(images, ca_file=ca_file)
    public, private = described(anonymous)
    assert (public["error"], public["platforms"]) == (None, PLATFORMS.split())
    assert "gives nobody" in private["error"]

    wrong = describe(images, login(registry, "bad-at-the-hub"), ca_file=ca_file)
    assert all(
        'refused the user "hub" (HTTP 401: "incorrect username or password")' in entry["error"]
        for entry in described(wrong)
    )


FAULTS = {
    "forbidden": (
        Fault(path="/manifests/", status=403),
        (
            'does not give "v1" of public/forbidden to the user "hub" (HTTP 403: "a fault of the test registry"); ask '
            "its owner for the right to pull there"
        ),
    ),
    "limited": (
        Fault(path="/manifests/", status=429, retry_after="3600"),
        "retry after the 3600 seconds that it names",
    ),
    "swapped": (Fault(path="/manifests/", wrong_digest=True), "it, or a proxy before it, is broken"),
    "huge": (Fault(path="/manifests/", huge_body=16 * 1024 * 1024), "serves more than 4 MiB"),
    "unsafe": (Fault(path="/blobs/", redirect="http://127.0.0.1:1/blob"), "which is not reached over HTTPS"),
    "circle": (Fault(path="/manifests/", redirect="/v2/public/circle/manifests/v1"), "redirects more than 5 times"),
    "broken": (Fault(path="/manifests/", reset=True), "could not be reached"),
    "down": (Fault(path="/manifests/", status=500), "answered HTTP 500"),
}


def test_faults_side_by_side(hub: tuple[EmbeddedRegistry, Path], describe: t.Callable[..., Run]) -> None:
    registry, ca_file = hub
    for name in (*FAULTS, "good"):
        registry.content.repositories[f"public/{name}"] = registry.content.repositories["public/web"]
    registry.switches.faults = [
        replace(fault, path=f"/public/{name}{fault.path}") for name, (fault, _words) in FAULTS.items()
    ]
    run = describe(
        [f"{registry.host}/public/{name}:v1" for name in (*FAULTS, "good")], login(registry), ca_file=ca_file
    )

    assert run.exit_code == 2
    *failed, good = described(run)
    assert (good["error"], good["platforms"]) == (None, PLATFORMS.split())
    for image, (name, (_fault, words)) in zip(failed, FAULTS.items(), strict=True):
        assert words in image["error"], name
        assert image["error"] in run.messages()[DESCRIBE]


def test_a_store_elsewhere_gets_no_credential(
    hub: tuple[EmbeddedRegistry, Path], describe: t.Callable[..., Run]
) -> None:
    registry, ca_file = hub
    elsewhere = registry.host.replace("localhost", "127.0.0.1")
    registry.switches.faults = [
        Fault(path="/blobs/", times=1, redirect=f"https://{elsewhere}/v2/public/web/blobs/elsewhere")
    ]
    registry.switches.requests = []
    run = describe([f"{registry.host}/public/web:v1"], login(registry), ca_file=ca_file)

    assert run.exit_code == 2
    first, second = [request for request in registry.switches.requests if "/blobs/" in request["path"]]
    assert (first["authenticated"], second["authenticated"]) == (True, False)


def test_the_rights_of_the_manifest_are_enough(
    given: Surroundings, cluster: Cluster, namespace: str, playbooks: Playbooks, rights: Rights
) -> None:
    listed = given.push("private", "asreader", "v1", PLATFORMS)
    repository = given.image("private", "asreader", "v1").rpartition(":")[0]
    variables = {
        "images": [f"{repository}:v1"],
        "repositories": [repository],
        "target_namespace": namespace,
        "ca_file": str(given.registries["private"].ca_file),
    }
    cluster.create("secrets", namespace, private_secret(given))
    rights.apply("registry_image_info.yml")
    access = rights.user(namespace, ("quayside-registry-image-info", namespace))
    playbook = Path(__file__).with_name("namespace.yml")

    run = playbooks.with_environment(access.variables()).run(playbook, "-vvv", variables=variables)
    assert run.exit_code == 0, run.output
    assert given.credential()["password"] not in run.output
    (image,), (tags,) = run.of("Describe")["images"], run.of("Describe")["repositories"]
    assert (image["digest"], image["credential"]["source"], tags["tags"]) == (listed, 'the secret "private"', ["v1"])

    stranger = playbooks.with_environment(rights.user(namespace).variables()).run(playbook, variables=variables)
    assert stranger.exit_code == 2
    assert "secrets" in stranger.messages()["Describe"]
