# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON patches: every operation, on documents and on a stream, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from emulator.client import ApiClient
from emulator.json_patch import apply_json_patch
from emulator.patches import JSON_PATCH
from emulator.statuses import StatusError

REFUSED = "the server rejected our request due to an error in our request"
POLICY = "/spec/tags/0/importPolicy"


def op(kind: str, path: str, *value: t.Any, **source: str) -> dict[str, t.Any]:
    """Return an operation; ``value`` may be left out."""
    return {"op": kind, "path": path, **({"value": value[0]} if value else {}), **source}


@pytest.mark.parametrize(
    ("before", "operations", "after"),
    [
        ({"a": 1, "l": [1]}, [op("test", "/a", 1), op("add", "/l/-", 2), op("remove", "/a")], {"l": [1, 2]}),
        ({"l": [1, 2]}, [op("add", "/l/0", 0), op("add", "/l/-1", 3)], {"l": [0, 1, 2, 3]}),
        ({"l": [1, 2]}, [op("remove", "/l/-1"), op("replace", "/l/0", 9)], {"l": [9]}),
        ({}, [op("replace", "/new", 1)], {"new": 1}),
        ({}, [op("test", "/absent", None), op("test", "/absent")], {}),
        ({}, [op("add", "/null")], {"null": None}),
        (
            {"a": {"b": 1}},
            [{"op": "copy", "from": "/a", "path": "/c"}, op("replace", "/c/b", 2)],
            {"a": {"b": 1}, "c": {"b": 2}},
        ),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}], {"a": {}, "c": 1}),
        ({"a/b": {"~": 1}}, [op("replace", "/a~1b/~0", 2)], {"a/b": {"~": 2}}),
        ({"a": {"x": 1, "y": [True]}}, [op("test", "/a", {"y": [True], "x": 1})], {"a": {"x": 1, "y": [True]}}),
        ({"a": 1}, [op("test", "", {"a": 1}), op("replace", "", {"b": 2})], {"b": 2}),
        ({"a": 1}, None, {"a": 1}),
    ],
)
def test_operations(before: t.Any, operations: t.Any, after: t.Any) -> None:
    """In their order; the document before stays as it was."""
    kept = repr(before)
    assert apply_json_patch(before, operations) == after
    assert repr(before) == kept


@pytest.mark.parametrize(
    "operation",
    [
        op("test", "/a", 9),
        op("test", "/a", True),
        op("test", "/a", 1.0),
        op("remove", "/absent"),
        op("replace", "/l/1", 2),
        op("replace", "/absent/x", 2),
        op("add", "/l/2", 2),
        op("add", "/l/x", 2),
        op("add", "/n/x", 2),
        op("add", "a", 2),
        op("remove", ""),
        op("replace", "", 1),
        op("nonsense", "/a"),
        {"op": "move", "from": "/absent", "path": "/b"},
        {"op": "copy", "path": "/b"},
        {"path": "/a"},
        {"op": "add"},
        None,
    ],
)
def test_what_does_not_apply(operation: t.Any) -> None:
    """422, and nothing more is said."""
    with pytest.raises(StatusError) as caught:
        apply_json_patch({"a": 1, "l": [1], "n": None}, [operation])
    assert (caught.value.code, caught.value.reason, caught.value.message) == (422, "Invalid", REFUSED)


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"op": "remove"}, "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (["x"], "json: cannot unmarshal string into Go value of type handlers.jsonPatchOp"),
        ([{"op": 1}], "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"),
    ],
)
def test_what_is_no_patch(patch: t.Any, words: str) -> None:
    """400 with the decoder's words; too many operations are 413."""
    with pytest.raises(StatusError) as caught:
        apply_json_patch({}, patch)
    assert (caught.value.code, caught.value.message) == (400, f"error decoding patch: {words}")
    with pytest.raises(StatusError) as caught:
        apply_json_patch({}, [op("add", "/a", 1)] * 10001)
    assert (caught.value.code, caught.value.message.rpartition(": ")[2]) == (
        413,
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
    )


def test_patches_of_a_stream(admin: ApiClient) -> None:
    """Of a flag that is absent because it is false, of a whole tag, and of lists of tags."""
    sources = [{"kind": "DockerImage", "name": f"registry.example.com/web:{tag}"} for tag in ("v1", "v2")]
    document = {"metadata": {"name": "s"}, "spec": {"tags": [{"name": "v1", "from": sources[0]}]}}
    admin.send("POST", admin.image("imagestreams"), document).raise_for_status()

    def patch(*operations: dict[str, t.Any]) -> list[dict[str, t.Any]]:
        answer = admin.send("PATCH", admin.image("imagestreams", "s"), list(operations), content_type=JSON_PATCH)
        assert answer.status_code == 200, answer.text
        return t.cast("list[dict[str, t.Any]]", answer.json()["spec"]["tags"])

    for kind in ("add", "replace"):
        assert patch(op(kind, f"{POLICY}/scheduled", True))[0]["importPolicy"]["scheduled"] is True
        assert "scheduled" not in patch(op(kind, f"{POLICY}/scheduled", False))[0]["importPolicy"]
    assert (
        "scheduled"
        not in patch(op("add", f"{POLICY}/scheduled", True), op("remove", f"{POLICY}/scheduled"))[0]["importPolicy"]
    )
    added = patch(
        {"op": "copy", "from": "/spec/tags/0", "path": "/spec/tags/-"}, op("replace", "/spec/tags/1/name", "v2")
    )
    assert [(tag["name"], tag["from"]["name"]) for tag in added] == [
        ("v1", sources[0]["name"]),
        ("v2", sources[0]["name"]),
    ]
    assert (
        patch(op("test", "/spec/tags/1/name", "v2"), op("replace", "/spec/tags/1/from", sources[1]))[1]["from"]
        == sources[1]
    )
    assert [tag["name"] for tag in patch(op("remove", "/spec/tags/-1"))] == ["v1"]
    refused = admin.send(
        "PATCH", admin.image("imagestreams", "s"), [op("add", f"{POLICY}/scheduled", "yes")], content_type=JSON_PATCH
    )
    assert refused.status_code == 422
    assert "of type bool" in refused.json()["message"]
