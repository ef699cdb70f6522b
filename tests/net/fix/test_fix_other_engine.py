"""Our acceptor and our client against an engine that nobody here wrote."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import fix_other_engine as other
from fix_house import (
    KEY_ID,
    LOCAL,
    Certificate,
    Hasty,
    gather,
    messages_of,
    now,
    open_place,
    settled,
    settlement,
)
from fix_house import new_signer as new_signer_and_public

from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.net.fix.client import FixClient, FixEvent
from trueup.net.fix.endpoints import FixEndpoint, client_tls, server_tls
from trueup.net.fix.store import SessionStore
from trueup.net.venues import Venue
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.frame import Framer, close_frame, open_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import ExecutionReport, NewOrderSingle, OrderCancelRequest
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.pairs import join_body, split_body
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, LoggedOn, Skipped, Unreadable
from trueup.wire.fix.words import ExecType


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port: int = probe.getsockname()[1]
        return port


def frames(stream: bytes) -> list[bytes]:
    framer = Framer()
    framer.feed(stream)
    found: list[bytes] = []
    while (frame := framer.next_frame()) is not None:
        assert isinstance(frame, bytes)
        found.append(frame)
    assert framer.held == 0
    return found


def check_captured(stream: bytes, reads: Sender) -> set[str]:
    """Every message of the other engine decodes, and comes back byte for byte; its types."""
    codec = Codec(reads=reads, unit=PriceUnit.DOLLARS)
    types: set[str] = set()
    for frame in frames(stream):
        received = codec.decode(frame)
        tags, values = split_body(open_frame(frame))
        assert close_frame(join_body(tags, values)) == frame
        assert received.unknown == ()
        types.add(type(received.message).TYPE)
    return types


def test_their_client_trades_and_hears_settlements_on_our_side(
    certificate: Certificate, tmp_path: Path
) -> None:
    async def story() -> None:
        async with (
            open_place(SessionKind.RT, certificate, tmp_path) as place,
            other.bridge(
                place.endpoint.port, accepts=None, connects=client_tls(certificate.certificate)
            ) as line,
        ):
            desk = other.Desk(signer=place.signer)
            async with other.initiator(desk, tmp_path, SessionKind.RT, line.port) as theirs:
                (session,) = theirs.sessions.values()
                await settled(lambda: desk.logons == 1)

                await session.send_app(other.new_order("c-1"))
                await settled(lambda: desk.types() == ["8"])
                await session.send_app(other.cancel("c-2", "c-1"))
                await settled(lambda: desk.types() == ["8", "8"])
                place.acceptor.publish(KEY_ID, settlement(1, parties=50))
                await settled(lambda: desk.types() == ["8", "8", "UMS"])

                place.acceptor.drop(KEY_ID)
                await settled(lambda: not place.house.peers)
                place.acceptor.publish(KEY_ID, settlement(2))
                place.acceptor.publish(KEY_ID, settlement(3))
                await settled(lambda: desk.types() == ["8", "8", "UMS", "UMS", "UMS"])
                await theirs.logout()
                await settled(lambda: not place.house.peers)

        assert [message[150] for message in desk.heard[:2]] == ["0", "4"]
        assert [message[55] for message in desk.heard[2:5]] == ["KXA-1", "KXA-2", "KXA-3"]
        assert [message.get(43) for message in desk.heard[2:5]] == ["", "Y", "Y"]
        parties = desk.heard[2].get_groups(20108)
        assert [party.get_field(20109) for party in parties] == [f"p-{n}" for n in range(50)]
        assert parties[0].get_groups(1703)[0].get_field(1704) == "1.00"
        assert [type(message) for message in place.house.heard] == [
            NewOrderSingle,
            OrderCancelRequest,
        ]
        assert check_captured(bytes(line.inward), Sender.CLIENT) >= {"A", "D", "F", "2", "5"}

    asyncio.run(story())


def test_our_client_trades_and_hears_settlements_on_their_side(
    certificate: Certificate, tmp_path: Path
) -> None:
    kind = SessionKind.RT
    order = NewOrderSingle(
        client_order_id="c-1", quantity=Count.of_contracts(10), price=Price.of_cents(40),
        side=Side.NO, symbol="KXA-1",
    )  # fmt: skip
    cancel = OrderCancelRequest(
        client_order_id="c-2", original_client_order_id="c-1", side=Side.NO, symbol="KXA-1"
    )

    async def story() -> None:
        signer, _ = new_signer_and_public()
        port, desk = free_port(), other.Desk()
        accepts = server_tls(certificate.certificate, certificate.key)
        async with (
            other.acceptor(desk, tmp_path, kind, port) as theirs,
            other.bridge(port, accepts=accepts, connects=None) as line,
        ):
            (session,) = theirs.sessions.values()
            endpoint = FixEndpoint(Venue.SANDBOX, kind, LOCAL, line.port)

            async def play(seen: list[FixEvent]) -> None:
                reports = len(messages_of(seen, ExecutionReport))
                paid = len(messages_of(seen, MarketSettlementReport))
                if isinstance(seen[-1], LoggedOn) and desk.logons == 1:
                    await client.send(order)
                    await settled(lambda: desk.types() == ["D"])
                    await session.send_app(other.report(desk.heard[0], "0", execution=1))
                elif isinstance(seen[-1], Deliver) and reports == 1 and not paid:
                    await client.send(cancel)
                    await settled(lambda: desk.types() == ["D", "F"])
                    await session.send_app(other.report(desk.heard[1], "4", execution=2))
                elif isinstance(seen[-1], Deliver) and reports == 2 and not paid:
                    await session.send_app(other.settlement(1, 50))
                elif isinstance(seen[-1], Deliver) and paid == 1:
                    line.swallows = True
                    await session.send_app(other.settlement(2, 1))
                    await session.send_app(other.settlement(3, 1))
                    await asyncio.sleep(0.1)
                    line.cut()
                    line.swallows = False

            with SessionStore.open(tmp_path, endpoint, signer.key_id) as store:
                async with FixClient(
                    endpoint, signer=signer, store=store, clock=now, chance=Hasty(),
                    tls=client_tls(certificate.certificate),
                ) as client:  # fmt: skip
                    seen = await gather(
                        client,
                        lambda seen: len(messages_of(seen, MarketSettlementReport)) == 3,
                        then=play,
                    )

        assert [each.execution_type for each in messages_of(seen, ExecutionReport)] == [
            ExecType.NEW,
            ExecType.CANCELED,
        ]
        paid = messages_of(seen, MarketSettlementReport)
        assert [each.symbol for each in paid] == ["KXA-1", "KXA-2", "KXA-3"]
        assert len(paid[0].parties) == 50
        assert paid[0].parties[49].collateral_changes[0].amount == Money.of_cents(100)
        assert desk.types() == ["D", "F"]
        assert desk.heard[0][44] == "0.4000"
        assert not any(isinstance(each, Skipped | Unreadable) for each in seen)
        types = check_captured(bytes(line.outward), Sender.EXCHANGE)
        assert types >= {"A", "8", "UMS", "4"}

    asyncio.run(story())
