import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.inverter.address import Address, parse
from gateway.errors import FoyerError, Misconfigured, Unsupported


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://192.168.1.20:502?unit=1", Address("tcp", 1, host="192.168.1.20", port=502)),
        ("tcp://inverter.local", Address("tcp", None, host="inverter.local", port=502)),
        ("tcp://h:1502/?unit=126&framer=rtu", Address("tcp", 126, host="h", port=1502, framer="rtu")),
        ("tcp://[fe80::1]:502?unit=3", Address("tcp", 3, host="fe80::1", port=502)),
        (
            "rtu:///dev/ttyUSB1?baud=19200&parity=E&unit=2",
            Address("rtu", 2, device="/dev/ttyUSB1", baud=19200, parity="E", framer="rtu"),
        ),
        ("rtu:///dev/ttyUSB1", Address("rtu", None, device="/dev/ttyUSB1", framer="rtu")),
    ],
)
def test_an_address_is_understood(url, address):
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("udp://h:502", "scheme"),
        ("192.168.1.20", "scheme"),
        ("tcp://:502", "host"),
        ("tcp://h:99999", "port"),
        ("tcp://h:0", "port"),
        ("tcp://h:port", "port"),
        ("tcp://[::1", "host"),
        ("tcp://h/path", "/path"),
        ("tcp://h?unit=248", "unit"),
        ("tcp://h?unit=one", "unit"),
        ("tcp://h?units=1", "units"),
        ("tcp://h?framer=ascii", "framer"),
        ("rtu://dev/ttyUSB0", "port"),
        ("rtu:///dev/ttyUSB0?baud=1", "baud"),
        ("rtu:///dev/ttyUSB0?parity=X", "parity"),
        ("rtu:///dev/ttyUSB0?stop=3", "stop"),
    ],
)
def test_a_wrong_address_is_refused_and_its_part_named(url, part):
    with pytest.raises(Misconfigured) as caught:
        parse(url)
    assert f", {part} :" in caught.value.what.fr
    assert f", {part}:" in caught.value.what.en
    assert url in caught.value.what.fr
    assert caught.value.mend


def test_a_web_inverter_is_recognised_and_declined_for_now():
    with pytest.raises(Unsupported, match="web pages"):
        parse("https://envoy.local")


@given(st.one_of(st.text(), st.builds("{}://{}".format, st.sampled_from(["tcp", "rtu", "https"]), st.text())))
def test_no_text_breaks_the_parser(url):
    try:
        address = parse(url)
    except FoyerError:
        return
    assert parse(address.url(1)).where == address.where


@given(st.integers(1, 247), st.integers(1, 65535), st.sampled_from(["auto", "rtu"]))
def test_an_address_written_again_is_the_same(unit, port, framer):
    address = Address("tcp", unit, host="10.0.0.7", port=port, framer=framer)
    assert parse(address.url()) == address
