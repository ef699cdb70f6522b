"""Real FedWatch probabilities and real Kalshi and Polymarket quotes, through feeds and machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from recorded_floor import CAPITAL, TERMS, RecordedFloor

from trueup.core.fees import model_fee
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price, Ratio
from trueup.engine import effects as f
from trueup.engine.fedwatch import code, level_anchors
from trueup.engine.market import Top
from trueup.engine.other_venue import Offer, OtherMarket, Pair, quote_of
from trueup.engine.signals import VenueQuote
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.arbitrage import Arbitrage
from trueup.net.feeds import fedwatch

parquet: Any = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.recorded

SERIES = SeriesTicker("KXFED")
UPPER_AFTER = {"25MAY": 450, "25JUN": 450, "25JUL": 450}
"""What the Fed did: held at 4.25 to 4.50 % in May, June and July 2025."""


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return found


# -- the anchor --------------------------------------------------------------------------------


def days_of_fedwatch(recorded_data: Path) -> Iterator[tuple[str, bytes]]:
    """The recorded probabilities as the table that a user would keep, day by day."""
    table = rows(recorded_data / "crossvenue" / "cme_fedwatch_daily_2024-2025.parquet")
    for day, some in groupby(sorted(table, key=lambda row: row["date"]), lambda row: row["date"]):
        lines = "".join(f"{r['date']},{r['meeting']},{r['range_bp']},{r['prob']}\n" for r in some)
        yield day, f"date,meeting,range_bp,prob\n{lines}".encode()


def kalshi_levels(recorded_data: Path) -> dict[str, dict[str, dict[int, float]]]:
    """Day → meeting (``25MAY``) → upper end of the range → what Kalshi said of it."""
    found: defaultdict[str, dict[str, dict[int, float]]] = defaultdict(dict)
    for row in rows(recorded_data / "history" / "macro_daily_distributions_fed_levels.parquet"):
        levels = {
            round(float(name) * 100) + 25: share / 100
            for name, share in row.items()
            if share and name not in {"date", "contract_preamble", "volume"}
        }
        if levels and row["volume"]:
            found[row["date"]][row["contract_preamble"][-5:]] = levels
    return found


def quotes(levels: dict[int, float], meeting: str, at: Instant) -> list[Top]:
    """A market for every strike, a cent around what the day's prices implied."""
    tops: list[Top] = []
    for strike in range(min(levels) - 25, max(levels) + 1, 25):
        middle = round(sum(share for upper, share in levels.items() if upper > strike) * 100)
        if not 2 <= middle <= 98:
            continue
        tops.append(
            Top(
                ticker=Ticker(f"KXFED-{meeting}-T{strike // 100}.{strike % 100:02}"),
                at=at,
                bid=Price.of_cents(middle - 1),
                ask=Price.of_cents(middle + 1),
                bid_size=Count.of_contracts(500),
                ask_size=Count.of_contracts(500),
                volume_24h=Count.of_contracts(5_000),
            )
        )
    return tops


def test_recorded_probabilities_can_all_be_read(recorded_data: Path) -> None:
    meetings = 0
    for _, table in days_of_fedwatch(recorded_data):
        told = fedwatch.parse(table, "recorded")
        for known in told.distributions:
            meetings += 1
            assert sum(known.uppers.values()) == 1
    assert meetings > 1_500


def test_a_year_of_fedwatch_trades_against_kalshi_and_settles_by_what_the_fed_did(
    recorded_data: Path,
) -> None:
    """Every order has the edge that it claims, by an account of its own; the money adds up."""
    kalshi = kalshi_levels(recorded_data)
    strikes = tuple(
        Ticker(f"KXFED-{meeting}-T{strike // 100}.{strike % 100:02}")
        for meeting in UPPER_AFTER
        for strike in range(100, 651, 25)
    )
    floor = RecordedFloor(Anchored(), parse_instant("2024-08-21T21:00:00Z"), strikes)
    checked = 0
    for day, table in days_of_fedwatch(recorded_data):
        told = fedwatch.parse(table, "FedWatch")
        assert told.as_of is not None
        floor.now = told.as_of
        floor.fund()
        for meeting, levels in kalshi.get(day, {}).items():
            if meeting in UPPER_AFTER:
                floor.quote(quotes(levels, meeting, floor.now))
        probability: dict[Ticker, Ratio] = {}
        before = len(floor.sent)
        for known in told.distributions:
            if code(known.meeting) not in UPPER_AFTER or known.meeting.isoformat() <= day:
                continue
            for anchor in level_anchors(known, series=SERIES, source="FedWatch", at=floor.now):
                probability[anchor.ticker] = anchor.probability
                if anchor.ticker in floor.tops and floor.tops[anchor.ticker].at == floor.now:
                    floor.signal(anchor)
        checked += sum(has_its_edge(each, probability) for each in floor.sent[before:])
    for ticker in list(floor.held):
        meeting, strike = ticker.split("-")[1], round(float(ticker.rpartition("-T")[2]) * 100)
        floor.settle(ticker, is_yes=UPPER_AFTER[meeting] > strike)

    assert checked >= 20
    assert floor.held == {}
    profit = floor.machine.state.portfolio.profit({}, "anchored")
    assert abs(Ratio(profit.units, 1_000_000) - floor.cash) < Ratio(1, 1000)
    assert abs(floor.cash) < Ratio(CAPITAL.units, 1_000_000)


def has_its_edge(placed: f.Place, probability: dict[Ticker, Ratio]) -> bool:
    """Whether an order opens something; then it must have the edge of 4 cents that it claims."""
    intent = placed.intent
    if intent.only_reduce:
        return False
    price, fair = float(f"{intent.limit}"), float(probability[intent.ticker])
    edge = fair - price if intent.side is Side.YES else price - fair
    assert edge - 0.07 * price * (1 - price) >= 0.04 - 1e-9, intent
    return True


def test_an_anchor_of_the_day_before_is_believed_and_one_of_two_days_is_not(
    recorded_data: Path,
) -> None:
    day, table = next(days_of_fedwatch(recorded_data))
    (known, *_) = fedwatch.parse(table, "FedWatch").distributions
    at = parse_instant(f"{day}T21:00:00Z")
    anchors = level_anchors(known, series=SERIES, source="FedWatch", at=at)
    one = next(each for each in anchors if Ratio(1, 4) < each.probability < Ratio(3, 4))

    def sent(hours: int) -> int:
        floor = RecordedFloor(Anchored(), Instant(at + hours * 3600 * SECOND), (one.ticker,))
        cheap = Top(
            ticker=one.ticker,
            at=floor.now,
            bid=Price.of_cents(4),
            ask=Price.of_cents(5),
            bid_size=Count.of_contracts(9),
            ask_size=Count.of_contracts(9),
        )
        floor.quote([cheap])
        floor.signal(one)
        return len(floor.sent)

    assert (sent(1), sent(25)) == (1, 0)


# -- the arbitrage finder ----------------------------------------------------------------------


def pair(row: dict[str, Any]) -> Pair:
    return Pair(
        ticker=Ticker(row["kalshi_ticker"]),
        venue="polymarket",
        market_id=row["poly_market_id"],
        yes_is="Yes",
        source="the FOMC's statement",
        time="the meeting",
        rules="the same buckets",
        checked_by="the recorder",
        checked_on="2026-07-06",
    )


def other(row: dict[str, Any], at: Instant) -> OtherMarket:
    """Polymarket's side: what NO costs is one dollar less the bid."""
    ask, bid = Ratio(str(row["p_ask"])), Ratio(str(row["p_bid"]))
    return OtherMarket(
        market_id=row["poly_market_id"],
        question=row["bucket"],
        is_open=bool(row["p_ok"]),
        offers={
            "Yes": Offer(ask=ask, size=Ratio(100), at=at),
            "No": Offer(ask=1 - bid, size=Ratio(100), at=at),
        },
        fee_rate=Ratio("0.05"),
    )


def test_recorded_quotes_of_two_venues_are_searched_for_arbitrage(recorded_data: Path) -> None:
    """18 days in July 2026: the finder tells of exactly those that plain arithmetic finds."""
    table = rows(recorded_data / "crossvenue" / "headless_kalshi_polymarket_macro_2026-07.parquet")
    tickers = tuple(sorted({Ticker(row["kalshi_ticker"]) for row in table}))
    first = parse_instant(table[0]["captured_at"].replace("+00:00", "Z"))
    floor = RecordedFloor(Arbitrage(quiet=0), first, tickers)
    told: list[tuple[str, str]] = []
    expected: list[tuple[str, str]] = []
    refused = below = 0
    for row in sorted(table, key=lambda each: each["captured_at"]):
        floor.now = parse_instant(row["captured_at"].replace("+00:00", "Z"))
        figures = [row[name] for name in ("k_yes_bid", "k_yes_ask", "p_bid", "p_ask")]
        if any(each is None for each in figures):
            refused += 1
            continue
        quote = quote_of(pair(row), other(row, floor.now), now=floor.now, age_max=10 * SECOND)
        if isinstance(quote, str):
            refused += 1
            continue
        bid, ask = (Price(round(row[name] * 10_000)) for name in ("k_yes_bid", "k_yes_ask"))
        hundred = Count.of_contracts(100)
        floor.quote(
            [
                Top(
                    ticker=quote.ticker,
                    at=floor.now,
                    bid=bid if bid.units else None,
                    ask=ask if ask.units < 10_000 else None,
                    bid_size=hundred,
                    ask_size=hundred,
                )
            ]
        )
        before = len(floor.alerts)
        floor.signal(quote)
        name = (row["captured_at"], row["kalshi_ticker"])
        told += [name] * (len(floor.alerts) - before)
        wanted, is_below = by_hand(row, quote)
        below += is_below
        expected += [name] if wanted else []

    assert told == expected
    assert len(told) > 100
    assert below > len(told), "some are below 98 cents and eaten by the fees"
    assert refused > 0, "closed markets and missing legs are refused"
    assert floor.sent == [], "it tells; it does not trade"


def by_hand(row: dict[str, Any], quote: VenueQuote) -> tuple[bool, bool]:
    """Whether either way pays, and whether either is below 98 cents, in plain fractions."""
    bid, ask, p_bid, p_ask = (
        Ratio(str(round(row[name], 4))) for name in ("k_yes_bid", "k_yes_ask", "p_bid", "p_ask")
    )
    ways: list[tuple[Ratio, Ratio]] = []
    if 0 < ask < 1:
        ways.append((ask + 1 - p_bid, ask))
    if 0 < bid < 1:
        ways.append((1 - bid + p_ask, bid))
    pays = is_below = False
    for combined, price in ways:
        fee = Ratio(7, 100) * price * (1 - price)
        is_below |= combined < Ratio(98, 100)
        pays |= combined < Ratio(98, 100) and 1 - combined - fee - quote.fee_per_share > 0
    return pays, is_below


def test_the_exchange_s_fee_is_the_one_that_the_account_by_hand_uses() -> None:
    one = Count.of_contracts(1)

    assert model_fee(TERMS, one, Price.of_cents(29), is_taker=True) == Ratio(7, 100) * Ratio(
        29, 100
    ) * Ratio(71, 100)
