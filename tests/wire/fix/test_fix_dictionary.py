"""The dictionary holds together, and other people's engines can read its export."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixcore.message.data_dictionary import DataDictionary

from trueup.wire.fix.dictionary import MESSAGES, Layout, dictionary
from trueup.wire.fix.export import markdown, quickfix_xml
from trueup.wire.fix.fields import FIELDS
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Sender

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "fix-dictionary.md"


def layouts() -> Iterator[Layout]:
    known = dictionary(PriceUnit.CENTS)
    waiting = [known.header, known.trailer, *known.messages]
    while waiting:
        layout = waiting.pop()
        yield layout
        waiting.extend(member.entry for member in layout.members if member.entry is not None)


def test_page_is_the_dictionary() -> None:
    """Fails after a change of the messages: write `export.markdown()` to the page again."""
    assert PAGE.read_text(encoding="utf-8") == markdown()


def test_every_message_class_is_listed_once_per_sender() -> None:
    for sender in (Sender.CLIENT, Sender.EXCHANGE):
        types = [each.TYPE for each in MESSAGES if each.SENT_BY in {sender, Sender.BOTH}]
        assert len(types) == len(set(types))


def test_field_numbers_and_names_are_unique() -> None:
    names = [field.name for field in FIELDS.values()]

    assert len(names) == len(set(names))
    assert all(number == field.tag for number, field in FIELDS.items())


def test_every_field_is_used_by_some_block() -> None:
    used = {member.field.tag for layout in layouts() for member in layout.members}
    lengths = {field.length_tag for field in FIELDS.values()}

    assert set(FIELDS) - used - lengths == {8, 9, 10, 35}


def test_groups_can_be_told_apart() -> None:
    """Every entry has its delimiter, and no field of a group stands beside it as well."""
    for layout in layouts():
        for group in layout.groups:
            entry = group.entry
            assert entry is not None
            assert entry.members[0].required
            assert entry.reach.isdisjoint(set(layout.by_tag) - {group.tag}), layout.block


def test_attributes_have_the_type_that_their_field_reads() -> None:
    samples = {
        "STRING": "x", "CHAR": "x", "INT": "7", "SEQNUM": "7", "LENGTH": "7", "BOOLEAN": "Y",
        "QTY": "1.00", "AMT": "1.00", "PRICE": "0.50", "UTCTIMESTAMP": "20261016-23:02:24.046",
        "LOCALMKTDATE": "20261016", "UTCDATEONLY": "20261016", "UTCTIMEONLY": "23:02:24.046",
        "CURRENCY": "USD", "MULTIPLEVALUESTRING": "6 E", "DATA": "x", "NUMINGROUP": "1",
    }  # fmt: skip
    for layout in layouts():
        hints = typing.get_type_hints(layout.block)
        for member in layout.members:
            if member.entry is not None:
                continue
            words = member.kind.words
            text = next(iter(words)) if words is not None else samples[member.kind.fix]
            text = "7" if member.field.name in {"LastMkt", "ExDestination"} else text
            value = member.kind.read(text)
            accepted = [
                getattr(each, "__supertype__", each)
                for each in (typing.get_args(hints[member.name]) or [hints[member.name]])
            ]
            assert type(value) in accepted, (layout.block.__name__, member.name)


def test_export_is_read_by_another_engine(tmp_path: Path) -> None:
    file = tmp_path / "kalshi.xml"
    file.write_text(quickfix_xml(), encoding="utf-8")

    theirs = DataDictionary.from_xml(file)

    assert theirs.version == "FIXT.1.1"
    assert {each.msg_type for each in theirs.messages()} == {each.TYPE for each in MESSAGES}
    parties = theirs.message_def("UMS").groups[20108]
    assert parties.delimiter == 20109
    assert set(parties.nested_groups) == {1703, 136}
    assert set(theirs.fields()) == set(FIELDS)


@pytest.mark.recorded
@pytest.mark.parametrize(
    "name", ["kalshi-fix-dictionary.xml", "kalshi-fix-dictionary.augmented.xml"]
)
def test_export_has_everything_of_the_exchanges_own(
    name: str, recorded_data: Path, tmp_path: Path
) -> None:
    """Fields, messages, groups and required flags; what is required may only be less."""
    published = recorded_data.parent / "kalshi" / "spec" / name
    if not published.exists():
        pytest.skip(f"{published} is not there")
    (tmp_path / "ours.xml").write_text(quickfix_xml(), encoding="utf-8")
    theirs = DataDictionary.from_xml(published)
    ours = DataDictionary.from_xml(tmp_path / "ours.xml")

    missing = {
        (field.number, field.name)
        for field in theirs.fields().values()
        if field.number not in ours.fields() or ours.field_def(field.number).name != field.name
    }
    assert missing == {(48, "SecurityID")}  # defined, and used by no message
    for message in theirs.messages():
        own = ours.message_def(message.msg_type)
        assert own.name == message.name
        assert message.all_fields <= own.all_fields, message.name
        assert own.required <= message.required, message.name
        assert message.required - own.required <= {268}, message.name
        for tag, group in message.groups.items():
            assert set(group.members) <= set(own.groups[tag].members)
            assert own.groups[tag].delimiter == group.delimiter
