# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.filter.migration_record import FilterModule
from hypothesis import given
from hypothesis import strategies as st

record: t.Callable[..., dict[str, t.Any]] = FilterModule().filters()["migration_record"]
TEMPLATE = "{{ lookup('pipe', 'id > proof') }}"
TAG = {"name": "v1", "from": "r.example/web:v1", "import_mode": "Legacy", "prefer_architecture": "", "prefer_os": ""}
STREAM = {"namespace": "shop", "name": "web", "tags": [TAG]}


def read(*streams: t.Any, cluster: str = "here") -> dict[str, t.Any]:
    return record(json.dumps({"cluster": cluster, "streams": list(streams)}), "r.json", cluster="here")


def test_what_was_written_is_read_back() -> None:
    assert read(STREAM) == {"streams": [STREAM], "problem": ""}
    assert record("", "r.json", cluster="here") == {"streams": [], "problem": ""}


@pytest.mark.parametrize(
    "stream",
    [
        *({**STREAM, "tags": [{**TAG, key: TEMPLATE}]} for key in TAG),
        *({**STREAM, key: TEMPLATE} for key in ("namespace", "name")),
        {**STREAM, "state": "absent"},
        {**STREAM, "tags": [{**TAG, "insecure": True}]},
        {**STREAM, "tags": [{**TAG, "name": 1}]},
        {**STREAM, "tags": "v1"},
        "shop/web",
    ],
    ids=repr,
)
def test_a_record_with_anything_that_options_refuse_is_not_used(stream: t.Any) -> None:
    made = read(STREAM, stream)
    assert made["streams"] == []
    assert made["problem"].startswith("r.json is not the record of a migration")
    assert made["problem"].isprintable()


def test_the_record_of_another_cluster_is_not_used() -> None:
    assert read(STREAM, cluster="there\x1b[2J")["problem"].startswith("r.json is the record of there")


@given(
    st.text()
    | st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ).map(json.dumps)
)
def test_any_file_is_used_or_refused_in_a_sentence(text: str) -> None:
    made = record(text, "r.json", cluster="here")
    assert bool(made["problem"]) != (not text.strip())
