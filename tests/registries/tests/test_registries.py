# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both engines hold the recorded content byte for byte, ask for the same credentials, and take pushes."""

from __future__ import annotations

import json
import stat
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from registries.client import RegistryClient, RegistryRefused
from registries.content import RegistryContent
from registries.fleet import KINDS, RegistryFleet


@pytest.fixture
def private(fleet: RegistryFleet) -> t.Iterator[RegistryClient]:
    with fleet.client("private") as client:
        yield client


@pytest.mark.parametrize("name", KINDS)
def test_every_recorded_digest_is_reproduced(
    fleet: RegistryFleet, recorded: dict[str, RegistryContent], name: str
) -> None:
    content = recorded[name]
    assert content.repositories
    with fleet.client(name) as client:
        for repository, held in content.repositories.items():
            assert {tag: client.manifest(repository, tag).digest for tag in held.tags} == held.tags
            assert {digest: client.manifest(repository, digest) for digest in held.manifests} == held.manifests
            for manifest in held.manifests.values():
                for digest in manifest.blob_digests():
                    assert client.blob(repository, digest) == content.blobs[digest]


def test_private_wants_its_credential(fleet: RegistryFleet) -> None:
    address = fleet.addresses["private"]
    for wrong in (replace(address, username="", password=""), replace(address, password="wrong")):
        with RegistryClient(wrong) as client, pytest.raises(RegistryRefused, match="401"):
            client.manifest("team/web", "v1")


def test_private_is_trusted_by_the_authority_only(fleet: RegistryFleet) -> None:
    address = replace(fleet.addresses["private"], ca_file=None)
    with (
        RegistryClient(address) as client,
        pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.tags("team/web")


def test_selfsigned_is_trusted_by_nobody(fleet: RegistryFleet) -> None:
    address = replace(fleet.addresses["selfsigned"], insecure=False, ca_file=fleet.certificates.ca_file)
    with (
        RegistryClient(address) as client,
        pytest.raises(requests.exceptions.SSLError, match="self-signed certificate"),
    ):
        client.tags("team/self")


def test_plain_speaks_no_tls(fleet: RegistryFleet) -> None:
    address = replace(fleet.addresses["plain"], insecure=False)
    with RegistryClient(address) as client, pytest.raises(requests.exceptions.SSLError, match="WRONG_VERSION_NUMBER"):
        client.tags("team/plain")


def test_unknown_tag_and_repository_are_told_in_the_words_of_the_api(private: RegistryClient) -> None:
    with pytest.raises(RegistryRefused, match=r"404.*MANIFEST_UNKNOWN"):
        private.manifest("team/web", "nope")
    with pytest.raises(RegistryRefused, match="404"):
        private.manifest("team/nope", "v1")
    assert private.tags("team/nope") == []


@pytest.mark.parametrize("image_format", ["docker", "oci"])
def test_push_move_and_remove_touch_one_tag(private: RegistryClient, image_format: str) -> None:
    repository = f"own/{image_format}"
    first = private.push_image(repository, "v1", ["linux/amd64", "linux/s390x"], salt="1", image_format=image_format)
    second = private.push_image(repository, "v2", ["linux/amd64", "linux/s390x"], salt="2", image_format=image_format)
    assert first != second
    assert private.move_tag(repository, "stable", "v1") == first
    assert private.move_tag(repository, "stable", second) == second
    assert private.manifest(repository, "v1").digest == first

    private.delete_tag(repository, "stable")
    assert private.tags(repository) == ["v1", "v2"]
    assert private.manifest(repository, "v2").digest == second


def test_a_list_with_an_unknown_child_is_refused(private: RegistryClient, recorded: dict[str, RegistryContent]) -> None:
    held = recorded["private"].repositories["team/api"]
    with pytest.raises(RegistryRefused, match="MANIFEST_BLOB_UNKNOWN"):
        private.put_manifest("own/empty", "v1", held.manifests[held.tags["v1"]])


def test_state_file_tells_where_everything_is_and_hides_the_password(fleet: RegistryFleet, tmp_path: Path) -> None:
    state_file = tmp_path / "registries.json"
    fleet.write_state(state_file)
    text = state_file.read_text()
    state = json.loads(text)
    assert {name: entry["host"] for name, entry in state["registries"].items()} == fleet.hosts()
    assert state["engine"] == fleet.engine_in_use
    password_file = Path(state["password_file"])
    assert password_file.read_text() == fleet.credential[1]
    assert fleet.credential[1] not in text
    assert {stat.S_IMODE(path.stat().st_mode) for path in (state_file, password_file)} == {0o600}


def test_wished_ports_give_way_when_taken(fleet: RegistryFleet, tmp_path: Path) -> None:
    taken = int(fleet.hosts()["private"].rpartition(":")[2])
    with RegistryFleet(tmp_path, None, fleet.engine_in_use, {"private": taken}) as second:
        assert second.hosts()["private"] != fleet.hosts()["private"]
        with second.client("private") as client:
            assert client.tags("team/web") == []
