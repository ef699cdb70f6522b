"""`markets scan`: all open markets, and the few of them that are worth a closer look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from trueup.cli.common import Invocation, SandboxWorld, lead, listening
from trueup.cli.output import Column, plain
from trueup.core.errors import CallerError
from trueup.core.ids import SeriesTicker
from trueup.core.instant import format_instant, parse_length
from trueup.core.units import Count, Price, Ratio
from trueup.engine.scanner import EVERYTHING, Scan, SortBy
from trueup.run.desk import Desk, DeskSettings
from trueup.run.markets.scanning import csv_text, newcomers, scan_markets
from trueup.run.schedule import parse_interval, repeat
from trueup.run.views import Row

_COLUMNS = (
    Column("ticker", "market"),
    Column("title", "title"),
    Column("category", "category"),
    Column("volume", "volume", is_figure=True),
    Column("volume_24h", "24 h", is_figure=True),
    Column("yes_bid", "bid", is_figure=True),
    Column("yes_ask", "ask", is_figure=True),
    Column("spread", "spread", is_figure=True),
    Column("time_left", "closes in", is_figure=True),
)


Category = Annotated[
    list[str] | None, typer.Option("--category", help="Only these, such as Economics.")
]
SeriesNames = Annotated[
    list[str] | None, typer.Option("--series", help="Only markets of these series.")
]
Everything = Annotated[
    bool, typer.Option("--all", help="Every open market: no limit on volume, price or number.")
]
VolumeMin = Annotated[
    int | None, typer.Option("--volume-min", help="Contracts ever traded [1000].", min=0)
]
Volume24hMin = Annotated[
    int | None, typer.Option("--volume-24h-min", help="Contracts of the last day.", min=0)
]
PriceMax = Annotated[
    str, typer.Option("--price-max", help="Dollars that YES costs at most [0.30].")
]
PriceMin = Annotated[str, typer.Option("--price-min", help="Dollars that YES costs at least.")]
SpreadMax = Annotated[
    str, typer.Option("--spread-max", help="Dollars between bid and ask at most.")
]
ClosesWithin = Annotated[str, typer.Option("--closes-within", help="Such as 24h or 7d.")]
ClosesAfter = Annotated[
    str, typer.Option("--closes-after", help="Such as 4h: nothing that closes sooner.")
]
Limit = Annotated[int | None, typer.Option("--limit", help="At most so many [50].", min=1)]
Times = Annotated[
    int | None, typer.Option("--times", help="With --watch: stop after so many.", min=1)
]


def scan_command(
    invocation: Invocation,
    *,
    category: Category = None,
    series: SeriesNames = None,
    everything: Everything = False,
    volume_min: VolumeMin = None,
    volume_24h_min: Volume24hMin = None,
    price_max: PriceMax = "",
    price_min: PriceMin = "",
    spread_max: SpreadMax = "",
    closes_within: ClosesWithin = "",
    closes_after: ClosesAfter = "",
    sort: Annotated[SortBy, typer.Option("--sort", help="What stands first.")] = SortBy.VOLUME,
    limit: Limit = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a heading line.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again, until Ctrl-C.")] = False,
    every: Annotated[str, typer.Option("--every", help="The pause of --watch.")] = "60s",
    times: Times = None,
) -> None:
    """Look over all open markets: busy ones whose YES is cheap, unless told otherwise.

    A market whose figure is not known (nobody offers, no close time) fails a
    condition on that figure.
    """
    if as_csv and (watch or invocation.output.as_json):
        raise CallerError(
            "CSV is one table, for one scan", remedy="Leave out --csv, or --watch and --json."
        )
    asked: dict[str, Any] = {
        "categories": frozenset(category or ()),
        "sort_by": sort,
        "volume_min": None if volume_min is None else Count.of_contracts(volume_min),
        "volume_24h_min": None if volume_24h_min is None else Count.of_contracts(volume_24h_min),
        "price_max": Price.parse(price_max) if price_max else None,
        "price_min": Price.parse(price_min) if price_min else None,
        "spread_max": Ratio(Price.parse(spread_max).units, 10_000) if spread_max else None,
        "time_left_max": parse_length(closes_within) if closes_within else None,
        "time_left_min": parse_length(closes_after) if closes_after else None,
        "most": limit,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    wanted = replace(EVERYTHING if everything else Scan(), **given)
    names = frozenset(SeriesTicker(each) for each in series or ())
    _scan(invocation, wanted, names, as_csv=as_csv, every=every if watch else "", times=times)


def _scan(
    invocation: Invocation,
    wanted: Scan,
    names: frozenset[SeriesTicker],
    *,
    as_csv: bool,
    every: str,
    times: int | None,
) -> None:
    settings = lead(invocation, world=SandboxWorld.BUILT_IN, aside=as_csv)
    pause = parse_interval(every) if every else 0

    with listening(invocation, settings) as hear, Desk(settings, on_event=hear) as desk:
        client = desk.client()
        if pause:
            watcher = _Watcher(invocation, settings)
            repeat(
                lambda: watcher.show(scan_markets(client, wanted, series=names)),
                pause_seconds=pause,
                clock=desk.clock,
                failed=lambda error: invocation.output.notice(str(error)),
                rounds=times,
            )
            return
        rows = scan_markets(client, wanted, series=names)
    if as_csv:
        typer.echo(csv_text(rows), nl=False)
    else:
        invocation.output.listing("markets", rows, _COLUMNS, empty="No market fits.")


class _Watcher:
    """Shows one scan after the other, and says which markets are new in each."""

    def __init__(self, invocation: Invocation, settings: DeskSettings) -> None:
        self._output = invocation.output
        self._settings = settings
        self._before: Sequence[Row] | None = None

    def show(self, rows: Sequence[Row]) -> None:
        at = format_instant(self._settings.clock.now())
        new = newcomers(self._before or (), rows) if self._before is not None else frozenset[str]()
        self._before = rows
        if self._output.as_json:
            # A stream has no end to close a list at: one object a scan, each on its line.
            found = {
                "venue": self._settings.venue.value,
                "account": self._settings.config.account,
                "at": at,
                "new": sorted(new),
                "markets": rows,
            }
            typer.echo(json.dumps(plain(found), ensure_ascii=False))
            return
        words = f", new: {', '.join(sorted(new))}" if new else ""
        self._output.say()
        self._output.say(f"{at[:19]}Z  {len(rows)} markets{words}", style="bold")
        self._output.listing("markets", rows, _COLUMNS, empty="No market fits.")
