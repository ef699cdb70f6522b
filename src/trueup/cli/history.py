"""`history download`: candlesticks and public trades into the archive."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from trueup.cli.archive import open_archive
from trueup.cli.common import Invocation, SandboxWorld, command, event_words, lead
from trueup.core.errors import CallerError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.net.session import Event
from trueup.run.archive.history import Download, Downloaded, HistoryOptions
from trueup.run.clients import open_async_client
from trueup.run.markets.views import PERIODS
from trueup.store.archive import Archive


def register(app: typer.Typer) -> None:
    """Add the commands of the past."""
    group = typer.Typer(help="What markets did before you listened.", no_args_is_help=True)
    command(group, "download")(download)
    app.add_typer(group, name="history")


def download(
    invocation: Invocation,
    *,
    ticker: Annotated[list[str] | None, typer.Option("--ticker", help="These markets.")] = None,
    series: Annotated[
        list[str] | None, typer.Option("--series", help="All markets of these series.")
    ] = None,
    days: Annotated[int, typer.Option("--days", help="So many days back.", min=1)] = 30,
    since: Annotated[str, typer.Option("--since", help="From then on, RFC 3339.")] = "",
    period: Annotated[
        str, typer.Option("--period", help="Of candlesticks: 1m, 1h, 1d, or none.")
    ] = "1h",
    trades: Annotated[bool, typer.Option("--trades/--no-trades", help="Public trades.")] = True,
) -> None:
    """Download candlesticks and public trades; again, it asks only for what is new."""
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    if period not in {*PERIODS, "none"}:
        raise CallerError(
            f"there are no candlesticks of {period!r}",
            remedy=f"Use one of {', '.join(PERIODS)}, or none.",
        )
    archive = open_archive(settings)
    done = asyncio.run(
        _download(
            invocation,
            archive,
            tickers=frozenset(
                Ticker(part) for each in ticker or [] for part in each.split(",") if part
            ),
            series=frozenset(SeriesTicker(each) for each in series or []),
            since=parse_instant(since) if since else None,
            days=days,
            period=period,
            trades=trades,
        )
    )
    output = invocation.output
    output.result(
        {
            "folder": str(archive.folder),
            "markets": done.markets,
            "trades": done.trades,
            "candles": done.candles,
            "already_there": done.resumed,
        }
    )
    output.say(
        f"{done.markets} markets: {done.trades:,} trades and {done.candles:,} candlesticks came, "
        f"{done.resumed} parts were there already."
    )


async def _download(
    invocation: Invocation,
    archive: Archive,
    *,
    tickers: frozenset[Ticker],
    series: frozenset[SeriesTicker],
    since: Instant | None,
    days: int,
    period: str,
    trades: bool,
) -> Downloaded:
    def hear(event: Event) -> None:
        if words := event_words(event):
            invocation.output.detail(words)

    client = open_async_client(
        venue=invocation.venue,
        account=invocation.account,
        environment=invocation.environment,
        on_event=hear,
    )
    async with client:
        now = client.session.now()
        options = HistoryOptions(
            tickers=tickers,
            series=series,
            since=Instant(now - days * DAY) if since is None else since,
            until=now,
            period=PERIODS.get(period),
            trades=trades,
        )
        with invocation.output.progress("asking the exchange") as line:
            return await Download(client, archive, options, line.step).run()
