"""No key, passphrase or token in a repr, a message, a log or a traceback with variables."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from loopback import NOON, OpenDriver, Say, a_read, exchange_saying

from trueup.core.errors import TrueupError
from trueup.net.credentials import CredentialSettings, load_credentials, read_settings
from trueup.net.request import build_request
from trueup.net.secret import Secret
from trueup.net.signer import BearerToken, RsaSigner
from trueup.net.venues import Venue, resolve_endpoint

KEY_ID = "01234567-89ab-cdef-0123-456789abcdef"
TOKEN = "s3cret-t0ken-value"
PASSPHRASE = "0pen-sesame"


def fragments(pem: bytes) -> list[str]:
    """Pieces of a key that would betray it, in plain and in base64."""
    lines = pem.decode().splitlines()[1:-1]
    return [line[8:40] for line in lines] + [base64.b64encode(pem).decode()[60:100]]


def everything_shown(error: BaseException) -> str:
    """The traceback with the variables of every frame of trueup, and all that hangs on it."""
    shown: list[str] = []
    step = traceback.TracebackException.from_exception(error, capture_locals=True)
    for summary in step.stack:
        is_ours = "src/trueup" in summary.filename
        shown.append(repr(summary.locals) if is_ours else summary.name)
    shown.extend(traceback.format_exception(error))
    chained = error.__cause__ or error.__context__
    if chained is not None:
        shown.append(everything_shown(chained))
    return "\n".join([*shown, repr(error), str(error), getattr(error, "remedy", "")])


def test_secret_shows_nothing() -> None:
    secret = Secret(TOKEN)

    for text in (repr(secret), str(secret), f"{secret:>40}", repr([secret]), repr(vars_of(secret))):
        assert TOKEN not in text
    assert secret.reveal() == TOKEN.encode()
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(secret)


def vars_of(secret: Secret) -> list[object]:
    return [getattr(secret, name) for name in Secret.__slots__]


def test_settings_signers_and_requests_show_nothing(rsa_pem: bytes, rsa_key: RSAPrivateKey) -> None:
    settings = read_settings(
        {
            "KALSHI_API_KEY_ID": KEY_ID,
            "KALSHI_PRIVATE_KEY": rsa_pem.decode(),
            "KALSHI_PRIVATE_KEY_PASSPHRASE": PASSPHRASE,
            "KALSHI_API_KEY": TOKEN,
        }
    )
    token = BearerToken(Secret(TOKEN))
    endpoint = resolve_endpoint(
        Venue.PROD, "https://gateway.example.com", allowed_hosts={"gateway.example.com"}
    )
    request = build_request(a_read(signed=True), endpoint, signer=token, at=NOON)
    shown = f"{settings!r} {token!r} {token} {RsaSigner(KEY_ID, rsa_key)!r} {request!r}"

    assert [part for part in (*fragments(rsa_pem), PASSPHRASE, TOKEN) if part in shown] == []
    assert TOKEN in request.headers["Authorization"]


def broken_settings(case: str, pem: str, encrypted: str, folder: Path) -> dict[str, str]:
    file = folder / "key.pem"
    file.write_text(pem)
    file.chmod(0o644)
    flat = "".join(pem.splitlines()[1:-1])
    cases = {
        "key as path": {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": pem},
        "base64 as path": {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_FILE": flat},
        "key as key id": {"KALSHI_API_KEY_ID": pem, "KALSHI_PRIVATE_KEY": pem},
        "base64 as key id": {"KALSHI_KEY_ID": flat, "KALSHI_PRIVATE_KEY": pem},
        "cut key": {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": pem[:-90]},
        "damaged key": {
            "KALSHI_API_KEY_ID": KEY_ID,
            "KALSHI_PRIVATE_KEY": pem.replace("MII", "MIJ", 1),
        },
        "open file": {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": str(file)},
        "wrong passphrase": {
            "KALSHI_API_KEY_ID": KEY_ID,
            "KALSHI_PRIVATE_KEY": encrypted,
            "KALSHI_PRIVATE_KEY_PASSPHRASE": PASSPHRASE,
        },
        "no key id": {"KALSHI_PRIVATE_KEY": pem, "KALSHI_PRIVATE_KEY_PASSPHRASE": PASSPHRASE},
        "key as token": {"KALSHI_API_KEY": pem},
    }
    return cases[case]


@pytest.mark.parametrize(
    "case",
    [
        "key as path",
        "base64 as path",
        "key as key id",
        "base64 as key id",
        "cut key",
        "damaged key",
        "open file",
        "wrong passphrase",
        "no key id",
        "key as token",
    ],
)
def test_refused_settings_show_no_secret(
    rsa_pem: bytes, rsa_key: RSAPrivateKey, tmp_path: Path, case: str
) -> None:
    encrypted = rsa_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"another")
    )
    settings = read_settings(broken_settings(case, rsa_pem.decode(), encrypted.decode(), tmp_path))

    shown = everything_shown(refusal_of(settings))

    betraying = (*fragments(rsa_pem), *fragments(encrypted), PASSPHRASE)
    assert [part for part in betraying if part in shown] == []


def refusal_of(settings: CredentialSettings) -> TrueupError:
    with pytest.raises(TrueupError) as caught:
        load_credentials(settings, Venue.PROD)
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [Say(status=401, body=b"{}"), Say(status=503, body=b""), Say(drop=True), Say(body=b"<")],
    ids=["401", "503", "dropped", "not json"],
)
def test_failed_request_shows_no_token(
    open_driver: OpenDriver, caplog: pytest.LogCaptureFixture, answer: Say
) -> None:
    caplog.set_level(logging.DEBUG)
    with exchange_saying(answer) as exchange:
        named = exchange.endpoint(allowed_hosts=(f"127.0.0.1:{exchange.port}",))
        driver = open_driver(named, BearerToken(Secret(TOKEN)))
        with pytest.raises(TrueupError) as caught:
            driver.send(a_read(signed=True))

    assert exchange.seen[0].headers["authorization"].endswith(TOKEN)
    assert TOKEN not in everything_shown(caught.value)
    assert TOKEN not in caplog.text


def test_unreachable_exchange_shows_no_token(open_driver: OpenDriver) -> None:
    with exchange_saying(Say()) as exchange:
        named = exchange.endpoint(allowed_hosts=(f"127.0.0.1:{exchange.port}",))
    driver = open_driver(named, BearerToken(Secret(TOKEN)))
    with pytest.raises(TrueupError) as caught:
        driver.send(a_read(signed=True))

    assert TOKEN not in everything_shown(caught.value)


def test_check_of_this_test_finds_a_leak() -> None:
    def leak(show: Callable[[str], str]) -> None:
        raise TrueupError(show(TOKEN))

    with pytest.raises(TrueupError) as caught:
        leak(str)

    assert TOKEN in everything_shown(caught.value)
