# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a credential is sent to: a server with a trusted certificate, and nobody that it names."""

from __future__ import annotations

import ssl
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import Asked, Reply, ScriptedServer

from security.canaries import canary
from security.runs import RunHere
from security.test_canaries import TALKERS, WORK
from security.ways import USER, basic

PASSWORD = canary("trust")


def context() -> tuple[ssl.SSLContext, trustme.CA]:
    """Return a server's TLS, and the authority that signed its certificate."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    return tls, authority


@pytest.fixture
def trusted(lie: Callable[..., ScriptedServer], tmp_path: Path) -> tuple[ScriptedServer, str]:
    """Return a registry and the file with its authority."""
    tls, authority = context()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return lie(lambda asked: Reply(404), tls=tls), str(tmp_path / "ca.pem")


def options(module: str, registry: str, **entry: t.Any) -> dict[str, t.Any]:
    """Return a module with a credential for a registry."""
    registries = [{"registry": registry, "username": USER, "password": PASSWORD, **entry}]
    if module == "pull_secret":
        return {
            "namespace": "shop",
            "name": "pull",
            "registries": registries,
            "verify": True,
            "host": "http://127.0.0.1:1",
            "api_key": "unwatched",
        }
    return {"images": [f"{registry}/team/web:v1"], "registries": registries}


def sent_to(liar: ScriptedServer) -> list[str]:
    """Return the credentials that arrived at a server."""
    return [
        asked.header("Authorization") + asked.body.decode()
        for asked in liar.asked
        if asked.header("Authorization") or asked.body
    ]


@pytest.mark.parametrize("module", TALKERS)
def test_no_module_sends_a_token_to_a_cluster_that_nobody_vouches_for(
    lie: Callable[..., ScriptedServer], run_here: RunHere, module: str
) -> None:
    liar = lie(lambda asked: Reply(body={}), tls=context()[0])

    ended = run_here(module, {**WORK[module], "host": liar.url, "api_key": PASSWORD})

    assert ended.result["failed"]
    assert f"the certificate of {liar.url} is not trusted" in str(ended.result)
    assert liar.asked == []


@pytest.mark.parametrize("module", ["pull_secret", "registry_image_info"])
def test_no_module_sends_a_password_to_a_registry_that_nobody_vouches_for(
    lie: Callable[..., ScriptedServer], run_here: RunHere, module: str
) -> None:
    liar = lie(lambda asked: Reply(401, headers={"WWW-Authenticate": "Basic"}), tls=context()[0])

    ended = run_here(module, options(module, liar.host))

    assert "that is not trusted" in str(ended.result)
    assert liar.asked == []


@pytest.mark.parametrize("module", ["pull_secret", "registry_image_info"])
def test_no_module_sends_a_password_without_tls(
    lie: Callable[..., ScriptedServer], run_here: RunHere, module: str
) -> None:
    liar = lie(lambda asked: Reply(401, headers={"WWW-Authenticate": "Basic"}))

    ended = run_here(module, options(module, liar.host))

    assert "without TLS" in str(ended.result)
    assert liar.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_registry_takes_no_credential_along(
    trusted: tuple[ScriptedServer, str],
    lie: Callable[..., ScriptedServer],
    run_here: RunHere,
    tmp_path: Path,
    status: int,
) -> None:
    registry, ca_file = trusted
    tls, authority = context()
    with (tmp_path / "ca.pem").open("ab") as file:
        file.write(authority.cert_pem.bytes())
    store = lie(lambda asked: Reply(401, headers={"WWW-Authenticate": "Basic"}), tls=tls)

    def script(asked: Asked) -> Reply:
        if not asked.header("Authorization"):
            return Reply(401, headers={"WWW-Authenticate": "Basic"})
        return Reply(status, headers={"Location": f"{store.url}/elsewhere"})

    registry.script = script

    run_here("registry_image_info", options("registry_image_info", registry.host, ca_cert=ca_file))

    assert sent_to(registry) == [f"Basic {basic(PASSWORD)}"]
    assert [asked.path for asked in store.asked] == ["/elsewhere"]
    # although it asks for one
    assert sent_to(store) == []


@pytest.mark.parametrize("module", ["pull_secret", "registry_image_info"])
@pytest.mark.parametrize("kind", ["password", "identity_token"])
def test_a_token_server_hands_no_credential_on(
    trusted: tuple[ScriptedServer, str], lie: Callable[..., ScriptedServer], run_here: RunHere, module: str, kind: str
) -> None:
    registry, ca_file = trusted
    other = lie(lambda asked: Reply(body={"token": "opens"}))
    token = Reply(307, headers={"Location": f"{other.url}/token"})
    challenge = Reply(401, headers={"WWW-Authenticate": f'Bearer realm="{registry.url}/token",service="it"'})
    registry.script = lambda asked: token if asked.path.startswith("/token") else challenge
    given = options(module, registry.host, ca_cert=ca_file)
    if kind == "identity_token":
        given["registries"] = [{"registry": registry.host, "identity_token": PASSWORD, "ca_cert": ca_file}]

    ended = run_here(module, given)

    assert "answered HTTP 307 at its token server" in str(ended.result)
    assert len(sent_to(registry)) == 1
    assert other.asked == []


@pytest.mark.parametrize("module", ["pull_secret", "registry_image_info"])
@pytest.mark.parametrize("insecure", [False, True])
def test_a_token_server_without_tls_is_refused(
    trusted: tuple[ScriptedServer, str],
    lie: Callable[..., ScriptedServer],
    run_here: RunHere,
    module: str,
    insecure: bool,
) -> None:
    registry, ca_file = trusted
    plain = lie(lambda asked: Reply(body={"token": "opens"}))
    registry.script = lambda asked: Reply(
        401, headers={"WWW-Authenticate": f'Bearer realm="{plain.url}/token",service="it"'}
    )

    ended = run_here(
        module, options(module, registry.host, **({"insecure": True} if insecure else {"ca_cert": ca_file}))
    )

    assert (
        f'names the token server "{plain.url}/token", which is not reached over HTTPS; no password is sent there'
        in str(ended.result).replace("\\", "")
    )
    assert plain.asked == []
    assert sent_to(registry) == []


def test_a_cluster_that_redirects_gets_nothing_more(lie: Callable[..., ScriptedServer], run_here: RunHere) -> None:
    other = lie(lambda asked: Reply(body={}))
    cluster = lie(lambda asked: Reply(307, headers={"Location": f"{other.url}{asked.path}"}))

    ended = run_here("image_stream_info", {"namespace": "shop", "host": cluster.url, "api_key": PASSWORD})

    assert "it redirects to" in ended.message
    assert other.asked == []
