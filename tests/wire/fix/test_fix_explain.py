from __future__ import annotations

import json
from pathlib import Path

import pytest
from fix_strategies import HEADERS, messages
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.wire.fix.codec import Codec
from trueup.wire.fix.dictionary import MESSAGES
from trueup.wire.fix.explain import Explained, ExplainedField, Explainer
from trueup.wire.fix.fields import FIELDS
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.log_lines import LoggedMessage, read_log
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.sentences import sentence

SOH = "\x01"
ORDER = "8=FIXT.1.1|9=97|35=D|49=key-1|56=KalshiNR|34=7|52=20261016-23:02:24.000|11=c-1|38=10.00|40=2|44=49|54=2|55=KXA-1|10=121|"
LOGON = "8=FIXT.1.1|35=A|49=key-1|56=KalshiNR|34=1|52=20261016-23:02:24.000|98=0|108=30|96=abc==|141=Y|21005=Y|1137=9|554=hunter2|"
TRADE = "8=FIXT.1.1|35=8|49=KalshiNR|56=key-1|34=9|52=20261016-23:02:24.046|37=o-1|11=c-1|17=1;2|150=F|39=2|54=2|55=KXA-1|151=0.00|14=10.00|6=0.49|38=10.00|31=0.49|32=10.00|136=1|137=0.09|138=USD|139=4|891=0|1057=Y|"


def found(*lines: str) -> list[LoggedMessage]:
    return list(read_log(lines))


def explained(*lines: str) -> list[Explained]:
    explainer = Explainer()
    return [explainer.explain(message) for message in found(*lines)]


@pytest.mark.parametrize(
    "separator",
    [SOH, "|", "^A", "<SOH>", "\\x01", "\\u0001", "␁", " | ", ";", ", ", " "],
)
@pytest.mark.parametrize(
    "front", ["", "20261016-23:02:24.000 : ", "[INFO] 2026-10-16 23:02:24,000 -> outgoing: "]
)
def test_message_is_found_behind_anything_with_any_separator(separator: str, front: str) -> None:
    (message,) = found(front + ORDER.replace("|", separator))

    assert message.front == front.strip()
    assert message.is_whole
    assert message.problems == ()
    assert message.first("55") == "KXA-1"


def test_a_sign_separates_only_where_a_tag_follows() -> None:
    (message,) = found("8=FIXT.1.1 35=5 58=API usage level is not allowed 49=KalshiNR")

    assert message.first("58") == "API usage level is not allowed"
    assert message.first("49") == "KalshiNR"


def test_messages_lie_at_any_depth_of_a_json_line() -> None:
    line = json.dumps({"event": {"raw": f"in: {ORDER}"}, "more": [{"fix": TRADE}]})

    assert [message.first("35") for message in found(line)] == ["D", "8"]


def test_several_messages_on_a_line_and_one_over_many_lines() -> None:
    two = found((ORDER + ORDER).replace("|", SOH))
    spread = found("```fix", "// Market settled", "8=FIXT.1.1|35=UMS|", "20105=s|55=KXA|", "  20109=u|", "", "x=1")  # fmt: skip

    assert [message.is_whole for message in two] == [True, True]
    (message,) = spread
    assert message.tags == ("8", "35", "20105", "55", "20109")
    assert message.line == 3


def test_changed_message_is_still_explained_and_the_change_is_told() -> None:
    (message,) = explained(ORDER.replace("44=49", "44=48"))

    assert "add up to" in message.problems[0]
    assert message.words.startswith("new order c-1: sell YES (buy NO) 10.00 KXA-1 at 48")


def test_unit_of_prices_follows_from_the_logon_in_the_log() -> None:
    logon, trade = explained(LOGON, TRADE)
    (alone,) = explained(TRADE)

    assert "prices in dollars" in logon.words
    assert "hunter2" not in str(logon)
    meanings = {field.tag: field.meaning for field in trade.fields}
    assert meanings["31"] == "0.49 dollars"
    assert trade.words == (
        "order o-1 (c-1) sold YES (bought NO) 10.00 KXA-1 at 0.49, took, 0.00 left, fee 0.09 dollars"
    )
    assert "prices as written" in alone.words


def test_groups_are_shown_entry_by_entry_and_wrong_counts_are_told() -> None:
    (message,) = explained(TRADE.replace("136=1", "136=3"))

    (fees,) = [field for field in message.fields if field.tag == "136"]
    assert [[field.tag for field in entry] for entry in fees.entries] == [
        ["137", "138", "139", "891"]
    ]
    assert "announces 3 entries, 1 are there" in fees.problem


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: f"{kind.TYPE}-{kind.SENT_BY}")
def test_every_message_type_has_a_sentence(kind: type[Message]) -> None:
    assert "dictionary" not in sentence(kind.TYPE, {}, {}, PriceUnit.CENTS)


@settings(deadline=None)
@given(HEADERS, messages(Sender.EXCHANGE, PriceUnit.DOLLARS))
def test_every_field_of_a_whole_message_is_named_and_sound(
    header: Header, message: Message
) -> None:
    raw = Codec(reads=Sender.CLIENT, unit=PriceUnit.DOLLARS).encode(header, message)
    text = raw.decode()
    if "\n" in text or "\r" in text or "8=FIX" in text[3:]:
        return

    (told,) = [Explainer(PriceUnit.DOLLARS).explain(each) for each in read_log([text])]

    assert told.problems == ()
    assert told.unknown == ()
    assert count_fields(told.fields) == text.count(SOH)


def count_fields(fields: tuple[ExplainedField, ...]) -> int:
    return sum(1 + sum(map(count_fields, field.entries)) for field in fields)


@settings(deadline=None)
@given(
    st.lists(st.text(max_size=80) | st.just("8=FIXT.1.1|") | st.just("136=2|137=x|"), max_size=6)
)
def test_no_text_stops_the_reader(lines: list[str]) -> None:
    explainer = Explainer()
    for message in read_log(["8=FIXT.1.1|35=8|" + line for line in lines] + lines):
        assert explainer.explain(message).words


@pytest.mark.recorded
def test_recorded_messages_decode_field_by_field(recorded_data: Path) -> None:
    """All of them: no field is lost, and only two numbers are not in the dictionary."""
    file = recorded_data / "fix" / "kalshi_fix_messages.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    explainer = Explainer()

    told = [explainer.explain(message) for message in read_log(lines)]

    assert len(told) == len(lines)
    for line, message in zip(lines, told, strict=True):
        written = [part for part in json.loads(line)["fix"].split("|") if part and part != "..."]
        assert count_fields(message.fields) == len(written)
        for field in message.fields:
            assert field.name or field.tag == "15"
    unknown = {tag for message in told for tag in message.unknown}
    assert unknown == {"15", "4704", "4705"}
    assert {int(tag) for tag in unknown}.isdisjoint(FIELDS)
    parties = [
        len(field.entries) for message in told for field in message.fields if field.tag == "20108"
    ]
    assert parties == [1, 2, 1, 1, 1, 1]
