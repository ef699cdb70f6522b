"""Reading a private key in whatever form people keep it.

The exchange hands out RSA keys as PKCS#1 PEM and (since September 2026)
Ed25519 keys as PKCS#8 PEM.  People keep them in files, in environment
variables with real or literal line breaks, and as base64.  `load_key` takes
all of these and answers everything else with what it saw and what to do.

A key is loaded once and kept as an object: reading the PEM anew for every
request costs a hundred times the signature.  No function here lets the text
of a key into a message, and problems are returned as values and raised one
level up, so that no frame of a traceback holds the text either.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from trueup.core.errors import ConfigError
from trueup.net.secret import Secret

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
"""What can sign: the exchange knows these two kinds."""

RSA_BITS_MIN: Final = 2048

_BEGIN: Final = b"-----BEGIN "
_BLOCK: Final = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>.*?)-----END (?P=label)-----", re.DOTALL
)
_LABEL: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_DER_SEQUENCE: Final = b"\x30"
_LINE: Final = 64

_DOWNLOAD: Final = (
    "Use the private key file that the exchange gave you when the API key was created; "
    "if it is lost, create a new API key."
)
_CONVERT: Final = (
    "Use the file that came with the API key. A copy of an RSA key can be converted in place with: "
    "ssh-keygen -p -m PEM -f COPY_OF_THE_FILE"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a key could not be loaded; holds no part of the key."""

    says: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Material:
    """One private key block, not yet decrypted."""

    block: Secret
    is_pem: bool
    is_encrypted: bool


def load_key(material: Secret, *, passphrase: Secret | None, origin: str) -> PrivateKey:
    """The key in `material`: PEM, base64 of PEM or DER, or DER itself.

    `origin` names the place for messages (a variable, a path).  A passphrase
    given with a key that needs none is ignored.  Raises `ConfigError`.
    """
    key = read_key(material, passphrase)
    if isinstance(key, Problem):
        raise ConfigError(f"{origin} {key.says}", remedy=key.remedy)
    return key


def read_key(material: Secret, passphrase: Secret | None) -> PrivateKey | Problem:
    """Like `load_key`, with the reason as a value."""
    found = _find_block(material)
    if isinstance(found, Problem):
        return found
    if found.is_encrypted and not passphrase:
        return Problem(
            "is encrypted, and no passphrase was given",
            "Set KALSHI_PRIVATE_KEY_PASSPHRASE (or KALSHI_PRIVATE_KEY_PASSPHRASE_FILE).",
        )
    return _decrypt(found, passphrase)


def looks_like_key(text: str) -> bool:
    """Whether a setting that should be a path or a name holds a key instead."""
    raw = text.strip().encode()
    if _BEGIN in raw:
        return True
    decoded = _from_base64(raw)
    return decoded is not None and (decoded.startswith(_DER_SEQUENCE) or _BEGIN in decoded)


def describe_key(key: PrivateKey) -> str:
    """The kind of a key for people: ``RSA 2048`` or ``Ed25519``."""
    return f"RSA {key.key_size}" if isinstance(key, RSAPrivateKey) else "Ed25519"


def fingerprint(key: PrivateKey) -> str:
    """Sixteen hex digits that name a key without telling it (of its public half)."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:16]


def _find_block(material: Secret) -> _Material | Problem:
    raw = _plain_text(material.reveal())
    if not raw:
        return Problem("is empty", _DOWNLOAD)
    if _BEGIN not in raw and not raw.startswith(_DER_SEQUENCE):
        if raw.startswith((b"ssh-rsa ", b"ssh-ed25519 ", b"ecdsa-sha2-")):
            return _refusal(b"PUBLIC KEY")
        decoded = _from_base64(raw)
        raw = b"" if decoded is None else _plain_text(decoded)
    if raw.startswith(_DER_SEQUENCE):
        return _Material(Secret(raw), is_pem=False, is_encrypted=_is_encrypted_der(raw))
    if _BEGIN not in raw:
        return Problem(
            "holds no private key: neither PEM (-----BEGIN …) nor base64 of one", _DOWNLOAD
        )
    return _find_pem(raw)


def _find_pem(raw: bytes) -> _Material | Problem:
    blocks = [match for match in _BLOCK.finditer(raw) if match["label"].endswith(b"PRIVATE KEY")]
    labels = [found.group(1) for found in _LABEL.finditer(raw)]
    if len(blocks) > 1:
        return Problem(f"holds {len(blocks)} private keys", "Keep one key per file or variable.")
    if not blocks:
        if any(label.endswith(b"PRIVATE KEY") for label in labels):
            return Problem(
                "is cut short: the key has a BEGIN line and no matching END line",
                "Copy the whole text again, from -----BEGIN to the last dash of -----END.",
            )
        return _refusal(labels[0] if labels else b"")
    label, body = blocks[0]["label"], blocks[0]["body"]
    if label not in {b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY"}:
        return _refusal(label)
    is_encrypted = label.startswith(b"ENCRYPTED") or b"ENCRYPTED" in body
    if b"Proc-Type" not in body:
        body = _wrapped(body)
    pem = b"-----BEGIN %s-----%s-----END %s-----\n" % (label, body, label)
    return _Material(Secret(pem), is_pem=True, is_encrypted=is_encrypted)


def _refusal(label: bytes) -> Problem:
    """What to say about PEM that is something else than a usable private key."""
    cases: Sequence[tuple[bytes, str, str]] = (
        (
            b"OPENSSH PRIVATE KEY",
            "is in OpenSSH's own format, which is not what the exchange hands out",
            _CONVERT,
        ),
        (
            b"EC PRIVATE KEY",
            "is an elliptic-curve (EC) key; the exchange knows RSA and Ed25519",
            _DOWNLOAD,
        ),
        (b"PUBLIC KEY", "is the public half; signing needs the private key", _DOWNLOAD),
        (b"CERTIFICATE", "is a certificate, not a private key", _DOWNLOAD),
    )
    for word, says, remedy in cases:
        if word in label:
            return Problem(says, remedy)
    shown = label.decode("ascii", "replace").lower() or "unnamed block"
    return Problem(f"holds a PEM block of another kind ({shown})", _DOWNLOAD)


def _decrypt(material: _Material, passphrase: Secret | None) -> PrivateKey | Problem:
    password = passphrase.reveal() if passphrase and material.is_encrypted else None
    load = load_pem_private_key if material.is_pem else load_der_private_key
    try:
        key = load(material.block.reveal(), password)
    except TypeError:  # The library's word for "encrypted, and no password".
        return Problem(
            "is encrypted, and no passphrase was given", "Set KALSHI_PRIVATE_KEY_PASSPHRASE."
        )
    except UnsupportedAlgorithm:
        return Problem(
            "uses a kind of key or encryption that is not supported",
            "Use an RSA (2048 bits) or Ed25519 key as the exchange hands them out.",
        )
    except ValueError:
        return _unreadable(is_encrypted=material.is_encrypted)
    return _usable(key)


def _usable(key: object) -> PrivateKey | Problem:
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        kind = type(key).__name__.removesuffix("PrivateKey")
        return Problem(
            f"is a key of another kind ({kind}); the exchange knows RSA and Ed25519", _DOWNLOAD
        )
    if key.key_size < RSA_BITS_MIN:
        return Problem(
            f"is an RSA key of only {key.key_size} bits",
            f"Use a key of {RSA_BITS_MIN} bits as the exchange hands them out.",
        )
    return key


def _unreadable(*, is_encrypted: bool) -> Problem:
    if is_encrypted:
        return Problem(
            "could not be decrypted: the passphrase is wrong, or the key is damaged",
            "Check KALSHI_PRIVATE_KEY_PASSPHRASE (also for stray spaces and quotes).",
        )
    return Problem(
        "is damaged: it looks like a private key, but cannot be read",
        "Copy the whole text again; a single missing or changed character is enough.",
    )


def _plain_text(raw: bytes) -> bytes:
    """Undo what editors, shells and env files do to a key."""
    if raw.startswith(_UTF16_MARKS):
        raw = raw.decode("utf-16", "replace").encode()
    if raw.startswith(_DER_SEQUENCE):
        return raw
    text = raw.removeprefix(_UTF8_MARK).strip()
    if len(text) > 1 and text[:1] == text[-1:] and text[:1] in b"'\"":
        text = text[1:-1].strip()
    return text.replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b"\r\n", b"\n")


def _wrapped(body: bytes) -> bytes:
    """The base64 of a PEM block in lines, whatever whitespace it had (or lost)."""
    flat = b"".join(body.split())
    lines = [flat[start : start + _LINE] for start in range(0, len(flat), _LINE)]
    return b"\n" + b"\n".join(lines) + b"\n"


def _from_base64(raw: bytes) -> bytes | None:
    flat = b"".join(raw.split())
    try:
        return base64.b64decode(flat, validate=True)
    except binascii.Error:
        return None


def _is_encrypted_der(raw: bytes) -> bool:
    """PKCS#8 that is encrypted starts with an algorithm, where a plain key starts with a version."""
    long_form, header = 0x80, 2
    if len(raw) <= header:
        return False
    length_bytes = raw[1] & 0x7F if raw[1] & long_form else 0
    return raw[header + length_bytes : header + length_bytes + 1] == _DER_SEQUENCE
