"""The arbitrage finder: every pair of a mapping, both books read at once, both fees taken off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.units import Ratio, rounded_text
from trueup.engine.market import Listing, Top
from trueup.engine.other_venue import Pair
from trueup.engine.signals import VenueQuote
from trueup.engine.strategies.arbitrage import Opportunity, fees_here, find
from trueup.net.client import Client
from trueup.net.feeds.pairs_file import read_pairs
from trueup.net.feeds.polymarket import CLOB, GAMMA, Polymarket
from trueup.net.feeds.source import Heard, Reader
from trueup.net.feeds.sources import VenueSource
from trueup.run.bot.live_feeds import listing_of, top_of
from trueup.run.views import Row

COMBINED_MAX = Ratio(98, 100)
"""Both legs together must cost less than this, in dollars a share."""

_QUOTE_AGE_MAX = MINUTE


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair as both venues show it; `refused` says why it cannot be compared."""

    pair: Pair
    top: Top | None
    quote: VenueQuote | None
    found: Opportunity | None
    best: Opportunity | None
    """The better way to buy both sides, whether it pays or not."""
    refused: str = ""


class Finder:
    """Compares the pairs of a mapping file, again and again."""

    def __init__(
        self,
        client: Client,
        mapping: Path,
        *,
        combined_max: Ratio = COMBINED_MAX,
        gamma: str = "",
        clob: str = "",
    ) -> None:
        self._client = client
        self._pairs = read_pairs(mapping)
        self._combined_max = combined_max
        self._gamma, self._clob = gamma or GAMMA, clob or CLOB

    def compare(self) -> list[Compared]:
        """Every pair.  Raises what either venue's answer raises."""
        now = self._client.session.now()
        here = self._here(now)
        heard = asyncio.run(self._there(now))
        quotes = {each.ticker: each for each in heard.signals if isinstance(each, VenueQuote)}
        return [self._one(pair, here, quotes, heard.refused) for pair in self._pairs]

    def _here(self, now: Instant) -> Mapping[Ticker, tuple[Listing, Top]]:
        found: dict[Ticker, tuple[Listing, Top]] = {}
        for market in self._client.markets.list(tickers=[pair.ticker for pair in self._pairs]):
            event = self._client.events.get(market.event_ticker)
            series = self._client.series.get(event.series_ticker)
            found[market.ticker] = listing_of(market, event, series, now), top_of(market, now)
        return found

    async def _there(self, now: Instant) -> Heard:
        async with Reader() as reader:
            venue = Polymarket(reader, self._gamma, self._clob)
            source = VenueSource("polymarket", SECOND, self._pairs, venue, _QUOTE_AGE_MAX)
            return await source.read(now)

    def _one(
        self,
        pair: Pair,
        here: Mapping[Ticker, tuple[Listing, Top]],
        quotes: Mapping[Ticker, VenueQuote],
        refused: Sequence[str],
    ) -> Compared:
        quote, known = quotes.get(pair.ticker), here.get(pair.ticker)
        why = next((each for each in refused if each.startswith(f"{pair.ticker}:")), "")
        if known is None:
            why = f"{pair.ticker}: the exchange does not know this market"
        elif known[0].status is not MarketStatus.ACTIVE:
            why = f"{pair.ticker}: the market here is {known[0].status.value}, not open"
        if known is None or quote is None or why:
            return Compared(pair, None if known is None else known[1], quote, None, None, why)
        listing, top = known
        fees = fees_here(listing, top)
        best = find(top, quote, fees, combined_max=Ratio(3), net_min=None)
        found = find(top, quote, fees, combined_max=self._combined_max)
        why = "" if best is not None else f"{pair.ticker}: a leg is missing here or there"
        return Compared(pair, top, quote, found, best, why)


def row_of(each: Compared) -> Row:
    """A comparison as exact values by name."""
    top, quote, best = each.top, each.quote, each.best
    return {
        "ticker": each.pair.ticker,
        "venue": each.pair.venue,
        "market_id": each.pair.market_id,
        "yes_bid_here": None if top is None else top.bid,
        "yes_ask_here": None if top is None else top.ask,
        "yes_ask_there": None if quote is None else _text(quote.yes_ask),
        "no_ask_there": None if quote is None else _text(quote.no_ask),
        "buy_here": None if best is None else best.here.value,
        "combined": None if best is None else _text(best.combined),
        "fees": None if best is None else _text(best.fees),
        "net": None if best is None else _text(best.net),
        "shares": None if best is None else best.shares,
        "verdict": _verdict(each),
        "why_alike": {
            "source": each.pair.source,
            "time": each.pair.time,
            "rules": each.pair.rules,
            "checked_by": each.pair.checked_by,
            "checked_on": each.pair.checked_on,
        },
    }


def _verdict(each: Compared) -> str:
    if each.refused:
        return f"refused: {each.refused}"
    return "opportunity" if each.found is not None else "no"


def _text(dollars: Ratio | None) -> str | None:
    return None if dollars is None else rounded_text(dollars, 4)
