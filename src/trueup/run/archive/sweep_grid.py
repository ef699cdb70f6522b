"""The parameters that a sweep tries: from ``--set name=a,b,c`` or from a TOML file, all combined."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Final, cast

from trueup.core.errors import ConfigError
from trueup.run.plain_values import Plain

COMBINATIONS_MAX: Final = 10_000
"""More than this is no question any more that a recording could answer."""

Parameters = dict[str, Plain]
Grid = dict[str, tuple[Plain, ...]]


def read_settings(texts: Iterable[str]) -> Parameters:
    """One value for each parameter.  Raises `ConfigError`."""
    found: Parameters = {}
    for text in texts:
        name, values = _choice(text)
        if len(values) != 1:
            raise ConfigError(
                f"--set {text} names {len(values)} values", remedy="`trueup sweep` tries several."
            )
        (found[name],) = values
    return found


def read_grid(texts: Iterable[str], path: Path | None = None) -> Grid:
    """The values to try of each parameter; what is named by `texts` counts before the file.

    A file has a line ``name = [value, …]`` for each.  Raises `ConfigError`.
    """
    grid: Grid = {} if path is None else _of_file(path)
    named: Grid = {}
    for text in texts:
        name, values = _choice(text)
        if name in named:
            raise ConfigError(f"--set {name} stands there twice", remedy="Give all values at once.")
        named[name] = values
    grid |= named
    for name, values in grid.items():
        if len({repr(each) for each in values}) < len(values):
            raise ConfigError(f"{name} has the same value twice", remedy="Name each value once.")
    if not grid:
        raise ConfigError(
            "a sweep needs parameters to try",
            remedy="Name them: --set edge_min=0.03,0.05 --set age_max=12h,24h, or --grid FILE.",
        )
    return grid


def combinations(grid: Mapping[str, Sequence[Plain]]) -> list[Parameters]:
    """Every value with every other, in the order of the grid.  Raises `ConfigError` for too many."""
    number = prod(len(values) for values in grid.values())
    if number > COMBINATIONS_MAX:
        raise ConfigError(
            f"{number:,} combinations are too many: the best of so many is luck",
            remedy=f"Try fewer values, at most {COMBINATIONS_MAX:,} combinations.",
        )
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def words_of(parameters: Mapping[str, Plain]) -> str:
    """Parameters in a line: ``edge_min=0.03 age_max=12h``."""
    return " ".join(f"{name}={_word(value)}" for name, value in parameters.items())


def _word(value: Plain) -> str:
    if isinstance(value, dict):
        return "/".join(f"{name}:{each}" for name, each in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)


def _choice(text: str) -> tuple[str, tuple[Plain, ...]]:
    name, sign, values = text.partition("=")
    found = tuple(_plain(each.strip()) for each in values.split(","))
    if not sign or not name.strip() or "" in found:
        raise ConfigError(
            f"--set {text} names no parameter with values", remedy="Write name=value or name=a,b,c."
        )
    return name.strip(), found


def _plain(text: str) -> Plain:
    return {"true": True, "false": False}.get(text, text)


def _of_file(path: Path) -> Grid:
    try:
        read: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the grid {path} cannot be used: {error}", remedy="Correct it."
        ) from error
    for name, values in read.items():
        if (
            not isinstance(values, list)
            or not values
            or any(map(_is_float, cast("list[object]", values)))
        ):
            raise ConfigError(
                f"{path}: {name} is no list of values to try",
                remedy=f'Write {name} = ["0.03", "0.05"]: decimals in quotes.',
            )
    return {name: tuple(values) for name, values in read.items()}


def _is_float(value: object) -> bool:
    return isinstance(value, float)
