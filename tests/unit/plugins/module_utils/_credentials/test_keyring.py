# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import InputError
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.keyring import (
    Keyring,
    KeyringEntry,
    file_key,
    filed_text,
    has_user_info,
    key_matches,
    key_remark,
    lookup_text,
    mismatch,
    same_host,
    same_registry,
    shown_key,
)
from hypothesis import assume, given
from hypothesis import strategies as st

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=4).map(".".join)
PORT = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
PART = st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True)
PATH = st.lists(PART, min_size=1, max_size=3).map("/".join)
IMAGE = st.tuples(HOST, PORT, PATH, PART).map(lambda parts: f"{parts[0]}{parts[1]}/{parts[2]}:{parts[3]}")


def entry(key: str, secret: str = "a", username: str = "u", password: str = "p") -> KeyringEntry:
    return KeyringEntry(secret, key, username, password)


def matches(key: str, image: str) -> bool:
    filed = file_key(key)
    return filed is not None and key_matches(filed, lookup_text(image))


@pytest.mark.parametrize(
    ("key", "image", "expected"),
    [
        ("h.example", "h.example/team/web:1", True),
        ("h.example:5000", "h.example:5000/team/web:1", True),
        ("h.example", "h.example:5000/team/web:1", False),
        ("h.example:5000", "h.example/team/web:1", False),
        ("h.example:443", "h.example/team/web:1", False),
        ("h.example:80", "h.example/team/web:1", False),
        ("h.example:80", "h.example:80/team/web:1", True),
        ("http://h.example", "h.example/team/web:1", True),
        ("https://h.example/v2/", "h.example/team/web:1", True),
        ("https://h.example/v1/team", "h.example/team/web:1", True),
        ("h.example/v2", "h.example/team/web:1", False),
        ("h.example/te", "h.example/team/web:1", True),
        ("h.example/team/web:1", "h.example/team/web:1", True),
        ("h.example/team/web:1", "h.example/team/web:2", False),
        ("h.example/team/", "h.example/team/web:1", True),
        ("*.example", "h.example/team/web:1", True),
        ("*.example", "a.h.example/team/web:1", False),
        ("h*.example", "hub.example/team/web:1", True),
        ("h*.example", "dhub.example/team/web:1", False),
        ("*", "localhost/web:1", True),
        ("*", "h.example/web:1", False),
        ("H.example", "h.example/web:1", False),
        ("H.example", "H.example/web:1", True),
        ("docker.io", "nginx", True),
        ("docker.io/library", "nginx", True),
        ("docker.io", "docker.io/team/web", True),
        ("docker.io", "index.docker.io/team/web", False),
        ("registry-1.docker.io", "nginx", False),
        ("registry-1.docker.io", "registry-1.docker.io/library/nginx", True),
        ("user@h.example", "h.example/team/web:1", True),
        ("[::1]:5000", "[::1]:5000/web:1", True),
        ("h.example?x", "h.example/team/web:1", True),
        ("h.example/%74eam", "h.example/team/web:1", True),
        ("h.example:port", "h.example/team/web:1", False),
        ("h example", "h.example/team/web:1", False),
        ("h.example/%zz", "h.example/team/web:1", False),
        ("h.example\n", "h.example/team/web:1", False),
    ],
)
def test_matching(key: str, image: str, expected: bool) -> None:
    assert matches(key, image) is expected


@given(IMAGE)
def test_every_beginning_of_an_image_down_to_its_host_matches_it(image: str) -> None:
    host, _slash, path = image.partition("/")
    # such a beginning is taken for the version of the registry's API, and left out
    assume(not path.startswith(("v1/", "v2/")))
    assert all(matches(image[:end], image) for end in range(len(host), len(image) + 1))


@given(IMAGE, st.sampled_from(["", "http://", "https://"]), st.sampled_from(["", "/", "/v1/", "/v2/"]))
def test_scheme_and_version_make_no_difference(image: str, scheme: str, version: str) -> None:
    host = image.split("/", 1)[0]
    assert matches(f"{scheme}{host}{version}", image)
    assert same_registry(f"{scheme}{host}{version}", host)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("h.example", "https://h.example/v1/", True),
        ("h.example/team", "h.example/other", True),
        ("*.example:5000", "h.example:5000/team", True),
        ("docker.io", "https://index.docker.io/v1/", True),
        ("h.example", "h.example:443", False),
        ("h.example", "a.h.example", False),
        ("*.example", "a.b.example", False),
        ("a b", "a b", False),
    ],
)
def test_keys_of_one_host(one: str, other: str, same: bool) -> None:
    for first, second in ((one, other), (other, one)):
        assert same_host(first, second) is same


@given(IMAGE, st.data())
def test_a_star_stands_for_each_single_label(image: str, data: st.DataObject) -> None:
    host, _colon, port = image.split("/", 1)[0].partition(":")
    labels = host.split(".")
    position = data.draw(st.integers(0, len(labels) - 1))
    labels[position] = "*"
    key = ".".join(labels) + (f":{port}" if port else "")
    assert matches(key, image)
    assert not matches(f"*.{key}", image)


@given(IMAGE, st.integers(1, 65535))
def test_another_port_never_matches(image: str, port: int) -> None:
    host, _colon, own = image.split("/", 1)[0].partition(":")
    if str(port) != own:
        assert not matches(f"{host}:{port}", image)


@given(IMAGE, HOST, PORT)
def test_mismatch_says_something_exactly_where_nothing_matches(image: str, host: str, port: str) -> None:
    key = file_key(host + port)
    assert key is not None
    assert (mismatch(key, lookup_text(image)) == "") is key_matches(key, lookup_text(image))


@given(st.text())
def test_any_text_can_be_a_key_of_a_secret(text: str) -> None:
    keyring = Keyring([entry(text)])
    keyring.lookup("h.example/team/web:1")
    assert isinstance(key_remark(text), str)
    assert filed_text(text) == filed_text(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["h.example", "h.example/team", "h.example/team/web", "*.example"])
        ),
        unique=True,
    )
)
def test_the_longest_key_and_then_the_first_secret_is_used(content: list[tuple[str, str]]) -> None:
    found = Keyring([entry(key, secret) for secret, key in content]).lookup("h.example/team/web:1")
    literal = sorted(((-len(key), secret) for secret, key in content if key[0] != "*"))
    expected = [(secret, "h.example/team/web"[:-length]) for length, secret in literal]
    expected += sorted((secret, key) for secret, key in content if key[0] == "*")
    assert [match.entry.secret for match in found] == [secret for secret, _key in expected]


def test_docker_hub_falls_back_to_the_index_only_when_nothing_else_matches() -> None:
    index, hub = entry("https://index.docker.io/v1/", "z"), entry("docker.io", "a")
    assert [match.entry for match in Keyring([index]).lookup(lookup_text("nginx"))] == [index]
    assert [match.entry for match in Keyring([index, hub]).lookup(lookup_text("nginx"))] == [hub]
    assert Keyring([index]).lookup(lookup_text("quay.io/team/web")) == []
    assert Keyring([entry("https://index.docker.io/v1/team")]).lookup(lookup_text("team/web")) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("team/web:2", "docker.io/team/web:2"),
        ("index.docker.io/nginx", "index.docker.io/library/nginx:latest"),
        ("h.example:5000/web", "h.example:5000/web:latest"),
        ("h.example/web:1@sha256:" + "a" * 64, "h.example/web@sha256:" + "a" * 64),
    ],
)
def test_what_is_looked_up(image: str, expected: str) -> None:
    assert lookup_text(image) == expected


def test_what_is_no_image_is_not_looked_up() -> None:
    with pytest.raises(InputError):
        lookup_text("https://h.example/web")


@pytest.mark.parametrize(
    "key",
    [
        "h.example",
        "h.example:5000/team",
        "*.h.example",
        "*:5000",
        "https://index.docker.io/v1/",
        "docker.io",
        "localhost",
        "h.example/team/",
        "[::1]:5000",
    ],
)
def test_keys_that_need_no_remark(key: str) -> None:
    assert key_remark(key) == ""


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("registry-1.docker.io", "matches no image of Docker Hub"),
        ("h.example:443", 'matches only images that are written "h.example:443/...", never "h.example/..."'),
        ("h.example:80/team", 'never "h.example/..."'),
        ("h.example/team/web:1.0", "has a tag or digest"),
        ("h.example/team/web@sha256:abc", "has a tag or digest"),
        ("H.example", 'exactly so, "H.example"'),
        ("h.example/Team", "the path of an image is always in lower case"),
        ("h.example/*/web", 'can never match: "*" stands for a part of the host only'),
        ("h.example//web", "can never match: no image has such a path"),
        ("registry", 'looked up on docker.io, because "registry" has neither a dot nor a port'),
        ("*", 'matches images on "localhost" only'),
        ("docker://h.example", "can never match"),
        ("h.example:port", "is not a registry that an image could name"),
        ("", "is not a registry that an image could name"),
        ("h.example/v2", 'begin with "v2"'),
    ],
)
def test_remarks(key: str, words: str) -> None:
    assert words in key_remark(key)


@given(HOST, PORT, PATH)
def test_a_key_that_no_image_can_match_is_told_from_one_that_some_can(host: str, port: str, path: str) -> None:
    assert "can never match" not in key_remark(f"{host}{port}/{path}")
    assert matches(f"{host}{port}/{path}", f"{host}{port}/{path}/web:1") or path.startswith(("v1", "v2"))


def test_passwords_stay_out_of_repr() -> None:
    assert "s3cret" not in repr(entry("h.example", password="s3cret"))


@pytest.mark.parametrize(("username", "password", "empty"), [("u", "p", False), ("", "p", True), ("u", "", True)])
def test_an_entry_without_user_or_password_is_empty(username: str, password: str, empty: bool) -> None:
    assert entry("h.example", username=username, password=password).is_empty is empty


@pytest.mark.parametrize("pattern", ["*" * 120 + "x", "*a" * 60 + "b", "a*" * 60 + "b"])
def test_a_pattern_that_others_wrote_takes_no_time(pattern: str) -> None:
    key = file_key(f"{pattern}:33635")
    assert key is not None
    began = time.perf_counter()
    for _turn in range(100):
        assert not key_matches(key, f"{'a' * 60}:33635/team/web:v1")
        assert not same_host(f"{pattern}:33635", f"{'a' * 60}:33635")
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("h.example", "h.example"),
        ("https://h.example/v1/", "https://h.example/v1/"),
        ("h.example/web@sha256:" + "a" * 64, "h.example/web@sha256:" + "a" * 64),
        ("https://user:pw@h.example/v1/", "https://********@h.example/v1/"),
        ("user:pw@h.example", "********@h.example"),
        ("user@h.example:5000/team", "********@h.example:5000/team"),
        ("https://user:p/w@h.example", "https://********@h.example"),
        ("https://user:p@w@h.example", "https://********@h.example"),
        ("https://user:pw@h.example/web@sha256:" + "a" * 64, "https://********@h.example/web@sha256:" + "a" * 64),
    ],
)
def test_a_key_is_shown_without_user_information(written: str, shown: str) -> None:
    assert shown_key(written) == shown
    assert has_user_info(written) is (written != shown)
