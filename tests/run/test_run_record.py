"""Recording from a living sandbox over real sockets: what was told is in the archive."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trueup.core.announcements import TickerAnnounced
from trueup.core.errors import ConfigError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, MINUTE, SECOND, Instant, parse_instant, utc_day
from trueup.core.orderbook import BookDelta, BookSnapshot, Level
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.archive.archived_markets import load_markets
from trueup.run.archive.record import Recording, RecordOptions
from trueup.run.archive.recorder import Recorder
from trueup.run.clients import sleep_on_the_loop
from trueup.run.clock import SystemClock, unseeded
from trueup.store.archive import Archive
from trueup.store.archive_columns import Kind
from trueup.testing.sandbox import KalshiSandbox

pytest.importorskip("pyarrow")

SERIES = SeriesTicker("KXHIGHNY")
SECONDS_MAX = 120
NOON = parse_instant("2026-10-05T12:00:00Z")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KalshiSandbox]:
    with KalshiSandbox.start(world="temperatures", speed=120, density=60) as running:
        yield running


def client_of(sandbox: KalshiSandbox) -> AsyncClient:
    pem = Secret(sandbox.private_key_path.read_bytes())
    return open_async_client(
        resolve_endpoint(Venue.SANDBOX, sandbox.base_url),
        signer_for(sandbox.key_id, load_key(pem, passphrase=None, origin="test")),
        clock=SystemClock().now,
        sleep=sleep_on_the_loop,
        chance=unseeded(),
    )


class Listening(Recorder):
    """A recorder that counts what it heard, written or not."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive, writer="test")
        self.books: Counter[Ticker] = Counter()
        """How often each market's whole book was heard."""
        self.deltas = self.tickers = 0

    def take_book(self, told: BookSnapshot | BookDelta, heard_at: Instant) -> None:
        super().take_book(told, heard_at)
        if isinstance(told, BookDelta):
            self.deltas += 1
        else:
            self.books[told.ticker] += 1

    def take_ticker(self, told: TickerAnnounced, heard_at: Instant) -> None:
        super().take_ticker(told, heard_at)
        self.tickers += 1


async def record(sandbox: KalshiSandbox, folder: Path, *, poll: int | None = None) -> Archive:
    """Record until books were heard; where they are streamed: and changed, cut and heard again."""
    archive = Archive(folder)
    recorder = Listening(archive)
    options = RecordOptions(series=frozenset({SERIES}), poll=poll, flush=SECOND // 2)
    async with client_of(sandbox) as client:
        recording = Recording(
            client, recorder, SystemClock(), options, lambda _recorded, _markets: None
        )
        work = asyncio.create_task(recording.run())

        async def until(is_so: Callable[[], bool]) -> None:
            async with asyncio.timeout(SECONDS_MAX):
                while not is_so() and not work.done():  # noqa: ASYNC110  # nothing rings
                    await asyncio.sleep(0.02)

        await until(lambda: bool(recorder.books))
        if poll is None:
            await until(lambda: recorder.deltas > 10 and recorder.tickers > 0)
            line = client.streams.line
            assert line is not None
            line.reconnect("cut by a test")
            await until(lambda: max(recorder.books.values()) > 1)
        recording.stop()
        await work
    return archive


def test_recorded_deltas_make_the_same_book_as_later_snapshots(
    sandbox: KalshiSandbox, tmp_path: Path
) -> None:
    """A connection that was cut is a gap, and the books begin again with snapshots."""
    archive = asyncio.run(record(sandbox, tmp_path))

    rows = [
        *((row["heard_at"], 1, row) for row in archive.rows(Kind.DELTAS)),
        *((row["heard_at"], 0, row) for row in archive.rows(Kind.SNAPSHOTS)),
    ]
    books: defaultdict[str, Counter[tuple[bool, int]]] = defaultdict(Counter)
    for _, is_delta, row in sorted(rows, key=lambda each: each[:2]):
        book = books[row["ticker"]]
        if is_delta:
            book[row["is_bid"], row["price"]] += row["change"]
            assert book[row["is_bid"], row["price"]] >= 0
            continue
        book.clear()
        for side in ("bid", "ask"):
            levels = zip(row[f"{side}_prices"], row[f"{side}_counts"], strict=True)
            book.update({(side == "bid", price): count for price, count in levels})
    assert len(list(archive.rows(Kind.DELTAS))) > 10
    assert list(archive.rows(Kind.TICKERS))
    snapshots = Counter(row["ticker"] for row in archive.rows(Kind.SNAPSHOTS))
    gaps = {row["ticker"] for row in archive.rows(Kind.GAPS)}
    assert gaps & set(snapshots), "a lost book is a gap of its market"
    assert max(snapshots.values()) >= 2


def test_the_recorded_markets_can_be_read_back(sandbox: KalshiSandbox, tmp_path: Path) -> None:
    archive = asyncio.run(record(sandbox, tmp_path, poll=SECOND))

    markets = load_markets(archive)

    assert markets
    one = next(iter(markets.values()))
    assert one.series.ticker == SERIES
    assert one.series.fee_type.startswith("quadratic")
    assert one.market.close_at is not None
    assert {row["ticker"] for row in archive.rows(Kind.SNAPSHOTS)} <= set(markets)


def test_nothing_to_record_is_said_at_once() -> None:
    with pytest.raises(ConfigError, match="nothing was named"):
        RecordOptions()


# -- without a socket ----------------------------------------------------------------------------


def delta(change: int, at: Instant) -> BookDelta:
    return BookDelta(
        ticker=Ticker("KXA-1"),
        side=Side.YES,
        price=Price.of_cents(42),
        change=Count(change),
        at=at,
    )


def test_what_a_full_disk_refuses_is_written_later(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.write_text("a file where the folder should be")
    recorder = Recorder(Archive(folder), writer="1")
    recorder.take_book(delta(100, NOON), NOON)

    assert not recorder.flush()
    assert "cannot be written" in recorder.recorded.trouble

    folder.unlink()
    assert recorder.flush()
    assert [row["change"] for row in recorder.archive.rows(Kind.DELTAS)] == [100]
    assert not recorder.recorded.trouble


def test_every_day_has_its_own_files(tmp_path: Path) -> None:
    recorder = Recorder(Archive(tmp_path), writer="1")
    midnight = Instant(NOON // DAY * DAY + DAY)
    for at in (Instant(midnight - 1), midnight):
        recorder.take_book(delta(100, at), at)
    recorder.flush()

    for part in recorder.archive.parts(Kind.DELTAS):
        (row,) = recorder.archive.rows(Kind.DELTAS, since=part.day, until=part.day)
        assert utc_day(Instant(row["heard_at"])) == part.day


def test_an_empty_book_is_recorded_as_one(tmp_path: Path) -> None:
    recorder = Recorder(Archive(tmp_path), writer="1")
    bids = (Level(Price.of_cents(42), Count(100)),)
    recorder.take_book(BookSnapshot(ticker=Ticker("KXA-1"), bids=bids), NOON)
    recorder.take_book(BookSnapshot(ticker=Ticker("KXA-1")), Instant(NOON + MINUTE))
    recorder.flush()

    first, second = recorder.archive.rows(Kind.SNAPSHOTS)

    assert (first["bid_prices"], first["bid_counts"], first["ask_prices"]) == ([4_200], [100], [])
    assert (second["bid_prices"], second["ask_prices"]) == ([], [])
