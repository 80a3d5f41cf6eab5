# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever somebody wrote: it is read as the emulator's own, independent parsers read it, or refused in a sentence.

The emulator's are those that the recorded exchanges of a real API server are replayed against.
"""

from __future__ import annotations

import base64
import contextlib
import json
import typing as t

import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.kubeconfig import load_kubeconfig
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ConfigurationError,
    InputError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.auth_document import (
    parse_auth_content,
    take_from_auth_file,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.explanation import explain
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.keyring import lookup_text
from ansible_collections.quayside.openshift_images.plugins.module_utils._credentials.registry_secrets import (
    keyring_of,
    registry_secrets,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.desired import DesiredLinks
from ansible_collections.quayside.openshift_images.plugins.module_utils._secret_link.plan import plan_links
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.fuzzing import examples
from emulator.keyring import Keyring, MalformedSecret
from emulator.pullspec import BadReference
from emulator.pullspec import PullSpec as ServersPullSpec
from hypothesis import given
from hypothesis import strategies as st

from security.canaries import canary, found_in
from security.ways import kubeconfig

SECRET = canary("property")


def attempt(function: t.Callable[..., t.Any], *given: t.Any) -> tuple[t.Any, str]:
    """Return what the function returns, and the sentence with which it refuses."""
    try:
        return function(*given), ""
    except (InputError, ConfigurationError) as refused:
        return None, str(refused)


# ---- pull specs

_WORDS = st.sampled_from(
    [
        "web",
        "team",
        "a",
        "A",
        "a.b",
        "a__b",
        "a-b",
        "a_-b",
        "localhost",
        "docker.io",
        "index.docker.io",
        "h.example.com",
        "H",
        "10.0.0.1",
        "",
    ]
)
_DIGESTS = ["@sha256:" + "a" * 64, "@sha256:" + "A" * 64, "@sha512:" + "b" * 128, "@md5:" + "c" * 32, "@"]
_TAILS = st.sampled_from(["", ":v1", ":", ":V_1.2-x", ":5000", ":-x", *_DIGESTS])
_SPECS = st.lists(st.tuples(_WORDS, _TAILS), min_size=1, max_size=4).map(
    lambda parts: "/".join(word + tail for word, tail in parts)
)


@examples
@given(_SPECS | st.text(alphabet="aA0._-:/@", max_size=30))
def test_a_pull_spec_is_read_as_the_server_reads_it(text: str) -> None:
    try:
        server = ServersPullSpec.parse(text)
    except BadReference:
        server = None
    ours, sentence = attempt(PullSpec.parse, text)
    if server is not None and not server.name:
        # a registry alone, which is no image
        return
    if ours is None:
        assert server is None
        assert sentence.startswith('"')
        assert "\n" not in sentence
        return
    assert server is not None
    assert str(server) == str(ours) == text
    if not server.registry and ours.registry:
        # to Docker a host, to the server a namespace of Docker Hub that nobody can have
        assert ours.registry != ours.registry.lower()
        return
    assert (server.registry, server.repository, server.tag, server.digest) == ours


# ---- auth files and credential matching

_HOSTS = st.sampled_from(
    [
        "h.example.com",
        "h.example.com:5000",
        "*.example.com",
        "*.com",
        "h.*.com",
        "docker.io",
        "index.docker.io",
        "localhost",
        "h",
        "",
    ]
)
_PATHS = st.sampled_from(
    [
        "",
        "/",
        "/v1/",
        "/v2/",
        "/v1",
        "/team",
        "/team/",
        "/te",
        "/team/web",
        "/team/web:v1",
        "/library",
        "/v1/team",
        "/*",
        "?x",
        "#x",
    ]
)
_KEYS = st.builds(
    lambda scheme, host, path: scheme + host + path, st.sampled_from(["", "https://", "http://"]), _HOSTS, _PATHS
)
_AT_HOME = [
    "h.example.com/team/web:v1",
    "h.example.com:5000/team/web",
    "h.example.com/v1/web",
    f"h.example.com/team/web@sha256:{'a' * 64}",
]
_IMAGES = st.sampled_from(
    [*_AT_HOME, "x.example.com/web", "nginx", "team/web:v1", "docker.io/library/nginx", "localhost/web"]
)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
_AUTHS = st.one_of(
    st.text(alphabet="uvp:", max_size=6).map(_b64),
    st.text(alphabet="uvp:", max_size=6).map(lambda text: _b64(text).rstrip("=")),
    st.text(alphabet="uvp:", max_size=6).map(lambda text: _b64(text)[:2] + "\n" + _b64(text)[2:]),
    st.text(alphabet="aZ09+/=-_ \n", max_size=9),
)
_FIELDS = {
    "username": st.sampled_from(["u", "v", ""]),
    "password": st.sampled_from(["p", "q", ""]),
    "auth": _AUTHS,
    "email": st.just("x"),
}
_ENTRIES = st.one_of(st.fixed_dictionaries({}, optional=_FIELDS), _JSON)
_DOCUMENTS = st.one_of(
    st.fixed_dictionaries({"auths": st.dictionaries(_KEYS, _ENTRIES, max_size=4)}),
    st.fixed_dictionaries({"auths": _JSON}),
    _JSON,
)


def _secret(name: str, content: t.Any, kind: str = "kubernetes.io/dockerconfigjson") -> dict[str, t.Any]:
    key = ".dockercfg" if kind.endswith("cfg") else ".dockerconfigjson"
    return {
        "metadata": {"name": name},
        "type": kind,
        "data": {key: _b64(content if isinstance(content, str) else json.dumps(content))},
    }


_GOOD = st.dictionaries(_KEYS, st.tuples(st.sampled_from("uv"), st.sampled_from("pq")), max_size=5).map(
    lambda auths: {"auths": {key: {"auth": _b64(":".join(login))} for key, login in auths.items()}}
)


@examples
@given(st.lists(_GOOD, min_size=1, max_size=3), _IMAGES)
def test_the_credential_for_an_image_is_the_one_that_the_server_uses(contents: list[t.Any], image: str) -> None:
    secrets = [_secret(f"secret-{number}", content) for number, content in enumerate(contents)]

    found = keyring_of(registry_secrets(secrets)).lookup(lookup_text(image))

    server = Keyring.of(secrets).find(lookup_text(image))
    assert ((found[0].entry.username, found[0].entry.password) if found else None) == server
    assert explain(registry_secrets(secrets), image).result == ("used" if server else "no_match")


@examples
@given(
    _DOCUMENTS | st.text(max_size=20), st.sampled_from(["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"])
)
def test_what_breaks_the_imports_of_a_namespace_is_known(content: t.Any, kind: str) -> None:
    secret = _secret("one", content, kind)
    try:
        Keyring.of([secret])
        breaks = False
    except MalformedSecret:
        breaks = True
    (ours,) = registry_secrets([secret])
    assert bool(ours.breaks_imports) is breaks


def _object(members: list[tuple[str, str]]) -> str:
    """Return a JSON object with these members, each as often as it is named."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members) + "}"


_FIELD_NAMES = st.sampled_from(
    ["username", "Username", "password", "PASSWORD", "pa\u017f\u017fword", "pa\u00dfword", "auth", "Auth"]
)
_FIELD_VALUES = st.sampled_from(["null", '"u"', '"v"', '""', json.dumps(_b64("u:p")), json.dumps(_b64("v:q")), "5"])
_WRITTEN_ENTRIES = st.just("null") | st.lists(st.tuples(_FIELD_NAMES, _FIELD_VALUES), max_size=4).map(_object)
_WRITTEN_AUTHS = st.just("null") | st.lists(st.tuples(_KEYS, _WRITTEN_ENTRIES), max_size=4).map(_object)
_WRITTEN = st.lists(
    st.tuples(st.sampled_from(["auths", "Auths", "auth\u017f", "credsStore"]), _WRITTEN_AUTHS), max_size=4
).map(_object)


@examples
@given(
    _WRITTEN | _WRITTEN_AUTHS, _IMAGES, st.sampled_from(["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"])
)
def test_what_stands_twice_is_read_as_the_server_reads_it(text: str, image: str, kind: str) -> None:
    secret = _secret("one", text, kind)
    (ours,) = registry_secrets([secret])
    try:
        server = Keyring.of([secret])
    except MalformedSecret:
        assert ours.breaks_imports
        return
    assert ours.document is not None
    for read in (secret, _secret("one", ours.document.render(kind), kind)):
        # and so is what we would write back
        found = keyring_of(registry_secrets([read])).lookup(lookup_text(image))
        logins = {(match.entry.username, match.entry.password) for match in found if match.key == found[0].key}
        # of several spellings of one registry in one secret the server takes any
        assert server.find(lookup_text(image)) in (logins or {None})


_GLOBS = st.text(alphabet="ab*-", min_size=1, max_size=12)


@examples
@given(
    _GLOBS, _GLOBS, st.text(alphabet="ab-", min_size=1, max_size=12), st.text(alphabet="ab-", min_size=1, max_size=12)
)
def test_a_glob_matches_what_it_matches_for_the_server(first: str, second: str, one: str, other: str) -> None:
    secret = _secret("one", {"auths": {f"{first}.{second}:5000": {"auth": _b64("u:p")}}})
    target = f"{one}.{other}:5000/web:v1"
    assert bool(keyring_of(registry_secrets([secret])).lookup(target)) is (
        Keyring.of([secret]).find(target) is not None
    )


@examples
@given(
    st.dictionaries(_KEYS, _ENTRIES, max_size=4),
    st.sampled_from([json.dumps, lambda document: _b64(json.dumps(document)), lambda document: document]),
)
def test_an_auth_file_is_taken_whole_or_refused_without_its_content(
    auths: dict[str, t.Any], form: t.Callable[[t.Any], t.Any]
) -> None:
    auths["canary.example.com"] = {"auth": _b64(f"u:{SECRET}"), "identitytoken": SECRET}
    taken, sentence = attempt(
        lambda: take_from_auth_file(parse_auth_content(form({"auths": auths})), [], "auth_content: it")
    )
    assert found_in({"sentence": sentence}, [SECRET]) == {}
    if taken is not None:
        assert taken == auths
        # nothing that would break the namespace is ever taken
        Keyring.of([_secret("one", {"auths": taken})])


@examples
@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()) | _JSON)
def test_any_content_is_an_auth_file_or_refused(content: t.Any) -> None:
    with contextlib.suppress(InputError):
        parse_auth_content(content)


# ---- kubeconfigs

_VALUES = _JSON | st.sampled_from(
    ["it", SECRET, "https://127.0.0.1:1", f"https://u:{_b64(SECRET)}@127.0.0.1:1", "/nonexistent", _b64(SECRET)]
)
_PARTS = st.sampled_from(
    [
        ("current-context",),
        ("clusters",),
        ("contexts",),
        ("users",),
        ("users", 0),
        ("users", 0, "name"),
        ("users", 0, "user"),
    ]
    + [
        ("clusters", 0, "cluster", key)
        for key in (
            "server",
            "certificate-authority",
            "certificate-authority-data",
            "insecure-skip-tls-verify",
            "proxy-url",
        )
    ]
    + [("contexts", 0, "context", key) for key in ("cluster", "user")]
    + [
        ("users", 0, "user", key)
        for key in (
            "token",
            "tokenFile",
            "username",
            "password",
            "exec",
            "auth-provider",
            "as",
            "as-groups",
            "as-user-extra",
        )
    ]
    + [
        ("users", 0, "user", key)
        for key in ("client-certificate", "client-certificate-data", "client-key", "client-key-data")
    ]
)


@examples
@given(st.dictionaries(_PARTS, _VALUES, max_size=3), st.booleans(), st.booleans())
def test_a_kubeconfig_is_read_or_refused_without_its_secrets(
    changes: dict[tuple[t.Any, ...], t.Any], as_text: bool, named: bool
) -> None:
    content = kubeconfig("https://127.0.0.1:1", token=SECRET, password=SECRET)
    for path, value in changes.items():
        part: t.Any = content
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for step in path[:-1]:
                part = part[step]
            part[path[-1]] = value
    masked: set[str] = set()
    source = yaml.safe_dump(content) if as_text else content
    read, sentence = attempt(load_kubeconfig, source, "it" if named else None, masked.update)
    # names of entries are shown, and a name may be anything
    if not {path for path in changes if path[-1] == "name" or len(path) == 1 or path[0] == "contexts"}:
        assert found_in({"sentence": sentence}, [SECRET]) == {}
    if read is not None:
        assert read.user.token is None or read.user.token in masked
        assert read.user.password is None or read.user.password in masked


@examples
@given(
    st.text(max_size=40).map(lambda text: text + "\n{")
    | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1") + "\n")
)
def test_any_text_is_a_kubeconfig_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        load_kubeconfig(text, None, lambda _secrets: None)


# ---- the planner; that of image streams is in _import_engine/test_run_properties.py, that of secrets in
# _pull_secret/test_plan.py

_NAMES = st.lists(st.sampled_from(["a", "b", "c", "d", "app-dockercfg-x7k2p"]), max_size=6)


@examples
@given(st.permutations(["a", "b", "x"]), st.sampled_from(["present", "absent", "exact"]), _NAMES, _NAMES)
def test_links_do_not_depend_on_the_order_of_names(
    order: list[str], state: str, pull: list[str], mount: list[str]
) -> None:
    account = {
        "metadata": {"name": "builder"},
        "imagePullSecrets": [{"name": name} for name in pull],
        "secrets": [{"name": name} for name in mount],
    }

    def after(names: tuple[str, ...]) -> list[t.Any]:
        plan = plan_links(DesiredLinks(names, ("pull",), state), account)
        body = plan.body or account
        # a list that nobody named is never touched
        assert body["secrets"] == account["secrets"]
        others = [name for name in pull if name not in names]
        kept = [entry["name"] for entry in body["imagePullSecrets"] if entry["name"] not in names]
        assert kept == others if state != "exact" else set(kept) <= {"app-dockercfg-x7k2p"}
        return [plan.changed, sorted(entry["name"] for entry in body["imagePullSecrets"])]

    assert after(tuple(order)) == after(("a", "b", "x"))
