"""Ingest: settlements and their fills from a local server into the books, end to end.

Ours: HTTP with signed requests, decoding, the journal (hash, raw payload), typed
rows, and the books of every market (postings, position, round trip), durable page
by page: SQLite in WAL mode with ``synchronous=FULL``, and PostgreSQL with its
defaults.  One fill and one settlement a market, so twice as many facts as
settlements.  Making the empty tables is not counted.

The peer (`benchmarks.bot_backfill`) has its trades already, reads the settlements
only, and updates one row for each.  The second peer begins where we begin, with
nothing, and writes fills and settlements in that same way.
"""

from __future__ import annotations

import tempfile
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
from trueup.run.booking import book_new
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import Config
from trueup.run.fetching import PAGE_SIZE, Fetcher, Listing
from trueup.store.database import Books, open_books
from trueup.wire.rest import portfolio

SETTLEMENTS = 100_000
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
        yield lambda: bot_backfill.backfill(self.origin, path)
        assert not bot_backfill.open_trades(path)

    @contextmanager
    def peer_with_fills(self) -> Generator[Callable[[], object]]:
        path = self.folder / f"bot-{next(_NUMBERS)}.db"
        bot_backfill.make_bot_database(path, 0)

        def work() -> None:
            bot_backfill.record_fills(self.origin, path)
            assert bot_backfill.backfill(self.origin, path) == self.settlements

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


def measure(settlements: int, *, rounds: int, with_postgres: bool = True) -> dict[str, Timing]:
    """Measure all cases; the peers run once, as they are long sums of commits by themselves."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(stack.enter_context(serving(settlements)), folder, settlements)
        cases: dict[str, Case] = {SQLITE: bench.sqlite}
        if with_postgres:
            cases[POSTGRESQL] = bench.postgresql(stack.enter_context(serving_postgres()))
        cases |= {PEER: bench.peer, BOTH: bench.peer_with_fills}
        return in_turn(cases, rounds=rounds, fewer={PEER: 1, BOTH: 1})


def main() -> None:
    timings = measure(SETTLEMENTS, rounds=ROUNDS)
    title = f"ingest: {SETTLEMENTS:,} settlements (ours: with their {SETTLEMENTS:,} fills)"
    show(title, timings, peer=PEER, per=SETTLEMENTS, unit="settlements")
    whole = timings[BOTH].median / timings[SQLITE].median
    print(
        f"\nAgainst the peer that writes the same fills and settlements, SQLite is {whole:.1f} ×."
    )
    pages = -(-SETTLEMENTS // bot_backfill.PAGE_SIZE)
    pauses = (pages - 1) * bot_backfill.PAUSE_SECONDS
    waiting = (timings[PEER].median + pauses) / timings[SQLITE].median
    print(
        f"\nThe script that the peer follows also waits {bot_backfill.PAUSE_SECONDS} s between its "
        f"{pages:,} pages, {pauses:.0f} s in all.\nThat was left out; with it, by arithmetic, "
        f"SQLite would be {waiting:.1f} × the peer of settlements only."
    )
