"""Inverters to test against: register images served over real TCP ports and serial lines."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.inverter.address import Address
from drivers.inverter.modbus import RegisterServer, open_link
from drivers.inverter.sim import InverterState, SunSpecServer

DATA = Path(__file__).parents[2] / "data" / "sunspec"


@dataclass(frozen=True)
class Image:
    about: str
    unit: int
    device: tuple
    readings: dict
    missing: dict
    runs: dict

    @property
    def flat(self):
        """One run of registers, as a device holds them."""
        start = min(self.runs)
        return {start: [word for at in sorted(self.runs) for word in self.runs[at]]}

    def block(self, number):
        return next(words for words in self.runs.values() if words[0] == number and len(words) > 2)


def load_image(name):
    raw = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    runs = {run["at"]: [int(word, 16) for word in run["words"].split()] for run in raw["registers"]}
    return Image(raw["about"], raw["unit"], tuple(raw["device"]), raw["readings"], raw["missing"], runs)


IMAGE_NAMES = sorted(path.stem for path in DATA.glob("*.json"))


@pytest.fixture
def image():
    return load_image


@pytest.fixture(params=IMAGE_NAMES)
def any_image(request):
    return load_image(request.param)


@pytest.fixture
async def serve():
    """Serve registers: `server, port = await serve(image_or_callable, unit=1)`."""
    servers = []

    async def start(registers, **options):
        image = registers if callable(registers) else lambda: registers
        server = RegisterServer(image, **options)
        servers.append(server)
        return server, await server.start()

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def simulate():
    """Start simulated inverters: `sim, port = await simulate(state, **options)`."""
    sims = []

    async def start(state, **options):
        sim = SunSpecServer(state, **options)
        sims.append(sim)
        return sim, await sim.start()

    yield start
    for sim in sims:
        await sim.stop()


@pytest.fixture
async def link_to():
    """Open links that close with the test: `link = link_to(port)`."""
    links = []

    def start(port=0, *, timeout_s=0.3, retries=1, **options):
        address = (
            Address("rtu", framer="rtu", **options)
            if "device" in options
            else Address("tcp", host="127.0.0.1", port=port, **options)
        )
        link = open_link(address, timeout_s=timeout_s, retries=retries)
        links.append(link)
        return link

    yield start
    for link in links:
        await link.close()


@pytest.fixture
async def serial_line(tmp_path):
    """Two ends of a serial line, as paths."""
    ends = [tmp_path / "device", tmp_path / "box"]
    process = await asyncio.create_subprocess_exec("socat", *(f"pty,raw,echo=0,link={end}" for end in ends))
    async with asyncio.timeout(10):
        while not all(end.exists() for end in ends):  # noqa: ASYNC110 - socat has no event to offer
            await asyncio.sleep(0.01)
    yield tuple(str(end) for end in ends)
    process.terminate()
    await process.wait()


@pytest.fixture
def sunny():
    return InverterState(
        at=0,
        ac_w=2345.0,
        energy_wh=123456,
        voltage_v=(231.2, 232.1, 230.4),
        frequency_hz=50.01,
        strings=((352.0, 1300.0), (348.5, 1100.0)),
        temperature_c=41.5,
        awake=True,
    )
