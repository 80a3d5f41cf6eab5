# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What helps against an image that could not be imported, by the words of the failure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .._cluster.client import ClusterClient, core_path
from .._core.errors import CollectionError, Forbidden, InputError
from .._core.references import PullSpec
from .images import ImportFailure

# Words of the server's messages (server-behaviour.md 2.5; contract cases insecure_registries, unreachable_registry,
# list_entry_without_platform, hub_second_pass) and what helps. The first that fits is taken.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        "server gave HTTP response to HTTPS client",
        "The registry speaks plain HTTP: set insecure to true for this tag, or serve the registry over TLS.",
    ),
    (
        "certificate signed by unknown authority",
        ("The cluster does not trust the registry's certificate: add its CA to spec.additionalTrustedCA of "
         "image.config.openshift.io/cluster, or set insecure to true for this tag."),
    ),
    (
        "failed to verify certificate",
        "The registry's certificate does not fit: compare its names and dates with the host in the pull spec.",
    ),
    ("connection refused", "Nothing answers there: check host and port, and that the API server can reach the registry."),
    ("no route to host", "Nothing answers there: check host and port, and that the API server can reach the registry."),
    ("network is unreachable", "Nothing answers there: check host and port, and that the API server can reach the registry."),
    ("no such host", "The API server cannot resolve the registry's name: check the host in the pull spec and the cluster's DNS."),
    ("server misbehaving", "The API server cannot resolve the registry's name: check the host in the pull spec and the cluster's DNS."),
    ("timed out", "The registry did not answer the API server in time: check the network between them, then run again."),
    ("timeout", "The registry did not answer the API server in time: check the network between them, then run again."),
    ("deadline exceeded", "The registry did not answer the API server in time: check the network between them, then run again."),
    ("toomanyrequests", "The registry limits the rate of pulls: run again later, or give a credential with a higher limit."),
    ("TOOMANYREQUESTS", "The registry limits the rate of pulls: run again later, or give a credential with a higher limit."),
    ("received unexpected HTTP status: 5", "The registry itself fails: run again later, and look at its state if it stays."),
    ("EOF", "The registry, or what stands before it, broke the connection off: run again later, and look at its state if it stays."),
    ("connection reset", "The registry, or what stands before it, broke the connection off: run again later, and look at its state if it stays."),
    ("name unknown", "The registry has no such repository: check the name in the pull spec."),
    ("manifest unknown", "The registry has no such tag or digest: check the pull spec."),
    (
        "dockerImageManifests[",
        ("The list has an entry without a platform (an attestation, for example): set import_mode to Legacy for this tag, or "
         "publish the list without that entry."),
    ),
    (
        "exceeds the maximum limit",
        "A LimitRange of the namespace allows the stream no more tags or images: remove some, or ask for a higher limit.",
    ),
    (
        "is forbidden",
        "The cluster's administrators do not allow imports from this registry (allowedRegistriesForImport of image.config.openshift.io/cluster).",
    ),
    ("blocked", "The cluster's administrators block this registry (registrySources of image.config.openshift.io/cluster)."),
    (
        "unknown error prevented import",
        ("The API server repeated the import without the namespace's secrets, because another registry refused a password in "
         "the same request: correct that credential."),
    ),
)

# Without the reason Unauthorized: the list of a repository's tags, and a registry that answers 403.
# The last two are what the server says of a refusal in plain text, as ECR gives it.
_REFUSALS = (
    "no basic auth credentials",
    "unauthorized: ",
    "denied: ",
    "error parsing HTTP 401 response body",
    "error parsing HTTP 403 response body",
)
_MALFORMED_SECRETS = ("must be formatted as base64", "illegal base64", "unable to parse auth field")

# What the server says of each of several places that it looked in, a mirror and the registry itself (server-behaviour.md 2.5, 2.7):
# the reason of the whole no longer tells.
_REFUSED_IMAGE = re.compile(r'you may not have access to the container image "([^"]+)"')
_MISSING_IMAGE = re.compile(r'dockerimage\.image\.openshift\.io "([^"]+)" not found')

_REFUSED = "The registry refuses it: correct the entry, or let its user pull the image."


def refused_images(source: PullSpec, failure: ImportFailure) -> list[PullSpec]:
    """Return what the registries refused for want of a credential: the image, or what a mirror would have of it."""
    mirrored = _pull_specs(_REFUSED_IMAGE.findall(failure.message)) if failure.reason == "InternalError" else []
    if mirrored:
        return mirrored
    return [source] if failure.reason == "Unauthorized" or any(words in failure.message for words in _REFUSALS) else []


def _pull_specs(texts: t.Iterable[str]) -> list[PullSpec]:
    """Return those of the texts that are pull specs, each once: a registry may put anything into a message."""
    found = []
    for text in dict.fromkeys(texts):
        try:
            found.append(PullSpec.parse(text))
        except InputError:
            continue
    return found


def _in_the_mirror(image: PullSpec, source: PullSpec, further: str) -> str:
    """Return the begin of a remedy that is about a mirror, "" where it is about the registry itself."""
    return "" if image.location == source.location else f"The cluster looks in the mirror {image.full_repository} first{further}"


class RemedyFinder:
    """Finds remedies; reads a namespace's secrets at most once, and only for a failure that is about credentials."""

    def __init__(self, client: ClusterClient, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._secrets: dict[str, list[dict[str, t.Any]] | CollectionError | None] = {}

    def remedy(self, namespace: str, source: PullSpec, failure: ImportFailure) -> str:
        """Return what to do about ``failure`` of ``source``, or "" where nothing is known to help."""
        if failure.reason == "NotFound":
            return "The registry has no such tag, digest or repository: check the pull spec."
        refused = refused_images(source, failure)
        if not refused and any(words in failure.message for words in _MALFORMED_SECRETS):
            refused = [source]
        if refused:
            return " ".join(_in_the_mirror(image, source, ". ") + self._explain(namespace, image) for image in refused)
        for image in _pull_specs(_MISSING_IMAGE.findall(failure.message)):
            if image.location != source.location:
                return _in_the_mirror(image, source, ", which does not have the image: mirror it, or check the pull spec.")
        return next((remedy for words, remedy in _REMEDIES if words in failure.message), "")

    def _explain(self, namespace: str, source: PullSpec) -> str:
        from .._credentials.explanation import explain, explain_without_rights  # noqa: PLC0415 - for a failed import only
        from .._credentials.registry_secrets import registry_secrets, secret_texts  # noqa: PLC0415 - for a failed import only

        if namespace not in self._secrets:
            try:
                self._secrets[namespace] = found = self._client.list_items(core_path(namespace, "secrets"))
                self._mask(*secret_texts(found))
            except Forbidden:
                self._secrets[namespace] = None
            except CollectionError as error:
                # Asking again for each of many tags would only wait as long each time.
                self._secrets[namespace] = error
        secrets = self._secrets[namespace]
        if isinstance(secrets, CollectionError):
            return f"Which credential the API server used cannot be said: {secrets}"
        if secrets is None:
            return explain_without_rights(namespace, str(source))
        explanation = explain(registry_secrets(secrets), str(source))
        return f"{explanation.sentence} {_REFUSED}" if explanation.result == "used" else explanation.sentence
