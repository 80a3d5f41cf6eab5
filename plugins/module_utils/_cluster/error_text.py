# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer or a failure of the API server as one sentence: what was refused, for which object, in whose words, what
to do.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from typing import NamedTuple
from urllib.parse import unquote

from .._core.errors import (
    NOT_SERVED,
    ApiError,
    ApiNotServed,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
    status_facts,
)
from .._core.outward import excerpt
from .connection import Connection

IMAGE_GROUP = "image.openshift.io"
TEXT_LIMIT = 300
CAUSES_SHOWN = 20
LOCATION_LIMIT = 2000
# how access rules refuse: SUBJECT is forbidden: User "NAME" cannot VERB ...; names are quoted, so that none can end its
# quotes
_RIGHT_REFUSED = re.compile(r'(?:\S+(?: "(?:[^"\\]|\\.)*")? is forbidden: )?User "(?:[^"\\]|\\.)*" cannot (\S+) ')
_ADDRESS_ADVICE = "set the option host to the address of the API, such as https://api.cluster.example.com:6443"
_WORDS = {
    "imagestreams": "image stream",
    "imagestreamtags": "image stream tag",
    "imagestreamimages": "image stream image",
    "imagestreamimports": "image stream import",
    "imagetags": "image tag",
    "images": "image",
    "secrets": "secret",
    "serviceaccounts": "service account",
    "namespaces": "namespace",
    "configmaps": "config map",
    "pods": "pod",
    "replicationcontrollers": "replication controller",
    "deployments": "deployment",
    "replicasets": "replica set",
    "daemonsets": "daemon set",
    "statefulsets": "stateful set",
    "jobs": "job",
    "cronjobs": "cron job",
    "deploymentconfigs": "deployment config",
    "builds": "build",
    "buildconfigs": "build config",
    "projects": "project",
    "configs": "configuration",
    "infrastructures": "infrastructure",
    "imagetagmirrorsets": "image tag mirror set",
    "imagedigestmirrorsets": "image digest mirror set",
}
_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ACTIONS = {
    "get": "read",
    "list": "list",
    "create": "create",
    "update": "update",
    "patch": "change",
    "delete": "delete",
}


class Target(NamedTuple):
    """What a request is about: the parts of its path, the right it needs, and words for it."""

    method: str
    group: str
    plural: str
    namespace: str | None
    name: str | None

    @property
    def verb(self) -> str:
        """Return the verb of access rules."""
        verb = _VERBS.get(self.method, self.method.lower())
        return "list" if verb == "get" and self.name is None and self.plural else verb

    @property
    def resource(self) -> str:
        """Return the resource as access rules and ``oc`` write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def described(self) -> str:
        """Return verb and object for a sentence: ``read image stream "web" in namespace "shop"``."""
        action = _ACTIONS.get(self.verb, self.verb)
        word = _WORDS.get(self.plural, self.plural)
        if self.name is not None:
            subject = f'{word} "{self.name}"'.lstrip()
        elif self.verb == "list":
            # A kind without words of its own is named by its plural.
            subject = f"{word}s" if self.plural in _WORDS else word
        else:
            subject = f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"
        return f"{action} {subject}" + (f' in namespace "{self.namespace}"' if self.namespace else "")


def target_of(method: str, path: str) -> Target:
    """Read a request's path. A path of another shape is described by itself."""
    parts = [unquote(part) for part in path.split("?")[0].strip("/").split("/")]
    if parts[:2] == ["api", "v1"]:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 2:
        group, rest = parts[1], parts[3:]
    else:
        return Target(method, "", "", None, path)
    namespace = None
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return Target(method, group, "", None, path)
    plural = "/".join([rest[0], *rest[2:]])
    return Target(method, group, plural, namespace, rest[1] if len(rest) > 1 else None)


class Answer(NamedTuple):
    """One HTTP answer, read and bounded.

    ``data`` is the decoded JSON object; if the body is none, ``text`` is its start and ``flaw`` says what it is
    instead.
    """

    status: int
    content_type: str
    text: str
    data: dict[str, t.Any] | None
    flaw: str = ""
    location: str = ""


def error_of(answer: Answer, target: Target, connection: Connection, path: str) -> ApiError:
    """Return the error type and sentence for an answer that is no success."""
    status = answer.data if answer.data is not None and answer.data.get("kind") == "Status" else None
    reason, message, details = status_facts(status) if status else ("", _excerpt(answer), {})
    kind, advice = _judge(answer, reason if status else None, details, target, connection, message)
    said = f"{answer.status} {reason}".strip() + (f": {message}" if message else "")
    causes = _causes(details, message)
    sentence = (
        f"Cannot {target.described()}: the API server {connection.host} answered {said.rstrip('.')}{causes}; {advice}."
    )
    return kind(
        sentence,
        status=answer.status,
        reason=reason,
        server_message=message,
        details=details,
        method=target.method,
        path=path,
    )


def not_an_api_answer(answer: Answer, target: Target, connection: Connection, path: str) -> ApiError:
    """Return the error for a success code without a JSON object."""
    begun = f"Cannot {target.described()}: the answer of {connection.host} ({answer.status})"
    if _is_page(answer):
        sentence = f"{begun} is a web page ({_title(answer.text)}), so this is not an API server; {_ADDRESS_ADVICE}."
    elif answer.content_type != "application/json":
        sentence = f"{begun} {answer.flaw}, so this is not an API server; {_ADDRESS_ADVICE}."
    else:
        sentence = f"{begun} {answer.flaw}; check what stands between this machine and the API server, such as a proxy."
    return ApiError(sentence, status=answer.status, server_message=_excerpt(answer), method=target.method, path=path)


def _judge(
    answer: Answer, reason: str | None, details: dict[str, t.Any], target: Target, connection: Connection, message: str
) -> tuple[type[ApiError], str]:
    code = answer.status
    if code == 401:
        return Unauthorized, _credential_advice(connection)
    if code == 403:
        return Forbidden, _right_advice(target, connection, message)
    if code == 404:
        if reason is None or NOT_SERVED in message:
            return ApiNotServed, _not_served_advice(answer, target)
        if details.get("kind") == "namespaces":
            return NotFound, f'create the namespace "{details.get("name")}" first, or correct its name'
        return NotFound, "check the name and the namespace"
    if code == 409:
        if reason == "AlreadyExists":
            return Conflict, "it was created by somebody else at the same time; run the task again"
        return Conflict, "it was changed by somebody else at the same time; run the task again"
    if code == 422:
        return Invalid, "correct the values that the server names"
    if code == 400 and message.startswith("Client sent an HTTP request to an HTTPS server"):
        return ApiError, "the option host must begin with https://"
    if 300 <= code < 400:
        # without the query, which may hold a login's state
        to = f" (it redirects to {excerpt(answer.location, LOCATION_LIMIT).split('?')[0]})" if answer.location else ""
        return ApiError, f"this is not an API server{to}; {_ADDRESS_ADVICE}"
    if code == 429:
        return ApiError, "it is overloaded and asked to come back later; lower the concurrency or run the task again"
    if code in (502, 503, 504):
        served_by = (
            " (oc get apiservice v1.image.openshift.io, oc get clusteroperator openshift-apiserver)"
            if target.group == IMAGE_GROUP
            else ""
        )
        return (
            ApiError,
            (
                "it is not ready or did not answer in time: run the task again, and look at the state of the "
                f"API{served_by} if it stays"
            ),
        )
    if code >= 500:
        return ApiError, "this is an error inside the cluster: its API server's log says more"
    if _is_page(answer):
        return ApiError, f"this is not an API server; {_ADDRESS_ADVICE}"
    return ApiError, "the API server did not accept the request"


def _credential_advice(connection: Connection) -> str:
    origin = connection.credential_origin
    if not origin:
        return "no credential was configured: set the option api_key (or K8S_AUTH_API_KEY), or name a kubeconfig"
    if connection.token is not None:
        return (
            f"the bearer token of {origin} is wrong or has expired: log in again and pass the new one (oc whoami "
            "--show-token)"
        )
    if connection.username is not None:
        return (
            f"the user name or password of {origin} is wrong, or this API server takes no passwords: use a token (oc "
            "whoami --show-token)"
        )
    return f"the client certificate of {origin} is not accepted or has expired: get a new one"


def _right_advice(target: Target, connection: Connection, message: str) -> str:
    advice = _missing_right(target, connection, message)
    # nobody sees from the options who a plugin logs in as
    return f"{advice}; {connection.credential_origin} says who asks" if connection.by_plugin else advice


def _missing_right(target: Target, connection: Connection, message: str) -> str:
    if not connection.credential_origin:
        return (
            "no credential was configured, so the request was anonymous: set the option api_key (or K8S_AUTH_API_KEY), "
            "or name a kubeconfig"
        )
    refused = _RIGHT_REFUSED.match(message)
    if refused is not None and refused[1] == "impersonate":
        return (
            "the user that logs in needs the right to impersonate: ask a cluster administrator, or leave "
            "impersonate_user out"
        )
    if message and refused is None:
        # access rules say who cannot do what; quotas and policies speak otherwise
        return "a rule of the cluster refuses it: do what the server says, or ask a cluster administrator"
    if not target.plural:
        return "ask a cluster administrator for the right to do this"
    if target.namespace:
        return (
            f'ask for a role with the right to {target.verb} {target.resource} in namespace "{target.namespace}", or '
            "check that it exists"
        )
    return f"ask a cluster administrator for the right to {target.verb} {target.resource}"


def _not_served_advice(answer: Answer, target: Target) -> str:
    if _is_page(answer):
        return f"this is not an API server; {_ADDRESS_ADVICE}"
    if target.group == IMAGE_GROUP:
        return (
            f"this cluster does not serve the image API ({IMAGE_GROUP}/v1): it is plain Kubernetes and not OpenShift, "
            "or host is not an OpenShift API server"
        )
    if target.group:
        return f"this cluster does not serve the API group {target.group}"
    return "this is not the address of an API server: check the option host"


def _causes(details: dict[str, t.Any], message: str) -> str:
    """Return the causes that the message does not tell already, field by field."""
    causes = details.get("causes")
    told = []
    for cause in causes if isinstance(causes, list) else []:
        if isinstance(cause, dict):
            text, where = _as_text(cause.get("message")), _as_text(cause.get("field"))
            if text and text not in message:
                told.append(_bounded(f"{where}: {text}" if where else text, TEXT_LIMIT))
    if not told:
        return ""
    more = f", and {len(told) - CAUSES_SHOWN} more" if len(told) > CAUSES_SHOWN else ""
    return f" ({'; '.join(told[:CAUSES_SHOWN])}{more})"


def _as_text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def _excerpt(answer: Answer) -> str:
    if _is_page(answer):
        return f"a web page ({_title(answer.text)})"
    return _bounded(" ".join(answer.text.split()), TEXT_LIMIT)


def _bounded(text: str, limit: int) -> str:
    shown = excerpt(text, limit + 1)
    return shown if len(shown) <= limit else f"{shown[:limit]}..."


def _is_page(answer: Answer) -> bool:
    return answer.content_type == "text/html" or answer.text.lstrip()[:1] == "<"


def _title(page: str) -> str:
    lowered = page.lower()
    start, end = lowered.find("<title>"), lowered.find("</title>")
    title = " ".join(page[start + 7 : end].split()) if 0 <= start < end else ""
    return f'"{excerpt(title, 80)}"' if title else "HTML"
