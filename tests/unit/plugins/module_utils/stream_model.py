# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model of the image API for property tests: no HTTP, no real registry, the rules of server-behaviour.md 2.4, 2.5,
2.11.

It is small on purpose, and written apart from the emulator, so that a misunderstanding has to be made twice.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from ansible_collections.quayside.openshift_images.plugins.module_utils._cluster.client import (
    STRATEGIC_MERGE,
    ClusterClient,
)
from ansible_collections.quayside.openshift_images.plugins.module_utils._core.errors import Invalid
from ansible_collections.quayside.openshift_images.tests.unit.plugins.module_utils.stream_scenes import (
    IMPORTS,
    conflict,
    refusal,
)

Json = dict[str, t.Any]

PREFER_ARCHITECTURE = "importer.image.openshift.io/prefer-arch"
PREFER_OS = "importer.image.openshift.io/prefer-os"


def digest(content: object) -> str:
    """Return a digest that is the content's own."""
    return "sha256:" + hashlib.sha256(repr(content).encode()).hexdigest()


# What registries serve: a platform for a single image, several for a list. One place may serve what another does.
_LIST = ("a", "linux/amd64", "linux/arm64", "windows/amd64")
_OTHER_LIST = ("b", "linux/s390x", "linux/arm64")
CONTENT: dict[str, tuple[str, ...]] = {
    "one.example.com/team/web:v1": _LIST,
    "one.example.com/team/web:stable": _LIST,
    "one.example.com/team/web:v2": _OTHER_LIST,
    "one.example.com/team/web:single": ("c", "linux/amd64"),
    "one.example.com/team/web:odd": ("d", "linux/amd64", "/"),
    "two.example.com:5000/mirror/web:v1": _LIST,
    "two.example.com:5000/mirror/web:single": ("c", "linux/amd64"),
}
SOURCES = (
    *CONTENT,
    "one.example.com/team/web@" + digest(_LIST),
    "one.example.com/team/web@" + digest(("c", "linux/amd64")),
    "one.example.com/team/web:missing",
    "three.example.com/down:v1",
)


def serve(source: str, mode: str, preference: tuple[str, str]) -> Json:
    """Return ``status.images[]`` for a source: (architecture, operating system) is what the tag prefers."""
    repository, _at, wanted = source.partition("@")
    if not wanted:
        repository = source.rpartition(":")[0]
    found = CONTENT.get(source) or next(
        (content for content in CONTENT.values() if wanted and digest(content) == wanted), None
    )
    if found is None:
        reason = "NotFound" if source.startswith("one.") else "InternalError"
        return {"status": {"status": "Failure", "reason": reason, "message": f"{source}: {reason}"}}
    platforms = found[1:]
    if len(platforms) == 1:
        return _success(repository, digest(found), (), platforms[0])
    if mode == "PreserveOriginal":
        return _success(repository, digest(found), platforms)
    architecture, system = ("", "") if wanted else preference
    for choice in (f"{system or 'linux'}/{architecture or 'amd64'}", "linux/amd64", platforms[0]):
        if choice in platforms:
            return _success(repository, digest((found[0], choice)), (), choice)
    raise AssertionError(platforms)


def _success(repository: str, image: str, platforms: tuple[str, ...], platform_of_one: str = "") -> Json:
    children = []
    for platform in platforms:
        system, _slash, architecture = platform.partition("/")
        children.append(
            {"digest": digest((image, platform)), "os": system, "architecture": architecture, "manifestSize": 1}
        )
    if platforms:
        letter = next(content[0] for content in CONTENT.values() if digest(content) == image)
        for child, platform in zip(children, platforms, strict=True):
            child["digest"] = digest((letter, platform))
    answer: Json = {
        "status": {"status": "Success"},
        "image": {"metadata": {"name": image}, "dockerImageReference": f"{repository}@{image}"},
    }
    if platform_of_one:
        answer["image"]["dockerImageMetadata"] = {"Architecture": platform_of_one.rpartition("/")[2]}
    if children:
        answer["image"]["dockerImageManifests"] = children
    return answer


@dataclass
class ModelCluster:
    """Streams of any namespace by (namespace, name). ``default_mode`` is what an import without a mode gets.

    ``before_write`` is called with method and path before each request that may store something; it may raise.
    """

    default_mode: str = "Legacy"
    streams: dict[tuple[str, str], Json] = field(default_factory=dict)
    writes: int = 0
    stored: int = 0
    before_write: Callable[[str, str], None] = lambda _method, _path: None
    _version: int = 0

    @property
    def client(self) -> ClusterClient:
        """The model as the engine's client."""
        return t.cast(ClusterClient, self)

    def request(
        self, method: str, path: str, *, body: t.Any = None, content_type: str = "", **_keywords: t.Any
    ) -> t.Any:
        parts = [unquote(part) for part in path.split("/")]
        if path == "/version":
            return {"platform": "linux/amd64"}
        namespace, plural, name = parts[5], parts[6], (parts[7] if len(parts) > 7 else "")
        looking = plural == "imagestreamimports" and not body["spec"]["import"]
        if method != "GET" and not looking:
            self.writes += 1
            self.before_write(method, path)
        answer = getattr(self, f"_{method.lower()}_{plural}")(namespace, name, copy.deepcopy(body), path)
        return copy.deepcopy(answer)

    def get(self, path: str, **keywords: t.Any) -> t.Any:
        return self.request("GET", path, **keywords)

    def list_items(self, path: str, **keywords: t.Any) -> list[Json]:
        namespace = path.split("/")[5]
        return [copy.deepcopy(stream) for (where, _name), stream in self.streams.items() if where == namespace]

    def create(self, path: str, body: t.Any) -> t.Any:
        return self.request("POST", path, body=body)

    def patch(self, path: str, body: t.Any, content_type: str) -> t.Any:
        assert content_type == STRATEGIC_MERGE
        return self.request("PATCH", path, body=body)

    def delete(self, path: str, *, body: t.Any = None) -> t.Any:
        return self.request("DELETE", path, body=body)

    def _get_imagestreams(self, namespace: str, name: str, _body: Json, path: str) -> Json:
        return self._present(namespace, name, "GET", path)

    def _present(self, namespace: str, name: str, method: str, path: str) -> Json:
        if (namespace, name) not in self.streams:
            raise refusal(
                method,
                path,
                404,
                {"kind": "Status", "reason": "NotFound", "message": f'"{name}" not found', "details": {"name": name}},
            )
        return self.streams[namespace, name]

    def _post_imagestreams(self, namespace: str, _name: str, body: Json, path: str) -> Json:
        name = body["metadata"]["name"]
        if (namespace, name) in self.streams:
            raise conflict(name)
        stream = _empty(namespace, name)
        _merge_spec(stream, body["spec"])
        return self._store(namespace, name, None, stream)

    def _patch_imagestreams(self, namespace: str, name: str, body: Json, path: str) -> Json:
        old = self._present(namespace, name, "PATCH", path)
        version = body.get("metadata", {}).get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict(name)
        stream = copy.deepcopy(old)
        _merge_spec(stream, body["spec"])
        return self._store(namespace, name, old, stream)

    def _delete_imagestreams(self, namespace: str, name: str, body: Json, path: str) -> Json:
        old = self._present(namespace, name, "DELETE", path)
        if body["preconditions"]["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise conflict(name)
        del self.streams[namespace, name]
        self.stored += 1
        return {"kind": "Status", "status": "Success"}

    def _delete_imagestreamtags(self, namespace: str, name: str, _body: Json, path: str) -> Json:
        stream_name, _colon, tag = name.partition(":")
        old = self._present(namespace, stream_name, "DELETE", path)
        stream = copy.deepcopy(old)
        stream["spec"]["tags"] = [one for one in stream["spec"]["tags"] if one["name"] != tag]
        stream["status"]["tags"] = [one for one in stream["status"]["tags"] if one["tag"] != tag]
        self._store(namespace, stream_name, old, stream)
        return {"kind": "Status", "status": "Success"}

    def _post_imagestreamimports(self, namespace: str, _name: str, body: Json, path: str) -> Json:
        name, version, spec = body["metadata"]["name"], body["metadata"].get("resourceVersion"), body["spec"]
        old = self.streams.get((namespace, name))
        if version and old is None:
            raise refusal(
                "POST",
                path,
                404,
                {"kind": "Status", "reason": "NotFound", "message": f'"{name}" not found', "details": {"name": name}},
            )
        if version and old and version != old["metadata"]["resourceVersion"]:
            raise conflict(name)
        stream = copy.deepcopy(old) if old else _empty(namespace, name)
        tags = {tag["name"]: tag for tag in stream["spec"]["tags"]}
        answers = []
        for wanted in spec["images"]:
            policy = wanted["importPolicy"]
            policy.setdefault("importMode", self.default_mode)
            annotations = tags.get(wanted["to"]["name"], {}).get("annotations") or {}
            preference = annotations.get(PREFER_ARCHITECTURE, ""), annotations.get(PREFER_OS, "")
            answers.append(serve(wanted["from"]["name"], policy["importMode"], preference))
        answer: Json = {"kind": "ImageStreamImport", "spec": spec, "status": {"images": answers}}
        if not spec["import"]:
            return answer
        for one in answers:
            for index, child in enumerate(one.get("image", {}).get("dockerImageManifests", ())):
                if not child["os"]:
                    raise self._without_platform(path, one["image"]["metadata"]["name"], index)
        following = stream["metadata"]["generation"] + 1
        for wanted, one in zip(spec["images"], answers, strict=True):
            _record(stream, wanted, one, following)
        if old is None or stream != old:
            stream = self._store(namespace, name, old, stream)
        answer["status"]["import"] = stream
        return answer

    @staticmethod
    def _without_platform(path: str, image: str, index: int) -> Exception:
        fields = (
            f"[dockerImageManifests[{index}].architecture: Required value, dockerImageManifests[{index}].os: Required "
            "value]"
        )
        message = f'Image.image.openshift.io "{image}" is invalid: {fields}'
        return refusal("POST", path, 422, {"kind": "Status", "reason": "Invalid", "message": message})

    def _store(self, namespace: str, name: str, old: Json | None, stream: Json) -> Json:
        """Write with the server's generations: of the stream for any change of its spec, of a tag for its source and
        mode."""
        before = {tag["name"]: tag for tag in old["spec"]["tags"]} if old else {}
        stream["spec"]["tags"].sort(key=lambda tag: tag["name"])
        changed = old is None or old["spec"] != stream["spec"]
        _follow(stream, old, before, stream["metadata"]["generation"] + changed)
        if not changed and old is not None and old["status"] == stream["status"]:
            return old
        stream["metadata"]["generation"] += changed
        for tag in stream["spec"]["tags"]:
            tag["importPolicy"].setdefault("importMode", self.default_mode)
            tag["referencePolicy"] = tag.get("referencePolicy") or {"type": "Source"}
            was = before.get(tag["name"])
            if not tag.get("generation") or was is None or _asks_for_import(was) != _asks_for_import(tag):
                tag["generation"] = stream["metadata"]["generation"]
        self._version += 1
        stream["metadata"]["resourceVersion"] = str(self._version)
        self.stored += 1
        self.streams[namespace, name] = stream
        return stream

    def control_imports(self) -> None:
        """Import every tag whose spec is ahead of its newest image, as the cluster's import controller does
        (server-behaviour.md 2.11). A list that the server refuses to store is tried in vain (contract case
        list_entry_without_platform)."""
        for (namespace, name), stream in list(self.streams.items()):
            history = {one["tag"]: one for one in stream["status"]["tags"]}
            waiting = [tag for tag in stream["spec"]["tags"] if _is_waiting(tag, history.get(tag["name"]) or {})]
            images = [
                {"from": tag["from"], "to": {"name": tag["name"]}, "importPolicy": dict(tag["importPolicy"])}
                for tag in waiting
            ]
            body: Json = {"metadata": dict(stream["metadata"]), "spec": {"import": True, "images": images}}
            if images:
                with contextlib.suppress(Invalid):
                    self._post_imagestreamimports(namespace, name, copy.deepcopy(body), IMPORTS)

    def snapshot(self) -> str:
        """All that is stored, to be compared."""
        return json.dumps({"/".join(key): stream for key, stream in self.streams.items()}, sort_keys=True)


def _follow(stream: Json, old: Json | None, before: Mapping[str, Json], generation: int) -> None:
    """What follows a tag of the same stream gets its image: when it begins to, and when that tag gets another one
    (contract case tags_between_streams)."""
    sources = {tag["name"]: tag.get("from") or {} for tag in stream["spec"]["tags"]}
    own = ("", None, stream["metadata"]["namespace"])
    followers = {
        name: one["name"]
        for name, one in sources.items()
        if one.get("kind") == "ImageStreamTag" and one.get("namespace") in own
    }
    for name, followed in followers.items():
        was = before.get(name)
        item = _newest(stream).get(followed)
        if item is not None and (was is None or was.get("from", {}).get("name") != followed):
            _add_item(stream, name, {**item, "generation": generation})
    known = _newest(old) if old else {}
    for followed, item in sorted(_newest(stream).items()):
        if item != known.get(followed):
            for name in (name for name, one in followers.items() if one == followed):
                _add_item(stream, name, item)


def _is_waiting(tag: Mapping[str, t.Any], history: Mapping[str, t.Any]) -> bool:
    done = [
        one.get("generation") or 0 for one in (*(history.get("items") or ())[:1], *(history.get("conditions") or ()))
    ]
    return (
        tag["from"].get("kind") == "DockerImage"
        and not tag.get("reference")
        and tag["generation"] > max(done, default=0)
    )


def _newest(stream: Mapping[str, t.Any]) -> dict[str, Json]:
    return {history["tag"]: history["items"][0] for history in stream["status"]["tags"] if history["items"]}


def _add_item(stream: Json, name: str, item: Json) -> None:
    history = next((one for one in stream["status"]["tags"] if one["tag"] == name), None)
    if history is None:
        history = {"tag": name, "items": []}
        stream["status"]["tags"].append(history)
    history.pop("conditions", None)
    if history["items"] and history["items"][0]["image"] == item["image"]:
        history["items"][0] = dict(item)
    else:
        history["items"].insert(0, dict(item))


def _empty(namespace: str, name: str) -> Json:
    return {
        "kind": "ImageStream",
        "metadata": {"namespace": namespace, "name": name, "generation": 0},
        "spec": {"lookupPolicy": {"local": False}, "tags": []},
        "status": {"tags": []},
    }


def _merge_spec(stream: Json, patch: Mapping[str, t.Any]) -> None:
    stream["spec"]["lookupPolicy"].update(patch.get("lookupPolicy") or {})
    tags = {tag["name"]: tag for tag in stream["spec"]["tags"]}
    for entry in patch.get("tags") or ():
        if entry.get("$patch") == "delete":
            tags.pop(entry["name"], None)
            continue
        tag = tags.setdefault(entry["name"], {"name": entry["name"], "importPolicy": {}})
        for key, value in entry.items():
            if isinstance(value, dict):
                merged = {**(tag.get(key) or {}), **value}
                tag[key] = {name: one for name, one in merged.items() if one is not None}
            else:
                tag[key] = value
    stream["spec"]["tags"] = list(tags.values())


def _asks_for_import(tag: Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    return tag.get("from"), tag.get("reference"), tag["importPolicy"].get("importMode")


def _record(stream: Json, wanted: Mapping[str, t.Any], answer: Mapping[str, t.Any], following: int) -> None:
    name = wanted["to"]["name"]
    tag = next((one for one in stream["spec"]["tags"] if one["name"] == name), None)
    history = next((one for one in stream["status"]["tags"] if one["tag"] == name), None)
    if history is None:
        history = {"tag": name, "items": []}
        stream["status"]["tags"].append(history)
    if answer["status"]["status"] != "Success":
        condition = {
            "type": "ImportSuccess",
            "status": "False",
            "reason": answer["status"]["reason"],
            "message": answer["status"]["message"],
        }
        known = [{key: one[key] for key in condition} for one in history.get("conditions") or ()]
        if condition not in known:
            history["conditions"] = [{**condition, "generation": following}]
            if tag is not None:
                tag["generation"] = 0
        if tag is None:
            stream["spec"]["tags"].append(
                {
                    "name": name,
                    "from": wanted["from"],
                    "importPolicy": wanted["importPolicy"],
                    "referencePolicy": wanted.get("referencePolicy"),
                    "generation": 0,
                }
            )
        return
    item = {
        "image": answer["image"]["metadata"]["name"],
        "dockerImageReference": answer["image"]["dockerImageReference"],
    }
    newest = history["items"][0] if history["items"] else None
    if (
        tag is None
        or newest is None
        or {key: newest[key] for key in item} != item
        or tag["generation"] > newest["generation"]
    ):
        if tag is None:
            tag = {"name": name}
            stream["spec"]["tags"].append(tag)
        tag["from"] = wanted["from"]
        tag["generation"] = 0
        tag["referencePolicy"] = tag.get("referencePolicy") or wanted.get("referencePolicy")
        if newest is not None and newest["image"] == item["image"]:
            history["items"][0] = {**item, "generation": following}
        else:
            history["items"].insert(0, {**item, "generation": following})
    tag["importPolicy"] = wanted["importPolicy"]
    history.pop("conditions", None)
