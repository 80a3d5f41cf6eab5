# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small registry in Python: serves content, takes pushes, and can be told to misbehave. For machines without
docker-registry, for the contract's ``{hub}``, and for tests of faults."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import threading
import typing as t
from urllib.parse import quote

from aiohttp import web

from .access import AccessPolicy, OpenAccess
from .answers import registry_error
from .certificates import KeyPair
from .connections import abort_connections
from .content import Manifest, RegistryContent, RepositoryContent, digest_of
from .faults import FaultSwitches

Handler = t.Callable[[web.Request], t.Awaitable[web.Response]]

_NAME = r"{name:[a-z0-9]+(?:[._/-][a-z0-9]+)*}"


class EmbeddedRegistry:
    """One registry in a thread of this process: ``start``, then ``host``; ``stop`` ends it. The content is shared with
    the caller and may be changed from outside while the registry runs."""

    def __init__(
        self,
        content: RegistryContent,
        *,
        access: AccessPolicy | None = None,
        key_pair: KeyPair | None = None,
        port: int = 0,
    ) -> None:
        self.content = content
        self.switches = FaultSwitches()
        self.port = port
        self._access = access or OpenAccess()
        self._key_pair = key_pair
        self._uploads: dict[str, bytearray] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded-registry", daemon=True)
        self._runner: web.AppRunner | None = None

    @property
    def host(self) -> str:
        """host:port, as images of this registry are written."""
        return f"localhost:{self.port}"

    def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        """Close the listening socket and end the thread."""
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._end(self._runner), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self, runner: web.AppRunner) -> None:
        await abort_connections(runner)
        await runner.cleanup()

    async def _listen(self) -> None:
        application = web.Application(middlewares=[self.switches.middleware], client_max_size=256 * 1024 * 1024)
        application.add_routes(self.switches.routes() + self._access.routes() + self._routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        context = None
        if self._key_pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._key_pair.certificate, self._key_pair.key)
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def _routes(self) -> list[web.RouteDef]:
        handlers: list[tuple[str, str, t.Callable[[web.Request], web.Response]]] = [
            ("GET", "/v2/", self._ping),
            ("GET", f"/v2/{_NAME}/tags/list", self._list_tags),
            ("GET", f"/v2/{_NAME}/manifests/{{reference}}", self._get_manifest),
            ("DELETE", f"/v2/{_NAME}/manifests/{{reference}}", self._delete_manifest),
            ("GET", f"/v2/{_NAME}/blobs/{{digest}}", self._get_blob),
        ]
        writers: list[tuple[str, str, t.Callable[[web.Request, bytes], web.Response]]] = [
            ("PUT", f"/v2/{_NAME}/manifests/{{reference}}", self._put_manifest),
            ("POST", f"/v2/{_NAME}/blobs/uploads/", self._start_upload),
            ("PATCH", f"/v2/{_NAME}/blobs/uploads/{{upload}}", self._continue_upload),
            ("PUT", f"/v2/{_NAME}/blobs/uploads/{{upload}}", self._finish_upload),
        ]
        routes = [web.route(method, path, self._guarded(handler)) for method, path, handler in handlers]
        routes += [web.head(path, self._guarded(handler)) for method, path, handler in handlers if method == "GET"]
        return routes + [web.route(method, path, self._guarded_write(handler)) for method, path, handler in writers]

    def _guarded(self, handler: t.Callable[[web.Request], web.Response]) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            refusal = self._access.refusal(request, request.match_info.get("name", ""))
            response = handler(request) if refusal is None else refusal
            response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
            return response

        return answer

    def _guarded_write(self, handler: t.Callable[[web.Request, bytes], web.Response]) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            return await self._guarded(lambda guarded: handler(guarded, body))(request)

        return answer

    def _ping(self, _request: web.Request) -> web.Response:
        return web.json_response({})

    def _list_tags(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        repository = self.content.repositories.get(name)
        if repository is None:
            return registry_error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})
        tags = sorted(tag for tag in repository.tags if tag > request.query.get("last", ""))
        headers = {}
        limit = request.query.get("n", "")
        if limit.isdigit() and 0 < int(limit) < len(tags):
            tags = tags[: int(limit)]
            headers["Link"] = f'</v2/{name}/tags/list?n={limit}&last={quote(tags[-1])}>; rel="next"'
        return web.json_response({"name": name, "tags": tags}, headers=headers)

    def _get_manifest(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        manifest = self._find(request.match_info["name"], reference)
        if manifest is None:
            return _manifest_unknown(reference)
        headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}
        return web.Response(body=manifest.content, headers=headers)

    def _find(self, name: str, reference: str) -> Manifest | None:
        repository = self.content.repositories.get(name, RepositoryContent())
        return repository.manifests.get(repository.tags.get(reference, reference))

    def _put_manifest(self, request: web.Request, body: bytes) -> web.Response:
        name, reference = request.match_info["name"], request.match_info["reference"]
        manifest = Manifest(request.content_type, body)
        if ":" in reference and reference != manifest.digest:
            return registry_error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        repository = self.content.repositories.get(name, RepositoryContent())
        missing = [digest for digest in manifest.children() if digest not in repository.manifests]
        missing += [digest for digest in manifest.blob_digests() if digest not in self.content.blobs]
        if missing:
            return registry_error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digest": missing[0]})
        self.content.repositories.setdefault(name, repository)
        repository.manifests[manifest.digest] = manifest
        if ":" not in reference:
            repository.tags[reference] = manifest.digest
        location = f"/v2/{name}/manifests/{manifest.digest}"
        return web.Response(status=201, headers={"Location": location, "Docker-Content-Digest": manifest.digest})

    def _delete_manifest(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        repository = self.content.repositories.get(request.match_info["name"], RepositoryContent())
        if reference in repository.tags:
            del repository.tags[reference]
        elif reference in repository.manifests:
            del repository.manifests[reference]
            repository.tags = {tag: digest for tag, digest in repository.tags.items() if digest != reference}
        else:
            return _manifest_unknown(reference)
        return web.Response(status=202)

    def _get_blob(self, request: web.Request) -> web.Response:
        digest = request.match_info["digest"]
        blob = self.content.blobs.get(digest)
        if blob is None:
            return registry_error(404, "BLOB_UNKNOWN", "blob unknown to registry", digest)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        return web.Response(body=blob, headers=headers)

    def _start_upload(self, request: web.Request, _body: bytes) -> web.Response:
        upload = secrets.token_hex(16)
        self._uploads[upload] = bytearray()
        return _upload_accepted(request.match_info["name"], upload, 0)

    def _continue_upload(self, request: web.Request, body: bytes) -> web.Response:
        upload = request.match_info["upload"]
        if upload not in self._uploads:
            return registry_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        self._uploads[upload] += body
        return _upload_accepted(request.match_info["name"], upload, len(self._uploads[upload]))

    def _finish_upload(self, request: web.Request, body: bytes) -> web.Response:
        upload = request.match_info["upload"]
        if upload not in self._uploads:
            return registry_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        blob = bytes(self._uploads.pop(upload) + body)
        digest = digest_of(blob)
        if request.query.get("digest") != digest:
            return registry_error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.content.blobs[digest] = blob
        location = f"/v2/{request.match_info['name']}/blobs/{digest}"
        return web.Response(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _upload_accepted(name: str, upload: str, received: int) -> web.Response:
    headers = {
        "Location": f"/v2/{name}/blobs/uploads/{upload}",
        "Docker-Upload-UUID": upload,
        "Range": f"0-{max(received - 1, 0)}",
    }
    return web.Response(status=202, headers=headers)


def _manifest_unknown(reference: str) -> web.Response:
    detail = {"Name": "", "Revision": reference} if ":" in reference else {"Tag": reference}
    return registry_error(404, "MANIFEST_UNKNOWN", "manifest unknown", detail)
