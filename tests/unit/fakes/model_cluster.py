# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model of the image API in memory: no HTTP, no real registry, the rules of server-behaviour.md 2.4, 2.5, 2.11. For
property tests, and for counting what a run over a cluster of any size costs.

It is small on purpose, and written apart from the emulator, so that a misunderstanding has to be made twice. What it
does for a tag of an import does not depend on how many the stream has, so that counts of calls are those of the engine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
import typing as t
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
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
# What a namespace gets for a source and a mode; (architecture, operating system) is what the tag prefers.
Registry = Callable[[str, str, str, tuple[str, str]], Json]

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


def serve(_namespace: str, source: str, mode: str, preference: tuple[str, str]) -> Json:
    """Return ``status.images[]`` for a source of CONTENT."""
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
        return success(repository, digest(found), (), platforms[0])
    if mode == "PreserveOriginal":
        return success(repository, digest(found), platforms)
    architecture, system = ("", "") if wanted else preference
    for choice in (f"{system or 'linux'}/{architecture or 'amd64'}", "linux/amd64", platforms[0]):
        if choice in platforms:
            return success(repository, digest((found[0], choice)), (), choice)
    raise AssertionError(platforms)


def success(repository: str, image: str, platforms: tuple[str, ...], platform_of_one: str = "") -> Json:
    """Return ``status.images[]`` for an image with this digest."""
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


def _copy(value: t.Any) -> t.Any:
    """Return JSON as it comes over the wire: a copy, in a number of calls that does not depend on its size."""
    return json.loads(json.dumps(value))


@dataclass
class ModelCluster:
    """Streams of any namespace by (namespace, name). ``default_mode`` is what an import without a mode gets.

    ``before_write`` is called with method and path before each request that may store something; it may raise.
    ``latency`` is how long each request takes, in seconds. ``requests`` counts LIST, lookup, import and the methods of
    the others, ``looked_up`` the sources of lookups; ``at_once`` is how many requests were under way together.
    """

    default_mode: str = "Legacy"
    registry: Registry = serve
    latency: float = 0.0
    streams: dict[tuple[str, str], Json] = field(default_factory=dict)
    writes: int = 0
    stored: int = 0
    before_write: Callable[[str, str], None] = lambda _method, _path: None
    requests: Counter[str] = field(default_factory=Counter)
    looked_up: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    _version: int = 0
    _under_way: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def client(self) -> ClusterClient:
        """The model as the engine's client."""
        return t.cast(ClusterClient, self)

    def copy(self) -> ModelCluster:
        """Return a cluster that stores the same."""
        streams = {name: _copy(stream) for name, stream in self.streams.items()}
        return ModelCluster(self.default_mode, self.registry, streams=streams, _version=self._version)

    def forget(self) -> None:
        """Count from here on."""
        self.writes = self.stored = self.at_once = 0
        self.requests.clear()
        self.looked_up.clear()

    @contextlib.contextmanager
    def _answering(self, kind: str) -> Iterator[None]:
        with self._lock:
            self.requests[kind] += 1
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
        if self.latency:
            time.sleep(self.latency)
        try:
            with self._lock:
                yield
        finally:
            with self._lock:
                self._under_way -= 1

    def request(
        self, method: str, path: str, *, body: t.Any = None, content_type: str = "", **_keywords: t.Any
    ) -> t.Any:
        parts = [unquote(part) for part in path.split("/")]
        if path == "/version":
            return {"platform": "linux/amd64"}
        namespace, plural, name = parts[5], parts[6], (parts[7] if len(parts) > 7 else "")
        kind = method
        if plural == "imagestreamimports":
            kind = "import" if body["spec"]["import"] else "lookup"
        with self._answering(kind):
            if kind == "lookup":
                self.looked_up.update([image["from"]["name"] for image in body["spec"]["images"]])
            elif kind != "GET":
                self.writes += 1
                self.before_write(method, path)
            # What is stored is never changed afterwards, only replaced: it needs no copy on its way out.
            return getattr(self, f"_{method.lower()}_{plural}")(namespace, name, _copy(body), path)

    def get(self, path: str, **keywords: t.Any) -> t.Any:
        return self.request("GET", path, **keywords)

    def list_items(self, path: str, **_keywords: t.Any) -> list[Json]:
        namespace = path.split("/")[5]
        with self._answering("LIST"):
            return [one for (where, _name), one in self.streams.items() if where == namespace]

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
        stream = _copy(old)
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
        stream = _copy(old)
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
        known, answers = _by_name(old) if old else {}, []
        for wanted in spec["images"]:
            policy = wanted["importPolicy"]
            policy.setdefault("importMode", self.default_mode)
            annotations = known.get(wanted["to"]["name"], {}).get("annotations") or {}
            preference = annotations.get(PREFER_ARCHITECTURE, ""), annotations.get(PREFER_OS, "")
            answers.append(self.registry(namespace, wanted["from"]["name"], policy["importMode"], preference))
        answer: Json = {"kind": "ImageStreamImport", "spec": spec, "status": {"images": answers}}
        if not spec["import"]:
            return answer
        for one in answers:
            for index, child in enumerate(one.get("image", {}).get("dockerImageManifests", ())):
                if not child["os"]:
                    raise self._without_platform(path, one["image"]["metadata"]["name"], index)
        stream = _copy(old) if old else _empty(namespace, name)
        following = stream["metadata"]["generation"] + 1
        tags, histories = _by_name(stream), {history["tag"]: history for history in stream["status"]["tags"]}
        for wanted, one in zip(spec["images"], answers, strict=True):
            _record(tags, histories, wanted, one, following)
        stream["spec"]["tags"], stream["status"]["tags"] = list(tags.values()), list(histories.values())
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
        before = _by_name(old) if old else {}
        stream["spec"]["tags"].sort(key=itemgetter("name"))
        changed = old is None or old["spec"] != stream["spec"]
        _follow(stream, old, before, stream["metadata"]["generation"] + changed)
        if not changed and old is not None and old["status"] == stream["status"]:
            return old
        stream["metadata"]["generation"] += changed
        for tag in stream["spec"]["tags"]:
            if tag["name"] in before and before[tag["name"]] == tag:
                continue
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
                    self._post_imagestreamimports(namespace, name, _copy(body), IMPORTS)

    def snapshot(self) -> str:
        """All that is stored, to be compared."""
        return json.dumps({"/".join(key): stream for key, stream in self.streams.items()}, sort_keys=True)


def _by_name(stream: Json) -> dict[str, Json]:
    return {tag["name"]: tag for tag in stream["spec"]["tags"]}


def _follow(stream: Json, old: Json | None, before: Mapping[str, Json], generation: int) -> None:
    """Give what follows a tag of the same stream its image: when it begins to, and when that tag gets another one
    (contract case tags_between_streams)."""
    own = ("", None, stream["metadata"]["namespace"])
    followers = {
        tag["name"]: tag["from"]["name"]
        for tag in stream["spec"]["tags"]
        if "from" in tag and tag["from"]["kind"] == "ImageStreamTag" and tag["from"].get("namespace") in own
    }
    if not followers:
        return
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
    tags = _by_name(stream)
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


def _record(
    tags: dict[str, Json],
    histories: dict[str, Json],
    wanted: Mapping[str, t.Any],
    answer: Mapping[str, t.Any],
    following: int,
) -> None:
    name = wanted["to"]["name"]
    tag, history = tags.get(name), histories.setdefault(name, {"tag": name, "items": []})
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
            tags[name] = {
                "name": name,
                "from": wanted["from"],
                "importPolicy": wanted["importPolicy"],
                "referencePolicy": wanted.get("referencePolicy"),
                "generation": 0,
            }
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
        tag = tags.setdefault(name, {"name": name})
        tag["from"] = wanted["from"]
        tag["generation"] = 0
        tag["referencePolicy"] = tag.get("referencePolicy") or wanted.get("referencePolicy")
        if newest is not None and newest["image"] == item["image"]:
            history["items"][0] = {**item, "generation": following}
        else:
            history["items"].insert(0, {**item, "generation": following})
    tag["importPolicy"] = wanted["importPolicy"]
    history.pop("conditions", None)
