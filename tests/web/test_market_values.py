"""The scanner, one market and pairs on two venues, as a person reads them."""

from __future__ import annotations

import pytest

from trueup.core.catalog import FeeTerms
from trueup.core.errors import CallerError
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, HOUR, SECOND, Instant, format_instant
from trueup.core.market import MarketStatus
from trueup.core.orderbook import BookSnapshot, Level
from trueup.core.orders import Side
from trueup.core.units import Count, Price, Ratio
from trueup.engine.market import PublicTrade, Top
from trueup.engine.other_venue import Pair
from trueup.engine.scanner import Found
from trueup.engine.strategies.arbitrage import Opportunity
from trueup.run.bot.decision_log import Line
from trueup.run.bot.status import FairShown, TopShown
from trueup.run.markets.arbitrage import Compared
from trueup.run.markets.watch import Stick
from trueup.web.market_charts import cumulative, depth, price_history
from trueup.web.values.arbitrage import opportunity_rows, pair_rows
from trueup.web.values.market import (
    fair_value,
    fee_shown,
    fresher,
    market_facts,
    status_shown,
    thought_rows,
    trade_rows,
)
from trueup.web.values.markets import (
    Listed,
    categories,
    freshened,
    market_page,
    picked_of,
    spread_of,
    wanted_of,
)
from trueup.web.values.rows import TablePage
from trueup.web.values.shown import MINUS, UNKNOWN, Tone

NOW = Instant(1_790_000_000_000_000)
TICKER = Ticker("KXFED-26DEC")


def cents(value: int | None) -> Price | None:
    return None if value is None else Price.of_cents(value)


def listed(
    ticker: str, bid: int | None, ask: int | None, *, volume: int = 0, category: str = "Economics"
) -> Listed:
    found = Found(
        ticker=Ticker(ticker),
        title=f"What about {ticker}?",
        category=category,
        bid=cents(bid),
        ask=cents(ask),
        spread=spread_of(cents(bid), cents(ask)),
        volume=Count.of_contracts(volume),
        volume_24h=Count.of_contracts(volume // 2),
        closes=Instant(NOW + DAY),
        time_left=DAY,
    )
    return Listed(found=found, last=None, at=NOW)


MARKETS = (
    listed("KXA", 10, 12, volume=5_000),
    listed("KXB", None, None, volume=9_000, category="Sports"),
    listed("KXC", 60, 65, volume=100),
)


def page(
    *, picked: str = "", sort: str = "volume", descending: bool = True, words: str = ""
) -> TablePage:
    return market_page(
        MARKETS,
        wanted_of(picked),
        sort=sort,
        descending=descending,
        words=words,
        rows=slice(0, 50),
        now=NOW,
    )


def names(found: TablePage) -> list[str]:
    return [row.key for row in found.rows]


def top_told(ticker: str, at: Instant, bid: str | None = "0.20") -> TopShown:
    return TopShown(
        ticker=ticker,
        title="",
        status="active",
        category="",
        bid=bid,
        ask="0.23",
        bid_size="1",
        ask_size="1",
        last=None,
        volume_24h="0",
        at=format_instant(at),
    )


# -- the scanner -------------------------------------------------------------------------------


def test_without_filters_every_market_is_there_the_busiest_first() -> None:
    assert names(page()) == ["KXB", "KXA", "KXC"]


@pytest.mark.parametrize("descending", [True, False])
def test_unknown_prices_come_last_whichever_way_it_is_sorted(descending: bool) -> None:
    found = names(page(sort="ask", descending=descending))

    assert found == (["KXC", "KXA", "KXB"] if descending else ["KXA", "KXC", "KXB"])


def test_a_market_without_a_price_is_not_below_the_highest_price() -> None:
    assert names(page(picked=picked_of(category="", volume="", price="0.30"))) == ["KXA"]


def test_filters_hold_together_and_survive_an_address() -> None:
    assert names(page(picked=picked_of(category="Sports", volume="1,000", price=""))) == ["KXB"]
    assert names(page(picked=picked_of(category="Economics", volume="1000", price=""))) == ["KXA"]
    assert picked_of(category="", volume=" ", price="") == ""


@pytest.mark.parametrize(("volume", "price"), [("many", ""), ("", "1.5"), ("", "30c")])
def test_a_filter_that_is_no_number_says_how_it_is_written(volume: str, price: str) -> None:
    with pytest.raises(CallerError) as refused:
        wanted_of(picked_of(category="", volume=volume, price=price))

    assert refused.value.remedy.startswith("Write")


def test_all_words_must_be_there() -> None:
    assert names(page(words="kxa ECONOMICS")) == ["KXA"]
    assert names(page(words="kxa sports")) == []


def test_an_unknown_column_sorts_by_volume() -> None:
    assert names(page(sort="'; DROP TABLE")) == ["KXB", "KXA", "KXC"]


def test_what_is_not_known_is_a_dash() -> None:
    cells = page(sort="volume").rows[0].cells

    assert {cells[name].text for name in ("bid", "ask", "spread", "last")} == {UNKNOWN}
    assert cells["quoted"].text != UNKNOWN


def test_a_bot_that_heard_later_is_believed_and_an_earlier_one_is_not() -> None:
    tops = {
        Ticker("KXA"): top_told("KXA", Instant(NOW + SECOND)),
        Ticker("KXC"): top_told("KXC", Instant(NOW - SECOND)),
    }
    after = {each.found.ticker: each for each in freshened(MARKETS, tops)}

    assert after[Ticker("KXA")].found.bid == Price.of_cents(20)
    assert after[Ticker("KXA")].found.spread == Ratio(3, 100)
    assert after[Ticker("KXA")].at == NOW + SECOND
    assert after[Ticker("KXC")] == MARKETS[2]


def test_categories_are_offered_once_and_in_order() -> None:
    assert categories((*MARKETS, listed("KXD", 1, 2, category=""))) == ("Economics", "Sports")


# -- one market --------------------------------------------------------------------------------


def fair(
    strategy: str, value: str | None, ticker: str = TICKER, source: str = "FedWatch"
) -> FairShown:
    as_of = None if value is None else format_instant(NOW)
    return FairShown(strategy=strategy, ticker=ticker, fair=value, as_of=as_of, source=source)


def test_the_fair_value_is_what_each_strategy_says_of_this_market() -> None:
    found = fair_value(
        [
            fair("anchored", "0.4300"),
            fair("maker", "0.4150", source="its mid"),
            fair("x", "0.9", "KXO"),
        ],
        TICKER,
    )

    assert (found.text, found.at) == ("0.4300 (anchored) · 0.4150 (maker)", NOW)
    assert "anchored: FedWatch, as of 2026" in found.title
    assert "maker: its mid" in found.title


def test_a_strategy_that_cannot_say_is_seen_and_its_error_is_in_the_title() -> None:
    found = fair_value([fair("odd", None, source="ZeroDivisionError: why")], TICKER)

    assert (found.text, found.tone) == (UNKNOWN, Tone.LOOK)
    assert found.title == "odd cannot say: ZeroDivisionError: why"


def test_a_market_of_which_nobody_thinks_anything_has_no_fair_value() -> None:
    assert fair_value([fair("anchored", "0.4300", "KXOTHER")], TICKER).text == UNKNOWN
    assert fair_value([], TICKER).text == UNKNOWN


def test_before_the_market_was_seen_every_fact_is_a_dash() -> None:
    assert {each.text for each in market_facts(None, (), NOW).values()} == {UNKNOWN}


def test_only_decisions_about_this_market_are_shown() -> None:
    told: Line = {
        "at": format_instant(NOW),
        "strategy": "maker",
        "verdict": "sent",
        "wish": "",
        "reason": "",
        "refusals": [],
    }
    lines: list[Line] = [{**told, "ticker": ticker} for ticker in (TICKER, "KXOTHER")]

    assert len(thought_rows(lines, TICKER, limit=5)) == 1


def test_fees_say_their_kind_and_a_waiver_until_when() -> None:
    terms = FeeTerms("quadratic_with_maker_fees", Ratio(1, 2), waived=False)
    assert fee_shown(terms, None).text == "quadratic with maker fees × 0.50"
    waived = fee_shown(FeeTerms("quadratic", Ratio(1), waived=True), NOW)
    assert (waived.text, waived.tone) == ("waived", Tone.GOOD)
    assert fee_shown(None, None).text == UNKNOWN


def test_only_an_active_market_is_green() -> None:
    green = [each for each in MarketStatus if status_shown(each).tone is Tone.GOOD]

    assert green == [MarketStatus.ACTIVE]


def test_two_trades_of_one_moment_are_two_rows() -> None:
    trade = PublicTrade(
        ticker=TICKER, at=NOW, price=Price.of_cents(5), count=Count(150), taker_side=Side.NO
    )
    rows = trade_rows([trade, trade])

    assert rows[0].key != rows[1].key
    assert (rows[0].cells["side"].text, rows[0].cells["count"].text) == ("NO", "1.5")


def test_a_fresher_feed_replaces_the_prices_and_an_older_one_nothing() -> None:
    top = Top(ticker=TICKER, at=NOW, bid=Price.of_cents(10))

    later = fresher(top, top_told(TICKER, Instant(NOW + 1)))
    assert (later["Bid"].text, later["Ask"].text, later["Spread"].text) == ("0.20", "0.23", "0.03")
    emptied = fresher(top, top_told(TICKER, Instant(NOW + 1), bid=None))
    assert (emptied["Bid"].text, emptied["Spread"].text) == (UNKNOWN, UNKNOWN)
    assert fresher(top, top_told(TICKER, NOW)) == {}
    assert fresher(top, None) == {}


# -- charts ------------------------------------------------------------------------------------


def test_depth_adds_up_from_the_best_price_outwards() -> None:
    bids = (Level(Price.of_cents(40), Count(500)), Level(Price.of_cents(39), Count(250)))
    assert [count.units for _, count in cumulative(bids)] == [500, 750]

    drawn = depth(BookSnapshot(ticker=TICKER, bids=bids))
    assert drawn["series"][0]["data"] == [
        ["0.37", "7.50"],
        ["0.39", "7.50"],
        ["0.40", "5.00"],
    ]
    assert drawn["series"][1]["data"] == []


def test_a_period_without_trades_has_no_candle_and_an_empty_side_is_a_gap() -> None:
    quiet = Stick(
        end_at=NOW,
        open=None,
        high=None,
        low=None,
        close=None,
        bid=None,
        ask=Price.of_cents(9),
        volume=Count(0),
    )
    busy = Stick(
        end_at=Instant(NOW + HOUR),
        open=Price.of_cents(8),
        high=Price.of_cents(9),
        low=Price.of_cents(7),
        close=Price.of_cents(8),
        bid=Price.of_cents(8),
        ask=Price.of_cents(9),
        volume=Count(100),
    )
    candles, bids, asks, volume = price_history([quiet, busy])["series"]

    assert candles["data"] == [[(NOW + HOUR) // 1000, "0.08", "0.08", "0.07", "0.09"]]
    assert [y for _, y in bids["data"]] == ["-", "0.08"]
    assert [y for _, y in asks["data"]] == ["0.09", "0.09"]
    assert len(volume["data"]) == 2


# -- two venues --------------------------------------------------------------------------------

PAIR = Pair(
    ticker=TICKER,
    venue="polymarket",
    market_id="1",
    yes_is="Yes",
    source="Same source.",
    time="Same time.",
    rules="Same rules.",
    checked_by="ada",
    checked_on="2026-11-20",
)


def test_a_pair_that_pays_comes_first_and_says_its_net() -> None:
    chance = Opportunity(
        ticker=TICKER,
        venue="polymarket",
        here=Side.YES,
        price_here=Price.of_cents(40),
        price_there=Ratio(55, 100),
        fees=Ratio(2, 100),
        shares=Count.of_contracts(7),
        at=NOW,
    )
    refused = Compared(PAIR, None, None, None, None, "a leg is missing")
    pays = Compared(PAIR, Top(ticker=TICKER, at=NOW), None, chance, chance)

    first, second = pair_rows([refused, pays])

    assert (first.cells["net"].text, first.cells["verdict"].text) == ("+0.0300", "● pays")
    assert "ada" in first.cells["market"].title
    assert second.cells["net"].text == UNKNOWN
    assert second.cells["verdict"].title == "a leg is missing"


def test_a_pair_that_would_lose_shows_how_much() -> None:
    best = Opportunity(
        ticker=TICKER,
        venue="polymarket",
        here=Side.NO,
        price_here=Price.of_cents(60),
        price_there=Ratio(45, 100),
        fees=Ratio(0),
        shares=Count.of_contracts(1),
        at=NOW,
    )
    (row,) = pair_rows([Compared(PAIR, None, None, None, best)])

    assert (row.cells["net"].text, row.cells["verdict"].tone) == (f"{MINUS}0.0500", Tone.MUTED)


def test_only_opportunities_are_told_of_and_the_newest_first() -> None:
    lines = [
        {
            "at": format_instant(NOW),
            "alert": "opportunity",
            "strategy": "arbitrage",
            "words": "one",
        },
        {"at": format_instant(NOW), "alert": "fill", "strategy": "arbitrage", "words": "two"},
        {"at": format_instant(NOW), "alert": "opportunity", "strategy": "", "words": "three"},
    ]

    assert [row.cells["words"].text for row in opportunity_rows(lines, limit=9)] == ["three", "one"]
