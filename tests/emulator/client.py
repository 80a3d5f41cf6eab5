# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small client of the emulator: as a user of the API, and at the control endpoint."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import requests

_SECONDS = 90.0
CORE = "/api/v1"
IMAGE = "/apis/image.openshift.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


class ApiClient:
    """Requests with one token (None: none at all); answers come as they are, refusals too."""

    def __init__(self, url: str, ca_file: Path | str, token: str | None, namespace: str = "") -> None:
        self.url = url
        self.namespace = namespace
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca_file)
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.session.close()

    def send(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        *,
        content_type: str = "application/json",
        headers: t.Mapping[str, str] | None = None,
        query: t.Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request; ``body`` is sent as JSON, or as it is where it is text or bytes."""
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        given = {"Content-Type": content_type} if data is not None else {}
        return self.session.request(
            method, self.url + path, params=query, data=data, headers={**given, **(headers or {})}, timeout=_SECONDS
        )

    def core(self, plural: str, name: str = "") -> str:
        """Return a path of the core group in this client's namespace."""
        return f"{CORE}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def image(self, plural: str, name: str = "") -> str:
        """Return a path of the image group in this client's namespace."""
        return f"{IMAGE}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def rbac(self, plural: str) -> str:
        """Return a path of the RBAC group in this client's namespace."""
        return f"{RBAC}/namespaces/{self.namespace}/{plural}"

    def import_images(
        self, stream: str, *images: dict[str, t.Any], store: bool = True, query: t.Mapping[str, str] | None = None
    ) -> requests.Response:
        """Return an ImageStreamImport of these entries of ``spec.images``; ``store`` False: a lookup."""
        spec = {"import": store, "images": list(images)}
        return self.send(
            "POST", self.image("imagestreamimports"), {"metadata": {"name": stream}, "spec": spec}, query=query
        )

    def stream(self, name: str) -> dict[str, t.Any]:
        """Return a stream that has to be there."""
        answer = self.send("GET", self.image("imagestreams", name))
        answer.raise_for_status()
        return t.cast("dict[str, t.Any]", answer.json())


class ControlClient:
    """The control endpoint: see ``control.Control`` for what it knows."""

    def __init__(self, url: str, ca_file: Path | str, control_token: str) -> None:
        self._api = ApiClient(url, ca_file, control_token)

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._api.session.close()

    def send(
        self, method: str, what: str, body: t.Any = None, query: t.Mapping[str, str] | None = None
    ) -> dict[str, t.Any]:
        """One request; a refusal is an exception."""
        answer = self._api.send(method, f"/_emulator/{what}", body, query=query)
        answer.raise_for_status()
        return t.cast("dict[str, t.Any]", answer.json())

    def requests(self, since: int = 0) -> list[dict[str, t.Any]]:
        """Return the log after a number."""
        return t.cast("list[dict[str, t.Any]]", self.send("GET", "requests", query={"since": str(since)})["requests"])

    def last_number(self) -> int:
        """Return the number of the newest request; 0 before the first."""
        return max((entry["number"] for entry in self.requests()), default=0)

    def fault(self, **fields: t.Any) -> dict[str, t.Any]:
        """Switch a fault on: the fields of ``faults.Fault``."""
        return self.send("POST", "faults", fields)

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.send("DELETE", "faults")

    def let_import(self, namespace: str = "", *, scheduled: bool = False) -> list[dict[str, t.Any]]:
        """Let the import controller act now, on what waits or on what is scheduled; returns the streams that it
        acted on."""
        answer = self.send("POST", "imports/scheduled" if scheduled else "imports", {"namespace": namespace})
        return t.cast("list[dict[str, t.Any]]", answer["imports"])

    def own(self, document: dict[str, t.Any], *exact: str, after: float = 0.2) -> int:
        """Let an owner keep an object as ``document`` says, of the fields in ``exact`` nothing else; returns its
        number."""
        return int(self.send("POST", "owners", {"document": document, "exact": exact, "after": after})["id"])

    def rounds(self, owner: int) -> int:
        """How often an owner had to put its object back."""
        return next(int(one["rounds"]) for one in self.send("GET", "owners")["owners"] if one["id"] == owner)

    def change(self, **switches: t.Any) -> dict[str, t.Any]:
        """Turn switches; returns the positions of all."""
        return self.send("PATCH", "settings", switches)

    def token(self, user: str, *groups: str, ttl: float | None = None) -> str:
        """Return a token for a user, made up or not."""
        return str(self.send("POST", "tokens", {"user": user, "groups": groups, "ttl": ttl})["token"])

    def expire(self, user: str = "") -> int:
        """End the tokens of a user, or all; returns how many."""
        return int(self.send("DELETE", f"tokens/{user}" if user else "tokens")["expired"])
