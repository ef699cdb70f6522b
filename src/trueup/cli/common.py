"""What every command has in common: its options, its desk, its way to fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, cast, get_type_hints

import typer

from trueup.cli.output import Heading, Output
from trueup.core.errors import TrueupError
from trueup.core.instant import format_instant
from trueup.net.session import Answered, Event, LimitsLearned, Retrying, Throttled, UnknownFields
from trueup.net.venues import Venue
from trueup.run.books.account import Account
from trueup.run.books.account import open_account as open_front_door
from trueup.run.books.fetching import Told, tell_nobody
from trueup.run.clock import Clock
from trueup.run.config import read_environment
from trueup.run.desk import DeskSettings, read_desk_settings
from trueup.run.operator.operations import open_operations

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object instead of a page.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say what is being done.")]
LogJsonOption = Annotated[
    bool, typer.Option("--log-json", help="Log to standard error, one JSON object a line.")
]
MetricsPortOption = Annotated[
    int,
    typer.Option(
        "--metrics-port",
        min=0,
        max=65_535,
        help="Serve /health and /metrics there (default: config, or not at all).",
    ),
]
VenueOption = Annotated[
    str, typer.Option("--venue", help="sandbox, demo or prod (default: config).", metavar="VENUE")
]
AccountOption = Annotated[
    str,
    typer.Option("--account", help="The name of the account (default: config).", metavar="NAME"),
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="One of the three gates in front of real money on prod.")
]


EXIT_INTERRUPTED: Final = 130
_REPLAYS: Final = "a backtest: no order leaves this machine"


class Interrupted(TrueupError):
    """The user stopped a command (Ctrl-C)."""


@dataclass(slots=True)
class Invocation:
    """One run of a command: where its words go and which account it is about."""

    output: Output
    venue: str = ""
    account: str = ""
    command: str = ""
    """What was typed, without its options: ``sync``, ``place``."""
    environment: Mapping[str, str] = field(default_factory=read_environment)
    exit_code: int = 0
    clock: Clock | None = None
    """Another time than the machine's, for commands that tell a story."""


@contextmanager
def open_account(
    invocation: Invocation,
    *,
    refresh: bool | Callable[[Account], bool] = False,
    told: Told = tell_nobody,
) -> Generator[Account]:
    """The account that the options mean, with its heading already printed.

    With `refresh` (or where it says so of the account) the books are brought up to date
    first when they are old; when the exchange cannot be reached the local books answer, and
    a notice says so.  The heading comes after it: it tells the age of what is shown.
    """
    output = invocation.output
    settings = read_desk_settings(
        invocation.environment,
        venue=invocation.venue,
        account=invocation.account,
        clock=invocation.clock,
    )
    with (
        listening(invocation, settings) as hear,
        open_front_door(
            venue=invocation.venue,
            account=invocation.account,
            environment=invocation.environment,
            clock=invocation.clock,
            told=told,
            on_event=hear,
            on_wait=output.notice,
        ) as account,
    ):
        wanted = refresh(account) if callable(refresh) else refresh
        notice = account.refresh() if wanted else ""
        output.heading(
            Heading(
                venue=account.venue,
                account=account.name,
                as_of=account.as_of(),
                now=account.now(),
                world=_world_words(settings, SandboxWorld.BUILT_IN),
            )
        )
        if notice:
            output.notice(notice)
        yield account


@contextmanager
def listening(invocation: Invocation, settings: DeskSettings) -> Generator[Callable[[Event], None]]:
    """A listener for a client: says what it does with `--verbose`, and keeps it in the tables.

    An error that ends the command goes into the tables as well.
    """
    output = invocation.output
    operations = None
    if settings.home.exists():
        # What fails at the very first step leaves nothing behind.
        operations = open_operations(settings, invocation.command, trouble=output.detail)

    def hear(event: Event) -> None:
        words = event_words(event)
        if words:
            output.detail(words)
        if operations is not None:
            operations.event(event)

    try:
        yield hear
    except TrueupError as error:
        if operations is not None:
            operations.error(error, subject=invocation.command)
        raise
    finally:
        if operations is not None:
            operations.close()


class SandboxWorld(StrEnum):
    """Which world a command looks at where the sandbox runs inside of this process."""

    NONE = "none"
    BUILT_IN = "built_in"
    """The account with a history, whose time began at a fixed date: books, markets, orders."""
    OF_THE_BOT = "of_the_bot"
    """What `bot run` makes for itself, in real time."""
    LIVING = "living"
    """One that the command itself makes, and that ends with it."""


_WORLDS: Final = {
    SandboxWorld.NONE: "",
    SandboxWorld.OF_THE_BOT: "the bot's own living world, in real time",
    SandboxWorld.LIVING: "a living world of its own, in real time",
}


def _world_words(settings: DeskSettings, world: SandboxWorld) -> str:
    """Where the figures are from, beyond the venue: what nobody must take for real money."""
    if settings.is_paper:
        return "on paper: no order leaves this machine"
    if settings.venue is not Venue.SANDBOX:
        return ""
    if not settings.is_embedded:
        return f"sandbox at {settings.config.base_url}"
    if world is SandboxWorld.BUILT_IN:
        return f"built-in world, where it is {format_instant(settings.clock.now())[:16]}Z"
    return _WORLDS[world]


def lead(
    invocation: Invocation,
    *,
    world: SandboxWorld = SandboxWorld.NONE,
    replays: bool = False,
    aside: bool = False,
    paper: bool = False,
) -> DeskSettings:
    """The settings that the options mean, with the heading of a command that opens no books.

    `world` is what it looks at on the sandbox, where there is more than one; `replays` says
    that it trades a recording, which is at no venue; `aside` puts the heading on standard
    error, where standard output is a file's content; `paper` means the paper account beside
    the one that was named.
    """
    settings = read_desk_settings(
        invocation.environment,
        venue=invocation.venue,
        account=invocation.account,
        clock=invocation.clock,
    )
    if paper:
        settings = settings.on_paper()
        invocation.account = settings.config.account
    words = _REPLAYS if replays else _world_words(settings, world)
    invocation.output.lead(settings.venue.value, settings.config.account, world=words, aside=aside)
    return settings


def event_words(event: Event) -> str:
    """What the client does, for `--verbose`; empty for what is not worth a line."""
    match event:
        case Answered():
            return (
                f"{event.operation}: {event.status or 'no answer'}, {event.body_bytes:,} bytes, "
                f"{event.microseconds // 1000} ms"
            )
        case Retrying():
            return f"{event.operation}: {event.reason}; again in {event.microseconds // 1000} ms"
        case Throttled():
            return f"{event.operation}: waits {event.microseconds // 1000} ms for its turn"
        case UnknownFields():
            return f"{event.operation}: unknown fields {', '.join(event.names)}"
        case LimitsLearned():
            return f"limits: tier {event.tier}, {event.read_per_second} read tokens a second"


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command that also takes `--json`, `--verbose`, `--venue`, `--account`.

    The function gets an `Invocation` as its first argument and sets its
    `exit_code` when nothing useful was done or the books do not close.  An argument
    whose type is a dataclass stands for the options that are its fields, which several
    commands may have in common.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        asked = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        groups = {
            each.name: cast("type[Any]", each.annotation)
            for each in asked
            if is_dataclass(each.annotation)
        }
        own = [one for each in asked for one in _options_of(each)]
        keyword_only = inspect.Parameter.KEYWORD_ONLY
        common = [
            inspect.Parameter("json_output", keyword_only, default=False, annotation=JsonOption),
            inspect.Parameter("verbose", keyword_only, default=False, annotation=VerboseOption),
            inspect.Parameter("venue", keyword_only, default="", annotation=VenueOption),
            inspect.Parameter("account", keyword_only, default="", annotation=AccountOption),
        ]
        parameters = [p.replace(kind=keyword_only) for p in own] + common

        def run(**values: Any) -> None:
            output = Output(as_json=values.pop("json_output"), verbose=values.pop("verbose"))
            invocation = Invocation(
                output, values.pop("venue"), values.pop("account"), command=name
            )
            for group, kind in groups.items():
                values[group] = kind(**{each.name: values.pop(each.name) for each in fields(kind)})
            try:
                function(invocation, **values)
            except KeyboardInterrupt as stop:
                # Typer would end without a word, or with one that says nothing.
                raise Interrupted("stopped by the user") from stop
            if invocation.exit_code:
                raise typer.Exit(invocation.exit_code)

        run.__doc__ = function.__doc__
        run.__name__ = function.__name__
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        app.command(name, **settings)(run)
        return function

    return register


def _options_of(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """The options that a parameter stands for: itself, or the fields of its dataclass."""
    kind = parameter.annotation
    if not is_dataclass(kind):
        return [parameter]
    hints = get_type_hints(kind, include_extras=True)
    return [
        parameter.replace(name=each.name, default=each.default, annotation=hints[each.name])
        for each in fields(kind)
    ]
