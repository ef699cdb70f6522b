"""`web`: the dashboard."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from trueup.cli.common import Invocation, LiveOption, command, lead
from trueup.core.errors import ConfigError
from trueup.run.bot.own_world import own_world_of_bot
from trueup.run.clock import SystemClock
from trueup.run.desk import DeskSettings, read_desk_settings
from trueup.run.sandbox.companions import Companions, LivingAccount, LivingWorldForPage

DEFAULT_PORT = 8050


_Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")]
_Host = Annotated[
    str,
    typer.Option("--host", help="The address to listen on. Others than 127.0.0.1 need a password."),
]
_AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", help="A name under which a proxy serves the page."),
]
_Prefix = Annotated[
    str,
    typer.Option("--path-prefix", help="The path below which a proxy serves it, e.g. /trueup."),
]
_ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Show everything, change nothing, need no key.")
]
_Table = Annotated[
    str, typer.Option("--db", help="A bot's own trades table, for the page of repairs.")
]
_SetPassword = Annotated[
    bool, typer.Option("--set-password", help="Ask for a password, keep its hash, and end.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "web")(web)


def web(
    invocation: Invocation,
    *,
    port: _Port = DEFAULT_PORT,
    host: _Host = "127.0.0.1",
    allow_host: _AllowHost = None,
    path_prefix: _Prefix = "",
    read_only: _ReadOnly = False,
    live: LiveOption = False,
    db: _Table = "",
    set_password: _SetPassword = False,
) -> None:
    """Serve the dashboard on this machine: see the account, trust the numbers, stop the bot."""
    settings = lead(invocation)
    try:
        from trueup.web import app, security, site  # noqa: PLC0415  # an extra, and slow to load
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the dashboard needs a package that is not installed ({error.name})",
            remedy="Install it: pip install 'trueup[web]'",
        ) from error
    output = invocation.output
    if set_password:
        path = security.save_password(settings.home, getpass.getpass("Password for the page: "))
        output.result({"password_hash": str(path)})
        output.say(f"The hash of the password is in {path}. The page asks for it from now on.")
        return
    options = site.SiteOptions(
        host=host,
        port=port,
        read_only=read_only,
        live=live,
        path_prefix=clean_prefix(path_prefix),
        bot_database=db,
    )
    hosts = frozenset(each.lower() for each in allow_host or ())
    safety = app.safety_of(settings, options, hosts=hosts, user=user_name())

    def started(address: str) -> None:
        output.result({"address": address, "read_only": read_only})
        output.say(f"The dashboard is at {address}   (Ctrl-C stops it)")

    if not settings.is_embedded:
        app.serve(settings, options, safety=safety, started=started)
        return
    own_world = own_world_of_bot(settings, SystemClock().sleep)
    if own_world:
        output.say("This account's bot trades a living world of its own: the page shows that.")
        with _kept_up_to_date(settings, {**invocation.environment, **own_world}) as shown:
            app.serve(shown, options, safety=safety, started=started)
        return
    output.say("No account is set up: making a living world with a bot at work in it …")
    with LivingWorldForPage(invocation.environment) as living:
        app.serve(
            read_desk_settings(living.environment, venue=settings.config.venue),
            replace(options, bot_database=db or str(living.bot_table)),
            safety=safety,
            started=started,
            companions=living.companions,
        )


@contextmanager
def _kept_up_to_date(
    settings: DeskSettings, environment: Mapping[str, str]
) -> Generator[DeskSettings]:
    """The same account in another environment, its books synced while the block lasts."""
    account = settings.config.account
    with (
        TemporaryDirectory(prefix="trueup-page-") as folder,
        Companions(environment, Path(folder)) as companions,
    ):
        companions.start_sync(account)
        yield read_desk_settings(environment, venue=settings.config.venue, account=account)


def serve_living(invocation: Invocation, living: LivingAccount) -> None:
    """Serve the page on a living account that is there already, on any free port if need be."""
    from trueup.web import app, site  # noqa: PLC0415  # an extra, and slow to load

    settings = read_desk_settings(living.environment, venue="sandbox")
    options = site.SiteOptions(port=free_port(DEFAULT_PORT), bot_database=str(living.bot_table))
    safety = app.safety_of(settings, options, hosts=frozenset(), user=user_name())
    app.serve(
        settings,
        options,
        safety=safety,
        started=lambda at: invocation.output.say(f"The dashboard is at {at}   (Ctrl-C stops it)"),
        companions=living.companions,
    )


def free_port(wanted: int) -> int:
    """The wanted port, or any free one (0) where it is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def user_name() -> str:
    """Who acts on the page; in a container the user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def clean_prefix(prefix: str) -> str:
    """A path prefix with a slash in front and none behind.  Raises `ConfigError`."""
    stripped = prefix.strip("/")
    if not stripped:
        return ""
    if not all(part.replace("-", "").replace("_", "").isalnum() for part in stripped.split("/")):
        raise ConfigError(
            f"{prefix!r} cannot be a path prefix",
            remedy="Use letters, digits, - and _ between slashes.",
        )
    return f"/{stripped}"
