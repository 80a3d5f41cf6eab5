# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract's {hub}: tokens of its own, in the words the API server reacts to (contract/README.md)."""

from __future__ import annotations

import base64
import re
import typing as t

import pytest
import requests
from registries.client import RegistryClient
from registries.content import RegistryContent
from registries.fleet import RegistryFleet


@pytest.fixture
def session(fleet: RegistryFleet) -> t.Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = str(fleet.certificates.ca_file)
        yield opened


@pytest.fixture
def base(fleet: RegistryFleet) -> str:
    return f"https://{fleet.hosts()['hub']}"


def token(session: requests.Session, base: str, pair: tuple[str, str] | None = None) -> str:
    """Return a token from the hub's own service, for the pair or anonymous."""
    answer = session.get(f"{base}/token", auth=pair)
    assert answer.status_code == 200
    return str(answer.json()["token"])


def status(session: requests.Session, base: str, path: str, bearer: str) -> int:
    """Return what the hub answers the holder of a token."""
    return session.get(base + path, headers={"Authorization": f"Bearer {bearer}"}).status_code


def test_without_token_there_is_a_challenge_to_the_own_token_service(session: requests.Session, base: str) -> None:
    for path in ("/v2/", "/v2/public/plain/manifests/v2"):
        answer = session.get(base + path)
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"
        assert re.match(rf'Bearer realm="{base}/token",service="[^"]+"', answer.headers["WWW-Authenticate"])


def test_an_anonymous_token_opens_the_public_half(session: requests.Session, base: str) -> None:
    anonymous = token(session, base)
    assert status(session, base, "/v2/", anonymous) == 200
    assert status(session, base, "/v2/public/plain/manifests/v2", anonymous) == 200
    refused = session.get(f"{base}/v2/private/plain/manifests/v2", headers={"Authorization": f"Bearer {anonymous}"})
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["code"] == "UNAUTHORIZED"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")


def test_the_right_pair_opens_both_halves(session: requests.Session, base: str) -> None:
    known = token(session, base, ("hub", "good"))
    assert status(session, base, "/v2/public/plain/manifests/v2", known) == 200
    assert status(session, base, "/v2/private/plain/manifests/v2", known) == 200


@pytest.mark.parametrize(
    "header",
    ["Basic " + base64.b64encode(b"hub:bad").decode(), "Basic " + base64.b64encode(b"nocolon").decode(), "Basic ?"],
)
def test_any_other_pair_gets_no_token(session: requests.Session, base: str, header: str) -> None:
    answer = session.get(f"{base}/token", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"details": "incorrect username or password"}


def test_an_invented_token_opens_nothing(session: requests.Session, base: str) -> None:
    assert status(session, base, "/v2/public/plain/manifests/v2", "invented") == 401


@pytest.mark.parametrize("repository", ["public/plain", "private/plain"])
def test_both_halves_serve_what_plain_has(
    fleet: RegistryFleet, recorded: dict[str, RegistryContent], repository: str
) -> None:
    held = recorded["plain"].repositories["team/plain"]
    with fleet.client("hub") as client:
        assert client.tags(repository) == sorted(held.tags)
        assert {tag: client.manifest(repository, tag).digest for tag in held.tags} == held.tags


def test_the_client_gets_its_token_by_itself(fleet: RegistryFleet) -> None:
    with RegistryClient(fleet.addresses["hub"]) as client:
        assert client.manifest("private/plain", "v2").children() == []
