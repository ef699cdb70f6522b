"""The intent log: durable before it says so, whole after any crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trueup.core.errors import BooksError
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.engine.inflight import Intent, OrderState
from trueup.engine.records import (
    DayOpened,
    HaltCode,
    HaltLifted,
    HaltRaised,
    OrderEnded,
    Record,
    StrategyPaused,
    SweepOrdered,
    SweepProven,
)
from trueup.engine.wishes import Style
from trueup.store.intents import IntentLog, decode_line, encode_line

AT = Instant(1_791_302_400_000_000)


def an_intent(number: int = 1, ticker: str = "KXCPI-26OCT-T3.5") -> Intent:
    return Intent(
        client_order_id=ClientOrderId(f"threshold-{number}"),
        strategy="threshold",
        ticker=Ticker(ticker),
        side=Side.NO,
        count=Count(1_250),
        limit=Price(5_650),
        style=Style.POST,
        slot="no",
        only_reduce=False,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        reason='dear: "56.5 ¢"\n',
        reference=None,
        parameters="buy_below=0.40",
        expires_at=AT,
        order_group="",
        at=AT,
    )


RECORDS: list[Record] = [
    an_intent(),
    OrderEnded(client_order_id=ClientOrderId("x"), state=OrderState.ABSENT, at=AT),
    HaltRaised(code=HaltCode.KILL, words="pulled", at=AT),
    HaltLifted(code=HaltCode.DAILY_LOSS, by="ada", at=AT, strategy="threshold"),
    StrategyPaused(strategy="threshold", on=True, words="it raised", at=AT),
    SweepOrdered(subaccounts=(PRIMARY,), words="kill", at=AT),
    SweepProven(at=AT),
    DayOpened(day="2026-10-06", strategy="", profit=Money(-1), peak=Money(0), at=AT),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda each: type(each).__name__)
def test_every_record_comes_back_as_it_was(record: Record) -> None:
    assert decode_line(encode_line(record).rstrip(b"\n")) == record


def test_log_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    with IntentLog(path) as log:
        assert log.records == ()
        for each in RECORDS:
            log.submit([each]).result(10)

    with IntentLog(path) as log:
        assert list(log.records) == RECORDS


def test_whoever_gives_up_waiting_stops_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    with IntentLog(path) as log:
        for number in range(20):
            log.submit([an_intent(number)]).cancel()
        log.submit([an_intent(20)]).result(10)

    with IntentLog(path) as log:
        assert list(log.records) == [an_intent(number) for number in range(21)]


def test_torn_last_line_is_dropped_and_the_log_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    with IntentLog(path) as log:
        log.submit(RECORDS[:2]).result(10)
    with path.open("ab") as file:
        file.write(encode_line(RECORDS[2])[:-20])

    with IntentLog(path) as log:
        assert list(log.records) == RECORDS[:2]
        log.submit([RECORDS[3]]).result(10)
    with IntentLog(path) as log:
        assert list(log.records) == [*RECORDS[:2], RECORDS[3]]


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    with IntentLog(path) as log:
        log.submit(RECORDS).result(10)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))

    with pytest.raises(BooksError, match="line 1") as caught:
        IntentLog(path)
    assert "backup" in caught.value.remedy


def test_second_bot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    with IntentLog(path), pytest.raises(BooksError, match="another bot"):
        IntentLog(path)


def test_many_records_share_few_syncs(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    with IntentLog(path) as log:
        waiting = [log.submit([an_intent(n)]) for n in range(2_000)]
        for each in waiting:
            each.result(30)

    with IntentLog(path) as log:
        assert len(log.records) == 2_000


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_store_intents import an_intent
from trueup.core.errors import BooksError
from trueup.store.intents import IntentLog

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = IntentLog(Path(sys.argv[1]))
log.submit([an_intent(1)]).result()
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
for number in (2, 3):
    try:
        log.submit([an_intent(number)]).result()
        print("acknowledged")
    except BooksError as error:
        print(error)
"""


def test_full_disk_is_said_and_nothing_is_acknowledged_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    program = FULL_DISK.format(folder=str(Path(__file__).parent))

    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )

    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stdout
    assert all("cannot be written" in line for line in lines)
    with IntentLog(path) as log:
        assert list(log.records) == [an_intent(1)]


def test_compaction_keeps_what_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "intents.log"
    old, held, living = an_intent(1, "KXOLD"), an_intent(2, "KXHELD"), an_intent(3, "KXOLD")
    ends: list[Record] = [
        OrderEnded(client_order_id=each.client_order_id, state=OrderState.EXECUTED, at=AT)
        for each in (old, held)
    ]
    halt = HaltRaised(code=HaltCode.KILL, words="pulled", at=AT)
    with IntentLog(path) as log:
        log.submit([old, held, living, *ends, halt]).result(10)

    with IntentLog(path) as log:
        assert log.compact(lambda ticker: ticker == "KXHELD") == 2
        log.submit([SweepProven(at=AT)]).result(10)
        with pytest.raises(BooksError, match="another bot"):
            IntentLog(path)

    with IntentLog(path) as log:
        assert list(log.records) == [held, living, ends[1], halt, SweepProven(at=AT)]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_store_intents import an_intent
from trueup.store.intents import IntentLog

log = IntentLog(Path(sys.argv[1]))
for number in range(1_000_000):
    log.submit([an_intent(number)]).result()
    print(number, flush=True)
"""


@pytest.mark.parametrize("delay", [0.05, 0.2])
def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(
    tmp_path: Path, delay: float
) -> None:
    path = tmp_path / "intents.log"
    program = WRITER.format(folder=str(Path(__file__).parent))
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"0"
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = [int(line) for line in process.stdout.read().split() if line.isdigit()]
    process.wait()
    process.stdout.close()

    with IntentLog(path) as log:
        kept = [each.client_order_id for each in log.records if isinstance(each, Intent)]

    last = acknowledged[-2] if len(acknowledged) > 1 else 0
    assert kept[: last + 1] == [f"threshold-{n}" for n in range(last + 1)]
    assert len(set(kept)) == len(kept)
