"""The `trueup` command: finds the sub-command, and speaks plainly when things fail."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from trueup.core.errors import CallerError, InvariantBroken, TrueupError
from trueup.core.version import VERSION

EXIT_FAILED = 1
EXIT_MISUSED = 2
EXIT_BROKEN = 3
EXIT_INTERRUPTED = 130


def build_app() -> typer.Typer:
    """The whole command tree."""
    from trueup.cli import account, books, databases, fetching, proving, sandbox, setup, trades

    app = typer.Typer(
        name="trueup",
        help="Trade Kalshi and keep books that provably equal the exchange's.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def root(  # pyright: ignore[reportUnusedFunction]
        *,
        version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    ) -> None:
        if version:
            typer.echo(f"trueup {VERSION}")
            raise typer.Exit

    for group in (setup, fetching, trades, proving, account, books, databases, sandbox):
        group.register(app)
    return app


def main() -> None:
    """Run the command line; turn every error into words and an exit code."""
    as_json = "--json" in sys.argv[1:]
    try:
        build_app()(standalone_mode=True)
    except TrueupError as error:
        _explain(error, as_json=as_json)
        sys.exit(_exit_code(error))
    except KeyboardInterrupt:
        _print_error("Interrupted. What was fetched so far is kept; the same command resumes.")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)


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
    _print_error(f"Error: {error}")
    if error.remedy:
        _print_error(f"  What to do: {error.remedy}")


def _print_error(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201
