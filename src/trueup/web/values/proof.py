"""The cash proof and the coverage it rests on, as rows and bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant, utc_day
from trueup.core.units import Money
from trueup.ledger.coverage import Certificate, CertificateLine, Span
from trueup.ledger.explain import movement_words
from trueup.ledger.proof import Interval, Proven
from trueup.run.books.proving import Proof
from trueup.run.views import Row
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

_VERDICTS: Final = {
    Proven.PROVEN: Shown("✓ proven", Tone.GOOD),
    Proven.TIMING: Shown("✓ timing", Tone.GOOD, "a movement crossed the reading; the next agrees"),
    Proven.OPEN: Shown("◌ open", Tone.LOOK, "waits for the next reading"),
    Proven.UNPROVEN: Shown("✕ unproven", Tone.BAD),
}
_AGREE: Final = {
    True: Shown("✓ agree", Tone.GOOD),
    False: Shown("✕ differ", Tone.BAD),
    None: Shown("only one witness", Tone.MUTED),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a timeline: where it begins and how long it is, in thousandths of the whole."""

    start: int
    length: int
    is_covered: bool
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is proven complete of one stream."""

    name: str
    bars: Sequence[Bar]
    words: str
    state: str
    """In a few words, for the end of the line."""
    is_complete: bool


def interval_rows(proof: Proof, *, every: bool) -> list[TableRow]:
    """The intervals of all pots, newest first; without `every` only those in which money moved."""
    rows = [
        (interval.until, _interval_row(scope.subaccount, scope.shard, interval))
        for scope in proof.scopes
        for interval in scope.intervals
        if every or interval.moved or interval.verdict is not Proven.PROVEN
    ]
    rows.sort(key=lambda each: -each[0])
    return [row for _, row in rows]


def _interval_row(
    subaccount: Subaccount | None, shard: Shard | None, interval: Interval
) -> TableRow:
    since = Shown("the beginning") if interval.since is None else shown.moment(interval.since)
    movements = "\n".join(movement_words(each) for each in interval.movements[:12])
    return TableRow(
        key=f"{subaccount}/{shard}/{interval.until}",
        tone="bad" if interval.verdict is Proven.UNPROVEN else "",
        cells={
            "pot": Shown(pot_words(subaccount, shard)),
            "since": since,
            "until": shown.moment(interval.until),
            "claimed": shown.change(interval.claimed_low),
            "explained": shown.change(interval.explained),
            "facts": Shown(f"{interval.count:,}", title=movements),
            "left": shown.money(interval.difference, signed=True),
            "verdict": _VERDICTS[interval.verdict],
            "words": shown.note("; ".join(interval.explanations)),
        },
    )


def pot_words(subaccount: Subaccount | None, shard: Shard | None) -> str:
    """A pot of cash by name."""
    owner = "all subaccounts" if subaccount is None else f"subaccount {subaccount}"
    return f"{owner}, {'all shards' if shard is None else f'shard {shard}'}"


def _shard(told: object) -> str:
    return "all shards" if told == "all" else f"shard {told}"


def balance_rows(balances: Iterable[Row]) -> list[TableRow]:
    """Cash by the exchange beside cash by the books."""
    return [
        TableRow(
            key=f"{each['subaccount']}/{each['shard']}",
            cells={
                "pot": Shown(f"subaccount {each['subaccount']}, {_shard(each['shard'])}"),
                "exchange": shown.money(_money(each["exchange"])),
                "books": shown.money(_money(each["books"])),
                "collateral": shown.money(_money(each["collateral"])),
                "difference": _difference(_money(each["difference"])),
                "age": Shown(f"{each['age']} ago", title=str(each["at"])),
            },
        )
        for each in balances
    ]


def witness_rows(settlements: Iterable[Row], *, prefix: str = "") -> list[TableRow]:
    """Settlements that FIX has reported: beside what the row of REST shows and the books paid."""
    return [
        TableRow(
            key=f"{each['subaccount']}/{each['ticker']}",
            href=f"{prefix}/position/{each['subaccount']}/{each['ticker']}",
            tone="bad" if each["agree"] is False else "",
            cells={
                "ticker": Shown(str(each["ticker"])),
                "at": shown.words(None if each["at"] is None else str(each["at"])),
                "rest": shown.money(_money(each["rest_revenue"])),
                "fix": shown.money(_money(each["fix_payout"])),
                "fee": shown.money(_money(each["fix_fee"])),
                "books": shown.money(_money(each["payout"])),
                "agree": _AGREE[each["agree"] if isinstance(each["agree"], bool) else None],
            },
        )
        for each in settlements
        if each["fix_payout"] is not None
    ]


def _money(value: object) -> Money | None:
    return value if isinstance(value, Money) else None


def _difference(amount: Money | None) -> Shown:
    if amount is not None and not amount:
        return Shown("✓ 0.00", Tone.GOOD)
    return shown.money(amount, signed=True)


def timelines(certificate: Certificate, *, since: Instant, now: Instant) -> list[Timeline]:
    """What is complete of each stream from `since` to `now`."""
    return [_timeline(line, since=since, now=now) for line in certificate.lines]


def _timeline(line: CertificateLine, *, since: Instant, now: Instant) -> Timeline:
    owner = "" if line.subaccount is None else f", subaccount {line.subaccount}"
    bars = [_bar(span, since=since, now=now, is_covered=True) for span in line.complete]
    bars += [_bar(span, since=since, now=now, is_covered=False) for span in line.missing]
    return Timeline(
        name=f"{line.stream.value.replace('_', ' ')}{owner}",
        bars=[each for each in bars if each.length],
        words=line.words(),
        state=_state(line),
        is_complete=not line.missing,
    )


def _state(line: CertificateLine) -> str:
    if line.missing:
        return "not complete"
    if not line.complete:
        return "refused to this key" if line.refused else "nothing yet"
    since = line.complete[0].since
    return f"complete since {utc_day(since) if since else 'the beginning'}"


def _bar(span: Span, *, since: Instant, now: Instant, is_covered: bool) -> Bar:
    whole = max(1, now - since)
    begin, end = max(span.since, since), min(span.until, now)
    start = (begin - since) * 1000 // whole
    length = max(0, (end - since) * 1000 // whole - start)
    if end > begin and not length:
        length = 1
    return Bar(start, length, is_covered, span.words())
