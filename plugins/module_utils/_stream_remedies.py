# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What helps against an image that could not be imported, by the words of the failure. Imported only where there is one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.quayside.openshift_images.plugins.module_utils._client import ClusterClient, core_path
from ansible_collections.quayside.openshift_images.plugins.module_utils._errors import CollectionError, Forbidden
from ansible_collections.quayside.openshift_images.plugins.module_utils._references import PullSpec
from ansible_collections.quayside.openshift_images.plugins.module_utils._stream_observed import ImportFailure

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
    ("no such host", "The API server cannot resolve the registry's name: check the host in the pull spec and the cluster's DNS."),
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

# Without the reason Unauthorized: the list of a repository's tags, a registry that answers 403, and malformed secrets.
_ABOUT_CREDENTIALS = (
    "Unauthorized",
    "no basic auth credentials",
    "unauthorized: ",
    "denied: ",
    "must be formatted as base64",
    "illegal base64",
    "unable to parse auth field",
)

_REFUSED = "The registry refuses it: correct the entry, or let its user pull the image."


class RemediesByWords:
    """Finds the remedies of a run."""

    def __init__(self, client: ClusterClient, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._secrets: dict[str, list[dict[str, t.Any]] | CollectionError | None] = {}

    def remedy(self, namespace: str, source: PullSpec, failure: ImportFailure) -> str:
        """Return what to do about ``failure`` of ``source``, or "" where nothing is known to help."""
        if failure.reason == "NotFound":
            return "The registry has no such tag, digest or repository: check the pull spec."
        if any(words in (failure.reason, failure.message) or words in failure.message for words in _ABOUT_CREDENTIALS):
            return self._explain(namespace, source)
        return next((remedy for words, remedy in _REMEDIES if words in failure.message), "")

    def _explain(self, namespace: str, source: PullSpec) -> str:
        from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_auth import registry_secrets, secret_texts
        from ansible_collections.quayside.openshift_images.plugins.module_utils._registry_explanation import explain, explain_without_rights

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
