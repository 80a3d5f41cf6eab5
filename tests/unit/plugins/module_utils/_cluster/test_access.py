# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which option decides about what: the order of kubernetes.core's table, and what is refused before anything is
sent."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import access
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.access import (
    connection_from_params,
    excluded_from_proxy,
    option_secrets,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import (
    Connection,
    Impersonation,
    open_session,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    CollectionError,
    ConfigurationError,
    InputError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._http.tls import Pem

HOST = "https://api.example.com:6443"
KUBECONFIG_HOST = "https://kubeconfig.example.com:6443"


@pytest.fixture(autouse=True)
def _alone(clean_environment: None) -> None:
    """Nothing of this machine's own access takes part."""


def resolve(**params: t.Any) -> Connection:
    return connection_from_params(params, lambda secrets: None)


def refusal(kind: type[CollectionError], **params: t.Any) -> str:
    with pytest.raises(kind) as caught:
        resolve(**params)
    return str(caught.value)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """Return a kubeconfig whose every static part is set."""
    path = tmp_path / "config"
    path.write_text(kubeconfig_text())
    return str(path)


def kubeconfig_text(**user: t.Any) -> str:
    cluster = {
        "server": KUBECONFIG_HOST,
        "certificate-authority": "ca.pem",
        "tls-server-name": "api.internal",
        "proxy-url": "http://kubeconfig-proxy.example.com:3128",
    }
    entry = user or {
        "token": "kubeconfig-token",
        "client-certificate": "c.pem",
        "client-key": "k.pem",
        "as": "root",
        "as-groups": ["wheel"],
    }
    content = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": cluster}],
        "contexts": [
            {"name": "it", "context": {"cluster": "it", "user": "it"}},
            {"name": "other", "context": {"cluster": "it", "user": "other"}},
        ],
        "users": [{"name": "it", "user": entry}, {"name": "other", "user": {"token": "other-token"}}],
    }
    return yaml.safe_dump(content)


# ---- who decides


def test_host_and_token_are_enough(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # a kubeconfig beside them, named or not, is not even read
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    expected = Connection(host=HOST, token="abc", credential_origin="the option api_key")
    assert resolve(host=f"{HOST}/", api_key=" abc\n") == expected
    assert resolve(host=HOST, api_key="abc", kubeconfig="/nonexistent") == expected


def test_host_and_password_or_certificate_are_enough() -> None:
    basic = resolve(host=HOST, username="bob", password="pw", kubeconfig="/nonexistent")
    assert (basic.username, basic.password, basic.token, basic.credential_origin) == (
        "bob",
        "pw",
        None,
        "the option password",
    )
    cert = resolve(host=HOST, client_cert="/c.pem", client_key="/k.pem", kubeconfig="/nonexistent")
    assert cert.client_cert == Pem("the option client_cert", path="/c.pem")
    assert cert.client_key == Pem("the option client_key", path="/k.pem")
    assert cert.credential_origin == "the option client_cert"


def test_the_token_comes_before_the_password() -> None:
    both = resolve(host=HOST, api_key="abc", username="bob", password="pw")
    assert (both.token, both.username, both.password) == ("abc", None, None)


def test_the_environment_is_named_where_it_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "abc")
    assert resolve(host=HOST, api_key="abc").credential_origin == "the environment variable K8S_AUTH_API_KEY"


def test_a_kubeconfig_gives_every_part(kubeconfig: str) -> None:
    folder = str(Path(kubeconfig).parent)
    origin = f"the user 'it' of the kubeconfig {kubeconfig}"
    assert resolve(kubeconfig=kubeconfig) == Connection(
        host=KUBECONFIG_HOST,
        token="kubeconfig-token",
        client_cert=Pem(f"client-certificate of {origin}", path=f"{folder}/c.pem"),
        client_key=Pem(f"client-key of {origin}", path=f"{folder}/k.pem"),
        ca=Pem(f"certificate-authority of the cluster 'it' of the kubeconfig {kubeconfig}", path=f"{folder}/ca.pem"),
        server_name="api.internal",
        proxy="http://kubeconfig-proxy.example.com:3128",
        proxy_origin=f"proxy-url of the cluster 'it' of the kubeconfig {kubeconfig}",
        cluster_origin=f"the cluster 'it' of the kubeconfig {kubeconfig}",
        impersonation=Impersonation("root", ("wheel",)),
        credential_origin=origin,
    )


def test_options_replace_parts_of_the_kubeconfig(kubeconfig: str) -> None:
    found = resolve(
        kubeconfig=kubeconfig,
        host=HOST,
        ca_cert="/my-ca.pem",
        validate_certs=False,
        client_cert="/my.pem",
        proxy="my-proxy.example.com:8080",
        impersonate_user="alice",
        impersonate_groups=["a", "b"],
    )
    assert found.host == HOST
    assert found.ca == Pem("the option ca_cert", path="/my-ca.pem")
    assert found.verify is False
    assert (found.client_cert, found.client_key) == (Pem("the option client_cert", path="/my.pem"), None)
    assert found.proxy == "http://my-proxy.example.com:8080"
    assert found.impersonation == Impersonation("alice", ("a", "b"))


def test_a_token_of_the_task_replaces_the_kubeconfigs(kubeconfig: str) -> None:
    found = resolve(kubeconfig=kubeconfig, api_key="abc")
    assert (found.host, found.token, found.credential_origin) == (KUBECONFIG_HOST, "abc", "the option api_key")
    basic = resolve(kubeconfig=kubeconfig, username="bob", password="pw")
    assert (basic.host, basic.token, basic.username) == (KUBECONFIG_HOST, None, "bob")


def test_a_token_of_the_task_spares_the_plugin(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(kubeconfig_text(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/nonexistent"}))
    assert resolve(kubeconfig=str(path), api_key="abc").token == "abc"


def test_a_context_alone_means_the_default_kubeconfig(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    assert resolve(context="other").token == "other-token"
    monkeypatch.delenv("KUBECONFIG")
    assert refusal(ConfigurationError, context="other") == (
        "The context 'other' is named, but there is no kubeconfig: set the option kubeconfig or $KUBECONFIG."
    )


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the surroundings of a pod's process."""
    (tmp_path / "token").write_text("dummy-pod-token\n")
    (tmp_path / "ca.crt").write_text("dummy CA\n")
    monkeypatch.setattr(access, "SERVICE_ACCOUNT_TOKEN", str(tmp_path / "token"))
    monkeypatch.setattr(access, "SERVICE_ACCOUNT_CA", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return tmp_path


def test_the_kubeconfig_of_the_environment_comes_before_the_pods_own_account(
    kubeconfig: str, pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve().token == "dummy-pod-token"
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    assert (resolve().host, resolve().token) == (KUBECONFIG_HOST, "kubeconfig-token")
    # a host without a credential borrows the rest, as with kubernetes.core
    assert (resolve(host=HOST).host, resolve(host=HOST).token) == (HOST, "kubeconfig-token")
    monkeypatch.setenv("KUBECONFIG", "/nonexistent/config")
    assert (
        refusal(ConfigurationError)
        == "The environment variable KUBECONFIG names no file that exists (/nonexistent/config); correct it, or unset "
        "it."
    )


def test_the_default_kubeconfig_comes_last(
    kubeconfig: str, pod: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    (tmp_path / "home" / ".kube" / "config").write_text(kubeconfig_text())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert (resolve().host, resolve().token) == ("https://[fd00::1]:443", "dummy-pod-token")
    assert resolve(context="other").token == "other-token"
    assert resolve(kubeconfig=kubeconfig).token == "kubeconfig-token"
    assert resolve(host=HOST, api_key="abc").token == "abc"
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    assert resolve().token == "kubeconfig-token"


def test_the_service_account_of_the_pod(pod: Path) -> None:
    masked: list[str] = []
    connection = connection_from_params({}, masked.extend)
    assert connection.host == "https://[fd00::1]:443"
    assert connection.token == "dummy-pod-token"
    assert connection.ca is not None
    assert connection.ca.path == str(pod / "ca.crt")
    assert connection.verify is True
    assert connection.credential_origin == f"the service account of this pod ({pod}/token)"
    (pod / "token").write_text("rotated\n")
    assert connection.renew_token is not None
    assert connection.renew_token() == "rotated"
    assert masked == ["dummy-pod-token", "rotated"]
    (pod / "token").write_text("rot ated")
    with pytest.raises(ConfigurationError) as caught:
        connection.renew_token()
    origin = "the service account of this pod"
    assert (
        str(caught.value)
        == f"The bearer token of {origin} holds a character that no token has, such as a space or a line end."
    )


@pytest.mark.parametrize("variable", ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
def test_outside_of_a_pod(pod: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "")
    assert refusal(ConfigurationError).startswith("No cluster is named")


def test_a_pod_without_a_mounted_token(pod: Path) -> None:
    # job pods of automation controllers do not always mount one
    (pod / "token").unlink()
    assert refusal(ConfigurationError).startswith("No cluster is named")


def test_a_pod_without_its_ca(pod: Path) -> None:
    (pod / "ca.crt").unlink()
    with pytest.raises(ConfigurationError) as caught:
        open_session(resolve(), 1)
    assert (
        str(caught.value)
        == f"The CA file of the service account of this pod ({pod}/ca.crt) cannot be read: No such file or directory."
    )


# ---- two clusters at once


def test_a_host_of_the_environment_does_not_win_over_a_kubeconfig_of_the_task(
    kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", HOST)
    monkeypatch.setenv("K8S_AUTH_API_KEY", "env-token")
    assert refusal(InputError, host=HOST, api_key="env-token", kubeconfig=kubeconfig) == (
        f"The option kubeconfig names the cluster {KUBECONFIG_HOST}, and the environment variable K8S_AUTH_HOST names "
        f"{HOST}; unset K8S_AUTH_HOST, or leave the option kubeconfig out."
    )
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    assert refusal(InputError, host=HOST, api_key="env-token", context="other").startswith(
        f"The option context names the cluster {KUBECONFIG_HOST}, and"
    )
    # the same cluster is no second one, and what the environment alone says stands
    monkeypatch.setenv("K8S_AUTH_HOST", f"{KUBECONFIG_HOST}/")
    assert resolve(host=f"{KUBECONFIG_HOST}/", api_key="env-token", kubeconfig=kubeconfig).token == "env-token"
    monkeypatch.setenv("K8S_AUTH_HOST", HOST)
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig)
    assert resolve(host=HOST, api_key="env-token", kubeconfig=kubeconfig).host == HOST


def test_a_host_of_the_task_gets_no_credential_of_the_environments_cluster(
    kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "https://other.example.com:6443"
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", kubeconfig)
    assert refusal(InputError, host=other, kubeconfig=kubeconfig) == (
        f"The option host names the cluster {other}, and the environment variable K8S_AUTH_KUBECONFIG names "
        f"{KUBECONFIG_HOST}; unset K8S_AUTH_KUBECONFIG, or leave the option host out."
    )
    assert resolve(host=other, kubeconfig=kubeconfig, api_key="own").token == "own"
    assert resolve(host=KUBECONFIG_HOST, kubeconfig=kubeconfig).token == "kubeconfig-token"
    monkeypatch.setenv("K8S_AUTH_API_KEY", "env-token")
    assert "K8S_AUTH_KUBECONFIG names" in refusal(InputError, host=other, kubeconfig=kubeconfig, api_key="env-token")
    monkeypatch.setenv("K8S_AUTH_HOST", HOST)
    assert refusal(InputError, host=other, kubeconfig=kubeconfig, api_key="env-token").startswith(
        f"The option host names the cluster {other}, and the environment variable K8S_AUTH_HOST names {HOST};"
    )
    # with a credential of its own there is nothing to confuse
    assert resolve(host=other, kubeconfig=kubeconfig, api_key="own").token == "own"


def test_a_kubeconfig_of_the_task_gets_no_token_of_the_environments_cluster(
    kubeconfig: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "another").write_text(kubeconfig_text().replace(KUBECONFIG_HOST, HOST))
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "another"))
    monkeypatch.setenv("K8S_AUTH_API_KEY", "env-token")
    assert refusal(InputError, kubeconfig=kubeconfig, api_key="env-token").startswith(
        f"The option kubeconfig names the cluster {KUBECONFIG_HOST}, and the environment variable K8S_AUTH_KUBECONFIG "
        f"names {HOST};"
    )
    assert resolve(kubeconfig=kubeconfig).token == "kubeconfig-token"
    monkeypatch.delenv("K8S_AUTH_KUBECONFIG")
    assert resolve(kubeconfig=kubeconfig, api_key="env-token").token == "env-token"


def test_a_host_alone_is_asked_anonymously() -> None:
    assert resolve(host="http://127.0.0.1:8001") == Connection(host="http://127.0.0.1:8001")


def test_without_anything_one_sentence_says_what_to_set() -> None:
    assert refusal(ConfigurationError) == (
        "No cluster is named: set the options host and api_key, or kubeconfig (or K8S_AUTH_HOST and K8S_AUTH_API_KEY "
        "in the environment);"
        " there is no kubeconfig at the default place either, and this is not a pod with a service account."
    )


# ---- credentials of a kubeconfig's user


def connection_of(tmp_path: Path, masked: list[str] | None = None, **user: t.Any) -> Connection:
    path = tmp_path / "config"
    path.write_text(kubeconfig_text(**user))
    return connection_from_params({"kubeconfig": str(path)}, (masked if masked is not None else []).extend)


def test_a_token_file_is_read_and_read_again(tmp_path: Path) -> None:
    masked: list[str] = []
    (tmp_path / "token").write_text("first\n")
    found = connection_of(tmp_path, masked, tokenFile="token")
    (tmp_path / "token").write_text("second\n")
    assert found.renew_token is not None
    assert (found.token, found.renew_token()) == ("first", "second")
    assert {"first", "second"} <= set(masked)


def test_an_exec_plugin_is_asked_again(tmp_path: Path) -> None:
    masked: list[str] = []
    plugin = tmp_path / "login"
    answer = (
        '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "token-%s"}}'
    )
    plugin.write_text(f"#!/bin/sh\necho x >> count\nprintf '{answer}' $(wc -l < count)\n")
    plugin.chmod(0o700)
    found = connection_of(
        tmp_path, masked, exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}
    )
    assert found.renew_token is not None
    assert (found.token, found.renew_token()) == ("token-1", "token-2")
    assert {"token-1", "token-2"} <= set(masked)
    assert found.credential_origin == f"the exec plugin of the user 'it' of the kubeconfig {tmp_path}/config"


def test_a_static_token_spares_the_plugin(tmp_path: Path) -> None:
    found = connection_of(
        tmp_path, token="abc", exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/nonexistent"}
    )
    assert found.token == "abc"


def test_a_failing_plugin_is_an_error_and_not_an_anonymous_request(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"The exec plugin .false. of the user 'it' of the kubeconfig .* gave no credential"
    ):
        connection_of(tmp_path, exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "false"})


def test_a_certificate_of_a_plugin_and_its_key_are_used_and_masked(tmp_path: Path) -> None:
    masked: list[str] = []
    plugin = tmp_path / "login"
    status = '{"clientCertificateData": "CERT", "clientKeyData": "KEY-TEXT"}'
    plugin.write_text(
        "#!/bin/sh\n"
        f"""echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", """
        f""""status": {status}}}'\n"""
    )
    plugin.chmod(0o700)
    found = connection_of(
        tmp_path, masked, exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}
    )
    assert found.token is None
    assert found.client_key is not None
    assert found.client_key.text == "KEY-TEXT"
    assert "KEY-TEXT" in masked


def test_a_password_of_the_kubeconfig(tmp_path: Path) -> None:
    masked: list[str] = []
    found = connection_of(tmp_path, masked, username="bob", password="pass-word")
    assert (found.username, found.password) == ("bob", "pass-word")
    assert {"pass-word", base64.b64encode(b"bob:pass-word").decode()} <= set(masked)


def test_a_user_without_a_credential_has_no_origin(tmp_path: Path) -> None:
    found = connection_of(tmp_path, **{"as": "x"})
    assert (found.token, found.credential_origin) == (None, "")


# ---- refusals


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("api.example.com:6443", "api.example.com:6443"),
        ("ftp://api.example.com", "ftp://api.example.com"),
        ("https://", "https:"),
        ("https://api.example.com:port", "https://api.example.com:port"),
        ("https://api.example.com?x=1", "https://api.example.com?x=1"),
        ("//user:secret@api.example.com", "//api.example.com"),
        ("https://[::1", "https://[::1"),
    ],
)
def test_a_host_that_is_no_url(host: str, shown: str) -> None:
    assert refusal(InputError, host=host, api_key="abc") == (
        f"'{shown}' of the option host is not the URL of an API server; write it like "
        "https://api.cluster.example.com:6443."
    )


def test_a_host_with_a_password() -> None:
    said = refusal(InputError, host="https://bob:hunter2@api.example.com", api_key="abc")
    assert said == "The URL of the option host holds a user name or password; use the options username and password."


@pytest.mark.parametrize("token", ["a b", "a\nb", "tokén", "a\x00b"])
def test_a_token_that_no_header_can_hold_is_not_repeated(token: str) -> None:
    said = refusal(InputError, host=HOST, api_key=token)
    assert (
        said
        == "The bearer token of the option api_key holds a character that no token has, such as a space or a line end."
    )


def test_groups_without_a_user() -> None:
    assert refusal(InputError, host=HOST, api_key="abc", impersonate_groups=["a"]) == (
        "impersonate_groups needs impersonate_user: the API server does not impersonate a group alone."
    )


@pytest.mark.parametrize(
    "names", [{"impersonate_user": "a\r\nX: y"}, {"impersonate_user": "a", "impersonate_groups": ["b\n"]}]
)
def test_a_name_cannot_smuggle_a_header(names: dict[str, t.Any]) -> None:
    assert refusal(InputError, host=HOST, api_key="abc", **names).endswith(" is empty or holds a control character.")


def test_a_key_without_a_certificate() -> None:
    assert (
        refusal(InputError, host=HOST, api_key="abc", client_key="/k.pem")
        == "The option client_key needs the option client_cert."
    )


@pytest.mark.parametrize("proxy", ["http://", "nonsense://x", "http://bob:hunter2@:3128", "http://proxy:port"])
def test_a_proxy_that_is_no_url_is_not_repeated(proxy: str) -> None:
    assert refusal(InputError, host=HOST, api_key="abc", proxy=proxy) == (
        "The value of the option proxy is not the URL of a proxy; write it like http://proxy.example.com:3128."
    )


# ---- proxies


def test_proxy_headers() -> None:
    headers = {"proxy_basic_auth": "bob:pw", "basic_auth": "eve:pw", "user_agent": "us"}
    assert resolve(host=HOST, api_key="abc", proxy="http://p:1", proxy_headers=headers).proxy_headers == {
        "Proxy-Authorization": "Basic Ym9iOnB3",
        "Authorization": "Basic ZXZlOnB3",
        "User-Agent": "us",
    }
    assert resolve(host=HOST, api_key="abc", proxy_headers={"user_agent": None}).proxy_headers == {}


@pytest.mark.parametrize("written", ["пароль", "%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C"])
def test_a_password_in_a_proxys_url_goes_out_as_utf_8(written: str) -> None:
    expected = f"Basic {base64.b64encode('bob:пароль'.encode()).decode()}"
    assert resolve(host=HOST, api_key="abc", proxy=f"http://bob:{written}@p:1").proxy_headers == {
        "Proxy-Authorization": expected
    }
    both = resolve(
        host=HOST, api_key="abc", proxy=f"http://bob:{written}@p:1", proxy_headers={"proxy_basic_auth": "eve:pw"}
    )
    assert both.proxy_headers == {"Proxy-Authorization": "Basic ZXZlOnB3"}


def test_no_proxy_takes_the_proxy_away(kubeconfig: str) -> None:
    assert resolve(host=HOST, api_key="abc", proxy="http://p:1", no_proxy="other, .example.com").proxy is None
    assert resolve(host=HOST, api_key="abc", proxy="http://p:1", no_proxy="example.org").proxy == "http://p:1"
    assert resolve(kubeconfig=kubeconfig, no_proxy="kubeconfig.example.com").proxy is None


@pytest.mark.parametrize(
    ("host", "no_proxy", "excluded"),
    [
        (HOST, "*", True),
        (HOST, "", False),
        (HOST, ",", False),
        (HOST, "api.example.com", True),
        (HOST, "API.Example.COM", True),
        (HOST, "example.com", True),
        (HOST, ".example.com", True),
        (HOST, "*.example.com", True),
        (HOST, "ample.com", False),
        (HOST, "api.example.com:6443", True),
        (HOST, "api.example.com:443", False),
        ("https://api.example.com", "api.example.com:443", True),
        ("http://api.example.com", "api.example.com:80", True),
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "192.168.0.0/16", False),
        ("https://[fd00::1]:6443", "fd00::/8", True),
        ("https://[fd00::1]:6443", "[fd00::1]:6443", True),
        ("https://[fd00::1]:6443", "fd01::/16", False),
        (HOST, "10.0.0.0/8", False),
    ],
)
def test_what_no_proxy_excludes(host: str, no_proxy: str, excluded: bool) -> None:
    assert excluded_from_proxy(host, no_proxy) is excluded


# ---- secrets


def test_every_secret_of_the_options_is_known() -> None:
    content = yaml.safe_load(kubeconfig_text(token="content-token"))
    params = {
        "api_key": "the-key",
        "username": "bob",
        "password": "the-password",
        "kubeconfig": content,
        "proxy": "http://eve:prox%79@p:1",
        "proxy_headers": {"proxy_basic_auth": "eve:the-proxy-auth", "basic_auth": None},
    }

    def b64(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    assert {
        "the-key", "the-password", b64("bob:the-password"), "content-token", "other-token",
        "prox%79", "proxy", b64("eve:proxy"),
        "eve:the-proxy-auth", "the-proxy-auth",
    } <= option_secrets(params)  # fmt: skip
    assert option_secrets({"kubeconfig": "/path"}) == set()
    text = kubeconfig_text()
    assert option_secrets({"kubeconfig": text}) == {text}


def test_a_connection_shows_no_secret(kubeconfig: str) -> None:
    connection = resolve(kubeconfig=kubeconfig)._replace(password="pass-word", proxy="http://u:prox@p:1")
    for secret in ("kubeconfig-token", "pass-word", "prox@"):
        assert secret not in repr(connection)
