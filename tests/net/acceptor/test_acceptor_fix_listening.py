"""`fix listen` and `fix report` against the sandbox, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from csv import DictReader
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fix_desk import SETTLER, FixDesk, fix_desk
from served_floor import US
from test_acceptor_fix_settlements import held, settle

from trueup.core.market import MarketResult

DAY = "2026-10-14"


@dataclass
class Typist:
    """Types commands as the holder of one key."""

    desk: FixDesk
    home: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {
            "TRUEUP_HOME": str(self.home / "home"),
            "KALSHI_ENV": "sandbox",
            "TRUEUP_BASE_URL": self.desk.server.base_url,
            "KALSHI_API_KEY_ID": SETTLER.registered.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(self.home / "key.pem"),
            "PYTHONUNBUFFERED": "1",
        }
        process = subprocess.Popen(  # our own command line
            [sys.executable, "-c", "from trueup.cli.main import main; main()", *words, "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def listen(self, messages: int) -> subprocess.Popen[str]:
        assert self.desk.server.fix is not None
        port = next(port for kind, port in self.desk.server.fix.ports.items() if kind.name == "PT")
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
        )

    def report(self, *words: str) -> tuple[int, dict[str, Any]]:
        process = self.start("fix", "report", *words)
        out, err = process.communicate(timeout=60)
        assert out, err
        return process.returncode, json.loads(out)


def lines_of(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@pytest.fixture
def typist(tmp_path: Path) -> Iterator[Typist]:
    key = tmp_path / "key.pem"
    key.touch(mode=0o600)
    key.write_bytes(SETTLER.pem)
    with fix_desk(held(), tmp_path, page_size=1) as desk:
        typist = Typist(desk, tmp_path)
        yield typist
        for process in typist.processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.communicate()


def test_a_listener_that_dies_in_mid_batch_loses_no_page(typist: Typist) -> None:
    first = typist.listen(1)
    told = lines_of(first)
    assert next(told)["event"] == "logged on"
    settle(typist.desk, MarketResult.YES, "1")
    page = next(told)
    assert (page["type"], page["venue"]) == ("MarketSettlementReport", "sandbox")
    assert first.wait(60) == 0
    code, half = typist.report("--date", DAY)
    assert code == 1
    assert [row["payout"] for row in half["settlements"]] == ["3.00"]
    assert "1 of 2 pages" in half["problems"][0]

    again = typist.listen(2)
    assert again.wait(60) == 0, again.stderr
    code, whole = typist.report("--date", DAY)
    assert (code, whole["problems"]) == (0, [])
    assert whole["repeated_pages"] == 1
    assert {row["party"]: row["payout"] for row in whole["parties"]} == {
        US: "3.00",
        f"{US}/1": "2.00",
    }
    assert whole["parties"][0]["fee_types"] == "4 exchange fee: 0.00"


def test_a_report_is_written_as_csv_and_knows_the_configured_parties(
    typist: Typist, tmp_path: Path
) -> None:
    listening = typist.listen(2)
    assert next(lines_of(listening))["event"] == "logged on"
    settle(typist.desk, MarketResult.NO, "0")
    assert listening.wait(60) == 0
    (tmp_path / "home" / "config.toml").write_text(f'[fix_parties]\n"{US}" = 0\n')
    file = tmp_path / "day.csv"
    code, report = typist.report("--date", DAY, "--csv", str(file))
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
