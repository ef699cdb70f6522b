"""Other people's files of trades, markets and quotes: every name and unit that is certain, no guess."""

from __future__ import annotations

import gzip
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from trueup.core.errors import ConfigError
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, parse_instant
from trueup.core.units import Count, Price
from trueup.run.archive.tape_files import load_markets, load_quotes_tape, load_tape
from trueup.run.archive.tape_trades import read_trades
from trueup.run.archive.tape_values import moment_of

AT = parse_instant("2026-01-02T13:07:01.212740Z")
RAIN = Ticker("KXRAIN-26JAN02-NY")

Row = Mapping[str, object]


def trade(**more: object) -> dict[str, object]:
    return {
        "ticker": RAIN,
        "created_time": "2026-01-02T13:07:01.212740Z",
        "count": 30,
        "yes_price": 96,
        "taker_side": "no",
        **more,
    }


def without(row: Row, *names: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in names}


def jsonl(folder: Path, rows: Sequence[Row], name: str = "trades.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


FORMS: Mapping[str, Row] = {
    "cents": trade(),
    "doubles of cents": trade(yes_price=96.0, count=30.0),
    "dollars": trade(yes_price_dollars="0.9600", count_fp="30.00"),
    "doubles of dollars": trade(yes_price=0.96),
    "price and quantity": without(
        trade(price=0.96, quantity=30.0, direction="no_taker"), "yes_price", "count", "taker_side"
    ),
    "book side": without(trade(taker_book_side="ask"), "taker_side"),
    "a flag": without(trade(taker_yes=False), "taker_side"),
    "a flag as a number": without(trade(taker_yes=0), "taker_side"),
    "words in capitals": trade(taker_side="NO"),
    "seconds since 1970": without(trade(ts=1_767_359_221.21274), "created_time"),
    "nanoseconds since 1970": without(trade(ts=1_767_359_221_212_740_999), "created_time"),
    "without a zone": trade(created_time="2026-01-02 13:07:01.212740"),
    "another ticker's name": without(trade(market_ticker=RAIN), "ticker"),
}


@pytest.mark.parametrize("row", FORMS.values(), ids=FORMS)
def test_a_trade_is_the_same_trade_in_every_form(tmp_path: Path, row: Row) -> None:
    (seen,) = read_trades(jsonl(tmp_path, [row])).trades

    assert (seen.ticker, seen.at) == (RAIN, AT)
    assert (seen.price, seen.count) == (Price.parse("0.96").units, Count.parse("30").units)
    assert not seen.taker_is_bid


def _csv(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "trades.csv"
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def _gzip(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "trades.csv.gz"
    path.write_bytes(gzip.compress(_csv(folder, rows).read_bytes()))
    return path


def _answer(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "trades.json"
    path.write_text(json.dumps({"cursor": "", "trades": rows}))
    return path


def _parquet(folder: Path, rows: Sequence[Row]) -> Path:
    pa: Any = pytest.importorskip("pyarrow")
    path = folder / "trades.parquet"
    importlib.import_module("pyarrow.parquet").write_table(pa.Table.from_pylist(list(rows)), path)
    return path


@pytest.mark.parametrize("write", [jsonl, _csv, _gzip, _answer, _parquet])
def test_a_file_is_read_by_its_ending(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], Path]
) -> None:
    seen = read_trades(write(tmp_path, [trade(), trade(yes_price=4, taker_side="yes")])).trades

    assert [(each.price, each.taker_is_bid) for each in seen] == [(9_600, False), (400, True)]


def test_a_price_above_one_says_that_all_are_cents(tmp_path: Path) -> None:
    rows = [trade(yes_price=0.5), trade(yes_price=92.8)]

    assert [one.price for one in read_trades(jsonl(tmp_path, rows)).trades] == [50, 9_280]


def test_prices_that_may_be_either_are_refused(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [without(trade(price=1), "yes_price")])

    with pytest.raises(ConfigError, match="cents or dollars"):
        read_trades(path)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"taker_side": "buy"}, "whether YES or NO"),
        ({"yes_price": None}, "no price"),
        ({"yes_price_dollars": "0.56005"}, "finer"),
        ({"count": "many"}, "decimal"),
    ],
)
def test_a_value_that_cannot_be_read_names_file_and_column(
    tmp_path: Path, wrong: Row, words: str
) -> None:
    with pytest.raises(ConfigError, match=rf"trades.jsonl, column .*{words}"):
        read_trades(jsonl(tmp_path, [trade(**wrong)]))


def test_what_is_no_trade_of_the_book_is_left_out_and_said(tmp_path: Path) -> None:
    first = trade(trade_id="t-1", is_block_trade=False)
    rows = [
        first,
        first,
        {**first, "trade_id": "t-2", "is_block_trade": True},
        {**first, "trade_id": "t-3", "count": 0},
        {**first, "trade_id": "t-4", "taker_side": ""},
    ]

    read = read_trades(jsonl(tmp_path, rows))

    assert [each.trade_id for each in read.trades] == ["t-1"]
    assert len(read.notes) == 4


def test_times_finer_than_a_microsecond_are_cut(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow")
    times = pa.array([AT * 1_000 + 999], pa.timestamp("ns", tz="America/New_York"))
    row = without(trade(), "created_time")
    table = pa.Table.from_pylist([row]).append_column("ts", times)
    importlib.import_module("pyarrow.parquet").write_table(table, tmp_path / "trades.parquet")

    (seen,) = read_trades(tmp_path / "trades.parquet").trades

    assert seen.at == AT


def test_a_number_is_a_time_in_the_unit_that_its_size_allows() -> None:
    second = Instant(1_767_359_221_000_000)
    for written in (1_767_359_221, 1_767_359_221_000, second, second * 1_000, "1767359221"):
        assert moment_of(written) == second


RESULTS = (
    "ticker,event_ticker,result,close_time,settlement_value,settlement_value_dollars\n"
    f"{RAIN},KXRAIN-26JAN02,NO,2026-01-02T23:00:00Z,,\n"
    "KXA-1-1,,scalar,2026-01-02T23:00:00Z,30.60,\n"
    "KXA-1-2,,scalar,2026-01-02T23:00:00Z,,0.3060\n"
    "KXA-1-3,,scalar,2026-01-02T23:00:00Z,nan,\n"
    "KXA-1-4,,void,2026-01-02T23:00:00Z,,\n"
)


def test_markets_settle_by_what_is_certain_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "markets.csv"
    path.write_text(RESULTS)

    values = {ticker[-3:]: one.value for ticker, one in load_markets(path).items()}

    assert values == {
        "-NY": Price(0),
        "1-1": Price.parse("0.3060"),
        "1-2": Price.parse("0.3060"),
        "1-3": None,
        "1-4": None,
    }
    assert load_markets(path)[Ticker("KXA-1-1")].event.ticker == "KXA-1"


def test_a_tape_of_lines_says_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "markets.csv").write_text(RESULTS)
    trades = jsonl(tmp_path, [trade(), trade(count=0)])

    tape = load_tape(trades, tmp_path / "markets.csv")

    assert len(tape.trades) == 1
    assert any("of no contract" in each for each in tape.notes)


def test_quotes_in_cents_are_refused(tmp_path: Path) -> None:
    (tmp_path / "markets.csv").write_text(RESULTS)
    quotes = jsonl(
        tmp_path,
        [{"captured_at": "2026-01-02T14:00:00Z", "ticker": RAIN, "yes_bid": 40, "yes_ask": 41}],
    )

    with pytest.raises(ConfigError, match=r"row 1: .*between \$0 and \$1"):
        load_quotes_tape(quotes, tmp_path / "markets.csv", assumed_size=Count.of_contracts(1))
