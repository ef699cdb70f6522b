"""Request bodies: written by the client, read as strictly as the exchange reads them.

The exchange refuses a JSON number where a string belongs, in the words of its
own decoder (recorded June 2026); fields it does not know it ignores, and null
is the same as nothing.  What a missing field or a value outside its list gets
was not recorded: the plainest refusal of the same family stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

import msgspec

from trueup.core.errors import CallerError, TrueupError
from trueup.wire.rest.codecs import JsonType
from trueup.wire.rest.encode import to_json
from trueup.wire.rest.errors import ErrorBody, ErrorShape
from trueup.wire.rest.reading import BROKEN_JSON, UNREADABLE
from trueup.wire.rest.shapes import Field, Shape, parts

R = TypeVar("R")

_ANY: Final = msgspec.json.Decoder(Any, float_hook=Decimal)

_PRICE_CODE: Final = "invalid_price"
_COUNT_CODE: Final = "invalid_order_size"
_CODES: Final[Mapping[str, str]] = {"price": _PRICE_CODE, "count": _COUNT_CODE}
_OTHER_CODE: Final = "invalid_parameters"


class BodyRefused(CallerError):
    """A request body that the exchange would refuse: with which status, body and shape.

    `field` is the wire name of the field it is about, empty for the whole.
    """

    def __init__(self, refusal: ErrorBody, *, field: str = "", shape: ErrorShape) -> None:
        super().__init__(refusal.details or refusal.message)
        self.status = 400
        self.refusal = refusal
        self.field = field
        self.shape = shape


def write_body(shape: Shape[R], value: R) -> bytes:
    """The body of a request."""
    return to_json(shape.write(value))


def read_body(shape: Shape[R], body: bytes, *, also: Mapping[str, object] | None = None) -> R:
    """The request in `body`; `also` are fields that the path or the query names.

    Raises `BodyRefused`.
    """
    try:
        tree: object = _ANY.decode(body or b"{}")
    except BROKEN_JSON as error:
        raise _undecodable(str(error)) from error
    _check(shape, tree, shape.title)
    record = {**cast("dict[str, object]", tree), **(also or {})}
    _validate(shape, record)
    return shape.of_tree(record)


def _validate(shape: Shape[Any], record: Mapping[str, object]) -> None:
    for field in shape.fields:
        held = record.get(field.name)
        if held is None:
            if field.required:
                raise _invalid(shape, field, "required")
            continue
        if field.required and held == "":
            raise _invalid(shape, field, "required")
        if field.codec.words and field.codec.json_type is JsonType.STRING:
            if held not in field.codec.words:
                raise _invalid(shape, field, "oneof")
            continue
        if field.shape is not None:
            for part in parts(held):
                _validate(field.shape, cast("dict[str, object]", part))
            continue
        try:
            field.codec.read(held)
        except UNREADABLE as error:
            raise _unusable(field, error) from error


def _check(shape: Shape[Any], tree: object, path: str) -> None:
    """The exchange's decoder: every value must have the JSON type of its field."""
    if not isinstance(tree, dict):
        raise _undecodable(
            f"json: cannot unmarshal {_kind(tree)} into Go value of type {shape.title}"
        )
    record = cast("dict[str, object]", tree)
    for field in shape.fields:
        held = None if field.of_path else record.get(field.name)
        if held is None:
            continue
        wanted, found = field.codec.json_type, _kind(held)
        where = f"{path}.{field.name}"
        if wanted is not JsonType.ANY and found != wanted:
            raise _mistyped(found, where, field.codec.go_type)
        if wanted is JsonType.NUMBER and isinstance(held, Decimal):
            raise _mistyped(f"{found} {held}", where, field.codec.go_type)
        if field.shape is not None:
            for part in parts(held):
                _check(field.shape, part, where)


def _kind(value: object) -> str:
    match value:
        case bool():
            return JsonType.BOOL
        case int() | Decimal():
            return JsonType.NUMBER
        case str():
            return JsonType.STRING
        case list():
            return JsonType.ARRAY
        case None:
            return "null"
        case _:
            return JsonType.OBJECT


def _mistyped(found: str, where: str, go_type: str) -> BodyRefused:
    return _undecodable(
        f"json: cannot unmarshal {found} into Go struct field {where} of type {go_type}",
        field=where.rpartition(".")[2],
    )


def _undecodable(details: str, *, field: str = "") -> BodyRefused:
    body = ErrorBody("bad_request", "bad request", details)
    return BodyRefused(body, field=field, shape=ErrorShape.FLAT)


def _invalid(shape: Shape[Any], field: Field, rule: str) -> BodyRefused:
    name = "".join(part.capitalize() for part in field.name.split("_"))
    details = f"Key: '{shape.title}.{name}' Error:Field validation for '{name}' failed on the '{rule}' tag"
    body = ErrorBody(_OTHER_CODE, _OTHER_CODE.replace("_", " "), details)
    return BodyRefused(body, field=field.name, shape=ErrorShape.NESTED)


def _unusable(field: Field, error: Exception) -> BodyRefused:
    """A string that is no number, is finer than its unit, or out of range."""
    code = _CODES.get(field.name, _OTHER_CODE)
    details = f"{field.name}: {error}" if isinstance(error, TrueupError) else field.name
    body = ErrorBody(code, code.replace("_", " "), details)
    return BodyRefused(body, field=field.name, shape=ErrorShape.NESTED)
