# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import Login
from ansible_collections.quayside.openshift_images.plugins.module_utils._pull_secret.desired import (
    SecretSource,
    desired_secret,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import b64, entry


def item(registry: str = "h.example", **given: t.Any) -> dict[str, t.Any]:
    options = dict.fromkeys(("username", "password", "auth", "identity_token", "email", "ca_cert", "from_secret"))
    return {"registry": registry, **options, "state": "present", "insecure": False, **given}


def params(*registries: dict[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    options = dict.fromkeys(
        (
            "auth_file",
            "auth_content",
            "only",
            "verify_ca_cert",
            "verify_insecure",
            "exclude_from_import",
            "labels",
            "annotations",
        )
    )
    return {
        **options,
        "name": "pull",
        "state": "present",
        "registries": list(registries) or None,
        "update": "merge",
        "type": "kubernetes.io/dockerconfigjson",
        "create": True,
        "recreate": False,
        **given,
    }


def refusal(*registries: dict[str, t.Any], **given: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        desired_secret(params(*registries, **given))
    return str(caught.value)


def logins(desired: t.Any) -> dict[str, Login | None]:
    return {registry.registry: registry.login for registry in desired.registries}


def test_the_three_ways_to_write_a_credential() -> None:
    desired = desired_secret(
        params(
            item("a.example", username="u", password="p:q", email="u@a.example"),
            item("b.example", auth=b64("u:p:q")),
            item("c.example", identity_token="t"),
            item("d.example", state="absent"),
        )
    )
    assert logins(desired) == {
        "a.example": Login("u", "p:q", "u@a.example"),
        "b.example": Login("u", "p:q"),
        "c.example": Login(identity_token="t"),
        "d.example": None,
    }
    assert [registry.registry for registry in desired.present_registries] == ["a.example", "b.example", "c.example"]
    assert set(desired.secrets()) == {"p:q", b64("u:p:q"), "t"}
    assert "p:q" not in repr(desired)


def test_what_registries_say_counts_before_the_auth_file(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    path.write_text(
        json.dumps(
            {"auths": {"https://h.example/v1/": entry("file"), "i.example": entry("file"), "j.example": entry("file")}}
        )
    )
    desired = desired_secret(
        params(item(username="u", password="p"), item("j.example", state="absent"), auth_file=str(path))
    )
    assert logins(desired) == {"i.example": Login("file", "s3cret"), "h.example": Login("u", "p"), "j.example": None}


def test_content_and_only() -> None:
    desired = desired_secret(params(auth_content={"auths": {"h.example": entry(), "i.example": entry()}}, only=["i.*"]))
    assert logins(desired) == {"i.example": Login("puller", "s3cret")}


def test_how_logins_are_tried(tmp_path: Path) -> None:
    ca, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    ca.touch()
    other.touch()
    desired = desired_secret(
        params(
            item("a.example", username="u", password="p", insecure=True),
            item("b.example", username="u", password="p", ca_cert=str(other)),
            auth_content={"auths": {"c.example": entry(), "d.example": entry()}},
            verify_ca_cert=str(ca),
            verify_insecure=["d.*", "b.*"],
        )
    )
    assert {registry.registry: (registry.insecure, registry.ca_cert) for registry in desired.registries} == {
        "a.example": (True, str(ca)),
        "b.example": (True, str(other)),
        "c.example": (False, str(ca)),
        "d.example": (True, str(ca)),
    }


def test_absent_needs_nothing_else() -> None:
    desired = desired_secret(params(state="absent", recreate=True))
    assert (desired.present, desired.recreate, desired.registries) == (False, True, ())


def test_two_spellings_with_one_credential_in_a_file_are_one_registry() -> None:
    desired = desired_secret(params(auth_content={"auths": {"h.example": entry(), "https://h.example/v2/": entry()}}))
    assert list(logins(desired)) == ["h.example"]


def test_two_spellings_with_two_credentials_in_a_file() -> None:
    assert refusal(auth_content={"auths": {"h.example": entry("a"), "https://h.example/v2/": entry("b")}}) == (
        'auth_content has different credentials for "h.example" and "https://h.example/v2/", which are one registry to '
        "the cluster; keep one of the "
        'two, or choose with "only"'
    )


@pytest.mark.parametrize(
    ("registries", "sentence"),
    [
        (
            [item(" ", username="u", password="p")],
            "registries: item 1 has an empty registry; write host[:port][/path] as images do",
        ),
        (
            [item(username="u", password="p"), item(username="v", password="p")],
            'registries: "h.example" is there twice; keep one of the two',
        ),
        (
            [item(username="u", password="p"), item("https://h.example", state="absent")],
            'registries: "h.example" and "https://h.example" are one registry to the cluster; keep one of the two',
        ),
        (
            [item()],
            (
                'registries: "h.example" has no credential; give username and password, auth, identity_token or '
                "from_secret, or state: absent"
            ),
        ),
        (
            [item(username="a:b", password="p")],
            (
                'registries: "h.example": the user name "a:b" has a colon in it, which a registry would take for the '
                "end of the name"
            ),
        ),
        (
            [item(username="", password="p")],
            (
                'registries: "h.example": the user name is empty; the cluster would ask that registry anonymously and '
                "try no other secret for it"
            ),
        ),
        (
            [item(username="u", password="")],
            (
                'registries: "h.example": the password is empty; the cluster would ask that registry anonymously and '
                "try no other secret for it"
            ),
        ),
        (
            [item(auth=b64("u:"))],
            (
                'registries: "h.example": the password is empty; the cluster would ask that registry anonymously and '
                "try no other secret for it"
            ),
        ),
        (
            [item(auth="@@@")],
            (
                'registries: "h.example" cannot be used: its auth is not base64 of user:password; it would break every '
                "image import of the namespace"
            ),
        ),
        (
            [item(auth=b64("s3cret"))],
            (
                'registries: "h.example" cannot be used: its auth is base64, but not of user:password: there is no '
                "colon in it; it would break every image import of the namespace"
            ),
        ),
        ([item(identity_token="")], 'registries: "h.example": the identity_token is empty'),
        (
            [item(username="u", password="p", ca_cert="/nonexistent/ca.pem")],
            'registries: "h.example": ca_cert: /nonexistent/ca.pem is not a file on the host where the module runs',
        ),
    ],
)
def test_registries_that_are_refused(registries: list[dict[str, t.Any]], sentence: str) -> None:
    assert refusal(*registries) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "there is nothing to put into the secret; give at least one of registries, auth_file and auth_content"),
        (
            {"only": ["x"], "registries": [item(username="u", password="p")]},
            "only: it chooses registries from an auth file; give auth_file or auth_content with it",
        ),
        (
            {"update": "replace", "registries": [item(state="absent")]},
            (
                "update: replace would leave the secret without any registry; give registries, auth_file or "
                "auth_content, or delete it with state: absent"
            ),
        ),
        ({"labels": {"a": True}}, 'labels: the value of "a" is not a string; put it in quotes'),
        ({"annotations": {"a": 1}}, 'annotations: the value of "a" is not a string; put it in quotes'),
        (
            {"annotations": {"openshift.io/image.excludeSecret": "true"}, "exclude_from_import": True},
            "annotations: openshift.io/image.excludeSecret is what exclude_from_import sets; give one of the two",
        ),
        (
            {"name": "My_Secret"},
            (
                'name: "My_Secret" cannot be the name of an object; use lower case letters, digits, "-" and ".", '
                "beginning and ending with a letter or digit, 253 characters at most"
            ),
        ),
        (
            {"verify_ca_cert": "/nonexistent/ca.pem", "auth_content": {"auths": {"h.example": entry()}}},
            "verify_ca_cert: /nonexistent/ca.pem is not a file on the host where the module runs",
        ),
    ],
)
def test_options_that_are_refused(given: dict[str, t.Any], sentence: str) -> None:
    assert refusal(**given) == sentence


@pytest.mark.parametrize(
    "given", [{"labels": {"a": "b"}}, {"annotations": {"a": None}}, {"exclude_from_import": False}]
)
def test_metadata_alone_is_enough(given: dict[str, t.Any]) -> None:
    assert desired_secret(params(**given)).registries == ()


def test_a_type_that_nothing_reads_is_remarked() -> None:
    desired = desired_secret(params(item(username="u", password="p"), type="kubernetes.io/podmanconfigjson"))
    assert desired.remarks() == [
        (
            'The secret "pull" is of the type kubernetes.io/podmanconfigjson: nothing in the cluster reads that type, '
            "neither image imports nor pods nor builds; the same content works as type kubernetes.io/dockerconfigjson."
        )
    ]


def test_a_key_that_matches_less_than_it_seems_to_is_remarked() -> None:
    (remark,) = desired_secret(params(item("h.example:443", username="u", password="p"))).remarks()
    assert remark == (
        'The registry "h.example:443" in the secret "pull" matches only images that are written "h.example:443/...", '
        'never "h.example/...": '
        "the port is compared as text."
    )


def test_an_identity_token_alone_is_remarked() -> None:
    (remark,) = desired_secret(params(item(identity_token="t0ken"))).remarks()
    assert remark.startswith(
        'The entry for "h.example" in the secret "pull" has an identity token only: image imports and the kubelet do '
        "not understand it"
    )
    assert "t0ken" not in remark


def test_no_remarks_on_what_is_fine_or_goes_away() -> None:
    assert (
        desired_secret(params(item(username="u", password="p"), item("gone.example/A", state="absent"))).remarks() == []
    )
    assert desired_secret(params(state="absent", type="kubernetes.io/podmanconfigjson")).remarks() == []


@pytest.mark.parametrize(
    "given",
    [{"username": "u", "password": "$encrypted$"}, {"auth": b64("u:$encrypted$")}, {"identity_token": "$encrypted$"}],
)
def test_what_awx_shows_in_the_place_of_a_password_is_refused(given: dict[str, t.Any]) -> None:
    assert refusal(item(**given)) == (
        'registries: "h.example": its credential is $encrypted$, which AWX shows in the place of a stored password and '
        "does not give to jobs that are launched with it; enter the password again"
    )


def test_a_registry_with_a_password_in_it_is_refused_and_not_shown() -> None:
    assert refusal(item("https://user:s3cret@h.example", username="u", password="p")) == (
        'registries: "https://********@h.example" has a user name or password in it, which the cluster does not use '
        "and results would show; leave it out, and give username and password"
    )


@pytest.mark.parametrize("option", ["ca_cert", "verify_ca_cert"])
def test_a_certificate_in_the_place_of_its_path_is_not_repeated(option: str) -> None:
    content = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"
    given = {"ca_cert": content} if option == "ca_cert" else {}
    sentence = refusal(item(username="u", password="p", **given), **({} if given else {"verify_ca_cert": content}))
    assert sentence.endswith(
        f"{option}: it holds the content of a file where the path of one is expected; write it into a file and give "
        "its path"
    )


@pytest.mark.parametrize(
    ("username", "password", "remark"),
    [
        (
            "u",
            "p\n",
            (
                'The password of "h.example" in the secret "pull" ends with a line end, as the content of a file does; '
                "correct it if that is a slip."
            ),
        ),
        (
            "u",
            "p\r\n",
            (
                'The password of "h.example" in the secret "pull" ends with a line end, as the content of a file does; '
                "correct it if that is a slip."
            ),
        ),
        (
            "u",
            "p ",
            (
                'The password of "h.example" in the secret "pull" begins or ends with a blank; correct it if that is a '
                "slip."
            ),
        ),
        (
            "u ",
            "p",
            (
                'The user name of "h.example" in the secret "pull" begins or ends with a blank; correct it if that is '
                "a slip."
            ),
        ),
    ],
)
def test_odd_ends_of_a_credential_are_told_and_kept(username: str, password: str, remark: str) -> None:
    desired = desired_secret(params(item(username=username, password=password)))
    assert desired.remarks() == [remark]
    assert logins(desired) == {"h.example": Login(username, password)}


def test_what_is_left_out_of_an_auth_file_is_told() -> None:
    hub = "https://index.docker.io/v1/"
    desired = desired_secret(
        params(auth_content=json.dumps({"auths": {hub: entry(), f"{hub}refresh-token": entry("x")}}))
    )
    assert list(logins(desired)) == [hub]
    assert desired.remarks() == [
        (
            f'Left out of the secret "pull": "{hub}refresh-token", where Docker keeps tokens of its own that no '
            "cluster reads."
        )
    ]


def test_a_credential_from_a_secret() -> None:
    source = {"namespace": "vault", "name": "fresh"}
    desired = desired_secret(
        params(item(from_secret=source, email="u@h"), item("gone.example", from_secret=source, state="absent"))
    )
    assert [(registry.login, registry.source) for registry in desired.registries] == [
        (Login(email="u@h"), SecretSource("vault", "fresh")),
        (None, None),
    ]
    assert desired.takes_from_secrets
    assert desired.remarks() == []
    assert refusal(item(from_secret=source, password="p", username="u")) == (
        'registries: "h.example" has from_secret beside a credential of its own; give one of the two'
    )
    assert refusal(item(from_secret={**source, "namespace": "No"})).startswith('"No" is not a namespace name')
    assert refusal(item(from_secret={**source, "name": "No"})).startswith(
        'registries: "h.example": from_secret: "No" cannot be the name of an object'
    )


def test_a_credential_that_has_ended_is_told() -> None:
    ended = b64(json.dumps({"expiration": 1_000_000_000, "datakey": "x"}))
    assert desired_secret(params(item(username="AWS", password=ended))).expired() == [
        'The credential of "h.example" in the secret "pull" expired at 2001-09-09T01:46:40Z; give a fresh one.'
    ]
