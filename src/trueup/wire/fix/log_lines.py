"""FIX messages in other people's logs: any separator, anything in front, one or many lines.

A log line may hold a time and words before the message, and separate its fields with
SOH, ``|``, ``^A``, ``<SOH>`` or an escape of SOH, or with a sign that may stand in a
value too (``;``, a comma, a blank) and separates where a tag follows; documentation
spreads a message over several lines; captures come as JSON lines, at any depth.  What is found is taken as it stands: nothing
is repaired, and what is missing (length, checksum) is said and not invented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from trueup.wire.fix.errors import FixBroken
from trueup.wire.fix.frame import SOH, open_frame
from trueup.wire.fix.pairs import is_tag

LINE_MAX: Final = 4 << 20
"""Longer lines are cut: no message is that long."""

FIELDS_MAX: Final = 200_000

_START: Final = re.compile(r"(?<![0-9])8=FIX[A-Z0-9.]*")
_SEPARATORS: Final = (SOH, "|", "^A", "<SOH>", r"\x01", r"\u0001", r"\001", "␁")
_CONTINUES: Final = re.compile(r"\s*[1-9][0-9]{0,8}=")
_UNSURE: Final = re.compile(r"\s*([;,]|\s)\s*(?=[1-9][0-9]{0,8}=)")
_UNSURE_SPLITS: Final = {
    sign: re.compile(rf"\s*{sign}\s*(?=[1-9][0-9]{{0,8}}=)") for sign in (";", ",", r"\s")
}
_COMMENT: Final = re.compile(r"\s*(?://|#|```)")


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """One message of a log.

    `front` is what stood before it on its line.  `problems` says what is wrong with its
    form, `is_whole` whether length and checksum are there and right.
    """

    line: int
    front: str
    tags: tuple[str, ...]
    values: tuple[str, ...]
    problems: tuple[str, ...]
    is_whole: bool

    def first(self, tag: str) -> str:
        """The first value of a field; empty when it is not there."""
        return self.values[self.tags.index(tag)] if tag in self.tags else ""


def read_log(lines: Iterable[str]) -> Iterator[LoggedMessage]:
    """The messages of a log, in order.  `lines` may keep their line ends."""
    waiting: tuple[int, str, str] | None = None
    for number, line in enumerate(lines, start=1):
        text = line[:LINE_MAX].rstrip("\r\n")
        starts = [match.start() for match in _START.finditer(text)]
        if not starts:
            if waiting is not None and _CONTINUES.match(text):
                waiting = (waiting[0], waiting[1], waiting[2] + text.strip())
            elif waiting is not None and not _COMMENT.match(text):
                yield _message(*waiting)
                waiting = None
            continue
        if waiting is not None:
            yield _message(*waiting)
            waiting = None
        if text.lstrip().startswith("{"):
            yield from _of_json(number, text)
            continue
        ends = [*starts[1:], len(text)]
        found = [(number, text[start:end]) for start, end in zip(starts, ends, strict=True)]
        for place, (_, message) in enumerate(found[:-1]):
            yield _message(number, text[: starts[0]].strip() if place == 0 else "", message)
        front = text[: starts[0]].strip() if len(found) == 1 else ""
        waiting = (number, front, found[-1][1])
    if waiting is not None:
        yield _message(*waiting)


def _of_json(number: int, text: str) -> Iterator[LoggedMessage]:
    """Every string of a JSON object that holds a message."""
    try:
        record: Any = json.loads(text)
    except ValueError:
        start = _START.search(text)
        if start is not None:
            yield _message(number, text[: start.start()].strip(), text[start.start() :])
        return
    if not isinstance(record, dict):
        return
    fields = cast("dict[str, object]", record)
    front = str(fields.get("time") or fields.get("id") or "")
    for value in _texts(fields):
        if start := _START.search(value):
            yield _message(number, front, value[start.start() :])


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += reversed(cast("dict[str, object]", each).values())
        elif isinstance(each, list):
            waiting += reversed(cast("list[object]", each))


def _message(line: int, front: str, text: str) -> LoggedMessage:
    separator, parts = _parts(text)
    tags: list[str] = []
    values: list[str] = []
    problems: list[str] = []
    for part in parts[:FIELDS_MAX]:
        field = part.strip() if separator != SOH else part
        if not field:
            continue
        tag, equals, value = field.partition("=")
        if equals and is_tag(tag):
            tags.append(tag)
            values.append(value)
        else:
            problems.append(f"{field[:40]!r} is not a field")
    if len(parts) > FIELDS_MAX:
        problems.append(f"only the first {FIELDS_MAX} fields were read")
    whole = _whole(tags, values, problems)
    return LoggedMessage(line, front, tuple(tags), tuple(values), tuple(problems), whole)


def _parts(text: str) -> tuple[str, list[str]]:
    """What separates the fields of a message, and the fields."""
    start = _START.match(text)
    rest = (text[start.end() :] if start else text).lstrip(" ")
    separator = next((each for each in _SEPARATORS if rest.startswith(each)), "")
    if separator:
        return separator, text.split(separator)
    unsure = _UNSURE.match(text, start.end() if start else 0)
    if unsure is None:
        return "", [text]
    sign = unsure[1] if unsure[1] in _UNSURE_SPLITS else r"\s"
    return unsure[1], _UNSURE_SPLITS[sign].split(text.rstrip().removesuffix(unsure[1]))


def _whole(tags: list[str], values: list[str], problems: list[str]) -> bool:
    """Whether length and checksum are right; what is wrong is added to `problems`."""
    if "9" not in tags or "10" not in tags:
        lacking = " and ".join(
            name for tag, name in (("9", "BodyLength"), ("10", "CheckSum")) if tag not in tags
        )
        problems.append(f"not a whole message: {lacking} missing")
        return False
    fields = zip(tags, values, strict=True)
    raw = "".join(f"{tag}={value}{SOH}" for tag, value in fields)
    try:
        open_frame(raw.encode("utf-8", "surrogateescape"))
    except FixBroken as error:
        problems.append(str(error))
        return False
    return True
