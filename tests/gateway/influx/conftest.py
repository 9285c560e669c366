import pytest

from tests.gateway.influx.fake import FakeInflux
from tests.gateway.influx.homes import HomeWithInflux
from tests.gateway.influx.servers import Influxd, Victoria


class RealInflux:
    """Debian's influxd, seen as the fake one is."""

    def __init__(self, folder):
        self.process = Influxd(folder).start()
        self.url = self.process.url
        self.stop = self.process.kill

    def stored(self):
        found = {}
        for series in self.process.ask("SELECT * FROM /.*/"):
            for row in series["values"]:
                named = dict(zip(series["columns"], row, strict=True))
                time = named.pop("time")
                for name, value in named.items():
                    if value is not None and name not in ("home", "device"):
                        found.setdefault((series["name"], name), {})[time] = value
        return found


class RealVictoria:
    def __init__(self, folder):
        self.process = Victoria(folder).start()
        self.url = self.process.url
        self.stop = self.process.kill

    def stored(self):
        return {tuple(metric.split("_", 1)): values for metric, values in self.process.exported().items()}


REAL = [pytest.param("influxd", marks=pytest.mark.servers), pytest.param("victoria", marks=pytest.mark.servers)]
FAKES = ["1.8", "2", "3"]


@pytest.fixture
def server(request, tmp_path):
    """A server by its name: influxd and victoria are real, the rest recorded."""
    name = request.param
    if name == "influxd":
        made = RealInflux(tmp_path / "influxd")
    elif name == "victoria":
        made = RealVictoria(tmp_path / "victoria")
    else:
        made = FakeInflux(name).start()
    made.name = name
    yield made
    made.stop()


@pytest.fixture
def home(server, tmp_path):
    made = HomeWithInflux(tmp_path, server.url)
    yield made
    made.close()
