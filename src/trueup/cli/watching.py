"""`markets watch`: one market as it moves, until interrupted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Annotated

import typer

from trueup.cli.common import Invocation, SandboxWorld, lead, listening
from trueup.cli.output import plain, shown
from trueup.core.errors import ExchangeRefused, TrueupError, Unreachable
from trueup.net.session import Event
from trueup.run.clients import open_async_client
from trueup.run.markets.watching import FIRST_SECONDS, watch_market
from trueup.run.views import Row


def watch(
    invocation: Invocation,
    ticker: Annotated[str, typer.Argument(help="The market.")],
    *,
    updates: Annotated[
        int, typer.Option("--updates", help="Stop after so many lines; 0 goes on.", min=0)
    ] = 0,
) -> None:
    """The top of a market's book and its trades, live; with --json one object a line."""
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    heading = {"venue": settings.venue.value, "account": settings.config.account}
    try:
        with listening(invocation, settings) as hear:
            asyncio.run(_watch(invocation, ticker, updates, heading=heading, hear=hear))
    except TimeoutError:
        raise Unreachable(
            f"no snapshot of the book of {ticker} came within {FIRST_SECONDS} s",
            remedy="Run `trueup doctor`: it says whether the exchange can be reached.",
        ) from None


async def _watch(
    invocation: Invocation,
    ticker: str,
    updates: int,
    *,
    heading: dict[str, str],
    hear: Callable[[Event], None],
) -> None:
    count = 0
    client = open_async_client(
        venue=invocation.venue,
        account=invocation.account,
        environment=invocation.environment,
        on_event=hear,
    )
    async with client:
        rows = watch_market(client, ticker)
        try:
            async for row in rows:
                _print(invocation, row, heading)
                count += 1
                if updates and count >= updates:
                    return
        except ExchangeRefused as refused:
            raise _not_watched(ticker, refused) from None
        finally:
            await rows.aclose()


def _not_watched(ticker: str, refused: ExchangeRefused) -> TrueupError:
    if refused.status:
        return refused
    return ExchangeRefused(
        f"there is nothing to watch under {ticker}",
        status=refused.status,
        code=refused.code,
        remedy="`trueup markets list` names the markets.",
    )


def _print(invocation: Invocation, row: Row, heading: dict[str, str]) -> None:
    if invocation.output.as_json:
        # A stream has no end to close a list at: one object a line, each whole.
        typer.echo(json.dumps({**heading, **plain(row)}, ensure_ascii=False))
        return
    at = str(row.get("at", ""))[11:19]
    if row["kind"] == "trade":
        words = (
            f"trade {shown(row['count'])} at {shown(row['yes_price'])}, taker {row['taker_side']}"
        )
    elif "yes_bid" not in row:
        words = f"book {row['state']}"
    else:
        bid, ask = (
            f"{shown(row[f'yes_{side}_count'])} × {shown(row[f'yes_{side}'])}"
            if row[f"yes_{side}"] is not None
            else "nobody"
            for side in ("bid", "ask")
        )
        words = f"book  bid {bid}   ask {ask}"
    invocation.output.say(f"{at}  {words}")
