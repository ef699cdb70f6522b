"""A message in words: what it says, and every field with its name and meaning.

Works on whatever a log holds, also on messages that a session would refuse: groups are
told apart as far as they can be, and what does not fit is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from trueup.core.errors import TrueupError
from trueup.wire.fix.dictionary import Layout, Member, dictionary
from trueup.wire.fix.fields import FIELDS, Password
from trueup.wire.fix.kinds import AnyKind, PriceUnit
from trueup.wire.fix.log_lines import LoggedMessage
from trueup.wire.fix.message import Sender
from trueup.wire.fix.reading import entry_of, entry_spans, label
from trueup.wire.fix.sentences import sentence

_EXCHANGE_NAME: Final = "kalshi"


@dataclass(frozen=True, slots=True)
class ExplainedField:
    """One field.  `entries` are those of a group; `problem` is empty for a sound value."""

    tag: str
    name: str
    value: str
    meaning: str
    problem: str
    entries: tuple[tuple[ExplainedField, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """One message in words."""

    line: int
    front: str
    name: str
    sender: str
    target: str
    sequence: str
    time: str
    words: str
    fields: tuple[ExplainedField, ...]
    problems: tuple[str, ...]
    unknown: tuple[str, ...]


class Explainer:
    """Explains the messages of one log, in order.

    Whether prices are dollars follows from the logons that the log holds, or from
    `unit`; until one of them says so, prices are shown as they stand.
    """

    def __init__(self, unit: PriceUnit | None = None) -> None:
        self._unit = unit
        self._units: dict[str, PriceUnit] = {}

    def explain(self, message: LoggedMessage) -> Explained:
        """One message."""
        msg_type = message.first("35")
        layout = _layout_of(message, msg_type)
        client = message.first("56") if _is_exchange(message) else message.first("49")
        if msg_type == "A" and not _is_exchange(message):
            in_dollars = message.first("21005") == "Y"
            self._units[client] = PriceUnit.DOLLARS if in_dollars else PriceUnit.CENTS
        unit = self._unit or self._units.get(client)
        walk = _Walk(message, unit)
        fields = walk.fields(layout)
        name = layout.block.__name__ if layout is not None else f"unknown type {msg_type!r}"
        first = {tag: message.first(tag) for tag in dict.fromkeys(message.tags)}
        return Explained(
            line=message.line,
            front=message.front,
            name=name,
            sender=message.first("49"),
            target=message.first("56"),
            sequence=message.first("34"),
            time=message.first("52"),
            words=sentence(msg_type, first, _told(fields), unit),
            fields=fields,
            problems=(*message.problems, *walk.problems),
            unknown=tuple(walk.unknown),
        )


def _is_exchange(message: LoggedMessage) -> bool:
    return message.first("49").lower().startswith(_EXCHANGE_NAME)


def _layout_of(message: LoggedMessage, msg_type: str) -> Layout | None:
    known = dictionary(PriceUnit.CENTS)
    order = (Sender.EXCHANGE, Sender.CLIENT)
    if message.first("49") and not _is_exchange(message):
        order = (Sender.CLIENT, Sender.EXCHANGE)
    for sender in order:
        layout = known.sent_by(sender).get(msg_type)
        if layout is not None:
            return layout
    return None


def _told(fields: tuple[ExplainedField, ...]) -> Mapping[str, str]:
    """Number → meaning, of the first field of each number at any depth."""
    told: dict[str, str] = {}
    for field in fields:
        told.setdefault(field.tag, field.meaning or field.value)
        for entry in field.entries:
            for tag, meaning in _told(entry).items():
                told.setdefault(tag, meaning)
    return told


class _Walk:
    """Goes through the fields of one message and its groups."""

    def __init__(self, message: LoggedMessage, unit: PriceUnit | None) -> None:
        self._tags = message.tags
        self._values = message.values
        self._unit = unit
        self.problems: list[str] = []
        self.unknown: list[str] = []

    def fields(self, layout: Layout | None) -> tuple[ExplainedField, ...]:
        """All fields of the message."""
        known = dictionary(PriceUnit.CENTS)
        frame = {"8", "9", "10", "35"}
        if layout is None:
            around, layouts = frozenset(frame), (known.header, known.trailer)
        else:
            around, layouts = frozenset(frame), (known.header, layout, known.trailer)
        for each in layouts:
            self._missing(each, self._tags, each.block.__name__)
        return self._block(layouts, around, range(len(self._tags)))

    def _block(
        self, layouts: tuple[Layout, ...], around: frozenset[str], span: range
    ) -> tuple[ExplainedField, ...]:
        members = {tag: member for each in layouts for tag, member in each.by_tag.items()}
        lengths = {tag for each in layouts for tag in each.lengths}
        outside = around.union(members, lengths)
        seen: set[str] = set()
        found: list[ExplainedField] = []
        index = span.start
        while index < span.stop:
            tag = self._tags[index]
            member = members.get(tag)
            if tag in seen and (member is not None or tag in lengths):
                self.problems.append(f"{label(tag)} appears more than once")
            seen.add(tag)
            if member is not None and member.entry is not None:
                field, index = self._group(member, outside, index, span.stop)
                found.append(field)
                continue
            if member is None and tag not in outside:
                self._stranger(tag, layouts)
            found.append(self._field(tag, self._values[index], member))
            index += 1
        return tuple(found)

    def _group(
        self, member: Member, outside: frozenset[str], index: int, stop: int
    ) -> tuple[ExplainedField, int]:
        entry = entry_of(member)
        ends = outside - entry.reach
        spans = entry_spans(self._tags[:stop], index + 1, entry.delimiter, ends)
        value = self._values[index]
        problem = ""
        if value != str(len(spans)):
            problem = f"announces {value} entries, {len(spans)} are there"
            self.problems.append(f"{label(member.tag)} {problem}")
        entries: list[tuple[ExplainedField, ...]] = []
        for start, end in spans:
            self._missing(entry, self._tags[start:end], entry.block.__name__)
            entries.append(self._block((entry,), ends, range(start, end)))
        field = ExplainedField(
            member.tag, member.field.name, value, "", problem, entries=tuple(entries)
        )
        return field, spans[-1][1] if spans else index + 1

    def _missing(self, layout: Layout, tags: tuple[str, ...], where: str) -> None:
        lacking = [
            label(member.tag)
            for member in layout.members
            if member.required and member.tag not in tags
        ]
        if lacking:
            self.problems.append(f"missing from {where}: {', '.join(lacking)}")

    def _stranger(self, tag: str, layouts: tuple[Layout, ...]) -> None:
        if any(tag in layout.reach for layout in layouts):
            self.problems.append(f"{label(tag)} stands outside of its group")
        else:
            self.unknown.append(tag)

    def _field(self, tag: str, value: str, member: Member | None) -> ExplainedField:
        own = FIELDS.get(int(tag))
        if own is None:
            return ExplainedField(tag, "", value, "not in the dictionary", "")
        if own is Password:
            return ExplainedField(tag, own.name, "(hidden)", "", "")
        kind = member.kind if member is not None else own.kind
        meaning = problem = ""
        if own.kind.by_unit is not None and self._unit is None:
            meaning = f"{value} ({own.kind.unit})"
        else:
            kind = own.kind.in_unit(self._unit) if self._unit and own.kind.by_unit else kind
            try:
                meaning = _meaning(kind, own.meanings, value)
            except (TrueupError, ValueError, KeyError):
                problem = f"{value[:40]!r} is not {kind.unit}"
                self.problems.append(f"{label(tag)}: {problem}")
        return ExplainedField(tag, own.name, value, meaning, problem)


def _meaning(kind: AnyKind, meanings: Mapping[str, str], value: str) -> str:
    """What a value means; raises what reading it raises."""
    read = kind.read(value)
    if kind.words is not None:
        return str(read)
    if isinstance(read, date):
        return f"{read.isoformat()}, {kind.unit}"
    if meanings:
        return " ".join(meanings.get(part, part) for part in value.split(" "))
    return f"{value} {kind.unit.removesuffix(', always')}" if kind.unit in _SHOWN_UNITS else ""


_SHOWN_UNITS: Final = frozenset(
    {"contracts", "dollars", "cents", "dollars, always", "cents, always"}
)
