import pytest

from tests.gateway.store.simulated import Box


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path)
    yield made
    made.close()
