"""What `trueup arm` shows of the days before, and the caps of the first hours after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from demo_desk import OpenDemo

from trueup.cli.main import run
from trueup.core.errors import ConfigError
from trueup.core.instant import HOUR, Instant, parse_instant
from trueup.core.units import Count, Money
from trueup.net.acceptor.server import SandboxServer
from trueup.run.books.once import Standing
from trueup.run.bot.first_hours import begin_first_hours, since_path
from trueup.run.bot.practice import Practice, note_proof, practices, proofs_path
from trueup.run.config import load_config
from trueup.run.desk import DeskSettings, read_desk_settings

NOON = parse_instant("2026-10-20T12:00:00Z")


def settings(home: Path, text: str = "live = true", venue: str = "prod") -> DeskSettings:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text, encoding="utf-8")
    return read_desk_settings({"TRUEUP_HOME": str(home)}, venue=venue)


def of(home: Path, venue: str, mode: str = "live") -> Practice:
    return next(e for e in practices(home, "main") if (e.venue, e.mode) == (venue, mode))


# -- practice ----------------------------------------------------------------------------------


def test_day_is_clean_when_every_proof_of_it_closed(tmp_path: Path) -> None:
    log = proofs_path(settings(tmp_path, venue="demo"))
    for at, closes in (
        ("2026-10-18T10:00:00Z", True),
        ("2026-10-18T22:00:00Z", True),
        ("2026-10-19T10:00:00Z", True),
        ("2026-10-19T11:00:00Z", False),
    ):
        note_proof(log, Standing(at=at, closes=closes))

    practice = of(tmp_path, "demo")

    assert practice.words == "demo: 2 days with proofs, 1 of them clean"


def test_proof_that_could_not_be_made_is_no_day(tmp_path: Path) -> None:
    log = proofs_path(settings(tmp_path, venue="demo"))

    note_proof(log, Standing(at="2026-10-18T10:00:00Z", trouble="no answer"))

    assert of(tmp_path, "demo").words == "demo: never"


def test_paper_is_counted_apart(tmp_path: Path) -> None:
    log = proofs_path(settings(tmp_path).on_paper())
    note_proof(log, Standing(at="2026-10-18T10:00:00Z", closes=True))

    assert of(tmp_path, "prod", "paper").words == (
        "prod (paper): 1 days with proofs, 1 of them clean"
    )
    assert of(tmp_path, "sandbox", "paper").words == "sandbox (paper): never"


def test_torn_line_is_passed_over(tmp_path: Path) -> None:
    log = proofs_path(settings(tmp_path, venue="demo"))
    note_proof(log, Standing(at="2026-10-18T10:00:00Z", closes=True))
    with log.open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-10-1')

    assert of(tmp_path, "demo").clean == 1


def test_books_that_exist_count_too(demo: OpenDemo, server: SandboxServer) -> None:
    with demo(server) as account:
        account.backfill()
        place, venue = account.desk.settings.home, account.venue

    practice = of(place, venue)

    assert practice.clean == len(practice.days) == 1


def test_books_that_cannot_be_read_are_said_so(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "demo-live-main.db").write_bytes(b"no database at all" * 100)

    practice = of(tmp_path, "demo")

    assert "cannot be read" in practice.notes[0]
    assert practice.clean == 0


def test_arm_shows_practice_and_caps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = settings(tmp_path / "home")
    note_proof(
        tmp_path / "home" / "proofs-demo-live-main.jsonl",
        Standing(at="2026-10-18T10:00:00Z", closes=True),
    )
    monkeypatch.setenv("TRUEUP_HOME", str(ours.home))

    code = run(["arm", "--venue", "prod", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert {"venue": "demo", "mode": "live", "days": 1, "clean_days": 1, "notes": []} in told[
        "practice"
    ]
    assert told["first_hours"] == {"hours": 24, "order_count_max": "5", "exposure_max": "50"}


# -- the first hours ---------------------------------------------------------------------------


def test_first_hours_begin_once_and_survive_restarts(tmp_path: Path) -> None:
    ours = settings(tmp_path)

    first = begin_first_hours(ours, NOON)
    later = begin_first_hours(ours, Instant(NOON + 5 * HOUR))
    over = begin_first_hours(ours, Instant(NOON + 24 * HOUR))

    assert first is not None
    assert first == later
    assert first.until == NOON + 24 * HOUR
    assert (first.order_count_max, first.exposure_max) == (
        Count.of_contracts(5),
        Money.parse("50"),
    )
    assert over is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"since": 99999999999999999}'])
def test_file_that_tells_nothing_begins_them_anew(tmp_path: Path, content: bytes) -> None:
    ours = settings(tmp_path)
    since_path(ours).write_bytes(content)

    caps = begin_first_hours(ours, NOON)

    assert caps is not None
    assert caps.until == NOON + 24 * HOUR


def test_where_no_real_money_is_there_are_none(tmp_path: Path) -> None:
    assert begin_first_hours(settings(tmp_path, venue="demo"), NOON) is None


def test_they_can_be_set_and_switched_off(tmp_path: Path) -> None:
    text = 'live = true\n[first_hours]\nhours = 2\norder_count_max = "1"\nexposure_max = "9.50"\n'
    caps = begin_first_hours(settings(tmp_path / "set", text), NOON)
    off = begin_first_hours(settings(tmp_path / "off", "[first_hours]\nhours = 0\n"), NOON)

    assert caps is not None
    assert (caps.until, str(caps.exposure_max)) == (NOON + 2 * HOUR, "9.50")
    assert off is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hours = -1", "impossible"),
        ('order_count_max = "0"', "nothing could be traded"),
        ('exposure_max = "a lot"', "a lot"),
    ],
)
def test_caps_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(f"[first_hours]\n{text}\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path)
