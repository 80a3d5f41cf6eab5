# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every error that a real API server was recorded with becomes a sentence that keeps its words; no answer breaks the
making of one."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.error_text import (
    Answer,
    error_of,
    target_of,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiError,
    ApiNotServed,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

CASES = Path(__file__).resolve().parents[4] / "contract" / "cases"
CONNECTION = Connection(
    host="https://api.example.com:6443", token="never-in-a-sentence", credential_origin="the option api_key"
)
KINDS = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 422: Invalid}


def recorded() -> t.Iterator[t.Any]:
    for path in sorted(CASES.glob("*.json")):
        for number, step in enumerate(json.loads(path.read_text())["steps"]):
            if step["response"]["code"] >= 400 and "request" in step:
                yield pytest.param(step["request"], step["response"], id=f"{path.stem}-{number}")


def made(method: str, path: str, status: int, body: t.Any) -> ApiError:
    if isinstance(body, dict):
        answer = Answer(status, "application/json", "", body)
    else:
        answer = Answer(status, "text/plain", str(body), None, "is no JSON (text/plain)")
    return error_of(answer, target_of(method, path), CONNECTION, path)


@pytest.mark.parametrize(("request_", "response"), list(recorded()))
def test_a_recorded_error_keeps_the_servers_words(request_: dict[str, t.Any], response: dict[str, t.Any]) -> None:
    body = response["body"]
    error = made(request_["method"], request_["path"], response["code"], body)
    sentence = str(error)
    assert sentence.startswith("Cannot ")
    assert sentence.endswith(".")
    assert f"the API server {CONNECTION.host} answered {response['code']}" in sentence
    assert "never-in-a-sentence" not in sentence
    if isinstance(body, dict):
        assert error.__class__ is KINDS.get(response["code"], ApiError)
        assert body["message"].rstrip(".") in sentence
        assert (error.status, error.reason, error.server_message) == (response["code"], body["reason"], body["message"])
        for cause in body.get("details", {}).get("causes", []):
            assert cause["message"] in sentence
    else:
        assert error.__class__ is ApiNotServed
        assert body.strip() in sentence


def test_every_kind_of_error_was_recorded() -> None:
    codes = {param.values[1]["code"] for param in recorded()}
    assert set(KINDS) <= codes


RULE = "a rule of the cluster refuses it: do what the server says, or ask a cluster administrator."
ASK = 'ask for a role with the right to get secrets in namespace "a", or check that it exists.'
IMPERSONATE = (
    "the user that logs in needs the right to impersonate: ask a cluster administrator, or leave impersonate_user out."
)


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        (
            'secrets "b" is forbidden: User "bob" cannot get resource "secrets" in API group "" in the namespace "a"',
            ASK,
        ),
        ('secrets is forbidden: User "cannot impersonate us" cannot list resource "secrets"', ASK),
        ('User "bob" cannot get path "/"', ASK),
        (
            (
                'users "alice" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the '
                "cluster scope"
            ),
            IMPERSONATE,
        ),
        ('users "alice" is forbidden: User "a \\" cannot get \\" b" cannot impersonate resource "users"', IMPERSONATE),
        # foreign words at another place
        ('secrets "b" is forbidden: exceeded quota: impersonate, used: 1, limited: 1', RULE),
        ('admission webhook "x" denied the request: User "bob" cannot impersonate anybody', RULE),
        ('secrets "b" is forbidden: the team that owns it cannot allow this', RULE),
    ],
)
def test_a_remedy_is_for_the_servers_own_words_at_their_place(message: str, advice: str) -> None:
    body = {"kind": "Status", "reason": "Forbidden", "message": message}
    assert str(made("GET", "/api/v1/namespaces/a/secrets/b", 403, body)).endswith(f"; {advice}")


def test_a_page_that_quotes_the_server_is_not_the_server() -> None:
    text = "Blocked by policy: Client sent an HTTP request to an HTTPS server."
    assert "must begin with https://" not in str(made("GET", "/api/v1/namespaces/a/secrets/b", 400, text))
    assert "must begin with https://" in str(
        made("GET", "/api/v1/namespaces/a/secrets/b", 400, "Client sent an HTTP request to an HTTPS server.\n")
    )


def test_a_refusal_says_that_a_plugin_gave_the_identity() -> None:
    body = {
        "kind": "Status",
        "reason": "Forbidden",
        "message": 'secrets "b" is forbidden: User "bob" cannot get resource "secrets"',
    }
    origin = "the exec plugin of the user 'dev' of the kubeconfig /k"
    answer = Answer(403, "application/json", "", body)
    path = "/api/v1/namespaces/a/secrets/b"
    error = error_of(
        answer, target_of("GET", path), CONNECTION._replace(credential_origin=origin, by_plugin=True), path
    )
    assert str(error).endswith(f"or check that it exists; {origin} says who asks.")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/apis/config.openshift.io/v1/imagetagmirrorsets", "list image tag mirror sets"),
        ("/apis/config.openshift.io/v1/infrastructures/cluster", 'read infrastructure "cluster"'),
        ("/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies", "list imagecontentsourcepolicies"),
        ("/apis/image.openshift.io/v1/namespaces/shop/imagestreams", 'list image streams in namespace "shop"'),
    ],
)
def test_a_list_names_its_kind_in_the_plural(path: str, words: str) -> None:
    assert target_of("GET", path).described() == words


def test_a_sentence_is_bounded() -> None:
    causes = [{"field": f"spec.tags[{number}]", "message": f"Required value {number}"} for number in range(500)]
    error = made(
        "PUT",
        "/api/v1/namespaces/a/secrets/b",
        422,
        {"kind": "Status", "message": "m" * 100_000, "details": {"causes": causes}},
    )
    assert len(str(error)) < 6000
    assert "spec.tags[19]: Required value 19, and 480 more)" in str(error)
    assert error.server_message == "m" * 4000 + "..."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "field", "causes", "kind", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)
STATUS = st.fixed_dictionaries(
    {"kind": st.just("Status")}, optional={"message": JSON, "reason": JSON, "details": JSON, "code": JSON}
)


@examples
@given(
    st.sampled_from([300, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503]),
    STATUS | st.dictionaries(st.text(max_size=5), JSON) | st.text(),
)
def test_no_answer_breaks_the_sentence(code: int, body: t.Any) -> None:
    error = made("GET", "/apis/image.openshift.io/v1/namespaces/a/imagestreams/b", code, body)
    assert str(error).startswith('Cannot read image stream "b" in namespace "a": the API server ')
    assert json.dumps(error.results())
