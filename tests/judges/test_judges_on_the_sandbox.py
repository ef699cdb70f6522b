"""Clients that nobody here wrote, on all six sessions of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fix_desk import PAIRS, SETTLER, TRADER, WATCHER, FixDesk, fix_desk
from fix_house import settled
from judge import ENGINES, Bridge, Group, Heard, Judge, Place, Said, bridge, check_captured
from served_floor import MAKER, TICKER, ServedFloor

from trueup.core.ids import PRIMARY, ClientOrderId, OrderId
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.net.acceptor.keys import KeyPair
from trueup.net.signer import signer_for
from trueup.sim import commands as c
from trueup.wire.fix.message import Sender
from trueup.wire.fix.session_kinds import SessionKind

NR, DC, RT = SessionKind.NR, SessionKind.DC, SessionKind.RT
PT, RFQ, MD = SessionKind.PT, SessionKind.RFQ, SessionKind.MD


def quoted() -> ServedFloor:
    floor = ServedFloor()
    floor.quote("0.40", "0.60")
    return floor


@asynccontextmanager
async def line(
    engine: str,
    kind: SessionKind,
    pair: KeyPair,
    desk: FixDesk,
    folder: Path,
) -> AsyncGenerator[tuple[Judge, Bridge]]:
    """A client of the engine that is logged on, and the line that it speaks over."""
    assert pair in PAIRS
    assert desk.server.fix is not None
    key_id = pair.registered.key_id
    async with bridge(desk.server.fix.ports[kind], accepts=None, connects=desk.tls) as carried:
        place = Place(
            folder,
            kind,
            carried.port,
            key_id,
            signer=signer_for(key_id, pair.private),
            options=[(21005, "Y")],
        )
        async with ENGINES[engine].start(place) as judge:
            await settled(lambda: judge.logons >= 1)
            yield judge, carried
            assert [each.kind for each in judge.heard if each.kind in {"3", "5"}] == []
    inward = check_captured(bytes(carried.inward), Sender.CLIENT)
    assert "A" in inward
    assert "3" not in inward, "it refused something that we sent"
    check_captured(bytes(carried.outward), Sender.EXCHANGE)


async def ask(judge: Judge, said: Said, fits: Callable[[Heard], bool]) -> Heard:
    """Send a message, and the first one after it that fits."""
    before = len(judge.heard)
    await judge.say(said)
    return await hear(judge, fits, after=before)


async def hear(judge: Judge, fits: Callable[[Heard], bool], *, after: int = 0) -> Heard:
    await settled(lambda: any(fits(each) for each in judge.heard[after:]))
    return next(each for each in judge.heard[after:] if fits(each))


def order(name: str, price: str = "0.5000", size: str = "2") -> Said:
    return Said(
        "D", [(11, name), (38, size), (40, "2"), (44, price), (54, "1"), (55, TICKER), (59, "1")]
    )


def is_report(kind: str, name: str) -> Callable[[Heard], bool]:
    return lambda heard: (heard.kind, heard[150], heard[11]) == ("8", kind, name)


def test_orders_on_nr(engine: str, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with line(engine, NR, TRADER, desk, tmp_path) as (judge, _):
            await ask(judge, order("c-1"), is_report("0", "c-1"))
            replace = Said("G", [
                (11, "c-2"), (41, "c-1"), (38, "3"), (40, "2"), (44, "0.4500"), (54, "1"),
                (55, TICKER),
            ])  # fmt: skip
            assert (await ask(judge, replace, is_report("5", "c-2")))[41] == "c-1"
            cancel = Said("F", [(11, "c-3"), (41, "c-2"), (54, "1"), (55, TICKER)])
            await ask(judge, cancel, is_report("4", "c-3"))
            too_late = Said("F", [(11, "c-4"), (41, "c-2"), (54, "1"), (55, TICKER)])
            assert (await ask(judge, too_late, lambda h: h.kind == "9"))[434] == "1"

            await ask(judge, order("c-5"), is_report("0", "c-5"))
            mass = Said("q", [(11, "c-6"), (530, "6")])
            assert (await ask(judge, mass, lambda h: h.kind == "r"))[531] == "6"
            await hear(judge, is_report("4", "c-5"))
            group = Said("UOG", [(20131, "1"), (20132, "10")])
            assert (await ask(judge, group, lambda h: h.kind == "UOH"))[20130]
            trade = await ask(judge, order("c-7", "0.6000"), is_report("F", "c-7"))
            assert (trade[32], trade[31], trade[138]) == ("2.00", "0.6000", "USD")

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_what_happened_while_away_comes_again_on_rt(engine: str, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with line(engine, RT, TRADER, desk, tmp_path) as (judge, carried):
            new = await ask(judge, order("c-1"), is_report("0", "c-1"))
            carried.refuses = True
            carried.cut()
            await settled(lambda: not carried.writers)
            await asyncio.sleep(0.1)
            command = c.PlaceOrder(
                at=desk.floor.exchange.now,
                member=MAKER,
                subaccount=PRIMARY,
                order_id=OrderId("m-1"),
                client_order_id=ClientOrderId("m-1"),
                ticker=TICKER,
                side=Side.NO,
                price=Price.parse("0.50"),
                count=Count.parse("2"),
            )
            desk.server.step(command)
            carried.refuses = False
            trade = await hear(judge, is_report("F", "c-1"))
            assert (trade[37], trade[43]) == (new[37], "Y")

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_settlements_on_pt(engine: str, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with line(engine, PT, SETTLER, desk, tmp_path) as (judge, _):
            at = desk.floor.exchange.now
            for command in (
                c.CloseMarket(at=at, ticker=TICKER),
                c.DetermineMarket(
                    at=at, ticker=TICKER, result=MarketResult.YES, value=Price.parse("1")
                ),
                c.SettleMarket(at=at, ticker=TICKER),
            ):
                desk.server.step(command)
            page = await hear(judge, lambda h: h.kind == "UMS")
            assert (page[20107], page[730], page[20108]) == ("yes", "100.00", "1")
            assert (page[704], page[1704], page[1705], page[137]) == (
                "3.00", "3.00", "PAYOUT", "0.00",
            )  # fmt: skip

    floor = quoted()
    floor.order(MAKER, Side.NO, "3", "0.50")
    floor.order(floor.us, Side.YES, "3", "0.50")
    with fix_desk(floor, tmp_path) as desk:
        asyncio.run(story(desk))


def test_a_replay_on_dc(engine: str, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with line(engine, DC, WATCHER, desk, tmp_path) as (judge, _):
            desk.server.step(
                c.PlaceOrder(
                    at=desk.floor.exchange.now,
                    member=desk.floor.us,
                    subaccount=PRIMARY,
                    order_id=OrderId("o-1"),
                    client_order_id=ClientOrderId("c-1"),
                    ticker=TICKER,
                    side=Side.YES,
                    price=Price.parse("0.50"),
                    count=Count.parse("2"),
                )
            )
            refused = await ask(judge, Said("U1", [(21001, "0;0")]), lambda h: h.kind == "U3")
            assert refused[21004] == "3"
            first = Said("U1", [(21001, "1;0")])
            done = await ask(judge, first, lambda h: h.kind in {"U2", "U3"})
            assert done.kind == "U2"
            assert int(done[21003]) == len([each for each in judge.heard if each.kind == "8"]) > 0

    with fix_desk(quoted(), tmp_path, replays=True) as desk:
        asyncio.run(story(desk))


def test_market_data_on_md(engine: str, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with line(engine, MD, WATCHER, desk, tmp_path) as (judge, _):
            request = Said("V", [(263, "1")], [(146, Group([(55, TICKER)]))])
            book = await ask(judge, request, lambda h: h.kind == "W")
            assert (book[268], book.all(269), book.all(270)) == (
                "2", ["0", "1"], ["0.4000", "0.6000"],
            )  # fmt: skip
            await judge.say(Said("e", [(263, "1"), (55, TICKER)]))
            desk.server.step(
                c.PlaceOrder(
                    at=desk.floor.exchange.now,
                    member=desk.floor.us,
                    subaccount=PRIMARY,
                    order_id=OrderId("o-1"),
                    client_order_id=ClientOrderId("c-1"),
                    ticker=TICKER,
                    side=Side.YES,
                    price=Price.parse("0.50"),
                    count=Count.parse("2"),
                )
            )
            change = await hear(judge, lambda h: h.kind == "X")
            assert (change[279], change[269], change[270], change[271]) == (
                "0", "0", "0.5000", "2.00",
            )  # fmt: skip

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_quoting_on_rfq(engine: str, tmp_path: Path) -> None:
    def quote(name: str, request: str) -> Said:
        return Said("S", [(117, name), (131, request), (55, TICKER), (132, "0.4000")])

    async def story(desk: FixDesk) -> None:
        async with line(engine, RFQ, TRADER, desk, tmp_path) as (judge, _):
            refused = await ask(judge, quote("q-1", "nobody-asked"), lambda h: h.kind == "AI")
            assert (refused[117], refused[297], refused[58]) == ("q-1", "5", "NOT_FOUND")

            desk.server.step(
                c.CreateRfq(
                    at=desk.floor.exchange.now,
                    member=MAKER,
                    subaccount=PRIMARY,
                    rfq_id="r-1",
                    ticker=TICKER,
                    count=Count.parse("10"),
                )
            )
            asked = await hear(judge, lambda h: h.kind == "R")
            assert (asked[131], asked[55], asked[38]) == ("r-1", TICKER, "10.00")
            taken = await ask(judge, quote("q-2", "r-1"), lambda h: h.kind == "AI")
            assert (taken[117], taken[131], taken[297]) == ("q-2", "r-1", "10")

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))
