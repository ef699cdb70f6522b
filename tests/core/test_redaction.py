"""Nothing secret leaves, and what is not secret can still be read."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.redaction import HIDDEN, Redactor, known_secrets

BODY = base64.b64encode(bytes(range(90))).decode()
PEM = f"-----BEGIN PRIVATE KEY-----\n{BODY[:64]}\n{BODY[64:]}\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"the key was {PEM} and then", BODY[8:40]),
        (f"cut off: {PEM[:80]}", BODY[8:40]),
        (f"one line of it: {BODY[:64]}", BODY[8:40]),
        ("postgresql://me:hunter2@db.example.com/books", "hunter2"),
        ("postgresql+psycopg://me:hunter2@db.example.com/books", "hunter2"),
        ("could not reach tgram://123456789:AbCdEf/1234", "AbCdEf"),
        ("mailto://me:hunter2@example.com?to=you@example.com", "hunter2"),
        ("POST https://hooks.slack.com/services/T0/B0/AbCdEf0123456789xyz failed", "AbCdEf0123"),
        ("GET https://hc-ping.com/01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab"),
        ("https://example.com/hook?token=abc", "abc"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("{'KALSHI-ACCESS-SIGNATURE': 'c2lnbmF0dXJl'}", "c2lnbmF0dXJl"),
        ('{"KALSHI-ACCESS-KEY": "0f0f0f"}', "0f0f0f"),
        ("password = hunter2", "hunter2"),
        ('{"api_key":"hunter2"}', "hunter2"),
        ('passphrase="two words"', "two words"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
        (f"signature {base64.b64encode(bytes(64)).decode()}", "AAAAAAAAAAAA"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    shown = Redactor().text(text)

    assert secret not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "GET https://api.elections.kalshi.com/trade-api/v2/markets/KXCPI-26OCT-T3.5?limit=100",
        "order 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f of threshold-0a1b2c3d-0a1b in RAIN",
        "waits for 30 read tokens",
        "private_key_path = '/home/me/.kalshi/key.pem'",
        "sqlite:////home/me/.local/share/trueup/books/prod-live-main.db",
        "postgresql://db.example.com:5432/books",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert Redactor().text(text) == text


def test_values_of_telling_variables_are_hidden_wherever_they_stand() -> None:
    environment = {
        "KALSHI_API_KEY_ID": "01234567-89ab-cdef-0123-456789abcdef",
        "KALSHI_PRIVATE_KEY": PEM,
        "KALSHI_PRIVATE_KEY_PATH": "/home/me/key.pem",
        "SMTP_PASSWORD": "hunter2",
        "LANG": "C.UTF-8",
    }
    redactor = Redactor(known_secrets(environment))

    shown = redactor.text(
        f"key 01234567-89ab-cdef-0123-456789abcdef, {BODY[:64]}, hunter2, {PEM!r}, "
        "/home/me/key.pem, C.UTF-8"
    )

    assert "01234567" not in shown
    assert BODY[:32] not in shown
    assert "hunter2" not in shown
    assert "/home/me/key.pem, C.UTF-8" in shown


def test_key_pasted_into_the_variable_of_a_path_is_hidden() -> None:
    redactor = Redactor(known_secrets({"KALSHI_PRIVATE_KEY_PATH": PEM}))

    assert BODY[64:] not in redactor.text(f"there is no file {BODY[64:]}")


def test_documents_are_cleaned_by_name_and_by_value() -> None:
    document = {
        "venue": "prod",
        "key_id": "01234567-89ab",
        "private_key_path": "/home/me/key.pem",
        "database": "postgresql://me:hunter2@db/books",
        "nested": [{"token": "abc"}, ("plain", 3, None, True)],
    }

    assert Redactor().document(document) == {
        "venue": "prod",
        "key_id": HIDDEN,
        "private_key_path": "/home/me/key.pem",
        "database": f"postgresql://{HIDDEN}@db/books",
        "nested": [{"token": HIDDEN}, ["plain", 3, None, True]],
    }


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["Zs", "Cc"]), min_size=8),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    stripped = secret.strip()
    shown = Redactor([secret]).text(f"{before}{secret}{after}")

    assert len(stripped) < 6 or stripped in HIDDEN or stripped not in shown
