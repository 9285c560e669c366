"""The link, over real TCP and real serial lines, against devices that behave and devices that do not."""

import asyncio
import struct
import subprocess
import sys

import pytest

from drivers.inverter.faults import Closed, ExceptionReply, NoPort, PortBusy, Refused, ShortReply, Silent, Unreachable
from drivers.inverter.modbus import Space
from gateway.errors import Transient

NUMBERS = {100: list(range(100, 400))}


async def rogue(behave):
    """A device of twenty lines: `behave(request_bytes) -> reply bytes, or None to stay silent, or "close"`."""
    requests = []

    async def serve(reader, writer):
        try:
            while head := await reader.read(12):
                requests.append(head)
                reply = behave(head)
                if reply == "close":
                    break
                if reply:
                    writer.write(reply)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], requests


def answer(request, registers):
    transaction, _, _, unit, function = struct.unpack(">HHHBB", request[:8])
    body = struct.pack(f">BBB{len(registers)}H", unit, function, 2 * len(registers), *registers)
    return struct.pack(">HHH", transaction, 0, len(body)) + body


async def test_registers_arrive_over_tcp_from_both_spaces(serve, link_to):
    server, port = await serve(NUMBERS)
    link = link_to(port)
    assert await link.read(Space.HOLDING, 1, 100, 3) == [100, 101, 102]
    assert await link.read(Space.INPUT, 1, 200, 125) == list(range(200, 325))
    assert server.connections == 1


async def test_many_at_once_wait_for_each_other(serve, link_to):
    server, port = await serve(NUMBERS)
    link = link_to(port)
    got = await asyncio.gather(*(link.read(Space.HOLDING, 1, 100 + n, 1 + n % 5) for n in range(40)))
    assert got == [list(range(100 + n, 101 + n + n % 5)) for n in range(40)]
    assert server.connections == 1


async def test_two_users_of_one_endpoint_share_its_single_connection(serve, link_to):
    server, port = await serve(NUMBERS)
    one, other = link_to(port), link_to(port)
    await one.read(Space.HOLDING, 1, 100, 1)
    await one.close()
    await one.close()
    assert await other.read(Space.HOLDING, 1, 101, 1) == [101]
    assert server.connections == 1


async def test_nobody_on_the_port_is_a_refusal(serve, link_to):
    server, port = await serve(NUMBERS)
    await server.stop()
    with pytest.raises(Refused):
        await link_to(port).read(Space.HOLDING, 1, 100, 1)


async def test_an_unknown_name_is_unreachable(link_to):
    link = link_to(502, unit=1)
    link._line._address = type(link._line._address)("tcp", host="no-such-inverter.invalid", port=502)
    with pytest.raises(Unreachable) as caught:
        await link.read(Space.HOLDING, 1, 100, 1)
    assert isinstance(caught.value, Transient)
    assert "no-such-inverter.invalid:502" in caught.value.say("fr")


async def test_silence_is_retried_once_then_said_and_forgotten_when_it_ends(serve, link_to):
    server, port = await serve(NUMBERS)
    link = link_to(port, framer="socket", timeout_s=0.15)
    server.silent = True
    with pytest.raises(Silent):
        await link.read(Space.HOLDING, 1, 100, 1)
    assert server.requests == 2
    server.silent = False
    assert await link.read(Space.HOLDING, 1, 100, 1) == [100]


async def test_an_exception_reply_is_an_error_with_its_number(serve, link_to):
    server, port = await serve(NUMBERS)
    link = link_to(port)
    with pytest.raises(ExceptionReply) as caught:
        await link.read(Space.HOLDING, 1, 99, 1)
    assert caught.value.number == 2
    assert not caught.value.absent
    server.exception = 11
    with pytest.raises(ExceptionReply) as caught:
        await link.read(Space.HOLDING, 1, 100, 1)
    assert caught.value.absent


async def test_a_busy_device_is_asked_again(serve, link_to):
    server, port = await serve(NUMBERS)
    server.exception = 6
    with pytest.raises(ExceptionReply) as caught:
        await link_to(port).read(Space.HOLDING, 1, 100, 1)
    assert caught.value.busy
    assert server.requests == 2


async def test_a_short_reply_is_never_taken_for_the_answer(link_to):
    server, port, requests = await rogue(lambda request: answer(request, [7]))
    async with server:
        with pytest.raises(ShortReply) as caught:
            await link_to(port).read(Space.HOLDING, 1, 100, 3)
        assert "1 registers instead of 3" in caught.value.say("en")
        assert len(requests) == 2
        assert await link_to(port).read(Space.HOLDING, 1, 100, 1) == [7]


async def test_a_connection_closed_instead_of_an_answer_is_said(link_to):
    server, port, _ = await rogue(lambda _: "close")
    async with server:
        with pytest.raises((Closed, Silent)):
            await link_to(port, framer="socket", timeout_s=0.2).read(Space.HOLDING, 1, 100, 3)


async def test_late_replies_over_tcp_do_not_shift_the_answers(serve, link_to):
    server, port = await serve(NUMBERS)
    link = link_to(port, timeout_s=0.2, retries=0)
    assert await link.read(Space.HOLDING, 1, 100, 1) == [100]
    server.delay_s = 0.3
    with pytest.raises(Silent):
        await link.read(Space.HOLDING, 1, 100, 2)
    server.delay_s = 0
    assert await link.read(Space.HOLDING, 1, 200, 2) == [200, 201]
    assert await link.read(Space.HOLDING, 1, 300, 2) == [300, 301]


async def test_rtu_frames_over_tcp_are_found_by_themselves(serve, link_to):
    server, port = await serve(NUMBERS, rtu_frames=True)
    link = link_to(port)
    assert await link.read(Space.HOLDING, 1, 100, 2) == [100, 101]
    asked = server.requests
    assert await link.read(Space.HOLDING, 1, 300, 2) == [300, 301]
    assert server.requests == asked + 1


async def test_rtu_frames_over_tcp_can_be_asked_for(serve, link_to):
    server, port = await serve(NUMBERS, rtu_frames=True)
    assert await link_to(port, framer="rtu").read(Space.HOLDING, 1, 100, 2) == [100, 101]
    assert server.requests == 1


async def test_a_serial_line_is_read_and_read_again_after_it_vanished(serve, link_to, serial_line):
    device, box = serial_line
    server, _ = await serve(NUMBERS, device=device)
    link = link_to(device=box, baud=115200)
    for count in (1, 10, 125):
        assert await link.read(Space.HOLDING, 1, 100, count) == list(range(100, 100 + count))
    await server.stop()
    with pytest.raises(Silent):
        await link.read(Space.HOLDING, 1, 100, 1)
    await server.start()
    assert await link.read(Space.HOLDING, 1, 100, 1) == [100]


async def test_late_replies_on_a_serial_line_never_pass_for_the_next_answer(serve, link_to, serial_line):
    device, box = serial_line
    server, _ = await serve(NUMBERS, device=device)
    link = link_to(device=box, baud=115200)
    assert await link.read(Space.HOLDING, 1, 100, 2) == [100, 101]
    server.delay_s = 1.2  # longer than the line waits
    with pytest.raises(Silent):
        await link.read(Space.HOLDING, 1, 100, 2)
    server.delay_s = 0
    assert await link.read(Space.HOLDING, 1, 200, 2) == [200, 201]
    assert await link.read(Space.HOLDING, 1, 300, 2) == [300, 301]


async def test_a_cancelled_read_on_a_serial_line_leaves_nothing_behind(serve, link_to, serial_line):
    device, box = serial_line
    server, _ = await serve(NUMBERS, device=device)
    link = link_to(device=box, baud=115200)
    server.delay_s = 0.5
    reading = asyncio.create_task(link.read(Space.HOLDING, 1, 100, 2))
    async with asyncio.timeout(5):
        while not server.requests:  # noqa: ASYNC110 - the request is under way in another program's buffers
            await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    server.delay_s = 0
    assert await link.read(Space.HOLDING, 1, 200, 2) == [200, 201]


async def test_a_missing_adapter_is_named(link_to):
    with pytest.raises(NoPort, match="ttyNowhere"):
        await link_to(device="/dev/ttyNowhere").read(Space.HOLDING, 1, 100, 1)


async def test_a_path_that_is_no_serial_port_does_not_open(link_to, tmp_path):
    path = tmp_path / "plain"
    path.write_text("")
    with pytest.raises(PortBusy):
        await link_to(device=str(path)).read(Space.HOLDING, 1, 100, 1)


def test_importing_the_driver_brings_no_modbus_library():
    code = "import sys, drivers.inverter, drivers.inverter.cli; sys.exit('pymodbus' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
