"""Walking a cursor, learning the budget, and sharing a client between threads."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from loopback import (
    NOON,
    PATIENT,
    Machine,
    OpenDriver,
    Say,
    Script,
    Seen,
    a_listing,
    a_read,
    a_write,
    exchange_saying,
    page,
)

from trueup.core.errors import (
    CallerError,
    ExchangeRefused,
    NotAuthorized,
    ProtocolBroken,
    UnknownWord,
)
from trueup.core.ids import OrderId
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.net.client import open_client
from trueup.net.session import Event, Options, Session, UnknownFields
from trueup.net.signer import Ed25519Signer
from trueup.net.venues import Venue, resolve_endpoint
from trueup.wire.rest import portfolio
from trueup.wire.rest.call import Call

LIMITS = (
    b'{"usage_tier":"advanced","grants":[],"read":{"bucket_capacity":900,"refill_rate":300},'
    b'"write":{"bucket_capacity":900,"refill_rate":300}}'
)
COSTS = (
    b'{"default_cost":10,"endpoint_costs":[{"cost":2,"method":"GET",'
    b'"path":"/trade-api/v2/portfolio/orders/:order_id"}]}'
)


def test_pages_are_followed_to_the_empty_cursor(open_driver: OpenDriver) -> None:
    with exchange_saying(page([1, 2], "a"), page([3], "b"), page([4], "")) as exchange:
        driver = open_driver(exchange.endpoint())
        pages = driver.pages(a_listing())

    assert [item for each in pages for item in each.items] == [1, 2, 3, 4]
    assert [seen.target.partition("?")[2] for seen in exchange.seen] == ["", "cursor=a", "cursor=b"]
    assert driver.counts.pages == 3


def test_empty_listing_has_one_empty_page(open_driver: OpenDriver) -> None:
    with exchange_saying(page([], "")) as exchange:
        pages = open_driver(exchange.endpoint()).pages(a_listing())

    assert [each.items for each in pages] == [()]


def test_empty_page_in_between_is_passed(open_driver: OpenDriver) -> None:
    with exchange_saying(page([1], "a"), page([], "b"), page([2], "")) as exchange:
        pages = open_driver(exchange.endpoint()).pages(a_listing())

    assert [item for each in pages for item in each.items] == [1, 2]


def numbered(rows: Iterator[list[int]]) -> Script:
    """An exchange whose cursor is always new."""
    numbers = count()

    def script(seen: Seen) -> Say:
        del seen
        return page(next(rows), f"cursor-{next(numbers)}")

    return script


def always(row: list[int]) -> Iterator[list[int]]:
    while True:
        yield row


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ((page([1], "same"), page([2], "same")), "the same cursor came twice"),
        ((page([1], "a"), page([2], "b"), page([3], "a")), "the same cursor came twice"),
    ],
)
def test_cursor_that_comes_again_is_an_endless_one(
    open_driver: OpenDriver, answers: tuple[Say, ...], says: str
) -> None:
    with (
        exchange_saying(*answers) as exchange,
        pytest.raises(ProtocolBroken, match=f"a cursor that never ends: {says}") as caught,
    ):
        open_driver(exchange.endpoint()).pages(a_listing())

    assert len(exchange.seen) == len(answers)
    assert "kept" in caught.value.remedy


def test_new_cursors_to_the_same_page_are_an_endless_one(open_driver: OpenDriver) -> None:
    with (
        exchange_saying(script=numbered(always([1, 2]))) as exchange,
        pytest.raises(ProtocolBroken, match="never ends: a page came again"),
    ):
        open_driver(exchange.endpoint()).pages(a_listing())

    assert len(exchange.seen) == 2


def test_pages_that_stay_empty_are_an_endless_listing(open_driver: OpenDriver) -> None:
    with (
        exchange_saying(script=numbered(always([]))) as exchange,
        pytest.raises(ProtocolBroken, match="never ends: 4 empty pages in a row"),
    ):
        open_driver(exchange.endpoint()).pages(a_listing())


def test_more_pages_than_allowed_are_an_endless_listing(open_driver: OpenDriver) -> None:
    options = Options(limits=PATIENT, pages_max=5)
    with (
        exchange_saying(script=numbered([number] for number in count())) as exchange,
        pytest.raises(ProtocolBroken, match="never ends: 5 pages and still more"),
    ):
        open_driver(exchange.endpoint(), options=options).pages(a_listing())

    assert len(exchange.seen) == 5


def test_listing_that_takes_too_long_is_an_endless_one(open_driver: OpenDriver) -> None:
    options = Options(limits=PATIENT, fetching_max=SECOND)
    with (
        exchange_saying(script=numbered([number] for number in count())) as exchange,
        pytest.raises(ProtocolBroken, match="never ends: 1 s of fetching"),
    ):
        # Time passes only while the limiter holds requests back.
        open_driver(exchange.endpoint(), options=options).pages(a_listing())

    assert len(exchange.seen) > 20


def test_page_that_fails_half_way_keeps_what_came_before() -> None:
    machine = Machine()
    got: list[int] = []
    answers = (page([1], "a"), page([2], "b"), Say(status=400, body=b"{}"))
    with exchange_saying(*answers) as exchange:
        client = open_client(
            exchange.endpoint(),
            None,
            clock=machine.clock,
            sleep=machine.sleep,
            chance=random.Random(7),  # noqa: S311 (jitter, repeatable)
        )
        with client, pytest.raises(ExchangeRefused, match="400"):
            got.extend(item for each in client.pages(a_listing()) for item in each.items)

    assert got == [1, 2]


def test_unknown_fields_are_counted_and_told_once(open_driver: OpenDriver) -> None:
    told: list[Event] = []
    options = Options(limits=PATIENT, on_event=told.append)
    answers = (page([1], "a", surprise="x"), page([2], "b"), page([3], "", surprise="y"))
    with exchange_saying(*answers) as exchange:
        driver = open_driver(exchange.endpoint(), options=options)
        driver.pages(a_listing())

    assert driver.counts.unknown_fields == {"GetFills.surprise": 2}
    assert [event for event in told if isinstance(event, UnknownFields)] == [
        UnknownFields(operation="GetFills", names=("surprise",))
    ]


def test_unknown_fields_of_a_single_answer_are_counted_too(open_driver: OpenDriver) -> None:
    def unknown_fields(body: bytes) -> tuple[str, ...]:
        return ("news",) if b"news" in body else ()

    call = replace(a_read(), unknown_fields=unknown_fields)
    with exchange_saying(Say(body=b'{"value":1,"news":2}'), Say()) as exchange:
        driver = open_driver(exchange.endpoint())
        driver.send(call)
        driver.send(call)

    assert driver.counts.unknown_fields == {"GetBalance.news": 1}


def budget_script(limits: Say, costs: Say) -> Script:
    def script(seen: Seen) -> Say:
        if seen.target.endswith("/account/limits"):
            return limits
        return costs if seen.target.endswith("/account/endpoint_costs") else Say()

    return script


def test_learned_limits_and_costs_are_kept_to(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    machine = Machine()
    with exchange_saying(script=budget_script(Say(body=LIMITS), Say(body=COSTS))) as exchange:
        driver = open_driver(
            exchange.endpoint(), Ed25519Signer("my-key", ed25519_key), machine=machine
        )
        learned = driver.learn_limits()
        for _ in range(90):
            driver.send(a_read())

    assert (learned.tier, learned.read_per_second, learned.told) == ("advanced", 300, True)
    # 900 tokens less the 20 spent on asking: 88 requests at once, then one per thirtieth second.
    assert machine.slept == [33_334, 33_333]


def test_limits_are_not_asked_without_a_key(open_driver: OpenDriver) -> None:
    with exchange_saying(script=budget_script(Say(body=LIMITS), Say(body=COSTS))) as exchange:
        learned = open_driver(exchange.endpoint()).learn_limits()

    assert not learned.told
    assert [seen.target for seen in exchange.seen] == ["/trade-api/v2/account/endpoint_costs"]


@pytest.mark.parametrize("status", [403, 404])
def test_exchange_that_does_not_tell_leaves_the_cautious_budget(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey, status: int
) -> None:
    no = Say(status=status, body=b'{"error":{"code":"no"}}')
    with exchange_saying(script=budget_script(no, no)) as exchange:
        learned = open_driver(
            exchange.endpoint(), Ed25519Signer("my-key", ed25519_key)
        ).learn_limits()

    assert (learned.told, learned.read_per_second) == (False, 200)


def test_wrong_key_is_not_taken_for_a_shy_exchange(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    wrong = Say(status=401, body=b'{"error":{"details":"NOT_FOUND"}}')
    with (
        exchange_saying(script=budget_script(wrong, Say(body=COSTS))) as exchange,
        pytest.raises(NotAuthorized),
    ):
        open_driver(exchange.endpoint(), Ed25519Signer("my-key", ed25519_key)).learn_limits()


def test_cost_is_the_listed_one_for_a_path_with_placeholders(open_driver: OpenDriver) -> None:
    machine = Machine()
    costs = Say(body=COSTS.replace(b'"cost":2', b'"cost":100'))
    call = Call(
        operation="GetOrder",
        method="GET",
        template="/portfolio/orders/{order_id}",
        path="/portfolio/orders/7",
        decode=len,
        cost=2,
        signed=False,
    )
    with exchange_saying(script=budget_script(Say(), costs)) as exchange:
        driver = open_driver(exchange.endpoint(), machine=machine)
        driver.learn_limits()
        driver.send(call)
        driver.send(call)

    # 200 tokens, 10 spent on asking: the second request at a hundred tokens lacks ten.
    assert machine.slept == [SECOND // 20]


def test_clock_set_back_does_not_stop_the_refill() -> None:
    machine = Machine()
    session = Session(
        resolve_endpoint(Venue.SANDBOX),
        None,
        clock=machine.clock,
        chance=random.Random(7),  # noqa: S311 (jitter, repeatable)
    )
    for _ in range(20):
        next(session.flow(a_read()))
    machine.at = Instant(NOON - HOUR)
    next(session.flow(a_read()))
    machine.at = Instant(machine.at + SECOND)

    step = next(session.flow(a_read()))

    assert getattr(step, "microseconds", 0) == 0


def test_one_client_serves_several_threads() -> None:
    machine = Machine()
    with exchange_saying(Say()) as exchange:
        client = open_client(
            exchange.endpoint(),
            None,
            clock=machine.clock,
            sleep=machine.sleep,
            chance=random.Random(7),  # noqa: S311 (jitter, repeatable)
        )
        with client, ThreadPoolExecutor(8) as pool:
            values = list(pool.map(client.send, [a_read() for _ in range(80)]))

    assert values == [1] * 80
    assert len(exchange.seen) == client.counts.requests == 80
    assert client.counts.retries == 0


def test_word_that_nobody_knows_is_counted_and_never_guessed(
    open_driver: OpenDriver, ed25519_key: Ed25519PrivateKey
) -> None:
    row = {
        "order_id": "o1",
        "ticker": "T",
        "outcome_side": "yes",
        "status": "pending",
        "created_time": "2026-10-20T12:00:00Z",
    }
    listed = Say(body=msgspec.json.encode({"orders": [row, row], "cursor": ""}))
    single = Say(body=msgspec.json.encode({"order": row}))
    with exchange_saying(listed, single) as exchange:
        driver = open_driver(exchange.endpoint(), Ed25519Signer("k", ed25519_key))
        (found,) = driver.pages(portfolio.orders())
        with pytest.raises(UnknownWord, match="'pending'") as caught:
            driver.send(portfolio.order(OrderId("o1")))

    assert found.items == ()
    assert [record.unknown_word for record in found.unreadable] == ["status=pending"] * 2
    assert (caught.value.field, caught.value.word) == ("status", "pending")
    assert driver.counts.unknown_fields == {
        "GetOrders.status=pending": 1,
        "GetOrder.status=pending": 1,
    }


def test_batch_that_can_never_fit_the_bucket_is_refused_before_it_is_sent(
    open_driver: OpenDriver,
) -> None:
    batch = replace(a_write(), items=11)
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint())
        with pytest.raises(CallerError, match="110 tokens can never fit a bucket of 100") as caught:
            driver.send(batch)

    assert exchange.seen == []
    assert "Split the batch" in caught.value.remedy


def test_batch_is_billed_by_its_items(open_driver: OpenDriver) -> None:
    machine = Machine()
    with exchange_saying(Say()) as exchange:
        driver = open_driver(exchange.endpoint(), machine=machine)
        driver.send(replace(a_write(), items=10))
        driver.send(replace(a_write(), items=5))

    # The first took the whole bucket of 100; the second waits for 50 of 100 tokens a second.
    assert machine.slept == [SECOND // 2]
