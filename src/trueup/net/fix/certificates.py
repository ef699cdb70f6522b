"""A certificate for the listening side on this machine, which signs itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from trueup.core.instant import Instant, to_datetime

_NAME: Final = "trueup sandbox"
_SLACK: Final = timedelta(days=1)
_LIFE: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate and its private key, both PEM.  The key never shows in a `repr`."""

    certificate: bytes
    key: bytes = field(repr=False)


def self_signed(address: str, now: Instant) -> CertificatePair:
    """A certificate for an IP address, good for a year.  Clients must be told to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    begin = to_datetime(now)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _SLACK)
        .not_valid_after(begin + _LIFE)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
        )
        .sign(key, SHA256())
    )
    return CertificatePair(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
