"""The fixtures of tests/e2e: the real binary, a fake vault and a volume for each test."""

import importlib.util
import pathlib
import sys

import pytest
from rawvault import RawVault

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.append(str(E2E))
SPEC = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
e2e_conftest = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = e2e_conftest
SPEC.loader.exec_module(e2e_conftest)

from e2e_conftest import *  # noqa: F401,F403,E402 pylint: disable=wrong-import-position,wildcard-import


@pytest.fixture
def raw_vault(world):
    """World, and a vault of raw bytes beside it."""
    vault = RawVault(world.fake)
    yield world, vault
    vault.close()
