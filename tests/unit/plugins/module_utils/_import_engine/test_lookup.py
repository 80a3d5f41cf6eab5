# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiOutcomeUnknown,
    ApiUnreachable,
    Forbidden,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.images import (
    Image,
    ImportFailure,
    Lookup,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._import_engine.stream_imports import look_up
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_cluster import Request, ScriptedCluster
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    HUB,
    IMPORTS,
    NAMESPACE,
    PRIVATE,
    WEB_V2,
    recorded,
    recorded_error,
)


def ask(source: str, mode: str | None = "Legacy", insecure: bool = False, **where: str) -> Lookup:
    return Lookup(NAMESPACE, f"{PRIVATE}/team/{source}", mode, insecure, **where)


def served(request: Request) -> dict[str, t.Any]:
    """Answer a lookup: a digest made of the source's tag for each image."""

    def image(entry: dict[str, t.Any]) -> dict[str, t.Any]:
        source = entry["from"]["name"]
        digest = f"sha256:{source.rpartition(':')[2]}"
        return {
            "status": {"status": "Success"},
            "image": {"metadata": {"name": digest}, "dockerImageReference": f"{source.rpartition(':')[0]}@{digest}"},
        }

    return {"spec": request.body["spec"], "status": {"images": [image(entry) for entry in request.images]}}


def test_questions_of_one_kind_travel_in_requests_of_three() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, *[served] * 3)
    questions = [ask(f"web:v{number}") for number in range(7)]
    answers = look_up(cluster.client, questions, 2, 30)
    assert [t.cast(Image, answers[question]).digest for question in questions] == [
        f"sha256:v{number}" for number in range(7)
    ]
    assert sorted(len(request.images) for request in cluster.sent) == [1, 3, 3]
    assert cluster.writes == []
    assert {request.query["timeout"] for request in cluster.sent} == {"30s"}
    cluster.assert_all_asked()


def test_a_question_asked_twice_is_sent_once() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, served)
    assert len(look_up(cluster.client, [ask("web:v1"), ask("web:v1")], 1, 30)) == 1
    assert len(cluster.sent[0].images) == 1


def test_one_request_never_asks_one_repository_securely_and_insecurely() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, served, served)
    answers = look_up(cluster.client, [ask("web:v1"), ask("web:v1", insecure=True)], 1, 30)
    assert len(answers) == 2
    assert [len(request.images) for request in cluster.sent] == [1, 1]


def test_a_question_about_a_preferred_platform_names_the_stream_and_tag_that_carry_the_preference() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, served, served)
    look_up(cluster.client, [ask("web:v1", stream="web", tag="stable"), ask("web:v1")], 1, 30)
    named = {request.body["metadata"]["name"]: request.images[0]["to"]["name"] for request in cluster.sent}
    assert named["web"] == "stable"
    (other,) = set(named) - {"web"}
    assert named[other] != "stable"


def test_questions_of_two_namespaces_use_the_credentials_of_their_own() -> None:
    elsewhere = IMPORTS.replace(NAMESPACE, "billing")
    cluster = ScriptedCluster().on("POST", IMPORTS, served).on("POST", elsewhere, served)
    look_up(cluster.client, [ask("web:v1"), Lookup("billing", f"{PRIVATE}/team/web:v1", "Legacy", False)], 1, 30)
    cluster.assert_all_asked()


def test_an_image_that_failed_beside_others_is_asked_for_alone() -> None:
    beside = recorded("hub_second_pass", 3)
    cluster = ScriptedCluster().on("POST", IMPORTS, beside, recorded("lookup_without_import", 1))
    public, good = Lookup(NAMESPACE, f"{HUB}/public/plain:v2", None, False), ask("web:v2", None)
    answers = look_up(cluster.client, [public, good], 1, 30)
    assert isinstance(answers[public], Image)
    assert isinstance(answers[good], Image)
    assert [[entry["from"]["name"] for entry in request.images] for request in cluster.sent] == [
        [f"{HUB}/public/plain:v2", f"{PRIVATE}/team/web:v2"],
        [f"{PRIVATE}/team/web:v2"],
    ]


def test_an_image_that_failed_alone_is_not_asked_for_again() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("lookup_without_import", 3))
    answers = look_up(cluster.client, [ask("web:nope")], 1, 30)
    assert answers == {
        ask("web:nope"): ImportFailure(
            "NotFound", f'dockerimage.image.openshift.io "{PRIVATE}/team/web:nope" not found'
        )
    }
    cluster.assert_all_asked()


def test_a_refusal_of_the_whole_request_is_divided() -> None:
    refused = recorded_error("invalid_requests", 5)
    cluster = ScriptedCluster().on("POST", IMPORTS, refused, served, recorded_error("invalid_requests", 5))
    good, bad = ask("web:v1"), ask("web:bad")
    answers = look_up(cluster.client, [good, bad], 1, 30)
    assert isinstance(answers[good], Image)
    assert answers[bad] == ImportFailure("Invalid", refused.server_message)


def test_a_request_without_rights_gives_its_error_and_does_not_hide_the_others() -> None:
    elsewhere = IMPORTS.replace(NAMESPACE, "closed")
    cluster = ScriptedCluster().on("POST", elsewhere, recorded_error("access_denied", 4)).on("POST", IMPORTS, served)
    closed, good = Lookup("closed", f"{PRIVATE}/team/web:v1", "Legacy", False), ask("web:v1")
    answers = look_up(cluster.client, [closed, good], 1, 30)
    assert isinstance(answers[closed], Forbidden)
    assert isinstance(answers[good], Image)


def test_a_lookup_without_an_answer_is_an_error_of_its_images() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, ApiOutcomeUnknown("no answer"))
    assert isinstance(look_up(cluster.client, [ask("web:v1")], 1, 30)[ask("web:v1")], ApiOutcomeUnknown)


@pytest.mark.parametrize("error", [ApiUnreachable("gone"), recorded_error("access_denied", 0)])
def test_what_no_other_request_would_survive_ends_the_lookups(error: Exception) -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, error)
    with pytest.raises((ApiUnreachable, Unauthorized)):
        look_up(cluster.client, [ask("web:v1")], 1, 30)


def test_no_question_is_no_request() -> None:
    cluster = ScriptedCluster()
    assert look_up(cluster.client, [], 8, 30) == {}
    assert cluster.sent == []


def test_the_answer_is_the_recorded_one() -> None:
    cluster = ScriptedCluster().on("POST", IMPORTS, recorded("access_import_only", 1))
    answer = look_up(cluster.client, [ask("web:v2")], 1, 30)[ask("web:v2")]
    assert isinstance(answer, Image)
    assert (answer.digest, answer.reference) == (WEB_V2, f"{PRIVATE}/team/web@{WEB_V2}")
