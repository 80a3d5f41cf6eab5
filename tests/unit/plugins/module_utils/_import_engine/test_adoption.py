# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.adoption import adopt
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.desired import desired_streams
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.observed import (
    ObservedStream,
    ObservedTag,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._multiarch.desired import TagNames
from ansible_collections.quayside.openshift_images.plugins.module_utils._multiarch.plan import (
    UNREADABLE,
    questions_there,
)

SOURCE = "registry.example.com/team/web:v1"
# What somebody may write into a stream of their own, or a server that lies into an answer: values that the options
# refuse.
ODD: list[dict[str, t.Any]] = [
    {"prefer_architecture": "{{ lookup('pipe', 'id > proof') }}"},
    {"prefer_architecture": "x86_64"},
    {"prefer_os": "linux\n---"},
    {"import_mode": "{% raw %}"},
    {"reference_policy": "\x1b[2J"},
    {"source": "registry.example.com/team/web:{{ v1 }}"},
    {"name": "v1\nv2"},
    {"name": "x" * 129},
]


def stream(*tags: ObservedTag, **fields: t.Any) -> ObservedStream:
    return ObservedStream("shop", "web", True, tags={one.name: one for one in tags})._replace(**fields)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_one_odd_tag_is_left_out_with_its_reason_and_the_others_stay(odd: dict[str, t.Any]) -> None:
    good, bad = ObservedTag("good", source=SOURCE), ObservedTag("bad", source=SOURCE)._replace(**odd)

    adoption = adopt(stream(good, bad))

    assert adoption.refused == ""
    assert [tag["name"] for tag in adoption.variables["tags"]] == ["good"]
    [left_out] = adoption.left_out
    assert (left_out.tag, left_out.odd) == (bad.name, True)
    assert left_out.reason
    assert not left_out.reason.startswith("stream ")
    assert desired_streams({"streams": [adoption.variables]})


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_tag_is_no_candidate_for_a_migration_which_could_not_go_back(odd: dict[str, t.Any]) -> None:
    good, bad = ObservedTag("good", source=SOURCE), ObservedTag("bad", source=SOURCE)._replace(**odd)

    questions, others = questions_there([stream(good, bad)], TagNames())

    assert [question.tag.name for question in questions] == ["good"]
    assert [(other.tag, other.state) for other in others] == [(bad.name, UNREADABLE)]


@pytest.mark.parametrize(
    "names", [{"name": "web\n- x"}, {"namespace": "{{ 1 }}"}, {"name": "\x1b[2J"}, {"name": "w" * 300}], ids=repr
)
def test_a_stream_that_cannot_be_declared_is_refused_with_all_of_its_tags(names: dict[str, t.Any]) -> None:
    adoption = adopt(stream(ObservedTag("v1", source=SOURCE), **names))

    assert adoption.refused
    assert "tags" not in adoption.variables
    assert [(one.tag, one.odd) for one in adoption.left_out] == [("v1", True)]
