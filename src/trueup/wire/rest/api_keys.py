"""The section of API keys: which keys exist and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.ids import Subaccount
from trueup.wire.rest.call import Call
from trueup.wire.rest.reading import field_names, list_of
from trueup.wire.rest.request import request


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key.  `subaccount` is set when the key is locked to it.

    `scopes` are the exchange's own words, such as ``read`` or ``write::trade``.
    """

    key_id: str
    name: str
    scopes: tuple[str, ...]
    subaccount: Subaccount | None


KNOWN: Final = field_names("api_key_id name scopes subaccount fcm_subtrader_id")


class _KeyRecord(msgspec.Struct):
    api_key_id: str
    name: str = ""
    scopes: list[str] | None = None
    subaccount: int | None = None


_decode: Final = msgspec.json.Decoder(_KeyRecord)


def list_keys() -> Call[tuple[ApiKey, ...]]:
    """The keys of the account.  None of them is secret: the private part is not here."""
    return request("GetApiKeys", list_of("api_keys", _read_key, KNOWN))


def _read_key(raw: bytes) -> ApiKey:
    row = _decode.decode(raw)
    return ApiKey(
        key_id=row.api_key_id,
        name=row.name,
        scopes=tuple(row.scopes or ()),
        subaccount=None if row.subaccount is None else Subaccount(row.subaccount),
    )
