"""`fix decode`: somebody's FIX log, read and explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trueup.core.errors import ConfigError
from trueup.wire.fix.explain import Explained, ExplainedField, Explainer
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.log_lines import read_log


@dataclass(frozen=True, slots=True)
class ExplainedLog:
    """All messages of a file, and how many of each kind."""

    messages: tuple[Explained, ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def troubled(self) -> int:
        """How many messages something is wrong with."""
        return sum(1 for each in self.messages if each.problems)


def explain_log(file: Path, *, unit: str = "", kinds: Sequence[str] = ()) -> ExplainedLog:
    """Read a FIX log.  `unit` is ``dollars`` or ``cents`` where the log does not say;
    `kinds` keeps only messages of these types (35) or names.

    Raises `ConfigError` for a file that cannot be read or holds no message.
    """
    if unit not in {"", *PriceUnit}:
        raise ConfigError(f"{unit!r} is no unit of prices", remedy="Use dollars or cents.")
    explainer = Explainer(PriceUnit(unit) if unit else None)
    wanted = {kind.lower() for kind in kinds}
    messages: list[Explained] = []
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for message in read_log(lines):
                explained = explainer.explain(message)
                own = {message.first("35").lower(), explained.name.lower()}
                if not wanted or wanted & own:
                    messages.append(explained)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", remedy="Give the path of a FIX log."
        ) from error
    if not messages:
        raise ConfigError(
            f"{file} holds no FIX message" + (" of the wanted kinds" if wanted else ""),
            remedy="A message begins with 8=FIXT.1.1; its fields are separated by SOH, | or ^A.",
        )
    counts = Counter(each.name for each in messages).most_common()
    return ExplainedLog(tuple(messages), tuple(counts))


def as_payload(log: ExplainedLog) -> dict[str, Any]:
    """The whole log as JSON holds it."""
    return {
        "messages": [message_payload(each) for each in log.messages],
        "counts": dict(log.counts),
        "with_problems": log.troubled,
    }


def message_payload(each: Explained) -> dict[str, Any]:
    """One message as JSON holds it."""
    return {
        "line": each.line,
        "front": _printable(each.front),
        "type": each.name,
        "sender": each.sender,
        "target": each.target,
        "sequence": each.sequence,
        "time": each.time,
        "words": _printable(each.words),
        "problems": list(each.problems),
        "unknown_fields": list(each.unknown),
        "fields": [_field(field) for field in each.fields],
    }


def _field(field: ExplainedField) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "tag": int(field.tag),
        "name": field.name,
        "value": _printable(field.value),
        "meaning": _printable(field.meaning),
    }
    if field.problem:
        shown["problem"] = field.problem
    if field.entries:
        shown["entries"] = [[_field(each) for each in entry] for entry in field.entries]
    return shown


def rows(fields: Sequence[ExplainedField], indent: str = "") -> list[tuple[str, str, str, str]]:
    """The fields as lines of a table: number, name, value, meaning or problem."""
    lines: list[tuple[str, str, str, str]] = []
    for field in fields:
        told = f"! {field.problem}" if field.problem else field.meaning
        lines.append((indent + field.tag, field.name, _printable(field.value), _printable(told)))
        for entry in field.entries:
            lines.extend(rows(entry, indent + "  "))
    return lines


def _printable(text: str) -> str:
    """Text without control characters and half characters, for terminals and JSON."""
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "�" for c in clean)
