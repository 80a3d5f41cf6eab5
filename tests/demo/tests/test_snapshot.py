# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo reads from the cluster is what its claims stand on."""

from __future__ import annotations

import base64
import copy
import json
import typing as t

import pytest
from demo.cluster import Address, Snapshot

STREAM = Address("imagestreams", "shop", "web")
SECRET = Address("secrets", "shop", "registries")
ACCOUNT = Address("serviceaccounts", "shop", "default")


def metadata(version: str) -> dict[str, t.Any]:
    """Return an object's metadata with what the server counts up."""
    return {"name": "x", "resourceVersion": version, "generation": int(version), "labels": {"a": "b"}}


def encoded(document: object) -> str:
    """Return an auth file as a secret holds it."""
    return base64.b64encode(json.dumps(document).encode()).decode()


@pytest.fixture
def snapshot() -> Snapshot:
    tag = {"name": "v1", "generation": 2, "from": {"kind": "DockerImage", "name": "r/a:v1"}}
    policy = {"importMode": "PreserveOriginal", "scheduled": True}
    items = [{"image": "sha256:new", "generation": 2}, {"image": "sha256:old", "generation": 1}]
    status = {"tags": [{"tag": "v1", "items": items}]}
    stream = {"metadata": metadata("1"), "spec": {"tags": [{**tag, "importPolicy": policy}]}, "status": status}
    secret = {"metadata": metadata("2"), "data": {".dockerconfigjson": encoded({"auths": {"a": {}, "b": {}}})}}
    account = {"metadata": metadata("3"), "imagePullSecrets": [{"name": "x"}, {"name": "y"}]}
    return Snapshot({STREAM: stream, SECRET: secret, ACCOUNT: account})


def test_tags_come_with_their_newest_image_and_policy(snapshot: Snapshot) -> None:
    (tag,) = snapshot.tags().values()
    assert (tag.source, tag.import_mode, tag.scheduled, tag.digest) == (
        "r/a:v1",
        "PreserveOriginal",
        True,
        "sha256:new",
    )


def test_a_write_a_creation_and_a_deletion_are_all_seen(snapshot: Snapshot) -> None:
    later = Snapshot(copy.deepcopy(dict(snapshot)))
    assert later.written_since(snapshot) == set()
    later[STREAM]["metadata"]["resourceVersion"] = "9"
    later[Address("secrets", "shop", "another")] = {"metadata": metadata("10")}
    del later[ACCOUNT]
    assert later.written_since(snapshot) == {STREAM, ACCOUNT, Address("secrets", "shop", "another")}


def test_counters_and_order_have_no_meaning(snapshot: Snapshot) -> None:
    later = Snapshot(copy.deepcopy(dict(snapshot)))
    for document in later.values():
        document["metadata"] |= {"resourceVersion": "99", "generation": 99}
    later[STREAM]["spec"]["tags"][0]["generation"] = 99
    later[SECRET]["data"][".dockerconfigjson"] = encoded({"auths": {"b": {}, "a": {}}})
    later[ACCOUNT]["imagePullSecrets"].reverse()
    assert later.meanings() == snapshot.meanings()


def test_every_change_of_meaning_shows(snapshot: Snapshot) -> None:
    def changed(address: Address, change: t.Callable[[dict[str, t.Any]], object]) -> bool:
        later = Snapshot(copy.deepcopy(dict(snapshot)))
        change(later[address])
        return bool(later.meanings()[address] != snapshot.meanings()[address])

    assert changed(STREAM, lambda stream: stream["spec"]["tags"][0]["importPolicy"].update(scheduled=False))
    assert changed(STREAM, lambda stream: stream["status"]["tags"][0]["items"].pop(0))
    assert changed(SECRET, lambda secret: secret["data"].update({".dockerconfigjson": encoded({"auths": {"a": {}}})}))
    assert changed(ACCOUNT, lambda account: account["imagePullSecrets"].pop())
    assert changed(ACCOUNT, lambda account: account["metadata"]["labels"].clear())


def test_a_tag_ahead_of_what_was_observed_waits_for_its_import(snapshot: Snapshot) -> None:
    assert not snapshot.behind()
    snapshot[STREAM]["spec"]["tags"][0]["generation"] = 3
    assert snapshot.behind()
    snapshot[STREAM]["status"]["tags"][0]["conditions"] = [{"type": "ImportSuccess", "generation": 3}]
    assert not snapshot.behind()
