"""The settings of order entry, as a person writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.run.config import load_config
from trueup.run.fix.listening import ListenWish
from trueup.run.fix.probe import looking_options
from trueup.run.fix.settings import OrderEntry, order_entry
from trueup.wire.fix.session_kinds import SessionKind


def written(home: Path, text: str) -> Path:
    (home / "config.toml").write_text(text, encoding="utf-8")
    return home


def test_orders_go_by_rest_and_go_with_the_line_unless_told_otherwise(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, ""))

    assert config.order_entry == OrderEntry.REST
    assert (config.fix.session, config.fix.cancel_on_disconnect) == ("NR", True)
    assert config.fix.certificate_path is None


def test_one_line_sends_orders_by_fix(tmp_path: Path) -> None:
    text = 'order_entry = "fix"\n[fix]\nsession = "RT"\ncertificate = "~/sandbox.fix.crt"\n'
    config = load_config(written(tmp_path, text))

    assert order_entry(config.order_entry) is OrderEntry.FIX
    assert config.fix.certificate_path == Path("~/sandbox.fix.crt").expanduser()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('order_entry = "pigeon"', "cannot go out by 'pigeon'"),
        ('[fix]\nsession = "PT"', "takes no orders"),
        ('[fix]\nsesion = "NR"', "sesion"),
    ],
)
def test_a_mistake_is_said_at_once(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_config(written(tmp_path, text))
    assert caught.value.remedy


@pytest.mark.parametrize("kind", [SessionKind.PT, SessionKind.RT, SessionKind.NR])
def test_looking_asks_for_reports_to_be_kept_as_long_as_listening_does(kind: SessionKind) -> None:
    looking, listening = looking_options(kind), ListenWish(session=kind.name).options()

    looking.check(kind)
    assert looking.retention_hours == listening.retention_hours
    assert not looking.reset
