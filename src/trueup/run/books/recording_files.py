"""The files of a recording, and their rows one after the other as JSON.

Whoever records has a format of their own: a row per line, whole answers of the API,
a table of comma-separated values, compressed or not, several files of one stream.
A file says by the beginning of its name what it holds (``fills_2026-05.jsonl.gz`` are
fills); its rows come out as the exchange's own JSON objects.  A row that was JSON
already keeps its text word for word.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import ConfigError
from trueup.run.books.recorded_tables import rows_of_table
from trueup.sim.recorded import STREAMS

MANIFEST_NAME: Final = "manifest.json"

_ENDINGS: Final = (".jsonl", ".ndjson", ".json", ".csv")
_OTHER_NAMES: Final = {
    "balance_timeline": "balances",
    "intra_exchange_instance_transfers": "shard_transfers",
    "market_positions": "positions",
    "market_results": "markets",
    "subaccounts_balances": "subaccount_balances",
    "subaccounts_transfers": "subaccount_transfers",
}
_NAMES: Final = {**{name: name for name in STREAMS}, **_OTHER_NAMES}
_LEADING: Final = ("kalshi_", "portfolio_", "get_")
_TRAILING: Final = ("_response", "_single", "_list")
_ANYWHERE: Final = "market_results"
"""Lists of results are published under the name of their series."""

_ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    "positions": ("market_positions", "positions"),
    "historical_positions": ("market_positions", "positions"),
    "historical_fills": ("fills",),
    "historical_orders": ("orders", "order"),
    "historical_markets": ("markets", "market"),
    "orders": ("orders", "order"),
    "markets": ("markets", "market"),
    "events": ("events", "event"),
    "subaccount_transfers": ("transfers",),
    "shard_transfers": ("transfers", "transfer"),
    "series_fee_changes": ("series_fee_change_arr",),
    "balances": ("balances", "balance"),
}
"""Under which key an answer of the API has its rows, where it is not the stream's name."""

_WRAPPERS: Final = ("response", "response_body", "payload", "body", "data", "msg")
"""Under which keys recorders put an answer, or a message of the stream, that they kept whole."""

_STATEMENTS: Final = ("kalshi_transactions", "kalshi_recent_activity")
"""How the files are called that the exchange's website gives its members."""

_REMARKS: Final = ("observed_at", "subaccount_number", "exchange_index")
_TIMES: Final = ("captured_at", "recorded_at", "fetched_at")
"""What else a wrapper may call the time at which its answer was seen."""

_as_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_as_value: Final = msgspec.json.Decoder(msgspec.Raw | list[msgspec.Raw]).decode
_as_list: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file and the stream that it holds."""

    stream: str
    path: Path

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Every row as a JSON object, with its number in the file (a line, or a row of a table).

        Raises `ConfigError` that names the file and the line for what is cut off or no JSON.
        """
        try:
            ending = _ending(self.path)
            if ending == ".csv":
                yield from rows_of_table(self.stream, self.path, _read(self.path).decode())
            elif ending == ".json":
                for number, row in enumerate(_whole(self.path, _read(self.path)), start=1):
                    yield from ((number, each) for each in self._opened(number, row))
            else:
                for number, line in _lines(self.path):
                    yield from ((number, each) for each in self._opened(number, line))
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigError(
                f"{self.path} cannot be read: {error}",
                remedy="It may be cut off, or not be what its name says. Nothing was imported.",
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"{self.path} is not UTF-8 text ({error.reason} at byte {error.start})",
                remedy="Save it as UTF-8. Nothing was imported.",
            ) from error

    def _opened(self, number: int, raw: bytes) -> Iterator[bytes]:
        """The rows of a line: itself, or those of the answer that it holds."""
        try:
            row = _as_object(raw)
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"{self.path}, line {number}: not a JSON object",
                remedy="Write the items of a listing one per line, without the list around them.",
            ) from error
        except _BROKEN as error:
            raise ConfigError(
                f"{self.path}, line {number}: not JSON ({error})",
                remedy="Repair or remove the line (a recorder that was stopped cuts the last one "
                "off), then import again. Nothing was imported.",
            ) from error
        yield from self._unwrapped(raw, row, {})

    def _unwrapped(
        self, raw: bytes, row: dict[str, msgspec.Raw], around: dict[str, msgspec.Raw]
    ) -> Iterator[bytes]:
        for key in _WRAPPERS:
            inner = _kept_whole(row.get(key))
            if inner is not None:
                yield from self._inner(inner, {**around, **_remarks(row)})
                return
        for key in _ROWS.get(self.stream, (self.stream,)):
            if key in row and bytes(row[key])[:1] in self._opening:
                yield from self._inner(row[key], {**around, **_remarks(row)})
                return
        missing = {name: value for name, value in around.items() if name not in row}
        yield _encode({**row, **missing}) if missing else raw

    @property
    def _opening(self) -> frozenset[bytes]:
        """How a list of rows begins; no rows are null, but a null balance is no list."""
        return frozenset({b"[", b"{"} if self.stream == "balances" else {b"[", b"{", b"n"})

    def _inner(self, raw: msgspec.Raw, around: dict[str, msgspec.Raw]) -> Iterator[bytes]:
        text = bytes(raw)
        if text == b"null":
            return
        for each in _as_list(raw) if text[:1] == b"[" else [raw]:
            yield from self._unwrapped(bytes(each), _as_object(each), around)


def find_files(folder: Path) -> tuple[list[RecordedFile], list[Path]]:
    """The recorded files of a folder by name, and the others that could be records but are not.

    Raises `ConfigError` where there is none.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder} is not a folder",
            remedy="Name the folder that holds the recorded .jsonl files.",
        )
    known = ", ".join(STREAMS)
    files: list[RecordedFile] = []
    others: list[Path] = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name == MANIFEST_NAME:
            continue
        stream = stream_of(path)
        if stream is not None and _ending(path):
            files.append(RecordedFile(stream, path))
        elif stream is not None or _ending(path):
            others.append(path)
    if files:
        return files, others
    if others:
        raise ConfigError(
            f"{others[0]} is not a stream of a recording", remedy=_instead(others[0], known)
        )
    raise ConfigError(
        f"{folder} holds no recorded stream",
        remedy=f"Put at least one of these there, as .jsonl, .json or .csv: {known}. "
        "Folders inside it are imported one by one.",
    )


def _instead(path: Path, known: str) -> str:
    """What to do about a file that is no stream."""
    if not _ending(path):
        return f"It must be .jsonl, .json or .csv, of which {stream_of(path)} are read."
    if path.name.lower().replace("-", "_").startswith(_STATEMENTS):
        return (
            "It is the website's own statement, which sums trades up and names neither fills nor "
            "orders. Record the listings of the API instead (GET /portfolio/fills, /settlements)."
        )
    return f"Known names are {known}; a name may go on after that (fills_2026-05.jsonl)."


def stream_of(path: Path) -> str | None:
    """What a file holds by its name; `None` for something else."""
    name = path.name.lower().removesuffix(".gz")
    name = name.removesuffix(_ending(path)).replace("-", "_").replace(".", "_")
    if name.endswith("_meta") or "candlesticks" in name:
        return None
    for leading in _LEADING:
        name = name.removeprefix(leading)
    for trailing in _TRAILING:
        name = name.removesuffix(trailing)
    if f"{name}s" in STREAMS:
        return f"{name}s"
    fitting = [each for each in _NAMES if f"{name}_".startswith(f"{each}_")]
    if f"_{_ANYWHERE}_" in f"_{name}_":
        fitting.append(_ANYWHERE)
    return _NAMES[max(fitting, key=len)] if fitting else None


def _ending(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return next((ending for ending in _ENDINGS if name.endswith(ending)), "")


def _read(path: Path) -> bytes:
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.name.lower().endswith(".gz") else raw
    return raw.removeprefix(_BOM)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            raw = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
            if raw:
                yield number, raw


def _kept_whole(value: msgspec.Raw | None) -> msgspec.Raw | None:
    """What a recorder kept whole: an object or a list, or the text of one."""
    if value is None:
        return None
    text = bytes(value)
    if text[:1] == b'"':
        try:
            inner = msgspec.json.decode(text, type=str).strip().encode()
            value = msgspec.json.decode(inner, type=msgspec.Raw)
        except _BROKEN:
            return None
        text = inner
    return value if text[:1] in {b"[", b"{"} else None


def _whole(path: Path, raw: bytes) -> list[bytes]:
    """The rows of a file that is one JSON text: an answer, or a list of rows."""
    if not raw.strip():
        return []
    try:
        if raw.lstrip()[:1] == b"[":
            return [bytes(each) for each in _as_list(raw)]
        return [bytes(msgspec.json.decode(raw, type=msgspec.Raw))]
    except _BROKEN as error:
        raise ConfigError(
            f"{path} is not JSON ({error})",
            remedy="Repair it, or name it .jsonl if it has a row per line. Nothing was imported.",
        ) from error


def _remarks(row: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """What a wrapper says of all its rows."""
    found = {name: row[name] for name in _REMARKS if name in row}
    for name in _TIMES:
        if name in row and bytes(row[name])[:1] == b'"':
            found.setdefault("observed_at", row[name])
    if "_metadata" in row and "observed_at" not in found:
        try:
            about = _as_object(row["_metadata"])
        except _BROKEN:
            return found
        if "recorded_at" in about:
            found["observed_at"] = about["recorded_at"]
    return found
