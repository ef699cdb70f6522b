"""One market: its facts, its newest trades, and what a strategy thinks it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from trueup.core.catalog import FeeTerms
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, parse_instant
from trueup.core.market import MarketStatus
from trueup.core.units import rounded_text
from trueup.engine.market import PublicTrade, Top
from trueup.run.bot.decision_log import Line
from trueup.run.bot.status import FairShown, TopShown
from trueup.run.markets.watch import MarketSeen
from trueup.web.values import shown
from trueup.web.values.activity import result
from trueup.web.values.bot import decision_rows
from trueup.web.values.markets import price_told, spread_of, spread_shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone


def market_facts(
    seen: MarketSeen | None, fairs: Sequence[FairShown], now: Instant
) -> dict[str, Shown]:
    """The figures of a market; all unknown before it was seen.  `fairs` are the bot's of all markets."""
    if seen is None:
        return dict.fromkeys(_FACTS, shown.NOTHING)
    market, top, at = seen.listing.market, seen.top, seen.top.at
    figures = (
        status_shown(seen.listing.status),
        shown.price(top.bid, at=at),
        shown.price(top.ask, at=at),
        spread_shown(top.spread),
        shown.price(top.last, at=at),
        fair_value(fairs, market.ticker),
        shown.count(seen.volume),
        shown.count(top.volume_24h),
        shown.count(seen.open_interest),
        shown.moment(market.open_at),
        shown.moment(market.close_at),
        shown.time_left(market.close_at, now),
        shown.moment(market.expected_expiration_at),
        fee_shown(seen.listing.fee_terms, market.fee_waiver_until),
        shown.words(seen.listing.grid.label.replace("_", " ")),
        result(seen.result, seen.settlement_value),
        shown.words(seen.listing.category),
        shown.words(market.event_ticker, title=seen.listing.event.title),
    )
    return dict(zip(_FACTS, figures, strict=True))


_FACTS: Final = (
    *("Status", "Bid", "Ask", "Spread", "Last", "Fair value", "Volume", "Volume, 24 h"),
    *("Open interest", "Opened (UTC)", "Closes (UTC)", "Closes in", "Expected result (UTC)"),
    *("Fees", "Price steps", "Result", "Category", "Event"),
)


def status_shown(status: MarketStatus) -> Shown:
    """The exchange's word for where the market stands."""
    if status is MarketStatus.ACTIVE:
        return Shown("● active", Tone.GOOD, "orders are taken")
    if status in {MarketStatus.INITIALIZED, MarketStatus.INACTIVE}:
        return Shown(f"○ {status.value}", Tone.LOOK, "no orders are taken now")
    return Shown(f"■ {status.value}", Tone.MUTED, "no orders are taken any more")


def fee_shown(terms: FeeTerms | None, waived_until: Instant | None) -> Shown:
    """What a fill is charged by."""
    if terms is None:
        return shown.NOTHING
    if terms.waived:
        return Shown("waived", Tone.GOOD, f"until {shown.moment(waived_until).title}")
    words = terms.fee_type.replace("_", " ")
    return Shown(f"{words} × {rounded_text(terms.multiplier, 2)}", title=terms.fee_type)


def fair_value(fairs: Iterable[FairShown], ticker: Ticker) -> Shown:
    """What the bot's strategies think that YES is worth; whose figure it is, and as of when, in the title."""
    mine = [each for each in fairs if each.ticker == ticker]
    if not mine:
        return Shown(shown.UNKNOWN, Tone.MUTED, "no strategy has an opinion")
    known = [each for each in mine if each.fair is not None]
    text = " · ".join(f"{each.fair} ({each.strategy})" for each in known) or shown.UNKNOWN
    times = [parse_instant(each.as_of) for each in known if each.as_of is not None]
    tone = Tone.PLAIN if len(known) == len(mine) else Tone.LOOK
    return Shown(text, tone, "; ".join(map(_whose, mine)), min(times, default=None))


def _whose(each: FairShown) -> str:
    if each.fair is None:
        return f"{each.strategy} cannot say: {each.source}"
    when = "" if each.as_of is None else f", as of {shown.moment(parse_instant(each.as_of)).title}"
    return f"{each.strategy}: {each.source}{when}"


def thought_rows(lines: Sequence[Line], ticker: Ticker, *, limit: int) -> list[TableRow]:
    """The bot's newest decisions about this market, newest first."""
    mine = [line for line in lines if line.get("ticker") == ticker]
    return decision_rows(mine, words="", only="", limit=limit)


def trade_rows(trades: Iterable[PublicTrade]) -> list[TableRow]:
    """Everybody's trades, in the order in which they come."""
    return [
        TableRow(
            key=f"{each.at}/{place}",
            cells={
                "at": shown.moment(each.at),
                "side": shown.side(each.taker_side.value),
                "price": shown.price(each.price),
                "count": shown.count(each.count),
            },
        )
        for place, each in enumerate(trades)
    ]


def fresher(top: Top, told: TopShown | None) -> dict[str, Shown]:
    """The facts that a bot's feed tells more freshly, if it does."""
    if told is None or parse_instant(told.at) <= top.at:
        return {}
    bid, ask = price_told(told.bid), price_told(told.ask)
    return {
        "Bid": shown.price(bid),
        "Ask": shown.price(ask),
        "Spread": spread_shown(spread_of(bid, ask)),
        "Last": shown.price(price_told(told.last)),
    }
