"""What anybody may ask about markets, and the sections in which there is nothing to tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from asker import Asker
from served_floor import EVENT, MAKER, OTHER, SERIES, TICKER, US, RunningClock, ServedFloor

from trueup.core.instant import HOUR, Instant, to_seconds_floor
from trueup.core.orders import Side
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings


@pytest.fixture
def traded() -> ServedFloor:
    """Three quotes, two trades, an hour between them."""
    floor = ServedFloor()
    floor.quote("0.47", "0.52", "10")
    floor.order(US, Side.YES, "2", "0.52")
    floor.now = Instant(floor.now + HOUR)
    floor.order(US, Side.NO, "1", "0.47")
    return floor


@pytest.fixture
def anybody(traded: ServedFloor) -> Iterator[Asker]:
    clock = RunningClock(Instant(traded.now + HOUR))
    with SandboxServer(traded.world(), clock=clock, settings=Settings(limits=UNLIMITED)) as server:
        asker = Asker(server, clock)
        yield asker
        asker.close()


# -- books and trades --------------------------------------------------------------------------


def test_a_book_shows_bids_of_both_sides_the_best_one_last(anybody: Asker) -> None:
    book = anybody.raw(f"/markets/{TICKER}/orderbook").tree["orderbook_fp"]

    assert book == {"yes_dollars": [["0.4700", "9.00"]], "no_dollars": [["0.4800", "8.00"]]}


def test_books_of_many_markets_leave_out_unknown_ones(anybody: Asker) -> None:
    rows = anybody.get(f"/markets/orderbooks?tickers={TICKER},NOBODY,{OTHER}").rows("orderbooks")

    assert [row["ticker"] for row in rows] == [TICKER, OTHER]
    assert rows[1]["orderbook_fp"] == {"yes_dollars": [], "no_dollars": []}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/markets/NOBODY/orderbook", 404),
        (f"/markets/{TICKER}/orderbook?depth=101", 400),
        (f"/markets/{TICKER}/orderbook?depth=x", 400),
        (f"/markets/{TICKER}/orderbook?depth=1", 200),
    ],
)
def test_a_book_is_refused_for_what_it_is_asked_wrongly(
    anybody: Asker, path: str, status: int
) -> None:
    assert anybody.raw(path).status == status


def test_trades_are_newest_first_with_both_prices(anybody: Asker) -> None:
    later, earlier = anybody.raw(f"/markets/trades?ticker={TICKER}").rows("trades")

    assert (earlier["yes_price_dollars"], earlier["no_price_dollars"]) == ("0.5200", "0.4800")
    assert (earlier["taker_side"], earlier["count_fp"]) == ("yes", "2.00")
    assert (later["taker_side"], later["taker_book_side"]) == ("no", "ask")


def test_trades_page_to_an_empty_cursor(anybody: Asker) -> None:
    first = anybody.raw("/markets/trades?limit=1").tree
    last = anybody.raw(f"/markets/trades?limit=1&cursor={first['cursor']}").tree

    assert first["cursor"]
    assert last["cursor"] == ""
    assert first["trades"] != last["trades"]


# -- candlesticks ------------------------------------------------------------------------------


def one_hour_candles(traded: ServedFloor) -> str:
    start, end = to_seconds_floor(traded.opened), to_seconds_floor(traded.now) + 3600
    return f"start_ts={start}&end_ts={end}&period_interval=60"


def test_a_candle_tells_trades_and_quotes_of_its_hour(anybody: Asker, traded: ServedFloor) -> None:
    query = one_hour_candles(traded)
    tree = anybody.raw(f"/series/{SERIES}/markets/{TICKER}/candlesticks?{query}").tree
    first, second, *_ = cast("list[dict[str, dict[str, object]]]", tree["candlesticks"])

    assert tree["ticker"] == TICKER
    assert first["volume_fp"] == "2.00"
    assert first["price"]["close_dollars"] == "0.5200"
    assert first["yes_bid"]["close_dollars"] == "0.4700"
    assert second["price"]["previous_dollars"] == "0.5200"
    assert second["price"]["open_dollars"] == "0.4700"


def test_candles_come_for_a_market_many_markets_and_an_event(
    anybody: Asker, traded: ServedFloor
) -> None:
    query = one_hour_candles(traded)
    many = anybody.get(f"/markets/candlesticks?market_tickers={TICKER},{OTHER}&{query}")
    event = anybody.raw(f"/series/{SERIES}/events/{EVENT}/candlesticks?{query}").tree

    assert [row["market_ticker"] for row in many.rows("markets")] == [TICKER, OTHER]
    assert event["market_tickers"] == [TICKER, OTHER]
    assert event["market_candlesticks"] == [row["candlesticks"] for row in many.rows("markets")]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start_ts=1&end_ts=2",
        "start_ts=1&end_ts=2&period_interval=7",
        "start_ts=2&end_ts=1&period_interval=60",
        "start_ts=x&end_ts=1&period_interval=60",
        "start_ts=0&end_ts=1760000000&period_interval=1",
    ],
)
def test_candles_are_refused_without_a_span_that_makes_sense(anybody: Asker, query: str) -> None:
    answer = anybody.raw(f"/series/{SERIES}/markets/{TICKER}/candlesticks?{query}")

    assert answer.status == 400


# -- filters of markets ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("status=open", 2),
        ("status=settled", 0),
        (f"tickers={TICKER}", 1),
        (f"event_ticker={EVENT}", 2),
        ("series_ticker=KXNOTHING", 0),
        ("mve_filter=only", 0),
        ("mve_filter=exclude", 2),
        ("min_updated_ts=1", 2),
        (f"min_updated_ts=1&series_ticker={SERIES}&mve_filter=exclude", 2),
        ("max_updated_ts=1", 0),
        ("min_created_ts=1&status=open", 2),
        ("min_close_ts=1&max_close_ts=2", 0),
        ("no_such_parameter=1", 2),
    ],
)
def test_markets_are_filtered(anybody: Asker, query: str, found: int) -> None:
    assert len(anybody.raw(f"/markets?{query}").rows("markets")) == found


@pytest.mark.parametrize(
    "query",
    [
        "status=active",
        "status=open,closed",
        "mve_filter=some",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "min_created_ts=soon",
        "min_created_ts=1&min_close_ts=1",
        "min_close_ts=1&status=open",
        "min_settled_ts=1&status=closed",
        "min_updated_ts=1&status=open",
        f"min_updated_ts=1&tickers={TICKER}",
        f"min_updated_ts=1&series_ticker={SERIES}",
    ],
)
def test_filters_that_make_no_sense_are_refused(anybody: Asker, query: str) -> None:
    assert anybody.raw(f"/markets?{query}").status == 400


# -- empty, but there --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/milestones?limit=10", "milestones"),
        ("/structured_targets", "structured_targets"),
        ("/incentive_programs", "incentive_programs"),
        ("/multivariate_event_collections", "multivariate_contracts"),
        ("/communications/rfqs", "rfqs"),
        ("/communications/quotes", "quotes"),
        ("/events/multivariate", "events"),
    ],
)
def test_what_the_sandbox_does_not_have_is_an_empty_list(
    anybody: Asker, path: str, key: str
) -> None:
    answer = anybody.get(path)

    assert answer.status == 200, answer.body
    assert answer.rows(key) == []


@pytest.mark.parametrize(
    ("method", "path", "details"),
    [
        (
            "POST",
            "/communications/rfq_batches",
            "batches of requests for quotes are for combos, which are not simulated",
        ),
        ("POST", "/communications/block-trade-proposals", "block trades are not simulated"),
        ("POST", "/multivariate_event_collections/C-1", "combos are not simulated"),
    ],
)
def test_what_is_not_simulated_says_so(
    anybody: Asker, method: str, path: str, details: str
) -> None:
    answer = anybody.ask(method, path, {})

    assert answer.status == 404
    told = cast("dict[str, object]", answer.tree["error"])
    assert (told["code"], told["details"]) == ("not_in_sandbox", details)


def test_what_is_for_clearing_members_is_refused(anybody: Asker) -> None:
    for path in ("/fcm/orders?subtrader_id=S", "/fcm/fills", "/fcm/subtraders"):
        assert anybody.get(path).status == 403, path


def test_the_exchange_tells_its_status_its_hours_and_its_prices(anybody: Asker) -> None:
    status = anybody.raw("/exchange/status").tree
    costs = anybody.get("/account/endpoint_costs")

    assert status["trading_active"] is True
    assert "standard_hours" in cast(
        "dict[str, object]", anybody.raw("/exchange/schedule").tree["schedule"]
    )
    assert costs.status == 200


def test_public_sections_need_no_key_and_private_ones_do(anybody: Asker) -> None:
    assert anybody.raw("/markets").status == 200
    assert anybody.raw("/portfolio/balance").status == 401
    assert anybody.raw("/portfolio/orders").status == 401
    assert MAKER not in anybody.raw("/markets/trades").body.decode()
