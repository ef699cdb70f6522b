"""Every form a key comes in, and everything that is taken for one."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from trueup.core.errors import ConfigError
from trueup.net.keys import PrivateKey, describe_key, fingerprint, load_key, looks_like_key
from trueup.net.secret import Secret

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def load(raw: bytes, passphrase: str = "") -> PrivateKey:
    secret = Secret(passphrase) if passphrase else None
    return load_key(Secret(raw), passphrase=secret, origin="THE KEY")


def written(
    key: PrivateKey, form: PrivateFormat, *, passphrase: str = "", encoding: Encoding = Encoding.PEM
) -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(encoding, form, encryption)


def test_rsa_key_is_read_in_both_forms(rsa_key: RSAPrivateKey) -> None:
    for form in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
        for encoding in (Encoding.PEM, Encoding.DER):
            key = load(written(rsa_key, form, encoding=encoding))
            assert fingerprint(key) == fingerprint(rsa_key)
            assert describe_key(key) == "RSA 2048"


def test_ed25519_key_is_read(ed25519_key: Ed25519PrivateKey) -> None:
    for encoding in (Encoding.PEM, Encoding.DER):
        key = load(written(ed25519_key, PrivateFormat.PKCS8, encoding=encoding))
        assert fingerprint(key) == fingerprint(ed25519_key)
        assert describe_key(key) == "Ed25519"


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "literal newlines": lambda pem: pem.replace(b"\n", b"\\n"),
    "literal carriage returns": lambda pem: pem.replace(b"\n", b"\\r\\n"),
    "windows": lambda pem: pem.replace(b"\n", b"\r\n"),
    "one line": lambda pem: pem.replace(b"\n", b" "),
    "quoted": lambda pem: b'"' + pem.strip() + b'"',
    "quoted literal newlines": lambda pem: b"'" + pem.replace(b"\n", b"\\n") + b"'",
    "white space": lambda pem: b"\n\n  " + pem + b"  \n",
    "byte order mark": lambda pem: b"\xef\xbb\xbf" + pem,
    "utf-16": lambda pem: pem.decode().encode("utf-16"),
    "text before": lambda pem: b"Kalshi key, do not share\n" + pem,
    "certificate before": lambda pem: CERTIFICATE + pem,
    "base64": base64.b64encode,
    "base64 lines": base64.encodebytes,
    "base64 literal newlines": lambda pem: base64.b64encode(pem.replace(b"\n", b"\\n")),
    "base64 of DER": lambda pem: b"".join(pem.splitlines()[1:-1]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_key_survives_what_people_do_to_it(
    rsa_pem: bytes, ed25519_pem: bytes, kind: str, change: Callable[[bytes], bytes]
) -> None:
    pem = rsa_pem if kind == "rsa" else ed25519_pem

    assert fingerprint(load(change(pem))) == fingerprint(load(pem))


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_encrypted_key_needs_its_passphrase(rsa_key: RSAPrivateKey, form: PrivateFormat) -> None:
    pem = written(rsa_key, form, passphrase="open sesame")

    assert fingerprint(load(pem, "open sesame")) == fingerprint(rsa_key)
    with pytest.raises(ConfigError, match="THE KEY is encrypted, and no passphrase") as caught:
        load(pem)
    assert "KALSHI_PRIVATE_KEY_PASSPHRASE" in caught.value.remedy
    with pytest.raises(ConfigError, match="passphrase is wrong"):
        load(pem, "open barley")


def test_encrypted_key_survives_literal_newlines(rsa_key: RSAPrivateKey) -> None:
    pem = written(rsa_key, PrivateFormat.TraditionalOpenSSL, passphrase="open sesame")

    assert fingerprint(load(pem.replace(b"\n", b"\\n"), "open sesame")) == fingerprint(rsa_key)


def test_encrypted_der_needs_its_passphrase(rsa_key: RSAPrivateKey) -> None:
    der = written(rsa_key, PrivateFormat.PKCS8, passphrase="open sesame", encoding=Encoding.DER)

    assert fingerprint(load(der, "open sesame")) == fingerprint(rsa_key)
    with pytest.raises(ConfigError, match="no passphrase was given"):
        load(der)


def test_passphrase_of_an_open_key_is_ignored(rsa_pem: bytes, rsa_key: RSAPrivateKey) -> None:
    assert fingerprint(load(rsa_pem, "not needed")) == fingerprint(rsa_key)


def not_a_key(case: str, rsa_key: RSAPrivateKey) -> bytes:
    pem = written(rsa_key, PrivateFormat.PKCS8)
    public = rsa_key.public_key()
    cases = {
        "empty": b"  \n",
        "prose": b"my key is in the drawer",
        "html": b"<html><body>Sign in</body></html>",
        "public": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "public of ssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "certificate": CERTIFICATE,
        "request": CERTIFICATE.replace(b"CERTIFICATE", b"CERTIFICATE REQUEST"),
        "openssh": written(rsa_key, PrivateFormat.OpenSSH),
        "cut short": pem[: len(pem) // 2],
        "damaged": pem.replace(b"MII", b"MIJ", 1),
        "two keys": pem + pem,
        "parameters": b"-----BEGIN DH PARAMETERS-----\nMIIB\n-----END DH PARAMETERS-----\n",
    }
    return cases[case]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("empty", "THE KEY is empty"),
        ("prose", "holds no private key"),
        ("html", "holds no private key"),
        ("public", "is the public half"),
        ("public of ssh", "is the public half"),
        ("certificate", "is a certificate"),
        ("request", "is a certificate"),
        ("openssh", "OpenSSH's own format"),
        ("cut short", "is cut short"),
        ("damaged", "is damaged"),
        ("two keys", "holds 2 private keys"),
        ("parameters", "another kind"),
    ],
)
def test_what_is_no_key_is_named(rsa_key: RSAPrivateKey, case: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load(not_a_key(case, rsa_key))

    assert caught.value.remedy


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_elliptic_curve_key_is_refused(form: PrivateFormat) -> None:
    key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(ConfigError, match=r"\(EC\)"):
        load(key.private_bytes(Encoding.PEM, form, NoEncryption()))


def test_short_rsa_key_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (the case)

    with pytest.raises(ConfigError, match="only 1024 bits"):
        load(written(key, PrivateFormat.PKCS8))


def test_pasted_key_is_told_from_a_path(rsa_pem: bytes, ed25519_pem: bytes) -> None:
    for pem in (rsa_pem, ed25519_pem):
        assert looks_like_key(pem.decode())
        assert looks_like_key(base64.b64encode(pem).decode())
        assert looks_like_key("".join(pem.decode().splitlines()[1:-1]))
    for text in ("", "/home/me/kalshi.pem", "kalshi", "01234567-89ab-cdef-0123-456789abcdef"):
        assert not looks_like_key(text)
