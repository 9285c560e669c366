"""`foyer inverter`, run as a person runs it."""

import asyncio
import json
import os
import sys
from datetime import datetime

import pytest

from drivers.inverter import scan
from drivers.inverter.cli import inverter
from gateway.errors import Misconfigured


async def foyer(*arguments, language="fr_FR.UTF-8"):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gateway.cli import main; main()",
        "inverter",
        *arguments,
        env={**os.environ, "LANG": language, "LC_ALL": language},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_one_reading_as_json_follows_the_contract(sunny, simulate):
    _, port = await simulate(lambda: sunny)
    code, out, err = await foyer("read", f"tcp://127.0.0.1:{port}?unit=1", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    at = datetime.fromisoformat(answer.pop("at"))
    assert at.utcoffset() is not None
    assert answer == {
        "model": "sunspec",
        "device": {"manufacturer": "Foyer", "model": "Simulateur 3 kW", "serial": "DEMO-0001"},
        "readings": {
            "pv.power": 2345,
            "pv.energy": 123456,
            "pv.dc.power.1": 1300,
            "pv.dc.power.2": 1100,
            "pv.state": "producing",
        },
        "missing": [],
    }


async def test_what_is_not_measured_is_listed_with_its_reason(image, serve):
    one = image("unsorted")
    _, port = await serve(one.flat, unit=one.unit)
    code, out, _ = await foyer("read", f"tcp://127.0.0.1:{port}?unit=126", "--model", "sunspec", "--json")
    assert code == 0
    assert json.loads(out)["missing"] == [
        {"signal": f"pv.dc.power.{n}", "reason": "not implemented"} for n in (3, 4, 5, 6)
    ]


async def test_a_person_reads_plain_words_in_both_languages(sunny, simulate):
    _, port = await simulate(lambda: sunny, inverter_model=111)
    url = f"tcp://127.0.0.1:{port}"
    _, french, _ = await foyer("read", url)
    assert "Puissance des panneaux" in french
    assert "2345 W" in french
    assert "État de l’onduleur           produit" in french
    _, english, _ = await foyer("read", url, language="en_GB.UTF-8")
    assert "Solar power" in english


async def test_a_serial_inverter_is_read_too(sunny, simulate, serial_line):
    device, box = serial_line
    await simulate(lambda: sunny, device=device)
    code, out, _ = await foyer("read", f"rtu://{box}?baud=9600&parity=N&unit=1", "--json")
    assert code == 0
    assert json.loads(out)["readings"]["pv.power"] == 2345


async def test_no_answer_is_one_line_and_code_one(serve):
    server, port = await serve({0: [1]})
    await server.stop()
    code, out, err = await foyer("read", f"tcp://127.0.0.1:{port}?unit=1", "--json")
    assert (code, out) == (1, "")
    assert err.startswith("L’onduleur refuse la connexion")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("read", "tcp://127.0.0.1:502?unit=300"), 2, "unit"),
        (("read", "mqtt://127.0.0.1"), 2, "scheme"),
        (("read", "tcp://127.0.0.1", "--model", "steam"), 2, "steam"),
        (("read", "https://envoy.local"), 1, "site web"),
        (("scan", "8.8.8.0/24"), 2, "pas privé"),
        (("scan", "10.0.0.0/8"), 2, "trop grand"),
        (("scan", "here"), 2, "ni un réseau ni un port"),
    ],
)
async def test_wrong_use_is_one_line_and_its_own_code(arguments, code, words):
    got, out, err = await foyer(*arguments)
    assert (got, out) == (code, "")
    assert words in err
    assert len(err.splitlines()) == 1


async def test_a_scan_finds_the_inverter_and_its_address(sunny, simulate):
    _, port = await simulate(lambda: sunny)
    code, out, _ = await foyer("scan", "127.0.0.1/32", "--tcp-port", str(port), "--json")
    assert code == 0
    (found,) = json.loads(out)
    assert found["url"] == f"tcp://127.0.0.1:{port}?unit=1"
    assert found["device"]["serial"] == "DEMO-0001"


async def test_a_scan_that_finds_nothing_says_so(serve):
    server, port = await serve({0: [1]})
    await server.stop()
    code, _, err = await foyer("scan", "127.0.0.1/32", "--tcp-port", str(port))
    assert code == 1
    assert "Aucun onduleur" in err


def test_a_scan_looks_only_where_it_may():
    hosts = scan.places("192.168.1.0/30", (502, 1502))
    assert [one.where for one in hosts] == [
        "192.168.1.1:502",
        "192.168.1.1:1502",
        "192.168.1.2:502",
        "192.168.1.2:1502",
    ]
    assert {one.device for one in scan.places("/dev/ttyUSB1", (502,))} == {"/dev/ttyUSB1"}
    with pytest.raises(Misconfigured):
        scan.places("1.1.1.0/24", (502,))


async def test_the_families_are_listed():
    code, out, _ = await foyer("models", "--json")
    assert code == 0
    assert "sunspec" in [family["name"] for family in json.loads(out)]
    _, text, _ = await foyer("models")
    assert "SolarEdge" in text


def test_every_command_explains_itself():
    for command in inverter.commands.values():
        assert command.help
