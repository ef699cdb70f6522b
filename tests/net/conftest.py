"""Keys that are slow to make, and both clients under one fixture."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from trueup.net.session import Options
from trueup.net.signer import Signer
from trueup.net.venues import Endpoint

# Tests are no package: the helper beside them has to be made findable.
sys.path.insert(0, str(Path(__file__).parent))

from loopback import PATIENT, Driver, Machine, OpenDriver
from loopback import open_driver as open_kind


@pytest.fixture(scope="session")
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def rsa_pem(rsa_key: RSAPrivateKey) -> bytes:
    """As the exchange hands it out: PKCS#1, unencrypted."""
    return rsa_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.fixture(scope="session")
def ed25519_pem(ed25519_key: Ed25519PrivateKey) -> bytes:
    """As the exchange hands it out: PKCS#8, unencrypted."""
    return ed25519_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def rsa_file(tmp_path: Path, rsa_pem: bytes) -> Path:
    path = tmp_path / "kalshi.pem"
    path.write_bytes(rsa_pem)
    path.chmod(0o600)
    return path


@pytest.fixture(params=["sync", "async"])
def open_driver(request: pytest.FixtureRequest) -> Iterator[OpenDriver]:
    kind = str(request.param)
    opened: list[Driver] = []

    def open_one(
        endpoint: Endpoint,
        signer: Signer | None = None,
        *,
        machine: Machine | None = None,
        options: Options | None = None,
    ) -> Driver:
        driver = open_kind(
            kind,
            endpoint,
            signer,
            machine=machine or Machine(),
            options=options or Options(limits=PATIENT),
        )
        opened.append(driver)
        return driver

    yield open_one
    for driver in opened:
        driver.close()
