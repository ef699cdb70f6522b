"""The machine room: sums over calls, sizes of files, lines and errors newest first."""

from __future__ import annotations

from pathlib import Path

from trueup.run.check import Check, Finding
from trueup.web.values.shown import UNKNOWN, Tone
from trueup.web.values.system import (
    call_facts,
    call_figures,
    check_rows,
    error_rows,
    line_rows,
    size,
)


def call(event: str, status: int = 200, microseconds: int = 0) -> dict[str, object]:
    return {"event": event, "status": status, "microseconds": microseconds}


def test_calls_are_counted_by_how_they_ended() -> None:
    figures = call_figures(
        [
            call("answered", 200, 4_000),
            call("answered", 201, 6_000),
            call("answered", 503, 90_000),
            call("answered", 0, 5_000),
            call("retrying"),
            call("throttled"),
        ]
    )

    assert (figures.answered, figures.failed, figures.retried, figures.waited) == (2, 2, 1, 1)
    assert figures.milliseconds == 5
    assert call_facts(figures)["Failed"].tone is Tone.LOOK


def test_an_hour_without_calls_has_no_median() -> None:
    shown = call_facts(call_figures([]))

    assert shown["Median answer"].text == UNKNOWN
    assert shown["Failed"].text == "0"


def test_the_size_of_a_database_holds_what_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    assert size(path) == ""

    path.write_bytes(bytes(1024 * 1024))
    (tmp_path / "books.db-wal").write_bytes(bytes(512 * 1024))

    assert size(path) == "1.5 MiB"


def test_findings_say_the_same_by_shape_word_and_colour() -> None:
    (row,) = check_rows([Check("books", Finding.PROBLEM, "they are damaged", "Restore a backup.")])

    finding = row.cells["finding"]
    assert (finding.text, finding.tone) == ("■ problem", Tone.BAD)


def test_errors_and_lines_come_newest_first_and_keep_their_keys() -> None:
    errors = error_rows(
        [
            {"at": 1, "process": "bot", "words": "first", "remedy": ""},
            {"at": 1, "process": "bot", "words": "second", "remedy": "Look."},
        ]
    )
    lines = line_rows([{"at": "torn", "event": "half a line", "level": "error"}])

    assert [row.cells["words"].text for row in errors] == ["second", "first"]
    assert errors[0].key != errors[1].key
    assert lines[0].cells["at"].text == "torn"
    assert lines[0].cells["level"].tone is Tone.BAD
