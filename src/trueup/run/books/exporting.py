"""Writing the books to files in other people's forms.

A file is written beside its place and renamed when it is complete, so an
interrupted export never leaves half a file under the right name.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

from trueup.core.errors import ConfigError
from trueup.ledger import tables
from trueup.ledger.audit import AuditInputs, Payload, TextFile, audit_files
from trueup.ledger.beancount import beancount_lines
from trueup.ledger.entries import Entry
from trueup.ledger.gains import Gain, gains
from trueup.ledger.report import By
from trueup.run.books.account import Account


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, and how many lines it has."""

    path: Path
    lines: int


def export_csv(account: Account, folder: Path) -> list[Exported]:
    """Entries, round trips, positions, P&L and breaks as CSV files."""
    books = account.books
    lines, _ = account.pnl(by=By.TICKER)
    files: tuple[tuple[str, tables.Row, Iterable[tables.Row]], ...] = (
        ("entries.csv", tables.ENTRY_COLUMNS, tables.entry_rows(books.entries())),
        ("trades.csv", tables.TRIP_COLUMNS, tables.trip_rows(books.trades())),
        ("positions.csv", tables.POSITION_COLUMNS, tables.position_rows(books.market_books())),
        ("pnl.csv", tables.PNL_COLUMNS, tables.pnl_rows(lines)),
        (
            "breaks.csv",
            tables.BREAK_COLUMNS,
            tables.break_rows(each.found for each in account.breaks()),
        ),
    )
    return [write_table(folder / name, columns, rows) for name, columns, rows in files]


def export_beancount(account: Account, path: Path) -> list[Exported]:
    """The ledger as one Beancount file."""
    title = f"trueup {account.venue} {account.name}"
    return [_write_lines(path, beancount_lines(account.books.entries(), title=title))]


def export_gains(account: Account, path: Path, *, year: int) -> list[Exported]:
    """Realised gains by FIFO lots; `year` is of the disposal's Eastern date, 0 is every year."""

    def found() -> Iterator[Gain]:
        for ticker_entries in _by_market(account):
            for gain in gains(ticker_entries):
                if not year or gain.disposed.startswith(f"{year}-"):
                    yield gain

    ordered = sorted(found(), key=lambda gain: (gain.disposed, gain.ticker, gain.acquired))
    return [write_table(path, tables.GAIN_COLUMNS, tables.gain_rows(ordered))]


def export_audit(account: Account, folder: Path) -> list[Exported]:
    """Proof, breaks, entries and the raw payloads behind the breaks, into a folder."""
    found = account.reconcile()
    books = account.books
    breaks = tuple(each.found for each in found.breaks)
    inputs = AuditInputs(
        title=f"trueup audit bundle: {account.venue}, account {account.name}",
        at=account.now(),
        verdict=found.verdict,
        breaks=breaks,
        intervals=found.proof.intervals(),
        entries=books.entries(),
        books=books.market_books,
        certificate=found.proof.certificate,
        payloads=_payloads(account, {each.ticker for each in breaks if each.ticker}),
    )
    written: list[Exported] = []
    for file in audit_files(inputs):
        path = folder / file.name
        if isinstance(file, TextFile):
            written.append(_write_lines(path, file.lines))
        else:
            written.append(write_table(path, file.columns, file.rows))
    return written


def _payloads(account: Account, tickers: set[str]) -> Iterator[Payload]:
    """What the exchange sent about the markets with breaks, and all that could not be read."""
    for name, observed_at, raw in account.books.payloads(sorted(tickers)):
        yield Payload(name, observed_at, raw)
    for each in account.books.quarantined():
        yield Payload(f"{each.stream} (unreadable: {each.reason})", each.observed_at, each.raw)


def _by_market(account: Account) -> Iterator[list[Entry]]:
    """The entries of each market of each subaccount, in time order."""
    for book in account.books.market_books():
        entries = account.books.entries(ticker=book.ticker, subaccount=book.subaccount)
        for _, group in groupby(entries, key=lambda entry: entry.shard):
            yield list(group)


def write_table(path: Path, columns: tables.Row, rows: Iterable[tables.Row]) -> Exported:
    """Write one CSV file, or nothing.  Raises `ConfigError` when it cannot be written."""

    def write(file: IO[str]) -> int:
        writer = csv.writer(file)
        writer.writerow(columns)
        count = 1
        for row in rows:
            writer.writerow(row)
            count += 1
        return count

    return _write(path, write)


def _write_lines(path: Path, lines: Iterable[str]) -> Exported:
    def write(file: IO[str]) -> int:
        count = 0
        for line in lines:
            file.write(line + "\n")
            count += 1
        return count

    return _write(path, write)


def _write(path: Path, write: Callable[[IO[str]], int]) -> Exported:
    with _replacing(path) as file:
        count = write(file)
    return Exported(path, count)


@contextmanager
def _replacing(path: Path) -> Generator[IO[str]]:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", remedy="Name another --output."
        ) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
