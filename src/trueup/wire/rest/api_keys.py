"""The section of API keys: which keys exist, what they may do, new ones and lost ones."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call
from trueup.wire.rest.codecs import SECONDS, SMALL
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire

_KEY: Final = Wire("api_key_id")
_SUBACCOUNT: Final = Wire("subaccount", SMALL)


class KeyType(StrEnum):
    """The two kinds of signatures that the exchange knows."""

    RSA = "rsa"
    ED25519 = "ed25519"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key.  `subaccount` is set when the key is locked to it.

    `scopes` are the exchange's own words, such as ``read`` or ``write::trade``.
    """

    key_id: Annotated[str, _KEY]
    name: str = ""
    scopes: tuple[str, ...] = ()
    subaccount: Annotated[Subaccount | None, _SUBACCOUNT] = None
    fcm_subtrader_id: str | None = None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to register: its public part in PEM.  Without scopes it may read and write."""

    name: str
    public_key: str
    scopes: tuple[str, ...] = ()
    subaccount: Annotated[Subaccount | None, _SUBACCOUNT] = None
    fcm_subtrader_id: str | None = None


class WantedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that the exchange shall make."""

    name: str
    key_type: KeyType | None = None
    scopes: tuple[str, ...] = ()
    subaccount: Annotated[Subaccount | None, _SUBACCOUNT] = None
    fcm_subtrader_id: str | None = None


class KeyCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A key was registered.  `warning` concerns clearing members only."""

    key_id: Annotated[str, _KEY]
    warning: str | None = None


class KeyGenerated(msgspec.Struct, frozen=True, kw_only=True):
    """A key was made.  The private part comes this once; it is not shown when printed."""

    key_id: Annotated[str, _KEY]
    private_key: str
    key_type: KeyType = KeyType.RSA
    warning: str | None = None

    def __repr__(self) -> str:
        return f"KeyGenerated(key_id={self.key_id!r}, key_type={self.key_type!r})"


class _Region(msgspec.Struct, frozen=True, kw_only=True):
    expires_at: Annotated[Instant | None, Wire("api_key_region_expiration_ts", SECONDS)] = None


REGION: Final = Shape(_Region, "GetApiKeysResponse", ignored="api_keys")
API_KEY: Final = Shape(ApiKey, "ApiKey")
NEW_KEY: Final = Shape(NewKey, "CreateApiKeyRequest", brief=True)
WANTED_KEY: Final = Shape(WantedKey, "GenerateApiKeyRequest", brief=True)
KEY_CREATED: Final = Shape(KeyCreated, "CreateApiKeyResponse")
KEY_GENERATED: Final = Shape(KeyGenerated, "GenerateApiKeyResponse")


def list_keys(*, fcm_subtrader_id: str = "") -> Call[tuple[ApiKey, ...]]:
    """The keys of the account.  None of them is secret: the private part is not here."""
    return request(
        "GetApiKeys", API_KEY.answers("api_keys"), query={"fcm_subtrader_id": fcm_subtrader_id}
    )


def region_expires_at() -> Call[Instant | None]:
    """Until when the account's location is attested for requests by key; `None` for ever.

    A time that is past means that keys are refused until somebody logs in.
    """
    return request("GetApiKeys", REGION.answer().then(lambda row: row.expires_at))


def create(new: NewKey) -> Call[KeyCreated]:
    """Register a key that was made here.  Needs the tier Premier or above."""
    return request("CreateApiKey", KEY_CREATED.answer(), body=write_body(NEW_KEY, new))


def generate(wanted: WantedKey) -> Call[KeyGenerated]:
    """Let the exchange make a key: RSA in PKCS#1 or Ed25519 in PKCS#8, both PEM."""
    return request("GenerateApiKey", KEY_GENERATED.answer(), body=write_body(WANTED_KEY, wanted))


def delete(key_id: str) -> Call[None]:
    """Make a key useless, at once and for good."""
    return request("DeleteApiKey", nothing(), path={"api_key": key_id})
