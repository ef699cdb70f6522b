"""Orders over real sockets: sent once, and asked about when the answer is lost."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from loopback import (
    GIVE_UP_SOON,
    NOON,
    PATIENT,
    Flow,
    Machine,
    OpenDriver,
    Say,
    Seen,
    exchange_saying,
)

from trueup.core.errors import CallerError, ExchangeRefused, NotFound, NotSent
from trueup.core.ids import ClientOrderId, OrderId, Ticker
from trueup.core.instant import SECOND, Instant, format_instant
from trueup.core.order_entry import (
    Cancellation,
    NewOrder,
    OrderAbsent,
    OrderFound,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderQuestion,
    OrderUnresolved,
)
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Price
from trueup.net import order_flows as flows
from trueup.net.request import Reply
from trueup.net.session import Options, Session, Step
from trueup.net.signer import Ed25519Signer
from trueup.net.venues import Venue, resolve_endpoint

TICKER = Ticker("KXHIGHNY-26OCT20-T70")
ORDER = NewOrder(
    ticker=TICKER,
    side=Side.YES,
    count=Count.of_contracts(2),
    price=Price.of_cents(40),
    client_order_id=ClientOrderId("mine-1"),
)
PLACED = (
    b'{"order_id":"o1","client_order_id":"mine-1","fill_count":"0.00","remaining_count":"2.00",'
    b'"ts_ms":1792497600000}'
)
REFUSED = b'{"error":{"code":"invalid_price","message":"invalid price"}}'
GONE = b'{"error":{"code":"not_found","message":"not found"}}'


def row(client_order_id: str = "mine-1", status: str = "resting") -> dict[str, Any]:
    remaining = "2.00" if status == "resting" else "0.00"
    return {
        "order_id": "o1",
        "client_order_id": client_order_id,
        "ticker": TICKER,
        "outcome_side": "yes",
        "status": status,
        "yes_price_dollars": "0.4000",
        "initial_count_fp": "2.00",
        "fill_count_fp": "0.00",
        "remaining_count_fp": remaining,
        "taker_fees_dollars": "0.000000",
        "maker_fees_dollars": "0.000000",
        "taker_fill_cost_dollars": "0.000000",
        "maker_fill_cost_dollars": "0.000000",
        "created_time": "2026-10-20T12:00:00Z",
    }


class Floor:
    """A scripted exchange: what it has, how far its reads have come, what it says to writes."""

    def __init__(self, machine: Machine, *writes: Say, lag: int = 0) -> None:
        self.machine = machine
        self.writes = list(writes)
        self.lag = lag
        self.listed: list[dict[str, Any]] = []
        self.appears_at = NOON
        self.single = "resting"

    def __call__(self, seen: Seen) -> Say:
        path = seen.target.partition("?")[0].removeprefix("/trade-api/v2")
        if seen.method != "GET":
            return self.writes.pop(0)
        now = self.machine.at
        if path == "/exchange/user_data_timestamp":
            return say({"as_of_time": format_instant(Instant(now - self.lag))})
        if path == "/portfolio/orders":
            shown = self.listed if now >= self.appears_at else []
            return say({"orders": shown, "cursor": ""})
        if path == "/portfolio/orders/o1":
            return say({"order": row(status=self.single)})
        return Say(status=404, body=GONE)


def say(tree: object) -> Say:
    return Say(body=json.dumps(tree).encode())


@pytest.fixture
def signer(ed25519_key: Ed25519PrivateKey) -> Ed25519Signer:
    return Ed25519Signer("k", ed25519_key)


def create(session: Session) -> Generator[Step, Reply | None, OrderPlaced]:
    return flows.create(session, ORDER)


@pytest.mark.parametrize(
    "lost",
    [
        Say(hang=True),
        Say(drop=True),
        Say(status=503, body=b"<html>"),
        Say(status=500, body=b"{}"),
        Say(status=201, body=b"{}"),
        Say(status=201, body=b""),
    ],
    ids=["time-out", "cut off", "503", "500", "201 without an order", "201 without a body"],
)
def test_lost_answer_is_an_unknown_order_and_nothing_is_repeated(
    open_driver: OpenDriver, signer: Ed25519Signer, lost: Say
) -> None:
    machine = Machine()
    floor = Floor(machine, lost)
    options = Options(limits=GIVE_UP_SOON if lost.hang else PATIENT)
    with exchange_saying(script=floor) as exchange:
        driver = open_driver(exchange.endpoint(), signer, machine=machine, options=options)
        with pytest.raises(OrderOutcomeUnknown, match="unknown") as caught:
            driver.run(create)
        assert exchange.has_seen(1)

    (question,) = caught.value.questions
    assert (question.client_order_id, question.ticker) == ("mine-1", TICKER)
    assert question.sent_at <= question.lost_at
    assert "resolve" in caught.value.remedy
    assert [seen.method for seen in exchange.seen] == ["POST"]


def test_refusal_is_no_unknown_outcome(open_driver: OpenDriver, signer: Ed25519Signer) -> None:
    machine = Machine()
    with exchange_saying(script=Floor(machine, Say(status=400, body=REFUSED))) as exchange:
        driver = open_driver(exchange.endpoint(), signer, machine=machine)
        with pytest.raises(ExchangeRefused) as caught:
            driver.run(create)

    assert caught.value.code == "invalid_price"


def test_request_that_never_left_had_no_effect(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    nobody = resolve_endpoint(Venue.SANDBOX, "http://127.0.0.1:9")

    with pytest.raises(NotSent, match="not sent"):
        open_driver(nobody, signer).run(create)


def test_answer_is_what_the_exchange_said(open_driver: OpenDriver, signer: Ed25519Signer) -> None:
    machine = Machine()
    with exchange_saying(script=Floor(machine, Say(status=201, body=PLACED))) as exchange:
        placed = open_driver(exchange.endpoint(), signer, machine=machine).run(create)

    assert (placed.order_id, placed.remaining_count) == ("o1", Count(200))


# -- resolving ---------------------------------------------------------------------------------


def unknown(order_id: str | None = None) -> OrderQuestion:
    return OrderQuestion(
        sent_at=NOON,
        lost_at=Instant(NOON + 5 * SECOND),
        client_order_id=None if order_id else ClientOrderId("mine-1"),
        order_id=OrderId(order_id) if order_id else None,
        ticker=TICKER,
    )


def resolve(
    open_driver: OpenDriver,
    signer: Ed25519Signer,
    floor: Floor,
    question: OrderQuestion,
    **more: int,
) -> object:
    with exchange_saying(script=floor) as exchange:
        driver = open_driver(exchange.endpoint(), signer, machine=floor.machine)
        (fate,) = driver.run(lambda session: flows.resolve(session, question, **more))
    return fate


def test_order_that_was_taken_is_found_by_its_name(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    floor = Floor(Machine())
    floor.listed = [row("another"), row()]

    fate = resolve(open_driver, signer, floor, unknown())

    assert isinstance(fate, OrderFound)
    assert fate.order.order_id == "o1"


def test_order_that_reads_show_late_is_waited_for(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    floor = Floor(Machine())
    floor.listed = [row()]
    floor.appears_at = Instant(NOON + 3 * SECOND)

    fate = resolve(open_driver, signer, floor, unknown())

    assert isinstance(fate, OrderFound)
    assert NOON + 3 * SECOND <= floor.machine.at < NOON + 10 * SECOND


def test_order_is_absent_only_once_it_cannot_come_any_more(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    floor = Floor(Machine(), lag=2 * SECOND)

    fate = resolve(open_driver, signer, floor, unknown())

    assert isinstance(fate, OrderAbsent)
    # Given up at 5 s, dead at 35 s, and reads are 2 s behind.
    assert floor.machine.at > NOON + 37 * SECOND


def test_order_stays_unresolved_where_reads_do_not_come_along(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    floor = Floor(Machine(), lag=3600 * SECOND)

    fate = resolve(open_driver, signer, floor, unknown(), patience=20 * SECOND)

    assert isinstance(fate, OrderUnresolved)
    assert floor.machine.at <= NOON + 20 * SECOND


def test_stale_read_of_a_cancelled_order_is_not_believed(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    machine = Machine()

    class Lagging(Floor):
        def __call__(self, seen: Seen) -> Say:
            self.single = "canceled" if self.machine.at >= NOON + SECOND else "resting"
            return super().__call__(seen)

    fate = resolve(open_driver, signer, Lagging(machine), unknown("o1"))

    assert isinstance(fate, OrderFound)
    assert fate.order.status is OrderStatus.CANCELED


def test_order_that_still_rests_when_the_cancel_is_dead_was_not_cancelled(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    floor = Floor(Machine())

    fate = resolve(open_driver, signer, floor, unknown("o1"))

    assert isinstance(fate, OrderFound)
    assert fate.order.status is OrderStatus.RESTING
    assert floor.machine.at > NOON + 35 * SECOND


def test_404_of_a_cancel_is_told_as_it_is(open_driver: OpenDriver, signer: Ed25519Signer) -> None:
    machine = Machine()
    with exchange_saying(script=Floor(machine, Say(status=404, body=GONE))) as exchange:
        driver = open_driver(exchange.endpoint(), signer, machine=machine)
        cancellation = Cancellation(order_id=OrderId("o1"), ticker=TICKER)
        with pytest.raises(NotFound):
            driver.run(lambda session: flows.cancel(session, cancellation))

    assert len(exchange.seen) == 1


def test_an_order_named_by_its_id_needs_its_market(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    taken = Say(body=b'{"order_id":"o1","reduced_by":"2.00","ts_ms":1792497600000}')
    with exchange_saying(taken) as exchange:
        driver = open_driver(exchange.endpoint(), signer)
        with pytest.raises(CallerError, match="without its market"):
            driver.run(lambda session: flows.cancel(session, "o1"))
        canceled = driver.run(lambda session: flows.cancel(session, "o1", ticker=TICKER))

    assert canceled.reduced_by == Count(200)
    (sent_once,) = exchange.seen
    assert TICKER in sent_once.target


def test_lost_batch_asks_about_each_of_its_orders(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    machine = Machine()
    with exchange_saying(script=Floor(machine, Say(status=504))) as exchange:
        driver = open_driver(exchange.endpoint(), signer, machine=machine)
        with pytest.raises(OrderOutcomeUnknown) as caught:
            driver.run(lambda session: flows.create_batch(session, [ORDER, ORDER]))

    assert len(caught.value.questions) == 2


# -- a trader's words --------------------------------------------------------------------------


def sent(open_driver: OpenDriver, signer: Ed25519Signer, flow: Flow[OrderPlaced]) -> dict[str, Any]:
    machine = Machine()
    with exchange_saying(script=Floor(machine, Say(status=201, body=PLACED))) as exchange:
        open_driver(exchange.endpoint(), signer, machine=machine).run(flow)
    return json.loads(exchange.seen[0].body)


def test_words_of_a_trader_become_a_bid_or_an_ask(
    open_driver: OpenDriver, signer: Ed25519Signer
) -> None:
    body = sent(
        open_driver,
        signer,
        lambda session: flows.buy(session, TICKER, "no", count="2.50", price="0.30"),
    )

    assert (body["side"], body["price"], body["count"]) == ("ask", "0.7000", "2.50")


def test_every_order_has_a_name_of_its_own(open_driver: OpenDriver, signer: Ed25519Signer) -> None:
    machine = Machine()
    answers = [Say(status=201, body=PLACED)] * 3
    with exchange_saying(script=Floor(machine, *answers)) as exchange:
        driver = open_driver(exchange.endpoint(), signer, machine=machine)
        for _ in range(3):
            driver.run(lambda session: flows.sell(session, TICKER, "yes", count=1, price="0.5"))

    names = {json.loads(seen.body)["client_order_id"] for seen in exchange.seen}
    assert len(names) == 3
    assert all(len(name) == 36 for name in names)


def test_an_outcome_is_yes_or_no(open_driver: OpenDriver, signer: Ed25519Signer) -> None:
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint(), signer)
        with pytest.raises(CallerError, match="'yes' or 'no', not 'maybe'"):
            driver.run(lambda session: flows.buy(session, TICKER, "maybe", count=1, price="0.50"))

    assert exchange.seen == []


@pytest.mark.parametrize(
    ("count", "price"), [(1.5, "0.5"), (True, "0.5"), ("1.005", "0.5"), (1, 0.5), (1, "1.5")]
)
def test_number_that_is_not_exact_is_refused_before_anything_is_sent(
    open_driver: OpenDriver, signer: Ed25519Signer, count: Any, price: Any
) -> None:
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint(), signer)
        with pytest.raises(CallerError):
            driver.run(lambda session: flows.buy(session, TICKER, "yes", count=count, price=price))

    assert exchange.seen == []
