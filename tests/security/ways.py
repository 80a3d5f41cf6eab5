# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to give a module a credential, each with a canary of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import yaml

from security.canaries import canary
from security.specs import Path_

USER = "robot"
# Credentials that modules are not given but find: in the secrets of the cluster.
STORED = canary("stored")


@dataclass(frozen=True)
class Way:
    """Options, or variables of the environment, that hold ``secrets``. ``covers`` are the marked options among them."""

    options: dict[str, t.Any]
    secrets: tuple[str, ...]
    covers: frozenset[Path_] = frozenset()
    environment: dict[str, str] = field(default_factory=dict)


def basic(password: str) -> str:
    """Return what ``auth`` and HTTP's basic authentication make of a password."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


def auths(registry: str, password: str) -> dict[str, t.Any]:
    """Return the content of an auth file."""
    return {"auths": {registry: {"auth": basic(password)}}}


def kubeconfig(url: str, **user: t.Any) -> dict[str, t.Any]:
    """Return the content of a kubeconfig."""
    return {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": url}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "users": [{"name": "it", "user": user}],
    }


def ways_to_the_cluster(url: str, folder: Path) -> dict[str, Way]:
    """Every way to give a credential for the API server at ``url``; files go into ``folder``."""
    host, token, password = {"host": url}, canary("token"), canary("password")
    content = {
        name: kubeconfig(url, token=canary(f"kubeconfig_{name}"))
        for name in ("mapping", "yaml", "json", "file", "variable")
    }
    file = _file(folder, "kubeconfig", yaml.safe_dump(content["file"]))
    token_file = _file(folder, "token", canary("token_file"))
    proxy = url.replace("://", f"://{USER}:{quote(canary('proxy'), safe='')}@")
    through = {
        "proxy": url,
        "proxy_headers": {
            "proxy_basic_auth": f"{USER}:{canary('proxy_basic')}",
            "basic_auth": f"{USER}:{canary('basic')}",
        },
    }
    pem = base64.b64encode(canary("client_key").encode()).decode()
    certificate = {"client-certificate-data": pem, "client-key-data": pem}
    plugin_secrets = (canary("plugin_variable"), canary("plugin_argument"))
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "false",
        "args": [f"--token={plugin_secrets[1]}"],
        "env": [{"name": "LOGIN_PASSWORD", "value": plugin_secrets[0]}],
        "interactiveMode": "Never",
    }
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": canary("plugin_token")},
    }
    logs_in = {
        **plugin,
        "command": "cat",
        "args": [_file(folder, "credential.json", json.dumps(credential))],
        "env": None,
    }
    talks = {**logs_in, "args": [_file(folder, "credential.txt", f"logged in: {json.dumps(credential)}")]}
    return {
        "api_key": Way({**host, "api_key": token}, (token,), frozenset({("api_key",)})),
        "password": Way({**host, "username": USER, "password": password}, (password,), frozenset({("password",)})),
        "kubeconfig as a mapping": Way({"kubeconfig": content["mapping"]}, (canary("kubeconfig_mapping"),)),
        "kubeconfig as YAML": Way({"kubeconfig": yaml.safe_dump(content["yaml"])}, (canary("kubeconfig_yaml"),)),
        "kubeconfig as JSON": Way({"kubeconfig": json.dumps(content["json"])}, (canary("kubeconfig_json"),)),
        "kubeconfig file": Way({"kubeconfig": file}, (canary("kubeconfig_file"),)),
        "password of a kubeconfig": Way({"kubeconfig": kubeconfig(url, username=USER, password=password)}, (password,)),
        "key of a kubeconfig": Way(
            {"kubeconfig": kubeconfig(url.replace("http:", "https:"), **certificate)}, (canary("client_key"), pem)
        ),
        "token file of a kubeconfig": Way(
            {"kubeconfig": kubeconfig(url, tokenFile=token_file)}, (canary("token_file"),)
        ),
        "plugin of a kubeconfig": Way({"kubeconfig": kubeconfig(url, exec=plugin)}, plugin_secrets),
        "token of a plugin": Way({"kubeconfig": kubeconfig(url, exec=logs_in)}, (canary("plugin_token"),)),
        "plugin that prints more than a credential": Way(
            {"kubeconfig": kubeconfig(url, exec=talks)}, (canary("plugin_token"),)
        ),
        "K8S_AUTH_API_KEY": Way(host, (token,), environment={"K8S_AUTH_API_KEY": token}),
        "K8S_AUTH_PASSWORD": Way(
            {},
            (password,),
            environment={"K8S_AUTH_HOST": url, "K8S_AUTH_USERNAME": USER, "K8S_AUTH_PASSWORD": password},
        ),
        "K8S_AUTH_KUBECONFIG": Way(
            {}, (canary("kubeconfig_variable"),), environment={"K8S_AUTH_KUBECONFIG": json.dumps(content["variable"])}
        ),
        "KUBECONFIG": Way({}, (canary("kubeconfig_file"),), environment={"KUBECONFIG": file}),
        "password in the URL": Way(
            {"host": proxy, "api_key": token}, (canary("proxy"), token), frozenset({("api_key",)})
        ),
        "password in a proxy's URL": Way(
            {**host, "api_key": token, "proxy": proxy}, (canary("proxy"), token), frozenset({("api_key",)})
        ),
        "headers for a proxy": Way(
            {**host, "api_key": token, **through},
            (canary("proxy_basic"), canary("basic"), token),
            frozenset({("api_key",), ("proxy_headers", "proxy_basic_auth"), ("proxy_headers", "basic_auth")}),
        ),
        "headers for a proxy in the environment": Way(
            {**host, "api_key": token, "proxy": url},
            (canary("proxy_basic"), canary("basic")),
            environment={
                "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH": f"{USER}:{canary('proxy_basic')}",
                "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH": f"{USER}:{canary('basic')}",
            },
        ),
    }


def ways_to_registries(registry: str, folder: Path) -> dict[str, Way]:
    """Every way to give a credential for a registry, by the option that it goes into."""
    password, auth, identity = canary("registry_password"), canary("registry_auth"), canary("identity")
    entry = {"registry": registry, "insecure": True}
    flat = {registry: {"username": USER, "password": canary("flat"), "email": "robot@example.com"}}
    in_secret = base64.b64encode(json.dumps(auths(registry, canary("content_base64"))).encode()).decode()
    content = frozenset({("auth_content",)})
    cut = _file(folder, "cut.json", json.dumps(auths(registry, canary("auth_file")))[:-1])

    def registries(covered: str, *secrets: str, **given: str) -> Way:
        return Way({"registries": [{**entry, **given}]}, secrets, frozenset({("registries", covered)}))

    return {
        "password": registries("password", password, username=USER, password=password),
        "auth": registries("auth", auth, auth=basic(auth)),
        "auth that is none": registries("auth", auth, auth=f"!{auth}"),
        "password alone": registries("password", password, password=password),
        "identity_token": registries("identity_token", identity, identity_token=identity),
        "auth_file": Way(
            {"auth_file": _file(folder, "auth.json", json.dumps(auths(registry, canary("auth_file"))))},
            (canary("auth_file"),),
        ),
        "auth_file that is no JSON": Way({"auth_file": cut}, (canary("auth_file"),)),
        "auth_content as a mapping": Way(
            {"auth_content": auths(registry, canary("content"))}, (canary("content"),), content
        ),
        "auth_content as text": Way(
            {"auth_content": json.dumps(auths(registry, canary("content_text")))}, (canary("content_text"),), content
        ),
        "auth_content of a secret": Way({"auth_content": in_secret}, (canary("content_base64"), in_secret), content),
        "auth_content without auths": Way({"auth_content": json.dumps(flat)}, (canary("flat"),), content),
        "auth_content that is no JSON": Way(
            {"auth_content": json.dumps(auths(registry, canary("content")))[:-1]}, (canary("content"),), content
        ),
    }


def ways_to_replace(registry: str) -> dict[str, Way]:
    """Every way to say which credential a new one replaces."""
    former, password = canary("former"), canary("registry_password")
    entry = {"registry": registry, "username": USER, "password": password}
    digest = f"sha256:{hashlib.sha256(former.encode()).hexdigest()}"
    return {
        name: Way(
            {"registries": [entry], "former_password": text}, (former, password), frozenset({("former_password",)})
        )
        for name, text in (("former_password", former), ("former_password by its digest", digest))
    }


def covered(ways: t.Iterable[Way]) -> set[Path_]:
    """Return the marked options that the ways use."""
    return {path for way in ways for path in way.covers}


def _file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)
