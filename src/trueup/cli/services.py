"""`service …`: programs that run without anybody being there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.bot import settled_options
from trueup.cli.common import Invocation, command, lead
from trueup.core.errors import ConfigError
from trueup.net.health_server import ask_health
from trueup.run.desk import DeskSettings
from trueup.run.operator.service import Program, Service, launchd_unit, systemd_unit, write_unit
from trueup.run.schedule import parse_interval

_UNITS = {"darwin": launchd_unit}
"""How other systems than Linux keep a program running."""


def register(app: typer.Typer) -> None:
    """Add the commands of services."""
    group = typer.Typer(help="Run in the background.", no_args_is_help=True)
    command(group, "install")(install)
    app.add_typer(group, name="service")
    command(app, "health")(health)


def install(
    invocation: Invocation,
    *,
    sync: Annotated[bool, typer.Option("--sync", help="The scheduled sync.")] = False,
    every: Annotated[str, typer.Option("--every", help="The pause between syncs.")] = "15m",
    bot: Annotated[
        str,
        typer.Option(
            "--bot",
            help="A bot: a strategy, its file, a bot.toml, or `config` for the [bot] section.",
            metavar="STRATEGY",
        ),
    ] = "",
    capital: Annotated[str, typer.Option("--capital", help="Dollars the bot may tie up.")] = "",
    live: Annotated[
        bool, typer.Option("--live", help="One of the bot's three gates for real orders on prod.")
    ] = False,
    record: Annotated[
        str, typer.Option("--record", help="The recorder: series it records.", metavar="SERIES")
    ] = "",
    web: Annotated[bool, typer.Option("--web", help="The page.")] = False,
    system: Annotated[
        bool, typer.Option("--system", help="Services of the system, with a user of their own.")
    ] = False,
    user: Annotated[str, typer.Option("--user", help="That user.")] = "trueup",
    write: Annotated[
        bool, typer.Option("--write", help="Do it; without it only say what.")
    ] = False,
) -> None:
    """Write unit files (systemd or launchd) for programs that should keep running."""
    parse_interval(every)
    settings = lead(invocation)
    chosen: list[tuple[Program, list[str]]] = []
    if sync:
        chosen.append((Program.SYNC, ["sync", "--every", every]))
    if bot:
        chosen.append((Program.BOT, ["bot", "run", *_bot_words(settings, bot, capital, live=live)]))
    if record:
        series = [word for each in record.split(",") for word in ("--series", each)]
        chosen.append((Program.RECORD, ["record", *series]))
    if web:
        chosen.append((Program.WEB, ["web"]))
    if not chosen:
        raise ConfigError(
            "Say what to install.", remedy="One or more of --sync, --bot, --record, --web."
        )
    _install(
        invocation,
        [_service(invocation, settings, each, user=user if system else "") for each in chosen],
        write=write,
    )


def _bot_words(settings: DeskSettings, bot: str, capital: str, *, live: bool) -> list[str]:
    """The rest of the command line of a bot, with files named from the root.

    Raises what `bot check` raises for it: a service that cannot start would be restarted
    in vain, out of sight.
    """
    strategy, config = "" if bot == "config" else bot, ""
    if (path := Path(bot)).is_file():
        strategy = str(path.resolve())
        if path.suffix == ".toml":
            strategy, config = "", strategy
    settled_options(settings, strategy, config, capital)
    words = ["--config", config] if config else [strategy] if strategy else []
    if capital:
        words += ["--capital", capital]
    return [*words, "--live"] if live else words


def health(
    invocation: Invocation,
    *,
    port: Annotated[
        int, typer.Option("--port", help="Where it serves (default: config).", min=0, max=65_535)
    ] = 0,
) -> None:
    """Ask a running bot or sync how it is; exit code 0 only when all is well."""
    settings = lead(invocation)
    section = settings.config.metrics
    asked = port or section.port
    if not asked:
        raise ConfigError(
            "No port is known at which a program serves its health.",
            remedy="Give --port, or set metrics.port in config.toml.",
        )
    anywhere = section.host in {"0.0.0.0", "::"}  # noqa: S104  # compared, not listened on
    document = ask_health("127.0.0.1" if anywhere else section.host, asked)
    output = invocation.output
    output.result(document)
    output.say("All is well." if document["healthy"] else "Not all is well:")
    for reason in document.get("reasons", ()):
        output.say(f"  {reason}", style="red")
    for note in document.get("notes", ()):
        output.say(f"  {note}", style="dim")
    invocation.exit_code = 0 if document["healthy"] else 1


def _service(
    invocation: Invocation, settings: DeskSettings, chosen: tuple[Program, list[str]], *, user: str
) -> Service:
    program, words = chosen
    options: list[str] = []
    if invocation.venue:
        options += ["--venue", invocation.venue]
    if invocation.account:
        options += ["--account", invocation.account]
    return Service(
        program=program,
        command=(str(Path(sys.argv[0]).resolve()), *words, *options),
        home=settings.home.resolve(),
        user_home=Path.home(),
        user=user,
    )


def _install(invocation: Invocation, services: list[Service], *, write: bool) -> None:
    output = invocation.output
    units = [_UNITS.get(sys.platform, systemd_unit)(each) for each in services]
    output.result(
        {
            "units": [
                {"path": str(each.path), "text": each.text, "start": each.start, "stop": each.stop}
                for each in units
            ],
            "written": write,
        }
    )
    for unit in units:
        if write:
            write_unit(unit)
            output.say(f"Wrote {unit.path}.")
        else:
            output.say(f"Would write {unit.path} (with --write):", style="bold")
            output.say(unit.text)
    output.say("Start with:")
    for line in dict.fromkeys(line for unit in units for line in unit.start):
        output.say(f"  {line}")
