# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the API's answers: every recorded one fits, and none that fits breaks the code that reads it."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.shapes import SHAPES, flaw_of
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.registry_secrets import (
    registry_secrets,
    secret_texts,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import parse_image
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import parse_stream
from ansible_collections.quayside.openshift_images.plugins.module_utils._prune.stream_history import parse_history
from ansible_collections.quayside.openshift_images.plugins.module_utils._samples.observed import parse_samples
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

_CONTRACT = Path(__file__).resolve().parents[5] / "tests" / "contract"
Document = dict[str, t.Any]


def _recorded() -> list[Document]:
    bodies = []
    for path in sorted(_CONTRACT.glob("**/cases/*.json")):
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
        bodies += [step["response"].get("body") for step in steps if "response" in step]
    return [body for body in bodies if isinstance(body, dict) and isinstance(body.get("kind"), str)]


RECORDED = _recorded()
_SECRET: Document = {
    "kind": "Secret",
    "metadata": {"name": "pull", "annotations": {"a": "b"}},
    "type": "kubernetes.io/dockerconfigjson",
    "data": {"k": "e30="},
}
_SAMPLES: Document = {
    "kind": "Config",
    "metadata": {"name": "cluster", "resourceVersion": "1"},
    "spec": {"skippedImagestreams": ["a"]},
    "status": {"conditions": []},
}
_STREAMS = [body for body in RECORDED if body["kind"] == "ImageStream"][:6]
_ANSWERS = [
    found["image"]
    for body in RECORDED
    if body["kind"] == "ImageStreamImport"
    for found in body["status"].get("images") or ()
    if found.get("image")
][:6]
READERS: dict[str, tuple[list[Document], t.Callable[[Document], object]]] = {
    "a stream": (_STREAMS, lambda body: parse_stream("shop", body)),
    "the history of a stream": (_STREAMS, parse_history),
    "an image": ([{"kind": "Image", **image} for image in _ANSWERS], lambda body: parse_image(body, "Legacy")),
    "a secret": ([_SECRET], lambda body: (registry_secrets([body]), secret_texts([body]))),
    "the samples": ([_SAMPLES], parse_samples),
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2),
)


def test_there_are_recordings_of_what_is_read_most() -> None:
    assert {"ImageStream", "ImageStreamImport", "ImageStreamList", "ServiceAccount"} <= {
        body["kind"] for body in RECORDED
    }


@pytest.mark.parametrize(
    "kind", sorted({body["kind"] for body in RECORDED if body["kind"].removesuffix("List") in SHAPES})
)
def test_every_recorded_answer_fits(kind: str) -> None:
    assert [flaw_of(body) for body in RECORDED if body["kind"] == kind and flaw_of(body)] == []


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        ({"kind": "ImageStream", "metadata": []}, "is no ImageStream of the API: metadata is a list and not an object"),
        (
            {"kind": "Secret", "metadata": {"name": "pull\x1b[2J"}},
            (
                "is no Secret of the API: metadata.name is no name, because it holds other than visible characters or "
                "is too long"
            ),
        ),
        (
            {"kind": "ImageStreamList", "items": [{"metadata": {}}]},
            "is no ImageStreamList of the API: items[0].metadata.name is missing",
        ),
        ({"kind": "SecretList", "items": {}}, "is no SecretList of the API: items is an object and not a list"),
        (
            {"kind": "SecretList", "metadata": {"continue": 1}, "items": []},
            "is no SecretList of the API: metadata.continue is a number and not a string",
        ),
    ],
)
def test_a_flaw_is_named(answer: Document, flaw: str) -> None:
    assert flaw_of(answer) == flaw


def _places(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*path, key))


@pytest.mark.parametrize("reader", READERS)
@given(data=st.data())
@examples
def test_what_fits_breaks_no_reader(reader: str, data: st.DataObject) -> None:
    """Any value in any place of an answer is either found to be a flaw, or read without an exception."""
    bodies, read = READERS[reader]
    body = copy.deepcopy(data.draw(st.sampled_from(bodies)))
    for _turn in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([place for place in _places(body) if place != ("kind",)]))
        parent = body
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = data.draw(_JSON)
    if not flaw_of(body):
        read(body)
