"""A request to the exchange as a value.

A `Call[T]` says everything about one request: method, path, query, body,
token cost, whether it may be repeated, and how to decode the answer.  It is
written once; the async client, the sync client and the sandbox's router all
work from the same description.  Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_COST = 10
"""Tokens per request unless the exchange lists another cost (its rate-limit page)."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One record of a page that could not be decoded, with the reason."""

    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing.

    `raws[i]` is the payload that `items[i]` was decoded from.  `cursor` is empty
    on the last page.  `unknown_fields` are field names of the page's first
    record that this version does not know.
    """

    items: tuple[T, ...]
    raws: tuple[bytes, ...]
    cursor: str
    unreadable: tuple[Unreadable, ...] = ()
    unknown_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request.

    `operation` is the exchange's operation id (``GetBalance``).  `template` is
    the path with ``{placeholders}`` as in the exchange's documentation, `path`
    the same with values, both without the ``/trade-api/v2`` prefix.  `query`
    keeps its order.  `idempotent` calls may be retried.
    """

    operation: str
    method: str
    template: str
    path: str
    decode: Callable[[bytes], T]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    signed: bool = True
    idempotent: bool = True
    cost: int = DEFAULT_COST

    def with_cursor(self, cursor: str) -> Call[T]:
        """The same call for the page that `cursor` names."""
        rest = tuple(pair for pair in self.query if pair[0] != "cursor")
        return replace(self, query=(*rest, ("cursor", cursor)))
