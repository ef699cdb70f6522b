"""Recorded order books as the market: the books are the recorded ones, and others can trade in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trueup.core.errors import ConfigError
from trueup.core.ids import PRIMARY, OrderId, Ticker
from trueup.core.instant import MINUTE, SECOND, Instant, format_instant, from_milliseconds
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import Count, Price
from trueup.run.archive.recorded_books import is_stream_folder, load_recorded_books
from trueup.run.sandbox.serving import ServeWish, serve_sandbox
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.auditing import audit
from trueup.sim.exchange import Exchange
from trueup.sim.living.mirrored_book import BookSeen, LevelSeen
from trueup.sim.living.replay import Recorded, Replay
from trueup.sim.living.world import USER

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

TICKER = Ticker("KXBTC15M-26MAY110145-45")
T0 = 1_778_477_473_000
"""Milliseconds of the first message."""


def write(folder: Path, levels: list[tuple[int, bool, int, int]], **more: Any) -> Path:
    """Levels as (milliseconds after the first, yes, own price, change)."""
    rows = {
        "session": ["s1"] * len(levels),
        "market": [TICKER] * len(levels),
        "seq": list(range(2, len(levels) + 2)),
        "ts_ms": [T0 + at for at, *_ in levels],
        "recv_ms": [T0 + at for at, *_ in levels],
        "yes": [yes for _, yes, _, _ in levels],
        "price_1e4": [price for _, _, price, _ in levels],
        "delta_1e2": [change for *_, change in levels],
    }
    parquet.write_table(pyarrow.table(rows), folder / "deltas.parquet")
    books = {
        "session": ["s1"],
        "recv_ns": [T0 * 1_000_000],
        "seq": [1],
        "market": [TICKER],
        "yes_dollars_fp": [more.get("yes", '[["0.4400", "100.00"], ["0.4500", "50.00"]]')],
        "no_dollars_fp": [more.get("no", '[["0.5300", "80.00"]]')],
    }
    parquet.write_table(pyarrow.table(books), folder / "snapshots.parquet")
    if "volumes" in more:
        tickers = {
            "market": [TICKER] * len(more["volumes"]),
            "recv_ns": [(T0 + at) * 1_000_000 for at, _ in more["volumes"]],
            "volume": [volume for _, volume in more["volumes"]],
        }
        parquet.write_table(pyarrow.table(tickers), folder / "ticker.parquet")
    if "result" in more:
        closes = more.get("closes", "")
        (folder / "results.csv").write_text(
            f"ticker,result,close_time\n{TICKER},{more['result']},{closes}\n"
        )
    return folder


def book(replay: Replay) -> tuple[dict[int, int], dict[int, int]]:
    state = replay.exchange.books.listings.markets[TICKER]
    return (
        {price: level.total for price, level in state.book.bids.levels.items()},
        {price: level.total for price, level in state.book.asks.levels.items()},
    )


def at(milliseconds: int) -> Instant:
    return from_milliseconds(T0 + milliseconds)


def play(folder: Path, until: int) -> tuple[Replay, list[e.Event]]:
    events: list[e.Event] = []
    replay = Replay(Exchange(), load_recorded_books(folder))
    replay.advance(at(until), hearing(replay, events))
    return replay, events


def hearing(replay: Replay, events: list[e.Event]) -> Callable[[tuple[e.Event, ...]], None]:
    """As the server does: the replay hears of everything, and so does the test."""

    def hear(told: tuple[e.Event, ...]) -> None:
        replay.hear(told)
        events.extend(told)

    return hear


def place(
    replay: Replay, when: int, side: Side, price: int, count: int, *, takes: bool = False
) -> None:
    """An own order, as the server would carry it out."""
    events = replay.exchange.step(
        c.PlaceOrder(
            at=at(when),
            member=USER,
            subaccount=PRIMARY,
            order_id=OrderId(f"mine-{when}"),
            client_order_id=c.NO_CLIENT_ID,
            ticker=TICKER,
            side=side,
            price=Price(price),
            count=Count(count),
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL
            if takes
            else TimeInForce.GOOD_TILL_CANCELED,
        )
    )
    replay.hear(events)


def fills(replay: Replay) -> list[tuple[Price, Count]]:
    return [(fill.price, fill.count) for fill in replay.exchange.account(USER).fills]


def test_the_book_is_the_recorded_one_after_every_change(tmp_path: Path) -> None:
    levels = [(100, True, 4_600, 700), (200, True, 4_500, -2_000), (300, False, 5_300, -8_000)]
    write(tmp_path, [*levels, (400, False, 5_200, 250)])

    replay, _ = play(tmp_path, 50)
    assert book(replay) == ({4_400: 10_000, 4_500: 5_000}, {4_700: 8_000})

    replay.advance(at(500))
    assert book(replay) == ({4_400: 10_000, 4_500: 3_000, 4_600: 700}, {4_800: 250})
    audit(replay.exchange.books)


def test_what_left_the_best_price_traded_as_far_as_the_volume_rose(tmp_path: Path) -> None:
    levels = [(100, True, 4_500, -2_000), (200, True, 4_500, -1_500), (300, True, 4_400, -500)]
    write(tmp_path, levels, volumes=[(10, "900.00"), (250, "927.00"), (900, "927.00")])

    replay, events = play(tmp_path, 400)

    trades = [event for event in events if isinstance(event, e.TradeMade)]
    assert [(one.price, one.count) for one in trades] == [
        (Price(4_500), Count(2_000)),
        (Price(4_500), Count(700)),
    ]
    assert book(replay)[0] == {4_400: 9_500, 4_500: 1_500}


def test_without_tickers_nothing_trades_by_itself(tmp_path: Path) -> None:
    write(tmp_path, [(100, True, 4_500, -2_000)])

    _, events = play(tmp_path, 400)

    assert not any(isinstance(event, e.TradeMade) for event in events)


def test_somebody_who_waits_in_the_recorded_queue_is_filled_from_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        [(200, True, 4_500, -5_000), (300, True, 4_500, 100), (400, True, 4_500, -100)],
        volumes=[(10, "0.00"), (250, "50.00"), (900, "51.00")],
    )
    replay, events = play(tmp_path, 100)
    place(replay, 100, Side.YES, 4_500, 30)

    replay.advance(at(250), hearing(replay, events))
    first = fills(replay)
    replay.advance(at(500), hearing(replay, events))

    # First the fifty that stood before it, then it.
    assert first == []
    assert fills(replay) == [(Price(4_500), Count(30))]
    audit(replay.exchange.books)


def test_contracts_that_were_taken_are_not_there_again_with_the_next_change(tmp_path: Path) -> None:
    """80 at 47 cents are taken; three more that come then are all that can be had of the level."""
    write(tmp_path, [(200, False, 5_300, 300), (300, True, 4_400, 100)])
    replay, events = play(tmp_path, 100)
    place(replay, 100, Side.YES, 4_700, 8_000, takes=True)

    replay.advance(at(250), hearing(replay, events))
    place(replay, 260, Side.YES, 4_700, 8_000, takes=True)

    assert fills(replay) == [(Price(4_700), Count(8_000)), (Price(4_700), Count(300))]


def test_what_left_the_level_without_a_trade_moves_nobody_forward(tmp_path: Path) -> None:
    """Fifty are ahead; twenty are cancelled; a trade of ten and the cancellation may be behind us."""
    levels = [(200, True, 4_500, -2_000), (5_000, True, 4_500, -1_000)]
    write(tmp_path, levels, volumes=[(10, "0.00"), (4_900, "0.00"), (9_000, "10.00")])
    replay, events = play(tmp_path, 100)
    place(replay, 100, Side.YES, 4_500, 500)

    replay.advance(at(6_000), hearing(replay, events))

    assert any(isinstance(event, e.TradeMade) for event in events)
    assert fills(replay) == []


def test_a_recorded_result_settles_the_market(tmp_path: Path) -> None:
    write(tmp_path, [(100, True, 4_600, 700)], result="yes")

    replay, events = play(tmp_path, 5 * 60_000)

    state = replay.exchange.books.listings.markets[TICKER]
    assert (state.status, state.stage().result) == (MarketStatus.FINALIZED, MarketResult.YES)
    assert state.close_at == at(100) + SECOND
    assert not any(isinstance(event, e.Refused) for event in events)


def test_a_recorded_close_ends_the_market_whatever_was_heard_later(tmp_path: Path) -> None:
    closes = Instant(at(100) + SECOND // 2)
    levels = [(100, True, 4_600, 700), (900, True, 4_600, 100)]
    write(tmp_path, levels, result="no", closes=format_instant(closes))

    replay, events = play(tmp_path, 5 * 60_000)

    state = replay.exchange.books.listings.markets[TICKER]
    assert (state.close_at, state.stage().result) == (closes, MarketResult.NO)
    assert not any(isinstance(event, e.Refused) for event in events)


def test_an_unknown_result_is_not_invented(tmp_path: Path) -> None:
    write(tmp_path, [(100, True, 4_600, 700)])

    replay, _ = play(tmp_path, 5 * 60_000)

    assert replay.exchange.books.listings.markets[TICKER].status is MarketStatus.CLOSED


@pytest.mark.parametrize(
    ("price", "grid"), [(4_600, "linear_cent"), (310, "tapered_deci_cent"), (4_610, "deci_cent")]
)
def test_the_grid_is_the_coarsest_that_has_every_price(
    tmp_path: Path, price: int, grid: str
) -> None:
    write(tmp_path, [(100, True, price, 700)])

    assert load_recorded_books(tmp_path).grid.label == grid


def test_a_folder_without_books_is_told(tmp_path: Path) -> None:
    assert not is_stream_folder(tmp_path)
    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "a.parquet")
    assert is_stream_folder(tmp_path)
    with pytest.raises(ConfigError, match="no recorded order book"):
        load_recorded_books(tmp_path)

    (tmp_path / "a.parquet").write_bytes(b"not parquet")
    with pytest.raises(ConfigError, match=r"a\.parquet"):
        load_recorded_books(tmp_path)


def test_the_form_of_2025_cannot_say_what_a_recorded_market_does(tmp_path: Path) -> None:
    (tmp_path / "deltas.parquet").touch()
    wish = ServeWish(port=0, folder=tmp_path, personality="2025", key_file=tmp_path / "sandbox.pem")

    with pytest.raises(ConfigError, match="the form of 2025"):
        serve_sandbox(wish, started=lambda _: None)


@pytest.mark.recorded
def test_recorded_sessions_are_replayed_level_by_level(recorded_data: Path) -> None:
    recorded = load_recorded_books(recorded_data / "ws")
    until = Instant(recorded.start + 12 * MINUTE)
    messages = _until(recorded, until)
    expected: dict[tuple[Ticker, bool], dict[int, int]] = {}
    for message in messages:
        if isinstance(message, BookSeen):
            expected[message.ticker, True] = dict(message.bids)
            expected[message.ticker, False] = dict(message.asks)
        else:
            levels = expected[message.ticker, message.is_bid]
            levels[message.price] = levels.get(message.price, 0) + message.change
    again = Recorded(
        start=recorded.start, grid=recorded.grid, markets=recorded.markets, messages=messages
    )
    events: list[e.Event] = []

    replay = Replay(Exchange(), again)
    replay.advance(until, hearing(replay, events))

    live = [
        state
        for state in replay.exchange.books.listings.markets.values()
        if state.status is MarketStatus.ACTIVE
    ]
    assert len(messages) > 30_000
    assert live
    for state in live:
        for is_bid, side in ((True, state.book.bids), (False, state.book.asks)):
            wanted = {p: n for p, n in expected[state.ticker, is_bid].items() if n}
            assert {p: level.total for p, level in side.levels.items()} == wanted
    assert not any(isinstance(event, e.Refused) for event in events)
    for ticker, seen in recorded.markets.items():
        state = replay.exchange.books.listings.markets.get(ticker)
        if state is not None and seen.volumes:
            assert state.tape.volume <= seen.volumes[-1] - seen.volumes[0]
    audit(replay.exchange.books)


def _until(recorded: Recorded, until: Instant) -> list[BookSeen | LevelSeen]:
    kept: list[BookSeen | LevelSeen] = []
    for message in recorded.messages:
        if message.at > until:
            break
        kept.append(message)
    return kept
