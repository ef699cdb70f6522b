"""The status document of a bot: what strategies think, per market, whoever wrote them."""

from __future__ import annotations

from typing import Any, cast

from trueup.core import catalog
from trueup.core.grid import LINEAR_CENT
from trueup.core.ids import SHARD_ZERO, EventTicker, SeriesTicker, Ticker
from trueup.core.instant import DAY, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.units import Money, Price
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.engine.market import Listing, Top
from trueup.engine.state import Settings
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Desk, FairValue, Mandate, Strategy
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.status import About, as_document, status_of
from trueup.run.bot.tally import Tally

NOON = Instant(1_780_000_000 * SECOND)
RAIN = Ticker("KXRAIN-26JUN01")


class Muddled(Strategy):
    """Its author forgot that it knows only some markets."""

    name = "muddled"

    def fair(self, desk: Desk, ticker: Ticker) -> FairValue | None:
        del desk
        return cast("dict[Ticker, FairValue]", {})[ticker]


class Careless(Strategy):
    """Its author returns a price where a fair value is wanted."""

    name = "careless"

    def fair(self, desk: Desk, ticker: Ticker) -> FairValue | None:
        del desk, ticker
        return cast("FairValue", Price.of_cents(40))


def document_of(*strategies: Strategy) -> dict[str, Any]:
    """What a machine with these strategies says after one quote of one market."""
    mandate = Mandate(capital=Money.parse("100"))
    machine = Machine([(each, mandate) for each in strategies], Settings(), new_client_order_id)
    machine.step(i.Recovered(at=NOON, records=()))
    machine.step(i.MarketsListed(at=NOON, listings=(_listing(),)))
    quote = Top(ticker=RAIN, at=NOON, bid=Price.of_cents(60), ask=Price.of_cents(65))
    machine.step(i.MarketsMoved(at=NOON, tops=(quote,)))
    about = About(
        venue="sandbox",
        account="main",
        mode="live",
        live=False,
        version="1",
        pid=1,
        started_at=NOON,
        at=Instant(NOON + SECOND),
    )
    return as_document(status_of(machine.state, Tally(), about))


def test_fair_value_is_told_per_strategy_and_market() -> None:
    told = document_of(MarketMaker(), Threshold([RAIN]))["fair"]

    assert told == [
        {
            "strategy": "market-maker",
            "ticker": RAIN,
            "fair": "0.6250",
            "as_of": "2026-05-28T20:26:40Z",
            "source": "middle of the book, by inventory",
        }
    ]


def test_strategy_that_fails_over_its_own_opinion_costs_nobody_the_status() -> None:
    told = document_of(Muddled(), Careless(), MarketMaker())

    fair = {each["strategy"]: each for each in told["fair"]}
    assert fair["market-maker"]["fair"] == "0.6250"
    assert fair["muddled"]["fair"] is None
    assert fair["muddled"]["source"] == f"KeyError: '{RAIN}'"
    assert "AttributeError" in fair["careless"]["source"]
    assert {each["state"] for each in told["strategies"]} == {"trading"}


def _listing() -> Listing:
    event = EventTicker("KXRAIN")
    return Listing(
        market=catalog.Market(
            ticker=RAIN,
            event_ticker=event,
            title="Will it rain?",
            open_at=None,
            close_at=Instant(NOON + DAY),
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        ),
        event=catalog.Event(
            ticker=event,
            series_ticker=SeriesTicker("KXRAIN"),
            title="Rain",
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        category="Climate",
        grid=LINEAR_CENT,
        status=MarketStatus.ACTIVE,
    )
