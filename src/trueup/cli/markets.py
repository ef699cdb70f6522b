"""`markets`: what can be traded, at which prices, and how they have moved."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, cast

import typer

from trueup.cli.common import Invocation, SandboxWorld, command, lead, listening
from trueup.cli.output import Column, shown
from trueup.cli.scanning import scan_command
from trueup.cli.watching import watch
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.net.client import Client
from trueup.run.desk import Desk
from trueup.run.markets.views import list_candles, list_markets, show_book, show_market
from trueup.run.views import Row

TickerArgument = Annotated[str, typer.Argument(help="The market.")]


def register(app: typer.Typer) -> None:
    """Add the commands about markets."""
    group = typer.Typer(help="Markets, their books and candlesticks.", no_args_is_help=True)
    command(group, "list")(markets)
    command(group, "show")(show)
    command(group, "book")(book)
    command(group, "candles")(candles)
    command(group, "watch")(watch)
    command(group, "scan")(scan_command)
    app.add_typer(group, name="markets")


def markets(
    invocation: Invocation,
    *,
    status: Annotated[
        str, typer.Option("--status", help="unopened, open, paused, closed or settled.")
    ] = "open",
    series: Annotated[str, typer.Option("--series", help="Only of this series.")] = "",
    event: Annotated[str, typer.Option("--event", help="Only of this event.")] = "",
    combos: Annotated[bool, typer.Option("--combos", help="Multivariate markets too.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="At most so many.", min=1)] = 50,
) -> None:
    """List markets."""
    with _client(invocation) as client:
        rows = list_markets(
            client, status=status, series=series, event=event, combos=combos, limit=limit
        )
    columns = (
        Column("ticker", "market"),
        Column("title", "title"),
        Column("yes_bid", "bid", is_figure=True),
        Column("yes_ask", "ask", is_figure=True),
        Column("last", "last", is_figure=True),
        Column("volume_24h", "24 h", is_figure=True),
        Column("close_at", "closes"),
    )
    invocation.output.listing("markets", rows, columns, empty="No market fits.")


def show(invocation: Invocation, ticker: TickerArgument) -> None:
    """Everything that is said about a market: terms, rules, prices."""
    with _client(invocation) as client:
        row = show_market(client, ticker)
    output = invocation.output
    output.result(row)
    for name, value in row.items():
        if value not in (None, "", []) and not isinstance(value, list):
            output.say(f"{name.replace('_', ' '):<24} {shown(value)}")


def book(
    invocation: Invocation,
    ticker: TickerArgument,
    *,
    depth: Annotated[int, typer.Option("--depth", help="Levels a side.", min=1, max=100)] = 10,
) -> None:
    """The order book in YES prices; an ask is an offer of NO at one dollar less the price."""
    with _client(invocation) as client:
        row = show_book(client, ticker, depth=depth)
    output = invocation.output
    output.result(row)
    sides = [
        (side, level)
        for side, levels in (("ask", _rows(row["asks"])[::-1]), ("bid", _rows(row["bids"])))
        for level in levels
    ]
    output.table(
        ["side", "YES price", "contracts", "cumulative"],
        [(side, level["yes_price"], level["count"], level["cumulative"]) for side, level in sides],
        right=["YES price", "contracts", "cumulative"],
        empty="The book is empty.",
    )


def candles(
    invocation: Invocation,
    ticker: TickerArgument,
    *,
    period: Annotated[str, typer.Option("--period", help="1m, 1h or 1d.")] = "1h",
    start: Annotated[str, typer.Option("--start", help="RFC 3339 (default: a day ago).")] = "",
    end: Annotated[str, typer.Option("--end", help="RFC 3339 (default: now).")] = "",
) -> None:
    """Candlesticks of a market, oldest first."""
    with _client(invocation) as client:
        now = client.session.now()
        until = parse_instant(end) if end else now
        since = parse_instant(start) if start else Instant(until - DAY)
        rows = list_candles(client, ticker, period=period, start=since, end=until)
    columns = (
        Column("end_at", "until"),
        Column("open", "open", is_figure=True),
        Column("high", "high", is_figure=True),
        Column("low", "low", is_figure=True),
        Column("close", "close", is_figure=True),
        Column("bid", "bid", is_figure=True),
        Column("ask", "ask", is_figure=True),
        Column("volume", "volume", is_figure=True),
        Column("open_interest", "open interest", is_figure=True),
    )
    invocation.output.listing("candles", rows, columns, empty="Nothing happened in that time.")


@contextmanager
def _client(invocation: Invocation) -> Generator[Client]:
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    with listening(invocation, settings) as hear, Desk(settings, on_event=hear) as desk:
        yield desk.client()


def _rows(value: object) -> list[Row]:
    return cast("list[Any]", value)
