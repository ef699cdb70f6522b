"""Alerts over real sockets: delivered, tried again, given up with a word, and never in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

import pytest

from trueup.core.alerting import AlertPolicy, AlertRules
from trueup.core.alerts import Alert, AlertKind, Severity
from trueup.core.errors import ConfigError
from trueup.core.instant import SECOND, Instant
from trueup.net.alert_targets import open_channels, read_ping_address, read_targets
from trueup.net.alerts import QUEUE_MAX, AlertDelivery, DeadmanPing
from trueup.net.retry import RetryPolicy
from trueup.net.secret import Secret
from trueup.run.clock import SystemClock, seeded

PASSWORD = "hunter2-of-the-messenger"
SWIFT = RetryPolicy(attempts=3, first=1, ceiling=2, total=60 * SECOND)


@dataclass
class Messenger:
    """A web server that a messenger could be; answers what it is told to."""

    address: str = ""
    answers: list[int] = field(default_factory=list[int])
    heard: Queue[tuple[str, str]] = field(default_factory=Queue[tuple[str, str]])

    def next(self) -> tuple[str, str]:
        """Path and title of the next message; waits for it."""
        return self.heard.get(timeout=90)


@pytest.fixture
def messenger() -> Iterator[Messenger]:
    here = Messenger()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.heard.put((self.path, json.loads(body)["title"]))
            self._answer()

        def do_GET(self) -> None:
            here.heard.put((self.path, ""))
            self._answer()

        def _answer(self) -> None:
            self.send_response(here.answers.pop(0) if here.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Handler)
    here.address = f"127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Script:
    """A channel that fails so many times; it can be held up, as by a slow network."""

    failures: int = 0
    held_up: Event | None = None
    name: str = "1 Script"
    sent: Queue[str] = field(default_factory=Queue[str])

    def deliver(self, title: str, body: str, severity: Severity) -> str:
        del title, severity
        if self.held_up is not None:
            self.held_up.wait(90)
        if self.failures:
            self.failures -= 1
            return "no network"
        self.sent.put(body)
        return ""


def delivery(
    *channels: Script, trouble: list[str], rules: AlertRules | None = None
) -> AlertDelivery:
    clock = SystemClock()
    return AlertDelivery(
        channels,
        AlertPolicy(rules or AlertRules(), clock.now()),
        heading="trueup sandbox main",
        clock=clock.now,
        chance=seeded(1),
        trouble=trouble.append,
        retries=SWIFT,
    )


def halt(words: str = "stop") -> Alert:
    return Alert(at=Instant(SystemClock().now()), kind=AlertKind.HALT, words=words)


def test_alert_reaches_every_address(messenger: Messenger) -> None:
    addresses = f"json://{messenger.address}/one json://{messenger.address}/two"
    channels = open_channels(read_targets({"TRUEUP_ALERT_URLS": addresses}))
    clock = SystemClock()
    trouble: list[str] = []
    alerts = AlertDelivery(
        channels,
        AlertPolicy(AlertRules(), clock.now()),
        heading="trueup PRODUCTION main",
        clock=clock.now,
        chance=seeded(1),
        trouble=trouble.append,
    )

    alerts.tell(halt())
    heard = sorted([messenger.next(), messenger.next()])
    alerts.close()

    assert heard == [(path, "‼ trueup PRODUCTION main: halt") for path in ("/one", "/two")]
    assert (alerts.counts["delivered"], trouble) == (2, [])
    assert alerts.channels == ("1 JSON", "2 JSON")


def test_failed_delivery_is_tried_again_on_that_channel_only() -> None:
    shaky, steady = Script(failures=2), Script(name="2 Script")
    trouble: list[str] = []
    alerts = delivery(shaky, steady, trouble=trouble)

    alerts.tell(halt())
    shaky.sent.get(timeout=90)
    alerts.close()

    assert steady.sent.qsize() == 1
    assert dict(alerts.counts) == {"delivered": 2, "retried": 2}
    assert trouble == []


def test_undeliverable_alert_is_said_and_counted() -> None:
    dead = Script(failures=99)
    trouble: list[str] = []
    alerts = delivery(dead, trouble=trouble)
    alerts.tell(halt("the exchange is down"))
    alerts.close()

    assert trouble == [
        "an alert could not be delivered to 1 Script: no network (it said: the exchange is down)"
    ]
    assert alerts.counts["failed"] == 1


def test_caller_never_waits_for_a_slow_messenger() -> None:
    """More alerts than the queue holds, and a network that hangs: every `tell` returns."""
    gate = Event()
    trouble: list[str] = []
    alerts = delivery(Script(held_up=gate), trouble=trouble, rules=AlertRules(burst=1))
    alerts.tell(halt("first"))

    for number in range(QUEUE_MAX + 50):
        alerts.tell(halt(f"halt {number}"))
    gate.set()
    alerts.close(90)

    dropped = alerts.counts["dropped"]
    assert dropped >= 49
    assert trouble == [f"{dropped} alerts found no room and were dropped"]
    assert alerts.counts["delivered"] == 2, "the first, and the summary of all others"


def test_address_is_never_shown() -> None:
    addresses = f"json://me:{PASSWORD}@127.0.0.1:1/{PASSWORD}?token={PASSWORD}"
    (target,) = read_targets({"TRUEUP_ALERT_URLS": addresses})
    (channel,) = open_channels([target])

    failure = channel.deliver("title", "body", Severity.CRITICAL)

    assert failure.startswith("the service did not take it")
    assert PASSWORD not in failure + repr(target) + channel.name + repr(channel)


def test_address_that_nobody_understands_is_refused_without_showing_it() -> None:
    targets = read_targets({"TRUEUP_ALERT_URLS": f"json://x smoke://{PASSWORD}"})

    with pytest.raises(ConfigError, match="address 2 of TRUEUP_ALERT_URLS") as refused:
        open_channels(targets)

    assert PASSWORD not in str(refused.value) + refused.value.remedy


def test_addresses_come_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "alerts"
    file.write_text("# my phone\njson://one\n\njson://two\n", encoding="utf-8")
    file.chmod(0o600)

    by_setting = read_targets({}, urls_file=str(file))
    by_variable = read_targets({"TRUEUP_ALERT_URLS_FILE": str(file)})

    assert [each.number for each in by_setting] == [1, 2]
    assert {each.came_from for each in by_variable} == {"TRUEUP_ALERT_URLS_FILE"}
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by other users"):
        read_targets({}, urls_file=str(file))


def test_addresses_come_from_the_keyring() -> None:
    class Ring:
        def get_password(self, service_name: str, username: str, /) -> str | None:
            return (
                "json://one json://two" if (service_name, username) == ("bot", "alerts") else None
            )

    found = read_targets({}, keyring_service="bot", keyring=Ring())

    assert [each.came_from for each in found] == ["the keyring", "the keyring"]


def test_healthy_bot_pings_and_an_unwell_one_is_silent(messenger: Messenger) -> None:
    trouble: Queue[str] = Queue()
    reasons = ["", "the loop hangs"]
    messenger.answers = [200]

    ping = DeadmanPing(
        Secret(f"http://{messenger.address}/{PASSWORD}"),
        every_seconds=0,
        unwell=lambda: reasons.pop(0) if len(reasons) > 1 else reasons[0],
        trouble=trouble.put,
    )
    first, said = messenger.next(), trouble.get(timeout=90)
    ping.close()

    assert first == (f"/{PASSWORD}", "")
    assert said == "no ping, since all is not well: the loop hangs"
    with suppress(Empty):
        pytest.fail(f"a second ping came: {messenger.heard.get_nowait()}")
    assert ping.counts["sent"] == 1
    assert trouble.empty(), "said once, not every time"


def test_ping_that_fails_does_not_show_its_address(messenger: Messenger) -> None:
    trouble: Queue[str] = Queue()
    messenger.answers = [404] * 100

    for address in (f"http://{messenger.address}/{PASSWORD}", f"http://127.0.0.1:1/{PASSWORD}"):
        ping = DeadmanPing(
            Secret(address), every_seconds=60, unwell=lambda: "", trouble=trouble.put
        )
        said = trouble.get(timeout=90)
        ping.close()
        assert said.startswith("the dead-man's switch")
        assert PASSWORD not in said


def test_ping_needs_a_web_address() -> None:
    with pytest.raises(ConfigError, match="no web address") as refused:
        read_ping_address({"TRUEUP_PING_URL": f"ftp://{PASSWORD}"})

    assert PASSWORD not in str(refused.value)
