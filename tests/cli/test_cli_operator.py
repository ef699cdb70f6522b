"""The operator at the keyboard: alerts, logs, health, service, bundle."""

from __future__ import annotations

import pytest
from typing_user import User

PASSWORD = "hunter2-of-the-messenger"


def configure(user: User, text: str) -> None:
    user.home.mkdir(parents=True, exist_ok=True)
    (user.home / "config.toml").write_text(text, encoding="utf-8")


def test_alerts_list_says_that_nobody_would_hear(user: User) -> None:
    listed = user.json("alerts", "list")

    assert listed["addresses"] == []
    assert "nobody hears" in user.type("alerts", "list").out
    assert user.type("alerts", "test").code == 1


def test_alerts_list_shows_services_and_rules_but_no_address(user: User) -> None:
    user.variables["TRUEUP_ALERT_URLS"] = f"json://me:{PASSWORD}@example.com/{PASSWORD}"
    user.variables["TRUEUP_PING_URL"] = f"https://example.com/{PASSWORD}"
    configure(user, '[alerts]\nleast = "warning"\nmute = ["feed"]\nfills = "off"\n')

    page, listed = user.type("alerts", "list"), user.json("alerts", "list")

    assert PASSWORD not in page.out + page.err + str(listed)
    assert listed["addresses"] == [{"service": "1 JSON", "came_from": "TRUEUP_ALERT_URLS"}]
    told = {each["kind"]: each["told"] for each in listed["kinds"]}
    assert (told["fill"], told["feed"], told["lifted"], told["halt"]) == (
        "off",
        "muted",
        "too low",
        "yes",
    )
    assert listed["ping"] == "set"


def test_alerts_test_says_what_did_not_arrive(user: User) -> None:
    user.variables["TRUEUP_ALERT_URLS"] = f"json://127.0.0.1:1/{PASSWORD}"

    done = user.json("alerts", "test", code=1)

    (address,) = done["addresses"]
    assert address["delivered"] is False
    assert PASSWORD not in str(done)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('[alerts]\nleast = "loud"', "alerts.least = 'loud' is unknown"),
        ('[alerts]\nmute = ["noise"]', "alerts.mute names 'noise'"),
        ('[alerts]\nfills = "some"', "alerts.fills = 'some' is unknown"),
        ('[alerts]\npause = "soon"', "alerts.pause"),
        ("[alerts]\nburst = 0", "alerts.burst = 0 is too small"),
        ('[alerts]\nurl = "json://x"', "line 2: alerts.url: there is no key 'url'"),
        ('[logs]\nlevel = "chatty"', "logs.level = 'chatty' is unknown"),
        ("[logs]\ntable_days = -1", "logs.table_days is negative"),
        ("[metrics]\nport = 70000", "metrics.port = 70000 is no port"),
    ],
)
def test_setting_that_makes_no_sense_is_named(user: User, section: str, words: str) -> None:
    configure(user, section)

    said = user.type("alerts", "list")

    assert said.code == 2
    assert words in said.err
    assert "What to do" in said.err


def test_calls_and_errors_of_commands_are_kept(settled: User) -> None:
    assert settled.type("sync").code == 0

    listed = settled.json("logs", "calls", "--limit", "500")["calls"]

    assert {each["process"] for each in listed} >= {"sync"}
    assert all(each["status"] == 200 for each in listed if each["event"] == "answered")
    assert "GetBalance" in {each["operation"] for each in listed}
    assert settled.json("logs", "calls", "--failed")["calls"] == []
    assert settled.json("logs", "errors")["errors"] == []
    assert "ms" in settled.type("logs", "calls", "--operation", "balance").out


def test_failing_command_leaves_an_error(settled: User) -> None:
    settled.variables["TRUEUP_BASE_URL"] = "http://127.0.0.1:9"
    settled.variables["KALSHI_API_KEY_ID"] = "01234567-89ab-cdef-0123-456789abcdef"

    assert settled.type("sync").code != 0

    (error,) = settled.json("logs", "errors")["errors"]
    assert error["process"] == "sync"
    assert error["remedy"]


def checks(user: User, *, code: int = 0) -> dict[str, tuple[str, str]]:
    found = user.json("doctor", code=code)["checks"]
    return {each["name"]: (each["finding"], each["words"]) for each in found}


def test_doctor_looks_after_the_operator(settled: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(settled.folder))
    quiet = checks(settled)
    settled.variables["TRUEUP_ALERT_URLS"] = f"json://127.0.0.1/{PASSWORD}"
    (settled.home / "kill-sandbox-main").write_text("", encoding="utf-8")
    loud = checks(settled)
    (settled.home / "kill-sandbox-main").unlink()
    (settled.home / "control-sandbox-main.json").write_text(
        '{"port": 1, "token": "x", "pid": 4194305, "started_at": 1}', encoding="utf-8"
    )
    settled.variables["TRUEUP_ALERT_URLS"] = f"smoke://{PASSWORD}"
    dead = checks(settled, code=1)

    assert {quiet[each][0] for each in ("logs", "tables", "bot")} == {"ok"}
    assert {quiet[each][0] for each in ("alerts", "ping", "service", "health")} == {"skipped"}
    assert loud["alerts"] == ("ok", "to 1 JSON; `trueup alerts test` tries them")
    assert loud["bot"] == ("notice", "the kill switch is on")
    assert (dead["bot"][0], dead["alerts"][0]) == ("problem", "problem")
    assert PASSWORD not in str(dead)


def test_support_bundle_says_where_it_is(settled: User) -> None:
    written = settled.json("support", "bundle", "--offline")

    assert (settled.folder / written["file"]).exists()
    assert "books.json" in written["parts"]
    assert settled.type("support", "bundle", "--to", written["file"]).code == 2


@pytest.mark.parametrize(
    ("plan", "more"),
    [
        ('portfolio = "5"\n[[strategies]]\nstrategy = "threshold"\ncapital = "10"\n', ()),
        ('[[strategies]]\nstrategy = "own.py"\ncapital = "10"\n', ()),
        ('[[strategies]]\nstrategy = "threshold"\ncapital = 9.5\n', ()),
        ("", ()),
        ('[[strategies]]\nstrategy = "threshold"\ncapital = "10"\n', ("--capital", "20")),
    ],
)
def test_service_refuses_the_bot_that_bot_check_refuses(
    user: User, monkeypatch: pytest.MonkeyPatch, plan: str, more: tuple[str, ...]
) -> None:
    """It would be restarted in vain every 30 seconds, where nobody looks."""
    monkeypatch.setenv("HOME", str(user.folder))
    (user.folder / "bot.toml").write_text(plan, encoding="utf-8")
    checked = user.type("bot", "check", "--config", "bot.toml")

    installed = user.type("service", "install", "--bot", "bot.toml", "--sync", "--write", *more)

    assert installed.code == 2
    if more:
        assert "--capital" in installed.err
    else:
        assert checked.code == 2
        file = str(user.folder / "bot.toml")
        assert installed.err.replace(file, "bot.toml") == checked.err.replace(file, "bot.toml")
    assert not (user.folder / ".config").exists()


def test_paper_is_compared_only_with_something(user: User) -> None:
    """What is missing is a run on paper, not a set of empty books."""
    configure(user, "")

    nothing = user.type("paper", "compare")
    (user.home / "paper").mkdir()
    (user.home / "paper" / "sandbox-main-paper.log").touch()
    unread = user.type("paper", "compare")

    assert (nothing.code, unread.code) == (2, 2)
    assert "Nothing was traded on paper yet" in nothing.err
    assert "bot run my_bot.py --paper" in nothing.err
    assert "trueup sync --account main-paper" in unread.err
