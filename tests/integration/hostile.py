# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that would run a program, or forge lines, on the machine that runs Ansible, and servers that say them wherever
they can say anything."""

from __future__ import annotations

import base64
import copy
import json
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests
from ansible_collections.quayside.openshift_images.tests.unit.fakes.scripted_server import Asked, Reply

from .playbooks import Run

FORGED = "PLAY RECAP (forged)"
_ASK = ("Authorization", "Content-Type", "Accept")
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# Not one of the texts: what equals a password is masked wherever it stands.
_PASSWORD = "said-by-the-cluster"
_DIGEST = "sha256:" + "ab" * 32

Document = dict[str, t.Any]


def hostile_texts(proof: Path) -> tuple[str, ...]:
    """Return one text of each kind; the program in them would make the file ``proof``."""
    call = f"lookup('pipe', 'touch {proof}')"
    return (
        "{{ " + call + " }}",
        "{% set x = " + call + " %}{{ x }}",
        f"\x1b[2J\x9b2J\r\n{FORGED}\n{{{{ {call} }}}}",
        "*" * 120 + "x",
        "x" * 6000 + "{{ " + call + " }}",
    )


def hold(run: Run, proof: Path, *exit_codes: int) -> Run:
    """Show that nothing of the texts was run, and that none of them reached the terminal as it is."""
    assert run.exit_code in (exit_codes or (0,)), run.output[-20000:]
    assert not proof.exists()
    for command in ("\x1b", "\x9b", "\r"):
        assert command not in run.output
    assert [line for line in run.output.splitlines() if line.strip().startswith(FORGED)] == []
    for accident in ("Internal error of the module", "Traceback (most", "unexpected exception", "template error"):
        assert accident.lower() not in run.output.lower(), accident
    return run


def hold_files(folder: Path) -> None:
    """Show that no file in the folder has a character that commands a terminal."""
    for path in folder.iterdir():
        if path.suffix in (".yml", ".json", ".html", ".xml", ".prom"):
            text = path.read_text(encoding="utf-8")
            assert [command for command in ("\x1b", "\x9b", "\r") if command in text] == [], path


class LyingCluster:
    """A front of an API server that says the texts in every answer: beside what is there, and in objects, tags and
    platforms that are not. ``all`` is every text in one. ``names``: objects with names that cannot be shown, too."""

    def __init__(self, url: str, ca_file: Path, texts: Sequence[str]) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)
        self._texts = texts
        self._all = "\n".join(texts)
        self.names = False

    def answer(self, asked: Asked) -> Reply:
        """Answer a request as the server behind would, and lie."""
        headers = {name: value for name in _ASK if (value := asked.header(name))}
        body = asked.body
        if body:
            # What was read with the texts in it is written with them.
            body = json.dumps(self._without(json.loads(body))).encode()
        real = self._session.request(asked.method, self._url + asked.path, data=body, headers=headers, timeout=60)
        warning = {"Warning": f'299 - "{self._texts[0]} {self._texts[3]}"'}
        try:
            document = real.json()
        except ValueError:
            return Reply(real.status_code, real.content, warning, real.headers.get("Content-Type", ""))
        return Reply(real.status_code, self._with_lies(document), warning)

    def _without(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {
                key: self._without(inner)
                for key, inner in value.items()
                if not self._is_lie(key) and not self._is_lie(inner)
            }
        if isinstance(value, list):
            return [self._without(inner) for inner in value if not self._is_lie(inner)]
        return value

    def _is_lie(self, value: t.Any) -> bool:
        if isinstance(value, dict):
            return any(self._is_lie(value.get(key)) for key in ("name", "tag", "kind"))
        return isinstance(value, str) and (value == self._all or value in self._texts)

    def _with_lies(self, answer: Document) -> Document:
        if answer.get("kind") == "Status":
            return self._status(answer)
        if isinstance(answer.get("items"), list):
            kind = str(answer.get("kind")).removesuffix("List")
            items = [self._object(kind, item) for item in answer["items"]]
            return {**answer, "items": [*items, *self._more(kind, answer["items"])]}
        return self._object(str(answer.get("kind")), answer)

    def _status(self, status: Document) -> Document:
        if status.get("status") != "Failure":
            return status
        cause = {"field": self._all, "message": self._all, "reason": self._all}
        details = {**(status.get("details") or {}), "causes": [cause], "kind": self._all}
        return {**status, "message": self._all, "details": details}

    def _more(self, kind: str, items: Sequence[Document]) -> list[Document]:
        """Objects that are not there, each with a text for its name."""
        if not items or kind in ("Namespace", "Project"):
            return []
        names = self._texts if self.names else [self._texts[0], self._texts[1], self._texts[3]]
        more = []
        for name in names:
            item = copy.deepcopy(dict(items[0]))
            item["metadata"] = {**item["metadata"], "name": name}
            more.append(self._object(kind, item))
            if kind == "Secret":
                more[-1]["type"] = name
        return more

    def _object(self, kind: str, item: Mapping[str, t.Any]) -> Document:
        lied = copy.deepcopy(dict(item))
        metadata = lied.get("metadata")
        if isinstance(metadata, dict) and kind != "ImageStreamImport":
            said = {**{f"hostile-{number}": text for number, text in enumerate(self._texts)}, self._all: self._all}
            for field in ("annotations", "labels"):
                metadata[field] = {**(metadata.get(field) or {}), **said}
            owner = {"apiVersion": self._all, "kind": self._all, "name": self._all, "controller": False}
            metadata["ownerReferences"] = [*(metadata.get("ownerReferences") or ()), owner]
            metadata["uid"] = self._all
        lie = getattr(self, f"_of_{kind.lower()}", None)
        if lie is not None:
            lie(lied)
        return lied

    def _of_secret(self, secret: Document) -> None:
        data = secret.setdefault("data", {})
        for text in self._texts:
            data[text] = base64.b64encode(text.encode()).decode()
        for key in (".dockerconfigjson", ".dockercfg", "auth.json"):
            if key in data:
                content = json.loads(base64.b64decode(data[key]))
                auths = content if key == ".dockercfg" else content.setdefault("auths", {})
                auths.update({text: {"username": text, "password": _PASSWORD, "email": text} for text in self._texts})
                content.update({text: text for text in self._texts} if key != ".dockercfg" else {})
                data[key] = base64.b64encode(json.dumps(content).encode()).decode()

    def _of_serviceaccount(self, account: Document) -> None:
        for field in ("secrets", "imagePullSecrets"):
            account[field] = [*(account.get(field) or ()), *({"name": text} for text in self._texts)]

    def _of_imagestream(self, stream: Document) -> None:
        spec, status = stream.setdefault("spec", {}), stream.setdefault("status", {})
        tags = spec["tags"] = list(spec.get("tags") or ())
        histories = status["tags"] = list(status.get("tags") or ())
        for tag in tags:
            tag["annotations"] = {**(tag.get("annotations") or {}), self._all: self._all}
        condition = {"type": "ImportSuccess", "status": "False", "reason": self._all, "message": self._all}
        for number, text in enumerate(self._texts):
            source = {"kind": ("DockerImage", "ImageStreamTag")[number % 2], "name": text, "namespace": text}
            arch = {"importer.image.openshift.io/prefer-arch": text, "importer.image.openshift.io/prefer-os": text}
            policies = {"importPolicy": {"importMode": text}, "referencePolicy": {"type": text}}
            tags.append({"name": text, "from": source, "annotations": arch, **policies})
            tags.append({"name": f"lied-{number}", "from": source, "annotations": arch, **policies})
            item = {"created": text, "dockerImageReference": text, "image": text, "generation": 1}
            histories += [
                {"tag": name, "items": [item], "conditions": [condition]} for name in (text, f"lied-{number}")
            ]
        status["dockerImageRepository"] = status["publicDockerImageRepository"] = self._all

    def _of_imagestreamimport(self, answer: Document) -> None:
        status = answer.get("status") or {}
        if status.get("import"):
            self._of_imagestream(status["import"])
        for image in [*(status.get("images") or ()), *((status.get("repository") or {}).get("images") or ())]:
            self._of_import(image)
        if status.get("repository"):
            status["repository"]["additionalTags"] = list(self._texts)

    def _of_import(self, answer: Document) -> None:
        if answer["status"].get("status") != "Success":
            answer["status"] = {**answer["status"], "reason": self._all, "message": self._all}
        if answer.get("image"):
            self._of_image(answer["image"])

    def _of_image(self, image: Document) -> None:
        fields = ("digest", "mediaType", "architecture", "os", "variant")
        children = [dict.fromkeys(fields, text) for text in self._texts]
        image["dockerImageManifests"] = [*(image.get("dockerImageManifests") or ()), *children]
        image["dockerImageManifestMediaType"] = self._all
        image["dockerImageMetadata"] = {"Architecture": self._all, "Os": self._all}

    def _of_pod(self, pod: Document) -> None:
        containers = [{"name": text, "image": text} for text in self._texts]
        pod.setdefault("spec", {}).setdefault("containers", []).extend(containers)
        pod["status"] = {
            "phase": "Running",
            "containerStatuses": [{**one, "imageID": one["image"]} for one in containers],
        }

    def _of_deployment(self, deployment: Document) -> None:
        containers = [{"name": text, "image": text} for text in self._texts]
        deployment["spec"]["template"]["spec"]["containers"].extend(containers)
        triggers = json.dumps(
            [{"from": {"kind": "ImageStreamTag", "name": text}, "fieldPath": text} for text in self._texts]
        )
        deployment["metadata"]["annotations"]["image.openshift.io/triggers"] = triggers

    def _of_node(self, node: Document) -> None:
        node["status"] = {"nodeInfo": {"architecture": self._all, "operatingSystem": self._all}}

    def _of_config(self, config: Document) -> None:
        condition = {"type": self._all, "status": "True", "reason": self._all, "message": self._all}
        status = config.setdefault("status", {})
        status["conditions"] = [*(status.get("conditions") or ()), condition]
        status["version"] = self._all


class LyingRegistry:
    """A registry that says the texts. What it does goes by the name of the repository: ``linked-N`` continues its list
    of tags at the text N, ``errors``, ``words`` and ``page`` fail with them, ``challenge`` asks for a token with
    them, and anything else has one image with them in each field."""

    LINKS = 6

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._all = "\n".join(texts)
        self._header = " ".join(text for text in texts if text.isprintable() and len(text) < 1000) + " \x9b2J"

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        path, _mark, query = asked.path.partition("?")
        if path == "/v2/":
            return Reply(body={})
        name, _slash, rest = path.removeprefix("/v2/lies/").partition("/")
        challenge = f'Bearer realm="{self._header}",service="{self._header}"'
        failing = {
            "errors": Reply(403, {"errors": [dict.fromkeys(("code", "message", "detail"), self._all)]}),
            "words": Reply(403, self._all.encode(), content_type="text/plain"),
            "page": Reply(403, f"<html><title>{self._all}</title>{self._all}".encode(), content_type="text/html"),
            "challenge": Reply(401, b"", {"WWW-Authenticate": challenge}),
        }
        if name in failing:
            return failing[name]
        if rest == "tags/list":
            more = {}
            if name.startswith("linked-") and not query.startswith("last="):
                more["Link"] = self._links(path)[int(name.removeprefix("linked-"))]
            return Reply(200, {"name": self._all, "tags": ["good", *self._texts]}, more)
        if rest.startswith("manifests/"):
            platform = dict.fromkeys(("os", "architecture", "variant"), self._all)
            child = {"mediaType": _MANIFEST, "digest": _DIGEST, "size": 9, "platform": platform}
            said = {self._all: self._all}
            index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [child], "annotations": said}
            return Reply(200, index, content_type=_INDEX)
        return Reply(body={"architecture": self._all, "os": self._all, "config": {"Labels": {self._all: self._all}}})

    def _links(self, path: str) -> list[str]:
        return [
            f'<{path}?last={self._texts[0]}>; rel="next"',
            f"<{self._texts[0]}>; rel=next",
            f'{self._texts[1]}; rel="next"',
            f'<{path}?last={self._texts[3]},{self._texts[3]}>; title="{self._texts[3]}"; rel="next prev"',
            f'<{path}?last=\x9b2J>; rel="next"',
            f'<http://{self._texts[3]}/{self._texts[0]}>; rel="next"',
        ]
