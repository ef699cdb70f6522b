"""`fix listen` and `fix report` against the sandbox, as a user types them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from csv import DictReader
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fix_desk import SETTLER, FixDesk, fix_desk
from served_floor import MAKER, TICKER, US
from test_acceptor_fix_settlements import held, settle

from trueup.cli.main import main
from trueup.core.ids import PRIMARY, ClientOrderId, OrderId
from trueup.core.instant import HOUR
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.net.acceptor.fix_faults import FixFaults
from trueup.sim import commands as c
from trueup.wire.fix.session_kinds import SessionKind

DAY = "2026-10-14"


@dataclass
class Typist:
    """Types commands as the holder of one key."""

    desk: FixDesk
    home: Path
    faults: FixFaults
    monkeypatch: pytest.MonkeyPatch
    processes: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    @property
    def environment(self) -> dict[str, str]:
        return {
            "TRUEUP_HOME": str(self.home / "home"),
            "KALSHI_ENV": "sandbox",
            "TRUEUP_BASE_URL": self.desk.server.base_url,
            "KALSHI_API_KEY_ID": SETTLER.registered.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(self.home / "key.pem"),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # our own command line
            [sys.executable, "-c", "from trueup.cli.main import main; main()", *words, "--json"],
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def type(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a command in this process, and give its exit code and what it says."""
        out, err = io.StringIO(), io.StringIO()
        with self.monkeypatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
                main((*words, "--json"))
        assert isinstance(ended.value.code, int)
        assert out.getvalue(), err.getvalue()
        return ended.value.code, json.loads(out.getvalue())

    def listen(self, messages: int, *more: str, session: str = "PT") -> subprocess.Popen[str]:
        assert self.desk.server.fix is not None
        ports = self.desk.server.fix.ports
        port = next(port for kind, port in ports.items() if kind.name == session)
        certificate = str(self.home / "fix.crt")
        return self.start(
            "fix",
            "listen",
            "--address",
            f"127.0.0.1:{port}",
            "--certificate",
            certificate,
            "--messages",
            str(messages),
            "--session",
            session,
            *more,
        )

    def report(self, *words: str) -> tuple[int, dict[str, Any]]:
        return self.type("fix", "report", *words)

    def run(self, *words: str, code: int | None = 0) -> dict[str, Any]:
        """Run a command that ends with this exit code (`None`: any)."""
        ended, said = self.type(*words)
        assert code is None or ended == code, said
        return said

    def certificate(self) -> list[str]:
        return self.run("proof", "--offline", code=None)["certificate"]


def lines_of(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@contextmanager
def open_typist(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, row_delay: int = 0, **terms: Any
) -> Generator[Typist]:
    """Somebody who types at a desk whose FIX side behaves as `terms` say."""
    key = folder / "key.pem"
    key.touch(mode=0o600)
    key.write_bytes(SETTLER.pem)
    faults = FixFaults()
    with fix_desk(held(row_delay=row_delay), folder, page_size=1, faults=faults, **terms) as desk:
        typist = Typist(desk, folder, faults, monkeypatch)
        yield typist
        for process in typist.processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    with open_typist(tmp_path, monkeypatch) as typist:
        yield typist


PARTIES = f'[fix_parties]\n"{US}" = 0\n"{US}/1" = 1\n'


def map_parties(home: Path, text: str = PARTIES) -> None:
    (home / "home").mkdir(exist_ok=True)
    (home / "home" / "config.toml").write_text(text)


def test_a_listener_that_is_killed_in_mid_batch_loses_no_page(
    typist: Typist, tmp_path: Path
) -> None:
    map_parties(tmp_path)
    first = typist.listen(0)
    told = lines_of(first)
    assert next(told)["event"] == "logged on"
    typist.faults.until_cut = 1
    settle(typist.desk, MarketResult.YES, "1")
    page = next(told)
    assert (page["type"], page["venue"]) == ("MarketSettlementReport", "sandbox")
    assert page["booked"] == "in the books: 1 party"
    first.kill()
    first.wait(60)

    code, half = typist.report("--date", DAY, "--offline")
    # On a slow machine it has come back for the second page before it was killed.
    if half["pages"] == 1:
        assert code == 1
        assert [row["payout"] for row in half["settlements"]] == ["3.00"]
        assert any("1 of 2 pages, without the last one" in words for words in half["waiting"])

    again = typist.listen(0)
    told = lines_of(again)
    while typist.report("--date", DAY, "--offline")[1]["pages"] < 2:
        assert "event" in next(told) or again.poll() is None
    again.kill()
    again.wait(60)
    agree(typist)


def agree(typist: Typist) -> None:
    """FIX, REST and the books tell the same of both accounts, to the cent."""
    typist.run("sync")
    code, whole = typist.report("--date", DAY)
    assert (code, whole["problems"], whole["waiting"]) == (0, [], [])
    accounts = {row["account"]: row for row in whole["accounts"]}
    for account, amount in (("subaccount 0", "3.00"), ("subaccount 1", "2.00")):
        row = accounts[account]
        assert (row["payout"], row["rest_revenue"], row["booked"]) == (amount, amount, amount)
        assert row["fees_by_type"] == {"4": "0.00"}
    settlements = typist.run("settlements", "list", "--offline")["settlements"]
    assert [(row["fix_payout"], row["rest_revenue"], row["agree"]) for row in settlements] == [
        ("3.00", "3.00", True),
        ("2.00", "2.00", True),
    ]


def test_a_page_that_was_lost_comes_again_and_nothing_is_paid_twice(
    typist: Typist, tmp_path: Path
) -> None:
    map_parties(tmp_path)
    listening = typist.listen(2)
    told = lines_of(listening)
    assert next(told)["event"] == "logged on"
    typist.faults.lost = 1
    settle(typist.desk, MarketResult.YES, "1")
    assert listening.wait(60) == 0
    assert {row["type"] for row in told if "type" in row} == {"MarketSettlementReport"}
    agree(typist)


def test_the_last_page_is_lost_for_good_and_rest_serves(typist: Typist, tmp_path: Path) -> None:
    map_parties(tmp_path)
    listening = typist.listen(1)
    assert next(lines_of(listening))["event"] == "logged on"
    settle(typist.desk, MarketResult.YES, "1")
    assert listening.wait(60) == 0
    # Nobody comes back for it: what is missing is known, and REST has the second account.
    typist.run("sync")

    code, report = typist.report("--date", DAY)

    assert code == 1
    assert any("1 of 2 pages, without the last one" in words for words in report["waiting"])
    assert any("REST shows 2.00" in words for words in report["problems"])
    accounts = {row["account"]: row["booked"] for row in report["accounts"]}
    assert accounts == {"subaccount 0": "3.00", "subaccount 1": "2.00"}
    found = typist.run("reconcile", "--offline", code=1)
    assert any("1 of 2 pages" in each["summary"] for each in found["breaks"])


def test_executions_of_a_listener_are_the_fills_that_rest_tells(typist: Typist) -> None:
    listening = typist.listen(2, session="RT")
    assert next(lines_of(listening))["event"] == "logged on"
    for member, side, size in ((MAKER, Side.NO, "2"), (US, Side.YES, "3")):
        typist.desk.server.step(
            c.PlaceOrder(
                at=typist.desk.floor.exchange.now,
                member=member,
                subaccount=PRIMARY,
                order_id=OrderId(f"live-{side}"),
                client_order_id=ClientOrderId(f"bot-{side}"),
                ticker=TICKER,
                side=side,
                price=Price.parse("0.60"),
                count=Count.parse(size),
            )
        )
    assert listening.wait(60) == 0, listening.stderr
    by_fix = typist.run("fills", "--offline")["fills"]
    orders = typist.run("orders", "--offline")["orders"]
    assert [(row["count"], row["order_id"]) for row in by_fix] == [("2.00", "live-yes")]
    assert [(row["fill_count"], row["status"]) for row in orders] == [("2.00", "resting")]

    typist.run("sync")

    by_both = [row for row in typist.run("fills", "--offline")["fills"] if row in by_fix]
    assert by_both == by_fix
    found = typist.run("reconcile", "--offline", code=None)
    assert not [each for each in found["breaks"] if each["kind"] in {"revised_fill", "one_sided"}]


def test_only_the_log_is_kept_where_the_books_are_to_be_left_alone(
    typist: Typist, tmp_path: Path
) -> None:
    listening = typist.listen(2, "--log-only")
    assert next(lines_of(listening))["event"] == "logged on"
    settle(typist.desk, MarketResult.NO, "0")
    assert listening.wait(60) == 0
    assert not list((tmp_path / "home").glob("books/*"))
    map_parties(tmp_path, f'[fix_parties]\n"{US}" = 0\n')
    file = tmp_path / "day.csv"
    log = next((tmp_path / "home" / "fix").glob("*.log"))

    code, report = typist.report(str(log), "--date", DAY, "--csv", str(file))

    assert (code, report["problems"]) == (
        1,
        [f"party {US}/1 belongs to no subaccount in fix_parties"],
    )
    with file.open(newline="") as lines:
        rows = list(DictReader(lines))
    assert [(row["party"], row["subaccount"], row["payout"]) for row in rows] == [
        (US, "0", "0.00"),
        (f"{US}/1", "", "0.00"),
    ]


def test_a_party_that_nobody_knows_is_a_break_until_it_is_mapped(
    typist: Typist, tmp_path: Path
) -> None:
    map_parties(tmp_path, f'[fix_parties]\n"{US}" = 0\n')
    listening = typist.listen(2)
    assert next(lines_of(listening))["event"] == "logged on"
    settle(typist.desk, MarketResult.YES, "1")
    assert listening.wait(60) == 0
    typist.run("sync")
    found = typist.run("reconcile", "--offline", code=1)
    (stranger,) = [each for each in found["breaks"] if each["kind"] == "unknown_party"]
    assert stranger["amount"] == "2.00"
    assert f'"{US}/1" = 0' in stranger["remedy"]

    map_parties(tmp_path)
    file = tmp_path / "day.csv"
    code, report = typist.report("--date", DAY, "--csv", str(file))

    assert (code, report["problems"]) == (0, [])
    with file.open(newline="") as lines:
        assert [(row["subaccount"], row["booked"]) for row in DictReader(lines)] == [
            ("0", "3.00"),
            ("1", "2.00"),
        ]


def fix_section(typist: Typist) -> str:
    """`[fix]` as a user writes it: the address of the order session; PT is three ports away."""
    assert typist.desk.server.fix is not None
    port = typist.desk.server.fix.ports[SessionKind.PT] - 3
    return f'[fix]\naddress = "127.0.0.1:{port}"\ncertificate = "{typist.home / "fix.crt"}"\n'


def fix_check(typist: Typist) -> dict[str, Any]:
    checks = typist.run("doctor", code=None)["checks"]
    (found,) = [each for each in checks if each["name"] == "FIX PT"]
    return found


def test_doctor_says_that_the_tier_may_not_use_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_typist(tmp_path, monkeypatch, not_entitled=frozenset({SessionKind.PT})) as typist:
        map_parties(tmp_path, fix_section(typist))
        refused = fix_check(typist)

    assert refused["finding"] == "problem"
    assert refused["words"].startswith("this account's tier is not entitled to FIX")
    assert "API usage level is not allowed for FIX" in refused["words"]
    assert "Premier" in refused["remedy"]


def test_looking_does_not_take_a_report_from_the_listener(typist: Typist, tmp_path: Path) -> None:
    map_parties(tmp_path, fix_section(typist) + PARTIES)
    assert fix_check(typist)["finding"] == "ok"
    settle(typist.desk, MarketResult.YES, "1")
    assert fix_check(typist)["finding"] == "ok"
    listening = typist.listen(2)
    assert listening.wait(60) == 0, listening.stderr
    agree(typist)


def test_a_key_that_is_connected_already_is_told_to_take_another(typist: Typist) -> None:
    told = lines_of(typist.listen(0))
    assert next(told)["event"] == "logged on"
    second = lines_of(typist.listen(0, session="NR"))
    said = next(second)["event"]
    assert said.startswith("refused: already exists. ")
    assert "give this one a key of its own" in said


def test_a_payment_that_nobody_has_told_yet_is_no_agreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    map_parties(tmp_path)
    with open_typist(tmp_path, monkeypatch, row_delay=HOUR) as typist:
        listening = typist.listen(1)
        assert next(lines_of(listening))["event"] == "logged on"
        typist.faults.never = 1
        settle(typist.desk, MarketResult.YES, "1")
        assert listening.wait(60) == 0
        typist.run("sync")
        code, day = typist.report("--date", DAY, "--offline")

    assert code == 1
    assert [row["subaccount"] for row in day["settlements"]] == [1]
    assert any(
        "subaccount 0: 3.00 was booked from the market's result" in words
        for words in day["waiting"]
    )
