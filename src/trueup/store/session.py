"""What an open database carries along: its driver, its lease, and small memories.

The memories are caches of committed rows and are forgotten whenever a
transaction fails; nothing here is a second truth.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from trueup.core.errors import BooksError
from trueup.core.ids import Subaccount, Ticker
from trueup.core.settlement import ReportTerms
from trueup.store import sql
from trueup.store.driver import Driver, Reading, Transaction
from trueup.store.journal_index import Tail

MarketKey = tuple[Subaccount, Ticker]
"""A market of a subaccount: what has a book of its own, whatever shard it lives on."""

_REMEMBERED_MAX: Final = 300_000


@dataclass(slots=True)
class Session:
    """An open database.  `token` is the lease that this process holds, or empty."""

    driver: Driver
    read_only: bool
    token: str = ""
    numbers: dict[MarketKey, int] = field(default_factory=dict[MarketKey, int])
    """Book numbers by market; they never change."""
    handed_out: dict[int, int] = field(default_factory=dict[int, int])
    """For books being booked: up to which journal sequence they were read."""
    tail: Tail = field(default_factory=Tail)
    terms: ReportTerms | None = None
    """How settlement reports are read, once it was looked up."""

    @contextmanager
    def writing(self, *, any_process: bool = False) -> Generator[Transaction, None, None]:
        """A write transaction, refused while another process holds the writer lease.

        `any_process` is for what every process may write: the lease itself and
        the handoff.
        """
        if self.read_only:
            raise BooksError(
                f"{self.driver.place} was opened for reading only: nothing was written.",
                remedy="Use a command that writes, such as `trueup sync`.",
            )
        try:
            with self.driver.writing() as transaction:
                if not any_process:
                    self._check_lease(transaction)
                yield transaction
        except BaseException:
            self.numbers.clear()
            self.tail.forget()
            self.terms = None
            raise

    def _check_lease(self, transaction: Transaction) -> None:
        held = transaction.rows(sql.LEASE)
        if not held or held[0][0] == self.token:
            return
        _, host, pid, role = held[0][:4]
        if not process_lives(host, pid):
            return
        raise BooksError(
            f"{self.driver.place} is being written by another process: "
            f"{role} (process {pid} on {host}). Nothing was written.",
            remedy="Wait until it is done, or stop it; then try again.",
        )

    def find_numbers(self, reading: Reading, keys: Iterable[MarketKey]) -> None:
        """Look up the book numbers of `keys` that are not remembered yet."""
        if len(self.numbers) > _REMEMBERED_MAX:
            self.numbers.clear()
        tickers = {ticker for _, ticker in (key for key in keys if key not in self.numbers)}
        if not tickers:
            return
        for book, subaccount, ticker in reading.rows(
            sql.KEYS_OF_TICKERS, (reading.among(tickers),)
        ):
            self.numbers[subaccount, ticker] = book


def process_lives(host: str, pid: int) -> bool:
    """Whether a process may still be there; on another machine nobody can tell."""
    if host != socket.gethostname():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
