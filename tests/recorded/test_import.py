"""Importing a folder: what is read, what is refused, what is proven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from small_account import EVENT, OPEN, PAID, SMALL_ACCOUNT, market, write_items, write_small_account
from typer.testing import CliRunner

from trueup.cli import importing
from trueup.core.errors import ConfigError
from trueup.core.facts import Source, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, Subaccount, Ticker
from trueup.core.instant import Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.statements import MarketStated
from trueup.core.units import ONE_DOLLAR, Count, Money
from trueup.ledger.coverage import Span
from trueup.run.books.listings import BEGINNING
from trueup.run.books.recorded_rows import CATALOG_READERS, JOURNAL_FILES, MARKET_FILES
from trueup.run.books.recording import (
    ImportReport,
    StatedSpan,
    check_recording,
    import_recording,
    parse_span,
)
from trueup.sim.recorded import STREAMS
from trueup.store.database import Books, open_books
from trueup.store.journal import Appended

NOW = parse_instant("2026-06-01T00:00:00Z")
SPAN = Span(parse_instant("2026-05-01T00:00:00Z"), NOW)


@pytest.fixture
def books() -> Iterator[Books]:
    with open_books(":memory:", venue="prod", mode="live", account="small", create=True) as opened:
        yield opened


def take(books: Books, folder: Path, *covers: StatedSpan) -> ImportReport:
    return import_recording(books, check_recording(folder, covers=covers), now=NOW)


def test_every_file_that_the_sandbox_serves_can_be_imported() -> None:
    assert {*JOURNAL_FILES, *MARKET_FILES, *CATALOG_READERS} == set(STREAMS)


def test_lines_are_kept_verbatim_with_when_and_whose(books: Books, tmp_path: Path) -> None:
    seen = {"observed_at": "2026-05-21T00:00:00.5+00:00"}
    item = {**SMALL_ACCOUNT["fills"][2], **seen}
    write_items(tmp_path / "fills.jsonl", item)

    report = take(books, tmp_path)

    assert report.brought == {Stream.FILLS: Appended(new=1)}
    (fill,) = books.fills()
    assert fill.subaccount == Subaccount(1)
    (evidence,) = books.evidence(Stream.FILLS, "trade-3/order-3")
    assert json.loads(evidence.raw) == item
    assert evidence.recorded.source is Source.RECORDING
    assert evidence.recorded.observed_at == parse_instant("2026-05-21T00:00:00.5Z")
    assert books.unknown_fields() == []


def test_a_line_that_nobody_dated_was_seen_when_the_exchange_dates_it_or_now(
    books: Books, tmp_path: Path
) -> None:
    write_small_account(tmp_path)

    take(books, tmp_path)

    (fill,) = books.evidence(Stream.FILLS, "trade-1/order-1")
    (position,) = books.evidence(Stream.POSITIONS, f"0/{OPEN}")
    (balance,) = books.balance_readings(PRIMARY)
    assert fill.recorded.observed_at == NOW
    assert position.recorded.observed_at == parse_instant("2026-05-12T10:00:00.123456Z")
    assert balance.observed_at == balance.at == parse_instant("2026-05-20T00:00:00Z")


def test_an_old_position_does_not_replace_a_newer_one(books: Books, tmp_path: Path) -> None:
    (position,) = SMALL_ACCOUNT["positions"]
    newer = {**position, "position_fp": "-7.00", "last_updated_ts": "2026-05-13T00:00:00Z"}
    write_items(tmp_path / "new" / "positions.jsonl", newer)
    write_items(tmp_path / "old" / "positions.jsonl", position)

    take(books, tmp_path / "new")
    take(books, tmp_path / "old")

    assert [each.net for each in books.latest_positions()] == [Count.parse("-7")]


def test_states_in_turn_are_all_kept_and_not_kept_again(books: Books, tmp_path: Path) -> None:
    (position,) = SMALL_ACCOUNT["positions"]
    states = [
        {**position, "position_fp": held, "last_updated_ts": f"2026-05-13T00:00:0{second}Z"}
        for second, held in enumerate(("-5.00", "0.00", "-5.00"))
    ]
    write_items(tmp_path / "positions.jsonl", *states)

    first, second = take(books, tmp_path), take(books, tmp_path)

    assert first.brought == {Stream.POSITIONS: Appended(new=1, updated=2)}
    assert second.brought == {Stream.POSITIONS: Appended(seen=3)}


def test_the_breakdown_of_a_balance_is_read_too(books: Books, tmp_path: Path) -> None:
    breakdown = [{"exchange_index": 0, "balance": "70.25"}, {"exchange_index": 1, "balance": "2"}]
    body = {**SMALL_ACCOUNT["balances"][0], "balance_breakdown": breakdown}
    write_items(tmp_path / "balances.jsonl", body)

    take(books, tmp_path)

    assert sorted(
        ("all" if each.shard is None else each.shard, str(each.low))
        for each in books.latest_balances()
        if each.shard is not None
    ) == [(0, "70.25"), (1, "2.00")]
    assert [str(each.low) for each in books.balance_readings(PRIMARY)] == ["72.25"]


def test_a_truncated_balance_is_an_interval(books: Books, tmp_path: Path) -> None:
    write_items(tmp_path / "balances.jsonl", {"balance": 2573, "updated_ts": 1_779_235_200})

    take(books, tmp_path)

    (reading,) = books.balance_readings(PRIMARY)
    assert (reading.low, reading.high) == (Money.parse("25.73"), Money.parse("25.739999"))
    assert reading.portfolio_value is None


def test_thin_markets_tell_how_they_ended_and_what_is_missing_stays_unknown(
    books: Books, tmp_path: Path
) -> None:
    write_items(
        tmp_path / "markets.jsonl",
        {"ticker": "M-1", "result": "yes", "status": "finalized", "settlement_ts": NOW_TEXT},
        {"ticker": "M-2", "event_ticker": "M", "result": None, "status": "closed"},
    )

    report = take(books, tmp_path)

    assert report.described == {"markets": 1}
    assert list(books.cache.catalog().markets) == ["M-2"]
    assert books.market(Ticker("M-1")) == MarketStated(
        ticker=Ticker("M-1"),
        event_ticker=EventTicker(""),
        status=MarketStatus.FINALIZED,
        result=MarketResult.YES,
        settlement_value=None,
        close_at=None,
        settled_at=NOW,
        shard=SHARD_ZERO,
    )
    stated = books.market(Ticker("M-2"))
    assert stated is not None
    assert (stated.status, stated.result) == (MarketStatus.CLOSED, None)


NOW_TEXT = "2026-06-01T00:00:00Z"


def test_a_whole_market_with_a_bad_figure_is_not_taken_for_a_thin_one(
    books: Books, tmp_path: Path
) -> None:
    write_items(tmp_path / "markets.jsonl", market(PAID, yes_bid_dollars="0.60001"), market(OPEN))

    report = take(books, tmp_path)

    assert report.brought == {Stream.MARKETS: Appended(new=1, quarantined=1)}
    assert books.market(Ticker(PAID)) is None
    assert list(books.cache.quotes()) == [OPEN]


def test_a_market_that_lacks_a_count_tells_how_it_ended_and_makes_no_quote(
    books: Books, tmp_path: Path
) -> None:
    row = {name: value for name, value in market(PAID).items() if name != "volume_24h_fp"}
    row.pop("settlement_value_dollars", None)
    write_items(
        tmp_path / "markets.jsonl", {**row, "settlement_value": 100, "observed_at": NOW_TEXT}
    )

    take(books, tmp_path)

    stated = books.market(Ticker(PAID))
    assert stated is not None
    assert stated.settlement_value == ONE_DOLLAR
    assert not books.cache.quotes()


def test_a_quote_of_unknown_age_is_no_mark(books: Books, tmp_path: Path) -> None:
    write_items(tmp_path / "markets.jsonl", market(OPEN, observed_at=None))

    take(books, tmp_path)

    assert books.cache.quotes() == {}
    assert list(books.cache.catalog().markets) == [OPEN]


def test_an_older_quote_does_not_replace_a_newer_one(books: Books, tmp_path: Path) -> None:
    later, sooner = "2026-05-22T00:00:00Z", "2026-05-21T00:00:00Z"
    write_items(
        tmp_path / "markets.jsonl",
        market(OPEN, observed_at=later, yes_bid_dollars="0.5500"),
        market(OPEN, observed_at=sooner),
    )

    take(books, tmp_path)

    assert str(books.cache.quotes()[Ticker(OPEN)].quote.yes_bid) == "0.55"


def test_an_unreadable_row_is_quarantined_by_file_and_line(books: Books, tmp_path: Path) -> None:
    good = SMALL_ACCOUNT["fills"][0]
    finer = {**good, "trade_id": "t-9", "yes_price_dollars": "0.40001"}
    nul = {**good, "trade_id": "t\0", "order_id": "o"}
    whose = {**good, "trade_id": "t-8", "subaccount_number": "first"}
    write_items(tmp_path / "fills.jsonl", finer, good, nul, whose)

    report = take(books, tmp_path)

    assert report.brought == {Stream.FILLS: Appended(new=1, quarantined=3)}
    found = sorted(each.reason for each in books.quarantined())
    assert [reason.partition(": ")[0] for reason in found] == [
        "fills.jsonl, line 1",
        "fills.jsonl, line 3",
        "fills.jsonl, line 4",
    ]
    assert all(each.source is Source.RECORDING for each in books.quarantined())
    assert "NUL" in found[1]


def test_unreadable_descriptions_are_noted(books: Books, tmp_path: Path) -> None:
    write_items(tmp_path / "events.jsonl", {"event_ticker": EVENT})

    report = take(books, tmp_path)

    assert report.described == {"events": 0}
    assert [note.partition(": ")[0] for note in report.notes] == ["events.jsonl, line 1"]
    assert not report.read_anything


def test_fields_that_are_new_are_counted(books: Books, tmp_path: Path) -> None:
    write_items(tmp_path / "fills.jsonl", {**SMALL_ACCOUNT["fills"][0], "mood": "fine"})

    take(books, tmp_path)

    assert [(each.stream, each.field) for each in books.unknown_fields()] == [
        (Stream.FILLS, "mood")
    ]


def test_more_lines_than_a_page_are_all_read(books: Books, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    first = SMALL_ACCOUNT["fills"][0]
    fills = [{**first, "trade_id": f"t-{number}"} for number in range(2001)]
    write_items(tmp_path / "fills.jsonl", *fills)

    report = import_recording(
        books,
        check_recording(tmp_path),
        now=NOW,
        told=lambda what, records: told.append((what, records)),
    )

    assert report.total == Appended(new=2001)
    assert told == [("fills.jsonl", 1000), ("fills.jsonl", 1000), ("fills.jsonl", 1)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"trade_id": "cut o', "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b"<html>", "not JSON"),
        (b'"fill"', "not a JSON object"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_imported(
    books: Books, tmp_path: Path, line: bytes, words: str
) -> None:
    write_small_account(tmp_path)
    path = tmp_path / "orders.jsonl"
    path.write_bytes(path.read_bytes() + b"\n" + line)

    with pytest.raises(ConfigError, match=f"orders.jsonl, line 5: {words}") as raised:
        take(books, tmp_path)

    assert raised.value.remedy
    assert set(books.record_counts().values()) <= {0}
    assert books.cache.catalog().series == {}


def test_folders_that_are_no_recordings_are_refused(books: Books, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        take(books, tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="holds no recorded stream"):
        take(books, tmp_path)
    (tmp_path / "trades.jsonl").touch()
    with pytest.raises(ConfigError, match=r"trades.jsonl is not a stream"):
        take(books, tmp_path)


def test_a_recording_proves_nothing_complete(books: Books, tmp_path: Path) -> None:
    report = take(books, write_small_account(tmp_path))

    assert books.coverage() == []
    assert report.covered == {}


def test_the_operators_word_is_stored_as_coverage(books: Books, tmp_path: Path) -> None:
    write_small_account(tmp_path, without=frozenset({"withdrawals"}))

    report = take(books, tmp_path, StatedSpan(span=SPAN))

    assert {each.stream for each in books.coverage()} == set(report.covered)
    assert set(report.covered) == {
        Stream.FILLS,
        Stream.ORDERS,
        Stream.SETTLEMENTS,
        Stream.DEPOSITS,
        Stream.TRANSFERS,
        Stream.SHARD_TRANSFERS,
    }
    assert {(each.start, each.end) for each in books.coverage()} == {(SPAN.since, SPAN.until)}


def manifest(folder: Path, *covers: dict[str, object], **more: object) -> Path:
    (folder / "manifest.json").write_text(json.dumps({"covers": covers, **more}))
    return folder


def test_a_manifest_states_the_same(books: Books, tmp_path: Path) -> None:
    write_small_account(tmp_path)
    manifest(
        tmp_path,
        {"streams": ["fills"], "to": NOW_TEXT},
        {"streams": ["orders"], "from": "2026-05-01T00:00:00Z", "to": NOW_TEXT},
        note="written by the recorder",
    )

    take(books, tmp_path)

    assert {each.stream: (each.start, each.end) for each in books.coverage()} == {
        Stream.FILLS: (BEGINNING, NOW),
        Stream.ORDERS: (SPAN.since, NOW),
    }


@pytest.mark.parametrize(
    ("covers", "words"),
    [
        ({"streams": ["deposits"], "to": NOW_TEXT}, "there is no deposits.jsonl"),
        ({"streams": ["balances"], "to": NOW_TEXT}, "no stream that can be complete"),
        ({"streams": ["fills"]}, "cannot be used"),
        ({"streams": ["fills"], "to": "yesterday"}, "cannot be used"),
        ({"from": NOW_TEXT, "to": "2026-05-01T00:00:00Z"}, "ends before it begins"),
        ({"stream": "fills", "to": NOW_TEXT}, "cannot be used"),
    ],
)
def test_a_manifest_that_cannot_be_true_stops_the_import(
    books: Books, tmp_path: Path, covers: dict[str, object], words: str
) -> None:
    write_small_account(tmp_path, without=frozenset({"deposits"}))
    manifest(tmp_path, covers)

    with pytest.raises(ConfigError, match=words):
        take(books, tmp_path)

    assert set(books.record_counts().values()) <= {0}


def test_spans_are_read() -> None:
    assert parse_span("2026-05-01T00:00:00Z..2026-06-01T00:00:00Z") == SPAN
    assert parse_span("..2026-06-01T00:00:00Z") == Span(Instant(0), NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "..", "2026-05-01..2026-06-01", f"{NOW_TEXT}.."])
def test_spans_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no span of time"):
        parse_span(text)


# The command


@pytest.fixture
def app() -> typer.Typer:
    built = typer.Typer()
    importing.register(built)
    built.callback()(lambda: None)
    return built


def run(app: typer.Typer, home: Path, *arguments: str) -> tuple[int, str]:
    environment = {"TRUEUP_HOME": str(home)}
    runner = CliRunner()
    result = runner.invoke(app, ["import", *arguments], env=environment, catch_exceptions=False)
    return result.exit_code, result.output


def test_the_command_imports_and_books(app: typer.Typer, tmp_path: Path) -> None:
    folder = write_small_account(tmp_path / "folder")

    code, output = run(app, tmp_path, str(folder), "--venue", "prod", "--account", "small")

    assert code == 0
    assert output.startswith(" PRODUCTION · account small")
    assert "Booked 3 markets and 3 cash facts." in output
    assert "nothing is proven complete" in output


def test_the_command_answers_in_json(app: typer.Typer, tmp_path: Path) -> None:
    folder = write_small_account(tmp_path / "folder")
    covers = "2026-05-01T00:00:00Z..2026-06-01T00:00:00Z"

    code, output = run(app, tmp_path, str(folder), "--venue=demo", "--covers", covers, "--json")

    told = json.loads(output)
    assert code == 0
    assert (told["venue"], told["account"]) == ("demo", "main")
    assert told["streams"]["fills"]["new"] == 3
    assert told["catalog"] == {"series": 1, "events": 1, "markets": 2}
    assert len(told["covered"]) == 7


def test_the_command_fails_when_nothing_can_be_read(app: typer.Typer, tmp_path: Path) -> None:
    write_items(tmp_path / "folder" / "fills.jsonl", {"trade_id": "t"})

    code, output = run(app, tmp_path, str(tmp_path / "folder"), "--venue", "prod")

    assert code == 1
    assert "fills.jsonl, line 1" in output


def test_the_built_in_world_takes_no_recording(app: typer.Typer, tmp_path: Path) -> None:
    folder = write_small_account(tmp_path / "folder")

    with pytest.raises(ConfigError, match="built-in sandbox") as raised:
        run(app, tmp_path, str(folder))

    assert "--venue prod" in raised.value.remedy


def test_a_wrong_folder_leaves_no_books_behind(app: typer.Typer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        run(app, tmp_path, str(tmp_path / "nowhere"), "--venue", "prod")

    assert list(tmp_path.iterdir()) == []
