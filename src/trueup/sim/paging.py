"""Pages, newest first, with opaque cursors.

Every listing is a sequence that only ever grows at its end, and a cursor is a
place in it: so a client that follows the cursors sees every record exactly
once, also while new ones arrive.  A cursor that makes no sense, or belongs to
another listing, starts over at the first page, as on the wire; the last page
has the cursor "".
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from trueup.core.ids import EventTicker, OrderId, SeriesTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant

T = TypeVar("T")

LIMIT_DEFAULT: Final = 100

_SEPARATOR: Final = "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a request asks for.  Empty or `None` means: everything, or the endpoint's default.

    `max_at` and `min_at` are both included, `updated_after` is not.  `combos` asks
    for combos only, or for none.  `choice` is the endpoint's own
    word filter (``status`` or ``settlement_status``).
    """

    tickers: frozenset[Ticker] = frozenset()
    event_tickers: frozenset[EventTicker] = frozenset()
    series_ticker: SeriesTicker | None = None
    order_id: OrderId | None = None
    min_at: Instant | None = None
    max_at: Instant | None = None
    min_close_at: Instant | None = None
    max_close_at: Instant | None = None
    min_settled_at: Instant | None = None
    max_settled_at: Instant | None = None
    updated_after: Instant | None = None
    max_updated_at: Instant | None = None
    combos: bool | None = None
    choice: str = ""
    nonzero: frozenset[str] = frozenset()
    subaccount: Subaccount | None = None
    shard: Shard | None = None
    show_historical: bool = False
    limit: int = LIMIT_DEFAULT
    cursor: str = ""

    def covers(self, at: Instant) -> bool:
        """Whether `at` lies in the asked-for time."""
        after = self.min_at is None or at >= self.min_at
        return after and (self.max_at is None or at <= self.max_at)

    def concerns(self, ticker: Ticker) -> bool:
        """Whether a market is asked for."""
        return not self.tickers or ticker in self.tickers

    def reaches(self, subaccount: Subaccount, shard: Shard) -> bool:
        """Whether a subaccount on a shard is asked for."""
        return self.subaccount in {None, subaccount} and self.shard in {None, shard}


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page.  `cursor` is empty on the last one."""

    items: tuple[T, ...]
    cursor: str


def write_cursor(listing: str, place: int) -> str:
    """An opaque cursor for a place in a listing."""
    return urlsafe_b64encode(f"{listing}{_SEPARATOR}{place}".encode()).decode().rstrip("=")


def read_cursor(listing: str, cursor: str) -> int | None:
    """The place that a cursor names; `None` for "", garbage or another listing's."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    named, _, place = text.rpartition(_SEPARATOR)
    if named != listing or not place.isascii() or not place.isdigit():
        return None
    return int(place)


def page(
    rows: Sequence[T],
    query: Query,
    *,
    listing: str,
    wanted: Callable[[T], bool],
    lowest: int = 0,
    highest: int | None = None,
) -> Listing[T]:
    """The page of `rows` that `query` asks for, from the end of the sequence backwards.

    Only the places from `lowest` up to, not including, `highest` are looked at.
    `listing` names the sequence and whatever the cursor must agree with.
    """
    end = len(rows) if highest is None else min(highest, len(rows))
    place = read_cursor(listing, query.cursor)
    if place is not None:
        end = min(end, place)
    found: list[T] = []
    last = end
    for index in range(end - 1, lowest - 1, -1):
        row = rows[index]
        if not wanted(row):
            continue
        if len(found) == query.limit:
            return Listing(tuple(found), write_cursor(listing, last))
        found.append(row)
        last = index
    return Listing(tuple(found), "")
