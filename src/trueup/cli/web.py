"""`web`: the dashboard."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.core.errors import ConfigError

DEFAULT_PORT = 8050


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "web")(web)


def web(
    invocation: Invocation,
    *,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")
    ] = DEFAULT_PORT,
    host: Annotated[
        str,
        typer.Option(
            "--host", help="The address to listen on. Others than 127.0.0.1 need a password."
        ),
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A name under which a proxy serves the page."),
    ] = None,
    path_prefix: Annotated[
        str,
        typer.Option("--path-prefix", help="The path below which a proxy serves it, e.g. /trueup."),
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Show everything, change nothing, need no key.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="One of the three gates for real orders on prod.")
    ] = False,
    set_password: Annotated[
        bool, typer.Option("--set-password", help="Ask for a password, keep its hash, and end.")
    ] = False,
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
    )
    hosts = frozenset(each.lower() for each in allow_host or ())
    safety = app.safety_of(settings, options, hosts=hosts, user=getpass.getuser())

    def started(address: str) -> None:
        output.result({"address": address, "read_only": read_only})
        output.say(f"The dashboard is at {address}   (Ctrl-C stops it)")

    app.serve(settings, options, safety=safety, started=started)


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
