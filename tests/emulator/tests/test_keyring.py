# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential matches which image (server-behaviour.md 2.8)."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from emulator.keyring import Keyring, MalformedSecret

JSON_TYPE, OLD_TYPE = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"


def secret(content: t.Any, kind: str = JSON_TYPE) -> dict[str, t.Any]:
    """Return a registry secret with this content."""
    text = content if isinstance(content, str) else json.dumps(content)
    key = ".dockerconfigjson" if kind == JSON_TYPE else ".dockercfg"
    return {"type": kind, "data": {key: base64.b64encode(text.encode()).decode()}}


def entry(name: str) -> dict[str, str]:
    """Return an entry that is told apart by its user."""
    return {"username": name, "password": "p"}


def found(image: str, *contents: dict[str, t.Any]) -> str | None:
    """Return the user that is found for an image among secrets with these ``auths``."""
    credential = Keyring.of([secret({"auths": auths}) for auths in contents]).find(image)
    return credential[0] if credential else None


@pytest.mark.parametrize(
    ("key", "image", "matches"),
    [
        ("quay.io", "quay.io/a/b:v1", True),
        ("quay.io/org", "quay.io/organic/x:v1", True),
        ("quay.io/org/", "quay.io/organic/x:v1", False),
        ("*.io", "quay.io/a:v1", True),
        ("*.io", "a.quay.io/a:v1", False),
        ("q*y.io", "quay.io/a:v1", True),
        ("quay.io:443", "quay.io/a:v1", False),
        ("quay.io", "quay.io:443/a:v1", False),
        ("https://quay.io/v2/", "quay.io/a:v1", True),
        ("http://quay.io/v1/org", "quay.io/org/a:v1", True),
        ("https://index.docker.io/v1/", "docker.io/library/mysql:latest", True),
        ("docker.io", "docker.io/library/mysql:latest", True),
        ("registry-1.docker.io", "docker.io/library/mysql:latest", False),
        ("somebody@quay.io", "quay.io/a:v1", True),
        ("quay.io/o%72g", "quay.io/org/a:v1", True),
        ("quay.io/%zz", "quay.io/%zz:v1", False),
    ],
)
def test_keys(key: str, image: str, matches: bool) -> None:
    """Hosts by label, ports and paths as text."""
    assert (found(image, {key: entry("u")}) == "u") is matches


def test_the_first_match_wins() -> None:
    """The longest key, then the secret that comes first; nothing is tried after it."""
    image = "quay.io/org/app:v1"
    assert found(image, {"quay.io": entry("short"), "quay.io/org": entry("long")}) == "long"
    assert found(image, {"quay.io": entry("first")}, {"quay.io": entry("second")}) == "first"
    assert found(image, {"quay.io": {}}, {"quay.io": entry("second")}) == ""
    assert found(image, {"other.io": entry("u")}) is None


def test_auth_overrides_username_and_password() -> None:
    """Padded or not, split at the first colon."""
    for text in ("u:p:q", "us:p"):
        encoded = base64.b64encode(text.encode()).decode()
        for field in sorted({encoded, encoded.rstrip("=")}):
            auths = {"quay.io": {"auth": field, "username": "other", "password": "other"}}
            assert Keyring.of([secret({"auths": auths})]).find("quay.io/a:v1") == tuple(text.split(":", 1))


def test_the_old_type_has_no_auths() -> None:
    """kubernetes.io/dockercfg: registries at the top."""
    assert Keyring.of([secret({"quay.io": entry("u")}, OLD_TYPE)]).find("quay.io/a:v1") == ("u", "p")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            {"auths": {"h": {"auth": "bm9jb2xvbg=="}}},
            "unable to parse auth field, must be formatted as base64(username:password)",
        ),
        ({"auths": {"h": {"auth": "@@@"}}}, "illegal base64 data at input byte 0"),
        ({"auths": {"h": {"auth": "dTpw@"}}}, "illegal base64 data at input byte 4"),
        (
            {"auths": []},
            (
                "json: cannot unmarshal array into Go struct field DockerConfigJSON.auths of type "
                "credentialprovider.DockerConfig"
            ),
        ),
        (
            '{"auths": {"h": {"USERNAME": {}}}}',
            "json: cannot unmarshal object into Go struct field dockerConfigEntryWithAuth.username of type string",
        ),
        (
            {"auths": {"h": {"username": 1}}},
            "json: cannot unmarshal number into Go struct field dockerConfigEntryWithAuth.username of type string",
        ),
        ("{", "unexpected end of JSON input"),
    ],
)
def test_malformed(content: t.Any, words: str) -> None:
    """One such secret breaks the whole keyring."""
    with pytest.raises(MalformedSecret) as caught:
        Keyring.of([secret({"auths": {"quay.io": entry("u")}}), secret(content)])
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            (
                '{"auths": {"a.io": {"username": "a", "password": "p"}}, "auths": {"b.io": {"username": "b", '
                '"password": "p"}}}'
            ),
            {"a.io": "a", "b.io": "b"},
        ),
        ('{"auths": {"a.io": {"username": "a"}}, "Auths": {"b.io": {"username": "b"}}}', {"a.io": "a", "b.io": "b"}),
        ('{"AUTH\\u017f": {"a.io": {"UserName": "a", "PASSWORD": "p"}}}', {"a.io": "a"}),
        ('{"auths": {"a.io": {"username": "a", "password": "p"}, "a.io": {"username": "b"}}}', {"a.io": "b"}),
        ('{"auths": {"a.io": {"username": "a", "username": "b", "username": null}}}', {"a.io": "b"}),
        (
            '{"auths": {"a.io": {"username": "a"}}, "auths": null, "auths": {"b.io": {"username": "b"}}}',
            {"a.io": None, "b.io": "b"},
        ),
        ('{"authss": {"a.io": {"username": "a"}}}', {"a.io": None}),
        ('{"auths": {"A.io": {"username": "a"}}}', {"a.io": None}),
    ],
)
def test_doubles_and_capitals(content: str, found: dict[str, str | None]) -> None:
    """As encoding/json reads them: a map that stands there twice is filled twice, fields are found whatever their
    case."""
    keyring = Keyring.of([secret(content)])
    for host, user in found.items():
        credential = keyring.find(f"{host}/a:v1")
        assert (credential[0] if credential else None) == user
