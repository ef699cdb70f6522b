"""The `trueup` command: finds the sub-command, and speaks plainly when things fail.

Exit codes: 0 done (for `proof` and `reconcile`: the books close) · 1 not done, or
they do not close · 2 the command, a setting, a key or a file is wrong · 3 trueup
broke a rule of its own · 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

from trueup import __version__
from trueup.cli.common import EXIT_INTERRUPTED, Interrupted
from trueup.core.errors import (
    FULL,
    CallerError,
    InvariantBroken,
    TrueupError,
    writing_remedy,
)

EXIT_FAILED = 1
EXIT_MISUSED = 2
EXIT_BROKEN = 3

_MISUSE: Final[type[Exception]] = typer.BadParameter.__mro__[2]
"""What typer raises for a wrong command line; newer versions bring a class of their own."""

_VERSION: Final = f"trueup {__version__}"

_INTERRUPTED: Final = Interrupted(
    "Interrupted. What was fetched so far is kept.",
    remedy="Run the same command again: it resumes.",
)


COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "setup": ("init", "doctor"),
    "fetching": ("sync", "backfill"),
    "importing": ("import",),
    "trades": ("settlements",),
    "proving": ("proof", "reconcile", "breaks"),
    "account": ("balance", "positions", "orders", "fills", "pnl"),
    "reporting": ("report",),
    "books": ("export",),
    "markets": ("markets",),
    "arbitrage": ("arbitrage",),
    "orders": ("arm", "disarm", "order"),
    "subaccounts": ("subaccounts",),
    "bot": ("bot",),
    "feeds": ("feeds",),
    "alerts": ("alerts",),
    "archive": ("record", "archive"),
    "history": ("history",),
    "logs": ("logs",),
    "backtest": ("backtest",),
    "sweep": ("sweep",),
    "paper": ("paper",),
    "databases": ("db",),
    "services": ("health", "service"),
    "support": ("support",),
    "sandbox": ("tour", "sandbox"),
    "case_study": ("case-study",),
    "fix": ("fix",),
    "web": ("web",),
}
"""The files of the command tree with their commands, in the order in which the help shows them."""


def build_app(command: str = "") -> typer.Typer:
    """The command tree: only the file of one command where its name is known, else all of it."""
    app = typer.Typer(
        name="trueup",
        help="Trade Kalshi and keep books that provably equal the exchange's.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback(invoke_without_command=True)
    def root(  # pyright: ignore[reportUnusedFunction]
        *,
        version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    ) -> None:
        if version:
            typer.echo(_VERSION)
            raise typer.Exit

    files = [name for name, commands in COMMANDS.items() if command in commands]
    for name in files or COMMANDS:
        import_module(f"trueup.cli.{name}").register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; turn every error into words and an exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    code = run(given)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has heard enough; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    if list(arguments) == ["--version"]:
        typer.echo(_VERSION)  # without the whole tree
        return 0
    as_json = "--json" in arguments
    try:
        command = next((each for each in arguments if not each.startswith("-")), "")
        done = build_app(command)(args=list(arguments), prog_name="trueup", standalone_mode=False)
    except (Interrupted, KeyboardInterrupt, typer.Abort):
        _explain(_INTERRUPTED, as_json=as_json)
        return EXIT_INTERRUPTED
    except TrueupError as error:
        _explain(error, as_json=as_json)
        return _exit_code(error)
    except OSError as error:
        if error.errno not in FULL:
            raise
        _explain(_disk_full(error), as_json=as_json)
        return EXIT_FAILED
    except _MISUSE as error:
        return _misused(error, as_json=as_json)
    return done if isinstance(done, int) else 0


def _disk_full(error: OSError) -> TrueupError:
    where = f"{error.filename} could not be written: " if error.filename else ""
    return TrueupError(f"{where}{error.strerror}", remedy=writing_remedy(error))


def _misused(error: BaseException, *, as_json: bool) -> int:
    """A wrong command line: typer's own words, or an object for a program."""
    if as_json:
        wrong = CallerError(str(error), remedy="`trueup COMMAND --help` lists what it takes.")
        _explain(wrong, as_json=True)
    else:
        show = getattr(error, "show")  # noqa: B009  # the class has no public name in typer
        show()
    return EXIT_MISUSED


def _exit_code(error: TrueupError) -> int:
    if isinstance(error, InvariantBroken):
        return EXIT_BROKEN
    return EXIT_MISUSED if isinstance(error, CallerError) else EXIT_FAILED


def _explain(error: TrueupError, *, as_json: bool) -> None:
    if as_json:
        payload = {
            "error": type(error).__name__,
            "message": str(error),
            "remedy": error.remedy,
        }
        print(json.dumps(payload, indent=2, ensure_ascii=False))  # noqa: T201
        return
    _print_error(str(error) if isinstance(error, Interrupted) else f"Error: {error}")
    if error.remedy:
        _print_error(f"  What to do: {error.remedy}")


def _print_error(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201
