"""What the exchange says when it says no.

Four shapes of an error body have been seen, and a fifth is what stands in
front of the exchange when it is down:

- ``{"error": {"code", "message", "details"?, "service"?}}`` from authentication
  and from the exchange;
- ``{"code", "message", "details"?}`` from the reading of a request (with a
  number as code and a list as details where an old gateway answers);
- ``{"msg": "…"}`` from the check of query parameters;
- ``{"error": "too many requests"}`` from the rate limit;
- HTML, an empty body, or a body that was cut short.

Reading one never fails: whatever comes, there is a message for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

import msgspec

from trueup.wire.rest.reading import BROKEN_JSON


class ErrorShape(Enum):
    """The four shapes of a JSON error body, in the order of the list above."""

    NESTED = "nested"
    FLAT = "flat"
    PARAMETER = "parameter"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """`code` is the exchange's own word (may be empty), `message` is never empty,
    `details` its further words (may be empty).
    """

    code: str
    message: str
    details: str


_TEXT_SHOWN: Final = 200


def read_error(status: int, body: bytes) -> ErrorBody:
    """The error that a body with an HTTP status outside 2xx carries."""
    try:
        tree: object = msgspec.json.decode(body)
    except BROKEN_JSON:
        return _of_text(status, body)
    if not isinstance(tree, dict):
        return _of_text(status, body)
    record = cast("Mapping[str, Any]", tree)
    inner: object = record.get("error")
    if isinstance(inner, str) and inner:
        return ErrorBody("", inner, "")
    if isinstance(inner, dict):
        record = cast("Mapping[str, Any]", inner)
    code = _text(record.get("code"))
    details = _text(record.get("details"))
    message = _text(record.get("message")) or _text(record.get("msg")) or code or details
    return ErrorBody(code, message, details) if message else _of_text(status, body)


def _text(value: object) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode("utf-8", "backslashreplace")


def _of_text(status: int, body: bytes) -> ErrorBody:
    text = " ".join(body[: 4 * _TEXT_SHOWN].decode("utf-8", "backslashreplace").split())
    if not text:
        return ErrorBody("", f"HTTP {status} without a body", "")
    shown = text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}…"
    return ErrorBody("", f"HTTP {status} with a body that is no error of the exchange: {shown}", "")
