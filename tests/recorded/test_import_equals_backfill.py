"""One folder, two roads: imported, and served over HTTP and fetched, it gives the same books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from small_account import write_small_account

from trueup.core.instant import parse_instant
from trueup.core.statements import BalanceStated
from trueup.ledger.coverage import Span
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.recordings import load_recording
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.books.account import Account, open_account
from trueup.run.books.listings import BEGINNING
from trueup.run.books.recording import StatedSpan, check_recording, import_recording
from trueup.run.clock import ShiftedClock
from trueup.store.database import Books

NOW = parse_instant("2026-06-01T00:00:00Z")
EVERYTHING = StatedSpan(span=Span(BEGINNING, NOW))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_account(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def fetched(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Served with signatures, pages and cursors, and fetched like any account."""
    home = tmp_path_factory.mktemp("fetched")
    clock = ShiftedClock.starting_at(NOW)
    settings = Settings(limits=UNLIMITED)
    with SandboxServer(load_recording(folder), clock=clock.now, settings=settings) as server:
        key = home / "key.pem"
        key.touch(mode=0o600)
        key.write_bytes(server.pair.pem)
        environment = {
            "TRUEUP_HOME": str(home),
            "TRUEUP_BASE_URL": server.base_url,
            "KALSHI_API_KEY_ID": server.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(key),
        }
        with open_account(venue="sandbox", environment=environment, clock=clock) as account:
            account.backfill()
            yield account


@pytest.fixture(scope="module")
def imported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    environment = {"TRUEUP_HOME": str(tmp_path_factory.mktemp("imported"))}
    clock = ShiftedClock.starting_at(NOW)
    with open_account(venue="prod", environment=environment, clock=clock) as account:
        with account.writing("import"):
            checked = check_recording(folder, covers=[EVERYTHING])
            import_recording(account.books, checked, now=NOW)
            account.book()
        yield account


def contents(books: Books) -> Mapping[str, object]:
    """Everything the books hold but when and how it came."""
    catalog = books.cache.catalog()
    return {
        "fills": list(books.fills()),
        "settlements": sorted(books.settlements(), key=lambda row: (row.at, row.subaccount)),
        "orders": list(books.orders()),
        "cash facts": [recorded.value for _, recorded in books.cash_facts()],
        "markets": list(books.market_statements()),
        "positions": list(books.latest_positions()),
        "balances": totals(books),
        "series": dict(catalog.series),
        "events": dict(catalog.events),
        "market details": dict(catalog.markets),
        "quotes": {ticker: aged.quote for ticker, aged in books.cache.quotes().items()},
        # What happened at one instant may be listed in any order.
        "entries": sorted(books.entries(), key=lambda entry: (entry.at, entry.subaccount)),
        "books": list(books.market_books()),
        "trades": list(books.trades()),
        "pnl": list(books.pnl_rows()),
        "totals": books.totals(),
        "counted": {
            stream: count
            for stream, count in books.record_counts().items()
            # An import also keeps what the listing of the subaccounts stated.
            if stream != "balances"
        },
    }


def totals(books: Books) -> list[BalanceStated]:
    return sorted(
        (
            replace(reading, observed_at=NOW)
            for reading in books.latest_balances()
            if reading.shard is None
        ),
        key=lambda reading: reading.subaccount or 0,
    )


def test_both_roads_give_the_same_books(fetched: Account, imported: Account) -> None:
    by_fetching, by_import = contents(fetched.books), contents(imported.books)

    for name, expected in by_fetching.items():
        assert by_import[name] == expected, name
    assert len(list(imported.books.entries())) == 9


def test_both_close_to_the_cent_from_the_beginning(fetched: Account, imported: Account) -> None:
    for account in (fetched, imported):
        found = account.reconcile()
        assert found.verdict.closes, [each.found.summary for each in found.breaks]
        assert all(interval.since is None for interval in found.proof.intervals())
        assert list(found.proof.intervals())
