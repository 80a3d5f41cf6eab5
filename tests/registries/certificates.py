# Copyright: Contributors to the quayside.openshift_images project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the test registries: an authority that the cluster trusts, a certificate that nobody trusts."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class KeyPair:
    """A server's certificate chain and private key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """``ca_file`` signs ``trusted``; ``self_signed`` is its own issuer and in nobody's trust store."""

    ca_file: Path
    trusted: KeyPair
    self_signed: KeyPair


def create_certificates(directory: Path) -> Certificates:
    """Write all certificates below ``directory`` (created when missing). Keys are readable by the owner only."""
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="quayside test registries")
    ca_file = directory / "ca.crt"
    authority.cert_pem.write_to_path(str(ca_file))
    issued = authority.issue_cert(*_NAMES, common_name="localhost")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return Certificates(
        ca_file=ca_file,
        trusted=_write_pair(directory, "trusted", chain, issued.private_key_pem.bytes()),
        self_signed=_write_pair(directory, "self-signed", *_self_signed()),
    )


def _write_pair(directory: Path, name: str, certificate: bytes, key: bytes) -> KeyPair:
    pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
    pair.certificate.write_bytes(certificate)
    write_private(pair.key, key)
    return pair


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)


def _self_signed() -> tuple[bytes, bytes]:
    """Return a certificate that is its own issuer: trustme only signs with an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    alternatives: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), pem_key
