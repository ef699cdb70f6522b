"""`alerts …`: what is configured, and whether it arrives."""

from __future__ import annotations

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import Column
from trueup.core.alerting import FillNews
from trueup.core.alerts import MEANINGS, AlertKind
from trueup.net.alert_targets import URLS_VARIABLE, open_channels, read_ping_address
from trueup.run.config import CONFIG_NAME
from trueup.run.operator.alerting import targets, try_alerts
from trueup.run.operator.settings import alert_rules

_NONE = (
    f"No address is set: nobody hears of anything. Set {URLS_VARIABLE}; see the guide on alerts."
)


def register(app: typer.Typer) -> None:
    """Add the commands of alerts."""
    group = typer.Typer(help="Who hears of what, and whether it arrives.", no_args_is_help=True)
    command(group, "list")(show)
    command(group, "test")(try_out)
    app.add_typer(group, name="alerts")


def show(invocation: Invocation) -> None:
    """The addresses (without their secrets), the kinds, and the rules."""
    settings = lead(invocation)
    output = invocation.output
    section = settings.config.alerts
    rules = alert_rules(section, settings.home / CONFIG_NAME)
    found = targets(settings)
    channels = open_channels(found)
    ping = read_ping_address(settings.environment, url_file=section.ping_url_file)
    rows = [
        {"service": channel.name, "came_from": target.came_from}
        for target, channel in zip(found, channels, strict=True)
    ]
    kinds = [
        {
            "kind": kind.value,
            "severity": meaning.severity.word,
            "told": _told(kind, is_muted=kind in rules.muted, is_low=meaning.severity < rules.least)
            if kind is not AlertKind.FILL or kind in rules.muted
            else rules.fills.value,
            "meaning": meaning.words,
        }
        for kind, meaning in MEANINGS.items()
    ]
    output.result(
        {
            "addresses": rows,
            "kinds": kinds,
            "repeat_after": section.repeat_after,
            "burst": rules.burst,
            "pause": section.pause,
            "ping": "set" if ping else "",
            "ping_every": section.ping_every if ping else "",
        }
    )
    output.table(
        ["address", "found in"], [[r["service"], r["came_from"]] for r in rows], empty=_NONE
    )
    columns = (Column("kind", "kind"), Column("severity", "severity"), Column("told", "told"))
    shown = [[row[each.key] for each in columns] + [row["meaning"]] for row in kinds]
    output.table([*(each.title for each in columns), "meaning"], shown)
    fills = f", fills collected for {section.digest}" if rules.fills is FillNews.DIGEST else ""
    output.say(
        f"The same trouble is told once in {section.repeat_after}{fills}; after {rules.burst} "
        f"messages, one in {section.pause}."
    )
    output.say(
        f"The dead-man's switch is pinged every {section.ping_every}."
        if ping
        else "No outside dead-man's switch is set: if this machine dies, nobody is told."
    )


def _told(kind: AlertKind, *, is_muted: bool, is_low: bool) -> str:
    if kind is AlertKind.TEST:
        return "always"
    return "muted" if is_muted else "too low" if is_low else "yes"


def try_out(invocation: Invocation) -> None:
    """Send a test message to every address, and say what arrived."""
    settings = lead(invocation)
    output = invocation.output
    done = try_alerts(settings)
    output.result(
        {
            "addresses": [
                {"service": each.channel, "delivered": not each.failure, "failure": each.failure}
                for each in done
            ]
        }
    )
    output.table(
        ["address", "result"],
        [[each.channel, each.failure or "delivered"] for each in done],
        empty=_NONE,
    )
    if not done or any(each.failure for each in done):
        invocation.exit_code = 1
