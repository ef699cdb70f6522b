"""What a FIX listener tells becomes books: with the lease, without it, and where ids are missing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from trueup.core.facts import Filled, OrderReported, Source, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Ticker, TradeId
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.observations import Observation
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.net.fix.endpoints import resolve_fix_endpoint
from trueup.net.fix.store import SessionStore
from trueup.net.venues import Venue
from trueup.run.books.account import Account
from trueup.run.books.rereading import reread_kept_of_fix
from trueup.run.clock import SystemClock
from trueup.run.desk import Desk, read_desk_settings
from trueup.run.fix.booking import FixBooks
from trueup.store.database import Books, open_books
from trueup.wire.fix.codec import Codec, Received
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.orders import ExecutionReport
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.numbering import Sequences
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.translate import write_trade
from trueup.wire.fix.words import ExecType

NOW = Instant(1_792_000_000_000_000)
TICKER = Ticker("KXA-1")
FILL = Filled(
    trade_id=TradeId("t-1"),
    order_id=OrderId("o-1"),
    ticker=TICKER,
    side=Side.NO,
    count=Count.of_contracts(3),
    price=Price.parse("0.60"),
    fee=Money.parse("0.05"),
    is_taker=True,
    at=NOW,
    subaccount=PRIMARY,
    shard=SHARD_ZERO,
)
ORDER = OrderReported(
    order_id=FILL.order_id,
    client_order_id=ClientOrderId("bot-1"),
    ticker=TICKER,
    side=Side.NO,
    status=OrderStatus.EXECUTED,
    price=Price.parse("0.60"),
    initial_count=FILL.count,
    fill_count=FILL.count,
    remaining_count=Count(0),
    taker_fees=Money.parse("0.05"),
    maker_fees=ZERO_MONEY,
    taker_fill_cost=Money.parse("1.20"),
    maker_fill_cost=ZERO_MONEY,
    created_at=NOW,
    updated_at=NOW,
    subaccount=PRIMARY,
    shard=SHARD_ZERO,
)
TRADE = write_trade(FILL, ORDER, execution_id="1;1;0")


@dataclass
class Told:
    """A message as it came over the line."""

    received: Received
    raw: bytes


def told(message: Message, *, at: Instant = NOW) -> Told:
    header = Header(sender="KalshiRT", target="key", sequence=2, sending_time=at)
    raw = Codec(reads=Sender.CLIENT, unit=PriceUnit.CENTS).encode(header, message)
    return Told(Received(header, message), raw)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    settings = read_desk_settings({"TRUEUP_HOME": str(tmp_path), "KALSHI_ENV": "demo"})
    with Account(Desk(settings)) as opened:
        yield opened


def numbers(
    account: Account, kind: SessionKind = SessionKind.RT, *, listens: bool = True
) -> SessionStore:
    """The stored numbers of a session of the key, as a listener opens them or somebody else."""
    endpoint = resolve_fix_endpoint(Venue.DEMO, kind)
    return SessionStore.open(account.desk.settings.home / "fix", endpoint, "key", listens=listens)


@contextmanager
def listening(account: Account, kind: SessionKind = SessionKind.RT) -> Generator[FixBooks]:
    """A listener of a session from its start to its end, whose numbers went on a little."""
    with (
        numbers(account, kind) as store,
        FixBooks(account, kind, "key", store=store, retention_hours=72) as books,
    ):
        yield books
        store.save(Sequences(store.sequences.next_out + 1, store.sequences.next_in + 1))


@pytest.fixture
def listener(account: Account) -> Iterator[FixBooks]:
    with listening(account) as books:
        books.logged_on(was_reset=False, at=NOW)
        yield books


def take(listener: FixBooks, message: Message, *, at: Instant = NOW) -> str:
    each = told(message, at=at)
    taken = listener.take(each.received, each.raw, at)
    assert taken is not None
    return taken.words


def fills(account: Account) -> list[Filled]:
    return list(account.books.fills())


def test_a_trade_is_a_fill_and_its_order(account: Account, listener: FixBooks) -> None:
    assert take(listener, TRADE) == "a fill; order executed, 3.00 of 3.00"
    assert take(listener, TRADE) == "the fill is known; order executed, 3.00 of 3.00"
    listener.rest(at_once=True)

    assert fills(account) == [FILL]
    assert list(account.books.orders()) == [ORDER]
    assert [each.position.net for each in account.books.market_books()] == [Count(-300)]
    assert account.books.lease.holder(SystemClock().now()) is None


def test_who_does_not_hold_the_lease_hands_over(account: Account, listener: FixBooks) -> None:
    other = open_books(account.books.place, venue=account.venue, mode="live", account=account.name)
    with other:
        other.lease.try_acquire(role="sync", now=SystemClock().now())
        take(listener, TRADE)
        assert (fills(account), account.books.handoff.waiting()) == ([], 2)
        listener.rest(at_once=True)
        assert fills(account) == []
        other.lease.release()

    listener.rest(at_once=True)

    assert fills(account) == [FILL]
    assert account.books.count_unbooked() == 0


def rest_tells(books: Books, fill: Filled) -> None:
    books.append([Observation(fill, Source.REST, NOW, b"{}")], stream=Stream.FILLS)


@pytest.mark.parametrize(
    ("later", "is_explained"), [(0, True), (SECOND, True), (2 * SECOND, False)]
)
def test_a_trade_without_an_id_is_joined_by_order_price_count_and_moment(
    account: Account, listener: FixBooks, later: int, *, is_explained: bool
) -> None:
    nameless = msgspec.structs.replace(TRADE, trade_match_id=None)

    assert take(listener, nameless).startswith("kept and not booked: a trade without")
    assert fills(account) == []
    assert len(account.books.quarantined()) == 1

    rest_tells(account.books, replace(FILL, at=Instant(NOW + later)))
    assert reread_kept_of_fix(account.books) == int(is_explained)

    assert len(fills(account)) == 1
    assert len(account.books.quarantined()) == int(not is_explained)


def test_the_same_fill_told_otherwise_by_rest_is_a_break(
    account: Account, listener: FixBooks
) -> None:
    take(listener, TRADE)
    rest_tells(account.books, replace(FILL, count=Count.of_contracts(2)))
    account.book()

    (found,) = account.books.booking_breaks()
    assert found.kind == "revised_fill"
    assert found.summary.startswith("FIX and the others tell t-1/o-1 differently")
    assert [words.partition(":")[0] for words in found.evidence] == [
        "version 1, by fix",
        "version 2, by rest",
    ]


def listen(
    account: Account, hour: int, *, was_reset: bool = False, missed: bool = False
) -> list[tuple[int, int]]:
    """Listen for an hour; returns from which hour to which was heard so far."""
    at = Instant(NOW + hour * HOUR)
    with listening(account) as books:
        books.logged_on(was_reset=was_reset, at=at)
        if missed:
            books.missed(Instant(at + SECOND))
        books.heard(Instant(at + HOUR))
    spans = account.books.heard(Stream.SETTLEMENT_REPORTS)
    assert spans == account.books.heard(Stream.FILLS)
    return [((span.since - NOW) // HOUR, (span.until - NOW) // HOUR) for span in spans]


def test_listening_goes_on_over_a_short_absence_and_not_over_a_long_one(account: Account) -> None:
    assert listen(account, 0) == [(0, 1)]
    assert listen(account, 50) == [(0, 51)]
    assert listen(account, 200) == [(0, 51), (200, 201)]
    assert listen(account, 210, was_reset=True) == [(0, 51), (200, 201), (210, 211)]
    assert listen(account, 220, missed=True) == [(0, 51), (200, 201), (210, 211), (220, 221)]


@pytest.mark.parametrize("was_begun_anew", [True, False])
def test_what_somebody_else_took_on_the_same_session_was_not_listened_to(
    account: Account, *, was_begun_anew: bool
) -> None:
    """A bot on RT with the listener's key, or a listener that only keeps a log."""
    listen(account, 0)
    with numbers(account, listens=False) as store:
        # After a reset the numbers may be the very ones at which the listener left.
        store.save(Sequences() if was_begun_anew else Sequences(9, 9))
    with numbers(account) as store:
        store.save(Sequences(2, 2))

    assert listen(account, 3) == [(0, 1), (3, 4)]
    assert listen(account, 5) == [(0, 1), (3, 6)]


def test_what_other_books_heard_was_not_heard_by_these(account: Account) -> None:
    """Another account with the same key, or books that were restored from a copy of yesterday."""
    listen(account, 0)
    with numbers(account) as store:
        store.hear(Instant(NOW + 2 * HOUR))
        store.save(Sequences(9, 9))

    assert listen(account, 3) == [(0, 1), (3, 4)]


def test_a_loss_that_was_the_last_thing_before_the_end_is_not_reached_over(
    account: Account,
) -> None:
    listen(account, 0)
    with listening(account) as books:
        books.logged_on(was_reset=False, at=Instant(NOW + 2 * HOUR))
        books.missed(Instant(NOW + 2 * HOUR))

    assert listen(account, 3) == [(0, 1), (3, 4)]


def test_a_session_that_sends_nothing_again_begins_anew_each_time(account: Account) -> None:
    for start in (0, 10):
        with listening(account, SessionKind.NR) as books:
            books.logged_on(was_reset=True, at=Instant(NOW + start * HOUR))
            books.heard(Instant(NOW + (start + 1) * HOUR))

    assert len(account.books.heard(Stream.FILLS)) == 2


def test_a_report_of_nothing_is_no_business_of_the_books(listener: FixBooks) -> None:
    pending = msgspec.structs.replace(TRADE, execution_id="-1;-1")
    each = told(msgspec.structs.replace(pending, execution_type=ExecType.PENDING_NEW))
    assert isinstance(each.received.message, ExecutionReport)
    assert listener.take(each.received, each.raw, NOW) is None
