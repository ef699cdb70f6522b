"""From the exchange into the books: what is fetched, what that proves, and what interrupts it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from demo_desk import Heard, OpenDemo, OpenServer, interrupt_after

from trueup.core.errors import BooksError, NotAuthorized, ProtocolBroken
from trueup.core.facts import Stream
from trueup.core.ids import PRIMARY, ClientOrderId, OrderId, TradeId
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.ledger.reconcile import Closing
from trueup.net.acceptor.faults import Faults
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.books.account import Account
from trueup.run.books.listings import BEGINNING
from trueup.run.clock import ManualClock, ShiftedClock, seeded
from trueup.sim import commands as c
from trueup.sim.scenario import DEFAULT_SEED, World, account_world
from trueup.store.progress import Progress, Tier

PAGED = ("GetFills", "GetFillsHistorical", "GetOrders", "GetHistoricalOrders", "GetSettlements")


def summary_of(account: Account) -> dict[str, object]:
    """Everything that two equal books have in common."""
    books = account.books
    return {
        "fills": [(f.trade_id, f.order_id, f.count, f.price, f.fee) for f in books.fills()],
        "orders": sorted((o.order_id, o.status, o.fill_count) for o in books.orders()),
        "settlements": [(s.subaccount, s.ticker, s.revenue) for s in books.settlements()],
        "entries": Counter((e.at, e.stream, e.key, e.postings) for e in books.entries()),
        "positions": account.get_open_positions_summary(),
        "totals": books.totals(),
    }


def test_full_backfill_gives_books_that_close(
    demo: OpenDemo, server: SandboxServer, world: World
) -> None:
    with demo(server) as account:
        done = account.backfill()
        found = account.reconcile()
        books = account.books
        truth = world.exchange.account(world.member)

        assert found.verdict.closing is Closing.CLOSES
        assert found.proof.certificate.complete
        assert not done.fetched.resumed
        assert done.metadata.unknown == []
        cash = {
            (r.subaccount, r.shard): r.low for r in books.latest_balances() if r.shard is not None
        }
        assert cash == {
            (subaccount, shard): truth.available_at(
                account.now(), subaccount=subaccount, shard=shard
            )
            for subaccount, shard in truth.cash
        }
        assert books.fetches() == [] or all(f.progress.done for f in books.fetches())


def test_second_sync_brings_nothing_new(demo: OpenDemo, server: SandboxServer) -> None:
    with demo(server) as account:
        account.backfill()
        before = summary_of(account)
        second = account.sync()

        brought = second.fetched.brought
        assert {s: brought[s].new for s in (Stream.FILLS, Stream.ORDERS, Stream.SETTLEMENTS)} == {
            Stream.FILLS: 0,
            Stream.ORDERS: 0,
            Stream.SETTLEMENTS: 0,
        }
        assert summary_of(account) == before


def test_second_sync_asks_only_for_what_is_new(demo: OpenDemo, server: SandboxServer) -> None:
    first, second = Heard(), Heard()
    with demo(server, heard=first) as account:
        account.backfill()
    with demo(server, heard=second) as account:
        account.sync()

    assert {name: second.count(name) for name in PAGED} == {
        "GetFills": 2,  # the news, and those of the last hour after the balances
        "GetFillsHistorical": 0,
        "GetOrders": 2,  # those, too: an order that rests ties up cash
        "GetHistoricalOrders": 0,
        "GetSettlements": 3,  # two subaccounts, and all of them
    }
    assert first.count("GetFills") > 5


@pytest.mark.parametrize("pages", [1, 5, 17, 26, 33])
def test_backfill_interrupted_anywhere_goes_on_where_it_was(
    demo: OpenDemo, server: SandboxServer, pages: int
) -> None:
    whole, first, second = Heard(), Heard(), Heard()
    with demo(server, heard=whole, home="whole") as account:
        account.backfill()
        expected = summary_of(account)

    with (
        demo(server, told=interrupt_after(pages), heard=first) as account,
        pytest.raises(KeyboardInterrupt),
    ):
        account.backfill()
    with demo(server, heard=second) as account:
        resumed = account.backfill()

        assert resumed.fetched.resumed
        assert summary_of(account) == expected
        assert account.reconcile().verdict.closing is Closing.CLOSES
        assert account.reconcile().proof.certificate.complete
    asked = {name: second.count(name) for name in PAGED}
    again = sum(asked.values()) - sum(whole.count(name) for name in PAGED) + pages
    # The page that was under way, and what a resumed run asks for about the time since.
    assert again <= 8


def test_interrupted_backfill_claims_nothing_that_was_not_read(
    demo: OpenDemo, server: SandboxServer
) -> None:
    with demo(server, told=interrupt_after(3)) as account:
        with pytest.raises(KeyboardInterrupt):
            account.backfill()

        assert [each.stream for each in account.books.coverage()] == []
        assert account.prove().certificate.complete is False


def trade(world: World, at: Instant, number: int) -> tuple[c.Command, ...]:
    """An order that rests for a moment and is filled: one more fact of each kind."""
    account = world.exchange.account(world.member)
    ticker = next(
        holding.ticker
        for history in account.holdings.values()
        if (holding := history.at(at)) is not None
        and holding.settled_at is None
        and holding.ticker == "KXGDP-NEXT-T2.5"
    )
    order = OrderId(f"late-order-{number}")
    return (
        c.PlaceOrder(
            at=at,
            member=world.member,
            subaccount=PRIMARY,
            order_id=order,
            client_order_id=ClientOrderId(f"late-{number}"),
            ticker=ticker,
            side=Side.YES,
            price=Price.parse("0.20"),
            count=Count.parse("3"),
        ),
        c.Trade(
            at=at,
            member=world.member,
            order_id=order,
            trade_id=TradeId(f"late-trade-{number}"),
            count=Count.parse("3"),
            price=Price.parse("0.20"),
            is_taker=False,
        ),
    )


@pytest.mark.parametrize("pages", [14, 30])
def test_trades_between_interruption_and_resumption_are_not_lost(
    demo: OpenDemo, pages: int
) -> None:
    """Newest first: they stand before the page at which the interrupted run goes on."""
    world = account_world(seeded(DEFAULT_SEED))
    clock = ManualClock(Instant(world.end + MINUTE))
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        with (
            demo(server, told=interrupt_after(pages), clock=clock) as account,
            pytest.raises(KeyboardInterrupt),
        ):
            account.backfill()
        clock.sleep(6 * HOUR)
        for command in trade(world, clock.now(), 1):
            server.step(command)
        clock.sleep(6 * HOUR)
        with demo(server, clock=clock) as account:
            account.backfill()
            found = account.reconcile()

            assert [f.trade_id for f in account.books.fills() if "late" in f.trade_id] == [
                "late-trade-1"
            ]
            assert found.proof.certificate.complete
            assert found.verdict.closing is Closing.CLOSES


def test_sync_after_a_pause_fills_the_gap(demo: OpenDemo) -> None:
    """A short backfill in between must not hide that nobody looked at the time before it."""
    world = account_world(seeded(DEFAULT_SEED))
    clock = ManualClock(Instant(world.end + MINUTE))
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        with demo(server, clock=clock) as account:
            account.backfill()
        clock.sleep(3 * DAY)
        for command in trade(world, clock.now(), 1):
            server.step(command)
        clock.sleep(30 * DAY)
        with demo(server, clock=clock) as account:
            account.backfill(days=2)
            with_gap = account.prove().certificate
            account.sync()
            without_gap = account.prove().certificate

            assert not with_gap.complete
            assert without_gap.complete
            assert "late-trade-1" in {fill.trade_id for fill in account.books.fills()}
            assert not account.reconcile().verdict.unproven


def test_backfill_of_days_resumes_within_the_day(demo: OpenDemo, server: SandboxServer) -> None:
    with (
        demo(server, told=interrupt_after(2)) as account,
        pytest.raises(KeyboardInterrupt),
    ):
        account.backfill(days=60)
    with demo(server) as account:
        resumed = account.backfill(days=60)

        assert resumed.fetched.resumed
        assert resumed.fetched.window_start % DAY == 0
        fills = list(account.books.fills())
        assert min(f.at for f in fills) >= resumed.fetched.window_start
        assert not account.prove().certificate.complete


def test_completed_backfill_is_not_taken_for_an_interrupted_one(
    demo: OpenDemo, server: SandboxServer
) -> None:
    again = Heard()
    with demo(server) as account:
        account.backfill()
    with demo(server, heard=again) as account:
        second = account.backfill()

    assert not second.fetched.resumed
    assert again.count("GetFills") > 5
    assert second.fetched.brought[Stream.FILLS].seen > 400


def test_place_of_another_window_is_left_alone(demo: OpenDemo, server: SandboxServer) -> None:
    with demo(server, told=interrupt_after(2)) as account, pytest.raises(KeyboardInterrupt):
        account.backfill(days=100)
    with demo(server) as account:
        full = account.backfill()

        assert not full.fetched.resumed
        assert account.reconcile().verdict.closing is Closing.CLOSES


@pytest.mark.parametrize("cursor", ["gone", "Z2FyYmFnZQ"])
def test_cursor_that_means_nothing_any_more_starts_over(
    demo: OpenDemo, server: SandboxServer, cursor: str
) -> None:
    with demo(server, told=interrupt_after(2)) as account, pytest.raises(KeyboardInterrupt):
        account.backfill()
    with demo(server) as account:
        (fetch,) = account.books.fetches()
        stored = fetch.progress
        account.books.append(
            [],
            stream=stored.stream,
            progress=Progress(
                stream=stored.stream,
                subaccount=None,
                shard=None,
                tier=Tier.LIVE,
                window_start=BEGINNING,
                window_end=stored.window_end,
                cursor=cursor,
                done=False,
                at=stored.at,
            ),
        )
        account.backfill()

        assert account.reconcile().verdict.closing is Closing.CLOSES
        assert account.prove().certificate.complete


def test_endless_cursor_is_an_error_and_the_next_run_is_whole(
    demo: OpenDemo, server: SandboxServer, open_server: OpenServer
) -> None:
    endless = open_server(Faults(endless_cursor=frozenset({"GetFills"})))
    for _ in range(2):
        with demo(endless) as account:
            with pytest.raises(ProtocolBroken, match="never ends"):
                account.backfill()
            assert account.books.coverage() == []
    with demo(server) as account:
        account.backfill()

        assert account.reconcile().verdict.closing is Closing.CLOSES
        assert account.prove().certificate.complete


def test_balance_reading_keeps_the_words_of_the_exchange(
    demo: OpenDemo, server: SandboxServer
) -> None:
    with demo(server) as account:
        account.sync()
        place = account.books.place
    with closing(sqlite3.connect(place)) as connection:
        rows = connection.execute("SELECT raw FROM journal WHERE stream = 'balances'").fetchall()

    assert len(rows) >= 4
    assert all(b'"balance_dollars"' in raw for (raw,) in rows)


def test_subaccounts_that_are_not_listed_are_found_by_their_facts(
    demo: OpenDemo, server: SandboxServer
) -> None:
    """Without the list of subaccounts the primary one is asked, and those that facts name."""
    with demo(server, refused=frozenset({"GetSubaccountBalances"})) as account:
        blind = account.backfill()
        found = account.reconcile()

    assert blind.fetched.subaccounts == (0, 1)
    assert any("not listed to this key" in note for note in blind.fetched.notes)
    assert found.verdict.closing is Closing.CLOSES


def test_wrong_key_leaves_no_books(demo: OpenDemo, server: SandboxServer, world: World) -> None:
    stranger = SandboxServer(world, clock=ShiftedClock.starting_at(world.end).now)
    with demo(server, key_of=stranger) as account:
        with pytest.raises(NotAuthorized, match="signature does not fit"):
            account.sync()

        assert not account.desk.has_books()
        with pytest.raises(BooksError, match="no books"):
            account.balances()
        assert not account.desk.settings.home.exists()


def test_clock_off_by_a_minute_is_said_in_words(
    demo: OpenDemo, server: SandboxServer, clock: ShiftedClock
) -> None:
    with demo(server, clock=ShiftedClock(clock.shift + MINUTE)) as account:
        with pytest.raises(NotAuthorized, match="time of the request") as caught:
            account.sync()

        assert "NTP" in caught.value.remedy
        assert not account.desk.has_books()


def test_opening_balance_stands_for_an_early_history_that_is_gone(
    demo: OpenDemo, server: SandboxServer
) -> None:
    """The deposit of the first day is listed for ever; it must not count twice."""
    with demo(server) as account:
        account.backfill(days=149)
        without = account.reconcile()
        account.open_with(Money.parse("5000"), at="2026-05-19T00:00:00Z")
        # Most pots have no opening: they are judged from one reading to the next.
        account.sync()
        stated = account.reconcile()
        balances = account.balances()

    assert not without.proof.certificate.complete
    assert without.verdict.closing is not Closing.CLOSES
    assert stated.proof.certificate.complete
    assert stated.verdict.closing is Closing.CLOSES
    assert {str(row["difference"]) for row in balances} == {"0.00"}


def test_wrong_opening_balance_is_not_absorbed(demo: OpenDemo, server: SandboxServer) -> None:
    with demo(server) as account:
        account.backfill(days=149)
        account.open_with(Money.parse("4999.99"), at="2026-05-19T00:00:00Z")
        found = account.reconcile()

    assert found.verdict.closing is not Closing.CLOSES
    assert "-0.01" in {str(each.found.amount) for each in found.breaks}
