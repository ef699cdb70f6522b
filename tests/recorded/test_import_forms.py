"""The same rows in whatever form somebody recorded them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from small_account import SMALL_ACCOUNT

from trueup.core.errors import ConfigError
from trueup.core.facts import Stream
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, Subaccount, Ticker
from trueup.core.instant import parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.ledger.proof import Proven
from trueup.run.books.booking import book_new
from trueup.run.books.proving import prove_cash
from trueup.run.books.recording import ImportReport, check_recording, import_recording
from trueup.run.books.recording_files import stream_of
from trueup.run.config import Config
from trueup.store.database import Books, open_books

Items = Sequence[Mapping[str, object]]
Write = Callable[[Path, Items], None]

NOW = parse_instant("2026-06-01T00:00:00Z")
FILLS: Items = SMALL_ACCOUNT["fills"]


@pytest.fixture
def books() -> Iterator[Books]:
    with open_books(":memory:", venue="prod", mode="live", account="small", create=True) as opened:
        yield opened


def take(books: Books, folder: Path) -> ImportReport:
    return import_recording(books, check_recording(folder), now=NOW)


def lines(items: Items) -> str:
    return "".join(json.dumps(each) + "\n" for each in items)


def page(items: Items) -> dict[str, object]:
    return {"fills": items, "cursor": ""}


def table(items: Items) -> str:
    text = io.StringIO()
    names = sorted({name for each in items for name in each}, reverse=True)
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(items)
    return text.getvalue()


def _two_files(folder: Path, items: Items) -> None:
    (folder / "fills-2026-05-01.jsonl").write_text(lines(items[:1]))
    (folder / "fills-2026-05-02.jsonl").write_text(lines(items[1:]))


def _golden(folder: Path, items: Items) -> None:
    told = {"_metadata": {"recorded_at": "2026-05-21T00:00:00Z"}, "response": page(items)}
    (folder / "portfolio_fills_response.json").write_text(json.dumps(told))


FORMS: Mapping[str, Write] = {
    "jsonl": lambda folder, items: _text(folder / "fills.jsonl", lines(items)),
    "more in the name": lambda folder, items: _text(
        folder / "fills_rest_2026-05.jsonl", lines(items)
    ),
    "ndjson": lambda folder, items: _text(folder / "fills.ndjson", lines(items)),
    "gzip": lambda folder, items: _bytes(
        folder / "fills_2026.jsonl.gz", gzip.compress(lines(items).encode())
    ),
    "byte order mark": lambda folder, items: _bytes(
        folder / "fills.jsonl", b"\xef\xbb\xbf" + lines(items).encode()
    ),
    "pages on lines": lambda folder, items: _text(
        folder / "fills.jsonl", lines([page(items[:2]), page(items[2:]), {"fills": None}])
    ),
    "an answer": lambda folder, items: _text(
        folder / "fills.json", json.dumps(page(items), indent=2)
    ),
    "a list": lambda folder, items: _text(folder / "fills.json", json.dumps(items)),
    "two files": _two_files,
    "in a wrapper": _golden,
    "in a payload": lambda folder, items: _text(
        folder / "portfolio_fills.json",
        json.dumps({"captured_at": "2026-05-21T00:00:00Z", "payload": page(items)}),
    ),
    "answers as text": lambda folder, items: _text(
        folder / "fills.jsonl",
        lines(
            [{"url": "/portfolio/fills", "status": 200, "response_body": json.dumps(page(items))}]
        ),
    ),
    "csv of a data frame": lambda folder, items: _text(
        folder / "fills.csv", table([{**each, "no_such": "nan", "ts": "NaN"} for each in items])
    ),
    "csv": lambda folder, items: _text(folder / "fills.csv", table(items)),
    "csv of a spreadsheet": lambda folder, items: _bytes(
        folder / "fills.csv", b"\xef\xbb\xbf" + table(items).encode()
    ),
}


def _text(path: Path, text: str) -> None:
    path.write_text(text)


def _bytes(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_fills(books: Books, tmp_path: Path, form: str) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    FORMS["jsonl"](tmp_path / "plain", FILLS)
    FORMS[form](tmp_path / "other", FILLS)

    take(books, tmp_path / "plain")
    again = take(books, tmp_path / "other")

    assert again.total.quarantined == 0
    assert (again.total.seen, again.total.changed) == (len(FILLS), False)


def test_what_a_wrapper_says_holds_for_its_rows(books: Books, tmp_path: Path) -> None:
    settled = dict(SMALL_ACCOUNT["settlements"][0])
    settled.pop("subaccount_number", None)
    body = {"subaccount_number": 4, "settlements": [settled], "observed_at": "2026-05-30T00:00:00Z"}
    _text(tmp_path / "settlements.jsonl", lines([body]))

    take(books, tmp_path)

    (row,) = books.settlements()
    (evidence,) = books.evidence(Stream.SETTLEMENTS, f"4/{row.ticker}/0")
    assert row.subaccount == Subaccount(4)
    assert evidence.recorded.observed_at == parse_instant("2026-05-30T00:00:00Z")


BALANCES = {
    "as the bot names them": (
        "observed_at,balance_updated_ts,balance_cents,portfolio_value_cents,active_positions\n"
        "2026-05-20T00:00:05+00:00,1779235200,7225,350,1\n"
    ),
    "in another order": (
        "portfolio_value_cents,note,balance_cents,observed_at\n350,,7225,2026-05-20T00:00:00Z\n"
    ),
    "in dollars": "timestamp,balance_dollars\n2026-05-20 00:00:00Z,72.2500\n",
    "in Unix time": "time,balance_dollars\n1779235200,72.25\n",
}


@pytest.mark.parametrize("text", BALANCES.values(), ids=BALANCES)
def test_balances_in_a_table(books: Books, tmp_path: Path, text: str) -> None:
    _text(tmp_path / "balance_timeline_2026-05.csv", text)

    report = take(books, tmp_path)

    (reading,) = books.balance_readings(PRIMARY)
    assert report.total.quarantined == 0
    assert reading.at == parse_instant("2026-05-20T00:00:00Z")
    assert reading.low.units == 72_250_000


def test_results_in_a_table(books: Books, tmp_path: Path) -> None:
    _text(
        tmp_path / "kxt_market_results_2026.csv",
        "strike,settlement_ts,status,result,ticker\n,2026-05-15T12:00:00Z,,yes,KXT-1\n7,,,,KXT-2\n",
    )

    report = take(books, tmp_path)

    (stated,) = list(books.market_statements())
    assert (stated.ticker, stated.status, stated.result) == ("KXT-1", "finalized", "yes")
    assert report.total.quarantined == 1


BROKEN = {
    "cut gzip": ("fills.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 99)[:-9], "cannot be read"),
    "no gzip": ("fills.jsonl.gz", b"{}\n", "cannot be read"),
    "cut json": ("fills.json", b'{"fills": [', "is not JSON"),
    "latin": ("balances.csv", "balance,observed_at\n1,Zürich\n".encode("latin-1"), "not UTF-8"),
    "cut table": ("balances.csv", b"balance,observed_at\n100,x\n100\n", "line 3: the row has not"),
    "too many cells": ("balances.csv", b"balance,observed_at\n1,2,3\n", "line 2: the row has not"),
    "no balance": ("balances.csv", b"money,observed_at\n", "no column balance or balance_dollars"),
    "empty table": ("balances.csv", b"", "its columns: none"),
    "list in lines": ("fills.jsonl", b"[]\n", "line 1: not a JSON object"),
}


@pytest.mark.parametrize(("name", "raw", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_file_is_named_and_nothing_is_imported(
    books: Books, tmp_path: Path, name: str, raw: bytes, words: str
) -> None:
    _text(tmp_path / "settlements.jsonl", lines(SMALL_ACCOUNT["settlements"]))
    _bytes(tmp_path / name, raw)

    with pytest.raises(ConfigError, match=words) as caught:
        take(books, tmp_path)

    assert name in str(caught.value)
    assert list(books.settlements()) == []


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("historical_fills_may.jsonl", "historical_fills"),
        ("series_fee_changes.json", "series_fee_changes"),
        ("market_positions.jsonl", "positions"),
        ("Kalshi-Fills.CSV", "fills"),
        ("settlements__page.meta.json", None),
        ("order_lifecycle_events_2026.jsonl.gz", None),
        ("bot_trades_a.csv", None),
        ("balance.json", "balances"),
        ("portfolio_balance_response.json", "balances"),
        ("series_candlesticks_response.json.gz", None),
        ("fillsheet.csv", None),
    ],
)
def test_the_name_says_what_a_file_holds(name: str, stream: str | None) -> None:
    assert stream_of(Path(name)) == stream


def test_other_files_are_left_alone_and_named(books: Books, tmp_path: Path) -> None:
    FORMS["jsonl"](tmp_path, FILLS)
    _text(tmp_path / "bot_trades_a.csv", "a,b\n")
    _text(tmp_path / "README.md", "words")

    report = take(books, tmp_path)

    assert [each.name for each in report.others] == ["bot_trades_a.csv"]


OLD_FILL = {
    "action": "sell",
    "count": 3,
    "created_time": "2026-01-10T16:11:11.109554Z",
    "fill_id": "old-1",
    "is_taker": True,
    "market_ticker": "KXT-1",
    "no_price": 40,
    "no_price_fixed": "0.4000",
    "order_id": "o-1",
    "price": 0.6,
    "side": "no",
    "ticker": "KXT-1",
    "trade_id": "old-1",
    "ts": 1768061471,
    "yes_price": 60,
}


def test_fills_of_both_eras_lie_in_one_file(books: Books, tmp_path: Path) -> None:
    present = {**FILLS[0], "side": "no", "action": "sell"}
    _text(tmp_path / "fills.jsonl", lines([OLD_FILL, present]))

    report = take(books, tmp_path)

    old, new = books.fills()
    assert report.total.quarantined == 0
    assert (old.side, str(old.price), str(old.count), old.fee) == ("no", "0.60", "3.00", None)
    assert new.side == FILLS[0]["outcome_side"]


def test_the_recorded_account_is_imported_as_its_bot_left_it(
    books: Books, account_files: Path
) -> None:
    report = take(books, account_files)
    book_new(books, precision=Precision.NON_DIRECT, config=Config())

    intervals = [*prove_cash(books, precision=Precision.NON_DIRECT, now=NOW).intervals()]
    verdicts = [each.verdict for each in intervals]
    assert report.total.quarantined == 0
    assert len(list(books.fills())) == 316
    assert len(verdicts) - verdicts.count(Proven.PROVEN) - verdicts.count(Proven.TIMING) <= 11
    assert [each.name for each in report.others] == [
        "bot_trades_a.csv",
        "bot_trades_b.csv",
        "bot_trades_c.csv",
        "exchange_accounting_2026-05.jsonl",
        "order_lifecycle_events_2026.jsonl.gz",
    ]


def test_fills_of_the_stream_are_fills(books: Books, tmp_path: Path) -> None:
    told = {name: value for name, value in FILLS[0].items() if name not in {"ticker", "fill_id"}}
    told |= {"market_ticker": FILLS[0]["ticker"], "trade_id": "t-1", "ts_ms": 1_779_235_200_123}
    told.pop("created_time")
    _text(tmp_path / "fills.jsonl", lines([{"type": "fill", "sid": 3, "msg": told}]))

    report = take(books, tmp_path)

    (fill,) = books.fills()
    assert report.total.quarantined == 0
    assert fill.at == parse_instant("2026-05-20T00:00:00.123Z")


def test_states_without_a_time_of_their_own_are_of_the_time_that_was_noted(
    books: Books, tmp_path: Path
) -> None:
    """Older balances and positions did not say one."""
    noted = {"observed_at": "2026-05-20T00:00:00Z"}
    position = {
        "ticker": "KXA-1",
        "position": -5,
        "market_exposure": 250,
        "realized_pnl": 0,
        "fees_paid": 3,
        "total_traded": 250,
    }
    _text(tmp_path / "balances.jsonl", lines([{**noted, "balance": 1_234}, {"balance": 1_234}]))
    _text(tmp_path / "positions.jsonl", lines([{**noted, **position}, position]))

    report = take(books, tmp_path)

    assert (report.total.new, report.total.quarantined) == (2, 2)
    assert all("observed_at" in each.reason for each in books.quarantined())
    (held,) = books.latest_positions()
    assert held.updated_at == parse_instant("2026-05-20T00:00:00Z")


def test_a_list_of_results_may_use_the_words_of_the_listing(books: Books, tmp_path: Path) -> None:
    text = "ticker,result,status\nKXA-1,YES,settled\nKXA-2,,open\n"
    _text(tmp_path / "kxa_market_results.csv", text)

    assert take(books, tmp_path).total.quarantined == 0
    ended, runs = (books.market(Ticker(each)) for each in ("KXA-1", "KXA-2"))
    assert ended is not None
    assert runs is not None
    assert (ended.status, ended.result) == (MarketStatus.FINALIZED, MarketResult.YES)
    assert (runs.status, runs.result) == (MarketStatus.ACTIVE, None)


@pytest.mark.parametrize("name", ["Kalshi-Transactions-2026.csv", "Kalshi-Recent-Activity-All.csv"])
def test_the_websites_statements_are_named_as_what_they_are(tmp_path: Path, name: str) -> None:
    _text(tmp_path / name, "type,quantity,market_ticker\n")

    with pytest.raises(ConfigError) as refused:
        check_recording(tmp_path)

    assert "statement" in (refused.value.remedy or "")


def test_a_table_of_something_else_under_a_streams_name_is_refused(tmp_path: Path) -> None:
    _text(tmp_path / "fills.csv", "market_ticker,quantity_fp,entry_price_dollars\nKXA-1,10,0.6\n")

    with pytest.raises(ConfigError, match="no column fill_id or trade_id"):
        check_recording(tmp_path)


def test_a_file_of_a_form_that_is_not_read_is_named(books: Books, tmp_path: Path) -> None:
    _text(tmp_path / "fills.jsonl", lines(FILLS))
    _bytes(tmp_path / "settlements.parquet", b"PAR1")

    assert [each.name for each in take(books, tmp_path).others] == ["settlements.parquet"]
