"""Several processes on one book: who writes, who waits, who hands over, who dies."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from conftest_names import ACCOUNT, MODE, VENUE
from store_facts import (
    NOW,
    RAIN,
    SNOW,
    book_everything,
    fill,
    later,
    order,
    run_script,
    seen,
    settlement,
    until_forgotten,
)

from trueup.core.errors import BooksError
from trueup.core.facts import Source, Stream
from trueup.core.ids import Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.observations import Observation, Quarantined
from trueup.core.orders import OrderStatus
from trueup.store.database import Books, open_books
from trueup.store.journal import Appended
from trueup.store.lease import LeaseHolder
from trueup.store.progress import Progress, Tier, as_coverage
from trueup.store.statement import Statement

_SEQUENCES = Statement("SELECT sequence FROM journal ORDER BY sequence")
Opener = Callable[[], Books]


def progress(cursor: str, *, start: Instant | None = None, done: bool = False) -> Progress:
    return Progress(
        stream=Stream.FILLS,
        subaccount=None,
        shard=None,
        tier=Tier.LIVE,
        window_start=start,
        window_end=later(100),
        cursor=cursor,
        done=done,
        at=NOW,
        covers=(start or Instant(0), later(100)) if done else None,
    )


def test_second_process_learns_who_holds_the_lease(opener: Opener) -> None:
    with opener() as bot, opener() as sync:
        assert bot.lease.try_acquire(role="bot", now=NOW) is None

        holder = sync.lease.try_acquire(role="sync", now=later(1))

        assert isinstance(holder, LeaseHolder)
        assert holder.words().startswith(f"bot (process {os.getpid()} on ")
        assert sync.lease.holder(later(1)) == holder
        with pytest.raises(BooksError, match="written by another process: bot"):
            sync.append(seen(fill(1)), stream=Stream.FILLS)


def test_lease_given_back_can_be_taken(opener: Opener) -> None:
    with opener() as bot, opener() as sync:
        bot.lease.try_acquire(role="bot", now=NOW)
        bot.lease.release()

        assert sync.lease.try_acquire(role="sync", now=NOW) is None
        assert sync.append(seen(fill(1)), stream=Stream.FILLS) == Appended(new=1)


def test_silent_holder_is_replaced_and_cannot_write_any_more(opener: Opener) -> None:
    with opener() as bot, opener() as sync:
        bot.lease.try_acquire(role="bot", now=NOW, seconds=60)
        bot.lease.beat(now=later(50), seconds=60)
        assert sync.lease.try_acquire(role="sync", now=later(100)) is not None

        assert sync.lease.try_acquire(role="sync", now=later(111)) is None

        with pytest.raises(BooksError, match="written by another process: sync"):
            bot.append(seen(fill(1)), stream=Stream.FILLS)
        with pytest.raises(BooksError, match="was taken over by sync"):
            bot.lease.beat(now=later(112))


_HOLD = """
import time
from conftest_names import ACCOUNT, MODE, VENUE
from store_facts import NOW
from trueup.store.database import open_books
books = open_books(sys.argv[1], venue=VENUE, mode=MODE, account=ACCOUNT)
print(books.lease.try_acquire(role="recorder", now=NOW), flush=True)
time.sleep(60)
"""


def test_lease_of_a_killed_process_is_taken_over_at_once(place: str, opener: Opener) -> None:
    holder = run_script(_HOLD, place)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "None\n"
    with opener() as books:
        held = books.lease.try_acquire(role="sync", now=later(1))
        assert held is not None
        assert (held.role, held.pid) == ("recorder", holder.pid)

        holder.kill()
        holder.wait()
        holder.stdout.close()

        assert books.lease.try_acquire(role="sync", now=later(2)) is None


def test_waiting_for_the_lease_says_whom_for_and_ends(opener: Opener) -> None:
    clock = [int(NOW)]
    heard: list[str] = []

    def sleep(seconds: float) -> None:
        clock[0] += round(seconds * SECOND)

    with opener() as bot, opener() as sync:
        bot.lease.try_acquire(role="bot", now=NOW, seconds=3600)
        with pytest.raises(BooksError, match=r"is being written by bot .* for 5 s"):
            sync.lease.wait(
                role="sync",
                now=lambda: Instant(clock[0]),
                sleep=sleep,
                patience_seconds=5,
                on_wait=lambda holder: heard.append(holder.role),
            )

    assert heard == ["bot"]


def test_handed_over_observations_reach_the_journal_in_their_order(opener: Opener) -> None:
    unreadable = Quarantined(Stream.FILLS, "torn", Source.WEBSOCKET, NOW, b"{", Subaccount(3))
    with opener() as bot, opener() as sync:
        bot.lease.try_acquire(role="bot", now=NOW)
        sync.handoff.hand_over(seen(fill(1), fill(2)), stream=Stream.FILLS, role="sync")
        sync.handoff.hand_over(seen(settlement()), stream=Stream.SETTLEMENTS, role="sync")
        waiting = sync.handoff.hand_over(
            [], stream=Stream.FILLS, quarantined=[unreadable], role="sync"
        )
        assert waiting == 4

        assert bot.handoff.drain(limit=3) == Appended(new=3)
        assert bot.handoff.drain() == Appended(quarantined=1)

        assert bot.handoff.waiting() == 0
        assert list(bot.fills()) == [fill(1), fill(2)]
        assert list(bot.settlements()) == [settlement()]
        assert bot.quarantined() == [unreadable]
        assert bot.handoff.drain() == Appended()


def test_reader_in_the_middle_of_a_stream_neither_blocks_nor_sees_the_writer(
    opener: Opener,
) -> None:
    with opener() as writer, opener() as reader:
        writer.append(seen(*(fill(n) for n in range(1, 3001))), stream=Stream.FILLS)
        stream = reader.fills()
        first = next(stream)

        writer.append(seen(fill(5000)), stream=Stream.FILLS)
        rest = list(stream)

        assert first == fill(1)
        assert len(rest) == 2999
        assert len(list(reader.fills())) == 3001


def test_writer_waits_for_another_writers_transaction(place: str, opener: Opener) -> None:
    """Two writers without a lease take turns; nothing is lost or doubled."""
    errors: list[BaseException] = []

    def write(offset: int) -> None:
        try:
            with opener() as books:
                for page in range(15):
                    numbers = range(page * 10 - offset, page * 10 + 10 - offset)
                    books.append(seen(*(fill(n + 50) for n in numbers)), stream=Stream.FILLS)
        except BaseException as error:  # noqa: BLE001  # shown by the test
            errors.append(error)

    threads = [threading.Thread(target=write, args=(offset,)) for offset in (0, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    with open_books(place, venue=VENUE, mode=MODE, account=ACCOUNT) as books:
        trades = [each.trade_id for each in books.fills()]
        assert len(trades) == len(set(trades)) == 155
        sequences = [row[0] for row in books.driver.rows(_SEQUENCES)]
        assert sequences == list(range(1, 156))


_FETCH = """
from conftest_names import ACCOUNT, MODE, VENUE
from store_facts import book_everything
from test_store_sharing import page_of
from trueup.core.facts import Stream
from trueup.store.database import open_books
books = open_books(sys.argv[1], venue=VENUE, mode=MODE, account=ACCOUNT)
for number in range(int(sys.argv[2]), 400):
    observations, progress = page_of(number)
    books.append(observations, stream=Stream.FILLS, progress=progress)
    print(number, flush=True)
    if number % 5 == 0:
        book_everything(books)
"""


def page_of(number: int) -> tuple[list[Observation], Progress]:
    """Page `number` of a long fetch; every second fill of it was on the page before."""
    first = number * 10
    facts = [
        fill(n, ticker=RAIN if n % 3 else SNOW, count=1 + n % 4) for n in range(first, first + 20)
    ]
    return seen(*facts), progress(f"after-{number}")


@pytest.mark.parametrize("attempt", range(2))
def test_kill_nine_loses_nothing_acknowledged_and_doubles_nothing(
    place: str, opener: Opener, attempt: int
) -> None:
    seed = int(os.environ.get("TRUEUP_SEED", "0")) or random.SystemRandom().getrandbits(32)
    print(f"TRUEUP_SEED={seed} (attempt {attempt})")  # noqa: T201  # a red run shows it
    chance = random.Random(seed + attempt)  # noqa: S311  # no secret
    acknowledged = -1
    for _ in range(3):
        fetching = run_script(_FETCH, place, str(acknowledged + 1))
        assert fetching.stdout is not None
        lines = chance.randint(1, 25)
        for _ in range(lines):
            acknowledged = int(fetching.stdout.readline())
        time.sleep(chance.random() / 50)
        os.kill(fetching.pid, signal.SIGKILL)
        rest = fetching.stdout.read().split()
        acknowledged = max([acknowledged, *map(int, rest)])
        fetching.stdout.close()
        fetching.wait()
        until_forgotten(place)

        with opener() as books:
            stored = int(books.fetches()[0].progress.cursor.partition("-")[2])
            # One page may have been stored whose acknowledgement was killed on its way.
            assert stored in {acknowledged, acknowledged + 1}
            acknowledged = stored
            trades = [each.trade_id for each in books.fills()]
            assert len(trades) == (stored + 1) * 10 + 10
            assert len(set(trades)) == len(trades)
            _book_and_check(books, trades)


def _book_and_check(books: Books, trades: Sequence[str]) -> None:
    """The books, made from what survived, hold every fill once."""
    book_everything(books)
    movements = list(books.cash_movements())
    assert sorted(each.key.partition("/")[0] for each in movements) == sorted(trades)
    bought = sum(book.yes_bought.units for book in books.market_books())
    assert bought == sum(each.count.units for each in books.fills())


def test_fetch_goes_on_where_it_was_and_coverage_waits_for_its_end(opener: Opener) -> None:
    with opener() as books:
        books.append(seen(fill(1)), stream=Stream.FILLS, progress=progress("page-2"))
        books.append(seen(fill(2)), stream=Stream.FILLS, progress=progress("page-3"))

    with opener() as books:
        fetch = books.fetches()[0]
        assert (fetch.progress, fetch.pages, fetch.records) == (progress("page-3"), 2, 2)
        assert books.coverage() == []

        books.append(seen(fill(3)), stream=Stream.FILLS, progress=progress("", done=True))

        assert [(each.start, each.end) for each in books.coverage()] == [(0, later(100))]
        assert as_coverage(books.coverage()).covers(Stream.FILLS, None, NOW)


def test_sync_does_not_disturb_an_interrupted_backfill(opener: Opener) -> None:
    with opener() as books:
        books.append(seen(fill(1)), stream=Stream.FILLS, progress=progress("page-2"))

        recent = progress("", start=later(50), done=True)
        books.append(seen(fill(2)), stream=Stream.FILLS, progress=recent)

        running = [each for each in books.fetches() if not each.progress.done]
        assert [each.progress.cursor for each in running] == ["page-2"]
        books.forget_fetch(running[0].progress)
        assert [each.progress.done for each in books.fetches()] == [True]


def test_touching_intervals_of_coverage_become_one(opener: Opener) -> None:
    spans = [(10, 20), (40, 50), (20, 30), (25, 35)]
    with opener() as books:
        for start, end in spans:
            told = progress("", start=later(start), done=True)
            covers = (later(start), later(end))
            books.append([], stream=Stream.FILLS, progress=_covering(told, covers))

        assert [(each.start, each.end) for each in books.coverage()] == [
            (later(10), later(35)),
            (later(40), later(50)),
        ]


def _covering(told: Progress, covers: tuple[Instant, Instant]) -> Progress:
    return replace(told, covers=covers)


def test_order_reports_of_two_processes_merge(opener: Opener) -> None:
    with opener() as one, opener() as other:
        one.append(seen(order(OrderStatus.CANCELED, filled=2, updated=9)), stream=Stream.ORDERS)
        other.append(seen(order(OrderStatus.RESTING, updated=5)), stream=Stream.ORDERS)

        assert [each.status for each in one.orders()] == [OrderStatus.CANCELED]
