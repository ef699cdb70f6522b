"""From messages to core values: what the client hears.

The opposite of `to_wire`.  All forms that were ever sent are read: dollars and
fixed-point counts first, whole cents and whole contracts where those are
missing (before March 2026).  Everything here raises one of `UNREADABLE` for a
message that cannot be understood in full; nothing is guessed.

Order books have a quick way in, `price_units` and `count_units`, because they
make up nearly all traffic.  There are only 10,001 prices, and sizes repeat, so
each text is parsed once and then looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from trueup.core import announcements as a
from trueup.core.errors import FinerThanUnit, NotANumber, ProtocolBroken
from trueup.core.ids import ClientOrderId, EventTicker, SeriesTicker, Shard, Subaccount, Ticker
from trueup.core.ids import TradeId as TradeIdOf
from trueup.core.instant import Instant
from trueup.core.orderbook import BookDelta, BookSnapshot, OrderBook
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire import values
from trueup.wire.values import Number
from trueup.wire.ws import bodies as b
from trueup.wire.ws import messages as m

__all__ = ["UNREADABLE", "Units", "announcement", "book_delta", "book_levels"]

T = TypeVar("T")

UNREADABLE: Final = (
    ProtocolBroken,
    NotANumber,
    FinerThanUnit,
    InvalidOperation,
    msgspec.MsgspecError,
)
"""What a message can fail with."""

_TEXTS_MAX: Final = 1 << 16
_DIGITS_MAX: Final = 18
_ONE: Final = 10_000
_MICRODOLLARS_PER_OLD_UNIT: Final = 100
"""Before March 2026 ``market_position`` told amounts in 1/10,000 dollars."""


class Units(dict[object, int]):
    """Parsed decimal texts by the text, as units; what is new is parsed when it is asked for."""

    def __init__(self, parse: Callable[[str], int]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: object) -> int:
        if not isinstance(text, str):
            raise ProtocolBroken(f"{text!r} stands where a decimal text belongs")
        if len(self) >= _TEXTS_MAX:
            self.clear()
        units = self[text] = self._parse(text)
        return units


price_units: Final = Units(lambda text: values.price(text).units)
"""Price units by text.  A cache of a pure function: whoever shares it sees no difference."""


def _parse_count(text: str) -> int:
    """Count units of a signed text; fixed-format text has a quick way of its own."""
    if text[-3:-2] == ".":
        digits = text[:-3] + text[-2:]
        plain = digits.removeprefix("-")
        if len(plain) <= _DIGITS_MAX and plain.isascii() and plain.isdecimal():
            return int(digits)
    return values.count(text).units


count_units: Final = Units(_parse_count)
"""Count units by text, signed."""


def given(value: T | UnsetType | None) -> T | None:
    """The value of an optional field; `None` for one that is absent or null."""
    return None if value is UNSET else value


# -- order books ---------------------------------------------------------------


def book_levels(
    body: b.SnapshotBody, *, use_yes_price: bool
) -> tuple[dict[int, int], dict[int, int]]:
    """Bids and asks of a snapshot: YES price units → count units.

    Without `use_yes_price` the NO side came in NO prices.  A side whose key is
    absent is empty.
    """
    bids = _side_levels(body.yes_dollars_fp, body.yes_dollars, body.yes)
    asks = _side_levels(body.no_dollars_fp, body.no_dollars, body.no)
    if not use_yes_price:
        asks = {_ONE - price: count for price, count in asks.items()}
    return bids, asks


def _side_levels(present: b.Levels, old: b.Levels, oldest: b.Levels) -> dict[int, int]:
    # Both forms may come side by side: whole cents leave out what lies between them.
    dollars = given(present)
    if dollars is None:
        dollars = given(old)
    if dollars is None:
        cents = given(oldest) or ()
        levels = [(values.price_of_cents(p).units, _count_units(c)) for p, c in cents]
    else:
        levels = [(values.price(p).units, _count_units(c)) for p, c in dollars]
    found = dict(levels)
    if len(found) != len(levels):
        raise ProtocolBroken("a snapshot with one price twice")
    if any(count < 0 for count in found.values()):
        raise ProtocolBroken("a snapshot with a level below zero")
    return {price: count for price, count in found.items() if count}


def _count_units(value: Number) -> int:
    return count_units[value] if isinstance(value, str) else values.count(value).units


def delta_units(body: b.DeltaBody, *, use_yes_price: bool) -> tuple[bool, int, int]:
    """Whether it is a bid, the YES price and the signed change, in units."""
    is_bid = values.word(values.SIDES, body.side, "side") is Side.YES
    dollars, cents = given(body.price_dollars), given(body.price)
    if dollars is not None:
        price = values.price(dollars).units
    elif cents is not None:
        price = values.price_of_cents(cents).units
    else:
        raise ProtocolBroken("a change of a book without a price")
    change = given(body.delta_fp)
    if change is None:
        change = given(body.delta)
    if change is None:
        raise ProtocolBroken("a change of a book without a count")
    return is_bid, price if is_bid or use_yes_price else _ONE - price, _count_units(change)


def book_delta(body: b.DeltaBody, *, use_yes_price: bool) -> BookDelta:
    """A change of a book as a core value."""
    is_bid, price, change = delta_units(body, use_yes_price=use_yes_price)
    client_order_id, subaccount = given(body.client_order_id), given(body.subaccount)
    milliseconds, text = given(body.ts_ms), given(body.ts)
    at = None
    if milliseconds is not None:
        at = values.instant_of_milliseconds(milliseconds)
    elif text:
        at = values.instant(text)
    return BookDelta(
        ticker=Ticker(body.market_ticker),
        side=Side.YES if is_bid else Side.NO,
        price=Price(price),
        change=Count(change),
        at=at,
        clock=given(body.clock) or 0,
        client_order_id=None if client_order_id is None else ClientOrderId(client_order_id),
        subaccount=None if subaccount is None else Subaccount(subaccount),
    )


def book_told(
    body: b.SnapshotBody | b.DeltaBody, book: OrderBook, *, use_yes_price: bool
) -> BookSnapshot | BookDelta:
    """What a book was just given, as an announcement."""
    if isinstance(body, b.SnapshotBody):
        return book.snapshot()
    return book_delta(body, use_yes_price=use_yes_price)


# -- public --------------------------------------------------------------------


def _trade(message: m.Trade) -> a.TradeAnnounced:
    body = message.msg
    return a.TradeAnnounced(
        trade_id=TradeIdOf(body.trade_id),
        ticker=Ticker(body.market_ticker),
        price=yes_price(
            body.yes_price_dollars, body.no_price_dollars, body.yes_price, body.no_price
        ),
        count=counted(body.count_fp, body.count),
        taker_side=values.fill_side(
            given(body.taker_outcome_side), given(body.taker_book_side), given(body.taker_side)
        ),
        is_block=given(body.is_block_trade) is True,
        at=when(body.ts_ms, body.ts),
    )


def _ticker(message: m.Ticker) -> a.TickerAnnounced:
    body = message.msg
    zero = Count(0)
    return a.TickerAnnounced(
        ticker=Ticker(body.market_ticker),
        last=_dollars_or_cents(body.price_dollars, body.price),
        yes_bid=_dollars_or_cents(body.yes_bid_dollars, body.yes_bid),
        yes_ask=_dollars_or_cents(body.yes_ask_dollars, body.yes_ask),
        bid_count=optional_count(body.yes_bid_size_fp) or zero,
        ask_count=optional_count(body.yes_ask_size_fp) or zero,
        last_count=optional_count(body.last_trade_size_fp) or zero,
        volume=counted(body.volume_fp, body.volume),
        open_interest=counted(body.open_interest_fp, body.open_interest),
        dollar_volume=given(body.dollar_volume) or 0,
        dollar_open_interest=given(body.dollar_open_interest) or 0,
        at=when(body.ts_ms, body.ts),
    )


def _lifecycle(message: m.MarketLifecycle | m.ComboLifecycle) -> a.MarketAnnounced:
    body = message.msg
    changes = {one.value: one for one in a.MarketChange}
    settlement, shard = given(body.settlement_value), given(body.exchange_index)
    return a.MarketAnnounced(
        ticker=Ticker(body.market_ticker),
        change=values.word(changes, body.event_type, "event_type"),
        open_at=_optional_seconds(body.open_ts),
        close_at=_optional_seconds(body.close_ts),
        determined_at=_optional_seconds(body.determination_ts),
        settled_at=_optional_seconds(body.settled_ts),
        result=given(body.result),
        settlement_value=None if settlement is None else values.price(settlement),
        is_deactivated=given(body.is_deactivated),
        price_level_structure=given(body.price_level_structure),
        price_ranges=tuple(
            a.PriceBand(
                start=values.price(band.start),
                end=values.price(band.end),
                step=values.price(band.step),
            )
            for band in given(body.price_ranges) or ()
        ),
        shard=None if shard is None else Shard(shard),
        is_combo=isinstance(message, m.ComboLifecycle),
        details=_details(body),
    )


def _details(body: b.LifecycleBody) -> Mapping[str, object]:
    found: dict[str, object] = {}
    metadata = given(body.additional_metadata)
    if metadata is not None:
        found.update(cast("dict[str, object]", _json(metadata) or {}))
    for name in ("floor_strike", "cap_strike", "custom_strike"):
        raw = cast("msgspec.Raw | UnsetType", getattr(body, name))
        if not isinstance(raw, UnsetType):
            found[name] = _json(raw)
    for name in ("strike_type", "yes_sub_title"):
        text = given(cast("b.Text", getattr(body, name)))
        if text is not None:
            found[name] = text
    return found


def _event(message: m.EventLifecycle) -> a.EventAnnounced:
    body = message.msg
    return a.EventAnnounced(
        event_ticker=EventTicker(body.event_ticker),
        series_ticker=SeriesTicker(given(body.series_ticker) or ""),
        title=given(body.title) or "",
        subtitle=given(body.subtitle) or "",
        collateral_return=given(body.collateral_return_type) or "",
        strike_at=_optional_seconds(body.strike_date),
        strike_period=given(body.strike_period),
        shard=Shard(given(body.exchange_index) or 0),
    )


def _event_fees(message: m.EventFeeUpdate) -> a.EventFeesAnnounced:
    body = message.msg
    multiplier = _json(body.fee_multiplier_override)
    return a.EventFeesAnnounced(
        event_ticker=EventTicker(body.event_ticker),
        fee_type=body.fee_type_override,
        fee_multiplier=None if multiplier is None else values.ratio(Decimal(str(multiplier))),
    )


def _cf_benchmarks(message: m.CfBenchmarksValue) -> a.IndexAnnounced:
    body = message.msg
    return a.IndexAnnounced(
        source="cfbenchmarks_value",
        index_id=body.index_id,
        value=None,
        source_at=None,
        received_at=values.instant_of_milliseconds(body.received_at),
        frame=body.data,
        minute=_average(given(body.avg_60s_data)),
        quarter_hour=_average(given(body.last_60s_windowed_average_15min)),
    )


def _cf_benchmarks_5hz(message: m.CfBenchmarks5HzValue) -> a.IndexAnnounced:
    body = message.msg
    return a.IndexAnnounced(
        source="cfbenchmarks_value_5hz",
        index_id=body.index_id,
        value=_figure(body.value_usd),
        source_at=values.instant_of_milliseconds(body.source_ts_ms),
        received_at=values.instant_of_milliseconds(body.received_at),
        frame=given(body.data) or "",
    )


def _pyth(message: m.PythValue) -> a.IndexAnnounced:
    body = message.msg
    return a.IndexAnnounced(
        source="pyth_value",
        index_id=body.underlying_ticker,
        value=_figure(body.value_usd),
        source_at=values.instant_of_milliseconds(body.source_ts_ms),
        received_at=values.instant_of_milliseconds(body.received_at),
    )


def _average(body: b.AverageBody | None) -> a.IndexAverage | None:
    if body is None:
        return None
    return a.IndexAverage(
        value=_figure(body.value),
        ticks=body.window_size,
        start=values.instant_of_milliseconds(body.window_start_ts_ms),
        end=values.instant_of_milliseconds(body.window_end_ts_exclusive),
    )


def _figure(value: Number) -> Ratio:
    """A foreign figure, exactly; it has no unit of ours."""
    figure = Decimal(value)
    if not figure.is_finite():
        raise NotANumber(f"{value!r} is not a figure")
    return Ratio(figure)


# -- shared --------------------------------------------------------------------


def yes_price(yes: b.Figure, no: b.Figure, yes_cents: b.Figure, no_cents: b.Figure) -> Price:
    """The YES price, from the YES fields first."""
    found = given(yes)
    if found is not None:
        return values.price(found)
    found = given(yes_cents)
    if found is not None:
        return values.price_of_cents(found)
    found = given(no)
    if found is not None:
        return values.price(found).complement()
    found = given(no_cents)
    if found is not None:
        return values.price_of_cents(found).complement()
    raise ProtocolBroken("a message without its price")


def counted(present: b.Figure, old: b.Figure) -> Count:
    """A count that must be there, in either form."""
    if type(present) is str:
        return values.count_of_text(present)
    stated = given(present)
    if stated is None:
        stated = given(old)
    if stated is None:
        raise ProtocolBroken("a message without its count")
    return values.count(stated)


def optional_count(value: b.Figure) -> Count | None:
    """A count that may be absent."""
    if type(value) is str:
        return values.count_of_text(value)
    stated = given(value)
    return None if stated is None else values.count(stated)


def money(dollars: b.Figure, old: b.Whole) -> Money:
    """An amount in dollars, or in the old form's 1/10,000 dollars."""
    stated = given(dollars)
    if stated is not None:
        return values.dollars(stated)
    units = given(old)
    if units is None:
        raise ProtocolBroken("a message without its amount")
    return Money(units * _MICRODOLLARS_PER_OLD_UNIT)


def when(milliseconds: b.Whole, seconds: b.Whole) -> Instant:
    """The time of a message: milliseconds where given."""
    stated = given(milliseconds)
    if stated is not None:
        return values.instant_of_milliseconds(stated)
    stated = given(seconds)
    if stated is None:
        raise ProtocolBroken("a message without its time")
    return values.instant_of_seconds(stated)


def _dollars_or_cents(dollars: b.Figure, cents: b.Figure) -> Price:
    if type(dollars) is str:
        return values.price_of_text(dollars)
    return yes_price(dollars, None, cents, None)


def _optional_seconds(value: b.Whole) -> Instant | None:
    seconds = given(value)
    return None if seconds is None else values.instant_of_seconds(seconds)


_exact: Final = msgspec.json.Decoder(float_hook=Decimal)


def _json(raw: msgspec.Raw) -> object:
    return _exact.decode(raw)


_Readers = Mapping[type[m.Message], Callable[[Any], a.Announcement]]
_PUBLIC: Final = cast(
    "_Readers",
    {
        m.Trade: _trade,
        m.Ticker: _ticker,
        m.MarketLifecycle: _lifecycle,
        m.ComboLifecycle: _lifecycle,
        m.EventLifecycle: _event,
        m.EventFeeUpdate: _event_fees,
        m.CfBenchmarksValue: _cf_benchmarks,
        m.CfBenchmarks5HzValue: _cf_benchmarks_5hz,
        m.PythValue: _pyth,
    },
)


def announcement(message: m.News) -> a.Announcement:
    """What a message of the public channels says, but for order books."""
    return _PUBLIC[type(message)](message)
