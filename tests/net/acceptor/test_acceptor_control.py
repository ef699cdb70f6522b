"""The control API over HTTP: its token, its words, and what they do to the exchange."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from living_desk import ORDERS, LivingDesk, living_desk

from trueup.core.instant import HOUR, SECOND, parse_instant
from trueup.net.acceptor.control_words import WORDS
from trueup.testing.sandbox import DEFAULT_START


@pytest.fixture
def desk() -> Iterator[LivingDesk]:
    with living_desk() as desk:
        yield desk


# -- the door ----------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "wrong", "let-me-inn", "let-me-i"])
def test_without_its_token_the_door_stays_shut(desk: LivingDesk, token: str) -> None:
    answered = desk.raw_control("state", {}, token=token)

    assert answered.status == 401
    assert b"let-me-in" not in answered.body


def test_a_key_of_the_exchange_opens_no_control_and_the_token_no_exchange(desk: LivingDesk) -> None:
    signed = desk.asker.signed_headers("/portfolio/balance")
    door = desk.asker.raw("/../../control/state", signed)
    exchange = desk.asker.raw("/portfolio/balance", {"Authorization": "Bearer let-me-in"})

    assert door.status in {401, 404}
    assert exchange.status == 401


def test_without_a_token_there_is_no_door() -> None:
    with living_desk(token="") as closed:
        assert closed.raw_control("state", {}).status == 404


def test_words_that_only_look_may_be_asked_with_get(desk: LivingDesk) -> None:
    assert desk.raw_control("state", method="GET").status == 200
    assert desk.raw_control("markets?status=active", method="GET").rows("markets")
    assert desk.raw_control("advance?by=1h", method="GET").status == 405


@pytest.mark.parametrize(
    ("word", "body", "status", "told"),
    [
        ("tate", b"{}", 404, "there is no word 'tate'"),
        ("advance", b'{"by": ', 400, "no JSON"),
        ("advance", b'{"bye": "1h"}', 400, "bye"),
        ("advance", b'{"by": "an hour"}', 409, "no length of time"),
        ("advance", b'{"to": "2020-01-01T00:00:00Z"}', 409, "time does not go back"),
        ("advance", b'{"by": "1h", "to": "2030-01-01T00:00:00Z"}', 409, "not both"),
        ("advance", b'{"ticker": "KXNONE"}', 404, "no market 'KXNONE'"),
        ("speed", b'{"speed": "fast"}', 400, "speed"),
        ("speed", b'{"speed": -1}', 409, "-1"),
        ("pause", b'{"ticker": "KXNONE"}', 404, "no market"),
        ("determine", b'{"ticker": "KXNONE", "result": "yes"}', 404, "no market"),
        ("deposit", b'{"amount": "-5"}', 409, "more than nothing"),
        ("deposit", b'{"amount": "5", "shard": 9}', 409, "no shard 9"),
        ("deposit", b'{"amount": "5", "member": "nobody"}', 404, "no member"),
        ("fault", b'{"name": "outtage"}', 409, "no fault 'outtage'"),
        ("fault", b'{"name": "outage", "percent": 101}', 409, "101"),
        ("clear-faults", b'{"name": "outtage"}', 409, "no fault"),
        ("fill", b'{"order_id": "none"}', 409, "no order 'none' rests"),
        ("restore", b'{"name": "never"}', 404, "no moment 'never'"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    desk: LivingDesk, word: str, body: bytes, status: int, told: str
) -> None:
    before = desk.control("state")

    answered = desk.raw_control(word, body=body)

    assert answered.status == status
    assert told in str(answered.tree["error"])
    assert desk.control("state") == before


# -- time --------------------------------------------------------------------------------------


def test_a_stepped_world_stands_still_until_it_is_advanced(desk: LivingDesk) -> None:
    first = desk.control("state")["time"]
    assert desk.control("state")["time"] == first == "2026-10-16T16:00:00Z"

    told = desk.control("advance", by="90m")

    assert told["time"] == desk.control("state")["time"] == "2026-10-16T17:30:00Z"


def test_time_passes_until_a_market_has_settled(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]

    told = desk.control("advance", ticker=ticker, status="finalized", by="4d")

    (market,) = [
        one
        for one in desk.control("markets", status="finalized")["markets"]
        if one["ticker"] == ticker
    ]
    assert told["reached"] is True
    assert market["result"] in {"yes", "no"}
    assert desk.control("advance", ticker=ticker, status="disputed", by="1h")["reached"] is False


def test_a_running_clock_lets_the_world_go_on_by_itself() -> None:
    with living_desk(speed=36_000) as desk:
        begin = parse_instant(desk.control("state")["time"])
        deadline = time.monotonic() + 120
        while parse_instant(desk.control("state")["time"]) < begin + 2 * HOUR:
            assert time.monotonic() < deadline
        stopped = desk.control("speed", speed=0)["time"]

        assert desk.control("state")["time"] == stopped


# -- markets -----------------------------------------------------------------------------------


def test_a_market_goes_through_every_step_of_its_life(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]

    steps = [
        desk.control("pause", ticker=ticker),
        desk.control("resume", ticker=ticker),
        desk.control("close", ticker=ticker),
        desk.control("determine", ticker=ticker, result="yes"),
        desk.control("dispute", ticker=ticker),
        desk.control("amend", ticker=ticker, pays="0.25"),
        desk.control("settle", ticker=ticker),
    ]

    assert [step["status"] for step in steps] == [
        "inactive",
        "active",
        "closed",
        "determined",
        "disputed",
        "amended",
        "finalized",
    ]
    assert (steps[-1]["result"], steps[-1]["pays"]) == ("scalar", "0.25")
    assert desk.control("revise", ticker=ticker, result="no")["pays"] == "0.00"


def test_what_cannot_be_done_now_is_refused(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]

    assert desk.refused("settle", ticker=ticker)[0] == 409
    assert desk.refused("dispute", ticker=ticker)[0] == 409
    assert desk.refused("amend", ticker=ticker, result="yes")[0] == 409
    assert desk.refused("determine", ticker=ticker, result="perhaps")[0] == 409
    assert desk.refused("determine", ticker=ticker)[0] == 409
    assert desk.refused("determine", ticker=ticker, pays="1.50")[0] == 409


def test_a_settlement_pays_the_user(desk: LivingDesk) -> None:
    market = desk.quoted()
    bought = desk.order(market["ticker"], side="bid", price="0.9900", count="3.00", name="all-in")
    assert bought.status == 201, bought
    cash = float(desk.control("account")["cash"])

    desk.control("determine", ticker=market["ticker"], result="yes")
    desk.control("settle", ticker=market["ticker"])

    account = desk.control("account")
    assert float(account["cash"]) == pytest.approx(cash + 3)
    assert account["positions"] == {}


# -- money, orders, trades ---------------------------------------------------------------------


def test_a_deposit_arrives_at_once_on_its_shard(desk: LivingDesk) -> None:
    before = desk.control("account")["shards"]["2"]

    account = desk.control("deposit", amount="12.34", shard=2)

    assert float(account["shards"]["2"]) == pytest.approx(float(before) + 12.34)
    listed = desk.asker.get("/portfolio/deposits").rows("deposits")
    assert account["deposit_id"] in {row["id"] for row in listed}


def test_a_resting_order_is_taken_by_order(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    placed = desk.order(ticker, side="bid", price="0.0100", count="10.00", name="low")
    order_id = placed.tree["order_id"]

    part = desk.control("fill", order_id=order_id, count="4")
    rest = desk.control("fill", order_id=order_id)

    assert (part["filled"], part["remaining"]) == ("4.00", "6.00")
    assert (rest["filled"], rest["status"]) == ("10.00", "executed")
    assert [one["count"] for one in desk.control("fills")["fills"]] == ["4.00", "6.00"]
    assert desk.control("orders", ticker=ticker)["orders"][0]["order_id"] == order_id


def test_visitors_trade_and_quote(desk: LivingDesk) -> None:
    market = desk.quoted()
    ticker = market["ticker"]

    quoted = desk.control("quote", ticker=ticker, bid=market["bid"], ask=market["ask"])
    again = desk.control("quote", ticker=ticker)
    traded = desk.control("trade", ticker=ticker, price=market["ask"], count="7", taker_side="yes")

    assert (quoted["bid"], quoted["ask"]) == (market["bid"], market["ask"])
    assert again["ticker"] == ticker
    assert sum(float(one["count"]) for one in traded["trades"]) == 7
    assert {one["taker_side"] for one in traded["trades"]} == {"yes"}


# -- faults and the past -----------------------------------------------------------------------


def test_a_fault_is_switched_on_counted_and_off(desk: LivingDesk) -> None:
    started = desk.control("fault", name="outage", times=2)

    statuses = [desk.asker.get("/portfolio/balance").status for _ in range(3)]

    assert statuses == [503, 503, 200]
    (shown,) = desk.control("faults")["faults"]
    assert (shown["number"], shown["hits"]) == (started["number"], 2)
    assert desk.control("clear-faults", number=started["number"])["cleared"] == 1
    assert desk.control("faults")["faults"] == []


def test_a_fault_has_a_window_of_the_worlds_time(desk: LivingDesk) -> None:
    desk.control("fault", name="outage", after="1h", lasting="30m")

    early = desk.asker.get("/exchange/status").status
    desk.control("advance", by="1h")
    within = desk.asker.get("/exchange/status").status
    desk.control("advance", by="30m")

    assert [early, within, desk.asker.get("/exchange/status").status] == [200, 503, 200]


def test_a_kept_moment_is_returned_to_with_everything_in_it(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    desk.order(ticker, side="bid", price="0.0100", name="before")
    kept = desk.control("snapshot", name="calm")
    desk.order(ticker, side="bid", price="0.0100", name="after")
    desk.control("advance", by="3h")

    desk.control("restore", name="calm")

    assert desk.control("state")["time"] == kept["time"]
    names = [row["client_order_id"] for row in desk.asker.get("/portfolio/orders").rows("orders")]
    assert names == ["before"]
    # The id was used in a future that never came.
    assert desk.order(ticker, side="bid", price="0.0100", name="after").status == 201
    desk.control("advance", by="3h")
    assert desk.control("state")["time"] == "2026-10-16T19:00:00Z"


def test_a_reset_begins_again_and_the_seed_decides_how(desk: LivingDesk) -> None:
    first = desk.control("markets")["markets"]
    desk.control("advance", by="5h")

    same = desk.control("reset")
    assert (same["seed"], same["time"]) == (5, "2026-10-16T16:00:00Z")
    assert desk.control("markets")["markets"] == first

    assert desk.control("reset", seed=6)["seed"] == 6
    assert desk.control("markets")["markets"] != first


def test_orders_that_were_placed_are_gone_after_a_reset(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    desk.order(ticker, side="bid", price="0.0100", name="one")

    desk.control("reset")

    assert desk.asker.get("/portfolio/orders").rows("orders") == []
    assert desk.asker.get(ORDERS).status in {200, 404, 405}


def test_every_word_says_what_it_does_and_takes() -> None:
    for name, word in WORDS.items():
        assert word.does, name
        assert word.body.__doc__, name


def test_the_present_is_at_least_where_the_world_began(desk: LivingDesk) -> None:
    assert parse_instant(desk.control("state")["time"]) == DEFAULT_START
    assert desk.prepared.living.world.exchange.now <= DEFAULT_START + SECOND
