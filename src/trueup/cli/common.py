"""What every command has in common: its options, its desk, its way to fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from trueup.cli.output import Output

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object instead of a page.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say what is being done.")]
VenueOption = Annotated[
    str, typer.Option("--venue", help="sandbox, demo or prod (default: config).", metavar="VENUE")
]
AccountOption = Annotated[
    str, typer.Option("--account", help="The name of the account (default: config).", metavar="NAME")
]


@dataclass(slots=True)
class Invocation:
    """One run of a command: where its words go and which account it is about."""

    output: Output
    venue: str = ""
    account: str = ""
    exit_code: int = field(default=0)


def command(
    app: typer.Typer, name: str, **settings: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command that also takes `--json`, `--verbose`, `--venue`, `--account`.

    The function gets an `Invocation` as its first argument and sets its
    `exit_code` when nothing useful was done or the books do not close.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
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
            invocation = Invocation(output, values.pop("venue"), values.pop("account"))
            function(invocation, **values)
            if invocation.exit_code:
                raise typer.Exit(invocation.exit_code)

        run.__doc__ = function.__doc__
        run.__name__ = function.__name__
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        app.command(name, **settings)(run)
        return function

    return register
