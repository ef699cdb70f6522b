"""`record` and `archive …`: market data kept, looked at, and thrown away when it is old."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack, suppress
from typing import Annotated

import typer

from trueup.cli.common import (
    Invocation,
    LogJsonOption,
    MetricsPortOption,
    SandboxWorld,
    command,
    event_words,
    lead,
)
from trueup.cli.output import Column
from trueup.core.errors import CallerError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import MINUTE, SECOND, utc_day
from trueup.net.session import Event
from trueup.run.archive.record import Recording, RecordOptions
from trueup.run.archive.record_watch import RecordWatch
from trueup.run.archive.recorder import Recorded, Recorder
from trueup.run.bot.reach import open_reading_client
from trueup.run.clock import SystemClock
from trueup.run.config import archive_path, make_home
from trueup.run.desk import DeskSettings
from trueup.run.operator.beside import Operator, OperatorOptions
from trueup.store.archive import Archive
from trueup.store.archive_columns import COLUMNS, Kind
from trueup.store.archive_keeping import aggregate, compact, old_parts, prune
from trueup.store.archive_query import query

_SHOWN_MAX = 1_000

SinceOption = Annotated[str, typer.Option("--since", help="From this UTC day on: 2026-10-06.")]
UntilOption = Annotated[str, typer.Option("--until", help="Until this UTC day, included.")]


def register(app: typer.Typer) -> None:
    """Add the commands of the archive."""
    command(app, "record")(record)
    group = typer.Typer(help="Recorded market data: Parquet, kept by day.", no_args_is_help=True)
    command(group, "list")(list_archive)
    command(group, "show")(show)
    command(group, "query")(ask)
    command(group, "compact")(compact_archive)
    command(group, "prune")(prune_archive)
    app.add_typer(group, name="archive")


def open_archive(settings: DeskSettings) -> Archive:
    """The archive of the venue."""
    # It makes its own folders, whose figures are everybody's; what may hold them is not.
    make_home(settings.home)
    return Archive(archive_path(settings.home, settings.config))


def record(
    invocation: Invocation,
    *,
    ticker: Annotated[list[str] | None, typer.Option("--ticker", help="These markets.")] = None,
    series: Annotated[
        list[str] | None, typer.Option("--series", help="The open markets of these series.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option("--category", help="The open markets of these categories.")
    ] = None,
    poll: Annotated[
        float | None,
        typer.Option("--poll", help="Read by REST every so many seconds instead.", min=1),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Stop by itself after so long.", min=0.02)
    ] = None,
    flush: Annotated[
        float, typer.Option("--flush", help="Seconds between two files.", min=0.5)
    ] = 60,
    metrics_port: MetricsPortOption = 0,
    log_json: LogJsonOption = False,
) -> None:
    """Record books, trades and tickers until Ctrl-C: trueup record --series KXHIGHNY."""
    settings = lead(invocation, world=SandboxWorld.LIVING)
    options = RecordOptions(
        tickers=frozenset(
            Ticker(part) for each in ticker or [] for part in each.split(",") if part
        ),
        series=frozenset(SeriesTicker(each) for each in series or []),
        categories=frozenset(category or []),
        poll=None if poll is None else int(poll * SECOND),
        flush=int(flush * SECOND),
        leave_after=None if minutes is None else int(minutes * MINUTE),
    )
    archive = open_archive(settings)
    output = invocation.output
    output.say(f"recording to {archive.folder}; Ctrl-C stops")
    recorder = Recorder(archive, writer=str(os.getpid()))
    watched = OperatorOptions(role="record", port=metrics_port, to_stderr=log_json)
    with Operator(settings, watched) as operator:
        markets = asyncio.run(
            _record(invocation, settings, recorder, options=options, operator=operator)
        )
    done = recorder.recorded
    output.result(
        {
            "folder": str(archive.folder),
            "markets": markets,
            "rows": {kind.value: rows for kind, rows in done.rows.items()},
            "lost": done.lost,
            "trouble": done.trouble,
        }
    )
    told = ", ".join(f"{rows:,} {kind.value}" for kind, rows in sorted(done.rows.items()))
    output.say(f"{markets} markets: {told or 'nothing'}")
    if done.trouble:
        output.notice(done.trouble)
        invocation.exit_code = 1


async def _record(
    invocation: Invocation,
    settings: DeskSettings,
    recorder: Recorder,
    *,
    options: RecordOptions,
    operator: Operator,
) -> int:
    watch = RecordWatch(operator, flush=options.flush)

    def hear(event: Event) -> None:
        operator.event(event)
        if words := event_words(event):
            invocation.output.detail(words)

    with ExitStack() as stack, invocation.output.progress("listening") as line:
        client = open_reading_client(settings, stack, on_event=hear)
        shown = 0

        def told(recorded: Recorded, markets: int) -> None:
            nonlocal shown
            count = recorded.ticks + recorder.waiting
            line.step(f"{markets} markets", count - shown)
            watch.told(recorded, markets)
            shown = count

        async with client:
            recording = Recording(client, recorder, SystemClock(), options, told)
            loop = asyncio.get_running_loop()
            for each in (signal.SIGINT, signal.SIGTERM):
                with suppress(NotImplementedError, RuntimeError):
                    loop.add_signal_handler(each, recording.stop)
            await recording.run()
            return len(recording.markets)


def list_archive(
    invocation: Invocation, *, since: SinceOption = "", until: UntilOption = ""
) -> None:
    """What is there: by kind and day, with its files, rows and bytes."""
    archive = open_archive(lead(invocation))
    rows: list[dict[str, object]] = []
    for kind in archive.kinds():
        days: dict[str, list[int]] = {}
        for part in archive.parts(kind, since=since, until=until):
            figures = days.setdefault(part.day, [0, 0, 0])
            figures[0] += 1
            figures[1] += part.rows()
            figures[2] += part.bytes
        rows.extend(
            {
                "kind": kind.value,
                "day": day,
                "files": files,
                "rows": count,
                "bytes": size,
                "bytes_a_row": f"{size / count:.2f}" if count else None,
            }
            for day, (files, count, size) in sorted(days.items())
        )
    columns = (
        Column("kind", "kind"),
        Column("day", "day"),
        Column("files", "files", is_figure=True),
        Column("rows", "rows", is_figure=True),
        Column("bytes", "bytes", is_figure=True),
        Column("bytes_a_row", "bytes a row", is_figure=True),
    )
    invocation.output.listing(
        "archive", rows, columns, empty=f"Nothing is recorded in {archive.folder} yet."
    )


def show(
    invocation: Invocation,
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(Kind)}.")],
) -> None:
    """The columns of a kind, with their units."""
    lead(invocation)
    if kind not in set(Kind):
        raise CallerError(f"there is no kind {kind!r}", remedy=f"Use one of {', '.join(Kind)}.")
    rows: list[dict[str, object]] = [
        {"column": each.name, "type": each.type, "unit": each.unit, "what": each.words}
        for each in COLUMNS[Kind(kind)]
    ]
    columns = tuple(Column(name, name) for name in ("column", "type", "unit", "what"))
    invocation.output.listing("columns", rows, columns)


def ask(
    invocation: Invocation,
    sql: Annotated[str, typer.Argument(help="SQL over the kinds as tables.")],
    *,
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[
        int, typer.Option("--limit", help="At most so many rows.", min=1)
    ] = _SHOWN_MAX,
) -> None:
    """Ask in SQL: trueup archive query "SELECT ticker, sum(count) FROM trades GROUP BY 1"."""
    archive = open_archive(lead(invocation))
    answer = query(archive, sql, since=since, until=until, rows_max=limit)
    output = invocation.output
    output.result({"columns": answer.columns, "rows": [_plain(row) for row in answer.rows]})
    output.table(list(answer.columns), answer.rows, empty="No row.")


def compact_archive(invocation: Invocation) -> None:
    """Make one small file of each past day, and add the day up."""
    archive, today = open_archive(lead(invocation)), _today()
    output = invocation.output
    with output.progress("looking") as line:
        days = aggregate(archive, today=today, told=line.step)
        done = compact(archive, today=today, told=line.step)
    output.result(
        {
            "added_up": days,
            "compacted": [
                {
                    "kind": each.kind.value,
                    "day": each.day,
                    "rows": each.rows,
                    "bytes_before": each.before,
                    "bytes_after": each.after,
                }
                for each in done
            ],
        }
    )
    for each in done:
        output.say(
            f"{each.kind.value} of {each.day}: {each.rows:,} rows, "
            f"{each.before:,} → {each.after:,} bytes"
        )
    output.say(f"{len(done)} files made, {len(days)} days added up.")


def prune_archive(
    invocation: Invocation,
    *,
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", help="Default: the config's, or 30.", min=0)
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Do it; without, only say what would be done.")
    ] = False,
) -> None:
    """Throw away raw messages that are old and added up.  A dry run until --write."""
    settings = lead(invocation)
    archive = open_archive(settings)
    keep = settings.config.archive.keep_days if keep_days is None else keep_days
    pruning = old_parts(archive, today=_today(), keep_days=keep)
    if write:
        prune(pruning)
    output = invocation.output
    output.result(
        {
            "written": write,
            "keep_days": keep,
            "files": [str(part.path) for part in pruning.parts],
            "bytes": pruning.bytes,
            "waiting": pruning.waiting,
        }
    )
    verb = "thrown away" if write else "would be thrown away (--write does it)"
    output.say(
        f"{len(pruning.parts)} files, {pruning.bytes:,} bytes, older than {keep} days: {verb}"
    )
    if pruning.waiting:
        output.notice(
            f"{len(pruning.waiting)} days are old but not added up, and stay: "
            "`trueup archive compact` adds them up."
        )


def _plain(row: tuple[object, ...]) -> list[object]:
    return [
        each if isinstance(each, int | float | str | bool | None) else str(each) for each in row
    ]


def _today() -> str:
    return utc_day(SystemClock().now())
