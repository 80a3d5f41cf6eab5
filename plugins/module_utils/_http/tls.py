# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom to trust, and how to identify: TLS contexts for clusters, registries and proxies.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from typing import NamedTuple

from .._core.errors import ConfigurationError

# who opens a session is told if they are missing
with contextlib.suppress(ImportError):
    import requests.utils
    import urllib3


class Pem(NamedTuple):
    """Certificates or a key in PEM form: the path of a file, or the text itself.

    ``origin`` names it in error messages.
    """

    origin: str
    path: str | None = None
    text: str | None = None

    def __repr__(self) -> str:
        # the text can be a key
        return f"Pem({self.described!r})"

    @property
    def described(self) -> str:
        """Return the origin, and the file if there is one."""
        return f"{self.origin} ({self.path})" if self.path else self.origin

    @property
    def named(self) -> str:
        """Return the same at the start of a sentence."""
        return self.described[0].upper() + self.described[1:]


def tls_context(
    *, verify: bool = True, ca: Pem | None = None, client_cert: Pem | None = None, client_key: Pem | None = None
) -> ssl.SSLContext:
    """Return the TLS settings for a server: whom to trust, and the client certificate. Raises ConfigurationError."""
    context = trusting(verify=verify, ca=ca)
    if client_cert is not None:
        _load_client_certificate(context, client_cert, client_key)
    return context


def trusting(*, verify: bool = True, ca: Pem | None = None) -> ssl.SSLContext:
    """Return the TLS settings without a client certificate: ``ca`` alone is trusted, without one what the system
    trusts. Raises ConfigurationError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # a trusted certificate that is no self-signed root is an anchor too, as for kubectl and oc
    context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if not hasattr(urllib3, "BaseHTTPResponse"):
        # urllib3 before 2: it names no address to the context, and compares names itself if the context does not
        context.check_hostname = False
    if ca is not None:
        _load_ca(context, ca)
    else:
        load_system_ca(context)
    return context


def load_system_ca(context: ssl.SSLContext) -> None:
    """Trust what the system trusts."""
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        # an image without a CA store of its own
        context.load_verify_locations(cafile=library_ca_file())


def library_ca_file() -> str:
    """Return the path of the CA certificates that requests uses; distributions point it to the system's."""
    return requests.utils.DEFAULT_CA_BUNDLE_PATH


def _load_ca(context: ssl.SSLContext, ca: Pem) -> None:
    try:
        if ca.path is not None and os.path.isdir(ca.path):
            context.load_verify_locations(capath=ca.path)
        else:
            context.load_verify_locations(cafile=ca.path, cadata=ca.text)
    except ssl.SSLError:
        raise ConfigurationError(f"{ca.named} holds no certificate in PEM form.") from None
    except OSError as exc:
        raise ConfigurationError(f"{ca.named} cannot be read: {exc.strerror}.") from None


def _load_client_certificate(context: ssl.SSLContext, cert: Pem, key: Pem | None) -> None:
    """Let a TLS context identify with a certificate and its key. Raises ConfigurationError.

    ``ssl`` takes files only: text goes through files of mode 0600 that are gone before the first request.
    """
    for pem in (cert, key):
        if pem is not None and pem.path is not None:
            _must_be_readable(pem)
    temporary: list[str] = []
    try:
        cert_path = cert.path or _private_file(cert.text or "", temporary)
        key_path = None if key is None else key.path or _private_file(key.text or "", temporary)
        context.load_cert_chain(cert_path, key_path, password=_no_password)
    except _EncryptedKey:
        raise ConfigurationError(
            f"{(key or cert).named} holds a key that is protected by a password; give one without."
        ) from None
    except ssl.SSLError as exc:
        if key is None:
            advice = "set the option client_key, or put both into the file"
            raise ConfigurationError(f"{cert.named} holds no certificate with its key in PEM form; {advice}.") from None
        if "MISMATCH" in str(exc):
            raise ConfigurationError(f"{cert.named} does not belong to the key ({key.origin}).") from None
        raise ConfigurationError(f"{cert.named} or {key.described} is not in PEM form.") from None
    finally:
        for path in temporary:
            os.unlink(path)


def _must_be_readable(pem: Pem) -> None:
    try:
        with open(pem.path or "", "rb"):
            return
    except OSError as exc:
        raise ConfigurationError(f"{pem.named} cannot be read: {exc.strerror}.") from None


class _EncryptedKey(Exception):
    """A key asks for a password; nobody is there to type one."""


def _no_password() -> str:
    raise _EncryptedKey


def _private_file(text: str, temporary: list[str]) -> str:
    descriptor, path = tempfile.mkstemp(prefix="openshift-images-")
    temporary.append(path)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    return path
