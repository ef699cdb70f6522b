"""What `doctor` looks at for an operator: alerts, logs, tables, the bot, its service, its health."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trueup.core.errors import BooksError, ConfigError, TrueupError
from trueup.net.alert_targets import open_channels, read_ping_address
from trueup.net.control import NoBot, read_whereabouts
from trueup.net.health_server import ask_health
from trueup.net.venues import Venue
from trueup.run.bot.places import control_path, kill_path
from trueup.run.check import Check, Finding
from trueup.run.desk import DeskSettings
from trueup.run.operator.alerting import targets
from trueup.run.operator.logs import logs_folder
from trueup.run.operator.operations import operations_path
from trueup.run.operator.service import SYSTEM_FOLDER, Program
from trueup.store.operations import CallRow, Selection, count_rows, read_rows

_SYSTEMCTL_SECONDS: Final = 5
_MEGABYTE: Final = 1024 * 1024


def operator_checks(settings: DeskSettings) -> Iterator[Check]:
    """Every check that needs no answer of the exchange."""
    yield _logs(settings)
    yield _tables(settings)
    yield _alerts(settings)
    yield _ping(settings)
    yield _bot(settings)
    yield _services()
    yield _health(settings)


def _logs(settings: DeskSettings) -> Check:
    folder = logs_folder(settings.home)
    if not folder.exists():
        return Check("logs", Finding.OK, "none yet: programs that run for long write them")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(
            "logs",
            Finding.PROBLEM,
            f"{folder} cannot be written",
            "Give yourself write permission on it.",
        )
    size = sum(each.stat().st_size for each in folder.iterdir() if each.is_file())
    return Check("logs", Finding.OK, f"{folder}, {size / _MEGABYTE:.1f} MiB")


def _tables(settings: DeskSettings) -> Check:
    days = settings.config.logs.table_days
    path = operations_path(settings.home, settings.config)
    if not days:
        return Check("tables", Finding.SKIPPED, "switched off: logs.table_days = 0")
    if not path.exists():
        return Check("tables", Finding.OK, f"none yet; they will keep {days} days")
    try:
        failed = read_rows(path, CallRow, Selection(failed=True, limit=1))
    except BooksError as error:
        return Check("tables", Finding.NOTICE, str(error), error.remedy)
    rows = sum(count_rows(path).values())
    # What SQLite keeps beside the file is part of it.
    size = sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) / _MEGABYTE
    words = f"{rows} rows of calls, orders and errors in {size:.1f} MiB, {days} days kept"
    if failed:
        words += "; see `trueup logs calls --failed`"
    return Check("tables", Finding.OK, words)


def _alerts(settings: DeskSettings) -> Check:
    try:
        found = open_channels(targets(settings))
    except ConfigError as error:
        return Check("alerts", Finding.PROBLEM, str(error), error.remedy)
    if found:
        names = ", ".join(each.name for each in found)
        return Check("alerts", Finding.OK, f"to {names}; `trueup alerts test` tries them")
    return Check(
        "alerts",
        Finding.SKIPPED if settings.venue is Venue.SANDBOX else Finding.NOTICE,
        "no address is set: nobody hears of a halt or a break",
        "Set TRUEUP_ALERT_URLS; see the guide on alerts.",
    )


def _ping(settings: DeskSettings) -> Check:
    section = settings.config.alerts
    try:
        address = read_ping_address(settings.environment, url_file=section.ping_url_file)
    except ConfigError as error:
        return Check("ping", Finding.PROBLEM, str(error), error.remedy)
    if address:
        return Check("ping", Finding.OK, f"an outside watcher is told every {section.ping_every}")
    return Check(
        "ping",
        Finding.NOTICE if settings.venue is Venue.PROD else Finding.SKIPPED,
        "no outside watcher is set: nobody hears when this machine dies",
        "Set TRUEUP_PING_URL; see the guide on alerts.",
    )


def _bot(settings: DeskSettings) -> Check:
    if kill_path(settings).exists():
        return Check(
            "bot",
            Finding.NOTICE,
            "the kill switch is on",
            "Look at what happened, then `trueup bot rearm`.",
        )
    path = control_path(settings)
    if not path.exists():
        return Check("bot", Finding.OK, "none is running")
    try:
        where = read_whereabouts(path)
    except NoBot as error:
        return Check("bot", Finding.PROBLEM, str(error), error.remedy)
    return Check("bot", Finding.OK, f"runs as process {where.pid}; see `trueup bot status`")


def _services() -> Check:
    """The units that `service install` wrote, and what systemd says of them."""
    user_folder = Path.home() / ".config" / "systemd" / "user"
    states: dict[str, str] = {}
    for program in Program:
        name = f"trueup-{program.value}.service"
        if (user_folder / name).exists():
            states[name] = _state(name, "--user")
        elif (SYSTEM_FOLDER / name).exists():
            states[name] = _state(name)
    if not states:
        return Check("service", Finding.SKIPPED, "none is installed (`trueup service install`)")
    words = ", ".join(f"{name.removesuffix('.service')} {state}" for name, state in states.items())
    if all(each == "active" for each in states.values()):
        return Check("service", Finding.OK, words)
    first = next(name for name, state in states.items() if state != "active")
    return Check("service", Finding.PROBLEM, words, f"journalctl -e --unit {first}")


def _state(name: str, *options: str) -> str:
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        return "unknown (no systemctl)"
    try:
        done = subprocess.run(  # noqa: S603  # names of our own
            [systemctl, *options, "is-active", name],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SYSTEMCTL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({type(error).__name__})"
    return done.stdout.strip() or "unknown"


def _health(settings: DeskSettings) -> Check:
    section = settings.config.metrics
    if not section.port:
        return Check("health", Finding.SKIPPED, "not served: metrics.port is 0")
    try:
        document = ask_health("127.0.0.1", section.port)
    except TrueupError as error:
        return Check("health", Finding.NOTICE, str(error), error.remedy)
    if document["healthy"]:
        return Check("health", Finding.OK, "the running program is well")
    words = "; ".join(map(str, document.get("reasons", ())))
    return Check("health", Finding.PROBLEM, words, "`trueup health` says it again.")
