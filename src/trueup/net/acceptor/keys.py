"""The server's side of API keys: public halves, scopes, and who may do what."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypedDict, Unpack

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from trueup.core.ids import Subaccount
from trueup.sim.commands import Member
from trueup.wire.rest.api_keys import ApiKey

PublicKey = RSAPublicKey | Ed25519PublicKey

READ: Final = "read"
WRITE: Final = "write"
READ_BALANCE: Final = "read::portfolio_balance"
READ_BLOCK_TRADES: Final = "read::block_trade_accept"
WRITE_TRADE: Final = "write::trade"
WRITE_TRANSFER: Final = "write::transfer"
WRITE_FCM_RISK: Final = "write::fcm_risk"
WRITE_BLOCK_TRADES: Final = "write::block_trade_accept"

SCOPES: Final = frozenset(
    {
        READ,
        WRITE,
        READ_BALANCE,
        READ_BLOCK_TRADES,
        WRITE_TRADE,
        WRITE_TRANSFER,
        WRITE_FCM_RISK,
        WRITE_BLOCK_TRADES,
    }
)
"""Every scope that a key can have."""

_RSA_EXPONENT: Final = 65_537
_RSA_BITS: Final = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A key that the exchange knows.

    It belongs to `member`; `None` stands for the member whose account the world
    is about.  `subaccount` locks the key to one.
    """

    key_id: str
    public: PublicKey
    member: Member | None = None
    name: str = "sandbox"
    scopes: tuple[str, ...] = (READ, WRITE)
    subaccount: Subaccount | None = None

    def verifies(self, signature: str, text: bytes) -> bool:
        """Whether `signature` (base64) is this key's for `text`."""
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(self.public, RSAPublicKey):
                padding = PSS(mgf=MGF1(SHA256()), salt_length=PSS.DIGEST_LENGTH)
                self.public.verify(raw, text, padding, SHA256())
            else:
                self.public.verify(raw, text)
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        return True

    def may(self, scope: str) -> bool:
        """Whether the key has `scope`, itself or by its parent (``write`` for ``write::trade``)."""
        return scope in self.scopes or scope.partition("::")[0] in self.scopes

    def listed(self) -> ApiKey:
        """The key as the listing of keys shows it."""
        return ApiKey(
            key_id=self.key_id, name=self.name, scopes=self.scopes, subaccount=self.subaccount
        )


class KeyRing:
    """The keys of all members, and the tokens that a gateway in front would accept.

    `owner` is the member that keys without one, and the tokens, belong to.
    """

    def __init__(
        self, keys: Iterable[RegisteredKey], tokens: Iterable[str] = (), *, owner: Member
    ) -> None:
        self.owner = owner
        self.members: set[Member] = set()
        """Everybody who has, or had, a key."""
        self._keys: dict[str, RegisteredKey] = {}
        self._tokens = frozenset(tokens)
        for key in keys:
            self.add(key)

    def add(self, key: RegisteredKey) -> None:
        """Register a key."""
        owned = key if key.member is not None else replace(key, member=self.owner)
        self._keys[key.key_id] = owned
        self.members.add(key.member if key.member is not None else self.owner)

    def remove(self, key_id: str) -> None:
        """Forget a key: it opens nothing any more.  `KeyError` for an unknown one."""
        del self._keys[key_id]

    def find(self, key_id: str) -> RegisteredKey | None:
        """The key of that id."""
        return self._keys.get(key_id)

    def accepts_token(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header carries a known bearer token."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and token in self._tokens

    def listed(self, member: Member) -> tuple[ApiKey, ...]:
        """A member's keys as the listing shows them."""
        return tuple(key.listed() for key in self._keys.values() if key.member == member)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A freshly made key: the public half for the server, the PEM for the client.

    The text of the private key is for a file or a variable; it never shows in a
    `repr`.
    """

    registered: RegisteredKey
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def pem(self) -> bytes:
        """The private key as the exchange hands it out: PKCS#1 for RSA, PKCS#8 for Ed25519."""
        is_rsa = isinstance(self.private, rsa.RSAPrivateKey)
        form = PrivateFormat.TraditionalOpenSSL if is_rsa else PrivateFormat.PKCS8
        return self.private.private_bytes(Encoding.PEM, form, NoEncryption())

    def __repr__(self) -> str:
        return f"KeyPair({self.registered.key_id})"


class KeyTerms(TypedDict, total=False):
    """What a new key may do, and for whom: as in `RegisteredKey`."""

    scopes: tuple[str, ...]
    subaccount: Subaccount | None
    member: Member | None


def new_ed25519_pair(key_id: str, **terms: Unpack[KeyTerms]) -> KeyPair:
    """A new Ed25519 key, as the exchange's web page hands out since October 2026."""
    return _pair(ed25519.Ed25519PrivateKey.generate(), key_id, terms)


def new_rsa_pair(key_id: str, **terms: Unpack[KeyTerms]) -> KeyPair:
    """A new RSA key of 2048 bits.  Takes a moment."""
    return _pair(rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS), key_id, terms)


def _pair(
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, key_id: str, terms: KeyTerms
) -> KeyPair:
    registered = RegisteredKey(key_id=key_id, public=private.public_key(), **terms)
    return KeyPair(registered, private)
