"""The mapping file: which markets of two venues settle alike, and why.  TOML, written by a person."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from trueup.core.errors import ConfigError
from trueup.core.ids import Ticker
from trueup.core.toml_mistakes import mistake, shown_key
from trueup.engine.other_venue import Pair
from trueup.net.feeds.polymarket import VENUE

EXAMPLE = """\
# Which market there asks the same question as one here, and why you are sure of it.
[[pair]]
ticker = "KXFEDDECISION-26DEC-H0"     # the market here
venue = "polymarket"
market_id = "2589812"                  # its id there (Gamma)
yes_is = "Yes"                         # the outcome there that pays when YES pays here
source = "Both settle by the FOMC's statement of 9 December 2026."
time = "Both close before the statement; a postponed meeting counts for both."
rules = "Both ask for no change of the upper bound; neither counts emergency moves."
checked_by = "ada"
checked_on = 2026-11-20
"""


class PairRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[pair]]`.  Every field must be there: the reasons are the point."""

    ticker: str
    market_id: str
    yes_is: str
    source: str
    time: str
    rules: str
    checked_by: str
    checked_on: date
    venue: str = VENUE


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pair: tuple[PairRow, ...] = ()


def read_pairs(path: Path) -> tuple[Pair, ...]:
    """The pairs of a file.

    Raises `ConfigError` that says what is wrong and where: a reason that is missing,
    a market that stands there twice, a venue that is not known.
    """
    tree: dict[str, Any] = {}
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(tree, _File)
    except OSError as error:
        raise ConfigError(
            f"the mapping {path} cannot be read: {error.strerror}",
            remedy="`trueup arbitrage example` prints one to begin with.",
        ) from error
    except msgspec.ValidationError as error:
        wrong = mistake(str(error), kind=_File, tree=tree, convert=msgspec.convert)
        raise ConfigError(
            f"the mapping {path}: {shown_key(wrong.path)}: {wrong.words}", remedy=wrong.remedy
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the mapping {path} cannot be used: {error}", remedy=f"Correct {path}."
        ) from error
    pairs: dict[tuple[str, str], Pair] = {}
    for number, row in enumerate(found.pair, 1):
        where = f"{path}, pair {number} ({row.ticker or 'without ticker'})"
        empty = [name for name in _WORDS if not getattr(row, name).strip()]
        if empty:
            raise ConfigError(
                f"{where}: {', '.join(empty)} is empty",
                remedy="Say why the two settle alike; without it nothing is compared.",
            )
        if row.venue != VENUE:
            raise ConfigError(f"{where}: venue {row.venue!r} is unknown", remedy=f'Use "{VENUE}".')
        if (row.venue, row.ticker) in pairs:
            raise ConfigError(f"{where}: this market is mapped twice", remedy="Keep one of them.")
        pairs[row.venue, row.ticker] = _pair(row)
    if not pairs:
        raise ConfigError(
            f"the mapping {path} names no pair",
            remedy="`trueup arbitrage example` prints one to begin with.",
        )
    return tuple(pairs.values())


_WORDS = ("ticker", "market_id", "yes_is", "source", "time", "rules", "checked_by")


def _pair(row: PairRow) -> Pair:
    return Pair(
        ticker=Ticker(row.ticker),
        venue=row.venue,
        market_id=row.market_id,
        yes_is=row.yes_is,
        source=row.source,
        time=row.time,
        rules=row.rules,
        checked_by=row.checked_by,
        checked_on=row.checked_on.isoformat(),
    )
