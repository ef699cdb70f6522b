"""A TOML file read into a checked value, or refused with the file, the line and the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from trueup.core.errors import ConfigError
from trueup.core.toml_lines import TomlLines
from trueup.core.toml_mistakes import mistake, shown_key

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """What stands in the file, as `kind`.

    Raises `ConfigError` that names the key that is wrong and says what it may be, and
    `FileNotFoundError`.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError(
            f"{path} cannot be used: {words}", remedy="Look after the file."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path} cannot be used, it is not TOML: {error}",
            remedy="Look at that place: text and amounts stand in quotes, tables in [brackets].",
        ) from error
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        found = mistake(str(error), kind=kind, tree=tree, convert=msgspec.convert)
        where = f"{path}, line {TomlLines(text).line(found.path)}"
        key = shown_key(found.path)
        raise ConfigError(
            f"{where}: {key}: {found.words}" if key else f"{where}: {found.words}",
            remedy=found.remedy,
        ) from error
