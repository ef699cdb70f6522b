"""The client's side of a connection, case by case."""

from __future__ import annotations

import json
from typing import Any

import pytest
from exchange_floor import NOW, Floor

from trueup.core.errors import BookUnknown
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import Price
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel, ErrorCode
from trueup.wire.ws.client_session import ClientSession
from trueup.wire.ws.client_subscription import ChannelOptions
from trueup.wire.ws.server_session import ServerSession

FED, CPI = Ticker("KXFED-26DEC-T3.75"), Ticker("KXCPI-26NOV-T0.3")
BOOKS = Channel.ORDERBOOK


class Line:
    """A client and an exchange on one good line."""

    def __init__(self, *tickers: Ticker) -> None:
        self.floor = Floor(*(tickers or (FED, CPI)))
        self.client = ClientSession()
        self.server = ServerSession("me", self.floor)
        self.now = NOW
        self.said: list[dict[str, Any]] = []
        self.client.connected(self.now)

    def talk(self) -> list[e.Event]:
        """Commands to the exchange, answers back, until nobody has anything to say."""
        events: list[e.Event] = []
        while commands := self.client.commands():
            for command in commands:
                self.said.append(json.loads(command))
                for frame in self.server.receive(command, self.now):
                    events += self.client.receive(frame, self.now)
        return events

    def change(self, ticker: Ticker, side: Side, price: int, count: int) -> list[bytes]:
        delta = self.floor.change(ticker, side, price, count)
        return self.server.publish(self.floor.publication(delta), self.now)

    def hear(self, *frames: bytes | dict[str, Any]) -> list[e.Event]:
        events: list[e.Event] = []
        for frame in frames:
            text = json.dumps(frame).encode() if isinstance(frame, dict) else frame
            events += self.client.receive(text, self.now)
        return events

    def wait(self, seconds: int) -> list[e.Event]:
        self.now = Instant(self.now + seconds * SECOND)
        return self.client.tick(self.now) + self.talk()

    def watch(self, *tickers: Ticker) -> list[e.Event]:
        self.client.subscribe(BOOKS, tickers, now=self.now)
        return self.talk()


def test_a_book_is_subscribed_to_in_yes_prices_and_follows_the_exchange() -> None:
    line = Line()
    line.change(FED, Side.YES, 40, 10)

    assert line.watch(FED) == [e.Live(BOOKS), e.BookChanged(FED)]
    assert line.said[0]["params"] == {
        "channels": ["orderbook_delta"],
        "market_tickers": [FED],
        "use_yes_price": True,
    }
    assert line.hear(*line.change(FED, Side.NO, 45, 5)) == [e.BookChanged(FED)]
    book = line.client.book(FED)
    assert book is not None
    assert (book.best_bid, book.best_ask) == (Price.of_cents(40), Price.of_cents(45))
    assert book.clock == 2


def test_more_markets_are_added_to_the_same_subscription() -> None:
    line = Line()
    line.watch(FED)

    assert line.watch(CPI) == [e.BookChanged(CPI)]
    assert line.said[1]["params"] == {
        "sids": [1],
        "action": "add_markets",
        "market_tickers": [CPI],
    }


def test_what_is_wished_while_an_answer_is_on_its_way_goes_with_the_next_command() -> None:
    line = Line()
    line.client.subscribe(BOOKS, [FED], now=NOW)
    first = line.client.commands()
    for ticker in (CPI, Ticker("KX-OTHER")):
        line.client.subscribe(BOOKS, [ticker], now=NOW)

    assert line.client.commands() == []
    line.hear(*line.server.receive(first[0], NOW))
    [second] = line.client.commands()
    assert json.loads(second)["params"]["market_tickers"] == [CPI, "KX-OTHER"]


def test_a_gap_takes_all_books_of_the_subscription_back_until_their_snapshots() -> None:
    line = Line()
    line.watch(FED, CPI)
    line.now = Instant(NOW + SECOND)
    line.change(FED, Side.YES, 40, 10)
    late = line.change(CPI, Side.YES, 7, 1)

    events = line.hear(*late)

    reason = "message 3 is missing"
    assert events == [e.Gap(BOOKS, 3, 4), e.BookLost(FED, reason), e.BookLost(CPI, reason)]
    with pytest.raises(BookUnknown, match=reason):
        _ = line.client.book(CPI).best_bid  # type: ignore[union-attr]
    assert line.talk() == [e.BookChanged(FED), e.BookChanged(CPI)]
    assert line.said[-1]["params"]["action"] == "get_snapshot"
    for ticker in (FED, CPI):
        assert line.client.book(ticker).snapshot() == line.floor.books[ticker].snapshot()  # type: ignore[union-attr]


def test_the_message_that_was_missing_changes_nothing_when_it_comes_late() -> None:
    line = Line()
    line.watch(FED)
    line.now = Instant(NOW + SECOND)
    missing, late = line.change(FED, Side.YES, 40, 10), line.change(FED, Side.YES, 41, 1)
    line.hear(*late)
    line.talk()

    assert line.hear(*missing) == []
    assert line.hear(*late) == []
    assert (line.client.counts["late"], line.client.counts["duplicate"]) == (1, 1)
    assert line.client.book(FED).snapshot() == line.floor.books[FED].snapshot()  # type: ignore[union-attr]


def test_acknowledgements_and_unknown_types_have_their_place() -> None:
    line = Line()
    line.watch(FED)
    line.watch(CPI)

    assert line.hear({"type": "weather", "sid": 1, "seq": 4, "msg": {}}) == [
        e.Drifted("type", "weather")
    ]
    assert line.hear({"type": "weather", "sid": 1, "seq": 5, "msg": {}}) == []
    assert line.client.counts["unknown type weather"] == 2
    assert line.client.counts["gap"] == 0


def test_a_level_below_zero_is_noticed_and_repaired() -> None:
    line = Line()
    line.change(FED, Side.YES, 40, 10)
    line.watch(FED)
    line.now = Instant(NOW + SECOND)
    frames = line.change(FED, Side.YES, 40, 1)
    wrong = json.loads(frames[0])
    wrong["msg"]["delta_fp"] = "-11.00"

    [lost] = line.hear(wrong)

    assert isinstance(lost, e.BookLost)
    assert "down to -1" in lost.reason
    assert line.talk() == [e.BookChanged(FED)]
    # Once the first change was looked at closely, the next take the quick way: the same there.
    line.hear(*line.change(FED, Side.YES, 39, 1))
    frames = line.change(FED, Side.YES, 40, 1)
    wrong = json.loads(frames[0])
    wrong["msg"]["delta_fp"] = "-99.00"
    line.now = Instant(line.now + SECOND)
    assert [type(one) for one in line.hear(wrong)] == [e.BookLost]
    assert line.talk() == [e.BookChanged(FED)]
    assert line.client.counts["negative level"] == 2


@pytest.mark.parametrize(
    "damage",
    [{"price_dollars": "0.12345"}, {"side": "maybe"}, {"delta_fp": "lots"}, {"delta_fp": None}],
)
def test_a_change_that_cannot_be_read_costs_the_book_only_until_its_snapshot(
    damage: dict[str, Any],
) -> None:
    line = Line()
    line.watch(FED, CPI)
    line.hear(*line.change(FED, Side.YES, 39, 1))
    line.now = Instant(NOW + SECOND)
    frame = json.loads(line.change(FED, Side.YES, 40, 10)[0])
    frame["msg"] |= damage

    kinds = [type(one) for one in line.hear(frame)]

    assert kinds == [e.Unreadable, e.BookLost]
    assert line.talk() == [e.BookChanged(FED)]
    assert line.client.book(FED).snapshot() == line.floor.books[FED].snapshot()  # type: ignore[union-attr]


def test_a_frame_that_is_no_json_is_counted_and_kept() -> None:
    line = Line()

    [unreadable] = line.hear(b"<html>")

    assert isinstance(unreadable, e.Unreadable)
    assert unreadable.raw == b"<html>"
    assert "<html>" not in repr(unreadable)


def test_a_known_message_with_a_broken_inside_costs_all_books_of_its_subscription() -> None:
    line = Line()
    line.watch(FED)
    line.now = Instant(NOW + SECOND)

    frame = json.loads(line.change(FED, Side.YES, 40, 10)[0]) | {"msg": 5}
    kinds = [type(one) for one in line.hear(frame)]

    assert kinds == [e.Unreadable, e.BookLost]
    assert line.talk() == [e.BookChanged(FED)]


def test_after_a_reconnection_everything_wanted_is_subscribed_to_again() -> None:
    line = Line()
    line.watch(FED)
    line.client.subscribe(Channel.FILL, now=NOW)
    line.talk()

    assert line.client.disconnected("gone") == [e.BookLost(FED, "gone")]
    line.server = ServerSession("me", line.floor)
    line.client.connected(line.now)

    assert line.talk() == [e.Live(BOOKS), e.BookChanged(FED), e.Live(Channel.FILL)]


def test_wishes_made_without_a_connection_wait_for_one() -> None:
    client = ClientSession()
    client.subscribe(Channel.TRADE, now=NOW)

    assert client.commands() == []
    client.connected(NOW)
    assert json.loads(client.commands()[0]) == {
        "cmd": "subscribe",
        "id": 1,
        "params": {"channels": ["trade"]},
    }


def test_the_last_market_that_is_dropped_ends_the_subscription() -> None:
    line = Line()
    line.watch(FED, CPI)
    line.client.unsubscribe(BOOKS, [CPI], now=NOW)
    line.talk()
    line.client.unsubscribe(BOOKS, [FED], now=NOW)
    line.talk()

    assert [one["cmd"] for one in line.said] == ["subscribe", "update_subscription", "unsubscribe"]
    assert line.server.channels == frozenset()
    assert line.client.book(FED) is None
    assert line.watch(FED) == [e.Live(BOOKS), e.BookChanged(FED)]


def test_a_filter_cannot_be_narrowed_so_the_subscription_is_made_anew() -> None:
    line = Line()
    line.client.subscribe(Channel.TRADE, now=NOW)
    line.talk()
    line.client.unsubscribe(Channel.TRADE, now=NOW)
    line.client.subscribe(Channel.TRADE, [FED], now=NOW)
    line.talk()

    assert [one["cmd"] for one in line.said] == ["subscribe", "unsubscribe", "subscribe"]
    assert line.said[-1]["params"]["market_tickers"] == [FED]


def test_a_command_without_an_answer_is_repeated_and_then_given_up() -> None:
    line = Line()
    line.client.subscribe(Channel.TRADE, now=NOW)
    assert len(line.client.commands()) == 1

    events: list[e.Event] = []
    for _ in range(3):
        line.now = Instant(line.now + 10 * SECOND)
        events += line.client.tick(line.now)
        line.client.commands()

    assert [type(one) for one in events] == [e.MustReconnect]


def test_an_acknowledgement_that_was_lost_is_made_up_for_by_the_next() -> None:
    line = Line()
    line.client.subscribe(BOOKS, [FED], now=NOW)
    [command] = line.client.commands()
    line.server.receive(command, NOW)

    events = line.wait(10) + line.wait(5)

    assert events == [e.Live(BOOKS), e.BookChanged(FED)]
    assert line.hear(*line.change(FED, Side.YES, 5, 5)) == [e.BookChanged(FED)]
    assert line.client.counts["gap"] == 0


def test_a_snapshot_that_does_not_come_is_asked_for() -> None:
    line = Line()
    line.client.subscribe(BOOKS, [FED], now=NOW)
    [command] = line.client.commands()
    acknowledgement, _ = line.server.receive(command, NOW)
    line.hear(acknowledgement)

    events = line.wait(5)

    assert events == [e.Gap(BOOKS, 1, 2), e.BookChanged(FED)]


def test_a_market_that_the_exchange_does_not_know_is_not_wanted_any_more() -> None:
    line = Line()

    events = line.watch(FED, Ticker("KX-NO"))

    assert events[-1] == e.Refused(
        BOOKS, ErrorCode.INVALID_PARAMETER, "Invalid parameter", (Ticker("KX-NO"),)
    )
    assert line.client.book(Ticker("KX-NO")) is None
    assert line.client.book(FED) is not None
    line.client.disconnected("gone")
    line.client.connected(NOW)
    assert json.loads(line.client.commands()[0])["params"]["market_tickers"] == [FED]


def test_a_subscription_that_overflowed_is_made_again_after_a_while() -> None:
    line = Line()
    line.watch(FED)

    events = line.hear(*line.server.overflow(BOOKS, NOW))

    reason = "Subscription buffer overflow (error 25)"
    assert events == [e.Lost(BOOKS, reason), e.BookLost(FED, reason)]
    assert line.client.commands() == []
    assert line.wait(1) == [e.Live(BOOKS), e.BookChanged(FED)]
    assert line.hear(*line.change(FED, Side.YES, 5, 5)) == [e.BookChanged(FED)]


def test_too_many_requests_are_made_again_later() -> None:
    line = Line()
    line.client.subscribe(Channel.TRADE, now=NOW)
    [command] = line.client.commands()
    line.hear({"type": "error", "id": json.loads(command)["id"], "msg": {"code": 27, "msg": "x"}})

    assert line.client.commands() == []
    assert line.wait(1) == [e.Live(Channel.TRADE)]


def test_a_channel_that_is_refused_is_not_asked_for_again() -> None:
    line = Line()
    line.client.subscribe(Channel.FILL, now=NOW)
    [command] = line.client.commands()
    [refused] = line.hear(
        {"type": "error", "id": json.loads(command)["id"], "msg": {"code": 9, "msg": "no"}}
    )

    assert refused == e.Refused(Channel.FILL, ErrorCode.AUTHENTICATION_REQUIRED, "no")
    assert line.wait(30) == []
    assert line.client.commands() == []


def test_a_sequence_that_starts_over_without_a_word_ends_the_connection() -> None:
    line = Line()
    line.watch(FED)
    for _ in range(200):
        line.hear(*line.change(FED, Side.YES, 5, 1))

    events = line.hear(
        *(
            {
                "type": "orderbook_delta",
                "sid": 1,
                "seq": seq,
                "msg": {"market_ticker": FED, "side": "yes"},
            }
            for seq in range(1, 120)
        )
    )

    assert [type(one) for one in events] == [e.MustReconnect]


def test_fields_that_nobody_knows_are_told_once_and_counted() -> None:
    line = Line()
    frame: dict[str, Any] = {
        "type": "event_lifecycle",
        "sid": 9,
        "msg": {"event_ticker": "E", "mood": 1},
    }

    told, announced = line.hear(frame)

    assert told == e.Drifted("field", "event_lifecycle.msg.mood")
    assert isinstance(announced, e.Announced)
    assert len(line.hear(frame)) == 1


def test_index_names_are_listed() -> None:
    line = Line()
    line.server.lists_names(Channel.PYTH, lambda: ["Metal.XAU/USD"])
    assert not line.client.ask_names(Channel.PYTH)
    line.client.subscribe(Channel.PYTH, (), now=NOW)
    line.talk()

    assert line.client.ask_names(Channel.PYTH)
    assert line.talk() == [e.NamesListed(Channel.PYTH, ("Metal.XAU/USD",))]


def test_options_reach_the_exchange() -> None:
    client = ClientSession()
    client.connected(NOW)
    client.subscribe(
        Channel.COMMUNICATIONS,
        now=NOW,
        options=ChannelOptions(only_own_rfqs=True, shard_factor=4, shard_key=3),
    )
    client.subscribe(Channel.TICKER, [FED], now=NOW, options=ChannelOptions(is_with_first=True))

    first, second = map(json.loads, client.commands())
    assert first["params"] == {
        "channels": ["communications"],
        "user_filter": "self",
        "shard_factor": 4,
        "shard_key": 3,
    }
    assert second["params"]["send_initial_snapshot"] is True


def test_all_markets_of_a_big_subscription_come_back_after_one_gap() -> None:
    tickers = [Ticker(f"KX-{number}") for number in range(300)]
    line = Line(*tickers)
    line.watch(*tickers)
    line.now = Instant(NOW + SECOND)
    line.change(tickers[0], Side.YES, 5, 1)

    line.hear(*line.change(tickers[1], Side.YES, 5, 1))
    assert not any(line.client.book(one).is_valid for one in tickers)  # type: ignore[union-attr]
    line.talk()

    assert all(line.client.book(one).is_valid for one in tickers)  # type: ignore[union-attr]
    assert sum(one["params"].get("action") == "get_snapshot" for one in line.said) == 1
