"""How the tests of all folders are run."""

import hashlib


def pytest_collection_modifyitems(config, items):
    """Neighbours are alike slow, and a worker is given many at a time: spreads them over the workers."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: hashlib.sha256(item.nodeid.encode()).digest())
