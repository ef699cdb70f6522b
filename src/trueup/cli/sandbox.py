"""`sandbox serve` and `tour`: the exchange on this machine, and the whole story on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import Output
from trueup.cli.tour import tell
from trueup.net.venues import SANDBOX_PORT, Venue
from trueup.run.desk import Desk
from trueup.run.sandbox.keys import KeyWish, make_key
from trueup.run.sandbox.serving import CONTROL_VARIABLE, Served, ServeWish, serve_sandbox
from trueup.run.sandbox.steering import CONTROL_WORDS, local_origin, steer
from trueup.sim.living.built_in import WORLDS

KEY_FILE: Final = "trueup-sandbox.pem"


_Folder = Annotated[
    str, typer.Argument(help="A folder of recordings instead of a world.", metavar="FOLDER")
]
_World = Annotated[
    str,
    typer.Option("--world", help=f"{', '.join(WORLDS)}; account: a past without a market."),
]
_Scenario = Annotated[
    str, typer.Option("--scenario", help="A scenario file (TOML) instead of a world.")
]
_Source = Annotated[str, typer.Option("--from", help="The same as FOLDER.", hidden=True)]
_Speed = Annotated[
    int | None,
    typer.Option("--speed", min=0, help="Times normal; 0 is stepped by `sandbox control`."),
]
_Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Another seed, another world.")]
_Density = Annotated[
    int | None,
    typer.Option("--density", min=1, help="Turns of a trader per market and hour."),
]
_Mishaps = Annotated[
    int, typer.Option("--mishaps", min=0, help="Pauses, disputes and the like, in percent.")
]
_Fault = Annotated[
    list[str] | None,
    typer.Option("--fault", help="Let this go wrong (may be repeated).", metavar="NAME"),
]
_Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")]
_FixPort = Annotated[
    int | None,
    typer.Option(
        "--fix-port",
        min=0,
        max=65532,
        help="Also FIX over TLS: NR here, DC, RT, PT, RFQ and MD behind it; 0 takes free ports.",
    ),
]
_FixReports = Annotated[
    str,
    typer.Option("--fix-reports", help="Settlement reports: present, cents or oldest (`Yes`)."),
]
_FixPageSize = Annotated[
    int, typer.Option("--fix-page-size", min=1, help="How many parties a report's page holds.")
]
_Personality = Annotated[
    str,
    typer.Option("--personality", help="present, 2026-06, 2026-03 or 2025 (integer cents)."),
]
_KeyFile = Annotated[
    str, typer.Option("--key-file", help="Where to write the private key for clients.")
]
_ControlToken = Annotated[
    str,
    typer.Option("--control-token", envvar=CONTROL_VARIABLE, help="Your own control token."),
]
_BotDatabase = Annotated[
    str,
    typer.Option("--bot-database", help="Also write a bot's own faulty trades table here."),
]


def register(app: typer.Typer) -> None:
    """Add the commands that need no exchange."""
    group = typer.Typer(help="An exchange on this machine.", no_args_is_help=True)
    command(group, "serve")(serve)
    command(group, "control")(control)
    command(group, "key")(key)
    app.add_typer(group, name="sandbox")
    command(app, "tour")(tour)


def serve(
    invocation: Invocation,
    *,
    folder: _Folder = "",
    world: _World = "",
    scenario: _Scenario = "",
    source: _Source = "",
    speed: _Speed = None,
    seed: _Seed = None,
    density: _Density = None,
    mishaps: _Mishaps = 100,
    fault: _Fault = None,
    port: _Port = SANDBOX_PORT,
    fix_port: _FixPort = None,
    fix_reports: _FixReports = "present",
    fix_page_size: _FixPageSize = 50,
    personality: _Personality = "present",
    key_file: _KeyFile = KEY_FILE,
    control_token: _ControlToken = "",
    bot_database: _BotDatabase = "",
) -> None:
    """Serve an exchange over HTTP and WebSocket on 127.0.0.1 until Ctrl-C.

    Without anything named: the built-in account in a living market.
    """
    output = invocation.output
    output.lead(Venue.SANDBOX.value, invocation.account or "main")
    place = folder or source
    serve_sandbox(
        ServeWish(
            port=port,
            fix_port=fix_port,
            fix_reports=fix_reports,
            fix_page_size=fix_page_size,
            world=world,
            scenario=Path(scenario) if scenario else None,
            folder=Path(place) if place else None,
            seed=seed,
            speed=speed,
            density=density,
            mishap_rate=mishaps,
            faults=tuple(fault or ()),
            personality=personality,
            key_file=Path(key_file),
            token=control_token,
            bot_database=bot_database,
        ),
        started=lambda served: _show_served(output, served),
    )


def _show_served(output: Output, served: Served) -> None:
    output.result(
        {
            "base_url": served.base_url,
            "websocket_url": served.websocket_url,
            "key_id": served.key_id,
            "private_key_path": str(served.key_file),
            "control_token_path": None if served.token_file is None else str(served.token_file),
            "fix_ports": served.fix_ports,
            "fix_certificate_path": None
            if served.fix_certificate is None
            else str(served.fix_certificate),
            "bot_database": served.bot_database,
            "serves": served.words,
            "further_keys": {key_id: str(path) for key_id, path in served.others},
        }
    )
    output.say(f"{served.words}: no real money anywhere")
    output.say(f"  serving      {served.base_url}   (Ctrl-C stops it)")
    output.say(f"  streams      {served.websocket_url}")
    output.say(f"  key id       {served.key_id}")
    output.say(f"  private key  {served.key_file}")
    for key_id, path in served.others:
        output.say(f"  account      {key_id}   (key id; private key {path})")
    if served.fix_certificate is not None:
        told = ", ".join(f"{kind} {port}" for kind, port in served.fix_ports.items())
        output.say(f"  FIX          {told}   (TLS)")
        output.say(f"  certificate  {served.fix_certificate}")
    if served.token_file is not None:
        output.say(f"  control      trueup sandbox control state   (token in {served.token_file})")
    if served.bot_database:
        output.say(f"  bot's table  {served.bot_database}")
    output.say("Point a client at it, for example this one in another terminal:")
    output.say(f"  export TRUEUP_BASE_URL={served.base_url}")
    output.say(f"  export KALSHI_API_KEY_ID={served.key_id}")
    output.say(f"  export KALSHI_PRIVATE_KEY_PATH={served.key_file}")
    output.say("  trueup sync")


def control(
    invocation: Invocation,
    *,
    word: Annotated[str, typer.Argument(help=f"One of: {', '.join(CONTROL_WORDS)}.")],
    fields: Annotated[
        list[str] | None, typer.Argument(help="What it takes, e.g. by=2h.", metavar="KEY=VALUE")
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            "--url",
            help=f"Where the sandbox listens (default: TRUEUP_BASE_URL, else port {SANDBOX_PORT}).",
        ),
    ] = "",
    token: Annotated[
        str, typer.Option("--token", envvar=CONTROL_VARIABLE, help="The control token.")
    ] = "",
    key_file: Annotated[
        str, typer.Option("--key-file", help="The key file beside which the token lies.")
    ] = KEY_FILE,
) -> None:
    """Steer a running sandbox: time, markets, money, faults.

    For example: `trueup sandbox control advance by=2h`.
    """
    output = invocation.output
    output.lead(Venue.SANDBOX.value, invocation.account or "main")
    place = url or local_origin(invocation.environment)
    told = steer(place, token, word, fields or (), key_file=Path(key_file))
    output.result(told)
    for name, value in told.items():
        _show_told(output, name, value)


def key(
    invocation: Invocation,
    *,
    name: Annotated[str, typer.Argument(help="What to call it, e.g. listener.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="Where its private half goes (default: NAME.pem).")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="It may read, and do nothing else.")
    ] = False,
    subaccount: Annotated[
        int | None, typer.Option("--subaccount", min=0, max=63, help="Lock it to this one.")
    ] = None,
) -> None:
    """Make a further key on a served sandbox: a FIX key may have one connection."""
    output, settings = invocation.output, lead(invocation)
    wish = KeyWish(
        name=name, file=file or Path(f"{name}.pem"), read_only=read_only, subaccount=subaccount
    )
    with Desk(settings) as desk:
        made = make_key(desk, wish)
    output.result(
        {"key_id": made.key_id, "private_key_path": str(made.file), "scopes": made.scopes}
    )
    output.say(f"  key id       {made.key_id}   ({', '.join(made.scopes)})")
    output.say(f"  private key  {made.file}")
    output.say("Use it in another terminal:")
    output.say(f"  export KALSHI_API_KEY_ID={made.key_id}")
    output.say(f"  export KALSHI_PRIVATE_KEY_PATH={made.file}")


def _show_told(output: Output, name: str, value: object) -> None:
    """One field of an answer: a table for a list of things, else a line."""
    if _is_list(value) and value and isinstance(cast("list[object]", value)[0], dict):
        rows = cast("list[dict[str, object]]", value)
        output.table(list(rows[0]), [[_text(one) for one in row.values()] for row in rows])
    elif isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            output.say(f"  {name}.{key:<24} {_text(one)}")
    else:
        output.say(f"  {name:<14} {_text(value)}")


def _text(value: object) -> str:
    if value is None or value == []:
        return "-"
    return ", ".join(map(str, cast("list[object]", value))) if _is_list(value) else str(value)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def tour(
    invocation: Invocation,
    *,
    no_web: Annotated[bool, typer.Option("--no-web", help="End when the story is told.")] = False,
) -> None:
    """The whole story on the built-in sandbox, in about a minute.  No keys, no network.

    In a terminal it ends in the dashboard on the same world, until Ctrl-C.
    """
    in_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not invocation.output.as_json
    tell(invocation, ends_in_page=in_terminal and not no_web)
