# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to registries: where credentials go, how much is read, and what is said when something is refused."""

from __future__ import annotations

import re
import socket
import time
import typing as t
from urllib.parse import quote

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ConfigurationError,
    RegistryError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._http import answers
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.session import (
    SHORT_LIMIT,
    Patience,
    RegistryAnswer,
    RegistryHttp,
    RegistryNetwork,
    origin,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    Reply,
    ScriptedServer,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import b64

Serve = t.Callable[..., ScriptedServer]
SECRET = {"Authorization": "Basic c2VjcmV0"}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def http(authority: Authority, waits: list[float]) -> t.Iterator[t.Callable[..., RegistryHttp]]:
    with RegistryNetwork() as network:

        def make(**given: t.Any) -> RegistryHttp:
            return RegistryHttp(
                network, "the.registry", sleep=waits.append, **{"ca_cert": str(authority.ca_path), **given}
            )

        yield make


@pytest.fixture
def registry(serve: Serve, authority: Authority) -> ScriptedServer:
    return serve(authority.server_context())


def refusal(act: t.Callable[..., t.Any], *args: t.Any, **given: t.Any) -> str:
    with pytest.raises(RegistryError) as caught:
        act(*args, **given)
    assert "c2VjcmV0" not in str(caught.value)
    return str(caught.value)


def moved(target: str, status: int = 307) -> Reply:
    return Reply(status, headers={"Location": target})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_leaves_the_credential_behind(
    registry: ScriptedServer, serve: Serve, authority: Authority, http: t.Callable[..., RegistryHttp], status: int
) -> None:
    store = serve(authority.server_context())
    registry.replies = [moved(f"{store.url}/blob?signed=1", status), Reply(body={"here": 1})]
    store.replies = [moved(f"{registry.url}/back")]

    answer = http().get(f"{registry.url}/v2/", headers=SECRET)

    assert (answer.json_object(), answer.url) == ({"here": 1}, f"{registry.url}/back")
    assert store.asked[0].path == "/blob?signed=1"
    # nor does it come back: who has redirected decides what is asked for
    assert [asked.values("Authorization") for asked in (*registry.asked, *store.asked)] == [["Basic c2VjcmV0"], [], []]


def test_a_redirect_within_the_host_keeps_the_credential(
    registry: ScriptedServer, http: t.Callable[..., RegistryHttp]
) -> None:
    registry.replies = [moved("/elsewhere"), moved(f"{registry.url}/third"), Reply(body={"here": 1})]

    assert http().get(f"{registry.url}/v2/", headers=SECRET).json_object() == {"here": 1}
    assert [asked.values("Authorization") for asked in registry.asked] == [["Basic c2VjcmV0"]] * 3


@pytest.mark.parametrize(
    "target",
    [
        "https://{evil}\\@{registry}/x",
        "https://{evil}\\\\@{registry}/x",
        "//{evil}\\@{registry}/x",
        "https://{evil}#@{registry}/x",
        "https://{evil}?@{registry}/x",
        "https://{evil}/@{registry}/x",
        "https://{registry}@{evil}/x",
        "https://user:pw@{evil}/x",
        "HTTPS://{evil}\\.{registry}/x",
    ],
)
def test_an_address_is_read_as_the_connection_reads_it(
    registry: ScriptedServer, serve: Serve, authority: Authority, http: t.Callable[..., RegistryHttp], target: str
) -> None:
    evil = serve(authority.server_context())
    registry.replies = [moved(target.format(evil=f"127.0.0.1:{evil.port}", registry=f"127.0.0.1:{registry.port}"))]
    evil.replies = [Reply(body={"here": 1})]

    assert http().get(f"{registry.url}/v2/", headers=SECRET).json_object() == {"here": 1}
    # nor is a password of the address made into a credential
    assert [asked.values("Authorization") for asked in (*registry.asked, *evil.asked)] == [["Basic c2VjcmV0"], []]


def test_a_redirect_away_from_tls(registry: ScriptedServer, serve: Serve, http: t.Callable[..., RegistryHttp]) -> None:
    plain = serve()
    registry.replies = [moved(f"{plain.url}/blob")]

    assert refusal(http().get, f"{registry.url}/v2/", headers=SECRET) == (
        f'The registry "the.registry" redirects to "{plain.url}", which is not reached over HTTPS; that is not '
        "followed unless insecure: true is set for it"
    )
    assert plain.asked == []
    plain.replies = [Reply(body={"here": 1})]
    assert http(insecure=True).get(f"{registry.url}/v2/", headers=SECRET).json_object() == {"here": 1}
    assert plain.asked[0].values("Authorization") == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://h/x", "gopher://h"])
def test_a_redirect_to_no_web_address(
    registry: ScriptedServer, http: t.Callable[..., RegistryHttp], target: str
) -> None:
    registry.replies = [moved(target)]

    for insecure in (False, True):
        assert "which is not reached over HTTPS" in refusal(
            http(insecure=insecure).get, f"{registry.url}/v2/", headers=SECRET
        )


@pytest.mark.parametrize("target", ["https://[", "https://h:port/", "https://h:99999/"])
def test_a_redirect_to_nowhere(registry: ScriptedServer, http: t.Callable[..., RegistryHttp], target: str) -> None:
    registry.replies = [moved(target)]

    assert "no address" in refusal(http().get, f"{registry.url}/v2/")


def test_redirects_in_a_circle(registry: ScriptedServer, http: t.Callable[..., RegistryHttp]) -> None:
    registry.replies = [moved("/v2/")]

    assert refusal(http().get, f"{registry.url}/v2/") == 'The registry "the.registry" redirects more than 5 times'
    assert len(registry.asked) == 6


def test_a_redirect_with_a_password_in_it(
    registry: ScriptedServer, serve: Serve, http: t.Callable[..., RegistryHttp]
) -> None:
    plain = serve()
    registry.replies = [moved(plain.url.replace("://", "://user:c2VjcmV0@"))]

    assert f'redirects to "{plain.url}"' in refusal(http().get, f"{registry.url}/v2/")


def test_a_proxy_of_the_environment_that_shows_its_password(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, password = serve(), "c0rrect/horse"
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", f"://robot:{quote(password, safe='')}@"))
    with RegistryNetwork() as network:
        http = RegistryHttp(network, "the.registry", insecure=True)
        proxy.replies = [Reply(403, {"message": f"{password} {b64(f'robot:{password}')} {quote(password, safe='')}"})]
        answer = http.get("http://registry.example.com/v2/")
    assert proxy.asked[0].values("Proxy-Authorization") == [f"Basic {b64(f'robot:{password}')}"]
    assert answer.server_words() == "******** ******** ********"


def test_a_body_is_read_up_to_its_limit(registry: ScriptedServer, http: t.Callable[..., RegistryHttp]) -> None:
    registry.replies = [Reply(body=b"x" * 300_000)]

    assert [len(http().get(registry.url, limit=limit).body) for limit in (299_999, 300_000)] == [299_999, 300_000]
    assert http().get(registry.url, limit=299_999).truncated
    assert not http().get(registry.url, limit=300_000).truncated
    registry.replies = [Reply(404, body=b"x" * 300_000)]
    assert len(http().get(registry.url, limit=1_000_000).body) == SHORT_LIMIT


def test_an_answer_that_does_not_end(registry: ScriptedServer, http: t.Callable[..., RegistryHttp]) -> None:
    registry.replies = [Reply(body=b"x" * 10_000, action="drip")]
    began = time.monotonic()

    text = refusal(http(patience=Patience(answer=0.5, body=0.2)).get, registry.url)

    assert time.monotonic() - began < 5
    assert text.endswith("(its answer began and did not end in time); check host, port and network")
    assert len(registry.asked) == 1


@pytest.mark.parametrize(
    "pieces", [[b"HTTP/1.1 200 OK\r\nX-Long: ", *[b"x"] * 400], [b"HTTP/1.1 100 Continue\r\n\r\n"] * 400]
)
def test_headers_that_do_not_end(
    registry: ScriptedServer, http: t.Callable[..., RegistryHttp], monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]
) -> None:
    monkeypatch.setattr(answers, "BODY_TIME", 0.0)
    registry.replies = [Reply(body=pieces, action="raw")]

    text = refusal(http(patience=Patience(answer=0.3)).get, registry.url)

    assert text.endswith("(its answer began and did not end in time); check host, port and network")
    assert len(registry.asked) == 1


def test_a_length_of_many_digits(registry: ScriptedServer, http: t.Callable[..., RegistryHttp]) -> None:
    registry.replies = [Reply(body=b"{}", action="stop early", headers={"Content-Length": "9" * 5000})]

    assert "(the connection ended in the middle of the answer)" in refusal(http().get, registry.url)


def test_an_answer_that_does_not_begin(http: t.Callable[..., RegistryHttp], waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = refusal(http(patience=Patience(answer=0.2)).get, f"http://127.0.0.1:{silent.getsockname()[1]}/v2/")

    assert "(no answer within 0.2 seconds)" in text
    assert waits == []


def test_an_answer_that_stops_in_the_middle(
    registry: ScriptedServer, http: t.Callable[..., RegistryHttp], waits: list[float]
) -> None:
    registry.replies = [Reply(action="drip", body=b"", headers={"Content-Length": "5"})]

    assert "(its answer began and did not end in time)" in refusal(
        http(patience=Patience(answer=0.2)).get, registry.url
    )
    assert waits == []


@pytest.mark.parametrize(
    ("named", "waited"),
    [
        ("", [0.5, 1.0]),
        ("3", [3, 3]),
        ("11", []),
        ("9" * 5000, []),
        ("\u00b2", [0.5, 1.0]),
        ("-3", [0.5, 1.0]),
        ("Wed, 21 Oct 1965 07:28:00 GMT", [0.5, 1.0]),
        ("Wed, 21 Oct 2465 07:28:00 GMT", []),
    ],
)
def test_a_busy_registry_is_waited_for(
    registry: ScriptedServer, http: t.Callable[..., RegistryHttp], waits: list[float], named: str, waited: list[float]
) -> None:
    registry.replies = [Reply(429, headers={"Retry-After": named} if named else {})]

    assert http().get(registry.url).status == 429
    # the pauses of others who wait for it are different ones
    assert len(waits) == len(waited)
    for pause, longest in zip(waits, waited, strict=True):
        assert (longest <= pause <= longest + 0.75) if named == "3" else (longest / 2 <= pause <= longest)


def test_a_connection_that_breaks(
    registry: ScriptedServer, http: t.Callable[..., RegistryHttp], waits: list[float]
) -> None:
    registry.replies = [Reply(action="reset"), Reply(action="hang up"), Reply(body={"here": 1})]
    assert http().get(registry.url).json_object() == {"here": 1}
    assert len(waits) == 2
    for action in ("reset", "hang up"):
        registry.replies = [Reply(action=action)]
        assert re.search(
            r"\((Connection reset by peer|Remote end closed connection without response)\)",
            refusal(http().get, registry.url),
        )
    registry.replies = [Reply(body=b"x" * 100, action="stop early")]
    assert "could not be reached" in refusal(http().get, registry.url)


def test_connections_are_reused(registry: ScriptedServer, http: t.Callable[..., RegistryHttp]) -> None:
    one, other = http(), http()
    for _turn in range(5):
        one.get(registry.url)
        other.get(registry.url)

    assert (len(registry.asked), registry.connections) == (10, 1)


def test_plain_http_is_found_out_once(serve: Serve, http: t.Callable[..., RegistryHttp]) -> None:
    server = serve()
    insecure = http(insecure=True)
    answers = [insecure.get(f"https://127.0.0.1:{server.port}/v2/", headers=SECRET) for _turn in range(3)]

    assert {answer.url for answer in answers} == {f"{server.url}/v2/"}
    assert len(server.asked) == 3
    assert "without TLS; if it is meant to be plain HTTP, set insecure: true for it" in refusal(
        http().get, f"https://127.0.0.1:{server.port}/v2/"
    )


def test_a_ca_file_that_cannot_be_used(http: t.Callable[..., RegistryHttp], tmp_path: t.Any) -> None:
    (tmp_path / "text").write_text("no certificate")
    for name, words in (
        ("absent", "cannot be read where the module runs: No such file or directory."),
        ("text", "holds no certificate in PEM form."),
    ):
        with pytest.raises(ConfigurationError) as caught:
            http(ca_cert=str(tmp_path / name))
        assert str(caught.value) == f"ca_cert: {tmp_path / name} {words}"


def test_the_name_in_the_certificate_counts(
    serve: Serve, authority: Authority, http: t.Callable[..., RegistryHttp]
) -> None:
    server = serve(authority.server_context("other.example"))

    assert "is not trusted" in refusal(http().get, server.url, headers=SECRET)
    assert server.asked == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errors": [{"code": "DENIED", "message": "no  \\n way"}]}', "no way"),
        (b'{"details": "incorrect username or password"}', "incorrect username or password"),
        (b'{"errors": "x", "message": "m"}', "m"),
        (b'{"errors": ["x"]}', ""),
        (b'{"errors": [{"message": ["x"]}]}', ""),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
        (b"<html>", ""),
        (b'{"message": "' + b"x" * 500 + b'"}', "x" * 200),
    ],
)
def test_a_servers_words(body: bytes, words: str) -> None:
    assert RegistryAnswer(400, {}, body, "https://h").server_words() == words


@pytest.mark.parametrize(
    ("url", "expected"), [("https://u:p@h:5/x?y", "https://h:5"), ("https://[", "https://["), ("https://u:p@[", "[")]
)
def test_origins_hold_no_password(url: str, expected: str) -> None:
    assert origin(url) == expected
