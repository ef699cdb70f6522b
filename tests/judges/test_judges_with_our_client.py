"""Our client, and a bot's road, on acceptors that nobody here made."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fix_house import (
    KEY_ID,
    LOCAL,
    Certificate,
    Hasty,
    gather,
    messages_of,
    new_signer,
    now,
    settled,
)
from judge import (
    ENGINES,
    Bridge,
    Group,
    Heard,
    Judge,
    Place,
    Said,
    bridge,
    check_captured,
    kinds_of,
)

from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.net.fix.client import FixClient, FixEvent
from trueup.net.fix.endpoints import FixEndpoint, client_tls, server_tls
from trueup.net.fix.store import SessionStore
from trueup.net.venues import Venue
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.orders import (
    ExecutionReport,
    NewOrderSingle,
    OrderCancelRequest,
    OrderMassCancelReport,
    OrderMassCancelRequest,
)
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, LoggedOn, Skipped, Unreadable
from trueup.wire.fix.words import ExecType, MassCancelResponse

NR, RT, PT = SessionKind.NR, SessionKind.RT, SessionKind.PT

ORDER = NewOrderSingle(
    client_order_id="c-1",
    quantity=Count.of_contracts(10),
    price=Price.of_cents(40),
    side=Side.NO,
    symbol="KXA-1",
)
CANCEL = OrderCancelRequest(
    client_order_id="c-2", original_client_order_id="c-1", side=Side.NO, symbol="KXA-1"
)
MASS_CANCEL = OrderMassCancelRequest(client_order_id="c-3")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port: int = probe.getsockname()[1]
        return port


def exchange(heard: Heard) -> list[Said]:
    """Every order rests, every cancel is done."""
    if heard.kind == "q":
        return [Said("r", [(11, heard[11]), (37, "m-1"), (531, "6")])]
    if heard.kind not in {"D", "F"}:
        return []
    kind = "0" if heard.kind == "D" else "4"
    fields = [
        (37, f"o-{heard[41] or heard[11]}"), (11, heard[11]), (17, f"1;{kind};0"), (150, kind),
        (39, kind), (54, heard[54]), (55, heard[55]), (151, "10.00" if kind == "0" else "0.00"),
        (14, "0.00"), (6, "0.0000"), (38, "10.00"), (60, _time()),
    ]  # fmt: skip
    return [Said("8", fields)]


def _time() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


def settlement(number: int, parties: int) -> Said:
    def party(each: int) -> Group:
        change = Group([(1704, "1.00"), (1705, "PAYOUT")])
        fee = Group([(137, "0.00"), (138, "USD"), (139, "4"), (891, "0")])
        fields = [(20109, f"p-{each}"), (20110, "24"), (704, "1.00"), (705, "0.00")]
        return Group(fields, [(1703, change), (136, fee)])

    fields = [
        (20105, f"r-{number}"), (55, f"KXA-{number}"), (715, "20261016"), (20106, "1"),
        (20107, "yes"), (730, "100.00"), (893, "Y"),
    ]  # fmt: skip
    return Said("UMS", fields, [(20108, party(each)) for each in range(parties)])


@asynccontextmanager
async def met(
    engine: str, kind: SessionKind, certificate: Certificate, folder: Path
) -> AsyncGenerator[tuple[Judge, Bridge, FixClient]]:
    """An acceptor of the engine, the line to it, and our client, which nobody reads yet."""
    signer, _ = new_signer()
    port = free_port()
    accepts = server_tls(certificate.certificate, certificate.key)
    place = Place(folder, kind, port, KEY_ID, answers=exchange)
    async with (
        ENGINES[engine].start(place) as judge,
        bridge(port, accepts=accepts, connects=None) as carried,
    ):
        endpoint = FixEndpoint(Venue.SANDBOX, kind, LOCAL, carried.port)
        with SessionStore.open(folder, endpoint, signer.key_id) as store:
            async with FixClient(
                endpoint,
                signer=signer,
                store=store,
                clock=now,
                chance=Hasty(),
                tls=client_tls(certificate.certificate),
            ) as client:
                yield judge, carried, client
    types = check_captured(bytes(carried.outward), Sender.EXCHANGE)
    assert "A" in types
    assert "3" not in types, "it refused something that we sent"
    assert "3" not in check_captured(bytes(carried.inward), Sender.CLIENT)


@pytest.mark.parametrize("kind", [NR, RT])
def test_orders_are_placed_and_cancelled(
    engine: str, kind: SessionKind, certificate: Certificate, tmp_path: Path
) -> None:
    async def story() -> None:
        async with met(engine, kind, certificate, tmp_path) as (judge, _, client):
            asked: list[Message] = [ORDER, CANCEL, *([MASS_CANCEL] if kind is NR else [])]

            async def play(seen: list[FixEvent]) -> None:
                if asked and isinstance(seen[-1], LoggedOn | Deliver):
                    await client.send(asked.pop(0))

            answers = len(asked)
            seen = await gather(
                client,
                lambda seen: sum(isinstance(each, Deliver) for each in seen) == answers,
                then=play,
            )
            assert kinds_of(judge) == ["D", "F", "q"][:answers]
            assert judge.heard[0][44] == "0.4000"
        reports = messages_of(seen, ExecutionReport)
        assert [each.execution_type for each in reports] == [ExecType.NEW, ExecType.CANCELED]
        done = [each.response for each in messages_of(seen, OrderMassCancelReport)]
        assert done == [MassCancelResponse.CANCELED] * (answers - 2)

    asyncio.run(story())


@pytest.mark.parametrize("kind", [RT, PT])
def test_settlements_that_a_broken_line_swallowed_come_again(
    engine: str, kind: SessionKind, certificate: Certificate, tmp_path: Path
) -> None:
    async def story() -> None:
        async with met(engine, kind, certificate, tmp_path) as (judge, line, client):

            async def play(seen: list[FixEvent]) -> None:
                paid = len(messages_of(seen, MarketSettlementReport))
                if isinstance(seen[-1], LoggedOn) and not paid:
                    await settled(lambda: judge.logons == 1)
                    await judge.say(settlement(1, 50))
                elif isinstance(seen[-1], Deliver) and paid == 1:
                    line.swallows = True
                    await judge.say(settlement(2, 1))
                    await judge.say(settlement(3, 1))
                    await asyncio.sleep(0.1)
                    line.cut()
                    line.swallows = False

            seen = await gather(
                client,
                lambda seen: len(messages_of(seen, MarketSettlementReport)) == 3,
                then=play,
            )
        paid = messages_of(seen, MarketSettlementReport)
        assert [each.symbol for each in paid] == ["KXA-1", "KXA-2", "KXA-3"]
        assert len(paid[0].parties) == 50
        assert paid[0].parties[49].collateral_changes[0].amount == Money.of_cents(100)
        assert not any(isinstance(each, Skipped | Unreadable) for each in seen)

    asyncio.run(story())
