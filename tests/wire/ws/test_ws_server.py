"""The exchange's side of a connection: commands in, frames out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from exchange_floor import NOW, Floor, Line, read, without_stamp

from trueup.core import announcements as a
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.wire.ws.channels import ERROR_TEXTS, Channel, ErrorCode
from trueup.wire.ws.server_session import SessionLimits

FED, CPI, NYC = "KXFED-26DEC-T3.75", "KXCPI-26NOV-T0.3", "KXHIGHNY-26NOV28-B50"


@pytest.fixture
def floor() -> Floor:
    return Floor(FED, CPI, NYC)


@pytest.fixture
def line(floor: Floor) -> Line:
    return Line(floor)


def codes(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["msg"]["code"] for frame in frames if frame["type"] == "error"]


def a_trade(ticker: str = FED) -> a.TradeAnnounced:
    return a.TradeAnnounced(
        trade_id=TradeId("t1"),
        ticker=Ticker(ticker),
        price=Price.parse("0.36"),
        count=Count.parse("136"),
        taker_side=Side.NO,
        at=NOW,
    )


def a_fill(ticker: str = FED) -> a.FillAnnounced:
    filled = Filled(
        trade_id=TradeId("t1"),
        order_id=OrderId("o1"),
        ticker=Ticker(ticker),
        side=Side.YES,
        count=Count.parse("5.52"),
        price=Price.parse("0.17"),
        fee=Money.parse("0.0546"),
        is_taker=True,
        at=NOW,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )
    return a.FillAnnounced(
        filled=filled, position=Count.parse("5.52"), client_order_id=ClientOrderId("mine")
    )


def test_each_channel_is_acknowledged_and_books_begin_with_a_snapshot(
    floor: Floor, line: Line
) -> None:
    floor.change(FED, Side.YES, 8, 300)
    floor.change(FED, Side.YES, 22, 333)
    floor.change(FED, Side.NO, 44, 146)

    frames = line.command(1, "subscribe", channels=["orderbook_delta", "trade"], market_ticker=FED)

    assert [without_stamp(frame) for frame in frames] == [
        {"type": "subscribed", "id": 1, "msg": {"channel": "orderbook_delta", "sid": 1}},
        {
            "type": "orderbook_snapshot",
            "sid": 1,
            "seq": 1,
            "msg": {
                "market_ticker": FED,
                "market_id": floor.market_id(Ticker(FED)),
                "clock": 3,
                "yes_dollars_fp": [["0.0800", "300.00"], ["0.2200", "333.00"]],
                "no_dollars_fp": [["0.5600", "146.00"]],
            },
        },
        {"type": "subscribed", "id": 1, "msg": {"channel": "trade", "sid": 2}},
    ]


def test_an_empty_side_has_no_key(floor: Floor, line: Line) -> None:
    floor.change(FED, Side.NO, 60, 1)

    [_, snapshot] = line.command(1, "subscribe", channels=["orderbook_delta"], market_ticker=FED)

    assert "yes_dollars_fp" not in snapshot["msg"]
    assert snapshot["msg"]["no_dollars_fp"] == [["0.4000", "1.00"]]


def test_with_yes_prices_the_no_side_is_told_in_yes_prices(floor: Floor, line: Line) -> None:
    floor.change(FED, Side.NO, 52, 1)
    [_, snapshot] = line.command(
        1, "subscribe", channels=["orderbook_delta"], market_tickers=[FED], use_yes_price=True
    )
    [delta] = line.hear(floor.change(FED, Side.NO, 52, -1))

    assert snapshot["msg"]["no_dollars_fp"] == [["0.5200", "1.00"]]
    assert delta["msg"]["price_dollars"] == "0.5200"
    assert delta["msg"]["side"] == "no"


def test_a_change_is_a_delta_in_no_prices_by_default(floor: Floor, line: Line) -> None:
    line.command(1, "subscribe", channels=["orderbook_delta"], market_tickers=[FED])

    [delta] = line.hear(floor.change(FED, Side.NO, 26, 184))

    assert without_stamp(delta) == {
        "type": "orderbook_delta",
        "sid": 1,
        "seq": 2,
        "msg": {
            "market_ticker": FED,
            "market_id": floor.market_id(Ticker(FED)),
            "clock": 1,
            "price_dollars": "0.7400",
            "delta_fp": "184.00",
            "side": "no",
            "ts": "2026-09-21T14:13:20.123Z",
            "ts_ms": NOW // 1000,
        },
    }


def test_only_the_owner_learns_which_order_changed_the_book(floor: Floor) -> None:
    mine, other = Line(floor, "me"), Line(floor, "you")
    for one in (mine, other):
        one.command(1, "subscribe", channels=["orderbook_delta"], market_tickers=[FED])
    delta = floor.change(
        FED, Side.YES, 40, 1, client_order_id=ClientOrderId("c"), subaccount=PRIMARY
    )

    [heard] = mine.hear(delta, user="me")
    [overheard] = other.hear(delta, user="me")

    assert (heard["msg"]["client_order_id"], heard["msg"]["subaccount"]) == ("c", 0)
    assert "client_order_id" not in overheard["msg"]
    assert "subaccount" not in overheard["msg"]


def test_a_second_subscribe_merges_into_the_subscription(line: Line) -> None:
    line.command(1, "subscribe", channels=["orderbook_delta"], market_ticker=NYC)

    frames = line.command(2, "subscribe", channels=["orderbook_delta"], market_tickers=[FED, NYC])

    assert [(one["type"], one["sid"], one["seq"]) for one in frames] == [
        ("ok", 1, 2),
        ("orderbook_snapshot", 1, 3),
    ]
    assert frames[0]["msg"] == {"market_tickers": [FED, NYC]}
    assert frames[1]["msg"]["market_ticker"] == FED


def test_seq_counts_over_all_markets_and_acknowledgements(floor: Floor, line: Line) -> None:
    line.command(1, "subscribe", channels=["orderbook_delta"], market_ticker=FED)
    seen = [1]
    for frames in (
        line.command(2, "update_subscription", sid=1, action="add_markets", market_ticker=CPI),
        line.hear(floor.change(CPI, Side.YES, 5, 1)),
        line.hear(floor.change(FED, Side.YES, 5, 1)),
        line.command(
            3, "update_subscription", sids=[1], action="delete_markets", market_ticker=CPI
        ),
        line.hear(floor.change(CPI, Side.YES, 5, 1)),
        line.command(4, "update_subscription", sid=1, action="get_snapshot", market_tickers=[FED]),
        line.command(5, "unsubscribe", sids=[1]),
        line.hear(floor.change(FED, Side.YES, 5, 1)),
    ):
        seen += [frame["seq"] for frame in frames]

    assert seen == list(range(1, 9))


def test_a_snapshot_that_was_asked_for_repeats_the_id_and_changes_nothing(
    floor: Floor, line: Line
) -> None:
    line.command(1, "subscribe", channels=["orderbook_delta"], market_ticker=FED)

    [snapshot] = line.command(
        9, "update_subscription", sid=1, action="get_snapshot", market_ticker=CPI
    )

    assert (snapshot["type"], snapshot["id"], snapshot["seq"]) == ("orderbook_snapshot", 9, 2)
    assert line.hear(floor.change(CPI, Side.YES, 5, 1)) == []


def test_after_unsubscribing_a_new_subscription_starts_over(line: Line) -> None:
    line.command(1, "subscribe", channels=["trade"])
    assert line.hear(a_trade())[0]["seq"] == 1

    [gone] = line.command(2, "unsubscribe", sids=[1])
    assert without_stamp(gone) == {"type": "unsubscribed", "id": 2, "sid": 1, "seq": 2}

    assert line.command(3, "subscribe", channels=["trade"])[0]["msg"]["sid"] == 2
    assert line.hear(a_trade())[0]["seq"] == 1


def test_subscriptions_are_listed(line: Line) -> None:
    line.command(1, "subscribe", channels=["ticker", "fill"])

    [listed] = line.say('{"id": 3, "cmd": "list_subscriptions"}')

    assert without_stamp(listed) == {
        "type": "ok",
        "id": 3,
        "msg": [{"channel": "ticker", "sid": 1}, {"channel": "fill", "sid": 2}],
    }


def test_tickers_may_be_named_by_market_id_and_begin_with_a_message(
    floor: Floor, line: Line
) -> None:
    market_id = floor.market_id(Ticker(FED))

    frames = line.command(
        1, "subscribe", channels=["ticker"], market_id=market_id, send_initial_snapshot=True
    )

    assert [one["type"] for one in frames] == ["subscribed", "ticker"]
    assert "seq" not in frames[1]
    assert frames[1]["msg"]["yes_ask_dollars"] == "1.0000"
    [ok] = line.command(2, "update_subscription", sid=1, action="add_markets", market_ticker=CPI)
    assert ok["msg"] == {"market_tickers": [CPI], "market_ids": [market_id]}


def test_an_acknowledgement_without_lists_when_they_are_not_wanted(line: Line) -> None:
    line.command(1, "subscribe", channels=["trade"], market_ticker=FED, skip_ticker_ack=True)

    [ok] = line.command(2, "update_subscription", sid=1, action="add_markets", market_ticker=CPI)

    assert without_stamp(ok) == {"type": "ok", "id": 2, "sid": 1, "seq": 1}


def test_private_messages_reach_their_owner_only(floor: Floor) -> None:
    mine, other = Line(floor, "me"), Line(floor, "you")
    for one in (mine, other):
        one.command(1, "subscribe", channels=["fill", "user_orders", "market_positions"])

    [fill] = mine.hear(a_fill(), user="me")

    assert other.hear(a_fill(), user="me") == []
    assert "seq" not in fill
    assert fill["msg"] == {
        "trade_id": "t1",
        "order_id": "o1",
        "market_ticker": FED,
        "is_taker": True,
        "client_order_id": "mine",
        "exchange_index": 0,
        "side": "yes",
        "yes_price_dollars": "0.1700",
        "count_fp": "5.52",
        "fee_cost": "0.054600",
        "action": "buy",
        "post_position_fp": "5.52",
        "purchased_side": "yes",
        "outcome_side": "yes",
        "book_side": "bid",
        "subaccount": 0,
        "ts": NOW // 1_000_000,
        "ts_ms": NOW // 1000,
    }


def test_a_filter_keeps_other_markets_out(line: Line) -> None:
    line.command(1, "subscribe", channels=["fill", "trade"], market_tickers=[CPI])

    assert line.hear(a_fill(FED), user="me") == []
    assert line.hear(a_trade(FED)) == []
    assert len(line.hear(a_fill(CPI), user="me")) == 1
    assert len(line.hear(a_trade(CPI))) == 1


def test_an_order_says_why_it_changed(line: Line) -> None:
    line.command(1, "subscribe", channels=["user_orders"])
    order = OrderReported(
        order_id=OrderId("o1"),
        client_order_id=ClientOrderId("c1"),
        ticker=Ticker(FED),
        side=Side.NO,
        status=OrderStatus.CANCELED,
        price=Price.parse("0.30"),
        initial_count=Count.parse("10"),
        fill_count=Count.parse("4"),
        remaining_count=ZERO_COUNT,
        taker_fees=ZERO_MONEY,
        maker_fees=Money.parse("0.0175"),
        taker_fill_cost=ZERO_MONEY,
        maker_fill_cost=Money.parse("2.80"),
        created_at=NOW,
        updated_at=NOW,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )
    reason = a.OrderUpdateReason.SELF_TRADE_CANCEL

    [frame] = line.hear(a.OrderAnnounced(order=order, reason=reason), user="me")

    assert frame["type"] == "user_order"
    assert frame["msg"]["ticker"] == FED
    assert frame["msg"]["is_yes"] is False
    assert frame["msg"]["book_side"] == "ask"
    assert frame["msg"]["maker_fees_dollars"] == "0.017500"
    assert frame["msg"]["last_update_reason"] == "SelfTradeCancel"
    assert "order_group_id" not in frame["msg"]


def test_lifecycle_is_for_all_markets_and_combinations_have_their_own(line: Line) -> None:
    line.command(1, "subscribe", channels=["market_lifecycle_v2"], market_ticker=CPI)
    determined = a.MarketAnnounced(
        ticker=Ticker(FED),
        change=a.MarketChange.DETERMINED,
        determined_at=NOW,
        result="scalar",
        settlement_value=Price.parse("0.5"),
    )
    combo = a.MarketAnnounced(
        ticker=Ticker("KXMVE-1"), change=a.MarketChange.SETTLED, settled_at=NOW, is_combo=True
    )

    [frame] = line.hear(determined)

    assert frame["msg"] == {
        "event_type": "determined",
        "market_ticker": FED,
        "determination_ts": NOW // 1_000_000,
        "result": "scalar",
        "settlement_value": "0.5000",
    }
    assert line.hear(combo) == []
    line.command(2, "subscribe", channels=["multivariate_market_lifecycle"])
    assert line.hear(combo)[0]["type"] == "multivariate_market_lifecycle"


def test_fee_overrides_that_were_taken_back_are_null(line: Line) -> None:
    line.command(1, "subscribe", channels=["market_lifecycle_v2"])
    event = a.EventFeesAnnounced(
        event_ticker=EventTicker("KXFED-26DEC"), fee_type="flat", fee_multiplier=Ratio(1, 2)
    )
    cleared = a.EventFeesAnnounced(
        event_ticker=EventTicker("KXFED-26DEC"), fee_type=None, fee_multiplier=None
    )

    assert line.hear(event)[0]["msg"]["fee_multiplier_override"] == 0.5
    assert line.hear(cleared)[0]["msg"] == {
        "event_ticker": "KXFED-26DEC",
        "fee_type_override": None,
        "fee_multiplier_override": None,
    }


def test_requests_for_quotes_are_public_unless_only_the_own_are_wanted(floor: Floor) -> None:
    rfq = a.RfqAnnounced(
        rfq_id="r1",
        change=a.RfqChange.CREATED,
        creator_id="abc",
        ticker=Ticker(FED),
        count=Count.parse("100"),
        at=NOW,
    )
    everything, own = Line(floor, "you"), Line(floor, "you")
    everything.command(1, "subscribe", channels=["communications"])
    own.command(1, "subscribe", channels=["communications"], user_filter="self")

    assert everything.hear(rfq, user="me")[0]["type"] == "rfq_created"
    assert own.hear(rfq, user="me") == []
    assert len(own.hear(rfq, user="you")) == 1


def test_quotes_are_told_to_those_they_concern(floor: Floor) -> None:
    quote = a.QuoteAnnounced(
        quote_id="q1",
        rfq_id="r1",
        change=a.QuoteChange.EXECUTED,
        quote_creator_id="abc",
        rfq_creator_id="def",
        ticker=Ticker(FED),
        order_id=OrderId("o1"),
        client_order_id=ClientOrderId("c1"),
        at=NOW,
    )
    mine, other = Line(floor, "me"), Line(floor, "you")
    for one in (mine, other):
        one.command(1, "subscribe", channels=["communications"])

    assert mine.hear(quote, user="me")[0]["msg"]["executed_ts"] == "2026-09-21T14:13:20.123000Z"
    assert other.hear(quote, user="me") == []


def test_each_request_falls_into_exactly_one_shard(floor: Floor) -> None:
    lines = [Line(floor) for _ in range(3)]
    for key, one in enumerate(lines):
        one.command(1, "subscribe", channels=["communications"], shard_factor=3, shard_key=key)
    for number in range(30):
        rfq = a.RfqAnnounced(
            rfq_id="r",
            change=a.RfqChange.CREATED,
            creator_id="abc",
            ticker=Ticker(f"KXMVE-{number}"),
            at=NOW,
        )
        assert sum(len(one.hear(rfq, user="you")) for one in lines) == 1


def test_index_values_come_for_the_names_that_were_asked_for(line: Line) -> None:
    line.session.lists_names(Channel.CF_BENCHMARKS_5HZ, lambda: ("ETHUSD_RTI", "BRTI"))
    line.command(1, "subscribe", channels=["cfbenchmarks_value_5hz"], index_ids=["BRTI"])

    def value(index_id: str) -> a.IndexAnnounced:
        return a.IndexAnnounced(
            source="cfbenchmarks_value_5hz",
            index_id=index_id,
            value=Ratio(6800012, 100),
            source_at=NOW,
            received_at=NOW,
        )

    assert line.hear(value("BRTI"))[0]["msg"]["value_usd"] == "68000.12000000"
    assert line.hear(value("ETHUSD_RTI")) == []
    [ok] = line.command(
        2, "update_subscription", sid=1, action="subscribe_indices", index_ids=["all"]
    )
    assert ok["msg"] == {"index_ids": ["all"]}
    assert len(line.hear(value("ETHUSD_RTI"))) == 1
    [listed] = line.command(3, "update_subscription", sid=1, action="indexlist")
    assert (listed["type"], listed["seq"]) == ("cfbenchmarks_value_5hz_indexlist", 4)
    assert listed["msg"] == {"index_ids": ["BRTI", "ETHUSD_RTI"]}


def test_a_listener_that_is_too_slow_loses_the_subscription(line: Line) -> None:
    line.command(1, "subscribe", channels=["trade"])

    [error] = read(line.session.overflow(Channel.TRADE, NOW))

    assert without_stamp(error) == {
        "type": "error",
        "sid": 1,
        "seq": 1,
        "msg": {"code": 25, "msg": "Subscription buffer overflow"},
    }
    assert line.hear(a_trade()) == []
    assert codes(line.command(2, "unsubscribe", sids=[1])) == [7]


NOT_COMMANDS = ["nonsense", "[1, 2]", '{"id": "one", "cmd": "subscribe"}']
WRONG_COMMANDS: list[tuple[str, dict[str, Any] | None, int]] = [
    ("buy", {}, 5),
    ("subscribe", None, 2),
    ("subscribe", {}, 3),
    ("subscribe", {"channels": []}, 3),
    ("subscribe", {"channels": ["trades"]}, 8),
    ("subscribe", {"channels": "trade"}, 11),
    ("subscribe", {"channels": ["orderbook_delta"]}, 14),
    ("subscribe", {"channels": ["trade"], "market_ticker": "A", "market_tickers": ["B"]}, 11),
    ("subscribe", {"channels": ["trade"], "market_id": "A"}, 11),
    ("subscribe", {"channels": ["trade"], "market_ticker": "A"}, 11),
    ("subscribe", {"channels": ["communications"], "shard_key": 1}, 20),
    ("subscribe", {"channels": ["communications"], "shard_factor": 0}, 19),
    ("subscribe", {"channels": ["communications"], "shard_factor": 101}, 22),
    ("subscribe", {"channels": ["communications"], "shard_factor": 2, "shard_key": 2}, 21),
    ("unsubscribe", {}, 4),
    ("unsubscribe", {"sids": [5]}, 7),
    ("update_subscription", {"action": "add_markets"}, 12),
    ("update_subscription", {"sid": 1, "sids": [1]}, 12),
    ("update_subscription", {"sids": [1, 2]}, 12),
    ("update_subscription", {"sid": 99, "action": "add_markets"}, 7),
    ("update_subscription", {"sid": 1}, 15),
    ("update_subscription", {"sid": 1, "action": "add"}, 13),
    ("update_subscription", {"sid": 1, "action": "indexlist"}, 13),
    ("update_subscription", {"sid": 1, "action": "add_markets"}, 14),
    ("update_subscription", {"sid": 2, "action": "subscribe_indices"}, 24),
    ("update_subscription", {"sid": 3, "action": "subscribe_underlyings"}, 28),
]


@pytest.mark.parametrize("text", NOT_COMMANDS)
def test_what_is_no_command_cannot_be_processed(line: Line, text: str) -> None:
    [error] = line.say(text)

    assert without_stamp(error) == {
        "type": "error",
        "msg": {"code": 1, "msg": "Unable to process message"},
    }


@pytest.mark.parametrize(("cmd", "params", "code"), WRONG_COMMANDS)
def test_wrong_commands_are_told_what_is_wrong(
    line: Line, cmd: str, params: dict[str, Any] | None, code: int
) -> None:
    line.command(7, "subscribe", channels=["orderbook_delta"], market_ticker=FED)
    line.command(8, "subscribe", channels=["cfbenchmarks_value", "pyth_value"])
    before = line.say('{"cmd": "list_subscriptions"}')

    frames = line.say(json.dumps({"id": 1, "cmd": cmd, "params": params}))

    assert codes(frames) == [code]
    assert frames[-1]["msg"]["msg"] == ERROR_TEXTS[ErrorCode(code)]
    assert frames[-1]["id"] == 1
    if frames[0]["type"] == "error":
        assert line.say('{"cmd": "list_subscriptions"}') == before


def test_every_error_code_has_its_text() -> None:
    assert set(ERROR_TEXTS) == set(ErrorCode)


def test_an_unknown_market_is_named_and_the_others_are_taken(line: Line) -> None:
    frames = line.command(
        1, "subscribe", channels=["orderbook_delta"], market_tickers=["KXNO-1", FED, "KXNO-2"]
    )

    assert [one["type"] for one in frames] == ["subscribed", "orderbook_snapshot", "error"]
    assert frames[2]["msg"]["market_tickers"] == ["KXNO-1", "KXNO-2"]


def test_a_connection_without_a_user_hears_nothing(floor: Floor) -> None:
    assert codes(Line(floor, "").command(1, "subscribe", channels=["trade"])) == [9]


def test_too_many_markets_or_commands_are_refused_and_change_nothing(floor: Floor) -> None:
    line = Line(floor, limits=SessionLimits(markets_max=2, commands_per_second=4))
    line.command(1, "subscribe", channels=["orderbook_delta"], market_tickers=[FED, CPI])

    assert codes(
        line.command(2, "subscribe", channels=["trade", "orderbook_delta"], market_ticker=NYC)
    ) == [26]
    assert codes(
        line.command(3, "update_subscription", sid=1, action="add_markets", market_ticker=NYC)
    ) == [26]
    [listed] = line.say('{"cmd": "list_subscriptions"}')
    assert listed["msg"] == [{"channel": "orderbook_delta", "sid": 1}]
    assert codes(line.say('{"cmd": "list_subscriptions"}')) == [27]
    later = Instant(NOW + 1_000_000)
    assert b'"ok"' in line.session.receive('{"cmd": "list_subscriptions"}', later)[0]


def test_before_october_2026_frames_had_no_time_of_sending(floor: Floor) -> None:
    line = Line(floor, limits=SessionLimits(is_stamped=False))

    [frame] = line.command(1, "subscribe", channels=["trade"])

    assert frame == {"type": "subscribed", "id": 1, "msg": {"channel": "trade", "sid": 1}}
