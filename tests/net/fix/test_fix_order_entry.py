"""Orders over a FIX session: which report answers which request, and what no report means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import pytest
from fix_house import (
    Certificate,
    Hasty,
    House,
    Place,
    new_signer,
    now,
    open_place,
    settled,
)

from trueup.core.errors import CallerError, ConfigError, ExchangeRefused, NotSent, Unreachable
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import PRIMARY, ClientOrderId, OrderId, Ticker
from trueup.core.instant import MINUTE, SECOND
from trueup.core.order_entry import Amendment, Cancellation, NewOrder, OrderOutcomeUnknown
from trueup.core.orders import OrderStatus, Side, TimeInForce
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.fix.acceptor import Peer
from trueup.net.fix.order_entry import FixOrders
from trueup.net.order_roads import OrderUnread, RoadChanged, RoadNews
from trueup.net.session import Options
from trueup.net.venues import Venue, resolve_endpoint
from trueup.wire.fix.codec import Received
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.orders import (
    ExecutionReport,
    Fee,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelReport,
    OrderMassCancelRequest,
)
from trueup.wire.fix.messages.session import BusinessMessageReject
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.words import (
    CancelRejectResponse,
    ExecType,
    MassCancelResponse,
    OrderState,
)

TICKER = Ticker("KXA-1")
Answer = Callable[[Message, Received], list[Message]]
Heard = RoadNews


def an_order(name: str = "c-1", *, now_only: bool = False) -> NewOrder:
    return NewOrder(
        ticker=TICKER,
        side=Side.YES,
        count=Count.of_contracts(10),
        price=Price.of_cents(40),
        client_order_id=ClientOrderId(name),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL
        if now_only
        else TimeInForce.GOOD_TILL_CANCELED,
    )


def report(
    kind: ExecType, state: OrderState, *, filled: int = 0, **more: object
) -> ExecutionReport:
    """What is told of the order; contracts in whole."""
    is_last = state in {OrderState.CANCELED, OrderState.FILLED, OrderState.REJECTED}
    plain = ExecutionReport(
        order_id="o-1",
        client_order_id="c-1",
        execution_id=f"1;{kind};{filled}",
        execution_type=kind,
        order_status=state,
        side=Side.YES,
        symbol=TICKER,
        leaves_quantity=ZERO_COUNT if is_last else Count.of_contracts(10 - filled),
        cumulative_quantity=Count.of_contracts(filled),
        average_price=Ratio(2, 5) if filled else Ratio(0),
        order_quantity=Count.of_contracts(10),
        price=Price.of_cents(40),
        transact_time=now(),
    )
    return msgspec.structs.replace(plain, **more)


NEW = report(ExecType.NEW, OrderState.NEW)


def trade(contracts: int, *, in_all: int) -> ExecutionReport:
    return report(
        ExecType.TRADE,
        OrderState.PARTIALLY_FILLED,
        filled=in_all,
        last_price=Price.of_cents(40),
        last_quantity=Count.of_contracts(contracts),
        trade_match_id=f"t-{in_all}",
        is_aggressor=True,
        fees=(Fee(amount=Price.of_cents(1) * Count.of_contracts(1)),),
    )


@dataclass
class Scripted(House):
    """Answers as the test says."""

    answer: Answer = lambda _, __: []

    def received(self, peer: Peer, received: Received) -> None:
        self.heard.append(received.message)
        for message in self.answer(received.message, received):
            peer.send(message)


@dataclass
class Desk:
    orders: FixOrders
    place: Place
    heard: list[Heard] = field(default_factory=list[Heard])

    def of(self, kind: type[Heard]) -> list[Heard]:
        return [each for each in self.heard if isinstance(each, kind)]


def rest_client(why_read_only: str = "") -> AsyncClient:
    """A client by REST to where nobody is: what is asked of it fails."""

    async def sleep(_: int) -> None:
        await asyncio.sleep(0)

    signer, _ = new_signer()
    return open_async_client(
        resolve_endpoint(Venue.SANDBOX, "http://127.0.0.1:9/trade-api/v2"),
        signer,
        clock=now,
        sleep=sleep,
        chance=Hasty(),
        options=Options(why_read_only=lambda: why_read_only),
    )


@asynccontextmanager
async def open_desk(
    certificate: Certificate,
    folder: Path,
    answer: Answer,
    *,
    kind: SessionKind = SessionKind.NR,
    why_read_only: str = "",
    answer_within: int = MINUTE,
) -> AsyncGenerator[Desk]:
    made = partial(Scripted, answer=answer)
    async with open_place(kind, certificate, folder, house_of=made) as place:
        rest = rest_client(why_read_only)
        with place.store() as store:
            orders = FixOrders(place.client(store), rest, clock=now, answer_within=answer_within)
            desk = Desk(orders, place)
            async with orders.running(desk.heard.append):
                yield desk
        await rest.close()


def play(
    certificate: Certificate,
    folder: Path,
    answer: Answer,
    story: Callable[[Desk], Awaitable[None]],
    *,
    kind: SessionKind = SessionKind.NR,
    why_read_only: str = "",
    answer_within: int = MINUTE,
) -> None:
    async def whole() -> None:
        async with open_desk(
            certificate,
            folder,
            answer,
            kind=kind,
            why_read_only=why_read_only,
            answer_within=answer_within,
        ) as desk:
            await story(desk)

    asyncio.run(whole())


def scripted(**answers: list[Message]) -> Answer:
    """Answers by the type of the message: D, F, G, q."""
    return lambda message, _: answers.get(message.TYPE, [])


def test_an_order_is_placed_when_it_rests(certificate: Certificate, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        placed = await desk.orders.create(an_order())

        assert (placed.order_id, placed.client_order_id) == ("o-1", "c-1")
        assert (placed.fill_count, placed.remaining_count) == (Count(0), Count.of_contracts(10))
        (told,) = desk.of(OrderReported)
        assert isinstance(told, OrderReported)
        assert (told.status, told.client_order_id) == (OrderStatus.RESTING, "c-1")

    play(certificate, tmp_path, scripted(D=[NEW]), story)


def test_an_order_that_must_not_rest_is_answered_by_its_last_word(
    certificate: Certificate, tmp_path: Path
) -> None:
    reports = [
        NEW,
        trade(3, in_all=3),
        trade(2, in_all=5),
        report(ExecType.CANCELED, OrderState.CANCELED, filled=5, text="IMMEDIATE_OR_CANCELLED"),
    ]

    async def story(desk: Desk) -> None:
        placed = await desk.orders.create(an_order(now_only=True))

        assert (placed.fill_count, placed.remaining_count) == (Count.of_contracts(5), Count(0))
        assert placed.average_fill_price == Ratio(2, 5)
        fills = desk.of(Filled)
        assert [each.count for each in fills if isinstance(each, Filled)] == [
            Count.of_contracts(3),
            Count.of_contracts(2),
        ]

    play(certificate, tmp_path, scripted(D=list(reports)), story)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("INSUFFICIENT_BALANCE", "insufficient_balance"),
        ("ORDER_ALREADY_EXISTS", "order_already_exists"),
        ("something else happened", ""),
    ],
)
def test_a_rejection_has_the_code_that_rest_has(
    certificate: Certificate, tmp_path: Path, text: str, code: str
) -> None:
    rejected = report(
        ExecType.REJECTED, OrderState.REJECTED, execution_id="-1;-1", text=text, reject_reason="3"
    )

    async def story(desk: Desk) -> None:
        with pytest.raises(ExchangeRefused, match=text) as caught:
            await desk.orders.create(an_order())
        assert caught.value.code == code
        assert desk.of(OrderReported) == []

    play(certificate, tmp_path, scripted(D=[rejected]), story)


def test_unavailable_leaves_open_whether_the_order_was_taken(
    certificate: Certificate, tmp_path: Path
) -> None:
    rejected = report(
        ExecType.REJECTED, OrderState.REJECTED, execution_id="-1;-1", text="EXCHANGE_UNAVAILABLE"
    )

    async def story(desk: Desk) -> None:
        with pytest.raises(OrderOutcomeUnknown) as caught:
            await desk.orders.create(an_order())
        (question,) = caught.value.questions
        assert (question.client_order_id, question.ticker) == ("c-1", TICKER)

    play(certificate, tmp_path, scripted(D=[rejected]), story)


def test_no_answer_breaks_the_line_and_is_of_unknown_outcome(
    certificate: Certificate, tmp_path: Path
) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(OrderOutcomeUnknown, match="no answer within"):
            await desk.orders.create(an_order())
        # It comes back by itself, and what was lost is not sent again.
        await settled(
            lambda: (
                [each.is_open for each in desk.heard if isinstance(each, RoadChanged)]
                == [True, False, True]
            )
        )
        assert [type(each) for each in desk.place.house.heard] == [NewOrderSingle]

    play(certificate, tmp_path, scripted(), story, answer_within=SECOND // 3)


def test_a_line_that_breaks_leaves_open_what_was_asked(
    certificate: Certificate, tmp_path: Path
) -> None:
    async def story(desk: Desk) -> None:
        asked = asyncio.create_task(desk.orders.create(an_order()))
        await settled(lambda: bool(desk.place.house.heard))
        desk.place.acceptor.drop(desk.place.signer.key_id)
        with pytest.raises(OrderOutcomeUnknown):
            await asked

    play(certificate, tmp_path, scripted(), story)


def test_nothing_is_sent_while_the_line_is_down(certificate: Certificate, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.place.acceptor.stop()
        await settled(
            lambda: any(isinstance(each, RoadChanged) and not each.is_open for each in desk.heard)
        )
        with pytest.raises(NotSent):
            await desk.orders.create(an_order())

    play(certificate, tmp_path, scripted(), story)


def test_a_change_gives_the_order_a_further_name_and_a_cancellation_names_that(
    certificate: Certificate, tmp_path: Path
) -> None:
    def answer(message: Message, _: Received) -> list[Message]:
        match message:
            case NewOrderSingle():
                return [NEW]
            case OrderCancelReplaceRequest(client_order_id=name, original_client_order_id=before):
                return [
                    report(
                        ExecType.REPLACED,
                        OrderState.REPLACED,
                        execution_id=f"1;{name};0",
                        client_order_id=name,
                        original_client_order_id=before,
                    )
                ]
            case OrderCancelRequest(client_order_id=name, original_client_order_id=before):
                return [
                    report(
                        ExecType.CANCELED,
                        OrderState.CANCELED,
                        client_order_id=name,
                        original_client_order_id=before,
                    )
                ]
            case _:
                return []

    async def story(desk: Desk) -> None:
        await desk.orders.create(an_order())
        amendment = Amendment(
            order_id=OrderId("o-1"),
            ticker=TICKER,
            side=Side.YES,
            price=Price.of_cents(41),
            count=Count.of_contracts(10),
        )
        await desk.orders.amend(amendment)
        amended = await desk.orders.amend(amendment)
        assert amended.client_order_id == "c-1~2"
        assert amended.remaining_count == Count.of_contracts(10)
        canceled = await desk.orders.cancel(
            Cancellation(order_id=OrderId("o-1"), ticker=TICKER, subaccount=PRIMARY)
        )
        assert canceled.reduced_by == Count.of_contracts(10)
        asked = desk.place.house.heard[1:]
        assert [
            each.original_client_order_id
            for each in asked
            if isinstance(each, OrderCancelReplaceRequest | OrderCancelRequest)
        ] == ["c-1", "c-1~1", "c-1~2"]
        # Whatever it is called there, for us it is the order that was placed.
        told = [each for each in desk.heard if isinstance(each, OrderReported)]
        assert {each.client_order_id for each in told} == {"c-1"}
        assert told[-1].status is OrderStatus.CANCELED

    play(certificate, tmp_path, answer, story)


def test_refused_changes_are_refusals_by_whichever_message(
    certificate: Certificate, tmp_path: Path
) -> None:
    def answer(message: Message, received: Received) -> list[Message]:
        if isinstance(message, NewOrderSingle):
            return [NEW]
        if isinstance(message, OrderCancelRequest):
            return [
                BusinessMessageReject(
                    refused_sequence=received.header.sequence, reason="8", text="rate limit"
                )
            ]
        assert isinstance(message, OrderCancelReplaceRequest)
        return [
            OrderCancelReject(
                order_id="o-1",
                client_order_id=message.client_order_id,
                original_client_order_id="c-1",
                order_status=OrderState.FILLED,
                response_to=CancelRejectResponse.REPLACE,
                reason="2",
                text="CANNOT_UPDATE_FILLED_ORDER",
            )
        ]

    async def story(desk: Desk) -> None:
        await desk.orders.create(an_order())
        amendment = Amendment(
            order_id=OrderId("o-1"),
            ticker=TICKER,
            side=Side.YES,
            price=Price.of_cents(41),
            count=Count.of_contracts(10),
        )
        with pytest.raises(ExchangeRefused) as caught:
            await desk.orders.amend(amendment)
        assert caught.value.code == "cannot_update_filled_order"
        with pytest.raises(ExchangeRefused, match="rate limit"):
            await desk.orders.cancel(Cancellation(order_id=OrderId("o-1"), ticker=TICKER))

    play(certificate, tmp_path, answer, story)


def test_a_trade_that_lacks_its_id_is_in_doubt_and_the_session_goes_on(
    certificate: Certificate, tmp_path: Path
) -> None:
    nameless = msgspec.structs.replace(trade(3, in_all=3), trade_match_id=None)

    async def story(desk: Desk) -> None:
        with pytest.raises(OrderOutcomeUnknown, match="TrdMatchID"):
            await desk.orders.create(an_order())
        (doubt,) = desk.of(OrderUnread)
        assert isinstance(doubt, OrderUnread)
        assert doubt.ticker == TICKER
        assert not desk.of(Filled)
        await desk.orders.cancel(Cancellation(order_id=OrderId("o-1"), ticker=TICKER))
        # Cost and fees of the unnamed trade are unknown: no state of this order is told.
        assert not desk.of(OrderReported)

    def answer(message: Message, _: Received) -> list[Message]:
        if isinstance(message, OrderCancelRequest):
            last = report(ExecType.CANCELED, OrderState.CANCELED, filled=3)
            return [msgspec.structs.replace(last, client_order_id=message.client_order_id)]
        return [nameless]

    play(certificate, tmp_path, answer, story)


def test_a_late_unavailable_does_not_say_that_the_order_is_gone(
    certificate: Certificate, tmp_path: Path
) -> None:
    late = report(
        ExecType.REJECTED, OrderState.REJECTED, client_order_id="c-0", text="EXCHANGE_UNAVAILABLE"
    )

    async def story(desk: Desk) -> None:
        await desk.orders.create(an_order())
        await settled(lambda: len(desk.of(OrderReported)) == 1)
        (rests,) = desk.of(OrderReported)
        assert isinstance(rests, OrderReported)
        assert rests.status is OrderStatus.RESTING

    play(certificate, tmp_path, scripted(D=[late, NEW]), story)


def test_a_change_that_meets_an_unavailable_exchange_may_have_been_done(
    certificate: Certificate, tmp_path: Path
) -> None:
    def answer(message: Message, received: Received) -> list[Message]:
        if isinstance(message, NewOrderSingle):
            return [NEW]
        if isinstance(message, OrderCancelRequest):
            number = received.header.sequence
            return [
                BusinessMessageReject(
                    refused_sequence=number, reason="4", text="EXCHANGE_UNAVAILABLE"
                )
            ]
        assert isinstance(message, OrderCancelReplaceRequest)
        return [
            OrderCancelReject(
                order_id="o-1",
                client_order_id=message.client_order_id,
                original_client_order_id="c-1",
                order_status=OrderState.NEW,
                response_to=CancelRejectResponse.REPLACE,
                reason="99",
                text="EXCHANGE_UNAVAILABLE",
            )
        ]

    async def story(desk: Desk) -> None:
        await desk.orders.create(an_order())
        amendment = Amendment(
            order_id=OrderId("o-1"),
            ticker=TICKER,
            side=Side.YES,
            price=Price.of_cents(41),
            count=Count.of_contracts(10),
        )
        with pytest.raises(OrderOutcomeUnknown):
            await desk.orders.amend(amendment)
        with pytest.raises(OrderOutcomeUnknown):
            await desk.orders.cancel(Cancellation(order_id=OrderId("o-1"), ticker=TICKER))

    play(certificate, tmp_path, answer, story)


def test_a_report_that_comes_again_is_told_once(certificate: Certificate, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.orders.create(an_order())
        await settled(lambda: len(desk.of(OrderReported)) == 3)
        assert len(desk.of(Filled)) == 1

    again = trade(3, in_all=3)
    last = report(ExecType.CANCELED, OrderState.CANCELED, filled=3)
    play(certificate, tmp_path, scripted(D=[NEW, again, again, last]), story)


def test_a_mass_cancel_that_is_refused_is_said(certificate: Certificate, tmp_path: Path) -> None:
    def answer(message: Message, _: Received) -> list[Message]:
        assert isinstance(message, OrderMassCancelRequest)
        return [
            OrderMassCancelReport(
                client_order_id=message.client_order_id,
                order_id="m-1",
                response=MassCancelResponse.REJECTED,
                text="NOT_ALLOWED",
            )
        ]

    async def story(desk: Desk) -> None:
        with pytest.raises(ExchangeRefused, match="NOT_ALLOWED"):
            await desk.orders.mass_cancel()

    play(certificate, tmp_path, answer, story)


def test_a_client_that_only_reads_sends_nothing_by_fix_either(
    certificate: Certificate, tmp_path: Path
) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(ConfigError, match="only reads"):
            await desk.orders.create(an_order())
        assert desk.place.house.heard == []

    play(certificate, tmp_path, scripted(D=[NEW]), story, why_read_only="not armed")


def test_a_name_that_fix_would_cut_is_refused_before_it_is_sent(
    certificate: Certificate, tmp_path: Path
) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(CallerError, match="64 characters"):
            await desk.orders.create(an_order("x" * 65))

    play(certificate, tmp_path, scripted(D=[NEW]), story)


def test_a_session_that_never_opens_is_an_error_with_its_reason(
    certificate: Certificate, tmp_path: Path
) -> None:
    async def story() -> None:
        async with open_place(SessionKind.NR, certificate, tmp_path) as place:
            place.house.refuses = "already exists"
            heard: list[Heard] = []
            with place.store() as store:
                orders = FixOrders(
                    place.client(store), rest_client(), clock=now, open_within=200_000
                )
                with pytest.raises(Unreachable, match="already exists"):
                    async with orders.running(heard.append):
                        pytest.fail("it opened")
            assert heard == []

    asyncio.run(story())
