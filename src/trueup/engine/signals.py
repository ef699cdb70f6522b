"""What the world outside the exchange says: news, a model's probability, another venue's price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Ratio


class Direction(StrEnum):
    """Whether a piece of news makes YES more or less likely."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsSignal:
    """A piece of news about a market, classified.  `confidence` lies between 0 and 1.

    `signal_id` is the same for the same piece of news, however often it is read.
    """

    signal_id: str
    ticker: Ticker
    direction: Direction
    confidence: Ratio
    headline: str
    source: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorSignal:
    """An outside probability that YES pays, in [0, 1], and who says so."""

    ticker: Ticker
    probability: Ratio
    source: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueQuote:
    """What the same question costs on another venue, in dollars per contract.

    `yes_ask` and `no_ask` are what it costs to buy either side *in the terms of
    the Kalshi market* (the mapping has turned them round where needed); sizes
    are in shares.  `fee_per_share` is the other venue's fee, an upper bound.
    """

    ticker: Ticker
    venue: str
    yes_ask: Ratio | None
    no_ask: Ratio | None
    yes_size: Ratio
    no_size: Ratio
    fee_per_share: Ratio
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLegTaken:
    """The other leg of an arbitrage was bought: `count` contracts on the other venue."""

    ticker: Ticker
    venue: str
    count: Count
    at: Instant


Signal = NewsSignal | AnchorSignal | VenueQuote | OtherLegTaken
