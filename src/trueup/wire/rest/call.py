"""A request to the exchange as a value.

A `Call[T]` says everything about one request: method, path, query, body,
token cost, whether it may be repeated, and how to decode the answer.  It is
written once; the async client, the sync client and the sandbox's router all
work from the same description.  Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)

DEFAULT_COST = 10
"""Tokens per request unless the exchange lists another cost (its rate-limit page)."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One record of a page that could not be decoded, with the reason.

    `unknown_word` is the word, with its field, that this version does not know,
    where that is the reason (``status=pending``).
    """

    raw: bytes
    reason: str
    unknown_word: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """One page of a listing.

    `raws[i]` is the payload that `items[i]` was decoded from.  `cursor` is empty
    on the last page.  `unknown_fields` are field names of the page's first
    record that this version does not know.
    """

    items: tuple[T_co, ...]
    raws: Sequence[bytes]
    cursor: str
    unreadable: tuple[Unreadable, ...] = ()
    unknown_fields: tuple[str, ...] = ()


def _knows_everything(_body: bytes) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T_co]):
    """One request.

    `operation` is the exchange's operation id (``GetBalance``).  `template` is
    the path with ``{placeholders}`` as in the exchange's documentation, `path`
    the same with values, both without the ``/trade-api/v2`` prefix.  `query`
    keeps its order.  `idempotent` calls may be retried.  `cost` is in tokens for
    each of the call's `items`: a batch is billed one by one.

    `decode` reads the body of a successful answer; it raises `ProtocolBroken`
    when the answer as a whole cannot be understood.  `unknown_fields` looks at
    the same body and names the fields of its record (of its first record, for
    a list) that this version does not know; it never raises.  A `Page` carries
    the same names.
    """

    operation: str
    method: str
    template: str
    path: str
    decode: Callable[[bytes], T_co]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    signed: bool = True
    idempotent: bool = True
    cost: int = DEFAULT_COST
    items: int = 1
    unknown_fields: Callable[[bytes], tuple[str, ...]] = _knows_everything

    def with_cursor(self, cursor: str) -> Call[T_co]:
        """The same call for the page that `cursor` names."""
        rest = tuple(pair for pair in self.query if pair[0] != "cursor")
        return replace(self, query=(*rest, ("cursor", cursor)))
