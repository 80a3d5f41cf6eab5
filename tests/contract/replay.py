# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends the steps of a case and compares the answers."""

from __future__ import annotations

import base64
import json
import secrets
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import requests

from .identities import ADMINISTRATOR, ANONYMOUS, WRONG_TOKEN, accounts_of, rights, senders
from .matching import Tokens, differences

_SOME_TIME = "2026-01-01T00:00:00Z"
_SECONDS = 60.0
# The import controller acts after a third of a second, and it had more than a second in the recordings.
_QUIET_SECONDS = 1.0
_POLL_SECONDS = 0.1
_IMAGES = "/apis/image.openshift.io/v1/images"
_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"


@dataclass(frozen=True)
class Laboratory:
    """What cases are replayed against. ``hosts``: host:port of the registries by name.

    ``literals``: what stands in cases literally although it belongs to the place where they were recorded, and what
    stands for it here.
    """

    url: str
    ca_file: Path
    admin_token: str
    hosts: dict[str, str]
    literals: dict[str, str]


class Replay:
    """One case, in a fresh namespace."""

    def __init__(self, laboratory: Laboratory, case: dict[str, t.Any]) -> None:
        self._laboratory = laboratory
        self._namespace = f"case-{secrets.token_hex(5)}"
        self._recorded = case
        self._case = self._localized(case)
        self._tokens = Tokens()
        self._metadata: dict[tuple[str, str], dict[str, t.Any]] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(laboratory.ca_file)
        self._credentials: dict[str, str | None] = {
            ADMINISTRATOR: laboratory.admin_token,
            ANONYMOUS: None,
            WRONG_TOKEN: "nobody-issued-this",
        }

    def __enter__(self) -> Replay:
        self._prepare("/api/v1/namespaces", {"metadata": {"name": self._namespace}})
        for account in accounts_of(self._recorded):
            self._create_account(account)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._send(ADMINISTRATOR, "DELETE", f"/api/v1/namespaces/{self._namespace}").raise_for_status()
        self._session.close()

    def run(self) -> list[str]:
        """All differences, each with the step it was found in."""
        found: list[str] = []
        for index, (step, sender) in enumerate(zip(self._case["steps"], senders(self._recorded), strict=True)):
            answer = self._create_secret(step) if "secret" in step else self._answer(step, sender)
            found += [
                f"step {index} {step.get('note', '')}: {text}" for text in self._compare(step["response"], answer)
            ]
        return found

    def _answer(self, step: dict[str, t.Any], sender: str) -> requests.Response:
        """Of a settled step the answer that stayed the same for a while: what the controllers have made of it."""
        for image in _images(step["response"]["body"]):
            if "resourceVersion" in image["metadata"]:
                self._send(ADMINISTRATOR, "DELETE", f"{_IMAGES}/{image['metadata']['name']}")
        answer = self._request(step["request"], sender)
        since, deadline = time.monotonic(), time.monotonic() + _SECONDS
        while step.get("settled") and time.monotonic() < min(since + _QUIET_SECONDS, deadline):
            time.sleep(_POLL_SECONDS)
            before, answer = answer, self._request(step["request"], sender)
            if answer.content != before.content:
                since = time.monotonic()
        return answer

    def _localized(self, case: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the case with the names of this place."""
        text = json.dumps(case)
        for here, there in {"{ns}": self._namespace, **self._laboratory.literals}.items():
            text = text.replace(here, there)
        for name, host in self._laboratory.hosts.items():
            text = text.replace("{" + name + "}", host)
        return t.cast("dict[str, t.Any]", json.loads(text))

    def _compare(self, recorded: dict[str, t.Any], answer: requests.Response) -> list[str]:
        found = (
            []
            if answer.status_code == recorded["code"]
            else [f"code {answer.status_code} instead of {recorded['code']}"]
        )
        if recorded["body"] == "created":
            return found if not found else [*found, answer.text]
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
        self._remember(body)
        for image, answered in zip(_images(recorded["body"]), _images(body), strict=False):
            if "resourceVersion" not in image["metadata"]:
                answered["metadata"].pop("resourceVersion", None)
        return found + differences(recorded["body"], body, self._tokens)

    def _request(self, request: dict[str, t.Any], sender: str) -> requests.Response:
        """Return the body to send: a string is sent as it is; tokens in it get the values seen before."""
        body = self._filled(request.get("body"))
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        return self._send(
            sender,
            request["method"],
            request["path"],
            query=request.get("query") or {},
            data=data,
            content_type=request.get("content_type"),
        )

    def _send(
        self,
        sender: str,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        data: str | None = None,
        content_type: str | None = None,
    ) -> requests.Response:
        headers = {"Accept": "application/json"}
        token = self._credentials[sender]
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if data is not None:
            headers["Content-Type"] = content_type or "application/json"
        return self._session.request(
            method,
            self._laboratory.url + path,
            params=query,
            data=data.encode() if data is not None else None,
            headers=headers,
            timeout=_SECONDS,
        )

    def _prepare(self, path: str, document: dict[str, t.Any]) -> dict[str, t.Any]:
        """Create something that the recording took for granted."""
        answer = self._send(ADMINISTRATOR, "POST", path, data=json.dumps(document))
        answer.raise_for_status()
        return t.cast("dict[str, t.Any]", answer.json())

    def _create_secret(self, step: dict[str, t.Any]) -> requests.Response:
        """Create a secret as it was recorded.

        A recorded creation that succeeded had no secret of that name before it; one that failed may have had.
        """
        secret = step["secret"]
        path = f"/api/v1/namespaces/{self._namespace}/secrets"
        if step["response"]["code"] == 201:
            self._send(ADMINISTRATOR, "DELETE", f"{path}/{secret['name']}")
        document = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret["name"], "annotations": secret.get("annotations") or {}},
            "type": secret["type"],
            "data": {secret["key"]: base64.b64encode(secret["content"].encode()).decode()},
        }
        return self._send(ADMINISTRATOR, "POST", path, data=json.dumps(document))

    def _create_account(self, name: str) -> None:
        core = f"/api/v1/namespaces/{self._namespace}/serviceaccounts"
        rbac = _RBAC.format(ns=self._namespace)
        self._prepare(core, {"metadata": {"name": name}})
        rules = [right.rule() for right in rights(self._recorded, name)]
        if rules:
            self._prepare(f"{rbac}/roles", {"metadata": {"name": name}, "rules": rules})
            subject = {"kind": "ServiceAccount", "name": name, "namespace": self._namespace}
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
            self._prepare(
                f"{rbac}/rolebindings", {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
            )
        answer = self._prepare(f"{core}/{name}/token", {"spec": {}})
        self._credentials[name] = answer["status"]["token"]

    def _remember(self, body: t.Any) -> None:
        """Keep the uid and creation time of objects that were answered, for requests that send them back."""
        if isinstance(body, dict) and isinstance(body.get("metadata"), dict) and "uid" in body["metadata"]:
            self._metadata[str(body.get("kind", "")), str(body["metadata"].get("name", ""))] = body["metadata"]

    def _filled(self, body: t.Any) -> t.Any:
        if isinstance(body, dict) and isinstance(body.get("metadata"), dict):
            known = self._metadata.get((str(body.get("kind", "")), str(body["metadata"].get("name", ""))), {})
            metadata = {
                key: known.get(key) if value in ("<uid>", "<time>") else value
                for key, value in body["metadata"].items()
            }
            body = {**body, "metadata": {key: value for key, value in metadata.items() if value is not None}}
        return self._with_values(body)

    def _with_values(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: self._with_values(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._with_values(entry) for entry in value]
        if isinstance(value, str) and value.startswith("<rv:"):
            return self._tokens[value[1:-1]]
        return _SOME_TIME if value == "<time>" else value


def _images(body: t.Any) -> list[dict[str, t.Any]]:
    """Return the images of an import's answer. Their version tells that the import created them; images belong to the
    whole cluster, so that another case may have done that before."""
    status = body.get("status") if isinstance(body, dict) and body.get("kind") == "ImageStreamImport" else None
    found = [*(status.get("images") or []), *((status.get("repository") or {}).get("images") or [])] if status else []
    return [image for one in found for image in (one.get("image"), *(one.get("manifests") or [])) if image]
