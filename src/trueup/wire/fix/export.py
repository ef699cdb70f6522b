"""The dictionary in other people's forms: QuickFIX XML for engines, Markdown for readers.

One XML file is transport and application at once, as the exchange publishes its own.
A message that differs by its sender (S) is exported once, with the fields of both.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from trueup.wire.fix.dictionary import Dictionary, Layout, Member, dictionary, header_fields
from trueup.wire.fix.fields import FIELDS, CheckSum, Field
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Message, Sender

_INDENT: Final = "  "
_SENDERS: Final = {
    Sender.CLIENT: "client → exchange",
    Sender.EXCHANGE: "exchange → client",
    Sender.BOTH: "both ways",
}


def quickfix_xml() -> str:
    """The dictionary in the form of QuickFIX and the engines that took it over."""
    known = dictionary(PriceUnit.CENTS)
    lines = [
        "<?xml version='1.0' encoding='UTF-8'?>",
        "<fix type='FIXT' major='1' minor='1' servicepack='0'>",
        "  <header>",
        *(_field_line(field, required, 2) for field, required in header_fields()),
        "  </header>",
        "  <trailer>",
        *_with_lengths(known.trailer, 2),
        _field_line(CheckSum, required=True, depth=2),
        "  </trailer>",
        "  <messages>",
        *_messages(known),
        "  </messages>",
        "  <components/>",
        "  <fields>",
        *(line for tag in sorted(FIELDS) for line in _definition(FIELDS[tag], known)),
        "  </fields>",
        "</fix>",
    ]
    return "\n".join(lines) + "\n"


def _messages(known: Dictionary) -> Iterator[str]:
    merged: dict[str, list[Layout]] = {}
    for kind, layout in known.by_class.items():
        merged.setdefault(kind.TYPE, []).append(layout)
    for msg_type, layouts in merged.items():
        kind = _message_of(layouts[0])
        category = "admin" if kind.IS_ADMIN else "app"
        yield (
            f"    <message name={quoteattr(kind.__name__)} "
            f"msgtype={quoteattr(msg_type)} msgcat='{category}'>"
        )
        yield from _with_lengths(layouts[0], 3)
        have = set(layouts[0].by_tag)
        for layout in layouts[1:]:
            extra = tuple(each for each in layout.members if each.tag not in have)
            yield from _with_lengths(Layout(layout.block, extra), 3)
        yield "    </message>"


def _message_of(layout: Layout) -> type[Message]:
    if not issubclass(layout.block, Message):
        raise TypeError(f"{layout.block.__name__} is not a message")
    return layout.block


def _with_lengths(layout: Layout, depth: int) -> Iterator[str]:
    for member in layout.members:
        if member.field.length_tag:
            yield _field_line(FIELDS[member.field.length_tag], required=False, depth=depth)
        yield from _member_lines(member, depth)


def _member_lines(member: Member, depth: int) -> Iterator[str]:
    required = member.required_of is Sender.BOTH
    if member.entry is None:
        yield _field_line(member.field, required, depth)
        return
    pad = _INDENT * depth
    yield f"{pad}<group name={quoteattr(member.field.name)} required='{_yes(required)}'>"
    yield from _with_lengths(member.entry, depth + 1)
    yield f"{pad}</group>"


def _field_line(field: Field, required: bool, depth: int) -> str:
    return f"{_INDENT * depth}<field name={quoteattr(field.name)} required='{_yes(required)}'/>"


def _yes(required: bool) -> str:
    return "Y" if required else "N"


def _definition(field: Field, known: Dictionary) -> Iterator[str]:
    head = f"    <field number='{field.tag}' name={quoteattr(field.name)} type='{field.kind.fix}'"
    described = list(_described_values(field, known))
    if not described:
        yield f"{head}/>"
        return
    yield f"{head}>"
    for value, words in described:
        name = "".join(c if c.isalnum() else "_" for c in words.upper())
        yield f"      <value enum={quoteattr(value)} description={quoteattr(name)}/>"
    yield "    </field>"


def _described_values(field: Field, known: Dictionary) -> Iterator[tuple[str, str]]:
    """The values of a closed list.  Open lists are left open, so that engines accept new ones."""
    if field.name == "MsgType":
        named = {kind.TYPE: kind.__name__ for kind in known.by_class}
        yield from named.items()
    elif field.kind.words is not None:
        for value, meaning in field.kind.words.items():
            yield value, str(meaning)


def markdown() -> str:
    """The dictionary as a page for people."""
    known = dictionary(PriceUnit.CENTS)
    lines = [
        "# FIX dictionary",
        "",
        "Made from the message classes in `src/trueup/wire/fix/messages`; do not edit.",
        "*Required* says whose messages must have the field. A field that is not here is still",
        "read, kept and counted.",
        "",
        "## Messages",
        "",
    ]
    for kind, layout in known.by_class.items():
        lines += [
            f"### {kind.__name__} (35={kind.TYPE}, {_SENDERS[kind.SENT_BY]})",
            "",
            (inspect.getdoc(kind) or "").replace("\n\n", "\n"),
            "",
            "| tag | field | attribute | value | required |",
            "|---|---|---|---|---|",
            *_rows(layout.members, ""),
            "",
        ]
    lines += ["## Lists", ""]
    for tag in sorted(FIELDS):
        field = FIELDS[tag]
        meanings = field.meanings or {k: str(v) for k, v in (field.kind.words or {}).items()}
        if meanings:
            told = " · ".join(f"`{value}` {words}" for value, words in meanings.items())
            lines += [f"- **{field.name} ({tag})**: {told}"]
    return "\n".join(lines) + "\n"


def _rows(members: Iterable[Member], indent: str) -> Iterator[str]:
    for member in members:
        required = "" if member.required_of is None else _REQUIRED[member.required_of]
        yield (
            f"| {indent}{member.field.tag} | {member.field.name} | `{member.name}` "
            f"| {member.kind.unit} | {required} |"
        )
        if member.entry is not None:
            yield from _rows(member.entry.members, indent + "- ")


_REQUIRED: Final = {
    Sender.BOTH: "yes",
    Sender.CLIENT: "of the client",
    Sender.EXCHANGE: "of the exchange",
}
