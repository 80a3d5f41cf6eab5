# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What helps against an image that could not be imported, by the words of the failure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .._cluster.client import ClusterClient, core_path
from .._core.errors import CollectionError, Forbidden
from .._core.manifests import PRESERVE
from .._core.references import PullSpec
from .._credentials.explanation import explain, explain_without_rights
from .._credentials.registry_secrets import registry_secrets, secret_texts
from .images import ImportFailure
from .refusals import pull_specs, refused_images

_UNANSWERED = "Nothing answers there: check host and port, and that the API server can reach the registry."
_NO_NAME = "The API server cannot resolve the registry's name: check the host in the pull spec and the cluster's DNS."
_TAGS_ONLY = (
    "If an ImageTagMirrorSet mirrors this registry, an ImageDigestMirrorSet is needed beside it, or import_mode "
    "Legacy: PreserveOriginal asks for the children of a list by digest."
)
_SLOW = "The registry did not answer the API server in time: check the network between them, then run again."
_LIMITED = "The registry limits the rate of pulls: run again later, or give a credential with a higher limit."
_BROKEN_OFF = (
    "The registry, or what stands before it, broke the connection off: run again later, and look at its state if it "
    "stays."
)
_PROXY = (
    "The cluster's own proxy fails or refuses: let it connect to the registry, or name the registry in noProxy "
    "(proxy.config.openshift.io/cluster)."
)
_CERTIFICATE = "The registry's certificate does not fit: compare its names and dates with the host in the pull spec."
_CLIENT_CERTIFICATE = (
    "The registry asks for a client certificate, or for other TLS, which imports cannot give: let it serve the cluster "
    "without one, or mirror the image."
)

# The server's phrases at their place (server-behaviour.md 2.5; contract cases insecure_registries,
# unreachable_registry,
# list_entry_without_platform, hub_second_pass) and what helps. The first that fits is taken. An error of Go's libraries
# ends the text, or the part
# of it about one of several places; what a registry or a proxy has written is cut off before (see ``_own_words``).
_END = r"(?=$|[,\]])"
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r": proxyconnect tcp: |\": (?:Forbidden|Proxy Authentication Required|Bad Gateway|Service Unavailable|Gateway "
        r"Timeout)" + _END,
        _PROXY,
    ),
    (
        r"server gave HTTP response to HTTPS client" + _END,
        "The registry speaks plain HTTP: set insecure to true for this tag, or serve the registry over TLS.",
    ),
    (
        r"x509: certificate signed by unknown authority",
        (
            "The cluster does not trust the registry's certificate: add its CA to spec.additionalTrustedCA of "
            "image.config.openshift.io/cluster, or set insecure to true for this tag."
        ),
    ),
    (
        (
            r"tls: failed to verify certificate: |x509: certificate (?:is|has|relies|specifies)\b|x509: cannot "
            r"validate "
            r"certificate for "
        ),
        _CERTIFICATE,
    ),
    (
        r"remote error: tls: (?:bad certificate|certificate required|handshake failure|unknown certificate)",
        _CLIENT_CERTIFICATE,
    ),
    (r"(?:connection refused|no route to host|network is unreachable)" + _END, _UNANSWERED),
    (
        r": no such host"
        + _END
        + r"|lookup \S+ on \S+: (?:server misbehaving|read udp|dial udp|.*i/o timeout)|: server misbehaving"
        + _END,
        _NO_NAME,
    ),
    (
        (
            r"connection timed out"
            + _END
            + r"|i/o timeout"
            + _END
            + r"|TLS handshake timeout"
            + _END
            + r"|context deadline exceeded|"
            r"Client\.Timeout exceeded|request did not complete within requested timeout"
        ),
        _SLOW,
    ),
    (
        (
            r"(?:^|: )(?:toomanyrequests|TOOMANYREQUESTS)\b|error parsing HTTP 429 response body|received unexpected "
            r"HTTP "
            r"status: 429"
        ),
        _LIMITED,
    ),
    (
        r"received unexpected HTTP status: 5|error parsing HTTP 5\d\d response body",
        "The registry itself fails: run again later, and look at its state if it stays.",
    ),
    (r"error parsing HTTP 407 response body", _PROXY),
    (
        r"error parsing HTTP 404 response body|received unexpected HTTP status: 404",
        (
            "What answers there is no registry, or does not have the repository: check host, port and path of the pull "
            "spec."
        ),
    ),
    (
        r"error parsing HTTP \d+ response body",
        (
            "Something between the cluster and the registry, or the registry itself, answers with a page of its own: "
            "ask who runs it to let the cluster pull."
        ),
    ),
    (r"\bEOF" + _END + r"|connection reset by peer" + _END, _BROKEN_OFF),
    (r"(?:^|: )name unknown\b", "The registry has no such repository: check the name in the pull spec."),
    (r"(?:^|: )manifest unknown\b", "The registry has no such tag or digest: check the pull spec."),
    (
        r"manifest\.v1\+(?:prettyjws|json)|unsupported schema version:? 1|schema ?version 1\b",
        "The image has the old manifest format, schema 1, which is not imported: push it again with a current tool.",
    ),
    (
        r"dockerImageManifests\[",
        (
            "The list has an entry without a platform (an attestation, for example): set import_mode to Legacy for "
            "this tag, or publish the list without that entry."
        ),
    ),
    (
        r"exceeds the maximum limit",
        (
            "A LimitRange of the namespace allows the stream no more tags or images: remove some, or ask for a higher "
            "limit."
        ),
    ),
    (
        r"importing images from registry \"[^\"]*\" is forbidden",
        (
            "The cluster's administrators do not allow imports from this registry (allowedRegistriesForImport of "
            "image.config.openshift.io/cluster)."
        ),
    ),
    (
        r"(?:^|: )registry \S+ blocked" + _END,
        "The cluster's administrators block this registry (registrySources of image.config.openshift.io/cluster).",
    ),
    (
        r"^unknown error prevented import" + _END,
        (
            "The API server repeated the import without the namespace's secrets, because another registry refused a "
            "password in the same request: correct that credential."
        ),
    ),
)

_MALFORMED_SECRETS = ("must be formatted as base64", "illegal base64", "unable to parse auth field")

# What the server says of each of several places that it looked in (server-behaviour.md 2.5, 2.7).
_MISSING_IMAGE = re.compile(r'dockerimage\.image\.openshift\.io "([^"]+)" not found')

_ON_DOCKER_HUB = "A pull spec without a registry is on Docker Hub: write the host first if another one is meant."

# A page that somebody has written: what it says is not the server's.
_PAGE = re.compile(
    r"(error parsing HTTP )(40[13])( response body: )(?=[^\n]*(?:invalid character '<'|<html|<!DOCTYPE))", re.IGNORECASE
)
_BODY = re.compile(r"(error parsing HTTP \d+ response body): .*", re.DOTALL)

_REFUSED = "The registry refuses it: correct the entry, or let its user pull the image."


def _in_the_mirror(image: PullSpec, source: PullSpec, further: str) -> str:
    """Return the begin of a remedy that is about a mirror, "" if it is about the registry itself."""
    return (
        ""
        if image.location == source.location
        else f"The cluster looks in the mirror {image.full_repository} first{further}"
    )


def _own_words(message: str) -> str:
    """Return the server's own words.

    The bodies of answers that it quotes are left out. A web page in the place of a refusal gets another status,
    because it is no registry's.
    """
    return _BODY.sub(r"\1", _PAGE.sub(r"\g<1>499\3", message))


class Remedies:
    """Finds remedies; reads a namespace's secrets at most once, and only for a failure that is about credentials."""

    def __init__(self, client: ClusterClient, mask: t.Callable[..., None]) -> None:
        self._client = client
        self._mask = mask
        self._secrets: dict[str, list[dict[str, t.Any]] | CollectionError | None] = {}

    def remedy(self, namespace: str, source: PullSpec, failure: ImportFailure) -> str:
        """Return what to do about ``failure`` of ``source``, or "" if nothing is known to help."""
        failure = replace(failure, message=_own_words(failure.message))
        remedy = self._remedy(namespace, source, failure)
        # Whoever meant another registry gets the words of Docker Hub.
        return f"{remedy} {_ON_DOCKER_HUB}" if remedy and not source.registry else remedy

    def _remedy(self, namespace: str, source: PullSpec, failure: ImportFailure) -> str:
        if failure.reason == "NotFound":
            return "The registry has no such tag, digest or repository: check the pull spec."
        refused = refused_images(source, failure)
        if not refused and any(words in failure.message for words in _MALFORMED_SECRETS):
            refused = [source]
        if refused:
            return " ".join(_in_the_mirror(image, source, ". ") + self._explain(namespace, image) for image in refused)
        for image in pull_specs(_MISSING_IMAGE.findall(failure.message)):
            if image.location != source.location:
                return _in_the_mirror(
                    image, source, ", which does not have the image: mirror it, or check the pull spec."
                )
        remedy = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, failure.message)), "")
        # The list may have come from a mirror, and its children be asked for at the registry itself.
        unreached = remedy in (_NO_NAME, _UNANSWERED, _SLOW) and failure.import_mode == PRESERVE
        return f"{remedy} {_TAGS_ONLY}" if unreached else remedy

    def _explain(self, namespace: str, source: PullSpec) -> str:
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
        if explanation.result == "used" and not explanation.expired:
            return f"{explanation.sentence} {_REFUSED}"
        return explanation.sentence
