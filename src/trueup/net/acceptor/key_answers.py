"""API keys made and deleted by their members, and the tier they are granted.

A key that the exchange makes is shown once: its private half is in the answer
and nowhere else.  Bringing one's own public key needs the Premier tier.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from trueup.net.acceptor import house, replies
from trueup.net.acceptor.billing import Meters
from trueup.net.acceptor.keys import (
    READ,
    SCOPES,
    WRITE,
    KeyPair,
    KeyRing,
    RegisteredKey,
    new_ed25519_pair,
    new_rsa_pair,
)
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.replies import Content, Reply
from trueup.wire.rest import api_keys as wire
from trueup.wire.rest.bodies import read_body

_PAIRS: Final[dict[wire.KeyType, Callable[[str], KeyPair]]] = {
    wire.KeyType.RSA: new_rsa_pair,
    wire.KeyType.ED25519: new_ed25519_pair,
}
_EVERYTHING: Final = (READ, WRITE)
"""The scopes of a key for which none are named."""

_OWN_KEYS_FROM: Final = "premier"
_UPGRADED: Final = house.TIERS["advanced"]


class KeyAnswers:
    """What changes the keys and the tier of a member."""

    def __init__(self, keys: KeyRing, meters: Meters, new_id: Callable[[], str]) -> None:
        self._keys = keys
        self._meters = meters
        self._new_id = new_id

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "GenerateApiKey": self._generate,
            "CreateApiKey": self._create,
            "DeleteApiKey": self._delete,
            "UpgradeAccountApiUsageLevel": self._upgrade,
        }

    def _generate(self, question: Question) -> Content | Reply:
        asked = read_body(wire.WANTED_KEY, question.body)
        if not _are_scopes(asked.scopes or _EVERYTHING):
            return replies.INVALID_PARAMETERS
        kind = asked.key_type or wire.KeyType.RSA
        pair = _PAIRS[kind](self._new_id())
        self._register(question, pair.registered, asked)
        made = wire.KeyGenerated(
            key_id=pair.registered.key_id, private_key=pair.pem.decode(), key_type=kind
        )
        return Content(wire.KEY_GENERATED.write(made), status=201)

    def _create(self, question: Question) -> Content | Reply:
        tiers = list(house.TIERS)
        tier = self._meters.limits(question.caller.member).tier
        if tier in tiers and tiers.index(tier) < tiers.index(_OWN_KEYS_FROM):
            return replies.PERMISSION_DENIED
        asked = read_body(wire.NEW_KEY, question.body)
        try:
            public = load_pem_public_key(asked.public_key.encode())
        except (ValueError, UnsupportedAlgorithm):
            return replies.INVALID_PARAMETERS
        is_known = isinstance(public, RSAPublicKey | Ed25519PublicKey)
        if not is_known or not _are_scopes(asked.scopes or _EVERYTHING):
            return replies.INVALID_PARAMETERS
        key = RegisteredKey(key_id=self._new_id(), public=public)
        self._register(question, key, asked)
        return Content(wire.KEY_CREATED.write(wire.KeyCreated(key_id=key.key_id)), status=201)

    def _register(
        self, question: Question, key: RegisteredKey, asked: wire.NewKey | wire.WantedKey
    ) -> None:
        self._keys.add(
            replace(
                key,
                member=question.caller.member,
                name=asked.name,
                scopes=asked.scopes or _EVERYTHING,
                subaccount=asked.subaccount,
            )
        )

    def _delete(self, question: Question) -> Reply:
        key = self._keys.find(question.path["api_key"])
        if key is None or key.member != question.caller.member:
            return replies.NOT_FOUND
        self._keys.remove(key.key_id)
        return replies.NO_CONTENT

    def _upgrade(self, question: Question) -> Reply:
        """Everybody of the lowest tier is granted the next one; the others have it already."""
        meter = self._meters.of(question.caller.member, question.at)
        if meter.limits.tier == house.BASIC.tier:
            meter.resize(_UPGRADED, question.at)
        return replies.CREATED


def _are_scopes(scopes: tuple[str, ...]) -> bool:
    """Known words; the broad ``write`` needs ``read`` beside it."""
    return bool(scopes) and SCOPES.issuperset(scopes) and (WRITE not in scopes or READ in scopes)
