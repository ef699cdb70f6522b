"""A support bundle: what somebody who helps needs to see, in one file without secrets.

Every text in it went through the redaction, which knows the secrets of this
environment and of the settings, and recognises others by their shape.  A part that
cannot be collected says why; it never keeps the rest away.
"""

from __future__ import annotations

import io
import json
import os
import platform
import sys
import tarfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import SECOND, Instant, format_instant
from trueup.core.redaction import HIDDEN, Redactor
from trueup.core.version import VERSION
from trueup.net.control import Control
from trueup.run.bot.places import control_path, decisions_path
from trueup.run.clock import SystemClock
from trueup.run.config import CONFIG_NAME
from trueup.run.desk import Desk, DeskSettings
from trueup.run.operator.checks import operator_checks
from trueup.run.operator.health import examine
from trueup.run.operator.log_reading import log_files
from trueup.run.operator.logs import account_redactor
from trueup.run.operator.operations import operations_path
from trueup.store.break_register import BreakStatus
from trueup.store.operations import TABLES, Selection, count_rows, read_rows

_LINES: Final = 2_000
_ROWS: Final = 500
_TAIL_BYTES: Final = 4 * 1024 * 1024
_OPEN_VARIABLES: Final = frozenset({"TRUEUP_HOME", "KALSHI_ENV", "TRUEUP_KEYRING_SERVICE"})
_README: Final = """\
A support bundle of trueup: versions, settings, checks, the ends of the logs and of the decision
log, statistics of the databases and open breaks.

Keys, tokens, passwords and addresses of messengers were taken out ([hidden]). What is in it all
the same: tickers, orders, positions and amounts of the account. Look through it before you send
it to anybody.
"""

Part = Callable[[], object]


def bundle_name(settings: DeskSettings, now: Instant) -> str:
    """The name of a new bundle."""
    stamp = format_instant(now)[:19].replace(":", "").replace("-", "")
    return f"trueup-support-{settings.config.venue}-{settings.config.account}-{stamp}.tar.gz"


def write_bundle(settings: DeskSettings, path: Path, *, asks_exchange: bool) -> list[str]:
    """Write a bundle for its owner alone; returns the names of its parts.

    Raises `ConfigError` when the file exists or cannot be written.
    """
    texts = dict(_texts(settings, asks_exchange=asks_exchange))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz") as archive,
        ):
            now = SystemClock().now()
            for name, text in texts.items():
                content = text.encode("utf-8", "replace")
                member = tarfile.TarInfo(f"trueup-support/{name}")
                member.size, member.mode, member.mtime = len(content), 0o600, now // SECOND
                archive.addfile(member, io.BytesIO(content))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}",
            remedy="Name another file with --to.",
        ) from error
    return list(texts)


def _texts(settings: DeskSettings, *, asks_exchange: bool) -> Iterator[tuple[str, str]]:
    redactor = account_redactor(settings.environment, settings.config)
    yield "README.txt", _README
    parts: dict[str, Part] = {
        "about.json": lambda: _about(settings),
        "environment.json": lambda: _environment(settings.environment),
        "config.json": lambda: _config(settings),
        "files.json": lambda: _files(settings.home),
        "doctor.json": lambda: _doctor(settings, asks_exchange=asks_exchange),
        "status.json": lambda: _status(settings),
        "books.json": lambda: _books(settings),
        "operations.json": lambda: count_rows(operations_path(settings.home, settings.config)),
        "decisions.jsonl": lambda: _tail(decisions_path(settings)),
    }
    for path in log_files(settings.home, settings.config):
        parts[f"logs/{path.name}"] = lambda path=path: _tail(path)
    for kind, table in TABLES.items():
        parts[f"operations/{table}.json"] = lambda kind=kind: _rows(settings, kind)
    for name, part in parts.items():
        yield name, _clean(name, part, redactor)


def _clean(name: str, part: Part, redactor: Redactor) -> str:
    """The text of a part without its secrets; why there is none, where it failed."""
    try:
        collected = part()
    except Exception as error:  # noqa: BLE001  # a part that fails must not keep the others away
        return redactor.text(f"{name} could not be collected: {type(error).__name__}: {error}\n")
    if isinstance(collected, str):
        return redactor.text(collected) + "\n"
    cleaned = redactor.document(collected)
    # Once more as text: a secret may have been cut in two by the structure.
    return redactor.text(json.dumps(cleaned, indent=2, ensure_ascii=False, default=str)) + "\n"


def _about(settings: DeskSettings) -> Mapping[str, object]:
    installed = {str(each.metadata["Name"]): each.version for each in metadata.distributions()}
    return {
        "trueup": VERSION,
        "python": sys.version,
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "venue": settings.config.venue,
        "account": settings.config.account,
        "home": str(settings.home),
        "now": format_instant(SystemClock().now()),
        "packages": dict(sorted(installed.items())),
    }


def _environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Which variables of ours are set; hardly any of their values."""
    return {
        f"variable {name}": value if name in _OPEN_VARIABLES else HIDDEN
        for name, value in sorted(environment.items())
        if name.startswith(("TRUEUP_", "KALSHI_"))
    }


def _config(settings: DeskSettings) -> object:
    path = settings.home / CONFIG_NAME
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {"cannot be read": str(error)}


def _files(home: Path) -> list[Mapping[str, object]]:
    return [
        {"name": str(each.relative_to(home)), "bytes": status.st_size, "mode": oct(status.st_mode)}
        for each in sorted(home.rglob("*"))
        if (status := each.lstat()) and len(each.relative_to(home).parts) <= 3  # noqa: PLR2004
    ]


def _doctor(settings: DeskSettings, *, asks_exchange: bool) -> list[Mapping[str, str]]:
    with Desk(settings) as desk:
        checks = examine(desk) if asks_exchange else operator_checks(settings)
        return [
            {
                "check": each.name,
                "finding": each.finding.value,
                "words": each.words,
                "remedy": each.remedy,
            }
            for each in checks
        ]


def _status(settings: DeskSettings) -> object:
    path = control_path(settings)
    if not path.exists():
        return {"bot": "none is running"}
    return Control(path).status()


def _books(settings: DeskSettings) -> Mapping[str, object]:
    with Desk(settings) as desk:
        if not desk.has_books():
            return {"books": "none yet"}
        books = desk.books(create=False, read_only=True)
        try:
            register = [
                {
                    "kind": each.found.kind.value,
                    "severity": each.found.severity.value,
                    "status": each.status.value,
                    "amount": str(each.found.amount),
                    "summary": each.found.summary,
                    "first_seen": format_instant(each.first_seen),
                    "last_seen": format_instant(each.last_seen),
                }
                for each in books.breaks()
                if each.status is not BreakStatus.CLOSED
            ]
        except TrueupError as error:
            register = [{"trouble": str(error)}]
        return {
            "place": books.place,
            "records": {str(name): number for name, number in books.record_counts().items()},
            "breaks": register,
        }


def _rows(settings: DeskSettings, kind: type[Any]) -> list[dict[str, Any]]:
    path = operations_path(settings.home, settings.config)
    return read_rows(path, kind, Selection(limit=_ROWS))


def _tail(path: Path) -> str:
    """The last lines of a file."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LINES:])
