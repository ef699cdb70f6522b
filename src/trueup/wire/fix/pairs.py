"""A body as numbers and values, in order: nothing is interpreted, nothing is lost.

Text is UTF-8; bytes that are not survive as surrogates, so that writing what was read
gives the same bytes.

Most bodies are fields without ``=`` in their values.  Whether one is can be seen by
deleting every other byte: what is left must be ``=`` and SOH in turn.  Then a single
split gives all numbers and values.  Everything else (signatures in base64, data fields
that may hold SOH, broken fields) is read field by field.
"""

from __future__ import annotations

import re
from typing import Final

from trueup.wire.fix.errors import MalformedField, WrongValue
from trueup.wire.fix.fields import FIELDS
from trueup.wire.fix.frame import SOH, shown

_OTHERS: Final = bytes(byte for byte in range(256) if byte not in b"=\x01")
_EQUALS_TO_SOH: Final = bytes.maketrans(b"=", b"\x01")
_DATA_OF_LENGTH: Final = {
    str(each.length_tag): str(each.tag) for each in FIELDS.values() if each.length_tag
}
_LENGTH_MARKS: Final = tuple(f"\x01{tag}=".encode() for tag in _DATA_OF_LENGTH)
_TAG: Final = re.compile(r"[1-9][0-9]{0,8}\Z")
_SOH: Final = b"\x01"

Pairs = tuple[list[str], list[str]]
"""Numbers and values, index by index."""


def split_body(body: bytes) -> Pairs:
    """The numbers and values of a body; raises `MalformedField` or `WrongValue`."""
    skeleton = body.translate(None, _OTHERS)
    plain = skeleton == b"=\x01" * (len(skeleton) >> 1)
    for mark in _LENGTH_MARKS:
        plain = plain and mark not in body
    if not plain:
        return _scan(body)
    flat = body.translate(_EQUALS_TO_SOH).decode("utf-8", "surrogateescape").split(SOH)
    return flat[:-1:2], flat[1::2]


def join_body(tags: list[str], values: list[str]) -> bytes:
    """The body again: the reverse of `split_body`."""
    text = "".join([f"{tag}={value}\x01" for tag, value in zip(tags, values, strict=True)])
    return text.encode("utf-8", "surrogateescape")


def is_tag(text: str) -> bool:
    """Whether text is a field number: decimal, no leading zero."""
    return _TAG.match(text) is not None


def _scan(body: bytes) -> Pairs:
    tags: list[str] = []
    values: list[str] = []
    start, size = 0, len(body)
    announced: tuple[str, int] | None = None
    while start < size:
        equals = body.find(b"=", start)
        stop = body.find(_SOH, start)
        if equals < 0 or stop < 0 or equals > stop:
            piece = shown(body[start : stop if stop >= 0 else size])
            raise MalformedField(f"{piece!r} is not a field", evidence=shown(body))
        tag = body[start:equals].decode("utf-8", "surrogateescape")
        if announced is not None and announced[0] == tag:
            stop = equals + 1 + announced[1]
            if body[stop : stop + 1] != _SOH:
                raise WrongValue(
                    f"field {tag} should be {announced[1]} bytes long and is not",
                    tag=int(tag),
                    evidence=shown(body),
                )
        value = body[equals + 1 : stop].decode("utf-8", "surrogateescape")
        announced = _announced(tag, value)
        tags.append(tag)
        values.append(value)
        start = stop + 1
    return tags, values


def _announced(tag: str, value: str) -> tuple[str, int] | None:
    """What a length field says about the field after it."""
    data = _DATA_OF_LENGTH.get(tag)
    if data is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < len("1000000")):
        raise WrongValue(f"{value!r} is not a length", tag=int(tag))
    return data, int(value)
