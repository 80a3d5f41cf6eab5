# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.stream_history import (
    HistoryItem,
    StreamHistory,
    TagHistory,
    parse_children,
    parse_history,
    parse_platforms,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.prune_scenes import (
    SOURCE,
    digest,
    stream,
    tag,
)


def test_a_history_is_read_newest_first() -> None:
    parsed = parse_history(stream("shop", "web", tag("v1", digest("b"), digest("a"), minutes=10)))
    (v1,) = parsed.tags
    assert (parsed.key, parsed.created) == (("shop", "web"), dt.datetime(2026, 4, 30, 8, 0, tzinfo=dt.timezone.utc))
    assert v1 == TagHistory(
        "v1",
        (
            HistoryItem(
                1, digest("b"), f"{SOURCE}@{digest('b')}", dt.datetime(2026, 5, 4, 11, 50, tzinfo=dt.timezone.utc)
            ),
            HistoryItem(
                2, digest("a"), f"{SOURCE}@{digest('a')}", dt.datetime(2026, 5, 4, 11, 49, tzinfo=dt.timezone.utc)
            ),
        ),
        reference_policy="Source",
    )
    assert parsed.images == {digest("a"), digest("b")}


@pytest.mark.parametrize(
    ("source", "pinned"),
    [
        ({"kind": "DockerImage", "name": f"{SOURCE}@{digest('a')}"}, True),
        ({"kind": "DockerImage", "name": f"{SOURCE}:v1"}, False),
        ({"kind": "ImageStreamImage", "name": f"web@{digest('a')}"}, False),
        ({"kind": "ImageStreamTag", "name": "v1"}, False),
    ],
)
def test_a_tag_that_follows_a_digest(source: dict[str, str], pinned: bool) -> None:
    (found,) = parse_history(stream("shop", "web", tag("v1", digest("a"), **{"from": source}))).tags
    assert found.pinned is pinned


def test_how_a_tag_is_imported() -> None:
    policies: dict[str, t.Any] = {"importPolicy": {"insecure": True}, "referencePolicy": {"type": "Local"}}
    (found,) = parse_history(stream("shop", "web", tag("v1", digest("a"), **policies))).tags
    assert (found.insecure, found.reference_policy) == (True, "Local")


def test_a_tag_that_left_the_spec_still_has_its_history() -> None:
    one = stream("shop", "web", tag("v1", digest("a")))
    one["spec"]["tags"] = []
    (found,) = parse_history(one).tags
    assert (found.name, len(found.items), found.pinned) == ("v1", 1, False)


def test_hosts_are_those_of_the_clusters_registry() -> None:
    assert parse_history(stream("shop", "web", public="registry.apps.example.com")).hosts == {
        "image-registry.openshift-image-registry.svc:5000",
        "registry.apps.example.com",
    }
    assert StreamHistory("shop", "web").hosts == frozenset()


def test_an_empty_object_has_no_history() -> None:
    assert parse_history(
        {"metadata": {"namespace": "shop", "name": "web", "creationTimestamp": "soon"}}
    ) == StreamHistory("shop", "web")


def test_a_tag_that_is_only_a_reference_holds_no_image() -> None:
    one = stream("shop", "web", tag("ext"))
    one["status"]["tags"][0]["items"] = [
        {"created": "2026-05-04T11:00:00Z", "dockerImageReference": f"{SOURCE}:v2", "image": "", "generation": 2}
    ]
    assert parse_history(one).images == frozenset()


def recorded(name: str) -> dict[str, t.Any]:
    """Return a recorded case of the contract, from the tests' data."""
    path = Path(__file__).parents[4] / "contract" / "cases" / f"{name}.json"
    loaded: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_what_the_real_server_says_of_a_list() -> None:
    steps = recorded("import_preserve_original")["steps"]
    answers = {
        step["request"]["path"].rpartition("/")[2]: step["response"]["body"] for step in steps if "request" in step
    }
    web = parse_history(answers["web"])
    (item,) = web.tags[0].items
    children = parse_children(answers["layers"])
    assert list(children) == [item.image]
    assert parse_platforms(answers["web:v1"]["image"]) == dict(
        zip(children[item.image], ("linux/amd64", "linux/arm64", "linux/ppc64le"), strict=True)
    )


def test_platforms_with_and_without_parts() -> None:
    manifests = [
        {"digest": digest("a"), "os": "linux", "architecture": "arm", "variant": "v7"},
        {"digest": digest("b"), "os": "unknown", "architecture": "unknown"},
        {"digest": digest("c")},
    ]
    assert parse_platforms({"dockerImageManifests": manifests}) == {
        digest("a"): "linux/arm/v7",
        digest("b"): "unknown/unknown",
        digest("c"): "",
    }
    assert parse_platforms({}) == {}


def test_images_without_children() -> None:
    layers = {
        "images": {
            digest("a"): {"layers": []},
            digest("b"): None,
            digest("c"): {"manifests": []},
            digest("d"): {"manifests": [digest("e")]},
        }
    }
    assert parse_children(layers) == {digest("d"): (digest("e"),)}
    assert parse_children({}) == {}
