# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    MissingLibraryError,
    RegistryError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret import verify
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import DesiredRegistry
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.verify import (
    LoginResult,
    LoginsRefused,
    log_in,
    try_logins,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    Reply,
    ScriptedServer,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import b64

LOGIN = Login("puller", "s3cret")
BASIC = Reply(401, headers={"WWW-Authenticate": 'Basic realm="Registry Realm"'})
Serve = t.Callable[..., ScriptedServer]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def registry(serve: Serve, authority: Authority) -> ScriptedServer:
    """Return a registry over TLS."""
    return serve(authority.server_context())


@pytest.fixture
def attempt(authority: Authority) -> t.Callable[..., str]:
    def log_in_to(server: ScriptedServer, login: Login = LOGIN, **given: t.Any) -> str:
        host = f"127.0.0.1:{server.port}"
        return log_in(host, login, sleep=lambda _seconds: None, **{"ca_cert": str(authority.ca_path), **given})

    return log_in_to


def refusal(act: t.Callable[..., t.Any], *args: t.Any, **given: t.Any) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        act(*args, **given)
    assert "s3cret" not in str(caught.value)
    assert b64("puller:s3cret") not in str(caught.value)
    # The port of the registry is another one each time.
    said = re.sub(r'^The registry "127\.0\.0\.1:\d+"', 'The registry "the.registry"', str(caught.value))
    return RegistryError(
        said, registry=re.sub(r"^127\.0\.0\.1:\d+$", "the.registry", caught.value.registry), status=caught.value.status
    )


def bearer(realm: str, *more: str) -> Reply:
    return Reply(401, headers={"WWW-Authenticate": ",".join([f'Bearer realm="{realm}"', *more])})


def test_basic_is_answered_when_it_is_asked_for(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    registry.replies = [BASIC, Reply()]
    assert attempt(registry) == "accepted"
    first, second = registry.asked
    assert (first.path, first.values("Authorization")) == ("/v2/", [])
    assert (second.path, second.values("Authorization")) == ("/v2/", [f"Basic {b64('puller:s3cret')}"])


def test_a_wrong_password_is_refused(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    registry.replies = [BASIC, Reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})]
    error = refusal(attempt, registry)
    assert (
        str(error)
        == 'The registry "the.registry" refused the user "puller" (HTTP 401: "authentication required"); correct the '
        "credential"
    )
    assert (error.registry, error.status) == ("the.registry", 401)


def test_a_token_is_fetched_and_shown(
    registry: ScriptedServer, serve: Serve, authority: Authority, attempt: t.Callable[..., str]
) -> None:
    tokens = serve(authority.server_context())
    tokens.replies = [Reply(body={"token": "t0ken"})]
    registry.replies = [bearer(f"{tokens.url}/token", 'service="the service"'), Reply()]
    assert attempt(registry) == "accepted"
    (asked,) = tokens.asked
    assert asked.values("Authorization") == [f"Basic {b64('puller:s3cret')}"]
    assert parse_qs(urlsplit(asked.path).query) == {
        "service": ["the service"],
        "account": ["puller"],
        "client_id": ["quayside.openshift_images"],
    }
    assert registry.asked[1].values("Authorization") == ["Bearer t0ken"]


def test_a_token_server_in_the_words_of_docker_hub(
    registry: ScriptedServer, serve: Serve, authority: Authority, attempt: t.Callable[..., str]
) -> None:
    tokens = serve(authority.server_context())
    tokens.replies = [Reply(401, {"details": "incorrect username or password"})]
    registry.replies = [bearer(f"{tokens.url}/token")]
    assert str(refusal(attempt, registry)) == (
        'The registry "the.registry" refused the user "puller" (HTTP 401: "incorrect username or password"); correct '
        "the credential"
    )
    assert len(registry.asked) == 1


def test_a_token_that_does_not_open_the_registry(
    registry: ScriptedServer, serve: Serve, authority: Authority, attempt: t.Callable[..., str]
) -> None:
    tokens = serve(authority.server_context())
    tokens.replies = [Reply(body={"access_token": "t0ken"})]
    registry.replies = [bearer(f"{tokens.url}/token"), Reply(403)]
    assert refusal(attempt, registry).status == 403


def test_a_refusal_in_plain_text_keeps_its_words(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    words = b"Your authorization token has expired. Reauthenticate and try again."
    registry.replies = [BASIC, Reply(403, words, content_type="text/plain")]
    assert str(refusal(attempt, registry)) == (
        f'The registry "the.registry" refused the user "puller" (HTTP 403: "{words.decode()}"); correct the credential'
    )


def test_an_identity_token_is_exchanged_by_post(
    registry: ScriptedServer, serve: Serve, authority: Authority, attempt: t.Callable[..., str]
) -> None:
    tokens = serve(authority.server_context())
    tokens.replies = [Reply(body={"access_token": "t0ken"})]
    registry.replies = [bearer(f"{tokens.url}/token"), Reply()]
    assert attempt(registry, Login(identity_token="refresh")) == "accepted"
    (asked,) = tokens.asked
    assert (asked.method, asked.values("Authorization")) == ("POST", [])
    assert "refresh" not in asked.path
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh"],
        "client_id": ["quayside.openshift_images"],
    }


def test_an_identity_token_that_is_refused(
    registry: ScriptedServer, serve: Serve, authority: Authority, attempt: t.Callable[..., str]
) -> None:
    tokens = serve(authority.server_context())
    tokens.replies = [Reply(400, {"error": "invalid_grant"})]
    registry.replies = [bearer(f"{tokens.url}/token")]
    assert str(refusal(attempt, registry, Login(identity_token="refresh"))) == (
        'The registry "the.registry" refused the identity token (HTTP 400: "invalid_grant"); correct the credential'
    )


def test_an_identity_token_cannot_answer_basic(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    registry.replies = [BASIC]
    assert str(refusal(attempt, registry, Login(identity_token="t"))) == (
        'The registry "the.registry" asks for a credential in a way that an identity token cannot answer'
    )


@pytest.mark.parametrize("insecure", [False, True])
def test_no_password_goes_from_tls_to_a_token_server_without_it(
    registry: ScriptedServer, serve: Serve, attempt: t.Callable[..., str], insecure: bool
) -> None:
    tokens = serve()
    registry.replies = [bearer(f"{tokens.url}/token")]
    assert str(refusal(attempt, registry, insecure=insecure)) == (
        f'The registry "the.registry" names the token server "{tokens.url}/token", which is not reached over HTTPS; no '
        "password is sent there"
    )
    assert tokens.asked == []


def test_neither_the_registry_nor_its_token_server_has_tls(serve: Serve, attempt: t.Callable[..., str]) -> None:
    tokens, registry = serve(), serve()
    tokens.replies, registry.replies = [Reply(body={"token": "t0ken"})], [bearer(f"{tokens.url}/token"), Reply()]
    assert attempt(registry, insecure=True) == "accepted"


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": 5}, [], b"no json"])
def test_a_token_server_without_a_token(
    registry: ScriptedServer, serve: Serve, authority: Authority, attempt: t.Callable[..., str], body: t.Any
) -> None:
    tokens = serve(authority.server_context())
    tokens.replies = [Reply(body=body)]
    registry.replies = [bearer(f"{tokens.url}/token")]
    assert (
        str(refusal(attempt, registry))
        == 'The registry "the.registry" has a token server that answered without a token'
    )


def test_a_registry_that_asks_for_nothing(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    assert attempt(registry) == "not_asked"
    assert [asked.values("Authorization") for asked in registry.asked] == [[]]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(404), "answered HTTP 404 at /v2/; it does not look like a registry, check host and port"),
        (
            Reply(302, headers={"Location": "https://elsewhere.example/"}),
            "answered HTTP 302 at /v2/; it does not look like a registry, check host and port",
        ),
        (Reply(418), "answered HTTP 418 at /v2/"),
        (Reply(418, b"short and stout", content_type="text/plain"), 'answered HTTP 418: "short and stout" at /v2/'),
        (
            Reply(403, b"Not from this network.\n", content_type="text/plain; charset=utf-8"),
            (
                'lets nobody in without asking for a credential (HTTP 403: "Not from this network."); check host and '
                "port, and whether this host may reach it"
            ),
        ),
        (Reply(401), "asks for a credential in a way that a user name and a password cannot answer"),
        (
            Reply(401, headers={"WWW-Authenticate": "Negotiate"}),
            "asks for a credential in a way that a user name and a password cannot answer",
        ),
    ],
)
def test_hosts_that_are_no_registries(
    registry: ScriptedServer, attempt: t.Callable[..., str], reply: Reply, words: str
) -> None:
    registry.replies = [reply]
    assert str(refusal(attempt, registry)) == f'The registry "the.registry" {words}'


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_registry_is_asked_again(registry: ScriptedServer, attempt: t.Callable[..., str], status: int) -> None:
    registry.replies = [Reply(status), BASIC, Reply(status), Reply()]
    assert attempt(registry) == "accepted"
    registry.replies = [Reply(status)]
    advice = "it limits the rate of requests" if status == 429 else "it fails itself"
    assert (
        str(refusal(attempt, registry))
        == f'The registry "the.registry" answered HTTP {status} at /v2/; {advice}, retry later'
    )
    assert len(registry.asked) == 4 + 3


def test_a_broken_connection_is_tried_again(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    registry.replies = [Reply(action="reset"), BASIC, Reply()]
    assert attempt(registry) == "accepted"


def test_nobody_listens(free_port: int) -> None:
    error = refusal(log_in, f"127.0.0.1:{free_port}", LOGIN, sleep=lambda _seconds: None)
    assert str(error) == (
        f'The registry "the.registry" could not be reached at https://127.0.0.1:{free_port} (Connection refused); '
        "check host, port and network"
    )
    assert error.status is None


def test_an_unknown_certificate(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    error = refusal(attempt, registry, ca_cert=None)
    assert str(error).startswith(
        f'The registry "the.registry" has a certificate at {registry.url} that is not trusted ('
    )
    assert str(error).endswith("); give the CA that signed it as ca_cert of the registry, or set insecure: true for it")
    assert registry.asked == []


def test_a_certificate_of_another_host(serve: Serve, authority: Authority, attempt: t.Callable[..., str]) -> None:
    server = serve(authority.server_context("other.example"))
    assert "not trusted" in str(refusal(attempt, server))


def test_an_unknown_certificate_is_accepted_on_request(registry: ScriptedServer, attempt: t.Callable[..., str]) -> None:
    registry.replies = [BASIC, Reply()]
    assert attempt(registry, ca_cert=None, insecure=True) == "accepted"


def test_the_ca_bundle_of_the_environment(
    registry: ScriptedServer, authority: Authority, attempt: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_path))
    registry.replies = [BASIC, Reply()]
    assert attempt(registry, ca_cert=None) == "accepted"


def test_plain_http_is_used_on_request_only(serve: Serve, attempt: t.Callable[..., str]) -> None:
    server = serve()
    server.replies = [BASIC, Reply()]
    assert str(refusal(attempt, server)) == (
        f'The registry "the.registry" answers at https://127.0.0.1:{server.port} without TLS; if it is meant to be '
        "plain HTTP, set insecure: true for it, otherwise check host and port"
    )
    assert all(not asked.values("Authorization") for asked in server.asked)
    server.replies = [BASIC, Reply()]
    assert attempt(server, insecure=True) == "accepted"


def test_netrc_is_not_used(
    registry: ScriptedServer, attempt: t.Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password 0ther\n")
    monkeypatch.setenv("NETRC", str(netrc))
    attempt(registry)
    assert registry.asked[0].values("Authorization") == []


def wanted(host: str, authority: Authority | None = None, password: str = "s3cret") -> DesiredRegistry:
    return DesiredRegistry(host, Login("puller", password), ca_cert=str(authority.ca_path) if authority else None)


def test_every_registry_is_tried(registry: ScriptedServer, serve: Serve, authority: Authority) -> None:
    registry.replies = [BASIC, Reply()]
    open_one = serve(authority.server_context())
    tried = try_logins(
        [
            wanted(f"https://127.0.0.1:{registry.port}/v1/", authority),
            wanted(f"127.0.0.1:{open_one.port}/team", authority),
            wanted("*.example"),
        ]
    )
    assert [result.result for result in tried] == ["accepted", "not_asked", "not_tried"]
    assert tried[0].as_dict() == {
        "registry": f"https://127.0.0.1:{registry.port}/v1/",
        "username": "puller",
        "result": "accepted",
        "error": None,
        "status": None,
    }


def test_every_refusal_is_told(registry: ScriptedServer, serve: Serve, authority: Authority) -> None:
    registry.replies = [BASIC, Reply(401)]
    good = serve(authority.server_context())
    good.replies = [BASIC, Reply()]
    absent = serve(authority.server_context())
    absent.replies = [Reply(404)]
    hosts = [f"127.0.0.1:{server.port}" for server in (registry, good, absent)]
    with pytest.raises(LoginsRefused) as caught:
        try_logins([wanted(host, authority) for host in hosts])
    assert str(caught.value) == (
        f'The registry "{hosts[0]}" refused the user "puller" (HTTP 401); correct the credential; '
        f'The registry "{hosts[2]}" answered HTTP 404 at /v2/; it does not look like a registry, check host and port; '
        "nothing was written"
    )
    assert [result["result"] for result in caught.value.results()["verified"]] == ["refused", "accepted", "failed"]
    assert "s3cret" not in str(caught.value.results())


def test_docker_hub_is_asked_where_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(verify, "_log_in_at", lambda _http, host, _login: asked.append(host) or "accepted")
    assert try_logins([wanted("docker.io"), wanted("https://index.docker.io/v1/")]) == [
        LoginResult("docker.io", "puller", "accepted"),
        LoginResult("https://index.docker.io/v1/", "puller", "accepted"),
    ]
    assert asked == ["registry-1.docker.io"] * 2


def test_without_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "HAS_REQUESTS", False)
    with pytest.raises(
        MissingLibraryError,
        match="verify: the Python library requests is not installed where the module runs; install it, or leave out "
        "verify",
    ):
        try_logins([wanted("h.example")])


def test_nothing_to_try() -> None:
    assert try_logins([]) == []
