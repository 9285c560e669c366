"""`foyer tic` on a live port."""

import asyncio
import contextlib
import json
import signal
import sys

from meters import state
from tic_examples import S1_PRODUCER

from drivers.linky.frame import Decoder
from drivers.linky.group import Group
from drivers.linky.simline import TicLine


@contextlib.asynccontextmanager
async def playing(link):
    meter = TicLine(link, state)
    task = asyncio.create_task(meter.run())
    try:
        yield meter
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def foyer(*arguments):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gateway.cli import main; main()",
        "tic",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_port_is_decoded_until_interrupted(tmp_path):
    async with playing(tmp_path / "tic"):
        process = await foyer("decode", tmp_path / "tic", "--json")
        frames = [json.loads(await process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest, errors = await process.communicate()
    assert frames[1]["complete"]
    assert frames[1]["readings"]["grid.import.energy"] == 4_321_000
    assert "summary" in json.loads(rest.splitlines()[-1])
    assert (process.returncode, errors) == (0, b"")


async def test_a_port_is_decoded_with_what_is_imposed(tmp_path):
    async with playing(tmp_path / "tic") as meter:
        meter.parity = False
        process = await foyer("decode", tmp_path / "tic", "--parity", "none", "--mode", "standard", "--json")
        frames = [json.loads(await process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert frames[1]["complete"]
    assert frames[1]["rejected"] == []


async def test_a_network_bridge_is_decoded_like_a_port():
    async def bridge(_, writer):
        for _ in range(20):  # what comes before the port is open is not for it
            writer.write(S1_PRODUCER)
            await asyncio.sleep(0.05)
        writer.close()

    server = await asyncio.start_server(bridge, "127.0.0.1", 0)
    process = await foyer("decode", f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", "--json")
    output, errors = await process.communicate()
    server.close()
    await server.wait_closed()
    assert any(json.loads(line)["complete"] for line in output.splitlines())
    assert process.returncode == 1  # a bridge that hangs up is a port that goes away
    assert errors.count(b"\n") == 1


async def test_a_port_that_goes_away_is_one_sentence(tmp_path):
    async with playing(tmp_path / "tic") as meter:
        process = await foyer("decode", tmp_path / "tic", "--json")
        await process.stdout.readline()
        meter.unplug()
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.count(b"\n") == 1
    assert str(tmp_path / "tic").encode() in errors


async def test_a_recording_hides_the_numbers_unless_told_otherwise(tmp_path):
    async with playing(tmp_path / "tic"):
        for masked in ("--mask", "--no-mask"):
            process = await foyer(
                "record", tmp_path / "capture.bin", "--port", tmp_path / "tic", "--seconds", "2", masked
            )
            output, errors = await process.communicate()
            assert (process.returncode, errors) == (0, b"")
            assert b"capture.bin" in output
            said = (tmp_path / "capture.bin").read_bytes()
            seven = bytes(byte & 0x7F for byte in said)
            assert (b"234567" in seven) is (masked == "--no-mask")
            found = {event.label: event.value for event in Decoder().feed(said) if isinstance(event, Group)}
            assert found["ADSC"] == ("021961000000" if masked == "--mask" else "021961234567")


async def test_an_interrupted_recording_keeps_what_was_heard(tmp_path):
    async with playing(tmp_path / "tic") as meter:
        process = await foyer("record", tmp_path / "capture.bin", "--port", tmp_path / "tic", "--seconds", "600")
        before = meter.written
        while True:
            await asyncio.sleep(0.05)
            if meter.written > before + 3000:
                break
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert (tmp_path / "capture.bin").stat().st_size > 0
