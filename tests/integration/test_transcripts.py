"""A real Kong's recorded answers, replayed in their order: the same status, headers, shape and messages."""

import pytest

from harness.gateway import Gateway
from harness.transcripts import Replay, load


@pytest.fixture(scope="module")
def database(gibbon_binary):
    gateway = Gateway(workers=1).start()
    yield gateway
    gateway.close()


@pytest.fixture(scope="module")
def replay(database):
    plugins = set(database.admin.get("/plugins/enabled")["enabled_plugins"])
    return Replay(database.admin_port, plugins=plugins)


@pytest.mark.parametrize("name", ["services.json", "routes.json", "plugins.json"])
def test_admin_api(replay, name):
    assert not (problems := replay.run(load(name))), "\n".join(problems)
