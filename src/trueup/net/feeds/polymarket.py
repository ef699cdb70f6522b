"""Polymarket's public prices over HTTP: no key, no orders.

Two of its services are asked.  *Gamma* (``/markets/ID``) says what a market is: its
outcomes, the token of each, whether it takes orders, and its fee schedule; outcomes
and tokens are JSON inside of strings there.  The *CLOB* (``POST /books``) has the
order book of each token: prices and sizes as strings, bids and asks in any order.
A taker pays rate × (p × (1 − p))^exponent per share by the market's own schedule; a
market that says nothing of fees is taken to charge the highest rate there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from trueup.core.errors import ProtocolBroken
from trueup.core.instant import MINUTE, Instant
from trueup.core.units import Ratio
from trueup.engine.other_venue import Offer, OtherMarket
from trueup.net.feeds.source import Reader

VENUE: Final = "polymarket"
GAMMA: Final = "https://gamma-api.polymarket.com"
CLOB: Final = "https://clob.polymarket.com"

FEE_RATE_MAX: Final = Ratio(7, 100)
"""The highest taker rate of its schedule (crypto, 2026)."""

_DETAILS_AGE_MAX: Final = 5 * MINUTE
"""What a market is changes seldom; whether it is open is read again with this pace."""

Figure = str | int | float


class FeeSchedule(msgspec.Struct, frozen=True):
    """A market's taker fee."""

    rate: Figure = "0.07"
    exponent: Figure = 1


class GammaMarket(msgspec.Struct, frozen=True, rename="camel"):
    """What Gamma says about a market, as far as it matters here."""

    id: str
    question: str
    outcomes: str
    clob_token_ids: str
    active: bool = False
    closed: bool = True
    accepting_orders: bool = False
    fees_enabled: bool | None = None
    fee_schedule: FeeSchedule | None = None


class Level(msgspec.Struct, frozen=True):
    """One price of a book."""

    price: Figure
    size: Figure


class ClobBook(msgspec.Struct, frozen=True):
    """The order book of one token."""

    asset_id: str
    asks: tuple[Level, ...] = ()
    bids: tuple[Level, ...] = ()


class _Token(msgspec.Struct, frozen=True):
    token_id: str


_GAMMA = msgspec.json.Decoder(GammaMarket)
_BOOKS = msgspec.json.Decoder(tuple[ClobBook, ...])
_NAMES = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class _Details:
    market: GammaMarket
    tokens: Mapping[str, str]
    read_at: Instant


@dataclass(slots=True)
class Polymarket:
    """Reads markets and the tops of their books."""

    reader: Reader
    gamma: str = GAMMA
    clob: str = CLOB
    _details: dict[str, _Details] = field(default_factory=dict[str, _Details], init=False)

    async def markets(self, ids: Iterable[str], now: Instant) -> list[OtherMarket]:
        """The markets of these ids with their best asks, as of now.

        Raises `Unreachable` when a service does not answer, and `ProtocolBroken` for
        an answer that cannot be understood.
        """
        wanted = [await self._detail(each, now) for each in dict.fromkeys(ids)]
        tokens = [token for each in wanted for token in each.tokens.values()]
        books = await self._books(tokens)
        return [_market(each, books, now) for each in wanted]

    async def _detail(self, market_id: str, now: Instant) -> _Details:
        known = self._details.get(market_id)
        if known is not None and now - known.read_at < _DETAILS_AGE_MAX:
            return known
        page = await self.reader.get(f"{self.gamma}/markets/{market_id}")
        body = page.body or b""
        try:
            market = _GAMMA.decode(body)
            names, tokens = _NAMES.decode(market.outcomes), _NAMES.decode(market.clob_token_ids)
            details = _Details(market, dict(zip(names, tokens, strict=True)), now)
        except (msgspec.MsgspecError, ValueError) as error:
            raise _broken(f"market {market_id}", error, body) from error
        self._details[market_id] = details
        return details

    async def _books(self, tokens: Sequence[str]) -> dict[str, ClobBook]:
        if not tokens:
            return {}
        asked = [msgspec.to_builtins(_Token(each)) for each in tokens]
        page = await self.reader.post(f"{self.clob}/books", asked)
        body = page.body or b""
        try:
            return {each.asset_id: each for each in _BOOKS.decode(body)}
        except msgspec.MsgspecError as error:
            raise _broken("the books", error, body) from error


def _market(details: _Details, books: Mapping[str, ClobBook], now: Instant) -> OtherMarket:
    market = details.market
    schedule = market.fee_schedule
    rate, exponent = FEE_RATE_MAX, 1
    try:
        if schedule is not None:
            rate, exponent = _ratio(schedule.rate), int(_ratio(schedule.exponent))
        elif market.fees_enabled is False:
            rate = Ratio(0)
        offers = {name: _offer(books.get(token), now) for name, token in details.tokens.items()}
    except (ValueError, ZeroDivisionError) as error:
        raise _broken(f"market {market.id}", error, b"") from error
    return OtherMarket(
        market_id=market.id,
        question=market.question,
        is_open=market.active and market.accepting_orders and not market.closed,
        offers=offers,
        fee_rate=rate,
        fee_exponent=max(1, exponent),
    )


def _offer(book: ClobBook | None, now: Instant) -> Offer:
    """The best ask; a token without a book, or without asks, is not for sale."""
    if book is None:
        return Offer(ask=None, size=Ratio(0), at=now)
    asks = [(_ratio(each.price), _ratio(each.size)) for each in book.asks]
    real = [each for each in asks if each[1] > 0]
    if not real:
        return Offer(ask=None, size=Ratio(0), at=now)
    best = min(price for price, _ in real)
    return Offer(ask=best, size=sum((s for p, s in real if p == best), Ratio(0)), at=now)


def _ratio(figure: Figure) -> Ratio:
    return Ratio(str(figure))


def _broken(what: str, error: Exception, body: bytes) -> ProtocolBroken:
    return ProtocolBroken(
        f"Polymarket's answer about {what} cannot be understood: {error}",
        evidence=body[:200].decode("utf-8", "replace"),
    )
