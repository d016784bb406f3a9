"""One fake a worker, reset for every test."""

import pytest

from .client import FakeVault
from .https import Caller


@pytest.fixture(scope="session")
def running_fake(tmp_path_factory):
    with FakeVault(tmp_path_factory.mktemp("fake"), vaults=("shop-kv", "other-kv")) as fake:
        yield fake


@pytest.fixture
def fake(running_fake):
    running_fake.reset()
    return running_fake


@pytest.fixture
def caller(fake):
    return Caller(fake)
