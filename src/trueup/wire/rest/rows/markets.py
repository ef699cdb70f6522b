"""Markets: ``/markets`` and ``/historical/markets``.

A market record has some fifty fields, and most readers want few of them: the
ledger wants the result, a scanner the quote.  So a `MarketDetail` keeps the
fields that are read as they were received, and converts them when `market`,
`stated` or `quote` is asked for.  What could go wrong then is checked while
decoding: words by their type, times and prices by reading them (most texts were
read before: there are only 10,001 prices), counts by their form.  A market that
decoded never fails later.

This file has two ways to the same value.  The quick one knows the present form
only.  Whatever it cannot take (the cents of before March 2026, shapes in
between, bare numbers) goes the patient way, which reads every value at once
and writes it down in the present form.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from trueup.core.catalog import Market, Quote
from trueup.core.errors import ProtocolBroken
from trueup.core.ids import EventTicker, Shard, Ticker
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.quick import quickly
from trueup.core.statements import MarketStated
from trueup.core.units import Count, Price
from trueup.wire import values
from trueup.wire.rest.reading import RecordDecoder, field_names
from trueup.wire.values import Number

KNOWN: Final = field_names(
    """
    ticker event_ticker market_type title subtitle yes_sub_title no_sub_title created_time
    updated_time open_time close_time expected_expiration_time expiration_time
    latest_expiration_time settlement_timer_seconds status yes_bid_dollars yes_bid_size_fp
    yes_ask_dollars yes_ask_size_fp no_bid_dollars no_ask_dollars last_price_dollars volume_fp
    volume_24h_fp result can_close_early open_interest_fp notional_value_dollars
    previous_yes_bid_dollars previous_yes_ask_dollars previous_price_dollars
    settlement_value_dollars settlement_ts expiration_value occurrence_datetime
    fee_waiver_expiration_time early_close_condition strike_type floor_strike cap_strike
    functional_strike custom_strike rules_primary rules_secondary mve_collection_ticker
    mve_selected_legs primary_participant_key price_level_structure price_ranges is_provisional
    exchange_index settlement_bounds_type settlement_floor_dollars
    yes_bid yes_ask no_bid no_ask last_price volume volume_24h open_interest notional_value
    previous_yes_bid previous_yes_ask previous_price settlement_value liquidity liquidity_dollars
    tick_size response_price_units fractional_trading_enabled category risk_limit_cents
    """
)
"""The second group was dropped between March and October 2026."""

_LONGEST_QUICK_COUNTS: Final = 25
"""Of the three counts together.  Longer ones are read in full, which checks their size."""


class _Result(StrEnum):
    """The words of ``result``: empty until the market is determined."""

    OPEN = ""
    YES = "yes"
    NO = "no"
    SCALAR = "scalar"


_RESULTS: Final = {
    _Result.OPEN: None,
    _Result.YES: MarketResult.YES,
    _Result.NO: MarketResult.NO,
    _Result.SCALAR: MarketResult.SCALAR,
}
_market: Final = quickly(Market)
_stated: Final = quickly(MarketStated)
_quote: Final = quickly(Quote)
_STATUSES: Final = {status.value: status for status in MarketStatus}
_RESULT_WORDS: Final = {result.value: result for result in _Result}


class MarketDetail(msgspec.Struct, frozen=True, gc=False):
    """One market: its place in the catalog, what is stated about its life, its quote."""

    ticker: Ticker
    event_ticker: EventTicker
    status: MarketStatus
    _result: _Result = msgspec.field(name="result")
    _open_time: str | None = msgspec.field(name="open_time")
    _close_time: str | None = msgspec.field(name="close_time")
    _yes_bid: str = msgspec.field(name="yes_bid_dollars")
    _yes_ask: str = msgspec.field(name="yes_ask_dollars")
    _last_price: str = msgspec.field(name="last_price_dollars")
    _volume: str = msgspec.field(name="volume_fp")
    _volume_24h: str = msgspec.field(name="volume_24h_fp")
    _open_interest: str = msgspec.field(name="open_interest_fp")
    _title: str = msgspec.field(name="title", default="")
    _yes_title: str = msgspec.field(name="yes_sub_title", default="")
    _expiration_time: str | None = msgspec.field(name="expected_expiration_time", default=None)
    _settled: str | None = msgspec.field(name="settlement_ts", default=None)
    _waiver: str | None = msgspec.field(name="fee_waiver_expiration_time", default=None)
    _settlement_value: str | None = msgspec.field(name="settlement_value_dollars", default=None)
    shard: Shard = msgspec.field(name="exchange_index", default=Shard(0))

    @property
    def market(self) -> Market:
        """The market's place in the catalog."""
        return _market(
            ticker=self.ticker,
            event_ticker=self.event_ticker,
            title=self._title or self._yes_title,
            open_at=values.optional_instant(self._open_time),
            close_at=values.optional_instant(self._close_time),
            expected_expiration_at=values.optional_instant(self._expiration_time),
            fee_waiver_until=values.optional_instant(self._waiver),
            shard=self.shard,
        )

    @property
    def stated(self) -> MarketStated:
        """What the exchange says about the market's life, result and settlement."""
        value = self._settlement_value
        return _stated(
            ticker=self.ticker,
            event_ticker=self.event_ticker,
            status=self.status,
            result=_RESULTS[self._result],
            settlement_value=values.price(value) if value else None,
            close_at=values.optional_instant(self._close_time),
            settled_at=values.optional_instant(self._settled),
            shard=self.shard,
        )

    @property
    def quote(self) -> Quote:
        """The top of the book.

        An empty side is shown as a bid of 0 or an ask of 1, which nobody can
        trade: both are `None` here, as is a last price of 0.
        """
        return _quote(
            ticker=self.ticker,
            yes_bid=values.quoted_price(self._yes_bid),
            yes_ask=values.quoted_price(self._yes_ask),
            last=values.price_of_text(self._last_price) or None,
            volume=_volume(self._volume),
            volume_24h=_volume(self._volume_24h),
            open_interest=_volume(self._open_interest),
        )

    def check(self) -> None:
        """Raise what `market`, `stated` or `quote` would raise."""
        price = values.price_of_text
        price(self._yes_bid)
        price(self._yes_ask)
        price(self._last_price)
        if self._settlement_value:
            price(self._settlement_value)
        instant = values.optional_instant
        instant(self._open_time)
        instant(self._close_time)
        instant(self._expiration_time)
        if self._settled:
            instant(self._settled)
        if self._waiver:
            instant(self._waiver)
        volume, day, interest = self._volume, self._volume_24h, self._open_interest
        together = volume + day + interest
        if (
            len(together) > _LONGEST_QUICK_COUNTS
            or not volume[-3:-2] == day[-3:-2] == interest[-3:-2] == "."
            or not together.isascii()
            or not together.replace(".", "", 3).isdecimal()
        ):
            values.volume(volume)
            values.volume(day)
            values.volume(interest)


def _volume(text: str) -> Count:
    """A count that `MarketDetail.check` has found to be one."""
    return Count(int(text[:-3] + text[-2:])) if text[-3:-2] == "." else values.volume(text)


_decode: Final = msgspec.json.Decoder(MarketDetail)


def read_market(raw: bytes) -> MarketDetail:
    """One market, in any form."""
    try:
        detail = _decode.decode(raw)
    except msgspec.ValidationError:
        return _read_patiently(raw)
    detail.check()
    if "\0" in f"{detail.ticker}{detail.event_ticker}{detail.market.title}":
        raise ProtocolBroken("a market whose names hold the character NUL")
    return detail


class _MarketsAnswer(msgspec.Struct):
    markets: list[MarketDetail]
    cursor: str | None = None


_decode_all: Final = msgspec.json.Decoder(_MarketsAnswer)


def read_markets(body: bytes) -> tuple[list[MarketDetail], str]:
    """All markets of a listing at once, with the cursor; raises when any is not of
    the present form.
    """
    answer = _decode_all.decode(body)
    for detail in answer.markets:
        detail.check()
    return answer.markets, answer.cursor or ""


class _MarketRecord(msgspec.Struct, gc=False):
    ticker: str
    event_ticker: str
    status: str
    result: str | None = None
    title: str = ""
    yes_sub_title: str = ""
    open_time: str | None = None
    close_time: str | None = None
    expected_expiration_time: str | None = None
    settlement_ts: str | None = None
    fee_waiver_expiration_time: str | None = None
    settlement_value_dollars: Number | None = None
    settlement_value: Number | None = None
    yes_bid_dollars: Number | None = None
    yes_ask_dollars: Number | None = None
    last_price_dollars: Number | None = None
    yes_bid: Number | None = None
    yes_ask: Number | None = None
    last_price: Number | None = None
    volume_fp: Number | None = None
    volume_24h_fp: Number | None = None
    open_interest_fp: Number | None = None
    volume: Number | None = None
    volume_24h: Number | None = None
    open_interest: Number | None = None
    exchange_index: int | None = None


_decode_record: Final = RecordDecoder(_MarketRecord)


def _read_patiently(raw: bytes) -> MarketDetail:
    row = _decode_record(raw)
    value = _price(row.settlement_value_dollars, row.settlement_value)
    return MarketDetail(
        ticker=Ticker(row.ticker),
        event_ticker=EventTicker(row.event_ticker),
        status=values.word(_STATUSES, row.status, "status"),
        _result=values.word(_RESULT_WORDS, row.result or "", "result"),
        _open_time=_time(row.open_time),
        _close_time=_time(row.close_time),
        _yes_bid=str(_price(row.yes_bid_dollars, row.yes_bid) or _NOTHING),
        _yes_ask=str(_price(row.yes_ask_dollars, row.yes_ask) or _NOTHING),
        _last_price=str(_price(row.last_price_dollars, row.last_price) or _NOTHING),
        _volume=str(_count(row.volume_fp, row.volume, "volume")),
        _volume_24h=str(_count(row.volume_24h_fp, row.volume_24h, "volume_24h")),
        _open_interest=str(_count(row.open_interest_fp, row.open_interest, "open_interest")),
        _title=row.title,
        _yes_title=row.yes_sub_title,
        _expiration_time=_time(row.expected_expiration_time),
        _settled=_time(row.settlement_ts),
        _waiver=_time(row.fee_waiver_expiration_time),
        _settlement_value=None if value is None else str(value),
        shard=Shard(row.exchange_index or 0),
    )


_NOTHING: Final = Price(0)


def _price(dollars: Number | None, cents: Number | None) -> Price | None:
    if dollars is not None and dollars != "":
        return values.price(dollars)
    return None if cents is None else values.price_of_cents(cents)


def _count(present: Number | None, old: Number | None, field: str) -> Count:
    stated = old if present is None else present
    if stated is None:
        raise ProtocolBroken(f"a market without {field}_fp or {field}")
    return values.count(stated)


def _time(text: str | None) -> str | None:
    return None if values.optional_instant(text) is None else text
