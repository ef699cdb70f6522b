"""Ingest: settlements and their fills from a local server into the books, end to end.

Ours: HTTP with signed requests, decoding, the journal (hash, raw payload), typed
rows, and the books of every market (postings, position, round trip), durable page
by page: SQLite in WAL mode with ``synchronous=FULL``, and PostgreSQL with its
defaults.  One fill and one settlement a market, so twice as many facts as
settlements.  Making the empty tables is not counted.

The peer (`benchmarks.bot_backfill`) has its trades already, reads the settlements
only, and updates one row for each.  The second peer begins where we begin, with
nothing, and writes fills and settlements in that same way.  Each of their rows costs
the same, so they do a part of the settlements in every round, and times are compared
per settlement; `python -m benchmarks.ingest whole` has them do all.

A commit is as slow as the disk makes it: what one fsync takes here is printed too.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import bot_backfill
from benchmarks.exchange_stub import serving
from benchmarks.measure import Case, Timing, in_turn, show
from benchmarks.postgres import fresh_database, serving_postgres
from trueup.core.facts import Stream
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY
from trueup.net.client import Client, open_client
from trueup.net.signer import RsaSigner
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.books.booking import book_new
from trueup.run.books.fetching import PAGE_SIZE, Fetcher, Listing
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import Config
from trueup.store.database import Books, open_books
from trueup.wire.rest import portfolio

SETTLEMENTS = 100_000
PEERS_PART = 2_000
"""How many settlements the peers do in a round, of a table with all of them."""
ROUNDS = 3
SQLITE, POSTGRESQL = "trueup, SQLite", "trueup, PostgreSQL"
PEER, BOTH = "peer: settlements only", "peer: fills and settlements"

_NUMBERS = count()


@dataclass(frozen=True)
class Bench:
    """The cases; every round begins with a fresh database."""

    origin: str
    folder: Path
    settlements: int
    part: int

    @contextmanager
    def sqlite(self) -> Generator[Callable[[], object]]:
        with self._books(str(self.folder / f"books-{next(_NUMBERS)}.db")) as work:
            yield work

    def postgresql(self, server: str) -> Case:
        @contextmanager
        def case() -> Generator[Callable[[], object]]:
            with fresh_database(server) as url, self._books(url) as work:
                yield work

        return case

    @contextmanager
    def peer(self) -> Generator[Callable[[], object]]:
        path = self.folder / f"bot-{next(_NUMBERS)}.db"
        bot_backfill.make_bot_database(path, self.settlements)
        yield lambda: bot_backfill.backfill(self.origin, path, most=self.part)
        assert len(bot_backfill.open_trades(path)) == self.settlements - self.part

    @contextmanager
    def peer_with_fills(self) -> Generator[Callable[[], object]]:
        path = self.folder / f"bot-{next(_NUMBERS)}.db"
        bot_backfill.make_bot_database(path, 0)

        def work() -> None:
            bot_backfill.record_fills(self.origin, path, most=self.part)
            assert bot_backfill.backfill(self.origin, path, most=self.part) == self.part

        yield work

    @contextmanager
    def _books(self, place: str) -> Generator[Callable[[], object]]:
        with (
            open_books(place, venue="sandbox", mode="live", account="main", create=True) as books,
            connect(self.origin) as client,
        ):
            yield lambda: fetch_and_book(client, books)
            check(books, self.settlements)


def fetch_and_book(client: Client, books: Books) -> None:
    """What a backfill does with fills and settlements."""
    client.learn_limits()
    fetcher = Fetcher(client=client, books=books, clock=SystemClock())
    fetcher.fetch(Listing(stream=Stream.FILLS, call=portfolio.fills(limit=PAGE_SIZE)))
    fetcher.fetch(
        Listing(
            stream=Stream.SETTLEMENTS,
            subaccount=PRIMARY,
            call=portfolio.settlements(limit=PAGE_SIZE, subaccount=PRIMARY),
        )
    )
    book_new(books, precision=Precision.DIRECT, config=Config())


def connect(origin: str) -> Client:
    """A client with a key of its own."""
    clock = SystemClock()
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return open_client(
        resolve_endpoint(Venue.SANDBOX, origin),
        RsaSigner("benchmark", key),
        clock=clock.now,
        sleep=clock.sleep,
        chance=unseeded(),
    )


def check(books: Books, settlements: int) -> None:
    """Refuse to report a time for work that was not done."""
    counts = books.record_counts()
    assert counts[Stream.FILLS] == counts[Stream.SETTLEMENTS] == settlements
    assert books.count_unbooked() == 0
    assert books.totals().markets == settlements
    assert books.totals().open_positions == 0


def measure(
    settlements: int, *, part: int, rounds: int, with_postgres: bool = True
) -> dict[str, Timing]:
    """Measure all cases."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(stack.enter_context(serving(settlements)), folder, settlements, part)
        cases: dict[str, Case] = {SQLITE: bench.sqlite}
        if with_postgres:
            cases[POSTGRESQL] = bench.postgresql(stack.enter_context(serving_postgres()))
        cases |= {PEER: bench.peer, BOTH: bench.peer_with_fills}
        return in_turn(cases, rounds=rounds)


def fsync_seconds() -> float:
    """What it takes to make 4 KiB durable, as a commit does several times: the median of 50."""
    with tempfile.NamedTemporaryFile() as file:
        taken: list[float] = []
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main(*, whole: bool = False) -> None:
    part = SETTLEMENTS if whole else PEERS_PART
    timings = measure(SETTLEMENTS, part=part, rounds=1 if whole else ROUNDS)
    title = f"ingest: {SETTLEMENTS:,} settlements (ours: with their {SETTLEMENTS:,} fills)"
    per = {name: part if name in {PEER, BOTH} else SETTLEMENTS for name in timings}
    show(title, timings, peer=PEER, per=per, unit="settlement")
    ours, peer = (timings[name].median / per[name] for name in (SQLITE, PEER))
    both = timings[BOTH].median / part
    print(f"\nOne fsync of 4 KiB takes {fsync_seconds() * 1e6:,.0f} µs here.")
    print(
        f"Against the peer that writes the same fills and settlements, SQLite is {both / ours:.1f} ×."
    )
    pause = bot_backfill.PAUSE_SECONDS / bot_backfill.PAGE_SIZE
    print(
        f"The script that the peer follows also waits {bot_backfill.PAUSE_SECONDS} s after each "
        f"page of {bot_backfill.PAGE_SIZE}. That was left out;\nwith it, by arithmetic, SQLite "
        f"would be {(peer + pause) / ours:.0f} × the peer of settlements only."
    )


if __name__ == "__main__":
    main(whole=sys.argv[1:] == ["whole"])
