"""Every command on the built-in sandbox: what it says to a person and to a program."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path

import pytest
from typing_user import User, rows_of

from trueup.core.facts import Source, Stream
from trueup.core.instant import Instant
from trueup.core.observations import Quarantined
from trueup.ledger.breaks import EXPLANATIONS
from trueup.ledger.report import By
from trueup.store.database import open_books

HEADING = "SANDBOX, no real money · account main"

READING = [
    ("balance",),
    ("positions",),
    ("orders",),
    ("fills",),
    ("settlements", "list"),
    ("pnl",),
    ("reconcile",),
    ("proof",),
    ("breaks", "list"),
    ("breaks", "explain", "timing"),
    ("doctor",),
    ("db", "upgrade"),
    ("service", "install", "--sync"),
]
"""Commands that change nothing outside the books."""


def ids(words: tuple[str, ...]) -> str:
    return " ".join(words)


@pytest.mark.parametrize("words", READING, ids=ids)
def test_every_output_leads_with_venue_and_account(settled: User, words: tuple[str, ...]) -> None:
    said = settled.type(*words)

    assert (said.code, said.err) == (0, "")
    assert said.out.lstrip().startswith(HEADING)


@pytest.mark.parametrize("words", READING, ids=ids)
def test_json_is_one_object_with_venue_and_account(settled: User, words: tuple[str, ...]) -> None:
    payload = settled.json(*words)

    assert (payload["venue"], payload["account"]) == ("sandbox", "main")


def test_init_makes_a_home_with_books_that_close(user: User) -> None:
    payload = user.json("init", "--yes")

    assert payload["verdict"] == "closes"
    assert payload["as_of"].startswith("2026-10-15T16:00")
    assert Path(payload["config"]) == user.home / "config.toml"
    assert "*" in (user.home / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert 'venue = "sandbox"' in (user.home / "config.toml").read_text(encoding="utf-8")
    assert user.books.stat().st_mode & 0o077 == 0
    assert user.home.stat().st_mode & 0o077 == 0


def test_init_again_changes_nothing(settled: User) -> None:
    before = (settled.home / "config.toml").read_bytes()

    assert settled.type("init", "--yes").code == 0
    assert (settled.home / "config.toml").read_bytes() == before


def test_init_of_another_venue_over_settings_is_refused(settled: User) -> None:
    settled.variables["KALSHI_ENV"] = "demo"
    said = settled.type("init")

    assert said.code == 2
    assert "exists already and says otherwise" in said.err


def test_init_with_an_opening_balance_begins_the_proof_there(user: User) -> None:
    said = user.type(
        *("init", "--opening-balance", "5000", "--opening-at", "2026-05-19T00:00:00Z", "--json")
    )

    assert said.payload["verdict"] in {"closes", "amber"}
    assert rows_of(user.books, "SELECT count(*) FROM journal WHERE stream = 'opening'") == [(1,)]


@pytest.mark.parametrize(
    "words",
    [
        ("--opening-balance", "5000"),
        ("--opening-at", "2026-05-19T00:00:00Z"),
        ("--opening-balance", "lots", "--opening-at", "2026-05-19T00:00:00Z"),
        ("--opening-balance", "5000", "--opening-at", "in May"),
    ],
)
def test_init_with_a_slip_of_the_pen_leaves_nothing(user: User, words: tuple[str, ...]) -> None:
    said = user.type("init", *words)

    assert said.code == 2
    assert said.err.startswith("Error: ")
    assert not user.home.exists()


def test_doctor_changes_nothing_on_a_new_machine(user: User) -> None:
    payload = user.json("doctor")

    assert payload["problems"] == 0
    found = {each["name"]: each["finding"] for each in payload["checks"]}
    assert found["books"] == "notice"
    assert found["access"] == found["limits"] == "ok"
    assert found["scopes"] == "notice"  # the sandbox's key may write, too
    assert not user.home.exists()


def test_doctor_notices_keys_that_the_sandbox_does_not_use(user: User) -> None:
    user.variables["KALSHI_API_KEY_ID"] = "0123"
    payload = user.json("doctor")

    (key,) = [each for each in payload["checks"] if each["name"] == "key"]
    assert key["finding"] == "notice"
    assert "KALSHI_API_KEY_ID" in key["words"]


def test_sync_stores_a_snapshot(settled: User) -> None:
    count = "SELECT count(*) FROM snapshots"
    before = rows_of(settled.books, count)[0][0]
    payload = settled.json("sync")

    assert rows_of(settled.books, count)[0][0] == before + 1
    assert payload["snapshot"]["at"] == payload["as_of"]
    assert payload["snapshot"]["open_positions"] == 6
    assert payload["streams"]["fills"]["new"] == 0


def test_backfill_says_what_is_proven_complete(user: User) -> None:
    said = user.type("backfill", "--full")

    assert said.code == 0
    assert "fills complete: the beginning … 2026-10-15T16:00" in said.out
    assert "111 markets served by results instead of rows" in said.out


def test_backfill_of_some_days_names_what_is_not_covered(user: User) -> None:
    payload = user.json("backfill", "--days", "30")

    assert any("not covered: the beginning" in line for line in payload["certificate"])
    assert 0 < payload["streams"]["fills"]["new"] < 200
    assert payload["resumed"] is False


@pytest.mark.parametrize("words", [(), ("--full", "--days", "3")])
def test_backfill_needs_one_extent(user: User, words: tuple[str, ...]) -> None:
    said = user.type("backfill", *words)

    assert said.code == 2
    assert "--days N and --full" in said.err


@pytest.mark.parametrize("by", list(By))
def test_pnl_by_anything_adds_up_to_the_same(settled: User, by: By) -> None:
    payload = settled.json("pnl", "--by", by.value)

    assert payload["by"] == by.value
    assert payload["total"]["realized"] == "290.43198"
    assert payload["total"]["fees"] == "56.07058"
    assert len(payload["rows"]) >= 2


def test_pnl_of_days_is_less_than_all(settled: User) -> None:
    some = settled.json("pnl", "--days", "7")["total"]

    assert some["realized"] != "290.43198"


def test_figures_that_are_unknown_are_no_zero(settled: User) -> None:
    """A market without a quote has no mark."""
    (gdp,) = [
        row for row in settled.json("positions")["positions"] if row["ticker"] == "KXGDP-NEXT-T2.5"
    ]
    assert gdp["mark"] is not None
    with_quote = settled.json("pnl")["total"]["unrealized"]

    connection_rows = rows_of(settled.books, "SELECT count(*) FROM quotes")
    assert connection_rows[0][0] >= 6
    assert with_quote == "2.2509"


def test_listings_are_narrowed_by_market_and_number(settled: User) -> None:
    ticker = settled.json("positions")["positions"][0]["ticker"]

    fills = settled.json("fills", "--ticker", ticker)["fills"]
    assert {row["ticker"] for row in fills} == {ticker}
    assert len(settled.json("orders", "--limit", "3")["orders"]) == 3
    resting = settled.json("orders", "--status", "resting")["orders"]
    assert {row["status"] for row in resting} == {"resting"}
    assert len(settled.json("settlements", "list", "--limit", "5")["settlements"]) == 5


def test_unknown_order_status_is_refused_with_the_known_ones(settled: User) -> None:
    said = settled.type("orders", "--status", "lost")

    assert said.code == 2
    assert "resting" in said.err


def test_balance_shows_books_and_exchange_agreeing(settled: User) -> None:
    rows = settled.json("balance")["balances"]

    assert len(rows) == 6
    for row in rows:
        assert row["exchange"] == row["books"]
        assert row["difference"] == "0.00"


def test_export_csv_writes_every_table(settled: User) -> None:
    payload = settled.json("export", "csv", "--output", "tables")

    for each in payload["files"]:
        with (settled.folder / each["path"]).open(encoding="utf-8", newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == each["lines"]
    assert {Path(each["path"]).name for each in payload["files"]} == {
        "entries.csv",
        "trades.csv",
        "positions.csv",
        "pnl.csv",
        "breaks.csv",
    }


def test_export_beancount_balances(settled: User) -> None:
    payload = settled.json("export", "beancount", "--output", "books.beancount")
    text = (settled.folder / payload["files"][0]["path"]).read_text(encoding="utf-8")

    assert "trueup sandbox main" in text
    assert re.search(r"^\d{4}-\d\d-\d\d \* ", text, re.MULTILINE)


def test_export_gains_of_a_year(settled: User) -> None:
    every = settled.json("export", "gains")["files"][0]["lines"]
    this = settled.json("export", "gains", "--year", "2026")["files"][0]["lines"]
    none = settled.json("export", "gains", "--year", "2019")["files"][0]["lines"]

    assert every == this > 100
    assert none == 1


def test_export_audit_has_the_words_of_the_exchange(settled: User) -> None:
    payload = settled.json("export", "audit", "--output", "bundle")

    names = {Path(each["path"]).name for each in payload["files"]}
    assert {"README.txt", "breaks.csv"} <= names
    payloads = (settled.folder / "bundle" / "payloads.jsonl").read_text(encoding="utf-8")
    assert all("outcome_side" in line for line in payloads.splitlines() if "fills" in line[:20])


def test_export_into_a_place_that_cannot_be_written_leaves_nothing(settled: User) -> None:
    (settled.folder / "file").write_text("mine", encoding="utf-8")
    said = settled.type("export", "csv", "--output", "file")

    assert said.code == 2
    assert "--output" in said.err
    assert (settled.folder / "file").read_text(encoding="utf-8") == "mine"
    assert sorted(p.name for p in settled.folder.iterdir()) == ["file"]


@pytest.mark.parametrize("kind", list(EXPLANATIONS))
def test_every_kind_of_break_is_explained(user: User, kind: str) -> None:
    payload = user.json("breaks", "explain", kind)

    assert len(payload["explanation"]) > 80


def test_break_is_acknowledged_and_closed_with_a_reason(settled: User) -> None:
    """The proof is not changed by it: only --accept-acknowledged lets it pass."""
    settled.json("backfill", "--days", "1")
    settled.variables["TRUEUP_HOME"] = str(settled.home)
    listed = settled.json("breaks", "list", "--all")["breaks"]
    name = listed[0]["id"]

    acknowledged = settled.json("breaks", "ack", name, "--reason", "looked at it")["break"]
    closed = settled.json("breaks", "close", name, "--reason", "was paid")["break"]
    unknown = settled.type("breaks", "ack", "nothing-of-that-name", "--reason", "x")

    assert (acknowledged["status"], acknowledged["reason"]) == ("acknowledged", "looked at it")
    assert (closed["status"], closed["reason"]) == ("closed", "was paid")
    assert unknown.code == 2
    assert "no breaks are called" in unknown.err


def test_books_that_do_not_close_exit_with_one(user: User) -> None:
    user.type("backfill", "--days", "149")
    time.sleep(1.1)  # readings of one second are one reading
    user.type("sync")

    reconciled = user.json("reconcile", "--offline", code=1)
    names = [each["id"] for each in reconciled["breaks"]]
    for name in names:
        user.json("breaks", "ack", name, "--reason", "the account began elsewhere")
    accepted = user.json("reconcile", "--offline", "--accept-acknowledged")
    refused = user.type("reconcile", "--offline")

    assert {each["kind"] for each in reconciled["breaks"]} == {"coverage_gap"}
    assert reconciled["verdict"] == accepted["verdict"] == "amber"
    assert refused.code == 1


def test_db_rebuild_gives_the_same_books(settled: User) -> None:
    before = settled.json("pnl", "--by", "ticker")["rows"]
    rebuilt = settled.json("db", "rebuild")

    assert "booked 148 markets again" in rebuilt["did"]
    assert settled.json("pnl", "--by", "ticker")["rows"] == before
    assert settled.json("reconcile", "--offline")["verdict"] == "closes"


@pytest.mark.parametrize("words", [("db", "rebuild"), ("sync",)])
def test_record_that_was_unreadable_is_read_again(settled: User, words: tuple[str, ...]) -> None:
    row = (
        b'{"trade_id": "t-late", "order_id": "o-late", "ticker": "KXLATE-1", "outcome_side": "yes",'
        b' "count_fp": "1.00", "yes_price_dollars": "0.5000", "no_price_dollars": "0.5000",'
        b' "fee_cost": "0.02", "is_taker": true, "created_time": "2026-06-01T00:00:00Z"}'
    )
    kept = Quarantined(Stream.FILLS, "as of an older version", Source.REST, Instant(1), row)
    with open_books(settled.books, venue="sandbox", mode="live", account="main") as books:
        books.append([], stream=Stream.FILLS, quarantined=[kept])
    before = settled.json("fills", "--offline", "--ticker", "KXLATE-1")["fills"]

    assert settled.type(*words).code == 0

    after = settled.json("fills", "--offline", "--ticker", "KXLATE-1")["fills"]
    kinds = {each["kind"] for each in settled.json("reconcile", "--offline", code=1)["breaks"]}
    assert (len(before), len(after)) == (0, 1)
    assert "quarantined" not in kinds


def test_db_backup_and_restore_bring_the_books_back(settled: User) -> None:
    settled.json("db", "backup", "safe.db")
    settled.books.write_bytes(b"not a database any more")
    broken = settled.type("balance", "--offline")
    dry = settled.json("db", "restore", "safe.db")
    still = settled.type("balance", "--offline")
    done = settled.json("db", "restore", "safe.db", "--write")

    assert broken.code == still.code == 2
    assert "db restore" in broken.err
    assert "Nothing was changed" in dry["did"]
    assert "Restored" in done["did"]
    assert settled.json("reconcile", "--offline")["verdict"] == "closes"


def test_db_move_gives_books_that_close_elsewhere(settled: User) -> None:
    moved = settled.json("db", "move", "elsewhere.db")
    settled.variables["TRUEUP_DATABASE"] = str(settled.folder / "elsewhere.db")

    assert {each["table"] for each in moved["tables"]} >= {"journal", "coverage"}
    assert settled.json("reconcile", "--offline")["verdict"] == "closes"


def test_db_of_books_that_are_not_there_is_refused(user: User) -> None:
    for words in (("upgrade",), ("rebuild",), ("backup", "b.db"), ("move", "m.db")):
        said = user.type("db", *words)
        assert said.code == 2
        assert said.err.startswith("Error: ")
    assert list(user.folder.iterdir()) == []


def test_service_install_writes_a_unit_only_when_told(
    settled: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(settled.folder))
    dry = settled.json("service", "install", "--sync", "--every", "30m")
    path = Path(dry["units"][0]["path"])
    assert not path.exists()
    written = settled.json("service", "install", "--sync", "--every", "30m", "--write")

    assert path.read_text(encoding="utf-8") == written["units"][0]["text"]
    assert dry["units"] == written["units"]
    assert settled.folder in path.parents
    plan = '[[strategies]]\nstrategy = "threshold"\ncapital = "10"\n'
    (settled.folder / "bot.toml").write_text(plan, encoding="utf-8")
    bot = settled.json("service", "install", "--bot", "bot.toml", "--live", "--system")
    toml = settled.folder / "bot.toml"
    assert f'"bot" "run" "--config" "{toml}" "--live"' in bot["units"][0]["text"]
    assert settled.type("service", "install").code == 2
    assert settled.type("service", "install", "--sync", "--every", "soon").code == 2


def test_tour_as_json_is_one_object_with_every_step(user: User) -> None:
    told = user.json("tour")

    assert told["venue"] == "sandbox"
    assert [step.get("verdict") for step in told["steps"]][-3:-1] == ["closes", "closes"]


def test_tour_tells_the_story_and_the_books_close(user: User) -> None:
    said = user.type("tour")

    assert (said.code, said.err) == (0, "")
    assert said.out.count("$ trueup") >= 6
    assert (
        len(re.findall(r"The books close: (\d+) of \1 intervals proven, no break", said.out)) == 2
    )
    assert "Patched" in said.out
    assert not user.home.exists()


def test_version_and_help(user: User) -> None:
    version = user.type("--version")
    everything = user.type("--help")

    assert re.fullmatch(r"trueup \d+\.\d+\.\d+\n", version.out)
    assert (version.code, everything.code) == (0, 0)
    for name in ("init", "backfill", "settlements", "reconcile", "proof", "db", "tour", "import"):
        assert name in everything.out


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("backfill", "--days", "many"), ("pnl", "--by", "mood"), ("breaks", "ack")],
    ids=ids,
)
def test_wrong_command_line_exits_with_two(user: User, words: tuple[str, ...]) -> None:
    plain = user.type(*words)
    as_json = user.type(*words, "--json")

    assert plain.code == as_json.code == 2
    assert "Usage: trueup" in plain.err
    assert as_json.payload["error"] == "CallerError"
    assert as_json.err == ""
