"""The scanner's rows: every open market, with its price, where that comes from and how old it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs, urlencode

from trueup.core.errors import CallerError, NotANumber
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, parse_instant
from trueup.core.units import Count, Price, Ratio
from trueup.engine.scanner import EVERYTHING, Found, Looked, Scan, fits, found_of
from trueup.run.books.account import Account
from trueup.run.bot.status import TopShown
from trueup.web.values import shown
from trueup.web.values.rows import TablePage, TableRow
from trueup.web.values.shown import MINUS, Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A market of the scanner, with its last price, and when its figures were true."""

    found: Found
    last: Price | None
    at: Instant


Key = Callable[[Listed], int | Ratio | str | None]

_KEYS: Final[Mapping[str, Key]] = {
    "market": lambda each: each.found.ticker,
    "title": lambda each: each.found.title,
    "category": lambda each: each.found.category,
    "bid": lambda each: None if each.found.bid is None else each.found.bid.units,
    "ask": lambda each: None if each.found.ask is None else each.found.ask.units,
    "spread": lambda each: each.found.spread,
    "last": lambda each: None if each.last is None else each.last.units,
    "volume": lambda each: each.found.volume.units,
    "volume_24h": lambda each: each.found.volume_24h.units,
    "closes": lambda each: each.found.closes,
    "quoted": lambda each: each.at,
}
"""What the columns are sorted by."""


def listed_at_exchange(markets: Iterable[Looked]) -> tuple[Listed, ...]:
    """The markets as the exchange has just listed them."""
    return tuple(
        Listed(found=found_of(each, each.top.at), last=each.top.last, at=each.top.at)
        for each in markets
    )


def listed_in_books(account: Account, now: Instant) -> tuple[Listed, ...]:
    """The markets that the books have a quote of and that are not known to have closed."""
    cache = account.books.cache
    catalog, found = cache.catalog(), list[Listed]()
    for ticker, aged in cache.quotes().items():
        market, quote = catalog.markets.get(ticker), aged.quote
        if market is None or (market.close_at is not None and market.close_at <= now):
            continue
        series = catalog.series_of(ticker)
        event = catalog.event_of(ticker)
        row = Found(
            ticker=ticker,
            title=market.title or ("" if event is None else event.title),
            category="" if series is None else series.category,
            ask=quote.yes_ask,
            bid=quote.yes_bid,
            spread=spread_of(quote.yes_bid, quote.yes_ask),
            volume=quote.volume,
            volume_24h=quote.volume_24h,
            closes=market.close_at,
            time_left=None if market.close_at is None else market.close_at - now,
        )
        found.append(Listed(found=row, last=quote.last, at=aged.fetched_at))
    return tuple(found)


def spread_of(bid: Price | None, ask: Price | None) -> Ratio | None:
    """Ask minus bid in dollars; `None` without both."""
    return None if bid is None or ask is None else Ratio(ask.units - bid.units, 10_000)


def freshened(listed: Iterable[Listed], tops: Mapping[Ticker, TopShown]) -> tuple[Listed, ...]:
    """The same at the tops that a bot has heard since."""
    return tuple(
        _at_top(each, tops[each.found.ticker]) if each.found.ticker in tops else each
        for each in listed
    )


def _at_top(listed: Listed, top: TopShown) -> Listed:
    at = parse_instant(top.at)
    if at <= listed.at:
        return listed
    bid, ask = price_told(top.bid), price_told(top.ask)
    found = replace(listed.found, bid=bid, ask=ask, spread=spread_of(bid, ask))
    return Listed(found=found, last=price_told(top.last), at=at)


def price_told(text: str | None) -> Price | None:
    """A price of the status document."""
    return None if text is None else Price.parse(text)


def categories(listed: Iterable[Listed]) -> tuple[str, ...]:
    """The categories that there are, in order."""
    return tuple(sorted({each.found.category for each in listed} - {""}))


def picked_of(*, category: str, volume: str, price: str) -> str:
    """The filters as one word of a table's query, and of the address of its export."""
    given = {"category": category, "volume": volume.strip(), "price": price.strip()}
    return urlencode({name: text for name, text in given.items() if text})


def wanted_of(picked: str) -> Scan:
    """The filters as the scanner takes them.  Raises `CallerError` for what is no number."""
    given = {name: texts[-1] for name, texts in parse_qs(picked).items()}
    wanted = EVERYTHING
    try:
        if "volume" in given:
            wanted = replace(wanted, volume_min=Count.parse(given["volume"].replace(",", "")))
    except NotANumber as error:
        words = f"The least volume {given['volume']!r} is no number of contracts"
        raise CallerError(words, remedy="Write it like 1000.") from error
    try:
        if "price" in given:
            wanted = replace(wanted, price_max=Price.parse(given["price"]))
    except NotANumber as error:
        words = f"The highest price {given['price']!r} is no price"
        raise CallerError(words, remedy="Write dollars from 0 to 1, like 0.30.") from error
    if "category" in given:
        wanted = replace(wanted, categories=frozenset({given["category"]}))
    return wanted


def market_page(
    listed: Iterable[Listed],
    wanted: Scan,
    *,
    sort: str,
    descending: bool,
    words: str,
    rows: slice,
    now: Instant,
    prefix: str = "",
) -> TablePage:
    """The rows that fit, sorted, unknown figures last whichever way."""
    words = words.lower()
    chosen = [each for each in listed if fits(each.found, wanted) and _says(each.found, words)]
    key = _KEYS.get(sort, _KEYS["volume"])
    chosen.sort(key=lambda each: each.found.ticker)
    known = [each for each in chosen if key(each) is not None]
    unknown = [each for each in chosen if key(each) is None]
    # Each column has figures of one kind only.
    known.sort(key=key, reverse=descending)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    shown_rows = [market_row(each, now=now, prefix=prefix) for each in (known + unknown)[rows]]
    return TablePage(shown_rows, len(chosen))


def _says(found: Found, words: str) -> bool:
    return all(
        word in found.ticker.lower()
        or word in found.title.lower()
        or word in found.category.lower()
        for word in words.split()
    )


def market_row(listed: Listed, *, now: Instant, prefix: str = "") -> TableRow:
    """A market."""
    found = listed.found
    return TableRow(
        key=found.ticker,
        href=f"{prefix}/market/{found.ticker}",
        cells={
            "market": Shown(found.ticker, title=found.title),
            "title": shown.words(found.title),
            "category": shown.words(found.category),
            "volume": shown.whole(found.volume),
            "volume_24h": shown.whole(found.volume_24h),
            "closes": shown.time_left(found.closes, now),
            **price_cells(listed),
        },
    )


def price_cells(listed: Listed) -> dict[str, Shown]:
    """The cells of `market_row` that move with the market."""
    found = listed.found
    return {
        "bid": shown.price(found.bid),
        "ask": shown.price(found.ask),
        "spread": spread_shown(found.spread),
        "last": shown.price(listed.last),
        "quoted": shown.moment(listed.at),
    }


def spread_shown(spread: Ratio | None) -> Shown:
    """A spread in dollars, with as many decimals as a price."""
    if spread is None:
        return shown.NOTHING
    text = str(Price(abs(int(spread * 10_000))))
    return Shown(f"{MINUS}{text}", title="bid above ask") if spread < 0 else Shown(text)


def live_prices(listed: Sequence[Listed], keys: Iterable[str]) -> dict[str, dict[str, Shown]]:
    """The cells that move, of those rows only."""
    wanted = set(keys)
    return {each.found.ticker: price_cells(each) for each in listed if each.found.ticker in wanted}
