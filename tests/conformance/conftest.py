"""Where the clients are; what needs one that cannot be installed here is skipped."""

import pytest
from sdk import Missing, folder_of, install


def _or_skip(get, *arguments):
    try:
        return get(*arguments)
    except Missing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sdk():
    """The folder of the JavaScript SDK."""
    return _or_skip(install)


@pytest.fixture(scope="session")
def client():
    """Of a name, the folder of that client: python, go or az."""
    return lambda kind: _or_skip(folder_of, kind)
