# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client at HTTP level: exact requests, their order, retries and waits, and the exact sentence of every error."""

from __future__ import annotations

import gzip
import json
import re
import threading
import typing as t

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import client as cluster_client
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import (
    MERGE_PATCH,
    STRATEGIC_MERGE,
    ClusterClient,
    RetryPolicy,
    core_path,
    image_path,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import (
    Connection,
    Impersonation,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    NOT_SERVED,
    ApiError,
    ApiNotServed,
    ApiOutcomeUnknown,
    ApiUnreachable,
    ConfigurationError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._http import answers
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    OBJECT,
    Reply,
    ScriptedServer,
)

MakeClient = t.Callable[..., t.Any]
STREAM = image_path("shop", "imagestreams", "web")
IMPORTS = image_path("shop", "imagestreamimports")
LIST = {"kind": "SecretList", "apiVersion": "v1"}


def status(code: int, reason: str, message: str, **details: t.Any) -> Reply:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return Reply(code, {**body, "details": details} if details else body)


def connection_to(api: ScriptedServer, **parts: t.Any) -> Connection:
    return Connection(
        **{"host": api.url, "token": "t0ken-of-a-test", "credential_origin": "the option api_key", **parts}
    )


@pytest.fixture
def client(api: ScriptedServer, make_client: MakeClient) -> ClusterClient:
    made: ClusterClient = make_client(connection_to(api))
    return made


# ---- requests as they go out


def test_a_read_sends_exactly_these_headers(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [
        Reply(body={"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": {"name": "web"}})
    ]
    assert client.get(STREAM) == {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "web"},
    }
    (asked,) = api.asked
    assert (asked.method, asked.path, asked.body) == ("GET", STREAM, b"")
    assert asked.headers == [
        ("Host", f"127.0.0.1:{api.port}"),
        ("User-Agent", "ansible-quayside.openshift_images"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
        ("Authorization", "Bearer t0ken-of-a-test"),
    ]


def test_every_verb_with_its_body_and_content_type(api: ScriptedServer, client: ClusterClient) -> None:
    client.create(core_path("shop", "secrets"), {"metadata": {"name": "ä"}})
    client.replace(core_path("shop", "secrets", "pull"), {"a": 1})
    client.patch(STREAM, {"spec": {}}, MERGE_PATCH)
    client.patch(STREAM, {"spec": {}}, STRATEGIC_MERGE, query={"fieldValidation": "Strict"})
    client.delete(STREAM)
    client.delete(STREAM, body={"preconditions": {"uid": "1"}})
    client.request("POST", IMPORTS, query={"timeout": "300s"}, body={}, repeatable=False)
    assert [(asked.method, asked.path, asked.body, asked.values("Content-Type")) for asked in api.asked] == [
        ("POST", "/api/v1/namespaces/shop/secrets", '{"metadata":{"name":"ä"}}'.encode(), ["application/json"]),
        ("PUT", "/api/v1/namespaces/shop/secrets/pull", b'{"a":1}', ["application/json"]),
        ("PATCH", STREAM, b'{"spec":{}}', ["application/merge-patch+json"]),
        ("PATCH", f"{STREAM}?fieldValidation=Strict", b'{"spec":{}}', ["application/strategic-merge-patch+json"]),
        ("DELETE", STREAM, b"", []),
        ("DELETE", STREAM, b'{"preconditions":{"uid":"1"}}', ["application/json"]),
        ("POST", f"{IMPORTS}?timeout=300s", b"{}", ["application/json"]),
    ]
    assert client.requests_sent == 7
    assert api.connections == 1


def test_an_encoded_segment_arrives_as_it_was_encoded(api: ScriptedServer, client: ClusterClient) -> None:
    client.get(core_path("shop", "secrets", "a/b?c#d%e"))
    client.get(image_path("shop", "imagestreamtags", "web:1.0"))
    assert [asked.path for asked in api.asked] == [
        "/api/v1/namespaces/shop/secrets/a%2Fb%3Fc%23d%25e",
        "/apis/image.openshift.io/v1/namespaces/shop/imagestreamtags/web:1.0",
    ]


def test_a_path_of_the_host_stays_in_front(api: ScriptedServer, make_client: MakeClient) -> None:
    make_client(connection_to(api, host=f"{api.url}/k8s/clusters/c-1")).get(STREAM)
    assert api.asked[0].path == f"/k8s/clusters/c-1{STREAM}"


def test_impersonation_sends_one_header_for_each_group(api: ScriptedServer, make_client: MakeClient) -> None:
    impersonation = Impersonation("jürgen", ("system:masters", "dev,ops"), "42", (("scopes", "a"), ("scopes", "b")))
    make_client(connection_to(api, impersonation=impersonation)).get(STREAM)
    assert [
        (name, value.encode("latin-1").decode())
        for name, value in api.asked[0].headers
        if name.startswith("Impersonate")
    ] == [
        ("Impersonate-User", "jürgen"),
        ("Impersonate-Group", "system:masters"),
        ("Impersonate-Group", "dev,ops"),
        ("Impersonate-Uid", "42"),
        ("Impersonate-Extra-scopes", "a"),
        ("Impersonate-Extra-scopes", "b"),
    ]


def test_basic_authentication(api: ScriptedServer, make_client: MakeClient) -> None:
    make_client(connection_to(api, token=None, username="bob", password="pa:ss")).get(STREAM)
    assert api.asked[0].values("Authorization") == ["Basic Ym9iOnBhOnNz"]


def test_the_surroundings_take_no_part(
    api: ScriptedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    api.replies = [Reply(headers={"Set-Cookie": "session=1"}), Reply()]
    client = make_client(connection_to(api))
    client.get(STREAM)
    client.get(STREAM)
    assert [asked.values("Authorization") for asked in api.asked] == [["Bearer t0ken-of-a-test"]] * 2
    assert [asked.values("Cookie") for asked in api.asked] == [[], []]


def test_threads_share_connections_and_the_counter(api: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(connection_to(api), pool_size=3)
    threads = [threading.Thread(target=lambda: [client.get(STREAM) for _turn in range(5)]) for _thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.requests_sent == len(api.asked) == 30
    assert api.connections <= 3


# ---- lists


def named(name: str) -> dict[str, t.Any]:
    """Return an item of a list."""
    return {"metadata": {"name": name}}


def test_a_list_is_one_call_without_a_limit(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [Reply(body={**LIST, "metadata": {"resourceVersion": "5"}, "items": [named("a"), named("b")]})]
    assert client.list_items(core_path("shop", "secrets"), query={"labelSelector": "a=b"}) == [named("a"), named("b")]
    assert [asked.path for asked in api.asked] == ["/api/v1/namespaces/shop/secrets?labelSelector=a%3Db"]


def test_a_list_without_items_is_empty(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [Reply(body={**LIST, "metadata": {}, "items": None})]
    assert client.list_items(core_path("shop", "secrets")) == []


def test_a_list_is_continued(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [
        Reply(body={**LIST, "metadata": {"continue": "abc=="}, "items": [named("1")]}),
        Reply(body={**LIST, "metadata": {"continue": ""}, "items": [named("2")]}),
    ]
    assert client.list_items(core_path("shop", "secrets")) == [named("1"), named("2")]
    assert [asked.path for asked in api.asked] == [
        "/api/v1/namespaces/shop/secrets",
        "/api/v1/namespaces/shop/secrets?continue=abc%3D%3D",
    ]


def test_a_list_that_expired_begins_again_once(api: ScriptedServer, client: ClusterClient) -> None:
    expired = status(410, "Expired", "The provided continue parameter is too old")
    first = Reply(body={**LIST, "metadata": {"continue": "x"}, "items": [named("1")]})
    api.replies = [first, expired, Reply(body={**LIST, "metadata": {}, "items": [named("1"), named("2")]})]
    assert client.list_items(core_path("shop", "secrets")) == [named("1"), named("2")]
    api.replies = [first, expired, first, expired]
    with pytest.raises(ApiError, match="The provided continue parameter is too old"):
        client.list_items(core_path("shop", "secrets"))


def test_a_list_without_end_ends(api: ScriptedServer, client: ClusterClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client.MAX_PAGES", 3
    )
    api.replies = [Reply(body={**LIST, "metadata": {"continue": "x"}, "items": []})]
    with pytest.raises(ApiError) as caught:
        client.list_items(core_path("shop", "secrets"))
    assert (
        str(caught.value)
        == 'Cannot list secrets in namespace "shop": the API server\'s list has no end after 3 pages; run the task '
        "again."
    )
    assert len(api.asked) == 3


# ---- retries


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("repeatable", [True, False])
def test_busy_answers_are_tried_again_always(api: ScriptedServer, client: t.Any, code: int, repeatable: bool) -> None:
    api.replies = [status(code, "Busy", "later")] * 3 + [Reply(body={**OBJECT, "done": True})]
    assert client.request("POST", IMPORTS, body={}, repeatable=repeatable) == {**OBJECT, "done": True}
    assert len(api.asked) == 4
    first, second, third = client.waits
    assert 0.25 <= first <= 0.5 <= second <= 1.0 <= third <= 2.0


def test_retry_after_is_honoured_within_bounds(api: ScriptedServer, client: t.Any) -> None:
    for asked_for in ("2", "3600", "9" * 5000, "Wed, 21 Oct 2465 07:28:00 GMT"):
        api.replies = [Reply(429, {}, {"Retry-After": asked_for}), Reply()]
        client.get(STREAM)
    two, *capped = client.waits
    assert 2.0 <= two <= 2.5
    assert all(20.0 <= wait <= 21.0 for wait in capped)


@pytest.mark.parametrize(
    "nothing",
    ["0", "-5", "1e3", "soon", "\u00b2", "Wed, 21 Oct 1965 07:28:00 GMT", "Wed, 21 Oct 2065 07:28:00 +999999999999"],
)
def test_a_retry_after_that_names_no_time_to_wait_is_passed_over(
    api: ScriptedServer, client: t.Any, nothing: str
) -> None:
    api.replies = [Reply(429, {}, {"Retry-After": nothing}), Reply()]
    client.get(STREAM)
    (wait,) = client.waits
    assert 0.25 <= wait <= 0.5


def test_the_whole_wait_is_bounded(api: ScriptedServer, client: t.Any) -> None:
    api.replies = [
        Reply(429, {"kind": "Status", "message": "too many", "reason": "TooManyRequests"}, {"Retry-After": "19"})
    ]
    with pytest.raises(ApiError) as caught:
        client.get(STREAM)
    assert sum(client.waits) <= 60
    assert len(client.waits) == 3
    assert str(caught.value) == (
        f'Cannot read image stream "web" in namespace "shop": the API server {api.url} answered 429 TooManyRequests: '
        "too many; it is overloaded and asked to come back later; lower the concurrency or run the task again."
    )


def test_the_number_of_tries_is_bounded(api: ScriptedServer, client: t.Any) -> None:
    api.replies = [status(503, "ServiceUnavailable", "the server is currently unable to handle the request")]
    with pytest.raises(ApiError) as caught:
        client.get(STREAM)
    assert len(api.asked) == 8
    assert str(caught.value) == (
        f'Cannot read image stream "web" in namespace "shop": the API server {api.url} answered 503 '
        "ServiceUnavailable: the server is currently unable to handle the request; it is not ready or did not answer "
        "in time: run the task again, and look at the state of the API (oc get apiservice v1.image.openshift.io, oc "
        "get clusteroperator openshift-apiserver) if it stays."
    )


@pytest.mark.parametrize("code", [500, 502, 504])
def test_what_may_have_been_done_is_repeated_only_where_that_is_harmless(
    api: ScriptedServer, client: t.Any, code: int
) -> None:
    api.replies = [status(code, "InternalError", "boom"), Reply(body={**OBJECT, "done": True})]
    assert client.request("PUT", STREAM, body={}) == {**OBJECT, "done": True}
    api.replies = [status(code, "InternalError", "boom"), Reply(body={**OBJECT, "done": True})]
    with pytest.raises(ApiOutcomeUnknown if code != 500 else ApiError):
        client.request("POST", IMPORTS, body={}, repeatable=False)
    assert len(api.asked) == 3


def test_an_import_that_timed_out_in_the_server_may_have_been_carried_out(api: ScriptedServer, client: t.Any) -> None:
    api.replies = [status(504, "Timeout", "Timeout: request did not complete within requested timeout 34s")]
    with pytest.raises(ApiOutcomeUnknown) as caught:
        client.request("POST", IMPORTS, body={"metadata": {"name": "web"}}, repeatable=False)
    assert str(caught.value) == (
        f'Cannot create image stream import "web" in namespace "shop": the API server {api.url} answered 504 before '
        "the work was done: Timeout: request did not complete within requested timeout 34s; it may have been carried "
        "out, so run the task again to see."
    )


@pytest.mark.parametrize(
    ("text", "tried_again"),
    [
        ("error trying to reach service: dial tcp 10.0.0.1:8443: connect: connection refused", True),
        ("error trying to reach service: EOF", False),
    ],
)
def test_a_lost_aggregated_server_counts_as_unknown_unless_it_was_not_even_reached(
    api: ScriptedServer, client: t.Any, text: str, tried_again: bool
) -> None:
    api.replies = [Reply(503, text.encode(), content_type="text/plain"), Reply(body={**OBJECT, "done": True})]
    if tried_again:
        assert client.request("POST", IMPORTS, body={}, repeatable=False) == {**OBJECT, "done": True}
    else:
        with pytest.raises(ApiOutcomeUnknown, match="error trying to reach service: EOF; it may have been carried out"):
            client.request("POST", IMPORTS, body={}, repeatable=False)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        # what the system says first is chance
        ("reset", "Connection reset by peer|Remote end closed connection without response"),
        ("hang up", "Connection reset by peer|Remote end closed connection without response"),
        ("stop early", r"the answer is shorter than announced|IncompleteRead\(1 bytes read"),
    ],
)
def test_a_broken_connection(api: ScriptedServer, client: t.Any, action: str, why: str) -> None:
    api.replies = [Reply(body=b"{}", action=action), Reply(body={**OBJECT, "done": True})]
    assert client.get(STREAM) == {**OBJECT, "done": True}
    api.replies = [Reply(body=b"{}", action=action), Reply(body={**OBJECT, "done": True})]
    with pytest.raises(ApiOutcomeUnknown) as caught:
        client.request("POST", IMPORTS, body={"metadata": {"name": "web"}}, repeatable=False)
    assert str(caught.value).startswith(
        f'Cannot create image stream import "web" in namespace "shop": the connection to the API server {api.url} '
        "broke off before a complete answer came ("
    )
    hint = "" if action == "stop early" else "; the option host begins with http://, and API servers speak https"
    assert re.search(
        rf"\(.*({why}).*\){hint}; it may have been carried out, so run the task again to see\.$", str(caught.value)
    )
    api.replies = [Reply(action=action)]
    with pytest.raises(ApiUnreachable, match=r"\(tried 4 times\)\.$"):
        client.get(STREAM)


def test_a_refused_connection_is_tried_again_even_for_an_import(make_client: MakeClient, free_port: int) -> None:
    client = make_client(Connection(host=f"https://127.0.0.1:{free_port}", token="t"))
    with pytest.raises(ApiUnreachable) as caught:
        client.request("POST", IMPORTS, body={}, repeatable=False)
    assert str(caught.value) == (
        f'Cannot create an image stream import in namespace "shop": the API server https://127.0.0.1:{free_port} '
        "refused the connection; check the option host and its port, and that it runs (tried 4 times)."
    )
    assert client.requests_sent == 4


def test_an_answer_that_does_not_come_in_time(api: ScriptedServer, make_client: MakeClient) -> None:
    api.replies = [Reply(body=b"xx", action="drip", headers={"Content-Length": "1000"})]
    client = make_client(connection_to(api))
    with pytest.raises(ApiUnreachable) as caught:
        client.get(STREAM, timeout=0.1)
    assert str(caught.value) == (
        f'Cannot read image stream "web" in namespace "shop": the API server {api.url} did not answer completely '
        "within 0.1 seconds (tried 2 times)."
    )
    with pytest.raises(ApiOutcomeUnknown, match=r"within 0.1 seconds; it may have been carried out"):
        client.request("POST", IMPORTS, body={}, timeout=0.1, repeatable=False)


def test_an_answer_that_drips_meets_a_deadline(
    api: ScriptedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, quick: RetryPolicy
) -> None:
    monkeypatch.setattr(answers, "BODY_TIME", 0.0)
    api.replies = [Reply(body=b'"' + b"x" * 200 + b'"', action="drip")]
    with pytest.raises(ApiUnreachable, match=r"did not answer completely within 0.3 seconds \(tried 2 times\)"):
        make_client(connection_to(api), retry=quick).get(STREAM, timeout=0.3)


ENDLESS = {
    "status line": [b"HTTP/1.1 ", *[b"0"] * 400],
    "header": [b"HTTP/1.1 200 OK\r\nX-Long: ", *[b"x"] * 400],
    "headers": [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 99, *[b"x"] * 400],
    "announcements": [b"HTTP/1.1 100 Continue\r\n\r\n"] * 400,
    "chunk": [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"0"] * 400,
    ],
    "trailers": [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
        *[b"X: y\r\n"] * 400,
    ],
}


@pytest.mark.parametrize("part", ENDLESS)
def test_whatever_part_of_an_answer_drips_meets_a_deadline(
    api: ScriptedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, quick: RetryPolicy, part: str
) -> None:
    monkeypatch.setattr(answers, "BODY_TIME", 0.0)
    api.replies = [Reply(body=ENDLESS[part], action="raw")]
    with pytest.raises(ApiUnreachable, match=r"did not answer completely within 0.3 seconds \(tried 2 times\)"):
        make_client(connection_to(api), retry=quick).get(STREAM, timeout=0.3)


def test_a_line_between_the_chunks_of_an_answer_has_an_end(
    api: ScriptedServer, make_client: MakeClient, quick: RetryPolicy
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;"
    api.replies = [Reply(body=[head, b"x" * 70_000, b"x" * 70_000], action="raw")]
    with pytest.raises(ApiUnreachable, match="broke off before a complete answer came"):
        make_client(connection_to(api), retry=quick).get(STREAM)


def test_a_status_line_that_is_none_is_quoted_within_bounds(
    api: ScriptedServer, make_client: MakeClient, quick: RetryPolicy
) -> None:
    api.replies = [Reply(body=[b"no HTTP, Bearer dummy-token-of-somebody" + b"x" * 50_000 + b"\r\n\r\n"], action="raw")]
    with pytest.raises(ApiUnreachable, match=r"complete answer came \(no HTTP, Bearer \*{8}\).* \(tried 2 times\)"):
        make_client(connection_to(api), retry=quick).get(STREAM)


@pytest.mark.parametrize("digits", [18, 5000])
def test_a_length_of_many_digits(api: ScriptedServer, make_client: MakeClient, quick: RetryPolicy, digits: int) -> None:
    api.replies = [Reply(body=b"{}", action="stop early", headers={"Content-Length": "9" * digits})]
    with pytest.raises(ApiUnreachable, match="broke off before a complete answer came"):
        make_client(connection_to(api), retry=quick).get(STREAM)


# ---- 401 and fresh tokens


def test_a_refused_token_is_not_tried_again(api: ScriptedServer, client: t.Any) -> None:
    api.replies = [status(401, "Unauthorized", "Unauthorized")]
    with pytest.raises(Unauthorized) as caught:
        client.get(STREAM)
    assert str(caught.value) == (
        f'Cannot read image stream "web" in namespace "shop": the API server {api.url} answered 401 Unauthorized: '
        "Unauthorized; the bearer token of the option api_key is wrong or has expired: log in again and pass the new "
        "one (oc whoami --show-token)."
    )
    assert len(api.asked) == 1
    assert client.waits == []
    assert "t0ken-of-a-test" not in str(caught.value) + repr(caught.value.results())


def test_a_token_that_rotates_is_read_again_once(api: ScriptedServer, make_client: MakeClient) -> None:
    tokens = iter(["second", "third"])
    client = make_client(connection_to(api, token="first", renew_token=lambda: next(tokens)))
    refused = status(401, "Unauthorized", "Unauthorized")
    api.replies = [refused, Reply(), Reply(), refused, refused]
    client.get(STREAM)
    client.get(STREAM)
    with pytest.raises(Unauthorized):
        client.get(STREAM)
    assert [asked.values("Authorization") for asked in api.asked] == [
        ["Bearer first"], ["Bearer second"], ["Bearer second"], ["Bearer second"], ["Bearer third"],
    ]  # fmt: skip


def test_an_unchanged_token_is_not_sent_again(api: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(connection_to(api, token="same", renew_token=lambda: "same"))
    api.replies = [status(401, "Unauthorized", "Unauthorized")]
    with pytest.raises(Unauthorized):
        client.get(STREAM)
    assert len(api.asked) == 1


def test_a_source_that_has_no_token_any_more_says_so(api: ScriptedServer, make_client: MakeClient) -> None:
    def gone() -> str:
        raise ConfigurationError("The token file is empty.")

    api.replies = [status(401, "Unauthorized", "Unauthorized")]
    with pytest.raises(ConfigurationError, match="The token file is empty"):
        make_client(connection_to(api, renew_token=gone)).get(STREAM)


# ---- errors as sentences


BETWEEN = "check what stands between this machine and the API server, such as a proxy."
FORBIDDEN = (
    'imagestreams.image.openshift.io "web" is forbidden: User "dev" cannot get resource "imagestreams" in API group'
    ' "image.openshift.io" in the namespace "shop"'
)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (
            status(403, "Forbidden", FORBIDDEN, name="web", group="image.openshift.io", kind="imagestreams"),
            Forbidden,
            (
                f"403 Forbidden: {FORBIDDEN}; ask for a role with the right to get imagestreams.image.openshift.io in "
                'namespace "shop",'
                " or check that it exists."
            ),
        ),
        (
            status(404, "NotFound", 'imagestreams.image.openshift.io "web" not found', name="web", kind="imagestreams"),
            NotFound,
            '404 NotFound: imagestreams.image.openshift.io "web" not found; check the name and the namespace.',
        ),
        (
            status(404, "NotFound", 'namespaces "shop" not found', name="shop", kind="namespaces"),
            NotFound,
            '404 NotFound: namespaces "shop" not found; create the namespace "shop" first, or correct its name.',
        ),
        (
            Reply(404, b"404 page not found\n", content_type="text/plain; charset=utf-8"),
            ApiNotServed,
            (
                "404: 404 page not found; this cluster does not serve the image API (image.openshift.io/v1): it is "
                "plain Kubernetes and not OpenShift, or host is not an OpenShift API server."
            ),
        ),
        (
            status(409, "Conflict", "the image stream was updated"),
            Conflict,
            (
                "409 Conflict: the image stream was updated; it was changed by somebody else at the same time; run the "
                "task again."
            ),
        ),
        (
            status(409, "AlreadyExists", 'imagestreams "web" already exists'),
            Conflict,
            (
                '409 AlreadyExists: imagestreams "web" already exists; it was created by somebody else at the same '
                "time; run the task again."
            ),
        ),
        (
            status(
                422,
                "Invalid",
                'ImageStream "web" is invalid',
                causes=[
                    {"reason": "FieldValueInvalid", "message": "Invalid value: 1: no", "field": "spec.tags[0].from"},
                    {"message": "Required value", "field": "spec.tags[1].name"},
                    {"message": "whole thing is odd"},
                ],
            ),
            Invalid,
            (
                '422 Invalid: ImageStream "web" is invalid (spec.tags[0].from: Invalid value: 1: no; '
                "spec.tags[1].name: Required value; whole thing is odd); correct the values that the server names."
            ),
        ),
        (
            status(
                422,
                "Invalid",
                'ImageStream "web" is invalid: spec: Required value',
                causes=[{"message": "Required value", "field": "spec"}],
            ),
            Invalid,
            (
                '422 Invalid: ImageStream "web" is invalid: spec: Required value; correct the values that the server '
                "names."
            ),
        ),
        (
            status(400, "BadRequest", "bad thing."),
            ApiError,
            "400 BadRequest: bad thing; the API server did not accept the request.",
        ),
        (
            Reply(400, b"Client sent an HTTP request to an HTTPS server.\n", content_type=""),
            ApiError,
            "400: Client sent an HTTP request to an HTTPS server; the option host must begin with https://.",
        ),
        (
            Reply(302, b"", {"Location": "https://console.example.com/login?state=abc"}, content_type=""),
            ApiError,
            (
                "302; this is not an API server (it redirects to https://console.example.com/login); set the option "
                "host to the address of the API, such as https://api.cluster.example.com:6443."
            ),
        ),
        (
            Reply(404, b"<html><head><title>Not\n here</title></head></html>", content_type="text/html"),
            ApiNotServed,
            (
                '404: a web page ("Not here"); this is not an API server; set the option host to the address of the '
                "API, such as https://api.cluster.example.com:6443."
            ),
        ),
    ],
)
def test_an_error_is_one_sentence(
    api: ScriptedServer, client: ClusterClient, reply: Reply, kind: type[ApiError], said: str
) -> None:
    api.replies = [reply]
    with pytest.raises(ApiError) as caught:
        client.get(STREAM)
    assert caught.type is kind
    assert (
        str(caught.value)
        == f'Cannot read image stream "web" in namespace "shop": the API server {api.url} answered {said}'
    )
    assert len(api.asked) == 1
    assert caught.value.results()["status"] == reply.status


@pytest.mark.parametrize(
    ("reply", "kind", "facts"),
    [
        (
            status(404, "NotFound", 'secrets "robot" not found', name="robot", kind="secrets"),
            NotFound,
            {"status": 404, "reason": "NotFound", "error": 'secrets "robot" not found'},
        ),
        (status(404, "NotFound", NOT_SERVED), ApiNotServed, {"status": 404, "reason": "NotFound", "error": NOT_SERVED}),
        (
            Reply(404, b"404 page not found\n", content_type="text/plain"),
            ApiNotServed,
            {"status": 404, "reason": "", "error": "404 page not found"},
        ),
    ],
)
def test_what_is_not_there_says_so(
    api: ScriptedServer, client: ClusterClient, reply: Reply, kind: type[ApiError], facts: dict[str, t.Any]
) -> None:
    api.replies = [reply]
    with pytest.raises(ApiError) as caught:
        client.get(STREAM)
    assert caught.type is kind
    assert caught.value.results() == facts
    assert caught.value.message == str(caught.value)
    assert caught.value.message.startswith('Cannot read image stream "web" in namespace "shop": ')


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            Reply(200, b"<!DOCTYPE html><title>Red Hat OpenShift</title>", content_type="text/html; charset=utf-8"),
            (
                'is a web page ("Red Hat OpenShift"), so this is not an API server; set the option host to the address '
                "of the API, such as https://api.cluster.example.com:6443."
            ),
        ),
        (
            Reply(200, b"hello", content_type="text/plain"),
            (
                "is no JSON (text/plain), so this is not an API server; set the option host to the address of the API, "
                "such as https://api.cluster.example.com:6443."
            ),
        ),
        (Reply(200, b'{"a": ', content_type="application/json"), f"is not valid JSON; {BETWEEN}"),
        (Reply(200, b'"\xff"', content_type="application/json"), f"is not UTF-8 text; {BETWEEN}"),
        (Reply(200, b"[1]", content_type="application/json"), f"is not a JSON object; {BETWEEN}"),
        (Reply(200, b"[" * 50_000, content_type="application/json"), f"is not valid JSON; {BETWEEN}"),
    ],
)
def test_a_success_that_is_no_answer_of_an_api(
    api: ScriptedServer, client: ClusterClient, reply: Reply, said: str
) -> None:
    api.replies = [reply]
    with pytest.raises(ApiError) as caught:
        client.get(STREAM)
    assert (
        str(caught.value) == f'Cannot read image stream "web" in namespace "shop": the answer of {api.url} (200) {said}'
    )


def test_bodies_are_bounded(api: ScriptedServer, client: ClusterClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_client, "JSON_LIMIT", 1000)
    api.replies = [Reply(200, {"a": "b" * 2000})]
    with pytest.raises(ApiError, match=r"the answer of \S+ \(200\) is longer than 1000 bytes"):
        client.get(STREAM)
    api.replies = [
        Reply(200, gzip.compress(json.dumps({**OBJECT, "a": "b" * 100_000}).encode()), {"Content-Encoding": "gzip"})
    ]
    with pytest.raises(ApiError, match="is longer than 1000 bytes"):
        client.get(STREAM)
    api.replies = [Reply(500, b"x" * 1_000_000, content_type="text/plain")]
    with pytest.raises(ApiError) as caught:
        client.request("POST", IMPORTS, body={}, repeatable=False)
    assert len(str(caught.value)) < 600


def test_compressed_answers_are_read(api: ScriptedServer, client: ClusterClient) -> None:
    body = b'{"kind":"ImageStream","apiVersion":"image.openshift.io/v1","metadata":{"name":"web"}}'
    api.replies = [Reply(200, gzip.compress(body), {"Content-Encoding": "gzip"})]
    assert client.get(STREAM) == {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "web"},
    }


def test_anonymous_requests_say_so(api: ScriptedServer, make_client: MakeClient) -> None:
    client = make_client(connection_to(api, token=None, credential_origin=""))
    api.replies = [
        status(403, "Forbidden", 'secrets is forbidden: User "system:anonymous" cannot list resource "secrets"')
    ]
    with pytest.raises(Forbidden) as caught:
        client.list_items(core_path("shop", "secrets"))
    assert str(caught.value).endswith(
        "; no credential was configured, so the request was anonymous: set the option api_key (or K8S_AUTH_API_KEY), "
        "or name a kubeconfig."
    )
    assert api.asked[0].values("Authorization") == []


def test_a_quota_is_no_matter_of_rights(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [status(403, "Forbidden", 'imagestreams "web" is forbidden: exceeded quota: images')]
    with pytest.raises(
        Forbidden,
        match="exceeded quota: images; a rule of the cluster refuses it: do what the server says, or ask a cluster",
    ):
        client.get(STREAM)


def test_the_right_to_impersonate(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [
        status(
            403,
            "Forbidden",
            'users "bob" is forbidden: User "dev" cannot impersonate resource "users" in API group "" at the cluster '
            "scope",
        )
    ]
    with pytest.raises(
        Forbidden, match="needs the right to impersonate: ask a cluster administrator, or leave impersonate_user out"
    ):
        client.get(STREAM)


# ---- warnings


def test_warnings_of_the_api_server_come_through_once(api: ScriptedServer, make_client: MakeClient) -> None:
    warned: list[str] = []
    client = make_client(connection_to(api), warn=warned.append)
    header = '299 - "v1beta1 is \\"old\\", use v1", 299 - "second"'
    api.replies = [
        Reply(headers={"Warning": header}),
        Reply(headers={"Warning": '299 - "second"'}),
        Reply(headers={"Warning": "nonsense"}),
    ]
    for _turn in range(3):
        client.get(STREAM)
    assert warned == ['The API server warns: v1beta1 is "old", use v1', "The API server warns: second"]


def test_a_flood_of_warnings_is_bounded(api: ScriptedServer, make_client: MakeClient) -> None:
    warned: list[str] = []
    client = make_client(connection_to(api), warn=warned.append)
    api.replies = [Reply(headers={"Warning": ", ".join(f'299 - "{number}{"x" * 900}"' for number in range(60))})]
    client.get(STREAM)
    assert len(warned) == 50
    assert max(map(len, warned)) < 550


# ---- what answers without being the API


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        ({"error": "try again", "code": 7}, "is JSON without the kind and apiVersion that every object of the API has"),
        ({}, "is JSON without the kind and apiVersion that every object of the API has"),
        ({"kind": "Secret"}, "is JSON without the kind and apiVersion that every object of the API has"),
        (
            {"kind": ["Secret"], "apiVersion": "v1"},
            "is JSON without the kind and apiVersion that every object of the API has",
        ),
        ({"kind": "", "apiVersion": "v1"}, "is JSON without the kind and apiVersion that every object of the API has"),
        ({**OBJECT, "metadata": "x"}, "is no Secret of the API: metadata is a string and not an object"),
        ({**OBJECT, "metadata": [1]}, "is no Secret of the API: metadata is a list and not an object"),
        ({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no"}, "is a Status of a failure"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_json_of_a_gateway_is_no_answer_of_the_api(
    api: ScriptedServer, client: ClusterClient, method: str, body: t.Any, flaw: str
) -> None:
    api.replies = [Reply(body=body)]
    with pytest.raises(ApiError) as caught:
        client.request(method, STREAM)
    assert str(caught.value).endswith(
        f": the answer of {api.url} (200) {flaw}; check what stands between this machine and the API server, such as a "
        "proxy."
    )
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("page", "flaw"),
    [
        ({**OBJECT, "items": []}, "is a Secret and not a list"),
        ({**LIST, "items": {"a": 1}}, "is no SecretList of the API: items is an object and not a list"),
        (
            {**LIST, "items": [{"metadata": {"name": "a"}}, "b"]},
            "is no SecretList of the API: items[1] is a string and not an object",
        ),
        ({**LIST, "items": [None]}, "is no SecretList of the API: items[0] is missing"),
        (
            {**LIST, "items": [], "metadata": {"continue": 7}},
            "is no SecretList of the API: metadata.continue is a number and not a string",
        ),
        ({**LIST, "items": [], "metadata": [7]}, "is no SecretList of the API: metadata is a list and not an object"),
    ],
)
def test_a_list_of_another_form_is_not_taken_for_a_shorter_one(
    api: ScriptedServer, client: ClusterClient, page: t.Any, flaw: str
) -> None:
    api.replies = [Reply(body=page)]
    with pytest.raises(ApiError) as caught:
        client.list_items(core_path("shop", "secrets"))
    assert str(caught.value) == (
        f'Cannot list secrets in namespace "shop": the answer of {api.url} (200) {flaw}; check what stands between '
        "this machine and the API server, such as a proxy."
    )


def test_the_version_has_no_kind(api: ScriptedServer, client: ClusterClient) -> None:
    api.replies = [Reply(body={"platform": "linux/arm64"})]
    assert client.get("/version") == {"platform": "linux/arm64"}
