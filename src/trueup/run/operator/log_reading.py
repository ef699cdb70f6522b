"""Reading the log files again: the last lines of an account, from all its programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from trueup.core.errors import CallerError
from trueup.core.instant import Instant, format_instant
from trueup.run.config import Config
from trueup.run.operator.logs import logs_folder

LEVELS: Final = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines are wanted; empty: any."""

    program: str = ""
    level: str = ""
    """The least level."""
    since: Instant | None = None
    words: str = ""
    limit: int = 50


def log_files(home: Path, config: Config, program: str = "") -> list[Path]:
    """The log files of an account, the full ones before the present one of each program."""
    name = f"{program or '*'}-{config.venue}-{config.account}.jsonl"
    folder = logs_folder(home)
    found = [*folder.glob(name), *folder.glob(f"{name}.*")]
    return sorted(found, key=lambda each: (each.name.partition(".jsonl")[0], -_number(each)))


def read_log(home: Path, config: Config, wanted: Filter) -> list[dict[str, Any]]:
    """The newest lines that are wanted, oldest first.  Raises `CallerError` for an unknown level."""
    if wanted.level and wanted.level not in LEVELS:
        raise CallerError(
            f"there is no level {wanted.level!r}", remedy=f"Use one of {', '.join(LEVELS)}."
        )
    least = LEVELS.index(wanted.level) if wanted.level else 0
    since = "" if wanted.since is None else format_instant(wanted.since)
    lines: list[dict[str, Any]] = []
    for path in log_files(home, config, wanted.program):
        program = path.name.partition(f"-{config.venue}-")[0]
        for line in _lines(path):
            level = str(line.get("level", "info"))
            if LEVELS.index(level) < least if level in LEVELS else False:
                continue
            if str(line.get("at", "")) < since:
                continue
            if wanted.words and wanted.words.lower() not in json.dumps(line).lower():
                continue
            lines.append({"program": program, **line})
    lines.sort(key=lambda each: str(each.get("at", "")))
    return lines[-wanted.limit :]


def line_words(line: Mapping[str, Any]) -> str:
    """What a line says beside its time, level and program."""
    rest = {
        name: value
        for name, value in line.items()
        if name not in {"at", "level", "program", "event", "exception"}
    }
    fields = " ".join(f"{name}={value}" for name, value in rest.items())
    return f"{line.get('event', '')} {fields}".strip()


def _number(path: Path) -> int:
    """0 for the file that is being written, higher for older ones."""
    suffix = path.suffix.removeprefix(".")
    return int(suffix) if suffix.isdigit() else 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                try:
                    line: object = json.loads(text)
                except ValueError:
                    # Torn by a crash or a full disk.
                    line = {"event": text.strip(), "level": "warning"}
                if isinstance(line, dict):
                    yield cast("dict[str, Any]", line)
    except OSError:
        return
