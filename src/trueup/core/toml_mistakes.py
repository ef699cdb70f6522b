"""A mistake in a file of settings, told to whoever wrote it: which key, and what it may be.

The decoder says ``Object contains unknown field `postion_max` - at `$.strategies[1].limits```
and counts from 0.  A person reads tables from the first one on, so it is
``strategies[2].limits.postion_max`` here, as everywhere else where a key is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin, get_type_hints

from trueup.core.toml_lines import Path

_AT: Final = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?\Z", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")
_MISSING: Final = re.compile(r"Object missing required field `(?P<key>[^`]*)`")
_EXPECTED: Final = re.compile(
    r"Expected `(?P<expected>[^`]*)`(?:, got `(?P<got>[^`]*)`)?(?P<bound>.*)\Z", re.DOTALL
)
_KINDS: Final = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "",
}

Convert = Callable[[Any, Any], object]
"""The decoder: takes a value as a type, or raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong at `path` (its numbers count from 0), and what to do about it."""

    path: Path
    words: str
    remedy: str


def mistake(message: str, *, kind: type, tree: object, convert: Convert) -> Mistake:
    """What the decoder's `message` about `tree`, read as `kind`, means to a person."""
    match = _AT.match(message)
    what, raw = (match["what"], match["path"] or "") if match else (message, "")
    path, here, value = _walk(raw, kind, tree, convert)
    if (unknown := _UNKNOWN.match(what)) is not None:
        key, known = unknown["key"], _keys(here)
        near = get_close_matches(key, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        words = f"there is no key {key!r}{hint}"
        return Mistake(path=(*path, key), words=words, remedy=f"Known are {', '.join(known)}.")
    if (missing := _MISSING.match(what)) is not None:
        key = missing["key"]
        return Mistake(path=path, words=f"the key {key!r} is missing", remedy=f"Add {key} = …")
    expected = _EXPECTED.match(what)
    if expected is None:
        return Mistake(path=path, words=what, remedy="Correct it.")
    if bound := expected["bound"].strip():
        shown = "the list" if isinstance(value, list) else repr(value)
        return Mistake(path=path, words=f"{shown} must be {bound}", remedy="Correct it.")
    arms = [each.strip() for each in expected["expected"].split("|")]
    if expected["got"] == "float" and "str" in arms:
        words = f"{value} stands without quotes, so it would not be exact"
        return Mistake(path=path, words=words, remedy=f'Write "{value}".')
    kinds = " or ".join(filter(None, (_KINDS.get(each, each) for each in arms)))
    return Mistake(path=path, words=f"{value!r} does not fit", remedy=f"Give {kinds}.")


def shown_key(path: Sequence[str | int]) -> str:
    """A path as a person writes it: ``markets[2].ticker`` counts from the first table as 1."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part + 1}]"
        else:
            shown += f".{part}" if shown else part
    return shown


def _walk(raw: str, kind: Any, tree: object, convert: Convert) -> tuple[Path, Any, object]:  # noqa: ANN401
    """The path, the type that is wanted at its end, and the value that stands there."""
    path: list[str | int] = []
    here, value = _table(kind), tree
    for name, place in cast("list[tuple[str, str]]", _STEP.findall(raw)):
        if name:
            here = get_type_hints(here, include_extras=True).get(name, object)
            path.append(name)
        else:
            inner = get_args(here)
            here = inner[-1] if get_origin(here) is not tuple and inner else (*inner, object)[0]
            path.append(_misfit(value, here, convert) if place == "..." else int(place))
        here = _table(here)
        value = _at(value, path[-1])
    return tuple(path), here, value


def _misfit(value: object, kind: Any, convert: Convert) -> str:  # noqa: ANN401
    """The key of a table of free names whose value does not fit: the decoder does not say."""
    found: dict[str, object] = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    for key, each in found.items():
        try:
            convert(each, kind)
        except Exception:  # noqa: BLE001  (whatever it raises, it did not take the value)
            return key
    return "…"


def _at(value: object, part: str | int) -> object:
    try:
        return cast("Any", value)[part]
    except (LookupError, TypeError):
        return None


def _table(kind: Any) -> Any:  # noqa: ANN401
    """The type without its annotations and, where there are several, the one that holds others."""
    if get_origin(kind) is Annotated:
        return _table(get_args(kind)[0])
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    arms = [_table(each) for each in get_args(kind)]
    return next((each for each in arms if _keys(each) or get_args(each)), kind)


def _keys(kind: Any) -> list[str]:  # noqa: ANN401
    return list(getattr(kind, "__struct_fields__", ()))
