# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No credential comes out of a module, whichever way it was given and however the module ends.

The worst server is one that shows what it was sent, as proxies and servers in debugging do: its words are quoted in
errors.
"""

from __future__ import annotations

import base64
import itertools
import json
import typing as t
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import ClusterClient
from ansible_collections.quayside.openshift_images.plugins.module_utils._registry.session import RegistryHttp
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import Asked, Reply, ScriptedServer

from security.canaries import canary, found_in
from security.runs import Ended, RunHere
from security.specs import CLUSTER_SECRETS, MODULES, Path_, hidden, options_of
from security.ways import (
    STORED,
    Way,
    auths,
    basic,
    covered,
    ways_to_registries,
    ways_to_replace,
    ways_to_the_cluster,
)

_IMAGE = "registry.example.com/team/web:v1"
# What each module needs to have something to do.
WORK: dict[str, dict[str, t.Any]] = {
    "cluster_drift": {
        "secrets": [
            {
                "name": "pull",
                "namespaces": ["shop"],
                "registries": [{"registry": "registry.example.com", "auth": basic("unwatched")}],
            }
        ],
        "streams": [{"namespace": "shop", "name": "web", "tags": [{"name": "v1", "from": _IMAGE}]}],
    },
    "image_prune_risk_info": {"namespace": "shop"},
    "image_stream_import": {"namespace": "shop", "name": "web", "tags": [{"name": "v1", "from": _IMAGE}]},
    "image_stream_info": {"namespace": "shop"},
    "image_stream_refresh": {"pushes": [{"registry": "registry.example.com", "repository": "team/web"}]},
    "image_stream_tag": {"namespace": "shop", "name": "web:v1", "from_kind": "DockerImage", "from": _IMAGE},
    "multiarch_migration_info": {"namespaces": ["shop"]},
    "pull_secret": {
        "namespace": "shop",
        "name": "pull",
        "registries": [{"registry": "registry.example.com", "auth": basic("unwatched")}],
    },
    "registry_access_info": {"namespace": "shop"},
    "registry_image_info": {"namespace": "shop", "images": [_IMAGE]},
    "sa_secret_link": {"namespace": "shop", "service_accounts": ["default"], "secrets": ["pull"]},
    "samples_operator": {"samples_registry": "registry.example.com", "wait": False},
}
# What a registry's token server hands out: no option holds it, it is one by its shape.
SESSION = f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(canary('session').encode()).decode()}.x"
# Modules without the options of cluster access have no credential.
TALKERS = [module for module in MODULES if "api_key" in options_of(module)]


@dataclass(frozen=True)
class Taker:
    """A place among the options of a module where credentials for registries go: ``given`` puts them there."""

    module: str
    prefix: Path_
    given: Callable[[Mapping[str, t.Any], ScriptedServer, ScriptedServer], dict[str, t.Any]]


def _logs_in(options: Mapping[str, t.Any], _registry: ScriptedServer, cluster: ScriptedServer) -> dict[str, t.Any]:
    return {
        "namespace": "shop",
        "name": "pull",
        "verify": True,
        "verify_insecure": ["*"],
        "host": cluster.url,
        "api_key": "unwatched",
        **options,
    }


def _compares(options: Mapping[str, t.Any], _registry: ScriptedServer, cluster: ScriptedServer) -> dict[str, t.Any]:
    secret = {"name": "pull", "namespaces": ["shop"], "verify": True, "verify_insecure": ["*"], **options}
    return {"secrets": [secret], "host": cluster.url, "api_key": "unwatched"}


TAKERS = {
    "image_stream_import": Taker(
        "image_stream_import",
        (),
        lambda options, registry, cluster: {
            **WORK["image_stream_import"],
            "host": cluster.url,
            "api_key": "unwatched",
            **options,
        },
    ),
    "pull_secret": Taker("pull_secret", (), _logs_in),
    "registry_image_info": Taker(
        "registry_image_info",
        (),
        lambda options, registry, _cluster: {"images": [f"{registry.host}/team/web:v1"], "insecure": True, **options},
    ),
    "cluster_drift": Taker("cluster_drift", ("secrets",), _compares),
    "cluster_drift, global": Taker(
        "cluster_drift",
        ("cluster_pull_secret",),
        lambda options, _registry, cluster: {
            "cluster_pull_secret": options,
            "host": cluster.url,
            "api_key": "unwatched",
        },
    ),
}


def _status(code: int) -> Callable[[Asked], Reply]:
    return lambda asked: Reply(
        code, {"kind": "Status", "status": "Failure", "reason": "Shown", "message": asked.text, "code": code}
    )


def _page(code: int) -> Callable[[Asked], Reply]:
    return lambda asked: Reply(
        code, f"<html><title>{asked.text}</title>{asked.text}</html>".encode(), content_type="text/html"
    )


def _warning(asked: Asked) -> Reply:
    return Reply(
        404,
        {"kind": "Status", "message": "gone", "code": 404},
        {"Warning": f'299 - "sent {_quoted(asked.header("Authorization"))}"'},
    )


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"')


def _shown_again_and_again(asked: Asked) -> str:
    """Wherever a text of these words is cut off, it is in the middle of the credential."""
    return asked.header("Authorization").partition(" ")[2] * 200


def _store(asked: Asked) -> Reply:
    """As a server that works: it gives back what it was given, and has secrets of others."""
    if asked.method != "GET":
        return Reply(201, asked.body)
    if asked.path.partition("?")[0].endswith("/secrets"):
        return Reply(body={"kind": "SecretList", "apiVersion": "v1", "items": stored_secrets()})
    if asked.path.partition("?")[0].rpartition("/")[2] in ("pull", "pull.former", "web", "default", "cluster"):
        return Reply(404, {"kind": "Status", "reason": "NotFound", "message": "not found", "code": 404})
    return Reply(body={"kind": "List", "apiVersion": "v1", "items": []})


API: dict[str, Callable[[Asked], Reply]] = {
    "works": _store,
    "400": _status(400),
    "401": _status(401),
    "403": _status(403),
    "404": _status(404),
    "409": _status(409),
    "422": _status(422),
    "429": _status(429),
    "500": _status(500),
    "503": _status(503),
    "504": _status(504),
    "a page": _page(200),
    "a page with 502": _page(502),
    "a long error": lambda asked: Reply(400, {"kind": "Status", "message": _shown_again_and_again(asked), "code": 400}),
    "a long text": lambda asked: Reply(400, _shown_again_and_again(asked).encode(), content_type="text/plain"),
    "a long title": lambda asked: Reply(
        400, f"<title>{_shown_again_and_again(asked)}</title>".encode(), content_type="text/html"
    ),
    "a long warning": lambda asked: Reply(
        404, {"kind": "Status", "code": 404}, {"Warning": f'299 - "{_quoted(_shown_again_and_again(asked))}"'}
    ),
    "a redirect": lambda asked: Reply(
        302, b"", {"Location": "https://login.example.com/{0}?{0}".format(asked.header("Authorization"))}
    ),
    "a warning": _warning,
    "text": lambda asked: Reply(body=asked.text.encode(), content_type="text/plain"),
    "a list": lambda asked: Reply(body=[asked.text]),
    "nothing": lambda asked: Reply(action="reset"),
}


def _challenge(asked: Asked) -> Reply:
    return Reply(401, {"errors": [{"code": "DENIED", "message": asked.text}]}, {"WWW-Authenticate": 'Basic realm="it"'})


def _token(asked: Asked) -> Reply:
    if asked.path.startswith("/token"):
        return Reply(401, {"details": asked.text, "error": asked.text})
    realm = f'Bearer realm="http://{asked.header("Host")}/token",service="it"'
    return Reply(401, {"errors": [{"message": asked.text}]}, {"WWW-Authenticate": realm})


def _bad_token(asked: Asked) -> Reply:
    if asked.path.startswith("/token"):
        return Reply(body={"token": SESSION, "refresh_token": SESSION})
    realm = f'Bearer realm="http://{asked.header("Host")}/token",service="it"'
    return Reply(
        401,
        {"errors": [{"message": f"{asked.text} {SESSION if asked.header('Authorization') else ''}"}]},
        {"WWW-Authenticate": realm},
    )


def _names_it_in_its_realm(asked: Asked) -> Reply:
    if asked.header("Authorization").startswith("Bearer"):
        return Reply(401, {}, {"WWW-Authenticate": f'Bearer realm="{asked.header("Authorization")}"'})
    return _bad_token(asked)


def _asks_then(answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    return lambda asked: answer(asked) if asked.header("Authorization") else _challenge(asked)


REGISTRY: dict[str, Callable[[Asked], Reply]] = {
    "refuses": _challenge,
    "refuses a token": _token,
    "takes no token": _bad_token,
    "shows its token": _names_it_in_its_realm,
    "403": _asks_then(lambda asked: Reply(403, {"errors": [{"code": "DENIED", "message": asked.text}]})),
    "a long error": _asks_then(
        lambda asked: Reply(403, {"errors": [{"code": "DENIED", "message": _shown_again_and_again(asked)}]})
    ),
    "429": _asks_then(lambda asked: Reply(429, {"errors": [{"message": asked.text}]})),
    "500": _asks_then(lambda asked: Reply(500, asked.text.encode(), content_type="text/plain")),
    "a page": _asks_then(lambda asked: Reply(body=f"<html>{asked.text}</html>".encode(), content_type="text/html")),
    "a redirect": _asks_then(
        lambda asked: Reply(307, b"", {"Location": f"ftp://{asked.header('Authorization')}@elsewhere"})
    ),
    "another digest": _asks_then(
        lambda asked: Reply(body=b"{}", headers={"Docker-Content-Digest": f"sha256:{asked.header('Authorization')}"})
    ),
    "nothing": _asks_then(lambda asked: Reply(action="reset")),
}


def stored_secrets() -> list[dict[str, t.Any]]:
    """Return what other people have in the namespace: good, broken and hidden, with leftovers of kubectl apply."""

    def secret(
        name: str, text: str, kind: str = "kubernetes.io/dockerconfigjson", key: str = ".dockerconfigjson"
    ) -> dict[str, t.Any]:
        data = {key: base64.b64encode(text.encode()).decode()}
        applied = json.dumps({"kind": "Secret", "data": data})
        metadata = {
            "name": name,
            "namespace": "shop",
            "resourceVersion": "1",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied},
        }
        return {"metadata": metadata, "type": kind, "data": data}

    good = json.dumps(
        {
            "auths": {
                "registry.example.com": {"auth": basic(STORED)},
                "other.example.com": {"username": "u", "password": STORED},
            }
        }
    )
    return [
        secret("good", good),
        secret("no-base64", json.dumps({"auths": {"registry.example.com": {"auth": f"!{STORED}"}}})),
        secret(
            "no-colon",
            json.dumps({"auths": {"registry.example.com": {"auth": base64.b64encode(STORED.encode()).decode()}}}),
        ),
        secret("no-json", good[:-1]),
        secret(
            "old",
            json.dumps({"registry.example.com": {"auth": basic(STORED)}}),
            "kubernetes.io/dockercfg",
            ".dockercfg",
        ),
        secret("opaque", good, "Opaque"),
    ]


def combinations(thorough: bool, *parts: t.Sequence[str]) -> Iterator[tuple[str, ...]]:
    """So many that each word of each part is in one; ``thorough``: each pair of words of different parts."""
    steps = [(range(max(len(part) for part in parts)), [0] * len(parts))]
    if thorough:
        for one, other in itertools.combinations(range(len(parts)), 2):
            for shift in range(len(parts[other])):
                shifts = [shift if position == other else one for position in range(len(parts))]
                steps.append((range(len(parts[one])), shifts))
    for indices, shifts in steps:
        yield from (
            tuple(part[(index + shift) % len(part)] for part, shift in zip(parts, shifts, strict=True))
            for index in indices
        )


def leaks_of(ended: Ended, way: Way) -> dict[str, str]:
    """Where a credential came out."""
    return found_in(ended.places, [*way.secrets, STORED, SESSION])


def test_every_module_is_given_something_to_do() -> None:
    assert sorted(WORK) == TALKERS
    assert sorted(set(MODULES) - set(TALKERS)) == ["drift_report"]


def test_every_option_that_is_marked_as_a_credential_is_used(tmp_path: Path) -> None:
    assert covered(ways_to_the_cluster("http://127.0.0.1:1", tmp_path).values()) == CLUSTER_SECRETS
    known = covered(ways_to_registries("127.0.0.1:1", tmp_path).values())
    replaced = covered(ways_to_replace("127.0.0.1:1").values())
    for module in MODULES:
        own = hidden(options_of(module)) - CLUSTER_SECRETS - (replaced if module == "pull_secret" else set())
        assert own <= {(*taker.prefix, *path) for taker in TAKERS.values() if taker.module == module for path in known}


def test_credentials_for_the_cluster(
    lie: Callable[..., ScriptedServer], run_here: RunHere, tmp_path: Path, thorough: bool
) -> None:
    liar = lie(_store)
    ways = ways_to_the_cluster(liar.url, tmp_path)
    sent: set[str] = set()
    leaks: dict[tuple[str, ...], dict[str, str]] = {}
    for module, name, answer in combinations(thorough, TALKERS, list(ways), list(API)):
        liar.script, way = API[answer], ways[name]
        liar.asked.clear()
        ended = run_here(module, {**WORK[module], **way.options}, way.environment, check_mode=answer == "a list")
        leaks[module, name, answer] = leaks_of(ended, way)
        if liar.asked:
            sent.add(name)
    assert {where: leak for where, leak in leaks.items() if leak} == {}
    # what cannot be used is refused before anything is sent
    assert set(ways) - sent == {
        "key of a kubeconfig",
        "plugin of a kubeconfig",
        "plugin that prints more than a credential",
        "password in the URL",
    }


@pytest.mark.parametrize("module", TALKERS)
@pytest.mark.parametrize("wrong", [{"no_such_option": 1}, {"host": ["1"], "validate_certs": "perhaps"}])
def test_options_that_ansible_refuses(
    run_here: RunHere, tmp_path: Path, module: str, wrong: Mapping[str, t.Any]
) -> None:
    for way in ways_to_the_cluster("http://127.0.0.1:1", tmp_path).values():
        ended = run_here(module, {**WORK[module], **way.options, **wrong}, way.environment)
        assert ended.result["failed"]
        assert leaks_of(ended, way) == {}


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("pull_secret", lambda text: {"registries": [{"registry": "registry.example.com", "pasword": text}]}),
        ("pull_secret", lambda text: {"registries": [{"registry": "registry.example.com", "Auth": text}]}),
        ("pull_secret", lambda text: {"auth_contents": {"auths": {"registry.example.com": {"auth": basic(text)}}}}),
        ("image_stream_info", lambda text: {"api_token": text}),
        ("image_stream_info", lambda text: {"proxy_headers": {"basic_auths": f"robot:{text}"}}),
    ],
)
def test_options_that_are_misspelt(run_here: RunHere, module: str, options: Callable[[str], dict[str, t.Any]]) -> None:
    secret = canary("misspelt")
    ended = run_here(module, {**WORK[module], **options(secret)})
    assert "Unsupported parameters" in ended.message
    assert found_in(ended.places, [secret]) == {}


def test_credentials_for_a_registry(
    lie: Callable[..., ScriptedServer], run_here: RunHere, tmp_path: Path, thorough: bool
) -> None:
    liar, cluster = lie(_challenge), lie(_store)
    ways = ways_to_registries(liar.host, tmp_path)
    sent: set[str] = set()
    leaks: dict[tuple[str, ...], dict[str, str]] = {}
    cases = itertools.product(TAKERS, combinations(thorough, list(ways), list(REGISTRY)))
    for place, (name, answer) in cases:
        liar.script, way, taker = REGISTRY[answer], ways[name], TAKERS[place]
        liar.asked.clear()
        ended = run_here(taker.module, taker.given(way.options, liar, cluster))
        if place == "registry_image_info":
            assert ended.result["failed"]
        leaks[place, name, answer] = leaks_of(ended, way)
        if liar.asked:
            sent.add(name)
    assert {where: leak for where, leak in leaks.items() if leak} == {}
    assert set(ways) - sent == {
        "auth that is none",
        "password alone",
        "auth_file that is no JSON",
        "auth_content that is no JSON",
    }


@pytest.mark.parametrize("check_mode", [True, False])
def test_credentials_that_are_written(
    lie: Callable[..., ScriptedServer], run_here: RunHere, tmp_path: Path, check_mode: bool
) -> None:
    liar = lie(_store)
    leaks: dict[tuple[str, ...], dict[str, str]] = {}
    target = {"namespace": "shop", "name": "pull", "host": liar.url, "api_key": "unwatched"}
    for name, way in ways_to_registries("registry.example.com", tmp_path).items():
        for answer in ("works", "422", "500"):
            # the secrets of others are always read; writing is what fails
            liar.script = lambda asked, answer=answer: _store(asked) if asked.method == "GET" else API[answer](asked)
            ended = run_here("pull_secret", {**target, **way.options}, check_mode=check_mode)
            leaks[name, answer] = leaks_of(ended, way)
            if answer == "works" and not name.endswith(("none", "alone", "no JSON")):
                assert ended.result["changed"], ended.message
                assert "registry.example.com" in str(ended.result["diff"])
    assert {where: leak for where, leak in leaks.items() if leak} == {}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("held", "changed"), [("former", True), ("stored", False)])
def test_credentials_that_are_replaced(
    lie: Callable[..., ScriptedServer], run_here: RunHere, check_mode: bool, held: str, changed: bool
) -> None:
    content = json.dumps(auths("registry.example.com", canary(held)))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pull", "namespace": "shop", "resourceVersion": "1"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(content.encode()).decode()},
    }
    liar = lie(_store)
    target = {"namespace": "shop", "name": "pull", "host": liar.url, "api_key": "unwatched"}
    leaks: dict[tuple[str, ...], dict[str, str]] = {}
    for name, way in ways_to_replace("registry.example.com").items():
        for answer in API:
            # the secret is there; writing it is what fails
            liar.script = lambda asked, answer=answer: (
                (Reply(body=secret) if asked.path.endswith("/secrets/pull") else _store(asked))
                if asked.method == "GET"
                else API[answer](asked)
            )
            ended = run_here("pull_secret", {**target, **way.options}, check_mode=check_mode)
            leaks[name, answer] = leaks_of(ended, way)
            if check_mode or answer == "works" or not changed:
                assert ended.result["changed"] is changed, ended.message
                assert ("other_password" in str(ended.result["secrets"])) is not changed
    assert {where: leak for where, leak in leaks.items() if leak} == {}


def test_a_credential_of_the_namespace_at_a_registry_that_shows_it(
    lie: Callable[..., ScriptedServer], run_here: RunHere
) -> None:
    registry = lie(_challenge)
    content = base64.b64encode(json.dumps(auths(registry.host, STORED)).encode()).decode()
    secret = {
        "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": content},
    }
    cluster = lie(lambda asked: Reply(body={"kind": "SecretList", "apiVersion": "v1", "items": [secret]}))
    options = {
        "images": [f"{registry.host}/team/web:v1"],
        "insecure": True,
        "namespace": "shop",
        "host": cluster.url,
        "api_key": "unwatched",
    }
    for name, answer in REGISTRY.items():
        registry.script = answer
        registry.asked.clear()
        ended = run_here("registry_image_info", options)
        assert ended.result["failed"]
        assert any(basic(STORED) in asked.text for asked in registry.asked)
        assert found_in(ended.places, [STORED, SESSION, content]) == {}, name


def test_a_crash(
    lie: Callable[..., ScriptedServer], run_here: RunHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback says where, and none of the values that it came by."""
    liar = lie(_store)

    def crash(self: t.Any, *given: t.Any, **named: t.Any) -> t.NoReturn:
        inner = KeyError(repr(vars(self)), repr(vars(getattr(self, "connection", self))), given, named)
        raise RuntimeError(f"{given} {named} {secrets}") from inner

    monkeypatch.setattr(ClusterClient, "request", crash)
    monkeypatch.setattr(RegistryHttp, "send", crash)
    cluster, registries = ways_to_the_cluster(liar.url, tmp_path), ways_to_registries(liar.host, tmp_path)
    runs = [
        (module, {**WORK[module], **cluster[name].options}, cluster[name])
        for module, name in combinations(False, TALKERS, list(cluster))
    ]
    runs += [
        ("registry_image_info", {"images": [f"{liar.host}/web:v1"], **way.options}, way) for way in registries.values()
    ]
    crashed = 0
    for module, options, way in runs:
        secrets = way.secrets
        ended = run_here(module, options, way.environment)
        assert leaks_of(ended, way) == {}, (module, ended.message)
        crashed += ended.message.startswith("Internal error of the module")
    assert crashed > len(runs) // 2
