# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Push images, move and remove tags in any reachable registry, with Basic or Bearer authentication."""

from __future__ import annotations

import base64
import re
import typing as t
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests
from urllib3.exceptions import InsecureRequestWarning

from .content import MANIFEST_TYPES, Manifest, RegistryContent
from .images import build_image

_CHALLENGE_FIELD = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT = 30.0


class RegistryRefused(Exception):
    """The registry answered a request with an error; the message names the request, the status and its words."""


@dataclass(frozen=True)
class RegistryAddress:
    """How to reach a registry: ``host`` is host:port, ``ca_file`` the authority to trust (None: the system's).

    ``insecure`` means what it means on a cluster: certificates are not verified, and plain HTTP is taken if the
    registry does not speak TLS.
    """

    host: str
    username: str = ""
    password: str = ""
    ca_file: Path | None = None
    insecure: bool = False

    def __repr__(self) -> str:
        return f"RegistryAddress(host={self.host!r}, username={self.username!r}, insecure={self.insecure!r})"


class RegistryClient:
    """A connection to one registry. Not for several threads."""

    def __init__(self, address: RegistryAddress) -> None:
        self.address = address
        self._session = requests.Session()
        self._session.trust_env = False
        if address.insecure:
            self._session.verify = False
        elif address.ca_file is not None:
            self._session.verify = str(address.ca_file)
        self._base = ""
        self._authorization: dict[str, str] = {}

    def __enter__(self) -> RegistryClient:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def push_image(
        self,
        repository: str,
        tag: str,
        platforms: Sequence[str],
        *,
        salt: str,
        image_format: str = "docker",
        as_list: bool | None = None,
    ) -> str:
        """Build and push an image (see ``images.build_image``) and point ``tag`` at it; returns its digest."""
        image = build_image(platforms, salt=salt, image_format=image_format, as_list=as_list)
        for blob_digest, blob in image.blobs.items():
            self.push_blob(repository, blob_digest, blob)
        for manifest in image.manifests:
            self.put_manifest(repository, manifest.digest, manifest)
        self.put_manifest(repository, tag, image.top)
        return image.top.digest

    def push_content(self, content: RegistryContent) -> None:
        """Push a whole registry's content; every manifest must come out under its exact digest."""
        for name, repository in content.repositories.items():
            for manifest in repository.in_push_order():
                for blob_digest in manifest.blob_digests():
                    self.push_blob(name, blob_digest, content.blobs[blob_digest])
                self.put_manifest(name, manifest.digest, manifest)
            for tag, digest in repository.tags.items():
                self.put_manifest(name, tag, repository.manifests[digest])

    def push_blob(self, repository: str, digest: str, blob: bytes) -> None:
        """Upload one blob unless the repository has it already."""
        path = f"/v2/{repository}/blobs/{digest}"
        if self._request("HEAD", path, repository, allowed=(404,)).status_code == 200:
            return
        started = self._request("POST", f"/v2/{repository}/blobs/uploads/", repository)
        location = urljoin(started.url, started.headers["Location"])
        separator = "&" if "?" in location else "?"
        self._request(
            "PUT",
            f"{location}{separator}digest={digest}",
            repository,
            data=blob,
            headers={"Content-Type": "application/octet-stream"},
        )

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest; a registry that reports another digest is an error."""
        answer = self._request(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            repository,
            data=manifest.content,
            headers={"Content-Type": manifest.media_type},
        )
        stored = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise RegistryRefused(
                f"{self.address.host}/{repository}:{reference} was stored as {stored}, not {manifest.digest}"
            )

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Return the manifest behind a tag or digest, byte for byte."""
        answer = self._request(
            "GET", f"/v2/{repository}/manifests/{reference}", repository, headers={"Accept": ", ".join(MANIFEST_TYPES)}
        )
        return Manifest(answer.headers["Content-Type"].split(";")[0].strip(), answer.content)

    def blob(self, repository: str, digest: str) -> bytes:
        """One blob's bytes."""
        return self._request("GET", f"/v2/{repository}/blobs/{digest}", repository).content

    def tags(self, repository: str) -> list[str]:
        """All tags of a repository, sorted; empty when there is no such repository."""
        found: list[str] = []
        path = f"/v2/{repository}/tags/list"
        while path:
            answer = self._request("GET", path, repository, allowed=(404,))
            if answer.status_code == 404:
                return []
            found += answer.json().get("tags") or []
            path = urljoin(answer.url, answer.links["next"]["url"]) if "next" in answer.links else ""
        return sorted(found)

    def move_tag(self, repository: str, tag: str, reference: str) -> str:
        """Point ``tag`` at what ``reference`` (a digest or another tag of the repository) is; returns the digest."""
        manifest = self.manifest(repository, reference)
        self.put_manifest(repository, tag, manifest)
        return manifest.digest

    def delete_tag(self, repository: str, tag: str) -> None:
        """Remove one tag and nothing else. If a registry deletes by digest only (docker-registry 2.8), the tag is
        first moved to an image of its own, so that other tags of the same digest stay."""
        answer = self._request("DELETE", f"/v2/{repository}/manifests/{tag}", repository, allowed=(400, 405))
        if answer.status_code < 300:
            return
        throwaway = self.push_image(repository, tag, ["linux/amd64"], salt=f"only to be deleted: {tag}")
        self._request("DELETE", f"/v2/{repository}/manifests/{throwaway}", repository)

    def _request(
        self,
        method: str,
        path: str,
        repository: str,
        *,
        allowed: tuple[int, ...] = (),
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        if not self._base:
            self._base = self._reachable_base()
        url = urljoin(self._base, path)
        for attempt in (1, 2):
            answer = self._send(method, url, data=data, headers={**(headers or {}), **self._authorization})
            if answer.status_code != 401 or attempt == 2:
                break
            self._authorization = self._answer_challenge(answer.headers.get("WWW-Authenticate", ""), repository)
        if answer.status_code >= 400 and answer.status_code not in allowed:
            raise RegistryRefused(
                f"{method} {url.split('?')[0]} was answered {answer.status_code}: {answer.text[:300]}"
            )
        return answer

    def _send(self, method: str, url: str, **kwargs: t.Any) -> requests.Response:
        with warnings.catch_warnings():
            # insecure was asked for, so the warning on each request says nothing new
            warnings.simplefilter("ignore", InsecureRequestWarning)
            return self._session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, **kwargs)

    def _reachable_base(self) -> str:
        secure = f"https://{self.address.host}"
        if not self.address.insecure:
            return secure
        try:
            self._send("GET", secure + "/v2/")
        except requests.exceptions.SSLError:
            return f"http://{self.address.host}"
        return secure

    def _answer_challenge(self, challenge: str, repository: str) -> dict[str, str]:
        scheme, _blank, rest = challenge.partition(" ")
        credential = (self.address.username, self.address.password) if self.address.username else None
        if scheme.lower() == "bearer":
            fields = dict(_CHALLENGE_FIELD.findall(rest))
            query = {"service": fields.get("service", ""), "scope": f"repository:{repository}:pull,push,delete"}
            answer = self._send("GET", fields["realm"], params=query, auth=credential)
            if answer.status_code != 200:
                raise RegistryRefused(
                    f"the token service of {self.address.host} answered {answer.status_code}: {answer.text[:300]}"
                )
            document = answer.json()
            return {"Authorization": "Bearer " + (document.get("token") or document["access_token"])}
        if scheme.lower() == "basic" and credential is not None:
            pair = ":".join(credential).encode()
            return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        return {}
