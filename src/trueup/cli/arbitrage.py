"""`arbitrage`: the same question on two venues, and whether both sides together cost less than $1."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, SandboxWorld, command, event_words, lead
from trueup.cli.output import Column
from trueup.core.alerts import Alert, AlertKind
from trueup.core.units import Price, Ratio
from trueup.net.feeds.pairs_file import EXAMPLE
from trueup.net.session import Event
from trueup.run.desk import Desk
from trueup.run.markets.arbitrage import Compared, Finder, row_of
from trueup.run.operator.alerting import open_alerts
from trueup.run.schedule import parse_interval, repeat

_COLUMNS = (
    Column("ticker", "market"),
    Column("yes_bid_here", "bid here", is_figure=True),
    Column("yes_ask_here", "ask here", is_figure=True),
    Column("yes_ask_there", "YES there", is_figure=True),
    Column("no_ask_there", "NO there", is_figure=True),
    Column("buy_here", "here buy"),
    Column("combined", "both", is_figure=True),
    Column("fees", "fees", is_figure=True),
    Column("net", "net", is_figure=True),
    Column("shares", "shares", is_figure=True),
    Column("verdict", "verdict"),
)


def register(app: typer.Typer) -> None:
    """Add the commands of the finder."""
    group = typer.Typer(
        help="Kalshi against Polymarket's public prices. It tells; it does not trade.",
        no_args_is_help=True,
    )
    command(group, "scan")(scan)
    command(group, "example")(example)
    app.add_typer(group, name="arbitrage")


def scan(
    invocation: Invocation,
    *,
    mapping: Annotated[
        str, typer.Option("--mapping", help="The TOML file that says what settles alike, and why.")
    ] = "pairs.toml",
    combined_max: Annotated[
        str, typer.Option("--combined-max", help="Dollars both sides must cost less than.")
    ] = "0.98",
    watch: Annotated[
        bool, typer.Option("--watch", help="Again and again; alerts go where alerts go.")
    ] = False,
    every: Annotated[str, typer.Option("--every", help="The pause of --watch.")] = "30s",
    times: Annotated[
        int | None, typer.Option("--times", help="With --watch: stop after so many.", min=1)
    ] = None,
) -> None:
    """Compare every pair: below 98 cents for both sides, and a profit after both fees."""
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    output = invocation.output
    pause = parse_interval(every)

    def hear(event: Event) -> None:
        words = event_words(event)
        if words:
            output.detail(words)

    with ExitStack() as stack:
        desk = stack.enter_context(Desk(settings, on_event=hear))
        asked = settings.config.feeds.polymarket
        finder = Finder(
            desk.client(),
            Path(mapping),
            combined_max=Ratio(Price.parse(combined_max).units, 10_000),
            gamma="" if asked is None else asked.gamma,
            clob="" if asked is None else asked.clob,
        )
        if not watch:
            _show(invocation, finder.compare())
            return
        delivery = open_alerts(settings, trouble=output.notice)
        if delivery is not None:
            stack.callback(delivery.close)

        def once() -> None:
            compared = finder.compare()
            _show(invocation, compared)
            for each in compared:
                if delivery is not None and each.found is not None:
                    words = f"{each.pair.ticker}: {each.found.words}"
                    delivery.tell(
                        Alert(at=desk.clock.now(), kind=AlertKind.OPPORTUNITY, words=words)
                    )

        repeat(
            once,
            pause_seconds=pause,
            clock=desk.clock,
            failed=lambda error: output.notice(str(error)),
            rounds=times,
        )


def _show(invocation: Invocation, compared: list[Compared]) -> None:
    output = invocation.output
    output.listing("pairs", [row_of(each) for each in compared], _COLUMNS)
    for each in compared:
        if each.found is not None:
            output.say(f"{each.pair.ticker}: {each.found.words}", style="bold")
            output.say(f"  alike because: {each.pair.source} {each.pair.time} {each.pair.rules}")


def example(invocation: Invocation) -> None:
    """Print a mapping file to begin with."""
    invocation.output.lead("sandbox", "main", aside=True)
    invocation.output.result({"mapping": EXAMPLE})
    if not invocation.output.as_json:
        typer.echo(EXAMPLE, nl=False)
