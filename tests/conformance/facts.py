"""The project's own table of facts about the REST API, and made-up answers after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

FACTS: Final = Path(__file__).with_name("rest_facts.txt")

Kind = str
"""``s``, ``$``, ``#``, ``i``, ``n``, ``b``, ``t``, ``o``, ``[kind]``, ``{kind}``, words, a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFact:
    """One field of a record."""

    name: str
    required: bool
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFact:
    """One operation.  Required parameters end with a star.  `body` and `answer` are records."""

    name: str
    method: str
    path: str
    status: str
    public: bool
    parameters: tuple[str, ...]
    body: str
    answer: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The whole table."""

    operations: Mapping[str, OperationFact]
    records: Mapping[str, tuple[FieldFact, ...]]


def read_facts(text: str) -> Facts:
    """The table from its text."""
    operations: dict[str, OperationFact] = {}
    records: dict[str, tuple[FieldFact, ...]] = {}
    for line in _joined(text):
        head, *words = line.split()
        if head.endswith(":"):
            records[head[:-1]] = tuple(map(_field, words))
        else:
            operations[head] = _operation(head, words)
    return Facts(operations, records)


def _joined(text: str) -> Iterator[str]:
    """Lines with their indented continuations."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("    "):
            lines[-1] += line
        elif line and not line.startswith("#"):
            lines.append(line)
    return iter(lines)


def _field(word: str) -> FieldFact:
    name, _, kind = word.partition("=")
    return FieldFact(name=name.rstrip("*"), required=name.endswith("*"), kind=kind)


def _operation(name: str, words: list[str]) -> OperationFact:
    method, path, status, *more = words

    def first(mark: str) -> str:
        return next((word[1:] for word in more if word.startswith(mark)), "")

    return OperationFact(
        name=name,
        method=method,
        path=path,
        status=status,
        public="public" in more,
        parameters=tuple(word[1:] for word in more if word.startswith("?")),
        body=first(">"),
        answer=first("<"),
    )


# -- made-up answers ---------------------------------------------------------------------------

_PLAIN: Final[Mapping[Kind, tuple[object, object]]] = {
    "s": ("text", "other text"),
    "$": ("0.5600", "0.5700"),
    "#": ("12.00", "13.00"),
    "i": (1_780_000_000, 1_780_000_001),
    "n": (0.5, 1.5),
    "b": (False, True),
    "t": ("2026-05-07T17:55:25Z", "2026-05-08T17:55:25Z"),
    "o": ({"key": 1}, {"key": 2}),
}
"""For every kind two values, so that one can be told from the other."""

_NAMED: Final[Mapping[str, tuple[object, object]]] = {
    "price_centi_cents": (5_600, 5_700),
    "start": ("0.0000", "0.0100"),
    "end": ("0.9000", "1.0000"),
    "step": ("0.0100", "0.0010"),
    "value": (100, 50),
    "yes_dollars": ([["0.4000", "5.00"]], [["0.4100", "5.00"]]),
    "no_dollars": ([["0.4000", "5.00"]], [["0.4100", "5.00"]]),
    "status": ("active", "closed"),
    "path": ("/trade-api/v2/markets/:ticker", "/trade-api/v2/events/:event_ticker"),
    "side": ("yes", "no"),
    "fee_type_override": ("quadratic", "flat"),
    "source": ("event_contract", "margined"),
    "destination": ("event_contract", "margined"),
}
"""Fields whose kind does not say enough."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an answer: the names and indices that lead there, and what it is called.

    `known_as` is ``Record.field``, the same wherever the record stands.
    """

    steps: tuple[str | int, ...]
    known_as: str
    first: object
    second: object


def answer_of(facts: Facts, record: str) -> tuple[dict[str, Any], list[Place]]:
    """A whole answer with every field, and every place in it that can be changed."""
    places: list[Place] = []
    return _record(facts, record, (), places), places


def changed(answer: dict[str, Any], place: Place) -> dict[str, Any]:
    """The answer with the second value at one place."""
    return cast("dict[str, Any]", _with(answer, place.steps, place.second))


def _with(tree: object, steps: tuple[str | int, ...], value: object) -> object:
    if not steps:
        return value
    head, *rest = steps
    if isinstance(tree, list):
        items = list(cast("list[object]", tree))
        items[cast("int", head)] = _with(items[cast("int", head)], tuple(rest), value)
        return items
    fields = dict(cast("dict[str, object]", tree))
    fields[str(head)] = _with(fields[str(head)], tuple(rest), value)
    return fields


def _record(
    facts: Facts, record: str, steps: tuple[str | int, ...], places: list[Place]
) -> dict[str, Any]:
    return {
        field.name: _value(
            facts, field.kind, (*steps, field.name), f"{record}.{field.name}", places
        )
        for field in facts.records[record]
    }


def _value(
    facts: Facts,
    kind: Kind,
    steps: tuple[str | int, ...],
    known_as: str,
    places: list[Place],
) -> object:
    name = known_as.rpartition(".")[2]
    if kind in facts.records:
        return _record(facts, kind, steps, places)
    if name in _NAMED and ("|" not in kind):
        pair = _NAMED[name]
    elif kind.startswith("["):
        inner = kind[1:-1]
        if name in _NAMED:
            pair = _NAMED[name]
        elif inner in facts.records or inner.startswith("["):
            return [_value(facts, inner, (*steps, 0), known_as, places)]
        else:
            one, other = _pair(inner)
            pair = [one], [other]
    elif kind.startswith("{"):
        return {"key": _value(facts, kind[1:-1], (*steps, "key"), known_as, places)}
    else:
        pair = _pair(kind)
    places.append(Place(steps, known_as, *pair))
    return pair[0]


def _pair(kind: Kind) -> tuple[object, object]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    words = kind.split("|")
    return words[0], words[1]
