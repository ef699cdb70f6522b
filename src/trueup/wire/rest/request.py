"""Builds a `Call` from the table: the only place that writes paths and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from trueup.core.errors import CallerError
from trueup.core.instant import SECOND, Instant, to_seconds_floor
from trueup.wire.rest.call import Call
from trueup.wire.rest.reading import Answer
from trueup.wire.rest.table import OPERATIONS, Operation

T = TypeVar("T")

QueryValue = str | int | bool | Sequence[str] | None
"""What a query parameter may be; `None` and empty text leave it out.

Several values repeat the parameter; a comma-separated one is `joined` text.
"""

_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_LAST_SUBACCOUNT: Final = 63


def request(
    name: str,
    answer: Answer[T],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, QueryValue] | None = None,
    body: bytes | None = None,
    items: int = 1,
) -> Call[T]:
    """The call of the operation `name`.

    A listing without a ``limit`` asks for the largest page that the exchange
    gives.  `items` is the size of a batch, which is billed one by one.  Raises
    `CallerError` for a limit outside the exchange's bounds (it refuses those, it
    does not clamp) and for a path value that is empty.
    """
    operation = OPERATIONS[name]
    return Call(
        operation=name,
        method=operation.method,
        template=operation.template,
        path=_filled(operation.template, path or {}),
        decode=answer.decode,
        unknown_fields=answer.unknown_fields,
        query=_query(operation, query or {}),
        body=body,
        items=items,
        signed=operation.signed,
        idempotent=operation.idempotent,
        cost=operation.cost,
    )


def since(moment: Instant | None) -> int | None:
    """``min_ts`` for a moment: whole seconds, cut toward the past, so nothing is missed."""
    return None if moment is None else to_seconds_floor(moment)


def until(moment: Instant | None) -> int | None:
    """``max_ts`` for a moment: whole seconds, cut toward the future, so nothing is missed."""
    return None if moment is None else -(-moment // SECOND)


def joined(values: Iterable[str] | None) -> str | None:
    """A comma-separated list, the way the exchange takes several tickers."""
    return None if values is None else ",".join(values)


def _query(operation: Operation, given: Mapping[str, QueryValue]) -> tuple[tuple[str, str], ...]:
    values = dict(given)
    if operation.limit_maximum is not None:
        values[operation.limit_name] = _limit(operation, values.get(operation.limit_name))
    _check_subaccount(values.get("subaccount"))
    foreign = values.keys() - set(operation.query)
    if foreign:
        raise CallerError(f"{operation.name} has no parameter {', '.join(sorted(foreign))}")
    return tuple(
        (name, text) for name in operation.query for text in _texts(values.get(name)) if text
    )


def _limit(operation: Operation, asked: QueryValue) -> int:
    least, most = operation.limit_minimum, operation.limit_maximum or 0
    if asked is None:
        return most
    if not isinstance(asked, int) or not least <= asked <= most:
        raise CallerError(
            f"{operation.name} takes a limit from {least} to {most}, not {asked}",
            remedy="The exchange refuses other page sizes.",
        )
    return asked


def _check_subaccount(asked: QueryValue) -> None:
    if asked is not None and (not isinstance(asked, int) or not 0 <= asked <= _LAST_SUBACCOUNT):
        raise CallerError(f"subaccounts are numbered from 0 to {_LAST_SUBACCOUNT}, not {asked}")


def _texts(value: QueryValue) -> Sequence[str]:
    match value:
        case None:
            return ()
        case bool():
            return ("true" if value else "false",)
        case str() | int():
            return (str(value),)
        case _:
            return value


def _filled(template: str, values: Mapping[str, str]) -> str:
    parts = template.split("/")
    return "/".join(
        _segment(values[part[1:-1]]) if part.startswith("{") else part for part in parts
    )


def _segment(value: str) -> str:
    """One path segment.  Tickers and ids pass unchanged; what would change the
    path's shape is percent-encoded, so the path that is signed is the path sent.
    """
    if value in {"", ".", ".."}:
        raise CallerError(f"{value!r} is not an identifier of the exchange")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in value.encode())
