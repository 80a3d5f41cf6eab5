# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS, client certificates, proxies: what is trusted, what goes out, and the exact sentence of every failure."""

from __future__ import annotations

import base64
import datetime
import os
import re
import select
import socket
import ssl
import sys
import tempfile
import threading
import typing as t
import warnings
from pathlib import Path

import pytest
import trustme
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.access import connection_from_params
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import Connection
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.retry import RetryPolicy
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ApiOutcomeUnknown,
    ApiUnreachable,
    ConfigurationError,
    MissingLibraryError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._http import answers
from ansible_collections.quayside.openshift_images.plugins.module_utils._http import session as transport
from ansible_collections.quayside.openshift_images.plugins.module_utils._http.tls import Pem, tls_context
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    OBJECT,
    Authority,
    Reply,
    ScriptedServer,
)
from cryptography.hazmat.primitives import serialization

MakeClient = t.Callable[..., t.Any]
Serve = t.Callable[..., ScriptedServer]
PATH = "/api/v1/namespaces/shop/secrets/pull"
DOING = 'Cannot read secret "pull" in namespace "shop": '


def ca_of(authority: Authority) -> Pem:
    return Pem("the option ca_cert", path=str(authority.ca_path))


def failure(client: t.Any) -> str:
    with pytest.raises(ApiUnreachable) as caught:
        client.get(PATH)
    message = str(caught.value)
    assert message.startswith(DOING)
    return message[len(DOING) :]


# ---- trust


@pytest.mark.parametrize("inline", [True, False])
def test_the_named_ca_is_trusted(authority: Authority, serve: Serve, make_client: MakeClient, inline: bool) -> None:
    server = serve(authority.server_context())
    ca = Pem("x", text=authority.ca_pem) if inline else ca_of(authority)
    assert make_client(Connection(host=server.url, ca=ca)).get(PATH) == OBJECT


def test_an_unknown_ca_is_not_trusted(authority: Authority, serve: Serve, make_client: MakeClient) -> None:
    server = serve(authority.server_context())
    client = make_client(Connection(host=server.url, token="never-sent"))
    assert failure(client) == (
        f"the certificate of {server.url} is not trusted by the CAs of the machine where the module runs"
        " (unable to get local issuer certificate); set the option ca_cert to the file with the CA of the cluster."
    )
    assert server.asked == []
    assert client.waits == []


def test_only_the_named_ca_is_trusted(
    authority: Authority, serve: Serve, make_client: MakeClient, tmp_path: Path
) -> None:
    # a CA bundle of the library's own must not widen what the user trusts
    other = trustme.CA(organization_name="Another CA")
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    server = serve(authority.server_context())
    client = make_client(Connection(host=server.url, ca=Pem("the option ca_cert", path=str(tmp_path / "other.pem"))))
    context = client._session._settings.context
    assert len(context.get_ca_certs()) == 1
    assert failure(client).startswith(f"the certificate of {server.url} is not trusted by the option ca_cert (")
    assert len(context.get_ca_certs()) == 1


def test_environment_bundles_take_no_part(
    authority: Authority, serve: Serve, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_path))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority.ca_path))
    server = serve(authority.server_context())
    assert "is not trusted by the CAs of the machine" in failure(make_client(Connection(host=server.url)))


def test_an_intermediate_can_be_the_anchor(serve: Serve, make_client: MakeClient) -> None:
    intermediate = trustme.CA().create_child_ca()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    intermediate.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(context)
    assert (
        make_client(Connection(host=server.url, ca=Pem("x", text=intermediate.cert_pem.bytes().decode()))).get(PATH)
        == OBJECT
    )


def test_validation_can_be_switched_off_without_a_word(
    authority: Authority, serve: Serve, make_client: MakeClient
) -> None:
    server = serve(authority.server_context("other.example.com"))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        client = make_client(Connection(host=server.url, verify=False))
        for _turn in range(3):
            assert client.get(PATH) == OBJECT
    assert said == []


def test_a_certificate_for_another_name(authority: Authority, serve: Serve, make_client: MakeClient) -> None:
    server = serve(authority.server_context("api.internal"))
    said = failure(make_client(Connection(host=server.url, ca=ca_of(authority))))
    # the words in the middle are those of OpenSSL, or of urllib3 before version 2
    assert said.startswith(f"the certificate of {server.url} is for another name (")
    assert "127.0.0.1" in said.partition("(")[2]
    assert said.endswith("); use a host name that the certificate names, or a kubeconfig with tls-server-name.")


def test_the_tls_server_name_is_asked_for_and_verified(
    authority: Authority, serve: Serve, make_client: MakeClient
) -> None:
    context = authority.server_context("api.internal")
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = serve(context)
    connection = Connection(host=server.url, ca=ca_of(authority), server_name="api.internal")
    assert make_client(connection).get(PATH) == OBJECT
    assert names == ["api.internal"]
    assert "is for another name" in failure(make_client(connection._replace(server_name="other.internal")))


def test_an_expired_certificate(authority: Authority, serve: Serve, make_client: MakeClient) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime.now().astimezone() - datetime.timedelta(days=30)
    authority.ca.issue_cert("127.0.0.1", not_before=past, not_after=past + datetime.timedelta(days=1)).configure_cert(
        context
    )
    server = serve(context)
    assert failure(make_client(Connection(host=server.url, ca=ca_of(authority)))) == (
        f"the certificate of {server.url} is not valid now (certificate has expired); renew it, or correct the clock "
        "of the machine where the module runs."
    )


def test_tls_to_a_server_without_tls(api: ScriptedServer, make_client: MakeClient) -> None:
    host = f"https://127.0.0.1:{api.port}"
    assert failure(make_client(Connection(host=host))) == (
        f"{host} does not speak TLS; check the port of the option host, or write it with http:// if that is meant."
    )


def test_http_to_a_server_with_tls(authority: Authority, serve: Serve, make_client: MakeClient) -> None:
    server = serve(authority.server_context())
    said = failure(make_client(Connection(host=f"http://127.0.0.1:{server.port}")))
    assert said.startswith(
        f"the connection to the API server http://127.0.0.1:{server.port} broke off before a complete answer came ("
    )
    assert "); the option host begins with http://, and API servers speak https (tried 4 times)." in said


@pytest.mark.parametrize(
    ("ca", "said"),
    [
        (
            Pem("the option ca_cert", path="/nonexistent/ca.pem"),
            "The option ca_cert (/nonexistent/ca.pem) cannot be read: No such file or directory.",
        ),
        (
            Pem("the CA of the cluster 'c'", text="nonsense"),
            "The CA of the cluster 'c' holds no certificate in PEM form.",
        ),
        (
            Pem("the option ca_cert", path=__file__),
            f"The option ca_cert ({__file__}) holds no certificate in PEM form.",
        ),
    ],
)
def test_an_unusable_ca(make_client: MakeClient, ca: Pem, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_client(Connection(host="https://127.0.0.1:9", ca=ca))
    assert str(caught.value) == said


# ---- client certificates


def mutual(authority: Authority) -> ssl.SSLContext:
    context = authority.server_context()
    authority.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.mark.parametrize("inline", [True, False])
def test_a_client_certificate_is_presented(
    authority: Authority,
    serve: Serve,
    make_client: MakeClient,
    inline: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = serve(mutual(authority))
    cert, key = Pem("cert", path=str(authority.client_cert)), Pem("key", path=str(authority.client_key))
    if inline:
        cert, key = (
            Pem("cert", text=authority.client_cert.read_text()),
            Pem("key", text=authority.client_key.read_text()),
        )
    client = make_client(Connection(host=server.url, ca=ca_of(authority), client_cert=cert, client_key=key))
    assert list(tmp_path.iterdir()) == []
    assert client.get(PATH) == OBJECT


def test_an_inline_key_is_on_disk_only_while_it_is_loaded_and_for_us_alone(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[tuple[str, int]] = []
    load = ssl.SSLContext.load_cert_chain

    def watched(self: ssl.SSLContext, certfile: t.Any, keyfile: t.Any = None, password: t.Any = None) -> None:
        seen.extend((path, os.stat(path).st_mode & 0o777) for path in (certfile, keyfile))
        load(self, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    key = Pem("key", text=authority.client_key.read_text())
    tls_context(verify=False, client_cert=Pem("cert", text=authority.client_cert.read_text()), client_key=key)
    assert [mode for _path, mode in seen] == [0o600, 0o600]
    assert not [path for path, _mode in seen if os.path.exists(path)]


def test_a_missing_client_certificate(authority: Authority, serve: Serve, make_client: MakeClient) -> None:
    context = mutual(authority)
    # with TLS 1.3 the alert races with the request
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = serve(context)
    client = make_client(Connection(host=server.url, ca=ca_of(authority)))
    assert re.fullmatch(
        rf"{server.url} ended the TLS handshake \(\w*ALERT_HANDSHAKE_FAILURE\); it was given no client certificate, "
        r"check whether it wants"
        r" another\.",
        failure(client),
    )
    assert client.waits == []


def test_a_client_certificate_of_another_ca(
    authority: Authority, serve: Serve, make_client: MakeClient, tmp_path: Path
) -> None:
    context = mutual(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = serve(context)
    stranger = trustme.CA().issue_cert("stranger@example.com")
    stranger.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "stranger.pem"))
    cert = Pem("the option client_cert", path=str(tmp_path / "stranger.pem"))
    said = failure(
        make_client(
            Connection(
                host=server.url, ca=ca_of(authority), client_cert=cert, credential_origin="the option client_cert"
            )
        )
    )
    assert "ended the TLS handshake" in said
    assert said.endswith(
        "; it was given the client certificate of the option client_cert, check whether it wants another."
    )


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> dict[str, str]:
    """Paths of a good pair, another key, and the good key with a password."""
    key = serialization.load_pem_private_key(authority.client_key.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
    )
    (tmp_path / "locked.key").write_bytes(locked)
    trustme.CA().issue_cert("x").private_key_pem.write_to_path(str(tmp_path / "other.key"))
    (tmp_path / "both.pem").write_bytes(authority.client_cert.read_bytes() + authority.client_key.read_bytes())
    return {
        "cert": str(authority.client_cert),
        "key": str(authority.client_key),
        "locked": str(tmp_path / "locked.key"),
        "other": str(tmp_path / "other.key"),
        "both": str(tmp_path / "both.pem"),
        "missing": str(tmp_path / "missing.pem"),
        "nonsense": __file__,
    }


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("missing", "key", "The option client_cert ({missing}) cannot be read: No such file or directory."),
        ("cert", "missing", "The option client_key ({missing}) cannot be read: No such file or directory."),
        (
            "cert",
            "locked",
            "The option client_key ({locked}) holds a key that is protected by a password; give one without.",
        ),
        ("cert", "other", "The option client_cert ({cert}) does not belong to the key (the option client_key)."),
        (
            "cert",
            None,
            (
                "The option client_cert ({cert}) holds no certificate with its key in PEM form; set the option "
                "client_key, or put both into the file."
            ),
        ),
        ("nonsense", "key", "The option client_cert ({nonsense}) or the option client_key ({key}) is not in PEM form."),
    ],
)
def test_an_unusable_client_certificate(files: dict[str, str], cert: str, key: str | None, said: str) -> None:
    given = Pem("the option client_cert", path=files[cert])
    with pytest.raises(ConfigurationError) as caught:
        tls_context(client_cert=given, client_key=Pem("the option client_key", path=files[key]) if key else None)
    assert str(caught.value) == said.format(**files)


def test_one_file_may_hold_certificate_and_key(
    authority: Authority, serve: Serve, make_client: MakeClient, files: dict[str, str]
) -> None:
    server = serve(mutual(authority))
    assert (
        make_client(Connection(host=server.url, ca=ca_of(authority), client_cert=Pem("x", path=files["both"]))).get(
            PATH
        )
        == OBJECT
    )


# ---- proxies


class TunnelProxy:
    """An HTTP proxy that opens tunnels, and keeps the head of each CONNECT."""

    def __init__(self, refuse: str = "") -> None:
        self.heads: list[str] = []
        self._refuse = refuse
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._tunnel, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _tunnel(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head.decode())
            if self._refuse:
                client.sendall(f"HTTP/1.1 {self._refuse}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            host, _separator, port = head.split()[1].decode().partition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                self._pass_on(client, server)

    @staticmethod
    def _pass_on(client: socket.socket, server: socket.socket) -> None:
        while True:
            ready, _write, _error = select.select((client, server), (), (), 10)
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (server if one is client else client).sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def tunnel() -> t.Iterator[t.Callable[..., TunnelProxy]]:
    opened: list[TunnelProxy] = []

    def start(refuse: str = "") -> TunnelProxy:
        opened.append(TunnelProxy(refuse))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_https_goes_through_a_tunnel_with_the_proxys_own_headers(
    authority: Authority, serve: Serve, make_client: MakeClient, tunnel: t.Callable[..., TunnelProxy]
) -> None:
    server, proxy = serve(authority.server_context()), tunnel()
    connection = Connection(
        host=server.url,
        token="t0ken",
        ca=ca_of(authority),
        proxy=f"http://127.0.0.1:{proxy.port}",
        proxy_headers={"Proxy-Authorization": "Basic cDpx", "User-Agent": "us"},
    )
    assert make_client(connection).get(PATH) == OBJECT
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.")
    assert "Proxy-Authorization: Basic cDpx\r\n" in head
    assert "User-Agent: us\r\n" in head
    assert "t0ken" not in head
    assert server.asked[0].values("Authorization") == ["Bearer t0ken"]
    assert server.asked[0].values("Proxy-Authorization") == []


def test_the_tls_server_name_works_through_a_tunnel(
    authority: Authority, serve: Serve, make_client: MakeClient, tunnel: t.Callable[..., TunnelProxy]
) -> None:
    server, proxy = serve(authority.server_context("api.internal")), tunnel()
    connection = Connection(
        host=server.url, ca=ca_of(authority), server_name="api.internal", proxy=f"http://127.0.0.1:{proxy.port}"
    )
    assert make_client(connection).get(PATH) == OBJECT


def test_the_password_in_the_proxys_url_authenticates(
    authority: Authority, serve: Serve, make_client: MakeClient, tunnel: t.Callable[..., TunnelProxy]
) -> None:
    server, proxy = serve(authority.server_context()), tunnel()
    options = {
        "host": server.url,
        "api_key": "t",
        "ca_cert": str(authority.ca_path),
        "proxy": f"http://bob:s%40c@127.0.0.1:{proxy.port}",
    }
    assert make_client(connection_from_params(options, lambda secrets: None)).get(PATH) == OBJECT
    assert "Proxy-Authorization: Basic Ym9iOnNAYw==\r\n" in proxy.heads[0]


def test_a_password_for_the_proxy_may_be_of_any_alphabet(
    authority: Authority, serve: Serve, make_client: MakeClient, tunnel: t.Callable[..., TunnelProxy]
) -> None:
    server, proxy = serve(authority.server_context()), tunnel()
    options = {
        "host": server.url,
        "api_key": "t",
        "ca_cert": str(authority.ca_path),
        "proxy": f"http://bob:пароль@127.0.0.1:{proxy.port}",
    }
    assert make_client(connection_from_params(options, lambda secrets: None)).get(PATH) == OBJECT
    assert f"Proxy-Authorization: Basic {base64.b64encode('bob:пароль'.encode()).decode()}\r\n" in proxy.heads[0]


def test_plain_http_is_asked_of_the_proxy(api: ScriptedServer, make_client: MakeClient) -> None:
    api.replies = [Reply(body={**OBJECT, "through": "proxy"})]
    assert make_client(Connection(host="http://api.example.com:8001", proxy=api.url)).get(PATH) == {
        **OBJECT,
        "through": "proxy",
    }
    assert api.asked[0].path == f"http://api.example.com:8001{PATH}"


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        (
            "407 Proxy Authentication Required",
            "(407 Proxy Authentication Required); set proxy_headers.proxy_basic_auth.",
        ),
        ("403 Forbidden", "(403 Forbidden); check that it allows connections to this host and port."),
        (
            "403 Error 407 of another",
            "(403 Error 407 of another); check that it allows connections to this host and port.",
        ),
        (
            "503 Service Unavailable",
            (
                "(503 Service Unavailable); it cannot reach the cluster itself: check the host's name and port, and "
                "the DNS of the proxy."
            ),
        ),
    ],
)
def test_a_proxy_that_refuses_the_tunnel(
    make_client: MakeClient, tunnel: t.Callable[..., TunnelProxy], refuse: str, said: str
) -> None:
    proxy = tunnel(refuse)
    client = make_client(
        Connection(host="https://api.example.com:6443", proxy=f"http://bob:hunter2@127.0.0.1:{proxy.port}")
    )
    message = failure(client)
    assert (
        message
        == f"the proxy http://127.0.0.1:{proxy.port} did not open a tunnel to https://api.example.com:6443 {said}"
    )


def test_a_proxy_that_breaks_off_may_have_passed_the_request_on(api: ScriptedServer, make_client: MakeClient) -> None:
    api.replies = [Reply(action="reset")]
    client = make_client(Connection(host="http://api.example.com:8001", proxy=api.url))
    with pytest.raises(
        ApiOutcomeUnknown, match=r"the connection to the API server http://api.example.com:8001 broke off before"
    ):
        client.request("POST", PATH, body={}, repeatable=False)
    assert len(api.asked) == 1


def test_a_proxy_that_is_not_there(make_client: MakeClient, free_port: int) -> None:
    client = make_client(
        Connection(host="https://api.example.com:6443", proxy=f"http://bob:hunter2@127.0.0.1:{free_port}")
    )
    assert failure(client) == f"the proxy http://127.0.0.1:{free_port} refused the connection; check the option proxy."


def test_a_proxy_of_the_kubeconfig_is_not_the_option(
    make_client: MakeClient, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it"}}],
        "clusters": [
            {
                "name": "it",
                "cluster": {"server": "https://api.example.com:6443", "proxy-url": f"http://127.0.0.1:{free_port}"},
            }
        ],
    }
    ours = "the kubeconfig content of the option kubeconfig"
    connection = connection_from_params({"kubeconfig": kubeconfig}, lambda secrets: None)
    assert failure(make_client(connection)) == (
        f"the proxy http://127.0.0.1:{free_port} refused the connection; check proxy-url of the cluster 'it' of {ours}."
    )
    monkeypatch.setenv("K8S_AUTH_PROXY", f"http://127.0.0.1:{free_port}")
    named = connection_from_params(
        {"kubeconfig": kubeconfig, "proxy": f"http://127.0.0.1:{free_port}"}, lambda secrets: None
    )
    assert failure(make_client(named)).endswith("; check the environment variable K8S_AUTH_PROXY.")
    del kubeconfig["clusters"][0]["cluster"]["proxy-url"]  # type: ignore[index]
    kubeconfig["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port}"  # type: ignore[index]
    direct = connection_from_params({"kubeconfig": kubeconfig}, lambda secrets: None)
    assert failure(make_client(direct)).endswith(
        f"refused the connection; check the cluster 'it' of {ours} and its port, and that it runs (tried 4 times)."
    )


class SocksProxy(TunnelProxy):
    """A SOCKS proxy of version 5 (RFC 1928, RFC 1929); ``heads`` are the credentials and addresses that it was
    given."""

    def _tunnel(self, client: socket.socket) -> None:
        with client, client.makefile("rb", buffering=0) as asked:
            ways = asked.read(asked.read(2)[1])
            by_password = 2 in ways
            client.sendall(bytes([5, 2 if by_password else 0]))
            if by_password:
                username = asked.read(asked.read(2)[1])
                password = asked.read(asked.read(1)[0])
                self.heads.append(f"{username.decode()} {password.decode()}")
                client.sendall(b"\x01\x00")
            kind = asked.read(4)[3]
            host = socket.inet_ntoa(asked.read(4)) if kind == 1 else asked.read(asked.read(1)[0]).decode()
            port = int.from_bytes(asked.read(2), "big")
            self.heads.append(f"{host}:{port}")
            with socket.create_connection((host, port)) as server:
                client.sendall(b"\x05\x00\x00\x01" + bytes(6))
                self._pass_on(client, server)


@pytest.mark.parametrize(("scheme", "login", "given"), [("socks5", "bob:s%40c@", ["bob s@c"]), ("socks5h", "", [])])
def test_a_socks_proxy(
    authority: Authority, serve: Serve, make_client: MakeClient, scheme: str, login: str, given: list[str]
) -> None:
    server, proxy = serve(authority.server_context()), SocksProxy()
    try:
        connection = Connection(
            host=server.url, token="t0ken", ca=ca_of(authority), proxy=f"{scheme}://{login}127.0.0.1:{proxy.port}"
        )
        client = make_client(connection)
        assert [client.get(PATH), client.get(PATH)] == [OBJECT, OBJECT]
    finally:
        proxy.close()
    assert proxy.heads == [*given, f"127.0.0.1:{server.port}"]
    assert server.asked[0].values("Authorization") == ["Bearer t0ken"]


def test_plain_http_goes_through_a_socks_proxy(api: ScriptedServer, make_client: MakeClient) -> None:
    proxy = SocksProxy()
    try:
        assert make_client(Connection(host=api.url, proxy=f"socks5h://127.0.0.1:{proxy.port}")).get(PATH) == OBJECT
    finally:
        proxy.close()
    assert (proxy.heads, api.asked[0].path) == ([f"127.0.0.1:{api.port}"], PATH)


def test_a_socks_proxy_that_is_not_there(make_client: MakeClient, free_port: int) -> None:
    client = make_client(
        Connection(host="https://api.example.com:6443", proxy=f"socks5h://bob:hunter2@127.0.0.1:{free_port}")
    )
    message = failure(client)
    assert "hunter2" not in message
    assert message.startswith(
        f"the proxy socks5h://127.0.0.1:{free_port} refused the connection; check the option proxy and its port"
    )


def test_a_socks_proxy_without_its_library(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3.contrib.socks", None)
    with pytest.raises(
        MissingLibraryError,
        match=r"^Failed to import the required Python library \(PySocks\) on .* This is required for a SOCKS proxy\.",
    ):
        make_client(Connection(host="https://api.example.com", proxy="socks5://127.0.0.1:9"))


DRIPPING = Reply(body=[b"HTTP/1.1 200 OK\r\nX-Long: ", *[b"x"] * 400], action="raw")


@pytest.mark.parametrize("way", ["TLS", "tunnel", "proxy's own answer", "proxy", "proxy with TLS"])
def test_headers_that_drip_meet_a_deadline_on_every_way(
    authority: Authority,
    serve: Serve,
    make_client: MakeClient,
    quick: RetryPolicy,
    tunnel: t.Callable[..., TunnelProxy],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setattr(answers, "BODY_TIME", 0.0)
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.3)
    server = serve(None if way in ("proxy's own answer", "proxy") else authority.server_context())
    server.replies = [DRIPPING]
    connection = {
        "TLS": Connection(host=server.url, ca=ca_of(authority)),
        "tunnel": Connection(host=server.url, ca=ca_of(authority), proxy=f"http://127.0.0.1:{tunnel().port}"),
        "proxy's own answer": Connection(host="https://api.example.com:6443", proxy=server.url),
        "proxy": Connection(host="http://api.example.com:8001", proxy=server.url),
        "proxy with TLS": Connection(host="http://api.example.com:8001", ca=ca_of(authority), proxy=server.url),
    }[way]
    with pytest.raises(ApiUnreachable, match=r"did not answer completely within 0.3 seconds \(tried 2 times\)"):
        make_client(connection, retry=quick).get(PATH, timeout=0.3)


def test_a_proxy_that_speaks_tls(authority: Authority, serve: Serve, make_client: MakeClient) -> None:
    # the cluster's CA is trusted for it too
    proxy = serve(authority.server_context())
    proxy.replies = [Reply(body={**OBJECT, "through": "proxy"})]
    connection = Connection(host="http://api.example.com:8001", proxy=proxy.url, ca=ca_of(authority))
    assert make_client(connection).get(PATH) == {**OBJECT, "through": "proxy"}
    assert failure(make_client(connection._replace(ca=None))) == (
        f"the certificate of the proxy {proxy.url} is not trusted (unable to get local issuer certificate); add its CA "
        "to those of the machine where the module runs, or to the file of the option ca_cert."
    )


def test_a_proxy_that_does_not_speak_tls(api: ScriptedServer, make_client: MakeClient) -> None:
    proxy = f"https://127.0.0.1:{api.port}"
    assert failure(make_client(Connection(host="http://api.example.com:8001", proxy=proxy))) == (
        f"the proxy {proxy} does not speak TLS; write the option proxy with http://."
    )


# ---- the network


def test_a_name_that_does_not_resolve(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: t.Any, **_keywords: t.Any) -> t.Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert failure(make_client(Connection(host="https://api.example.com:6443"))) == (
        "the name api.example.com cannot be resolved; check the option host and the DNS of the machine where the "
        "module runs (tried 4 times)."
    )


def test_a_server_that_accepts_no_connection_in_time(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_arguments: t.Any, **_keywords: t.Any) -> t.Any:
        with socket.socket(type=socket.SOCK_DGRAM) as silent:
            silent.settimeout(0.01)
            silent.recv(1)

    monkeypatch.setattr("urllib3.util.connection.create_connection", slow)
    client = make_client(Connection(host="https://127.0.0.1:9"))
    assert failure(client) == (
        "the API server https://127.0.0.1:9 did not accept a connection within 10 seconds; check the option host, "
        "firewalls, and whether a proxy is needed (tried 2 times)."
    )


def test_an_unreachable_network(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_arguments: t.Any, **_keywords: t.Any) -> t.Any:
        raise OSError(113, "No route to host")

    monkeypatch.setattr("urllib3.util.connection.create_connection", unreachable)
    assert failure(make_client(Connection(host="https://127.0.0.1:9"))) == (
        "the API server https://127.0.0.1:9 cannot be reached (No route to host); check the network and whether a "
        "proxy is needed (tried 4 times)."
    )


def test_without_requests_one_sentence_says_so(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAS_REQUESTS", False)
    with pytest.raises(MissingLibraryError, match=r"Failed to import the required Python library \(requests\)"):
        make_client(Connection(host="https://127.0.0.1:9"))
