"""Where in a TOML text each key stands: the standard reader does not say.

Good enough for error messages: keys at the beginning of a line and table
headers; what is written inside an inline table or array has the line of its key.
"""

from __future__ import annotations

import re
from typing import Final

Path = tuple[str | int, ...]
"""Keys and array places from the root: ``("markets", 2, "ticker")``."""

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_HEADER: Final = re.compile(rf"\s*(\[\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_KEY: Final = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=(.*)")
_PARTS: Final = re.compile(_PART)
_STRINGS: Final = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'|#.*")
_FENCES: Final = ('"' * 3, "'" * 3)


class TomlLines:
    """The line of every key of a text that is known to be TOML."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._read(text)

    def line(self, path: Path) -> int:
        """The line of a key, or of the nearest table around it that has one."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _read(self, text: str) -> None:
        table: Path = ()
        depth, fence = 0, ""
        for number, raw in enumerate(text.splitlines(), 1):
            if fence:
                if fence in raw:
                    fence = ""
                continue
            value = raw
            if depth == 0:
                header = _HEADER.match(raw)
                if header is not None:
                    table = self._open(header[1], _names(header[2]), number)
                    continue
                key = _KEY.match(raw)
                if key is None:
                    continue
                names, value = _names(key[1]), key[2]
                for end in range(1, len(names) + 1):
                    self._lines.setdefault((*table, *names[:end]), number)
            fence = next((one for one in _FENCES if value.count(one) % 2), "")
            bare = _STRINGS.sub("", value)
            depth = max(0, depth + _brackets(bare))

    def _open(self, brackets: str, names: tuple[str, ...], number: int) -> Path:
        """The path of the table that a header opens."""
        path: Path = ()
        for name in names[:-1]:
            path = (*path, name)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        path = (*path, names[-1])
        if brackets == "[[":
            place = self._counts.get(path, 0)
            self._counts[path] = place + 1
            self._lines.setdefault(path, number)
            path = (*path, place)
        self._lines.setdefault(path, number)
        return path


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PARTS.findall(dotted))


def _brackets(bare: str) -> int:
    return sum(bare.count(one) for one in "[{") - sum(bare.count(one) for one in "]}")
