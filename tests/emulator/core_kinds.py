# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of the core kinds: secrets, namespaces, pods; and tokens of service accounts."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable

from .access import Access
from .generic import GenericHandler, Strategy
from .gotext import json_error, json_type, now_text, time_text
from .handling import Answer, Call
from .keyring import SECRET_KEYS
from .objects import label_problem
from .resources import NAMESPACES, SECRETS, SERVICE_ACCOUNTS
from .statuses import FieldError, forbidden_value, invalid_value, method_not_supported, required_value
from .store import Object, Store

_REDACTED = "<secret contents redacted>"
_SECRET_LIMIT = 1024 * 1024
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_TOKEN_SECONDS = 3600
_ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"
# Of the first type one is enough.
_NEEDED_KEYS = {
    "kubernetes.io/basic-auth": ("username", "password"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


class SecretStrategy(Strategy):
    """Content checks of registry secrets, the fixed type, ``immutable`` (contract case secret_validation)."""

    fields = ("data", "stringData", "type", "immutable")

    def __init__(self) -> None:
        super().__init__(SECRETS)

    def read(self, document: Object) -> Object:
        """``stringData`` becomes ``data``; the type is Opaque if it is left out."""
        data = super().read(document)
        values: dict[str, str] = {key: value or "" for key, value in (data.get("data") or {}).items()}
        for key, value in (data.pop("stringData", None) or {}).items():
            values[key] = base64.b64encode(value.encode()).decode()
        data.pop("data", None)
        if values:
            data["data"] = values
        data.setdefault("type", "Opaque")
        return data

    def errors(self, _call: Call, data: Object, old: Object | None) -> list[FieldError]:
        """Return what validation says."""
        errors: list[FieldError] = []
        if old is not None:
            if data["type"] != old["type"]:
                errors.append(invalid_value("type", data["type"], "field is immutable"))
            if old.get("immutable"):
                why = "field is immutable when `immutable` is set"
                if not data.get("immutable"):
                    errors.append(forbidden_value("immutable", why))
                if data.get("data") != old.get("data"):
                    errors.append(forbidden_value("data", why))
        return errors + _content_errors(data)


def _content_errors(data: Object) -> list[FieldError]:
    values: dict[str, str] = data.get("data", {})
    errors = [
        invalid_value(
            f"data[{key}]",
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or"
            " 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        )
        for key in values
        if not _DATA_KEY.fullmatch(key)
    ]
    if sum(len(base64.b64decode(value)) for value in values.values()) > _SECRET_LIMIT:
        errors.append(FieldError("FieldValueTooLong", "data", f"Too long: may not be more than {_SECRET_LIMIT} bytes"))
    if data["type"] in _NEEDED_KEYS:
        missing = [key for key in _NEEDED_KEYS[data["type"]] if key not in values]
        either = data["type"] == "kubernetes.io/basic-auth" and len(missing) < len(_NEEDED_KEYS[data["type"]])
        return [*errors, *(required_value(f"data[{key}]") for key in missing if not either)]
    if data["type"] == "kubernetes.io/service-account-token" and not (data["metadata"].get("annotations") or {}).get(
        _ACCOUNT_ANNOTATION
    ):
        return [*errors, required_value(f"metadata.annotations[{_ACCOUNT_ANNOTATION}]")]
    key = SECRET_KEYS.get(data["type"])
    if key is None:
        return errors
    field = f"data[{key}]"
    if key not in values:
        return [*errors, required_value(field)]
    text = base64.b64decode(values[key]).decode(errors="replace")
    problem = json_error(text)
    if problem is None:
        content = json.loads(text)
        if content is not None and not isinstance(content, dict):
            kind = json_type(content)
            problem = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    if problem is not None:
        errors.append(invalid_value(field, _REDACTED, problem))
    return errors


class ConfigMapStrategy(Strategy):
    """Data, and nothing else."""

    fields = ("data", "binaryData", "immutable")


class ServiceAccountStrategy(Strategy):
    """Two lists of references, in which only the names are kept."""

    fields = ("secrets", "imagePullSecrets", "automountServiceAccountToken")

    def __init__(self) -> None:
        super().__init__(SERVICE_ACCOUNTS)

    def read(self, document: Object) -> Object:
        """Empty lists are left out."""
        data = super().read(document)
        for field in ("secrets", "imagePullSecrets"):
            if data.get(field):
                data[field] = [{"name": entry["name"]} if (entry or {}).get("name") else {} for entry in data[field]]
        return data


class NamespaceStrategy(Strategy):
    """Active from the start."""

    def __init__(self) -> None:
        super().__init__(NAMESPACES)

    def name_problem(self, name: str) -> str:
        """Return what is wrong with a namespace's name, which is a label."""
        return label_problem(name)

    def prepare_create(self, call: Call, data: Object) -> None:
        """Set phase, finalizer and the label with the name."""
        super().prepare_create(call, data)
        labels = data["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = data["metadata"].get("name", "")
        data["spec"] = {"finalizers": ["kubernetes"]}
        data["status"] = {"phase": "Active"}

    def prepare_update(self, call: Call, data: Object, old: Object) -> None:
        """Spec and status stay."""
        super().prepare_update(call, data, old)
        data["spec"], data["status"] = old["spec"], old["status"]


class NamespaceHandler(GenericHandler):
    """A deleted namespace takes everything in it along."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, NamespaceStrategy())

    def delete(self, call: Call) -> Answer:
        """DELETE one; answers with the namespace as it ends."""
        stored = self.find(call)
        self.check_preconditions(call, stored)
        ending = stored.copy()
        ending["metadata"]["deletionTimestamp"] = now_text()
        ending["status"] = {"phase": "Terminating"}
        if not call.dry_run:
            self.store.delete_namespace(call.name)
            self.store.delete(NAMESPACES, "", call.name)
        return Answer.of(200, {"kind": "Namespace", "apiVersion": "v1", **ending})


class PodStrategy(Strategy):
    """A new pod waits to be scheduled."""

    def prepare_create(self, call: Call, data: Object) -> None:
        """Set the phase."""
        super().prepare_create(call, data)
        data["status"] = {"phase": "Pending", "qosClass": "BestEffort"}


class ServiceAccountHandler(GenericHandler):
    """Service accounts, and requests for their tokens."""

    def __init__(self, store: Store, access: Access) -> None:
        super().__init__(store, ServiceAccountStrategy())
        self._access = access

    async def handle(self, call: Call) -> Answer:
        """Answer a call."""
        if call.subresource == "token":
            return self._issue_token(call)
        return await super().handle(call)

    def _issue_token(self, call: Call) -> Answer:
        if call.verb != "create":
            raise method_not_supported()
        self.find(call)
        request = json.loads(call.body or b"{}")
        spec = request.get("spec") or {}
        seconds = spec.get("expirationSeconds") or _TOKEN_SECONDS
        token = self._access.issue_for_account(call.namespace, call.name, seconds)
        ends = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
        return Answer.of(
            201,
            {
                "kind": "TokenRequest",
                "apiVersion": "authentication.k8s.io/v1",
                "metadata": {"name": call.name, "namespace": call.namespace, "creationTimestamp": now_text()},
                "spec": {**spec, "expirationSeconds": seconds},
                "status": {"token": token, "expirationTimestamp": time_text(ends)},
            },
        )


class ReviewHandler:
    """Answers to "may I" and "who am I"; nothing is stored."""

    def __init__(self, review: Callable[[Call, Object], Object]) -> None:
        self._review = review

    async def handle(self, call: Call) -> Answer:
        """Answer a POST."""
        if call.verb != "create":
            raise method_not_supported()
        head = {"kind": call.resource.kind, "apiVersion": call.resource.api_version}
        return Answer.of(201, {**head, **self._review(call, call.document().get("spec") or {})})
