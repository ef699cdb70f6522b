"""The same question elsewhere: which market there, which way round, and why they settle alike.

A `Pair` is written by a person who has read both rule books; nothing here guesses.
`quote_of` turns what the other venue shows into the terms of the market here, or
says in words why it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.units import Ratio
from trueup.engine.signals import VenueQuote


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two markets that settle alike, and why.

    `yes_is` is the outcome there that pays when YES pays here.  `source`, `time`
    and `rules` say why they settle alike: who decides, when, and by which words.
    """

    ticker: Ticker
    venue: str
    market_id: str
    yes_is: str
    source: str
    time: str
    rules: str
    checked_by: str
    checked_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one outcome costs there: the best ask in dollars, how many shares of it, as of when."""

    ask: Ratio | None
    size: Ratio
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherMarket:
    """A market of another venue.  A taker's fee is rate × (p × (1 − p))^exponent per share."""

    market_id: str
    question: str
    is_open: bool
    offers: Mapping[str, Offer]
    fee_rate: Ratio
    fee_exponent: int = 1


def quote_of(pair: Pair, market: OtherMarket, *, now: Instant, age_max: int) -> VenueQuote | str:
    """The other market in the terms of the one here; words where it cannot be used."""
    where = f"{pair.ticker}: market {pair.market_id} of {pair.venue}"
    if not market.is_open:
        return f"{where} is closed or takes no orders"
    names = sorted(market.offers)
    if pair.yes_is not in market.offers or len(names) != 2:  # noqa: PLR2004  # yes and no
        return f"{where} has the outcomes {', '.join(names)}, and {pair.yes_is!r} is not one of two"
    (other,) = (name for name in names if name != pair.yes_is)
    yes, no = market.offers[pair.yes_is], market.offers[other]
    oldest = min(yes.at, no.at)
    if now - oldest > age_max or oldest - now > age_max:
        return f"{where} was read {abs(now - oldest) // SECOND} s from now, too far to be used"
    asks = [each.ask for each in (yes, no) if each.ask is not None]
    if not asks:
        return f"{where} offers neither side: a leg is missing"
    if any(not 0 < ask < 1 for ask in asks):
        return f"{where} shows prices outside 0 and 1"
    return VenueQuote(
        ticker=pair.ticker,
        venue=pair.venue,
        yes_ask=yes.ask,
        no_ask=no.ask,
        yes_size=yes.size,
        no_size=no.size,
        fee_per_share=max(_fee(market, ask) for ask in asks),
        at=oldest,
    )


def _fee(market: OtherMarket, price: Ratio) -> Ratio:
    return market.fee_rate * (price * (1 - price)) ** market.fee_exponent
