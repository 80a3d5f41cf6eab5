# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.outward import visible
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import (
    PullSpec,
    check_namespace,
    check_stream_name,
    check_tag_name,
)
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

DIGEST = "sha256:" + "0123456789abcdef" * 4
NO_DIGEST = "is not a digest (sha256: and 64 hexadecimal digits in lower case)"
NO_REPOSITORY = "is not a repository name (lower case, digits, and . _ - / between them)"
NO_TAG_NAME = (
    "is not a tag name that the API can address: use letters, digits, _ . - (at most 128, not beginning with . or -)"
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("registry.example.com:5000/team/web:v1", ("registry.example.com:5000", "team/web", "v1", "")),
        ("registry.example.com/team/web", ("registry.example.com", "team/web", "", "")),
        (f"registry.example.com/team/web@{DIGEST}", ("registry.example.com", "team/web", "", DIGEST)),
        (f"registry.example.com/team/web:v1@{DIGEST}", ("registry.example.com", "team/web", "v1", DIGEST)),
        ("localhost/web:v1", ("localhost", "web", "v1", "")),
        ("localhost:5000/web", ("localhost:5000", "web", "", "")),
        ("Registry/web", ("Registry", "web", "", "")),
        ("[::1]:5000/web:v1", ("[::1]:5000", "web", "v1", "")),
        ("192.168.1.1/a/b/c/d", ("192.168.1.1", "a/b/c/d", "", "")),
        ("mysql", ("", "mysql", "", "")),
        ("mysql:8.0", ("", "mysql", "8.0", "")),
        ("team/web:v1", ("", "team/web", "v1", "")),
        ("docker.io/library/mysql", ("docker.io", "library/mysql", "", "")),
        ("web:UPPER_case-1.0", ("", "web", "UPPER_case-1.0", "")),
        ("a__b/c--d/e.f", ("", "a__b/c--d/e.f", "", "")),
        ("host:80/web", ("host:80", "web", "", "")),
        ("web:" + "t" * 128, ("", "web", "t" * 128, "")),
    ],
)
def test_pull_specs_are_taken_apart(text: str, parts: tuple[str, str, str, str]) -> None:
    spec = PullSpec.parse(text)
    assert (spec.registry, spec.repository, spec.tag, spec.digest) == parts
    assert str(spec) == text


def test_what_somebody_else_wrote_is_refused_in_one_line() -> None:
    with pytest.raises(InputError) as refusal:
        PullSpec.parse("web\x1b[2J\nPLAY RECAP:v1")
    assert refusal.value.message.startswith('"web\u241b[2J\u240aPLAY RECAP:v1" is not a pull spec: ')
    assert refusal.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty or has space around it"),
        (" web", "it is empty or has space around it"),
        ("web:v1\n", "it is empty or has space around it"),
        ("https://registry.example.com/web", 'leave out "https://" and begin with the registry'),
        ("docker://web", 'leave out "docker://" and begin with the registry'),
        ("web:", "the tag after the colon is empty"),
        ("registry.example.com/web:", "the tag after the colon is empty"),
        ("web:v 1", '"v 1" is not a tag'),
        ("web:.v1", '".v1" is not a tag'),
        ("web:" + "t" * 129, f'"{"t" * 129}" is not a tag'),
        ("::bad::", "the tag after the colon is empty"),
        ("web:a:b", f'"web:a" {NO_REPOSITORY}'),
        ("registry.example.com/Team/web", f'"Team/web" {NO_REPOSITORY}'),
        ("Web", f'"Web" {NO_REPOSITORY}'),
        ("team//web", f'"team//web" {NO_REPOSITORY}'),
        ("team/web/", f'"team/web/" {NO_REPOSITORY}'),
        ("registry.example.com/", f'"" {NO_REPOSITORY}'),
        ("a___b", f'"a___b" {NO_REPOSITORY}'),
        ("-registry.example.com/web", '"-registry.example.com" is not a registry host'),
        ("registry_1.example.com/web", '"registry_1.example.com" is not a registry host'),
        ("host:port/web", '"host:port" is not a registry host'),
        ("web@", f'"" {NO_DIGEST}'),
        ("web@v1", f'"v1" {NO_DIGEST}'),
        ("web@sha256:abc", f'"sha256:abc" {NO_DIGEST}'),
        ("web@" + DIGEST[:-1], f'"{DIGEST[:-1]}" {NO_DIGEST}'),
        ("web@" + DIGEST.upper().replace("SHA", "sha"), f'"{DIGEST.upper().replace("SHA", "sha")}" {NO_DIGEST}'),
        ("web@" + DIGEST[:-1] + "g", f'"{DIGEST[:-1]}g" {NO_DIGEST}'),
        (f"web@{DIGEST}@{DIGEST}", f'"{DIGEST}@{DIGEST}" {NO_DIGEST}'),
        ("web@md5:" + "0" * 32, f'"md5:{"0" * 32}" {NO_DIGEST}'),
        ("0" * 64, "it is an image id without a repository"),
    ],
)
def test_what_is_no_pull_spec_is_refused_with_the_part_at_fault(text: str, why: str) -> None:
    with pytest.raises(InputError) as refused:
        PullSpec.parse(text)
    assert str(refused.value) == f'"{visible(text)}" is not a pull spec: {why}'


def test_a_repository_name_has_a_limit() -> None:
    assert PullSpec.parse("a" * 255).repository == "a" * 255
    with pytest.raises(InputError) as refused:
        PullSpec.parse("a" * 256)
    assert (
        str(refused.value) == f'"{"a" * 60}..." is not a pull spec: the repository name is longer than 255 characters'
    )


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("mysql", "docker.io/library/mysql"),
        ("team/web:v1", "docker.io/team/web"),
        ("docker.io/mysql", "docker.io/library/mysql"),
        ("index.docker.io/team/web", "docker.io/team/web"),
        ("registry.example.com/web@" + DIGEST, "registry.example.com/web"),
        ("host:80/web", "host:80/web"),
    ],
)
def test_credentials_are_matched_with_dockers_defaults_filled_in(text: str, location: str) -> None:
    assert PullSpec.parse(text).location == location


_PART = st.from_regex(r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)?", fullmatch=True)
_PATHS = st.lists(_PART, min_size=1, max_size=4).map("/".join)
_HOSTS = st.from_regex(
    r"(localhost|([a-z][a-z0-9]*\.){1,3}[a-z]{2,5}|[0-9]{1,3}(\.[0-9]{1,3}){3})(:[0-9]{1,5})?", fullmatch=True
)
_PULL_SPECS = st.builds(
    lambda host, path, tag, digest: (host and host + "/") + path + (tag and ":" + tag) + (digest and "@" + digest),
    st.one_of(st.just(""), _HOSTS),
    _PATHS,
    st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)),
    st.one_of(st.just(""), st.from_regex(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", fullmatch=True)),
)


@examples
@given(_PULL_SPECS)
def test_a_pull_spec_reads_as_it_was_written(text: str) -> None:
    spec = PullSpec.parse(text)
    assert str(spec) == text
    assert PullSpec.parse(str(spec)) == spec
    assert (
        spec.full_repository + (f":{spec.tag}" if spec.tag else "") + (f"@{spec.digest}" if spec.digest else "") == text
    )


@examples
@given(st.text(max_size=60))
def test_any_text_is_a_pull_spec_that_reads_as_written_or_is_refused(text: str) -> None:
    sentence = ""
    try:
        assert str(PullSpec.parse(text)) == text
    except InputError as refused:
        sentence = str(refused)
    assert not sentence or (sentence.startswith('"') and "is not a pull spec: " in sentence)


@pytest.mark.parametrize("name", ["v1", "latest", "_a", "1.0-rc.1", "t" * 128, "A"])
def test_tag_names_that_the_api_can_address(name: str) -> None:
    check_tag_name(name)


@pytest.mark.parametrize("name", ["", "a/b", "a%b", "a:b", ".a", "-a", "bad name", "t" * 129, "v1\n", "ä"])
def test_tag_names_that_the_api_could_not_address(name: str) -> None:
    with pytest.raises(InputError) as refused:
        check_tag_name(name)
    assert str(refused.value) == f'"{visible(name)}" {NO_TAG_NAME}'


@pytest.mark.parametrize("name", ["web", "a-b.c_d", "0", "a" * 250])
def test_stream_names(name: str) -> None:
    check_stream_name("shop", name)


@pytest.mark.parametrize("name", ["", "Bad_Name", "a--b", "a..b", "-a", "a-", "A/b", "a:b", "web\n"])
def test_stream_names_that_the_server_refuses(name: str) -> None:
    with pytest.raises(InputError) as refused:
        check_stream_name("shop", name)
    words = "is not an image stream name: lower case letters and digits with single . _ - between them"
    assert str(refused.value) == f'"{visible(name)}" {words}'


def test_namespace_and_stream_name_are_limited_together() -> None:
    with pytest.raises(InputError) as refused:
        check_stream_name("shop", "a" * 251)
    assert str(refused.value) == (
        f'"shop/{"a" * 60}..." is too long for an image stream: namespace and name together are limited to 255 '
        "characters"
    )


@pytest.mark.parametrize("name", ["shop", "a", "0", "a" * 63, "a-b"])
def test_namespaces(name: str) -> None:
    check_namespace(name)


@pytest.mark.parametrize("name", ["", "Shop", "a.b", "-a", "a-", "a" * 64, "shop\n", "a_b"])
def test_what_cannot_be_a_namespace(name: str) -> None:
    with pytest.raises(InputError) as refused:
        check_namespace(name)
    assert (
        str(refused.value)
        == f'"{visible(name)}" is not a namespace name: at most 63 lower case letters, digits and - between them'
    )
