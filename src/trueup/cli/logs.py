"""`logs …`: what the programs of an account said and did."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import Column
from trueup.core.instant import SECOND, Instant, format_instant
from trueup.core.units import Count, Price
from trueup.run.clock import SystemClock
from trueup.run.desk import DeskSettings
from trueup.run.operator.log_reading import Filter, line_words, read_log
from trueup.run.operator.operations import operations_path
from trueup.run.schedule import parse_interval
from trueup.store.operations import CallRow, ErrorRow, OrderRow, Selection, read_rows

SinceOption = Annotated[
    str, typer.Option("--since", help="Not older than this: 90s, 15m, 2h, 7d.", metavar="TIME")
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")]
WordsOption = Annotated[str, typer.Option("--words", help="Only with these words in it.")]

_NO_TABLES = "Nothing is kept yet: a bot, a sync or an order makes the first rows."


def register(app: typer.Typer) -> None:
    """Add the commands of the logs."""
    group = typer.Typer(help="What the programs of an account said and did.", no_args_is_help=True)
    command(group, "show")(show)
    command(group, "errors")(errors)
    command(group, "calls")(calls)
    command(group, "orders")(orders)
    app.add_typer(group, name="logs")


def show(
    invocation: Invocation,
    *,
    program: Annotated[
        str, typer.Option("--program", help="Only of this one: bot, sync, record, web.")
    ] = "",
    level: Annotated[
        str, typer.Option("--level", help="At least: debug, info, warning, error.")
    ] = "",
    since: SinceOption = "",
    words: WordsOption = "",
    limit: LimitOption = 50,
) -> None:
    """The newest lines of the log files."""
    settings = lead(invocation)
    wanted = Filter(program=program, level=level, since=_since(since), words=words, limit=limit)
    lines = read_log(settings.home, settings.config, wanted)
    rows: list[dict[str, object]] = [{**line, "words": line_words(line)} for line in lines]
    output = invocation.output
    output.result({"lines": lines})
    output.table(
        ["at", "program", "level", "what"],
        [[r.get("at"), r.get("program"), r.get("level"), r["words"]] for r in rows],
        empty="No log lines: bots and scheduled syncs write them.",
    )


def calls(
    invocation: Invocation,
    *,
    operation: Annotated[str, typer.Option("--operation", help="Part of its name.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    since: SinceOption = "",
    limit: LimitOption = 50,
) -> None:
    """The newest calls of the API: what was asked, how it ended, how long it took."""
    settings = lead(invocation)
    wanted = Selection(since=_since(since), operation=operation, failed=failed, limit=limit)
    rows = _rows(settings, CallRow, wanted)
    for row in rows:
        row["milliseconds"] = row.pop("microseconds") // 1000
    columns = (
        *(Column("at", "at"), Column("process", "program"), Column("event", "what")),
        *(Column("operation", "operation"), Column("status", "status", is_figure=True)),
        *(
            Column("attempt", "attempt", is_figure=True),
            Column("milliseconds", "ms", is_figure=True),
        ),
        Column("words", "words"),
    )
    invocation.output.listing("calls", rows, columns, empty=_NO_TABLES)


def orders(
    invocation: Invocation,
    *,
    ticker: Annotated[str, typer.Option("--ticker", help="Part of the market's name.")] = "",
    order: Annotated[str, typer.Option("--order", help="An order id, theirs or ours.")] = "",
    since: SinceOption = "",
    limit: LimitOption = 50,
) -> None:
    """The newest steps of orders: intended, sent, accepted, refused, filled, canceled."""
    settings = lead(invocation)
    wanted = Selection(since=_since(since), ticker=ticker, order=order, limit=limit)
    rows = _rows(settings, OrderRow, wanted)
    for row in rows:
        row["price"] = None if row["price"] is None else Price(row["price"])
        row["count"] = None if row["count"] is None else Count(row["count"])
    columns = (
        *(Column("at", "at"), Column("event", "what"), Column("ticker", "market")),
        *(Column("strategy", "strategy"), Column("side", "side")),
        *(Column("count", "count", is_figure=True), Column("price", "price", is_figure=True)),
        Column("words", "words"),
    )
    invocation.output.listing("order_events", rows, columns, empty=_NO_TABLES)


def errors(
    invocation: Invocation,
    *,
    since: SinceOption = "",
    words: WordsOption = "",
    limit: LimitOption = 50,
) -> None:
    """The newest errors, and what to do about each."""
    settings = lead(invocation)
    rows = _rows(settings, ErrorRow, Selection(since=_since(since), words=words, limit=limit))
    columns = (
        *(Column("at", "at"), Column("process", "program"), Column("kind", "kind")),
        *(Column("words", "what happened"), Column("remedy", "what to do")),
    )
    invocation.output.listing("errors", rows, columns, empty="No errors.")


def _rows(settings: DeskSettings, kind: type[Any], wanted: Selection) -> list[dict[str, Any]]:
    rows = read_rows(operations_path(settings.home, settings.config), kind, wanted)
    for row in rows:
        row["at"] = format_instant(Instant(row["at"]))
    return rows


def _since(text: str) -> Instant | None:
    if not text:
        return None
    return Instant(SystemClock().now() - parse_interval(text) * SECOND)
