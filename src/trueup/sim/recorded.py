"""Recorded answers as an exchange: what was seen once is answered again, verbatim.

Items are the exchange's own JSON objects, already parsed by the caller; their
raw text is given back unchanged.  Nothing is computed: a recording has no
archive, and what it does not hold does not exist.  Filters look at the fields
that the exchange itself would look at, in the present and in older forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.errors import NotANumber
from trueup.core.instant import SECOND, Instant, from_seconds, parse_instant
from trueup.sim.market_surface import STATUS_FILTERS
from trueup.sim.paging import Listing, Query, page

STREAMS: Final = {
    "fills": ("created_time", "ts"),
    "settlements": ("settled_time",),
    "orders": ("created_time",),
    "positions": ("last_updated_ts",),
    "balances": ("updated_ts",),
    "markets": ("created_time", "open_time"),
    "events": ("last_updated_ts",),
    "series": ("last_updated_ts",),
    "deposits": ("created_ts",),
    "withdrawals": ("created_ts",),
    "subaccount_balances": ("updated_ts",),
    "subaccount_transfers": ("created_ts",),
    "shard_transfers": ("created_ts",),
    "series_fee_changes": ("scheduled_ts",),
    "event_fee_changes": ("scheduled_ts",),
    "historical_fills": ("created_time", "ts"),
    "historical_orders": ("created_time",),
    "historical_positions": ("last_updated_ts",),
    "historical_markets": ("created_time", "open_time"),
}
"""Every stream that a recording may hold, and the fields that tell its items' time."""

_EVENT_FIELDS: Final = ("event_ticker",)
_TICKER_FIELDS: Final = ("ticker", "market_ticker")


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """One REST item: its fields and the text they came from."""

    fields: Mapping[str, object]
    raw: bytes


class Recording:
    """Items by stream.  Unknown streams are refused by the caller, who knows the files."""

    def __init__(self, items: Mapping[str, Iterable[RecordedItem]]) -> None:
        self._items: dict[str, list[RecordedItem]] = {
            stream: sorted(items.get(stream, ()), key=lambda item, s=stream: _time(s, item))
            for stream in STREAMS
        }
        for stream in ("positions", "historical_positions"):
            # Of several recorded states of a position, a listing shows the newest.
            newest = {_owner(item): item for item in self._items[stream]}
            self._items[stream] = [
                item for item in self._items[stream] if newest[_owner(item)] is item
            ]

    def border(self, live: str, historical: str) -> Instant:
        """Where the live tier begins: with its oldest item, if anything is archived at all."""
        if not self._items[historical]:
            return Instant(0)
        if self._items[live]:
            return _time(live, self._items[live][0])
        return Instant(_time(historical, self._items[historical][-1]) + SECOND)

    def items(self, stream: str) -> Sequence[RecordedItem]:
        """All items of a stream, oldest first."""
        return self._items[stream]

    def listing(self, stream: str, query: Query) -> Listing[RecordedItem]:
        """One page of a stream, newest first."""
        return page(
            self._items[stream],
            query,
            listing=f"recorded {stream} {query.choice}",
            wanted=lambda item: _matches(stream, item, query),
        )

    def balance(self, at: Instant, query: Query) -> RecordedItem | None:
        """The reading that held at `at`: the last one until then, else the first one."""
        fitting = [
            item
            for item in self._items["balances"]
            if _number(item, "subaccount_number") == (query.subaccount or 0)
            and query.shard in {None, _number(item, "exchange_index")}
        ]
        earlier = [item for item in fitting if _time("balances", item) <= at]
        return earlier[-1] if earlier else next(iter(fitting), None)

    def find(self, stream: str, field: str, value: str) -> RecordedItem | None:
        """The latest item whose `field` is `value`."""
        found = (item for item in reversed(self._items[stream]) if item.fields.get(field) == value)
        return next(found, None)


def _matches(stream: str, item: RecordedItem, query: Query) -> bool:
    return (
        (not query.tickers or _text(item, _TICKER_FIELDS) in query.tickers)
        and (not query.event_tickers or _text(item, _EVENT_FIELDS) in query.event_tickers)
        and query.series_ticker in {None, item.fields.get("series_ticker")}
        and query.order_id in {None, item.fields.get("order_id")}
        and query.subaccount in {None, _number(item, "subaccount_number")}
        and query.shard in {None, _number(item, "exchange_index")}
        and query.covers(_time(stream, item))
        and _has_status(stream, item, query.choice)
    )


def _has_status(stream: str, item: RecordedItem, choice: str) -> bool:
    if not choice:
        return True
    status = item.fields.get("status")
    if stream.endswith("markets"):
        return status in STATUS_FILTERS[choice]
    # Recorded positions do not say whether they are settled.
    return stream.endswith("positions") or status == choice


def _text(item: RecordedItem, names: Iterable[str]) -> str:
    for name in names:
        value = item.fields.get(name)
        if isinstance(value, str):
            return value
    return ""


def _number(item: RecordedItem, name: str) -> int:
    """A number that says where an item belongs; what is not named belongs to 0."""
    value = item.fields.get(name)
    return value if isinstance(value, int) else 0


def _owner(item: RecordedItem) -> tuple[str, str]:
    """Whose position it is: the market and, where the recording says so, the subaccount."""
    fields = item.fields
    return str(fields.get("ticker", "")), str(fields.get("subaccount_number", ""))


def _time(stream: str, item: RecordedItem) -> Instant:
    """When an item is from; the beginning of time where it does not say."""
    for name in STREAMS[stream]:
        value = item.fields.get(name)
        if isinstance(value, int):
            return from_seconds(value)
        if isinstance(value, str):
            try:
                return parse_instant(value)
            except NotANumber:
                continue
    return Instant(0)
