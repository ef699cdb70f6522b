"""The three ways to say who is asking.

The exchange wants three headers: the key id, the time in milliseconds and a
signature over ``time + METHOD + path``; the path with its ``/trade-api/v2``
and without everything from ``?``.  Whether the signature is RSA-PSS or Ed25519
follows from the key.  The body and the query are not signed.

A signature is made anew for every attempt: the exchange refuses timestamps
that are off by more than some ten seconds (measured June 2026).
"""

from __future__ import annotations

import base64
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from trueup.core.instant import Instant
from trueup.net.keys import PrivateKey, describe_key, fingerprint
from trueup.net.secret import Secret
from trueup.wire.signing import signing_text

KEY_HEADER: Final = "KALSHI-ACCESS-KEY"
TIMESTAMP_HEADER: Final = "KALSHI-ACCESS-TIMESTAMP"
SIGNATURE_HEADER: Final = "KALSHI-ACCESS-SIGNATURE"

_MICROSECONDS_PER_MILLISECOND: Final = 1000


class Signer(Protocol):
    """Whoever can prove that a request is ours.

    `only_named_hosts` marks credentials that the receiver could use himself (a
    bearer token): they go only to hosts that the user allowed by name.
    """

    @property
    def key_id(self) -> str:
        """The public name of the key; empty when there is none."""
        ...

    @property
    def kind(self) -> str:
        """``RSA 2048``, ``Ed25519`` or ``bearer token``."""
        ...

    @property
    def only_named_hosts(self) -> bool:
        """Whether the credential itself travels with the request."""
        ...

    def headers(self, method: str, path: str, at: Instant) -> dict[str, str]:
        """The headers of one attempt.  `path` as sent, a query in it is left out."""
        ...


class RsaSigner:
    """Signs with RSASSA-PSS over SHA-256, MGF1 with SHA-256, salt as long as the digest."""

    only_named_hosts = False

    def __init__(self, key_id: str, key: RSAPrivateKey) -> None:
        self.key_id = key_id
        self._key = key
        self._digest = SHA256()
        self._padding = PSS(mgf=MGF1(self._digest), salt_length=PSS.DIGEST_LENGTH)

    @property
    def kind(self) -> str:
        """``RSA`` and its size."""
        return describe_key(self._key)

    @property
    def fingerprint(self) -> str:
        """Which key it is, by its public half."""
        return fingerprint(self._key)

    def headers(self, method: str, path: str, at: Instant) -> dict[str, str]:
        """The three headers, freshly signed."""
        stamp, text = _stamped(method, path, at)
        return _signed(self.key_id, stamp, self.sign(text))

    def sign(self, text: bytes) -> str:
        """The signature of a text, in base64."""
        return _base64(self._key.sign(text, self._padding, self._digest))

    def __repr__(self) -> str:
        return f"RsaSigner({_tail(self.key_id)})"


class Ed25519Signer:
    """Signs with pure Ed25519."""

    only_named_hosts = False

    def __init__(self, key_id: str, key: Ed25519PrivateKey) -> None:
        self.key_id = key_id
        self._key = key

    @property
    def kind(self) -> str:
        """``Ed25519``."""
        return describe_key(self._key)

    @property
    def fingerprint(self) -> str:
        """Which key it is, by its public half."""
        return fingerprint(self._key)

    def headers(self, method: str, path: str, at: Instant) -> dict[str, str]:
        """The three headers, freshly signed."""
        stamp, text = _stamped(method, path, at)
        return _signed(self.key_id, stamp, self.sign(text))

    def sign(self, text: bytes) -> str:
        """The signature of a text, in base64."""
        return _base64(self._key.sign(text))

    def __repr__(self) -> str:
        return f"Ed25519Signer({_tail(self.key_id)})"


class BearerToken:
    """Not a signature: the token itself, for gateways that want one."""

    only_named_hosts = True
    key_id = ""
    kind = "bearer token"

    def __init__(self, token: Secret) -> None:
        self._token = token

    def headers(self, method: str, path: str, at: Instant) -> dict[str, str]:
        """One header that is the same for every request."""
        del method, path, at
        return {"Authorization": "Bearer " + self._token.reveal().decode("ascii")}

    def __repr__(self) -> str:
        return "BearerToken(hidden)"


def signer_for(key_id: str, key: PrivateKey) -> RsaSigner | Ed25519Signer:
    """The signer that fits the kind of the key."""
    if isinstance(key, RSAPrivateKey):
        return RsaSigner(key_id, key)
    return Ed25519Signer(key_id, key)


def _stamped(method: str, path: str, at: Instant) -> tuple[int, bytes]:
    stamp = at // _MICROSECONDS_PER_MILLISECOND
    return stamp, signing_text(stamp, method, path.partition("?")[0])


def _base64(signature: bytes) -> str:
    return base64.b64encode(signature).decode("ascii")


def _signed(key_id: str, stamp: int, signature: str) -> dict[str, str]:
    return {
        KEY_HEADER: key_id,
        TIMESTAMP_HEADER: str(stamp),
        SIGNATURE_HEADER: signature,
    }


def _tail(key_id: str) -> str:
    return f"…{key_id[-4:]}"
