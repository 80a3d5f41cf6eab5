# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client certificates into TLS contexts. Imported only where a connection has one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import ssl
import tempfile

from .._cluster.connection import Pem
from .._core.errors import ConfigurationError


def load_client_certificate(context: ssl.SSLContext, cert: Pem, key: Pem | None) -> None:
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
        raise ConfigurationError(f"{(key or cert).named} holds a key that is protected by a password; give one without.") from None
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
