"""What those who follow a running bot hear, and that it says nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trueup.core.catalog import Event, Market
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import (
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    SeriesTicker,
    Ticker,
)
from trueup.core.instant import DAY, Instant
from trueup.core.market import MarketStatus
from trueup.core.units import Money, Price
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.engine.market import Listing, Top
from trueup.engine.state import Settings
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Mandate
from trueup.run.bot.status import About, Status, status_of
from trueup.run.bot.tally import Tally
from trueup.run.bot.telling import STATUS_EVERY, Teller

NOW = Instant(1_790_000_000_000_000)
ONE, TWO = Ticker("KXRAIN-26NOV28-ONE"), Ticker("KXRAIN-26NOV28-TWO")


class Follower:
    """Somebody at the door, who writes down what is told."""

    def __init__(self) -> None:
        self.has_listeners = True
        self.heard: list[tuple[str, Mapping[str, Any]]] = []

    def push(self, event: str, document: Mapping[str, object]) -> None:
        self.heard.append((event, document))

    def tops(self) -> list[list[str]]:
        """The markets of each telling of tops since the last question."""
        told = [[top["ticker"] for top in d["tops"]] for event, d in self.heard if event == "tops"]
        self.heard.clear()
        return told


def a_machine() -> Machine:
    machine = Machine(
        [(Threshold(), Mandate(capital=Money.parse("10")))],
        Settings(),
        lambda _: ClientOrderId("x"),
    )
    machine.step(i.Recovered(at=NOW, records=()))
    machine.step(i.MarketsListed(at=NOW, listings=(listing(ONE), listing(TWO))))
    return machine


def listing(ticker: Ticker) -> Listing:
    event = EventTicker(ticker.rpartition("-")[0])
    return Listing(
        market=Market(
            ticker=ticker,
            event_ticker=event,
            title="",
            open_at=None,
            close_at=Instant(NOW + DAY),
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        ),
        event=Event(
            ticker=event,
            series_ticker=SeriesTicker("KXRAIN"),
            title="",
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        category="Weather",
        grid=LINEAR_CENT,
        status=MarketStatus.ACTIVE,
    )


def moved(machine: Machine, ticker: Ticker, bid: str, *, at: int = NOW) -> None:
    top = Top(ticker=ticker, at=Instant(at), bid=Price.parse(bid), ask=Price.parse("0.99"))
    machine.step(i.MarketsMoved(at=NOW, tops=(top,)))


def a_teller(machine: Machine, door: Follower) -> Teller:
    def status() -> Status:
        about = About(
            venue="sandbox",
            account="main",
            mode="live",
            live=False,
            version="1",
            pid=1,
            started_at=NOW,
            at=NOW,
        )
        return status_of(machine.state, Tally(), about, tops=False)

    return Teller(machine.state, status, door)


def test_only_tops_that_moved_are_told_and_none_is_missed_for_its_time() -> None:
    machine, door = a_machine(), Follower()
    teller = a_teller(machine, door)
    moved(machine, ONE, "0.40")
    moved(machine, TWO, "0.40")
    teller.look()
    assert [sorted(each) for each in door.tops()] == [[ONE, TWO]]

    teller.look()
    assert door.tops() == []

    # The exchange's own time of it may be older than the last telling.
    moved(machine, TWO, "0.41", at=NOW - 5_000_000)
    teller.look()
    assert door.tops() == [[TWO]]


def test_the_status_is_told_when_it_is_another_one_and_without_tops() -> None:
    machine, door = a_machine(), Follower()
    teller = a_teller(machine, door)
    moved(machine, ONE, "0.40")
    for _ in range(3 * STATUS_EVERY):
        teller.look()
    (told,) = [document for event, document in door.heard if event == "status"]
    assert told["tops"] == []
    assert told["state"] == "trading"

    door.heard.clear()
    pause = i.OperatorSaid(at=NOW, wanted=i.Wanted.PAUSE, by="ann", words="lunch")
    machine.step(pause)
    for _ in range(STATUS_EVERY):
        teller.look()
    (told,) = [document for event, document in door.heard if event == "status"]
    assert told["state"] == "paused"


def test_without_followers_nothing_is_told_and_who_comes_later_misses_nothing() -> None:
    machine, door = a_machine(), Follower()
    teller = a_teller(machine, door)
    moved(machine, ONE, "0.40")
    teller.look()
    door.has_listeners = False
    door.heard.clear()
    moved(machine, TWO, "0.40")
    for _ in range(2 * STATUS_EVERY):
        teller.look()
    assert door.heard == []

    door.has_listeners = True
    teller.look()
    assert [sorted(each) for each in door.tops()] == [[ONE, TWO]]
