# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loader of static kubeconfig parts: against the kubernetes library if that one is right, and by itself
elsewhere."""

from __future__ import annotations

import base64
import json
import os
import shutil
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster import kubeconfig
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.connection import Impersonation
from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.kubeconfig import (
    KubeconfigContext,
    default_kubeconfig_paths,
    kubeconfig_paths_of_environment,
    load_kubeconfig,
    read_bearer_token,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import (
    ConfigurationError,
    MissingLibraryError,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._http.tls import Pem

CORPUS = Path(__file__).parent / "kubeconfigs"
NAMES = sorted(path.name for path in CORPUS.glob("*.yaml") if not path.name.startswith("merge-"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return the corpus with the files that it refers to."""
    folder = tmp_path / "kubeconfigs"
    shutil.copytree(CORPUS, folder)
    (folder / "certs").mkdir()
    for name in ("ca.pem", "client.pem", "client.key"):
        (folder / "certs" / name).write_text(f"the content of {name}\n")
    (folder / "certs" / "token").write_text("dummy-token-of-a-file\n")
    return folder


def load(source: t.Any, context: str | None = None) -> KubeconfigContext:
    return load_kubeconfig(source, context, lambda secrets: None)


def content_of(pem: Pem | None) -> str | None:
    if pem is None:
        return None
    return pem.text if pem.path is None else Path(pem.path).read_text()


def refusal(source: t.Any, context: str | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(source, context)
    return str(caught.value)


# ---- the kubernetes library as the oracle


class Seen(t.NamedTuple):
    """What two loaders can be compared by."""

    host: str
    authorization: str | None
    ca: str | None
    cert: str | None
    key: str | None
    verify: bool


def seen_by_the_library(source: t.Any, context: str | None = None) -> t.Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    load_them = config.load_kube_config_from_dict if isinstance(source, dict) else config.load_kube_config
    load_them(source, context=context, client_configuration=configuration, persist_config=False)
    return configuration


def as_the_library_sees(source: t.Any, context: str | None = None) -> Seen:
    configuration = seen_by_the_library(source, context)
    # the key changed in version 36
    token = configuration.api_key.get("BearerToken") or configuration.api_key.get("authorization")

    def read(path: str | None) -> str | None:
        return Path(path).read_text() if path else None

    return Seen(
        host=configuration.host,
        authorization=token.rstrip("\n") if token else None,
        ca=read(configuration.ssl_ca_cert),
        cert=read(configuration.cert_file),
        key=read(configuration.key_file),
        verify=configuration.verify_ssl,
    )


def as_we_see(source: t.Any, context: str | None = None) -> Seen:
    found = load(source, context)
    user = found.user
    token = user.token or (read_bearer_token(user.token_file, user.origin) if user.token_file else None)
    authorization = f"Bearer {token}" if token else None
    if authorization is None and user.username and user.password:
        authorization = "Basic " + base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
    return Seen(
        host=found.cluster.server.rstrip("/"),
        authorization=authorization,
        ca=content_of(found.cluster.ca),
        cert=content_of(user.client_cert),
        key=content_of(user.client_key),
        verify=found.cluster.verify,
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_library_reads_the_same(corpus: Path, name: str) -> None:
    path = str(corpus / name)
    assert as_we_see(path) == as_the_library_sees(path)


def test_the_library_reads_the_same_of_another_context(corpus: Path) -> None:
    path = str(corpus / "several-contexts.yaml")
    assert as_we_see(path, "staging") == as_the_library_sees(path, "staging")
    assert as_we_see(path, "staging") != as_we_see(path)


def test_the_library_merges_the_same(corpus: Path) -> None:
    paths = os.pathsep.join([str(corpus / "merge-first.yaml"), str(corpus / "merge-second.yaml")])
    assert as_we_see(paths, "here") == as_the_library_sees(paths, "here")
    assert as_we_see(paths, "here").authorization == "Bearer dummy-token-of-the-first"


@pytest.mark.parametrize("name", ["token.yaml", "client-certificate-data.yaml", "basic.yaml", "several-contexts.yaml"])
def test_the_library_reads_the_same_from_content(corpus: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # paths in a content are relative to the current folder
    monkeypatch.chdir(corpus)
    content = yaml.safe_load((corpus / name).read_text())
    assert as_we_see(content) == as_the_library_sees(content) == as_we_see(str(corpus / name))


# ---- if the library is wrong, and ours right


def test_the_first_file_names_the_current_context(corpus: Path) -> None:
    # so does kubectl; the library takes the last one from version 30 on
    paths = os.pathsep.join([str(corpus / "merge-first.yaml"), str(corpus / "merge-second.yaml")])
    assert load(paths).name == "here"
    assert as_we_see(paths).authorization == "Bearer dummy-token-of-the-first"


def test_impersonation_is_read(corpus: Path) -> None:
    # the library ignores it: one would act as oneself
    path = str(corpus / "impersonation.yaml")
    expected = (("scopes", "read"), ("scopes", "write"), ("acme.com%2Fproject", "shop"))
    assert load(path).user.impersonation == Impersonation(
        "system:admin", ("system:masters", "developers"), "42", expected
    )
    assert not [name for name in vars(seen_by_the_library(path)) if "impersonate" in name.lower()]


def test_the_way_to_the_server_is_read(corpus: Path) -> None:
    # the library ignores proxy-url below 37 and tls-server-name below 25
    cluster = load(str(corpus / "way-to-the-server.yaml")).cluster
    assert (cluster.proxy, cluster.server_name) == ("http://proxy.example.com:3128", "api.internal")


def test_a_context_whose_user_does_not_exist_is_refused(tmp_path: Path) -> None:
    # the library would send anonymous requests
    path = written(tmp_path, user="absent")
    assert refusal(path) == f"The kubeconfig {path} has no user 'absent', which its context 'c' names (it has: u)."
    assert as_the_library_sees(path).authorization is None


def test_a_token_file_ends_before_its_line_end(corpus: Path) -> None:
    # the library leaves the line end in the header, which no HTTP library sends
    path = str(corpus / "token-file.yaml")
    assert as_we_see(path).authorization == "Bearer dummy-token-of-a-file"
    configuration = seen_by_the_library(path)
    token = configuration.api_key.get("BearerToken") or configuration.api_key.get("authorization")
    assert token == "Bearer dummy-token-of-a-file\n"


# ---- forms of the option


def written(folder: Path, *, user: str = "u", name: str = "kubeconfig", **parts: t.Any) -> str:
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443", **parts.pop("cluster", {})}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": user}}],
        "users": [{"name": "u", "user": parts.pop("entry", {"token": "dummy-token"})}],
        **parts,
    }
    (folder / name).write_text(yaml.safe_dump(content))
    return str(folder / name)


def test_a_list_of_paths_and_a_joined_text_are_the_same(corpus: Path) -> None:
    first, second = str(corpus / "merge-first.yaml"), str(corpus / "merge-second.yaml")
    assert load([first, second]) == load(f"{first}{os.pathsep}{second}") == load([f"{first}{os.pathsep}{second}"])


def test_missing_files_of_a_list_are_skipped(corpus: Path) -> None:
    path = str(corpus / "token.yaml")
    assert load(["/nonexistent/config", path]) == load(path)
    assert (
        refusal(["/nonexistent/a", "/nonexistent/b"])
        == "None of the kubeconfig files exists: /nonexistent/a, /nonexistent/b."
    )
    assert refusal("/nonexistent/a") == "The kubeconfig /nonexistent/a cannot be read: No such file or directory."


def test_the_home_folder_is_understood(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(corpus))
    assert load("~/token.yaml").user.token == "sha256~dummy-token-of-dev"


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_content_may_be_text(corpus: Path, form: str) -> None:
    text = (corpus / "token.yaml").read_text()
    found = load(text if form == "yaml" else json.dumps(yaml.safe_load(text)))
    assert found.user.token == "sha256~dummy-token-of-dev"
    assert found.user.origin == "the user 'dev' of the kubeconfig content of the option kubeconfig"


def test_an_empty_file_is_an_empty_kubeconfig(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    assert load([str(tmp_path / "empty"), str(corpus / "token.yaml")]).user.token == "sha256~dummy-token-of-dev"


def test_default_paths(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = str(corpus / "merge-first.yaml"), str(corpus / "merge-second.yaml")
    monkeypatch.setenv("KUBECONFIG", f"{first}:/nonexistent:{second}")
    assert kubeconfig_paths_of_environment() == [first, second]
    monkeypatch.setenv("KUBECONFIG", "")
    assert kubeconfig_paths_of_environment() == []
    monkeypatch.setenv("HOME", str(corpus))
    assert default_kubeconfig_paths() == []
    (corpus / ".kube").mkdir()
    (corpus / ".kube" / "config").write_text("")
    assert default_kubeconfig_paths() == [str(corpus / ".kube" / "config")]


@pytest.mark.parametrize("form", ["yaml", "json", "base64"])
def test_kubeconfig_in_the_environment_holds_content(corpus: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    text = (corpus / "token.yaml").read_text()
    content = {
        "yaml": text,
        "json": json.dumps(yaml.safe_load(text)),
        "base64": base64.b64encode(text.encode()).decode(),
    }[form]
    monkeypatch.setenv("KUBECONFIG", content)
    with pytest.raises(
        ConfigurationError,
        match=r"^The environment variable KUBECONFIG holds the content of a kubeconfig, and takes the path of one\.$",
    ):
        kubeconfig_paths_of_environment()


def test_kubeconfig_in_the_environment_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nonexistent/a:/nonexistent/b")
    with pytest.raises(ConfigurationError) as caught:
        kubeconfig_paths_of_environment()
    assert str(caught.value) == (
        "The environment variable KUBECONFIG names no file that exists (/nonexistent/a, /nonexistent/b); correct it, "
        "or unset it."
    )


def test_content_in_base64_is_not_repeated(corpus: Path) -> None:
    content = base64.b64encode((corpus / "token.yaml").read_bytes()).decode()
    for source in (content, [content], ["/nonexistent", content]):
        assert refusal(source) == (
            "The option kubeconfig holds content that is neither YAML nor JSON, such as base64; give a path, or the "
            "content as it is in the file."
        )


@pytest.mark.parametrize("key", ["certificate-authority", "client-certificate", "client-key", "tokenFile"])
@pytest.mark.parametrize("form", ["PEM", "base64", "token", "long"])
def test_content_for_a_path_inside_is_not_repeated(tmp_path: Path, key: str, form: str) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nhunter2hunter2hunter2\n-----END PRIVATE KEY-----\n"
    content = {
        "PEM": pem,
        "base64": base64.b64encode(pem.encode()).decode(),
        "token": "sha256~hunter2",
        "long": "hunter2" * 40,
    }[form]
    kind = "cluster" if key == "certificate-authority" else "user"
    entry = {"server": "https://api.example.com:6443"} if kind == "cluster" else {}
    document = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": "https://api.example.com:6443"}}],
        "users": [{"name": "it", "user": {}}],
        f"{kind}s": [{"name": "it", kind: {**entry, key: content}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    said = refusal(str(tmp_path / "config"))
    advice = "token takes content" if key == "tokenFile" else f"{key}-data takes content, in base64"
    assert said == (
        f"'{key}' of 'it' of the kubeconfig {tmp_path}/config holds the content of a file, and takes the path of one; "
        f"{advice}."
    )


def test_paths_are_relative_to_the_file_that_holds_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ca.pem").write_text(f"CA of {name}")
    first = written(tmp_path / "a", clusters=[], entry={"tokenFile": "token"})
    second = written(tmp_path / "b", cluster={"certificate-authority": "ca.pem"})
    found = load([first, second])
    assert found.user.token_file == str(tmp_path / "a" / "token")
    assert found.cluster.ca is not None
    assert found.cluster.ca.path == str(tmp_path / "b" / "ca.pem")


def test_secrets_are_masked_before_anything_can_fail(tmp_path: Path) -> None:
    masked: list[str] = []
    path = written(tmp_path, **{"current-context": "absent"})
    with pytest.raises(ConfigurationError):
        load_kubeconfig(path, None, masked.extend)
    assert masked == ["dummy-token"]


def test_nothing_secret_is_in_a_representation(corpus: Path) -> None:
    for name in NAMES:
        found = load(str(corpus / name))
        assert "dummy" not in repr(found)
        assert "not a real one" not in repr(found)


# ---- refusals


@pytest.mark.parametrize(
    ("content", "context", "said"),
    [
        ([1], None, "is not a kubeconfig: its content is not a mapping with clusters, users and contexts."),
        ({"users": {}}, "c", "has no context 'c', which the option context names (it has: none)."),
        ({"users": {"a": 1}}, None, "is not a valid kubeconfig: 'users' is not a list."),
        ({"users": [{"user": {}}]}, None, "is not a valid kubeconfig: an entry of 'users' has no name."),
        ({"users": [{"name": "a", "user": 1}]}, None, "is not a valid kubeconfig: 'user' of 'a' is not a mapping."),
        (
            {"contexts": [{"name": "b", "context": {}}, {"name": "a", "context": {}}]},
            None,
            "names no current context; set the option context to one of its contexts (it has: a, b).",
        ),
        (
            {"current-context": "x", "contexts": [{"name": "b"}]},
            None,
            "has no context 'x', which current-context names (it has: b).",
        ),
        (
            {"contexts": [{"name": "b", "context": {"cluster": "x"}}]},
            "b",
            "has no cluster 'x', which its context 'b' names (it has: none).",
        ),
    ],
)
def test_what_is_no_kubeconfig(tmp_path: Path, content: t.Any, context: str | None, said: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    assert refusal(str(path), context) == f"The kubeconfig {path} {said}"


def test_a_context_without_a_cluster(tmp_path: Path) -> None:
    path = written(tmp_path, contexts=[{"name": "c", "context": {"user": "u"}}])
    assert refusal(path) == f"The context 'c' of the kubeconfig {path} names no cluster."


@pytest.mark.parametrize(
    ("cluster", "entry", "said"),
    [
        ({"server": ""}, {}, "The cluster 'c' of {file} has no server."),
        (
            {"insecure-skip-tls-verify": "yes"},
            {},
            "'insecure-skip-tls-verify' of 'c' of {file} is neither true nor false.",
        ),
        (
            {"certificate-authority-data": "%%%"},
            {},
            "certificate-authority-data of the cluster 'c' of {file} is not the base64 of PEM content.",
        ),
        (
            {},
            {"client-key-data": "AP8="},
            "client-key-data of the user 'u' of {file} is not the base64 of PEM content.",
        ),
        ({}, {"token": 12345}, "'token' of 'u' of {file} is not a string; write it in quotes."),
        ({}, {"as-groups": "a"}, "as-groups of the user 'u' of {file} must be a list, and as-user-extra a mapping."),
        ({}, {"exec": "login"}, "'exec' of the user 'u' of {file} is not a mapping."),
    ],
)
def test_entries_that_cannot_be_used(
    tmp_path: Path, cluster: dict[str, t.Any], entry: dict[str, t.Any], said: str
) -> None:
    path = written(tmp_path, cluster=cluster, entry=entry)
    assert refusal(path) == said.format(file=f"the kubeconfig {path}")


def test_what_is_no_yaml_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("users:\n- name: a\n  user: {token: s3cret-token\n  x: [\n")
    said = refusal(str(path))
    assert said.startswith(f"The kubeconfig {path} is not valid YAML (line ")
    assert "s3cret" not in said


def test_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(b"\xff\xfe")
    assert refusal(str(path)) == f"The kubeconfig {path} cannot be read: it is not UTF-8 text."


@pytest.mark.parametrize(
    ("source", "said"),
    [(3, "takes a path, a list of paths"), ([{}], "takes a path, a list of paths"), ([""], "names no file")],
)
def test_what_is_no_value_of_the_option(source: t.Any, said: str) -> None:
    assert refusal(source).startswith(f"The option kubeconfig {said}")


def test_token_files(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(
        ConfigurationError, match=f"The token file {path} of the user 'u' cannot be read: No such file or directory."
    ):
        read_bearer_token(str(path), "the user 'u'")
    path.write_text("\n")
    with pytest.raises(ConfigurationError, match=f"The token file {path} of the user 'u' is empty."):
        read_bearer_token(str(path), "the user 'u'")


def test_without_yaml_one_sentence_says_so(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "HAS_YAML", False)
    with pytest.raises(
        MissingLibraryError, match=r"required Python library \(PyYAML\).*This is required to read a kubeconfig"
    ):
        load(str(corpus / "token.yaml"))
