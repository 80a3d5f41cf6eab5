# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import builtins
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import (
    AuthDocument,
    Login,
    MalformedAuth,
    decode_auth,
    decode_entry,
    encode_entry,
    parse_auth_content,
    parse_document,
    read_auth_file,
    take_from_auth_file,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.secret_types import (
    DOCKER_CFG,
    DOCKER_CONFIG_JSON,
    PODMAN_CONFIG_JSON,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.registry_secrets import b64, entry
from hypothesis import given
from hypothesis import strategies as st

NAME = st.text(min_size=1).filter(lambda text: ":" not in text)
PASSWORD = st.text(min_size=1)


@pytest.fixture
def auth_file(tmp_path: Path) -> t.Callable[[t.Any], str]:
    def write(content: t.Any) -> str:
        path = tmp_path / "auth.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def refusal(act: t.Callable[..., t.Any], *args: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        act(*args)
    return str(caught.value)


def taken(path: str, *only: str) -> dict[str, t.Any]:
    return take_from_auth_file(read_auth_file(path), only, f"auth_file: {path}")


@given(NAME, PASSWORD)
def test_user_and_password_survive_auth_with_and_without_padding(username: str, password: str) -> None:
    auth = Login(username, password).auth
    assert decode_auth(auth) == (username, password)
    assert decode_auth(auth.rstrip("=")) == (username, password)
    assert decode_entry({"auth": auth}) == decode_entry({"username": username, "password": password})


@given(NAME, PASSWORD, st.emails())
def test_an_entry_means_what_it_was_made_of(username: str, password: str, email: str) -> None:
    login = Login(username, password, email)
    assert decode_entry(json.loads(json.dumps(encode_entry(login)))) == login


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_bytes_that_are_no_utf8_survive(username: bytes, password: bytes) -> None:
    auth = base64.b64encode(username.replace(b":", b"") + b":" + password).decode()
    login = decode_entry({"auth": auth})
    written = encode_entry(login)
    assert base64.b64decode(written["auth"]) == base64.b64decode(auth)
    assert decode_entry(json.loads(json.dumps(written))) == login
    login.shown_username.encode("utf-8")


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (b64("u:p"), ("u", "p")),
        (b64("u:p:q"), ("u", "p:q")),
        (b64("u:"), ("u", "")),
        (b64("u:pw")[:2] + "\n" + b64("u:pw")[2:], ("u", "pw")),
    ],
)
def test_auth_is_split_at_the_first_colon_and_may_be_wrapped(auth: str, expected: tuple[str, str]) -> None:
    assert decode_auth(auth) == expected


@pytest.mark.parametrize("auth", ["@@@", "bm9jb2xvbg==", "dTpw ", " dTpw", "dTpwcA=", "d", "dTp-", "ü"])
def test_what_the_cluster_cannot_decode_is_malformed(auth: str) -> None:
    with pytest.raises(MalformedAuth):
        decode_auth(auth)


def test_auth_wins_over_user_and_password() -> None:
    assert decode_entry({"username": "a", "password": "b", "auth": b64("u:p")}) == Login("u", "p")


def test_field_names_are_taken_in_any_case() -> None:
    assert decode_entry({"Auth": b64("u:p"), "identityToken": "t"}) == Login("u", "p", identity_token="t")


@pytest.mark.parametrize(
    "raw", [None, {}, {"auth": ""}, {"username": "u"}, {"password": "p"}, {"auth": None}, {"email": "u@h.example"}]
)
def test_entries_without_user_or_password_are_empty(raw: t.Any) -> None:
    assert decode_entry(raw).is_empty


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], "it is a list instead of an object"),
        ("x", "it is text instead of an object"),
        ({"username": 5, "password": "p"}, 'its "username" is a number instead of a string'),
        ({"auth": True}, 'its "auth" is true or false instead of a string'),
        ({"auth": {"a": 1}}, 'its "auth" is an object instead of a string'),
    ],
)
def test_entries_of_another_shape_are_malformed(raw: t.Any, words: str) -> None:
    with pytest.raises(MalformedAuth, match=words):
        decode_entry(raw)


def test_a_new_credential_keeps_what_else_the_entry_had() -> None:
    former = {
        "auth": b64("u:old"),
        "email": "u@h.example",
        "x-note": [1, {"a": None}],
        "identitytoken": "t",
        "registrytoken": "r",
    }
    assert encode_entry(Login("u", "new"), former) == {
        "username": "u",
        "password": "new",
        "auth": b64("u:new"),
        "email": "u@h.example",
        "x-note": [1, {"a": None}],
    }
    assert encode_entry(Login("u", "new", "v@h.example"), former)["email"] == "v@h.example"
    assert encode_entry(Login(identity_token="n"), {}) == {"identitytoken": "n"}


def test_documents_are_written_in_the_form_of_their_type() -> None:
    document = AuthDocument({"h": {"auth": "x"}}, {"HttpHeaders": {"a": "b"}})
    assert json.loads(document.render(DOCKER_CONFIG_JSON)) == {"auths": {"h": {"auth": "x"}}, "HttpHeaders": {"a": "b"}}
    assert json.loads(document.render(PODMAN_CONFIG_JSON)) == {"auths": {"h": {"auth": "x"}}, "HttpHeaders": {"a": "b"}}
    assert json.loads(document.render(DOCKER_CFG)) == {"h": {"auth": "x"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope", "it is not JSON (line 1, column 1)"),
        ("[]", "it is a list instead of a JSON object"),
        ('{"auths": []}', 'its "auths" is a list instead of an object'),
        ("[" * 100000, "it is not JSON (it is nested too deeply or has an impossible number)"),
        ('{"auths": {}, "x": NaN}', "it is not JSON (it is nested too deeply or has an impossible number)"),
        ('{"auths": {}, "x": 1e999}', "it is not JSON (it is nested too deeply or has an impossible number)"),
    ],
)
def test_documents_that_the_cluster_cannot_read(text: str, words: str) -> None:
    with pytest.raises(MalformedAuth) as caught:
        parse_document(text, DOCKER_CONFIG_JSON)
    assert str(caught.value) == words


def test_half_a_character_is_the_replacement_character_as_for_the_cluster() -> None:
    text = r'{"auths": {"a.example/\ud83d\ude00": {"username": "a\uD800", "password": "\udfffb"}, "\ud800": {}}}'
    document = parse_document(text, DOCKER_CONFIG_JSON)
    assert list(document.auths) == ["a.example/\U0001f600", "\ufffd"]
    login = decode_entry(document.auths["a.example/\U0001f600"])
    assert (login.username, login.password) == ("a\ufffd", "\ufffdb")
    assert b64("a\ufffd:\ufffdb") in document.secrets()


@pytest.mark.parametrize("text", ["{}", '{"auths": null}', '{"auths": {}}'])
def test_documents_without_registries(text: str) -> None:
    assert parse_document(text, DOCKER_CONFIG_JSON).auths == {}


def test_spellings_of_one_registry_are_found() -> None:
    document = AuthDocument({"h.example": {}, "https://h.example/v1/": {}, "h.example:443": {}})
    assert document.keys_of("http://h.example") == ["h.example", "https://h.example/v1/"]


def test_files_of_docker_podman_and_the_old_docker(auth_file: t.Callable[[t.Any], str]) -> None:
    assert taken(auth_file({"auths": {"h.example": entry()}, "HttpHeaders": {"User-Agent": "Docker"}})) == {
        "h.example": entry()
    }
    assert taken(auth_file({"auths": {"h.example/team": {"auth": b64("u:p")}}})) == {
        "h.example/team": {"auth": b64("u:p")}
    }
    assert taken(auth_file({"h.example": {"auth": b64("u:p"), "email": "u@h.example"}})) == {
        "h.example": {"auth": b64("u:p"), "email": "u@h.example"}
    }


def test_only_takes_what_matches_as_written_or_as_read(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file(
        {
            "auths": {
                "https://index.docker.io/v1/": entry(),
                "quay.io/team": entry(),
                "quay.io": entry(),
                "h.example": {},
            }
        }
    )
    assert list(taken(path, "quay.io*")) == ["quay.io/team", "quay.io"]
    assert list(taken(path, "index.docker.io")) == ["https://index.docker.io/v1/"]
    assert list(taken(path, "https://*", "quay.io")) == ["https://index.docker.io/v1/", "quay.io"]


def test_an_entry_with_an_identity_token_is_taken(auth_file: t.Callable[[t.Any], str]) -> None:
    assert taken(auth_file({"auths": {"h.example": {"auth": b64("00000000:"), "identitytoken": "t"}}}))


def test_missing_file() -> None:
    assert refusal(read_auth_file, "/nonexistent/auth.json") == (
        "auth_file: /nonexistent/auth.json does not exist on the host where the module runs; give the path of a Docker "
        "config.json or a Podman auth.json there"
    )


def test_unreadable_file(tmp_path: Path) -> None:
    assert (
        refusal(read_auth_file, str(tmp_path))
        == f"auth_file: {tmp_path} cannot be read on the host where the module runs (Is a directory)"
    )


def test_file_that_is_not_json(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file('{"auths": {"h.example": {"auth": s3cret}}}')
    sentence = refusal(read_auth_file, path)
    assert sentence == (
        f"auth_file: {path} is not JSON (line 1, column 34); a Docker config.json or a Podman auth.json is expected, "
        'as "docker login" or "podman login --authfile" writes it'
    )


def test_file_that_is_no_object(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file(["s3cret"])
    assert (
        refusal(read_auth_file, path) == f'auth_file: {path} holds a list where a JSON object with "auths" is expected'
    )


@pytest.mark.parametrize("content", [{}, {"HttpHeaders": {"User-Agent": "Docker"}}, {"auths": None}])
def test_file_without_auths(auth_file: t.Callable[[t.Any], str], content: t.Any) -> None:
    path = auth_file(content)
    assert refusal(read_auth_file, path) == (
        f'auth_file: {path} has no "auths": it is not a Docker config.json or a Podman auth.json that "docker login" '
        'or "podman login --authfile" has written'
    )


def test_file_with_auths_of_another_shape(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": ["h.example"]})
    assert (
        refusal(read_auth_file, path)
        == f'auth_file: {path} has a list as "auths" where an object with one entry per registry is expected'
    )


def test_file_with_no_registry(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": {}})
    assert refusal(read_auth_file, path) == (
        f'auth_file: {path} has no registry in its "auths"; log in first ("podman login --authfile FILE REGISTRY")'
    )


@pytest.mark.parametrize(
    ("content", "helper"),
    [
        ({"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "desktop"}, '"desktop" (credsStore)'),
        ({"auths": {}, "credsStore": "desktop"}, '"desktop" (credsStore)'),
        ({"credsStore": "desktop"}, '"desktop" (credsStore)'),
        ({"credHelpers": {"gcr.io": "gcloud", "x.example": "pass"}}, '"gcloud", "pass" (credHelpers)'),
        ({"auths": {"gcr.io": {"email": ""}}, "credHelpers": {"gcr.io": "gcloud"}}, '"gcloud" (credHelpers)'),
    ],
)
def test_file_with_helpers_only(auth_file: t.Callable[[t.Any], str], content: t.Any, helper: str) -> None:
    path = auth_file(content)
    assert refusal(read_auth_file, path) == (
        f"auth_file: {path} holds no credential: they are kept by the credential helper {helper}, which a cluster "
        "cannot ask; log in once more into a "
        'file of its own ("podman login --authfile FILE REGISTRY") and give that file, or give username and password '
        "in registries"
    )


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"auth": "@@@"}, "its auth is not base64 of user:password"),
        ({"auth": "bm9jb2xvbg=="}, "its auth is base64, but not of user:password: there is no colon in it"),
        (["s3cret"], "it is a list instead of an object"),
        ({"username": "u", "password": 5}, 'its "password" is a number instead of a string'),
    ],
)
def test_file_with_an_entry_that_breaks_imports(auth_file: t.Callable[[t.Any], str], raw: t.Any, why: str) -> None:
    path = auth_file({"auths": {"good.example": entry(), "h.example": raw}})
    assert refusal(taken, path) == (
        f'auth_file: {path}: the entry of "h.example" cannot be used: {why}; it would break every image import of the '
        "namespace, so log in to that "
        'registry again, or leave it out with "only"'
    )
    assert taken(path, "good.example") == {"good.example": entry()}


def test_file_with_an_empty_entry(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": {"h.example": {}}})
    assert refusal(taken, path) == (
        f'auth_file: {path}: the entry of "h.example" cannot be used: it has no user name and password; the cluster '
        "would ask that registry "
        "anonymously and no longer try the credentials of other secrets, so log in to it again, or leave it out with "
        '"only"'
    )


def test_file_in_which_a_helper_keeps_one_of_the_passwords(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": {"good.example": entry(), "h.example": {}}, "credsStore": "desktop"})
    assert (
        'it has no user name and password, because the credential helper "desktop" (credsStore) keeps it;'
        in refusal(taken, path)
    )


def test_only_that_matches_nothing(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": {"quay.io": entry(), "h.example": entry()}})
    assert (
        refusal(taken, path, "docker.*", "x")
        == f'only: no registry of auth_file: {path} matches "docker.*", "x"; it has "h.example", "quay.io"'
    )


@pytest.mark.parametrize(
    "form",
    [
        lambda document: document,
        json.dumps,
        lambda document: b64(json.dumps(document)),
        lambda document: b64(json.dumps(document)) + "\n",
    ],
)
def test_content_as_mapping_as_text_and_as_in_a_secret(form: t.Callable[[t.Any], t.Any]) -> None:
    assert parse_auth_content(form({"auths": {"h.example": entry()}})).auths == {"h.example": entry()}


@pytest.mark.parametrize(
    ("content", "begin"),
    [
        ({"x": 1}, 'auth_content: the mapping has no "auths"'),
        ("s3cret", "auth_content: the text is not JSON (line 1, column 1)"),
        (5, "auth_content: it is a number; give the content of a .dockerconfigjson"),
    ],
)
def test_content_that_is_none(content: t.Any, begin: str) -> None:
    sentence = refusal(parse_auth_content, content)
    assert sentence.startswith(begin)
    assert "s3cret" not in sentence


def test_no_secret_in_repr() -> None:
    document = AuthDocument({"h.example": {"username": "u", "password": "s3cret"}})
    assert "s3cret" not in repr(document)
    assert "s3cret" not in repr(Login("u", "s3cret", identity_token="s3cret"))


@pytest.mark.parametrize(
    ("text", "auths"),
    [
        (
            '{"auths": {"a": {"auth": "YTp4"}}, "auths": {"b": {"auth": "YTp4"}}}',
            {"a": {"auth": "YTp4"}, "b": {"auth": "YTp4"}},
        ),
        ('{"auths": {"a": {"auth": "YTp4"}}, "AUTHS": {"a": {"auth": "Yjp4"}}}', {"a": {"auth": "Yjp4"}}),
        ('{"auths": {"a": {"auth": "YTp4"}}, "auths": null}', {}),
        ('{"auth\u017f": {"a": {"auth": "YTp4"}}}', {"a": {"auth": "YTp4"}}),
        ('{"auths": {"a": {"auth": "YTp4"}, "a": {"username": "u"}}}', {"a": {"username": "u"}}),
        ('{"auths": {"a": {"username": "u", "Username": "v", "username": null}}}', {"a": {"Username": "v"}}),
        (
            '{"auths": {"a": {"username": null, "note": {"x": 1}, "note": {"y": 2}}}}',
            {"a": {"username": None, "note": {"y": 2}}},
        ),
    ],
)
def test_what_stands_twice_is_read_as_go_reads_it(text: str, auths: dict[str, t.Any]) -> None:
    assert parse_document(text, DOCKER_CONFIG_JSON).auths == auths


@pytest.mark.parametrize(
    "text", ['{"auths": {"a": {"auth": "%"}, "a": {}}}', '{"auths": {"a": {"username": 5}}, "auths": null}']
)
def test_what_is_replaced_breaks_imports_all_the_same(text: str) -> None:
    words = 'it has "a" twice, and one of the two cannot be decoded: its '
    with pytest.raises(MalformedAuth, match=words):
        parse_document(text, DOCKER_CONFIG_JSON)
    assert refusal(parse_auth_content, text).startswith(f"auth_content: the text cannot be used: {words}")


def test_a_field_of_another_type_breaks_imports_wherever_it_stands() -> None:
    for text in (
        '{"username": 5, "username": "u"}',
        '{"username": "u", "Username": 5}',
        '{"username": 5, "username": null}',
    ):
        document = parse_document(f'{{"auths": {{"a": {text}}}}}', DOCKER_CONFIG_JSON)
        assert document.malformed() == {"a": 'its "username" is a number instead of a string'}


def test_what_is_beside_the_registries_stays_when_it_stands_twice() -> None:
    document = parse_document('{"credHelpers": {"a": "x"}, "auths": {}, "credHelpers": {"b": "y"}}', DOCKER_CONFIG_JSON)
    assert document.rest == {"credHelpers": {"a": "x", "b": "y"}}
    assert json.loads(document.render(DOCKER_CONFIG_JSON)) == {"auths": {}, "credHelpers": {"a": "x", "b": "y"}}


CONFIG = json.dumps({"auths": {"h.example": entry()}})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", 'is empty; log in first ("podman login --authfile FILE REGISTRY")'),
        (b" \n", "is empty; log in first"),
        (
            CONFIG.encode("utf-8-sig"),
            "begins with a byte order mark, with which no tool reads it as an auth file; save it as UTF-8 without one",
        ),
        (CONFIG.encode("utf-16"), "is text in UTF-16, which no tool reads as an auth file; save it as UTF-8"),
        (
            CONFIG.encode("utf-16-le"),
            "is text in UTF-16, or no text at all, which no tool reads as an auth file; save it as UTF-8",
        ),
        (
            b"$ANSIBLE_VAULT;1.1;AES256\n6162",
            'is encrypted with Ansible Vault; give its content instead, auth_content: "{{ lookup(',
        ),
        (
            base64.b64encode(CONFIG.encode()),
            "is the base64 of an auth file; decode it, or give the text as auth_content, which takes base64 too",
        ),
        (
            b"apiVersion: v1\ndata:\n  x: y\nkind: Secret\n",
            'is a Secret object; give the value of its data[".dockerconfigjson"] as auth_content',
        ),
        (
            json.dumps({"kind": "Secret", "data": {}}).encode(),
            'is a Secret object; give the value of its data[".dockerconfigjson"] as auth_content',
        ),
    ],
)
def test_each_file_that_is_no_auth_file_says_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "auth.json"
    path.write_bytes(content)
    assert refusal(read_auth_file, str(path)).startswith(f"auth_file: {path} {words}")


def test_only_the_helper_of_the_registry_is_named(auth_file: t.Callable[[t.Any], str]) -> None:
    helpers = {"h.example": "mine", "other.example": "theirs"}
    path = auth_file({"auths": {"good.example": entry(), "h.example": {}}, "credHelpers": helpers})
    assert 'because the credential helper "mine" (credHelpers) keeps it;' in refusal(taken, path)
    path = auth_file({"auths": {"good.example": entry(), "unkept.example": {}}, "credHelpers": helpers})
    assert "credential helper" not in refusal(taken, path)


@pytest.mark.parametrize(
    "content",
    [
        CONFIG,
        base64.b64encode(CONFIG.encode()).decode(),
        "~/{\nx: y}",
        "-----BEGIN CERTIFICATE-----",
        "x" * 5000,
        # names that no file system takes
        "a\0b",
        "a\ud800b",
    ],
)
def test_content_in_the_place_of_a_path_is_not_repeated(content: str) -> None:
    assert (
        refusal(read_auth_file, content)
        == "auth_file: it holds the content of a file where the path of one is expected; give it as auth_content"
    )


def test_a_path_that_the_host_cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_another_locale(path: str, _mode: str) -> t.NoReturn:
        raise UnicodeEncodeError("latin-1", path, 0, 1, "ordinal not in range(256)")

    monkeypatch.setattr(builtins, "open", in_another_locale)
    said = refusal(read_auth_file, "\u20ac.json")
    monkeypatch.undo()
    assert said == ("auth_file: \u20ac.json cannot be read on the host where the module runs (that is no path)")


def test_tokens_that_docker_keeps_for_itself_are_no_registries(auth_file: t.Callable[[t.Any], str]) -> None:
    hub = "https://index.docker.io/v1/"
    path = auth_file({"auths": {hub: entry(), f"{hub}access-token": entry("a"), f"{hub}refresh-token": entry("b")}})
    assert list(taken(path)) == [hub]
    path = auth_file({"auths": {f"{hub}access-token": entry("a")}})
    assert refusal(taken, path) == f'auth_file: {path} holds no registry; it has "{hub}access-token"'


def test_a_credential_in_a_key_is_refused_and_not_shown(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": {"https://user:s3cret@h.example": entry()}})
    assert refusal(taken, path) == (
        f'auth_file: {path}: the entry of "https://********@h.example" cannot be used: its key has a user name or '
        "password in it, which the cluster does "
        'not use; log in to that registry again, or leave it out with "only"'
    )


def test_what_awx_shows_in_the_place_of_a_password_is_refused(auth_file: t.Callable[[t.Any], str]) -> None:
    path = auth_file({"auths": {"h.example": entry("u", "$encrypted$")}})
    assert (
        f'auth_file: {path}: the entry of "h.example" cannot be used: its credential is $encrypted$, which AWX shows'
        in refusal(taken, path)
    )
