# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests, configurations and pages of tags as registries serve them, and as somebody who means harm would."""

from __future__ import annotations

import hashlib
import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.manifests import Manifest
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.documents import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    BadDocument,
    Descriptor,
    ImageConfig,
    digest_of,
    load_object,
    parse_config,
    parse_manifest,
    parse_tag_page,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": A, "size": 5}
LAYERS = [{"mediaType": "layer", "digest": B, "size": 7}, {"mediaType": "layer", "digest": C, "size": 8}]
IMAGE = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": LAYERS}
ENTRY = {
    "mediaType": OCI_MANIFEST,
    "digest": A,
    "size": 9,
    "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
}
INDEX = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY]}


def text(document: t.Any) -> bytes:
    return json.dumps(document).encode()


def outcome(parse: t.Callable[..., t.Any], *arguments: t.Any) -> t.Any:
    """Return what was parsed, or the refusal; any other error fails the test."""
    try:
        return parse(*arguments)
    except BadDocument as refusal:
        return refusal


def without(document: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    ("document", "content_type", "media_type"),
    [
        (IMAGE, OCI_MANIFEST, OCI_MANIFEST),
        (without(IMAGE, "mediaType"), OCI_MANIFEST, OCI_MANIFEST),
        (without(IMAGE, "mediaType"), DOCKER_MANIFEST, DOCKER_MANIFEST),
        (IMAGE, "text/plain", OCI_MANIFEST),
        (IMAGE, "", OCI_MANIFEST),
    ],
)
def test_an_image(document: dict[str, t.Any], content_type: str, media_type: str) -> None:
    found = parse_manifest(text(document), content_type, A)

    assert (found.media_type, found.is_list, found.digest, found.size) == (media_type, False, A, len(text(document)))
    assert found.config == Descriptor(CONFIG["mediaType"], A, 5)
    assert [layer.size for layer in found.layers] == [7, 8]


@pytest.mark.parametrize("media_type", [DOCKER_LIST, OCI_INDEX])
def test_a_list(media_type: str) -> None:
    attestation = {**ENTRY, "digest": B, "platform": {"os": "unknown", "architecture": "unknown"}}
    bare = without({**ENTRY, "digest": C}, "platform")
    found = parse_manifest(
        text({**INDEX, "mediaType": media_type, "manifests": [ENTRY, attestation, bare]}),
        media_type,
        "sha256:" + "0" * 64,
    )

    assert found.is_list
    assert found.children == (
        Manifest("linux", "arm64", "v8", A, 9, OCI_MANIFEST),
        Manifest("unknown", "unknown", "", B, 9, OCI_MANIFEST),
        Manifest("", "", "", C, 9, OCI_MANIFEST),
    )


@pytest.mark.parametrize(
    ("content", "content_type", "words"),
    [
        (
            text({"schemaVersion": 1}),
            "",
            "it is of Docker's schema 1, which clusters no longer import; push the image again with a current tool",
        ),
        (b"any", "application/vnd.docker.distribution.manifest.v1+prettyjws", "it is of Docker's schema 1"),
        (text({}), OCI_MANIFEST, "it is not a manifest: its schemaVersion is not 2"),
        (text(IMAGE), DOCKER_LIST, f'it calls itself "{OCI_MANIFEST}", and the registry calls it "{DOCKER_LIST}"'),
        (
            text(without(IMAGE, "mediaType")),
            "text/html",
            'it is neither an image nor a list of images (its media type is "text/html")',
        ),
        (text({**IMAGE, "manifests": []}), OCI_MANIFEST, "it is a list and an image at the same time"),
        (text({**INDEX, "layers": []}), OCI_INDEX, "it is a list and an image at the same time"),
        (text({**IMAGE, "layers": {}}), OCI_MANIFEST, 'its "layers" is not a list'),
        (text(without(INDEX, "manifests")), OCI_INDEX, 'its "manifests" is not a list'),
        (text({**IMAGE, "config": None}), OCI_MANIFEST, "one of its entries is not an object"),
        (text({**INDEX, "manifests": ["x"]}), OCI_INDEX, "one of its entries is not an object"),
        (
            text({**INDEX, "manifests": [{**ENTRY, "digest": "sha256:../../x"}]}),
            OCI_INDEX,
            "one of its entries has no digest",
        ),
        (text({**INDEX, "manifests": [{**ENTRY, "digest": 5}]}), OCI_INDEX, "one of its entries has no digest"),
        (text({**INDEX, "manifests": [{**ENTRY, "size": -1}]}), OCI_INDEX, "one of its entries has no size"),
        (text({**INDEX, "manifests": [{**ENTRY, "size": True}]}), OCI_INDEX, "one of its entries has no size"),
        (
            text({**INDEX, "manifests": [{**ENTRY, "platform": "linux"}]}),
            OCI_INDEX,
            "the platform of one of its manifests is not an object",
        ),
        (text({**INDEX, "manifests": [{**ENTRY, "platform": {"os": 5}}]}), OCI_INDEX, 'its "os" is not a string'),
        (
            text({**INDEX, "manifests": [{**ENTRY, "digest": "sha256:" + "0" * 64}]}),
            OCI_INDEX,
            "it is a list that lists itself",
        ),
        (b"\xff\xfe{", OCI_MANIFEST, "it is not UTF-8 text"),
        (b"{", OCI_MANIFEST, "it is not JSON"),
        (b'{"schemaVersion": NaN}', OCI_MANIFEST, "it is not JSON"),
        (b'{"schemaVersion": 1e999}', OCI_MANIFEST, "it is not JSON"),
        (b'{"schemaVersion": ' + b"9" * 5000 + b"}", OCI_MANIFEST, "it is not JSON"),
        (b'{"x": ' + b"[" * 200_000, OCI_MANIFEST, "its JSON is nested too deeply"),
        (b"[]", OCI_MANIFEST, "it is JSON, but not an object"),
    ],
)
def test_what_is_no_manifest(content: bytes, content_type: str, words: str) -> None:
    with pytest.raises(BadDocument) as caught:
        parse_manifest(content, content_type, "sha256:" + "0" * 64)
    assert str(caught.value).startswith(words)


def test_a_configuration() -> None:
    document = {
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Labels": {"name": "web", "odd": "\ud800"}},
    }
    found = parse_config(text(document))

    assert found == ImageConfig("linux", "arm64", "v8", "2026-01-01T00:00:00Z", {"name": "web", "odd": "?"})


@pytest.mark.parametrize("document", [{}, {"config": None}, {"config": {"Labels": None}}, {"config": {}}, {"os": None}])
def test_a_configuration_that_says_nothing(document: dict[str, t.Any]) -> None:
    assert parse_config(text(document)) == ImageConfig()


@pytest.mark.parametrize(
    "document", [{"config": {"Labels": ["a"]}}, {"config": {"Labels": {"a": 1}}}, {"os": []}, {"created": 5}]
)
def test_what_is_no_configuration(document: dict[str, t.Any]) -> None:
    with pytest.raises(BadDocument):
        parse_config(text(document))


@pytest.mark.parametrize(
    ("document", "tags"), [({"tags": ["v1", "latest"]}, ["v1", "latest"]), ({"tags": None}, []), ({"name": "x"}, [])]
)
def test_a_page_of_tags(document: dict[str, t.Any], tags: list[str]) -> None:
    assert parse_tag_page(text(document)) == tags


@pytest.mark.parametrize("tags", ["v1", {"v1": 1}, ["v1", 5], ["a/b"], [""], ["x" * 129], ["\ud800"], [None]])
def test_what_is_no_page_of_tags(tags: t.Any) -> None:
    with pytest.raises(BadDocument) as caught:
        parse_tag_page(text({"tags": tags}))
    str(caught.value).encode("utf-8")


def test_digests() -> None:
    assert digest_of(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()
    assert digest_of(b"x", "sha512:00") == "sha512:" + hashlib.sha512(b"x").hexdigest()


@examples
@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_sentence(content: bytes) -> None:
    found = outcome(load_object, content)

    assert isinstance(found, dict) or str(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@examples
@given(st.sampled_from([IMAGE, INDEX]), st.data())
def test_any_field_may_be_anything(document: dict[str, t.Any], data: st.DataObject) -> None:
    broken = json.loads(text(document))
    place = broken
    for _depth in range(3):
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    found = outcome(parse_manifest, text(broken), document["mediaType"], "sha256:" + "0" * 64)

    assert str(found) if isinstance(found, BadDocument) else found.is_list == (document is INDEX)
