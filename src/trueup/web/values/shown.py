"""How a figure is shown: its text, what it means by its colour, its full value, and its age.

Unknown is a dash and never zero.  Amounts are rounded to the cent for the eye only; the
exact figure is in the title that appears when the pointer rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.errors import CallerError
from trueup.core.instant import Instant, format_instant, to_datetime
from trueup.core.units import Count, Money, Price, Ratio, format_decimal

UNKNOWN: Final = "–"
MINUS: Final = "−"
_CENT: Final = 10_000
"""A cent in the units of money."""


class Tone(StrEnum):
    """What a figure's colour says; its text or shape always says the same."""

    PLAIN = ""
    GAIN = "gain"
    LOSS = "loss"
    MUTED = "muted"
    GOOD = "good"
    LOOK = "look"
    BAD = "bad"
    YES = "yes"
    NO = "no"
    """The two sides have colours of their own: NO is no loss, and YES no gain."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure for the screen.  `at` is when it was true, `None` where it has no age."""

    text: str
    tone: Tone = Tone.PLAIN
    title: str = ""
    at: Instant | None = None
    href: str = ""
    exact: str = ""
    """The same for a program, where `text` is shortened for the eye; empty: the text says it all."""


NOTHING: Final = Shown(UNKNOWN, Tone.MUTED, "not known")


def money(
    amount: Money | None, *, signed: bool = False, at: Instant | None = None, href: str = ""
) -> Shown:
    """Dollars to the cent; with `signed` a gain has a plus and both have a colour."""
    if amount is None:
        return NOTHING
    text = rounded_to_cents(amount)
    tone = Tone.PLAIN
    if signed:
        tone = tone_of(amount)
        text = f"+{text}" if amount.units > 0 else text
    return Shown(text, tone, _exact(amount), at, href, str(amount))


def change(amount: Money | None) -> Shown:
    """Money that moved: with its sign, and without a colour, for it is neither gain nor loss."""
    return replace(money(amount, signed=True), tone=Tone.MUTED if amount is None else Tone.PLAIN)


def dollars(amount: Money | None, *, signed: bool = False, at: Instant | None = None) -> Shown:
    """As `money`, with the dollar sign of a figure that stands alone."""
    found = money(amount, signed=signed, at=at)
    if amount is None:
        return found
    sign = found.text[0] if found.text[0] in f"+{MINUS}" else ""
    return replace(found, text=f"{sign}${found.text.removeprefix(sign)}")


def tone_of(amount: Money) -> Tone:
    """Gain, loss, or neither."""
    if not amount:
        return Tone.PLAIN
    return Tone.GAIN if amount.units > 0 else Tone.LOSS


def rounded_to_cents(amount: Money) -> str:
    """``1,234.57`` with a real minus sign, halves away from zero."""
    cents = (abs(amount.units) + _CENT // 2) // _CENT
    text = format_decimal(cents, 2, 2, thousands=True)
    return f"{MINUS}{text}" if amount.units < 0 and cents else text


def _exact(amount: Money) -> str:
    return f"${amount.dollars()}".replace("$-", f"{MINUS}$")


def price(value: Price | None, *, at: Instant | None = None) -> Shown:
    """A price in dollars: two decimals, more only where there are more."""
    return NOTHING if value is None else Shown(str(value), at=at)


def average(value: Ratio | None) -> Shown:
    """An average price to four decimals; the exact fraction is in the title."""
    if value is None:
        return NOTHING
    units = (abs(value.numerator) * 20_000 + value.denominator) // (2 * value.denominator)
    sign = MINUS if value < 0 else ""
    return Shown(f"{sign}{format_decimal(units, 4, 4)}", title=f"exactly {value}")


def count(value: Count | None, *, signed: bool = False) -> Shown:
    """Contracts without needless decimals."""
    if value is None:
        return NOTHING
    text = format_decimal(abs(value.units), 2, 0, thousands=True).rstrip(".")
    if value.units < 0:
        text = f"{MINUS}{text}"
    elif signed and value.units > 0:
        text = f"+{text}"
    return Shown(text)


def number(value: int | None) -> Shown:
    """A whole number with thousands separators."""
    return NOTHING if value is None else Shown(f"{value:,}".replace("-", MINUS))


def words(text: str | None, *, tone: Tone = Tone.PLAIN, title: str = "", href: str = "") -> Shown:
    """Plain words."""
    return Shown(text, tone, title, None, href) if text else NOTHING


def note(text: str | None, *, tone: Tone = Tone.PLAIN) -> Shown:
    """Words that may be missing because there is nothing to say: then the place stays empty."""
    return Shown(text or "", tone)


def side(name: str) -> Shown:
    """YES or NO, in a colour that is neither gain nor loss."""
    return Shown(name.upper(), Tone.YES if name.lower() == "yes" else Tone.NO)


def contracts(text: str) -> Shown:
    """A count that was told as text, as `count`."""
    try:
        return count(Count.parse(text))
    except CallerError:
        return words(text)


def whole(value: Count | None) -> Shown:
    """Contracts to the whole one, for columns that are read at a glance; exact in the title."""
    if value is None:
        return NOTHING
    rounded = number((abs(value.units) + 50) // 100)
    if value.units % 100 == 0:
        return rounded
    return replace(rounded, title=f"exactly {value}", exact=str(value))


def sentences(*parts: object) -> str:
    """What happened and what to do next, each a sentence; `parts` that are empty are left out."""
    told = [text for text in (str(each).strip() for each in parts) if text]
    return " ".join(
        f"{text[:1].upper()}{text[1:]}{'' if text[-1] in '.!?…' else '.'}" for text in told
    )


def moment(at: Instant | None) -> Shown:
    """A time in UTC: day, month and seconds; the year and microseconds are in the title."""
    if at is None:
        return NOTHING
    then = to_datetime(at)
    return Shown(
        f"{then:%d %b %H:%M:%S}",
        title=f"{then:%Y-%m-%d %H:%M:%S.%f} UTC",
        exact=format_instant(at),
    )


def percent(part: int, whole: int) -> Shown:
    """A share in whole percent, `NOTHING` of nothing."""
    return NOTHING if whole <= 0 else Shown(f"{part * 100 // whole} %")


def time_left(until: Instant | None, now: Instant) -> Shown:
    """How long until a moment: ``2 d 4 h``, ``14 min``; ``over`` when it has passed."""
    if until is None:
        return NOTHING
    title = moment(until).title
    seconds = (until - now) // 1_000_000
    if seconds <= 0:
        return Shown("over", Tone.MUTED, title)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    if days:
        return Shown(f"{days} d {hours} h", title=title)
    if hours:
        return Shown(f"{hours} h {minutes} min", title=title)
    return Shown(f"{minutes} min" if minutes else f"{seconds} s", Tone.LOOK, title)
