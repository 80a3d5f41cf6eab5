# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exec plugins, auth providers and the pod's service account: what the kubernetes library does, and that it never
fails in silence."""

from __future__ import annotations

import base64
import gc
import inspect
import json
import os
import time
import typing as t
import warnings
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import kubernetes_library as library
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.kubeconfig import (
    KubeconfigContext,
    load_kubeconfig,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ConfigurationError,
    MissingLibraryError,
)
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import (
    Authority,
    Reply,
    ScriptedServer,
)
from kubernetes.config.exec_provider import ExecProvider

API_VERSION = "client.authentication.k8s.io/v1"


@pytest.fixture(autouse=True)
def _temporary_files_of_the_library() -> t.Iterator[None]:
    """Versions before 29 leave a temporary file open, about which Python warns whenever it is collected."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def context_of(folder: Path, entry: dict[str, t.Any], cluster: dict[str, t.Any] | None = None) -> KubeconfigContext:
    path = folder / "kubeconfig"
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443", **(cluster or {})}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "other", "user": {}}, {"name": "u", "user": entry}],
    }
    path.write_text(yaml.safe_dump(content))
    return load_kubeconfig(str(path), None, lambda secrets: None)


def plugin(folder: Path, script: str, **parts: t.Any) -> KubeconfigContext:
    """Return a context with an exec plugin that runs the shell script."""
    command = folder / "login"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o700)
    return context_of(
        folder, {"exec": {"apiVersion": API_VERSION, "command": "./login", **parts.pop("plugin", {})}}, **parts
    )


def answer(**status: t.Any) -> str:
    return (
        "cat <<'EOF'\n" + json.dumps({"apiVersion": API_VERSION, "kind": "ExecCredential", "status": status}) + "\nEOF"
    )


def exec_refusal(context: KubeconfigContext) -> str:
    with pytest.raises(ConfigurationError) as caught:
        library.exec_credential(context)
    return str(caught.value)


# ---- exec plugins


def test_a_token_of_a_plugin(tmp_path: Path) -> None:
    assert library.exec_credential(plugin(tmp_path, answer(token="dummy-token"))).token == "dummy-token"


def test_a_certificate_of_a_plugin(tmp_path: Path) -> None:
    credential = library.exec_credential(plugin(tmp_path, answer(clientCertificateData="CERT", clientKeyData="KEY")))
    assert credential.token is None
    assert credential.client_cert is not None
    assert credential.client_key is not None
    assert (credential.client_cert.text, credential.client_key.text) == ("CERT", "KEY")
    assert "KEY" not in repr(credential)


def test_a_plugin_gets_its_arguments_environment_folder_and_the_cluster(tmp_path: Path) -> None:
    script = (
        'printf "%s|%s|%s|%s" "$1" "$2" "$PROFILE" "$(pwd)" > seen; printf "%s" "$KUBERNETES_EXEC_INFO" > info; '
        + answer(token="x")
    )
    context = plugin(
        tmp_path,
        script,
        cluster={"certificate-authority-data": "Q0E="},
        plugin={"args": ["get", "token"], "env": [{"name": "PROFILE", "value": "dev"}], "provideClusterInfo": True},
    )
    library.exec_credential(context)
    assert (tmp_path / "seen").read_text() == f"get|token|dev|{tmp_path}"
    info = json.loads((tmp_path / "info").read_text())
    assert info["spec"]["interactive"] is False
    if "cluster" in inspect.signature(ExecProvider).parameters:
        assert info["spec"]["cluster"]["server"] == "https://api.example.com:6443"
    assert context.raw_cluster == {"server": "https://api.example.com:6443", "certificate-authority-data": "Q0E="}


def test_a_failing_plugin_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    context = plugin(tmp_path, "echo 'no session for profile dev,' >&2; echo 'please log in' >&2; exit 7")
    assert exec_refusal(context) == (
        f"The exec plugin './login' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig gave no credential:"
        " exec: process returned 7. no session for profile dev, please log in."
    )


def test_what_a_plugin_says_is_bounded_and_without_tokens(tmp_path: Path) -> None:
    said = exec_refusal(
        plugin(tmp_path, "echo 'refused Bearer abc.def sha256~S3cretToken' >&2; yes long | head -n 5000 >&2; exit 1")
    )
    assert "abc.def" not in said
    assert "S3cretToken" not in said
    assert len(said) < 900


def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    context = context_of(
        tmp_path,
        {
            "exec": {
                "apiVersion": API_VERSION,
                "command": "/nonexistent/login",
                "installHint": "Install the\nlogin tool.",
            }
        },
    )
    assert exec_refusal(context) == (
        f"The exec plugin '/nonexistent/login' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig could not be "
        "started: No such file or directory; Install the login tool."
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo nonsense", "exec: failed to decode process output: Expecting value: line 1 column 1 (char 0)."),
        (answer(), "its answer has neither a token nor a client certificate with its key."),
        (answer(token=""), "its answer has neither a token nor a client certificate with its key."),
        (answer(clientCertificateData="CERT"), "its answer has neither a token nor a client certificate with its key."),
        ('echo \'{"kind": "ExecCredential", "status": {}}\'', "exec: malformed response. missing key 'apiVersion'."),
    ],
)
def test_an_answer_that_is_no_credential(tmp_path: Path, script: str, said: str) -> None:
    assert exec_refusal(plugin(tmp_path, script)).endswith(f"/kubeconfig gave no credential: {said}")


@pytest.mark.parametrize(
    "description", [{"command": "x"}, {"apiVersion": API_VERSION, "command": "x", "env": [{"value": "y"}]}]
)
def test_a_plugin_that_is_described_wrongly(tmp_path: Path, description: dict[str, t.Any]) -> None:
    assert exec_refusal(context_of(tmp_path, {"exec": description})).startswith(
        "The exec plugin 'x' of the user 'u' of the kubeconfig "
    )


# ---- auth providers


def web_token(**claims: t.Any) -> str:
    def part(content: dict[str, t.Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


def provider(folder: Path, name: str = "oidc", **settings: t.Any) -> KubeconfigContext:
    return context_of(folder, {"auth-provider": {"name": name, "config": settings}})


def provider_refusal(context: KubeconfigContext) -> str:
    with pytest.raises(ConfigurationError) as caught:
        library.provider_credential(context, False, lambda secrets: None)
    return str(caught.value)


def test_a_token_that_is_still_valid(tmp_path: Path) -> None:
    token = web_token(exp=time.time() + 3600)
    assert (
        library.provider_credential(provider(tmp_path, **{"id-token": token}), False, lambda secrets: None).token
        == token
    )


@pytest.fixture
def issuer(authority: Authority, serve: t.Callable[..., ScriptedServer]) -> ScriptedServer:
    """Return an OpenID issuer whose next token is ``fresh``."""
    server = serve(authority.server_context())
    fresh = {
        "id_token": web_token(exp=4102444800, n="fresh"),
        "refresh_token": "next-refresh",
        "access_token": "a",
        "token_type": "bearer",
    }
    server.replies = [Reply(body={"token_endpoint": f"{server.url}/token"}), Reply(body=fresh)]
    return server


def expired_settings(issuer: ScriptedServer, authority: Authority) -> dict[str, t.Any]:
    return {
        "id-token": web_token(exp=1),
        "refresh-token": "old-refresh",
        "client-id": "me",
        "client-secret": "dummy-client-secret",
        "idp-issuer-url": issuer.url,
        "idp-certificate-authority": str(authority.ca_path),
    }


@pytest.mark.parametrize("persist", [True, False])
def test_an_expired_token_is_refreshed_and_written_back_on_request(
    tmp_path: Path, issuer: ScriptedServer, authority: Authority, persist: bool
) -> None:
    context = provider(tmp_path, **expired_settings(issuer, authority))
    path = tmp_path / "kubeconfig"
    before = path.read_text()
    masked: list[str] = []
    credential = library.provider_credential(context, persist, masked.extend)
    assert [asked.path for asked in issuer.asked] == ["/.well-known/openid-configuration", "/token"]
    assert credential.token == web_token(exp=4102444800, n="fresh")
    assert {"next-refresh", credential.token} <= set(masked)
    if not persist:
        assert path.read_text() == before
        return
    content = yaml.safe_load(path.read_text())
    settings = content["users"][1]["user"]["auth-provider"]["config"]
    assert (settings["id-token"], settings["refresh-token"]) == (credential.token, "next-refresh")
    assert settings["idp-certificate-authority"] == str(authority.ca_path)
    assert content["clusters"] == yaml.safe_load(before)["clusters"]
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["kubeconfig"]


def test_the_issuer_is_verified_even_without_a_named_ca(
    tmp_path: Path, issuer: ScriptedServer, authority: Authority
) -> None:
    # the library alone would send the refresh token over TLS that nobody verified
    settings = expired_settings(issuer, authority)
    del settings["idp-certificate-authority"]
    said = provider_refusal(provider(tmp_path, **settings))
    assert said.startswith(
        f"The auth provider 'oidc' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig gave no credential: "
    )
    assert "certificate verify failed" in said
    assert issuer.asked == []
    assert "dummy-client-secret" not in said


def test_the_issuers_ca_is_relative_to_the_kubeconfig(
    tmp_path: Path, issuer: ScriptedServer, authority: Authority
) -> None:
    (tmp_path / "issuer.pem").write_text(authority.ca_pem)
    settings = {**expired_settings(issuer, authority), "idp-certificate-authority": "issuer.pem"}
    assert library.provider_credential(provider(tmp_path, **settings), False, lambda secrets: None).token == web_token(
        exp=4102444800, n="fresh"
    )
    settings["idp-certificate-authority"] = "absent.pem"
    assert provider_refusal(provider(tmp_path, **settings)) == (
        f"The auth provider 'oidc' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig names a CA file that cannot "
        f"be read ({tmp_path}/absent.pem): No such file or directory."
    )


def test_a_token_that_stays_expired_is_an_error(tmp_path: Path, issuer: ScriptedServer, authority: Authority) -> None:
    # what the library does not refresh and does not complain about either: a client that the issuer does not know
    issuer.replies[1] = Reply(401, {"error": "invalid_client"})
    said = provider_refusal(provider(tmp_path, **expired_settings(issuer, authority)))
    assert said.startswith(f"The auth provider 'oidc' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig gave no ")
    assert "dummy-client-secret" not in said


def test_an_expired_token_that_the_library_took_for_good_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # several versions go on with the old token if the issuer does not answer well
    expired = web_token(exp=1)

    def load(_content: t.Any, client_configuration: t.Any, **_keywords: t.Any) -> None:
        client_configuration.api_key["authorization"] = f"Bearer {expired}"

    monkeypatch.setattr(library, "load_kube_config_from_dict", load)
    assert provider_refusal(provider(tmp_path, **{"id-token": expired})) == (
        f"The auth provider 'oidc' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig gave no valid credential: "
        "its token has expired and could not be refreshed; log in again."
    )


def test_a_provider_that_the_library_does_not_know(tmp_path: Path) -> None:
    from kubernetes import __version__ as version

    assert provider_refusal(provider(tmp_path, "keystone", **{"id-token": "x"})) == (
        f"The auth provider 'keystone' of the user 'u' of the kubeconfig {tmp_path}/kubeconfig gave no credential: the "
        f"kubernetes library {version} got no token from it; use an exec plugin or the option api_key."
    )


@pytest.mark.parametrize(
    ("call", "purpose"),
    [
        (lambda folder: library.exec_credential(plugin(folder, "true")), "run the exec plugin of a kubeconfig"),
        (
            lambda folder: library.provider_credential(provider(folder), False, lambda secrets: None),
            "use the auth provider of a kubeconfig",
        ),
    ],
)
def test_without_the_library_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: t.Callable[[Path], t.Any], purpose: str
) -> None:
    monkeypatch.setattr(library, "HAS_KUBERNETES", False)
    with pytest.raises(
        MissingLibraryError, match=f"required Python library \\(kubernetes\\).*This is required to {purpose}"
    ):
        call(tmp_path)
