"""Decode: 1,000 markets of a listing, against pydantic v2 models.

The payload is invented and has every field that the exchange's market object may
have.  Compared are:

- *ours*: the body of the listing to `MarketDetail`s, with all their checks, as a
  client does it;
- *ours, quotes read* and *ours, all read*: the same, and then the quote, or everything
  a `MarketDetail` can say (catalog entry, life and result, quote), is asked of every
  market: a `MarketDetail` keeps checked text and makes values when they are asked for;
- *pydantic, same fields*: models of the very fields that `MarketDetail` keeps,
  amounts as `Decimal`, times as `datetime`, words as enumerations;
- *pydantic, all fields*: models of every field of the object, as the client
  libraries for this exchange have them.

pydantic's models are read too (every field of every market once), which costs it
little: its values are ready after decoding.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal

from pydantic import BaseModel

from benchmarks.measure import Timing, in_turn, plain, show
from trueup.core.market import MarketStatus
from trueup.wire.rest import markets as market_calls

MARKETS = 1_000
ROUNDS = 30
OURS, QUOTES, READ = "trueup", "trueup, quotes read", "trueup, all read"
LEAN, FULL = "pydantic, same fields", "pydantic, all fields"


class Result(StrEnum):
    """The words of ``result``."""

    OPEN = ""
    YES = "yes"
    NO = "no"
    SCALAR = "scalar"


class LeanMarket(BaseModel):
    """The fields that `MarketDetail` keeps."""

    ticker: str
    event_ticker: str
    status: MarketStatus
    result: Result
    open_time: datetime | None
    close_time: datetime | None
    yes_bid_dollars: Decimal
    yes_ask_dollars: Decimal
    last_price_dollars: Decimal
    volume_fp: Decimal
    volume_24h_fp: Decimal
    open_interest_fp: Decimal
    title: str = ""
    yes_sub_title: str = ""
    expected_expiration_time: datetime | None = None
    settlement_ts: datetime | None = None
    fee_waiver_expiration_time: datetime | None = None
    settlement_value_dollars: Decimal | None = None
    exchange_index: int = 0


class PriceRange(BaseModel):
    """A part of the price axis with its own step."""

    start: Decimal
    end: Decimal
    step: Decimal


class Leg(BaseModel):
    """One leg of a combination."""

    event_ticker: str
    market_ticker: str
    side: Literal["yes", "no"]
    yes_settlement_value_dollars: Decimal | None = None


class FullMarket(LeanMarket):
    """Every field of the market object."""

    market_type: Literal["binary", "scalar"]
    subtitle: str = ""
    no_sub_title: str
    created_time: datetime
    updated_time: datetime
    expiration_time: datetime | None = None
    latest_expiration_time: datetime
    settlement_timer_seconds: int
    yes_bid_size_fp: Decimal
    yes_ask_size_fp: Decimal
    no_bid_dollars: Decimal
    no_ask_dollars: Decimal
    can_close_early: bool
    notional_value_dollars: Decimal
    previous_yes_bid_dollars: Decimal
    previous_yes_ask_dollars: Decimal
    previous_price_dollars: Decimal
    expiration_value: str
    occurrence_datetime: datetime | None = None
    early_close_condition: str | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    functional_strike: str | None = None
    custom_strike: dict[str, Any] | None = None
    rules_primary: str
    rules_secondary: str
    mve_collection_ticker: str = ""
    mve_selected_legs: list[Leg] | None = None
    primary_participant_key: str | None = None
    price_level_structure: str
    price_ranges: list[PriceRange]
    is_provisional: bool = False
    settlement_bounds_type: Literal["default", "floor"]
    settlement_floor_dollars: Decimal | None = None


class LeanAnswer(BaseModel):
    """A page of the listing."""

    markets: list[LeanMarket]
    cursor: str | None = None


class FullAnswer(BaseModel):
    """A page of the listing."""

    markets: list[FullMarket]
    cursor: str | None = None


def market(number: int) -> dict[str, object]:
    """An invented market with every field; a third of them have settled."""
    settled = number % 3 == 0
    event = f"KXHIGHNY-26SEP{number // 10 % 30 + 1:02d}"
    ticker = f"{event}-T{60 + number % 40}"
    bid, ask = 1 + number % 97, 2 + number % 97
    day = f"2026-09-{number % 28 + 1:02d}"
    rules = f"If the highest temperature in Central Park on {day} is above {60 + number % 40}°, "
    return {
        "ticker": ticker,
        "event_ticker": event,
        "market_type": "binary",
        "title": f"Will the high temperature in NYC be above {60 + number % 40}° on {day}?",
        "subtitle": f"{60 + number % 40}° or above",
        "yes_sub_title": f"{60 + number % 40}° or above",
        "no_sub_title": f"below {60 + number % 40}°",
        "created_time": f"{day}T10:00:00.123456Z",
        "updated_time": f"{day}T14:21:07.654321Z",
        "open_time": f"{day}T14:00:00Z",
        "close_time": "2026-10-01T03:59:00Z",
        "expected_expiration_time": "2026-10-01T14:00:00Z",
        "expiration_time": "2026-10-08T14:00:00Z",
        "latest_expiration_time": "2026-10-08T14:00:00Z",
        "settlement_timer_seconds": 3600,
        "status": "finalized" if settled else "active",
        "yes_bid_dollars": f"0.{bid:02d}00",
        "yes_bid_size_fp": f"{100 + number}.00",
        "yes_ask_dollars": f"0.{ask:02d}00",
        "yes_ask_size_fp": f"{50 + number}.00",
        "no_bid_dollars": f"0.{100 - ask:02d}00",
        "no_ask_dollars": f"0.{100 - bid:02d}00",
        "last_price_dollars": f"0.{bid:02d}00",
        "volume_fp": f"{10_000 + number}.00",
        "volume_24h_fp": f"{1_000 + number}.50",
        "result": ("yes" if number % 2 else "no") if settled else "",
        "can_close_early": True,
        "open_interest_fp": f"{5_000 + number}.25",
        "notional_value_dollars": "1.0000",
        "previous_yes_bid_dollars": f"0.{bid:02d}00",
        "previous_yes_ask_dollars": f"0.{ask:02d}00",
        "previous_price_dollars": f"0.{bid:02d}00",
        "settlement_value_dollars": f"{number % 2}.0000" if settled else None,
        "settlement_ts": "2026-10-01T14:10:00.5Z" if settled else None,
        "expiration_value": str(60 + number % 40) if settled else "",
        "occurrence_datetime": f"{day}T04:00:00Z",
        "fee_waiver_expiration_time": None,
        "early_close_condition": "This market closes early if the event occurs.",
        "strike_type": "greater",
        "floor_strike": 60 + number % 40,
        "cap_strike": None,
        "functional_strike": None,
        "custom_strike": {"station": "KNYC"},
        "rules_primary": rules + "then the market resolves to Yes.",
        "rules_secondary": "Revisions after expiration are not taken into account. " * 3,
        "mve_collection_ticker": "",
        "mve_selected_legs": [],
        "primary_participant_key": None,
        "price_level_structure": "linear_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "is_provisional": False,
        "exchange_index": 0,
        "settlement_bounds_type": "default",
        "settlement_floor_dollars": None,
    }


def payload(count: int) -> bytes:
    """A page of the listing."""
    body = {"markets": [market(number) for number in range(count)], "cursor": ""}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def cases(body: bytes, count: int) -> dict[str, Callable[[], None]]:
    """What is timed."""
    call = market_calls.markets(limit=1000)
    read_lean = attrgetter(*LeanMarket.model_fields)
    read_full = attrgetter(*FullMarket.model_fields)

    def ours() -> None:
        page = call.decode(body)
        assert len(page.items) == count
        assert not page.unreadable

    def quotes() -> None:
        for detail in call.decode(body).items:
            assert detail.quote.ticker == detail.ticker

    def everything() -> None:
        for detail in call.decode(body).items:
            assert detail.market.ticker == detail.stated.ticker == detail.quote.ticker

    def lean() -> None:
        for each in LeanAnswer.model_validate_json(body).markets:
            read_lean(each)

    def full() -> None:
        for each in FullAnswer.model_validate_json(body).markets:
            read_full(each)

    return {OURS: ours, QUOTES: quotes, READ: everything, LEAN: lean, FULL: full}


def check(body: bytes) -> None:
    """Refuse to compare decoders that do not agree."""
    ours = market_calls.markets(limit=1000).decode(body)
    theirs = FullAnswer.model_validate_json(body).markets
    assert not ours.unknown_fields, ours.unknown_fields
    for mine, other in zip(ours.items, theirs, strict=True):
        assert mine.ticker == other.ticker
        assert mine.quote.volume.units == other.volume_fp * 100
        assert str(mine.stated.result or "") == other.result.value


def measure(count: int, *, rounds: int) -> dict[str, Timing]:
    """Measure all cases over `count` markets."""
    body = payload(count)
    check(body)
    timed = {name: plain(work) for name, work in cases(body, count).items()}
    return in_turn(timed, rounds=rounds)


def main() -> None:
    timings = measure(MARKETS, rounds=ROUNDS)
    fields = len(market(0))
    title = (
        f"decode: a page of {MARKETS:,} markets of {fields} fields, "
        f"{len(LeanMarket.model_fields)} of them kept"
    )
    show(title, timings, peer=LEAN, per=dict.fromkeys(timings, MARKETS), unit="market")
    full, ours = timings[FULL].median, timings[READ].median
    print(f"\nAgainst pydantic models of all fields, 'all read' is {full / ours:.1f} × as fast.")


if __name__ == "__main__":
    main()
