"""The fixtures of tests/e2e: a fake vault, a volume, and the real binary between them."""

import importlib.util
import pathlib
import sys

import pytest
from rawvault import RawVault

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
if str(E2E) not in sys.path:
    sys.path.append(str(E2E))

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
globals().update({name: value for name, value in vars(_module).items() if not name.startswith("_")})

@pytest.fixture
def raw_vault(world):
    """World, and a vault of raw bytes beside it."""
    vault = RawVault(world.fake)
    yield world, vault
    vault.close()
