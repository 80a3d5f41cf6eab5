# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ImageStreamImport: look images up in registries, and record them in a stream (server-behaviour.md 2)."""

from __future__ import annotations

import asyncio
import time
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .generic import require_namespace
from .gotext import now_text, parse_duration
from .handling import Answer, Call
from .images import Images, image_of_list, image_of_manifest, without_manifest
from .keyring import Keyring, MalformedSecret, is_candidate
from .limits import EXCEEDED
from .mirrors import Mirrors
from .objects import clean_metadata, fill_for_creation, name_errors
from .pullspec import BadReference, PullSpec
from .registry_reader import LIST_TYPES, IntegrityError, Manifest, RegistryError, RegistryTransport, Repository
from .resources import IMAGE_CONFIGS, SECRETS, STREAM_IMPORTS, STREAMS
from .statuses import (
    FieldError,
    GroupName,
    StatusError,
    conflict,
    forbidden,
    internal_error,
    invalid,
    invalid_value,
    method_not_supported,
    not_found,
    required_value,
    timeout,
    unauthorized,
)
from .store import Object, Store, encode
from .stream_handler import Streams
from .streams import (
    CHECK_ANNOTATION,
    Stream,
    StreamReader,
    add_event,
    mode_errors,
    read_reference,
    read_reference_policy,
    stream_name_problem,
)
from .tag_order import by_priority

DEFAULT_SECONDS = 34.0
BULK_LIMIT = 50
_BURST, _PER_SECOND = 3, 2.0
_PREFER_ARCH = "importer.image.openshift.io/prefer-arch"
_PREFER_OS = "importer.image.openshift.io/prefer-os"
_CONTROL_PLANE = ("amd64", "linux")
_DOCKER_IMAGE = GroupName("image.openshift.io", "dockerimage")


class TokenBucket:
    """What one pass of an import may ask of registries: three images at once, then two a second."""

    def __init__(self, burst: int = _BURST, rate: float = _PER_SECOND) -> None:
        self._tokens, self._burst, self._rate = float(burst), burst, rate
        self._at = time.monotonic()

    async def take(self) -> None:
        """Wait for a token."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)


@dataclass
class Found:
    """One image, or why there is none. ``children`` belong to a list kept whole."""

    image: Object | None = None
    children: list[Object] = field(default_factory=list)
    error: StatusError | None = None


@dataclass(frozen=True)
class _Wish:
    """What is asked of a repository: equal wishes are read once."""

    repository: PullSpec
    tag: str
    digest: str
    mode: str
    architecture: str = ""
    os: str = ""


@dataclass
class ImportSettings:
    """What differs between clusters. ``bulk_limit`` -1: no limit."""

    bulk_limit: int = BULK_LIMIT
    control_plane: tuple[str, str] = _CONTROL_PLANE


class ImportPass:
    """One pass over all images of a request with one keyring, one after the other."""

    def __init__(
        self,
        transport: RegistryTransport,
        secrets: list[Mapping[str, t.Any]],
        node_secrets: list[Mapping[str, t.Any]],
        policy: Mapping[str, t.Any],
        mirrors: Mirrors,
        settings: ImportSettings,
    ) -> None:
        self._transport = transport
        self._secrets = secrets
        self._node_secrets = node_secrets
        self._policy = policy
        self._mirrors = mirrors
        self._settings = settings
        self._bucket = TokenBucket()
        self._repositories: dict[str, Repository] = {}

    async def images(self, specs: list[Object], stream: Stream) -> list[Object]:
        """``status.images`` for ``spec.images``, in their order."""
        wishes: list[_Wish | StatusError] = [self._wish(spec, stream) for spec in specs]
        insecure: dict[PullSpec, bool] = {}
        for spec, wish in zip(specs, wishes, strict=True):
            if isinstance(wish, _Wish):
                # Of several images of one repository the first decides (server-behaviour.md 2.7).
                insecure.setdefault(wish.repository, self._is_insecure(spec, wish.repository))
        found: dict[_Wish, Found] = {}
        for repository in insecure:
            mine = [wish for wish in wishes if isinstance(wish, _Wish) and wish.repository == repository]
            for wish in sorted(dict.fromkeys(mine), key=lambda one: not one.digest):
                found[wish] = await self._read(wish, insecure=insecure[repository])
        statuses: list[Object] = []
        for spec, wish in zip(specs, wishes, strict=True):
            if isinstance(wish, StatusError):
                statuses.append({"status": wish.embedded()})
                continue
            source = PullSpec.parse(spec["from"]["name"])
            statuses.append(_image_status(found[wish], "" if wish.digest else wish.tag, source))
        return statuses

    async def repository(self, spec: Object) -> Object:
        """``status.repository`` for ``spec.repository``."""
        source = PullSpec.parse(spec["from"]["name"])
        blocked = self._blocked(source)
        if blocked is not None:
            return {"status": blocked.embedded()}
        insecure = self._is_insecure(spec, source)
        try:
            tags = by_priority(await self._repository(source, insecure=insecure).tags())
        except (RegistryError, MalformedSecret) as error:
            return {"status": _tags_failure(source, error).embedded()}
        limit = self._settings.bulk_limit
        chosen = tags if limit < 0 else tags[:limit]
        statuses = []
        for tag in chosen:
            wish = _Wish(source.with_defaults().as_repository(), tag, "", spec["importPolicy"]["importMode"])
            found = await self._read(wish, insecure=insecure, source=source)
            statuses.append(_image_status(found, tag, source))
        failures = sum(status["status"]["status"] != "Success" for status in statuses)
        status: Object = {"metadata": {}, "status": "Success"}
        if failures:
            count = "one" if failures == 1 else str(failures)
            message = f"{count} of the images from this repository failed to import"
            status = {"metadata": {}, "status": "Failure", "message": message, "reason": "ImportFailed"}
        answer: Object = {"status": status}
        if statuses:
            answer["images"] = statuses
        if chosen != tags:
            answer["additionalTags"] = tags[len(chosen) :]
        return answer

    def _wish(self, spec: Object, stream: Stream) -> _Wish | StatusError:
        source = PullSpec.parse(spec["from"]["name"])
        blocked = self._blocked(source)
        if blocked is not None:
            return blocked
        full = source.with_defaults()
        mode = spec["importPolicy"]["importMode"]
        if full.digest:
            return _Wish(full.as_repository(), "", full.digest, mode)
        target = (spec.get("to") or {}).get("name") or full.tag
        annotations = stream.spec_tags.get(target, {}).get("annotations") or {}
        preferred = annotations.get(_PREFER_ARCH, ""), annotations.get(_PREFER_OS, "")
        return _Wish(full.as_repository(), full.tag, "", mode, *preferred)

    def _blocked(self, source: PullSpec) -> StatusError | None:
        host = source.with_defaults().registry
        if host not in (self._policy.get("blockedRegistries") or []) or host in self._mirrors:
            return None
        return forbidden(GroupName("", ""), "", f"registry {source.registry} blocked")

    def _is_insecure(self, spec: Object, source: PullSpec) -> bool:
        host = source.with_defaults().registry
        return bool(spec["importPolicy"].get("insecure")) or host in (self._policy.get("insecureRegistries") or [])

    def _repository(self, source: PullSpec, *, insecure: bool) -> Repository:
        full = source.with_defaults()
        key = str(full.as_repository())
        if key not in self._repositories:
            credential = Keyring.of(self._secrets).find(str(full)) or Keyring.of(self._node_secrets).find(str(full))
            self._repositories[key] = Repository(self._transport, source, credential, insecure=insecure)
        return self._repositories[key]

    async def _read(self, wish: _Wish, *, insecure: bool, source: PullSpec | None = None) -> Found:
        reference = source or wish.repository
        reference = reference.at_digest(wish.digest) if wish.digest else reference.at_tag(wish.tag)
        await self._bucket.take()
        try:
            return await self._read_image(reference, wish, insecure=insecure)
        except StatusError as error:
            return Found(error=error)
        except RegistryError as error:
            return Found(error=_image_failure(reference.normalized(), error))
        except (ValueError, KeyError, TypeError) as error:
            return Found(error=internal_error(f"unable to parse the manifest of {reference}: {error}"))

    async def _read_image(self, reference: PullSpec, wish: _Wish, *, insecure: bool) -> Found:
        repository, manifest = await self._manifest(reference, insecure=insecure)
        if manifest.media_type in LIST_TYPES:
            if wish.mode == "PreserveOriginal":
                entries = manifest.document.get("manifests") or []
                children = [
                    await self._child(reference.at_digest(entry["digest"]), insecure=insecure) for entry in entries
                ]
                return Found(image_of_list(manifest), children)
            manifest = await repository.manifest(self._choose(manifest, wish))
        return Found(await self._image(repository, manifest))

    async def _child(self, reference: PullSpec, *, insecure: bool) -> Object:
        """Return a child of a list that is kept whole; its failure is told in its own name."""
        try:
            return await self._image(*await self._manifest(reference, insecure=insecure))
        except RegistryError as error:
            raise _image_failure(reference.normalized(), error) from error

    async def _manifest(self, reference: PullSpec, *, insecure: bool) -> tuple[Repository, Manifest]:
        """From the first source that has it; of several failures the reasons are no longer seen (server-behaviour.md
        2.5)."""
        failures: list[StatusError] = []
        for source in self._mirrors.sources(reference):
            try:
                repository = self._repository(source, insecure=insecure)
                return repository, await repository.manifest(source.digest or source.tag)
            except IntegrityError:
                raise
            except MalformedSecret as error:
                failures.append(internal_error(f"{source}: {error}"))
            except RegistryError as error:
                failures.append(_image_failure(source.normalized(), error))
        if len(failures) == 1:
            raise failures[0]
        raise internal_error(f"[{', '.join(dict.fromkeys(failure.cause for failure in failures))}]")

    @staticmethod
    async def _image(repository: Repository, manifest: Manifest) -> Object:
        return image_of_manifest(manifest, await repository.blob(manifest.document["config"]["digest"]))

    def _choose(self, manifest: Manifest, wish: _Wish) -> str:
        """Legacy's choice: the preferred platform, linux/amd64, the first entry (server-behaviour.md 2.10)."""
        entries = manifest.document.get("manifests") or []
        if not entries:
            raise RegistryError("no manifests in manifest list")
        architecture, system = self._settings.control_plane
        for wanted in ((wish.architecture or architecture, wish.os or system), _CONTROL_PLANE):
            for entry in entries:
                platform = entry.get("platform") or {}
                if (platform.get("architecture"), platform.get("os")) == wanted:
                    return str(entry["digest"])
        return str(entries[0]["digest"])


def _image_status(found: Found, tag: str, source: PullSpec) -> Object:
    if found.image is None:
        error = found.error or internal_error("unknown error prevented import")
        status: Object = {"status": error.embedded()}
    else:
        repository = source.as_repository()

        def placed(image: Object) -> Object:
            reference = str(repository.at_digest(image["metadata"]["name"]))
            return {**image, "metadata": dict(image["metadata"]), "dockerImageReference": reference}

        status = {"status": {"metadata": {}, "status": "Success"}, "image": placed(found.image)}
        if found.children:
            status["manifests"] = [placed(child) for child in found.children]
    if tag:
        status["tag"] = tag
    return status


def _image_failure(reference: str, error: RegistryError) -> StatusError:
    """Return a failed read of a manifest or blob (the table of server-behaviour.md 2.5)."""
    text = str(error)
    if isinstance(error, IntegrityError):
        return internal_error(text)
    if "MANIFEST_UNKNOWN" in error.codes:
        return not_found(_DOCKER_IMAGE, reference)
    if "UNAUTHORIZED" in error.codes or text.endswith("no basic auth credentials"):
        return unauthorized(f'you may not have access to the container image "{reference}"')
    if text.endswith("incorrect username or password"):
        return unauthorized(f'incorrect username or password for image "{reference}"')
    return internal_error(f"{reference}: {text}")


def _tags_failure(source: PullSpec, error: RegistryError | MalformedSecret) -> StatusError:
    """Return a failed read of the list of tags (contract case repository_import)."""
    if isinstance(error, MalformedSecret):
        return internal_error(f"{source}: {error}")
    if "NAME_UNKNOWN" in error.codes:
        return not_found(_DOCKER_IMAGE, str(source))
    if "UNAUTHORIZED" in error.codes:
        return unauthorized(f'you may not have access to the container image "{source}"')
    return internal_error(str(error))


class ImportHandler:
    """``imagestreamimports``."""

    def __init__(
        self, store: Store, streams: Streams, images: Images, transport: RegistryTransport, settings: ImportSettings
    ) -> None:
        self._store = store
        self._streams = streams
        self._images = images
        self._transport = transport
        self.settings = settings

    async def handle(self, call: Call) -> Answer:
        """Answer a POST within the request's time."""
        if call.verb != "create":
            raise method_not_supported()
        # What is not a duration is not refused here, unlike with other resources: imports count as long-running.
        seconds = parse_duration(call.query.get("timeout", "")) or DEFAULT_SECONDS
        try:
            document = await asyncio.wait_for(self.run(call), seconds)
        except TimeoutError:
            raise timeout() from None
        return Answer.object(201, STREAM_IMPORTS, encode(document))

    async def run(self, call: Call) -> Object:
        """Return the whole import; ``dryRun`` is not looked at (contract case dry_run_all_is_ignored)."""
        require_namespace(self._store, call)
        request = read_import(call.document(), self._streams.reader)
        metadata = request["metadata"]
        version = metadata.get("resourceVersion", "")
        fill_for_creation(metadata, call.namespace, STREAM_IMPORTS)
        spec = request["spec"]
        errors = import_errors(spec) + name_errors(metadata, stream_name_problem)
        if errors:
            raise invalid(STREAM_IMPORTS.group_kind, metadata.get("name", ""), errors)
        forbidden_images = (
            [] if self._streams.may_import_anything(call.user) else list(self._streams.admission().import_errors(spec))
        )
        if forbidden_images:
            raise invalid(STREAM_IMPORTS.group_kind, metadata["name"], forbidden_images)
        scratch = Store()
        scratch.create(STREAM_IMPORTS, call.namespace, request)
        del metadata["resourceVersion"]
        stream = self._present_stream(call, metadata["name"], version)
        policy = self._registry_policy()
        status = await self._look_up(call.namespace, spec, stream or Stream({"name": metadata["name"]}), policy)
        request["status"] = status
        await call.meanwhile()
        if spec["import"]:
            call = Call(call.user, call.verb, call.resource, namespace=call.namespace)
            status["import"] = self._record(call, metadata["name"], spec, status, stream)
        _hide_manifests(spec, status)
        return request

    def _present_stream(self, call: Call, name: str, version: str) -> Stream | None:
        stream = self._streams.find(call.namespace, name)
        if stream is None:
            if version:
                raise not_found(call.group_resource, name)
            return None
        present = stream.metadata["resourceVersion"]
        if version and version != present:
            why = f'the image stream was updated from "{version}" to "{present}"'
            raise conflict(GroupName(STREAMS.group, "imagestream"), name, why)
        return stream

    def _registry_policy(self) -> Mapping[str, t.Any]:
        config = self._store.get(IMAGE_CONFIGS, "", "cluster")
        if config is None:
            raise internal_error(str(not_found(IMAGE_CONFIGS.group_resource, "cluster")))
        return (config.data.get("spec") or {}).get("registrySources") or {}

    def _secrets(self, namespace: str) -> list[Mapping[str, t.Any]]:
        return [stored.data for stored in self._store.items(SECRETS, namespace) if is_candidate(stored.data)]

    def _node_secrets(self) -> list[Mapping[str, t.Any]]:
        """Return the cluster's pull secret, which every node has in its configuration."""
        stored = self._store.get(SECRETS, "openshift-config", "pull-secret")
        return [stored.data] if stored else []

    async def _look_up(self, namespace: str, spec: Object, stream: Stream, policy: Mapping[str, t.Any]) -> Object:
        secrets, node = self._secrets(namespace), self._node_secrets()
        status = await self._one_pass(spec, stream, secrets, node, policy)
        first = status.get("images") or []
        wrong = [
            image["status"].get("reason") == "Unauthorized"
            and "username or password" in image["status"].get("message", "").lower()
            for image in first
        ]
        if any(wrong):
            # Once more, all of it, without the namespace's secrets; what is still refused keeps its first status,
            # be that Success without an image (contract case hub_second_pass).
            status = await self._one_pass(spec, stream, [], node, policy)
            for before, image in zip(first, status["images"], strict=True):
                if image["status"].get("reason") == "Unauthorized":
                    image["status"] = before["status"]
        return status

    async def _one_pass(
        self,
        spec: Object,
        stream: Stream,
        secrets: list[Mapping[str, t.Any]],
        node: list[Mapping[str, t.Any]],
        policy: Mapping[str, t.Any],
    ) -> Object:
        reading = ImportPass(self._transport, secrets, node, policy, Mirrors(self._store), self.settings)
        status: Object = {}
        if spec.get("images"):
            status["images"] = await reading.images(spec["images"], stream)
        if spec.get("repository"):
            status["repository"] = await reading.repository(spec["repository"])
        return status

    def _record(self, call: Call, name: str, spec: Object, status: Object, present: Stream | None) -> Object:
        """Write images and stream in one go; everything fails together (server-behaviour.md 2.5)."""
        stream = present.copy() if present else Stream({"name": name, "namespace": call.namespace})
        recorder = Recorder(self._images, stream)
        repository = spec.get("repository")
        if repository:
            source = PullSpec.parse(repository["from"]["name"])
            for image in status["repository"].get("images") or []:
                recorder.record(image, image["tag"], str(source.at_tag(image["tag"])), repository, keep_failed=False)
        for wanted, image in zip(spec.get("images") or [], status.get("images") or [], strict=True):
            if wanted.get("to"):
                recorder.record(image, wanted["to"]["name"], wanted["from"]["name"], wanted, keep_failed=True)
        if recorder.refusal is not None:
            raise recorder.refusal
        annotations = stream.metadata.get("annotations") or {}
        if present is not None and CHECK_ANNOTATION in annotations and stream.document() == present.document():
            return present.document()
        stream.metadata["annotations"] = {**annotations, CHECK_ANNOTATION: now_text()}
        if present is None:
            return self._streams.create(call, stream, keep_status=True).copy()
        try:
            return self._streams.update(call, stream).copy()
        except StatusError as error:
            if EXCEEDED in error.message:
                self._note_limit(call, present, stream, error)
            raise

    def _note_limit(self, call: Call, present: Stream, refused: Stream, error: StatusError) -> None:
        """Note what a limit has refused at the tags that would have been new (imagestreamimport/rest.go)."""
        condition = {
            "type": "ImportSuccess",
            "status": "False",
            "lastTransitionTime": now_text(),
            "reason": error.reason,
            "message": error.message,
        }
        for tag in refused.status_tags:
            if tag not in present.status_tags:
                present.status_tags[tag] = {"conditions": [{**condition, "generation": present.generation + 1}]}
        self._streams.update(call, present)


class Recorder:
    """Writes the outcome of lookups into a stream (server-behaviour.md 2.4, 2.5)."""

    def __init__(self, images: Images, stream: Stream) -> None:
        self._images = images
        self._stream = stream
        self._generation = stream.generation + 1
        self._now = now_text()
        self._saved: dict[str, Object] = {}
        self.refusal: StatusError | None = None

    def record(self, status: Object, tag: str, source: str, spec: Object, *, keep_failed: bool) -> None:
        """One tag. ``keep_failed``: a tag that failed is put into the spec too, unless it is there."""
        image = status.get("image")
        if image is None or status["status"]["status"] != "Success":
            self._fail(tag, status["status"])
            if keep_failed and tag not in self._stream.spec_tags:
                self._set_source(tag, source, spec)
            return
        event = {
            "created": self._now,
            "dockerImageReference": image["dockerImageReference"],
            "image": image["metadata"]["name"],
            "generation": self._generation,
        }
        if self._differs(tag, event):
            self._set_source(tag, source, spec)
            add_event(self._stream, tag, event)
        self._stream.spec_tags[tag]["importPolicy"] = dict(spec["importPolicy"])
        self._stream.status_tags.get(tag, {}).pop("conditions", None)
        try:
            status["image"] = self._save(image)
            if "manifests" in status:
                status["manifests"] = [self._save(child) for child in status["manifests"]]
        except StatusError as error:
            self.refusal = self.refusal or error

    def _save(self, image: Object) -> Object:
        name = image["metadata"]["name"]
        if name not in self._saved:
            self._saved[name] = self._images.save(image)
        return {**self._saved[name], "dockerImageReference": image["dockerImageReference"]}

    def _differs(self, tag: str, event: Object) -> bool:
        newest = self._stream.latest(tag)
        reference = self._stream.spec_tags.get(tag)
        if newest is None or reference is None or reference["generation"] is None:
            return True
        return bool(
            newest["dockerImageReference"] != event["dockerImageReference"]
            or newest["image"] != event["image"]
            or int(reference["generation"]) > int(newest["generation"])
        )

    def _set_source(self, tag: str, source: str, spec: Object) -> None:
        present = self._stream.spec_tags.get(tag) or {"name": tag, "annotations": None}
        policy = present.get("referencePolicy") or dict(spec["referencePolicy"])
        self._stream.spec_tags[tag] = {
            **present,
            "from": {"kind": "DockerImage", "name": source},
            "generation": 0,
            "importPolicy": dict(spec["importPolicy"]),
            "referencePolicy": policy,
        }

    def _fail(self, tag: str, status: Object) -> None:
        condition: Object = {"type": "ImportSuccess", "status": "False", "lastTransitionTime": self._now}
        if status.get("reason"):
            condition["reason"] = status["reason"]
        condition["message"] = status.get("message") or "unknown error prevented import"
        condition["generation"] = self._generation
        history = self._stream.status_tags.setdefault(tag, {})
        same = ("type", "status", "reason", "message")
        for present in history.get("conditions") or []:
            if all(present.get(key) == condition.get(key) for key in same):
                return
        history["conditions"] = [condition]
        if tag in self._stream.spec_tags:
            self._stream.spec_tags[tag]["generation"] = 0


def read_import(document: Object, reader: StreamReader) -> Object:
    """Return an ImageStreamImport as sent, with defaults, as it is shown in the answer."""
    given = document.get("spec") or {}
    spec: Object = {"import": bool(given.get("import"))}
    if given.get("repository") is not None:
        spec["repository"] = _read_item(given["repository"], reader)
        spec["repository"].pop("to", None)
    images = [_read_item(image or {}, reader) for image in given.get("images") or []]
    for image in images:
        if "to" not in image:
            try:
                tag = PullSpec.parse(image["from"].get("name", "")).tag
            except BadReference:
                tag = ""
            if tag:
                image["to"] = {"name": tag}
    if images:
        spec["images"] = images
    return {"metadata": clean_metadata(document.get("metadata")), "spec": spec, "status": {}}


def _read_item(given: Object, reader: StreamReader) -> Object:
    item: Object = {"from": read_reference(given.get("from"))}
    if given.get("to") is not None:
        name = given["to"].get("name") or ""
        item["to"] = {"name": name} if name else {}
    item["importPolicy"] = reader.import_policy(given.get("importPolicy"))
    item["referencePolicy"] = read_reference_policy(given.get("referencePolicy"))
    if given.get("includeManifest"):
        item["includeManifest"] = True
    return item


def import_errors(spec: Object) -> list[FieldError]:
    """Return what validation says of an import, besides its name (contract case invalid_requests)."""
    errors: list[FieldError] = []
    for index, image in enumerate(spec.get("images") or []):
        path = f"spec.images[{index}]"
        if image["from"].get("kind") == "DockerImage" and "to" in image and not image["to"].get("name"):
            errors.append(invalid_value(f"{path}.to.name", "", "the name of the target tag must be specified"))
        errors += _item_errors(image, path, unnamed="")
    repository = spec.get("repository")
    if repository is not None:
        errors += _item_errors(
            repository, "spec.repository", unnamed="container image references require a name", whole=True
        )
    if not spec.get("images") and repository is None:
        errors.append(invalid_value("spec.images", None, "you must specify at least one image or a repository import"))
    return errors


def _item_errors(item: Object, path: str, *, unnamed: str, whole: bool = False) -> list[FieldError]:
    """Return what is wrong with a source and its import mode. ``whole``: it has to be a repository."""
    return [
        *_source_errors(item["from"], f"{path}.from", unnamed=unnamed, whole=whole),
        *mode_errors(item["importPolicy"]["importMode"], path),
    ]


def _source_errors(source: Object, path: str, *, unnamed: str, whole: bool) -> t.Iterator[FieldError]:
    kind, name = source.get("kind", ""), source.get("name", "")
    if kind != "DockerImage":
        yield invalid_value(f"{path}.kind", kind, "only DockerImage is supported")
    elif not name:
        yield required_value(f"{path}.name", unnamed)
    else:
        try:
            reference = PullSpec.parse(name)
        except BadReference as error:
            yield invalid_value(f"{path}.name", name, str(error))
        else:
            if whole and (reference.tag or reference.digest):
                yield invalid_value(f"{path}.name", name, "you must specify an image repository, not a tag or ID")


def _hide_manifests(spec: Object, status: Object) -> None:
    """Raw manifests are shown only if asked for; those of children always, as far as a lookup has them."""
    pairs = list(zip(spec.get("images") or [], status.get("images") or [], strict=True))
    repository = spec.get("repository")
    if repository:
        pairs += [(repository, image) for image in status["repository"].get("images") or []]
    for item, image in pairs:
        if image.get("image") and not item.get("includeManifest"):
            image["image"] = without_manifest(image["image"])
