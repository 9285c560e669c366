"""What the meter says, in the names and units of the signal registry."""

import pytest
from meters import NOON, producer, state, three
from tic_examples import H3_EJP, S1_PRODUCER, frame, group, old_group

from drivers.linky import sim
from drivers.linky.stream import Stream
from gateway.signals import Kind, find, within_bounds


def readings(stream, data, seconds=0.0):
    events = stream.feed(data, seconds)
    return {one.signal: one.value for batch, _ in stream.readings(events, NOON) for one in batch}


def test_a_producer_in_standard_mode_gives_these_readings():
    assert readings(Stream(), sim.standard_frame(producer(tempo_today=None))) == {
        "grid.import.energy": 4_321_000,
        "grid.import.energy.f01": 3_000_000,
        "grid.import.energy.f02": 1_321_000,
        **{f"grid.import.energy.f{n:02d}": 0 for n in range(3, 11)},
        "grid.import.energy.d01": 4_321_000,
        **{f"grid.import.energy.d0{n}": 0 for n in range(2, 5)},
        "grid.export.energy": 765_432,
        "grid.current.l1": 5,
        "grid.voltage.l1": 236,
        "grid.subscribed_power": 6000,
        "grid.import.apparent_power": 0,
        "grid.export.apparent_power": 1660,
        "grid.cutoff.power": 6000,
        "grid.cutoff.margin": 7800,
        "grid.import.mean_power": 950,
        "grid.export.mean_power": 1502,
        "grid.overload": "no",
        "grid.contact": "open",
        "grid.relays": "none",
        "grid.events": "none",
        "grid.tariff.notice": "none",
        "grid.tariff.period": "hp",
    }


def test_a_consumer_in_historic_mode_gives_these_readings():
    assert readings(Stream(), sim.historic_frame(state())) == {
        "grid.import.energy": 4_321_000,
        "grid.import.energy.hc": 3_000_000,
        "grid.import.energy.hp": 1_321_000,
        "grid.current.l1": 5,
        "grid.subscribed_power": 6000,
        "grid.import.apparent_power": 1230,
        "grid.cutoff.power": 6000,
        "grid.cutoff.margin": 6570,
        "grid.tariff.period": "hp",
        "grid.overload": "no",
    }


@pytest.mark.parametrize("one", [state(), producer(), three(), producer(tempo_today="red", tempo_tomorrow="blue")])
def test_every_reading_is_a_signal_of_the_registry_within_its_bounds(one):
    for render in (sim.standard_frame, sim.historic_frame):
        stream = Stream()
        for batch, _ in stream.readings(stream.feed(render(one), 0.0), NOON):
            for reading in batch:
                signal = find(reading.signal)
                assert signal is not None
                assert reading.source.partition(":")[0] == "linky"
                assert reading.at <= NOON
                assert (reading.at == NOON) is not reading.signal.endswith("import.mean_power")
                assert reading.quality == "measured" or reading.source != "linky" or render is sim.historic_frame
                if signal.kind is Kind.STATE:
                    assert isinstance(reading.value, str)
                else:
                    assert within_bounds(signal, reading.value)


def test_apparent_power_is_never_given_in_watts():
    for one in (sim.standard_frame(producer()), sim.historic_frame(state())):
        names = readings(Stream(), one)
        assert not {"grid.import.power", "grid.export.power"} & set(names)
        assert all(find(name).unit == "VA" for name in names if "apparent" in name)


def test_three_phases_have_a_current_and_a_voltage_each():
    found = readings(Stream(), sim.standard_frame(three()))
    assert [found[f"grid.current.l{n}"] for n in (1, 2, 3)] == [1, 2, 30]
    assert [found[f"grid.voltage.l{n}"] for n in (1, 2, 3)] == [230, 231, 232]
    assert readings(Stream(), sim.historic_frame(three(subscribed_kva=18)))["grid.subscribed_power"] == 18_000


def test_the_total_of_historic_registers_needs_all_of_them():
    whole = sim.historic_frame(state(option="tempo", period="blue_hp", indexes=(1, 2, 3, 4, 5, 6)))
    stream = Stream()
    found = readings(stream, whole.replace(b"BBRHPJW 000000004", b"BBRHPJW 000000005"))
    assert "grid.import.energy" not in found
    assert found["grid.import.energy.blue_hc"] == 1
    assert readings(stream, whole, 3.0)["grid.import.energy"] == 21


def test_a_changed_contract_does_not_mix_registers_of_two_options():
    stream = Stream()
    assert readings(stream, sim.historic_frame(state()))["grid.import.energy"] == 4_321_000
    found = readings(stream, sim.historic_frame(state(option="base", period="base")), 2.0)
    assert found["grid.import.energy"] == 4_321_000
    assert found["grid.import.energy.hc"] is None
    assert found["grid.tariff.period"] == "base"


@pytest.mark.parametrize(
    ("period", "today"), [("blue_hc", "blue"), ("white_hp", "white"), ("red_hp", "red"), ("hp", None), ("base", None)]
)
def test_the_colour_of_today_follows_the_period_of_historic_mode(period, today):
    found = readings(Stream(), sim.historic_frame(state(period=period)))
    assert found["grid.tariff.period"] == period
    assert found.get("grid.tariff.today") == today


def test_the_colour_of_tomorrow_is_said_and_withdrawn():
    tempo = {"option": "tempo", "period": "blue_hp", "indexes": (1, 2, 3, 4, 5, 6)}
    stream = Stream()
    assert "grid.tariff.tomorrow" not in readings(stream, sim.historic_frame(state(**tempo)))
    assert readings(stream, sim.historic_frame(state(**tempo, tempo_tomorrow="red")))["grid.tariff.tomorrow"] == "red"
    assert readings(stream, sim.historic_frame(state(**tempo)))["grid.tariff.tomorrow"] is None
    stream = Stream()
    found = readings(stream, sim.standard_frame(state(tempo_today="white", tempo_tomorrow="blue", index=4)))
    assert (found["grid.tariff.today"], found["grid.tariff.tomorrow"]) == ("white", "blue")
    assert found["grid.tariff.period"] == "white_hp"
    assert readings(stream, sim.standard_frame(state(tempo_today="blue")))["grid.tariff.tomorrow"] is None


def test_ejp_registers_and_period_have_their_names():
    found = readings(Stream(), H3_EJP)
    assert found["grid.import.energy"] == 12345678 + 456789
    assert found["grid.import.energy.ejp_pm"] == 456789
    assert found["grid.tariff.period"] == "ejp_hn"
    assert found["grid.overload"] == "yes"


def test_overload_in_standard_mode_is_a_bit_of_the_status_word():
    stream = Stream()
    assert readings(stream, sim.standard_frame(state(import_va=7000)))["grid.overload"] == "yes"
    assert readings(stream, sim.standard_frame(state(import_va=5000)))["grid.overload"] == "no"


def test_the_period_waits_for_the_texts_of_a_stream_taken_amid_a_frame():
    whole = sim.standard_frame(state())
    stream = Stream()
    assert "grid.tariff.period" not in readings(stream, whole[whole.index(b"\nPREF") :])
    assert readings(stream, whole)["grid.tariff.period"] == "hp"


def test_a_calendar_without_texts_gives_the_bare_number_once_a_clean_frame_shows_there_are_none():
    stream = Stream()
    whole = sim.standard_frame(state(calendar="", tariff=""))
    assert "grid.tariff.period" not in readings(stream, whole)
    assert readings(stream, whole)["grid.tariff.period"] == "f02"


def test_texts_that_are_gone_no_longer_name_the_period():
    stream = Stream()
    assert readings(stream, sim.standard_frame(state()))["grid.tariff.period"] == "hp"
    bare = sim.standard_frame(state(calendar="", tariff=""))
    readings(stream, bare)
    assert readings(stream, bare)["grid.tariff.period"] == "f02"


def test_a_producer_meter_that_draws_nothing_has_no_period():
    stream = Stream()
    readings(stream, sim.standard_frame(state()))
    found = readings(stream, sim.standard_frame(producer(calendar="PRODUCTEUR", tariff="INDEX NON CONSO")))
    assert found["grid.tariff.period"] is None


def test_pilot_meters_name_their_power_otherwise():
    pilot = frame(group("ADSC", "021967234567"), group("SINST1", "01230"))
    assert readings(Stream(), pilot) == {"grid.import.apparent_power": 1230}


def test_readings_of_a_frame_come_before_its_end():
    stream = Stream()
    events = stream.feed(S1_PRODUCER[: S1_PRODUCER.index(b"\nIRMS1")], 0.0)
    batches = list(stream.readings(events, NOON))
    assert [(len(batch), end) for batch, end in batches] == [(2, None)]
    assert list(stream.readings([], NOON)) == []


def test_the_phases_are_unknown_until_something_tells():
    stream = Stream()
    assert "grid.subscribed_power" not in readings(
        stream, frame(old_group("ADCO", "069999234567"), old_group("ISOUSC", "30"), old_group("IINST", "003"))
    )
    assert stream.interpreter.phases == 1


def test_a_degraded_clock_gives_no_clock_offset():
    stream = Stream()
    readings(stream, S1_PRODUCER)
    assert stream.details()["clock_offset_s"] == 0
    degraded = frame(group("ADSC", "061964234567"), group("DATE", "", "e250621130503"))
    readings(stream, degraded, 1.0)
    assert stream.details()["clock_offset_s"] is None


def test_the_figures_of_health_never_name_the_meter():
    stream = Stream()
    readings(stream, sim.standard_frame(producer()))
    details = stream.details()
    assert details["mode"] == "standard"
    assert (details["phases"], details["producer"], details["frames"], details["groups"]) == (1, True, 1, 48)
    assert "021961234567" not in str(details)
    assert details["error_rate"] is None


def test_registers_of_historic_mode_are_forgotten_with_it():
    stream = Stream()
    readings(stream, sim.historic_frame(state()))
    assert readings(stream, sim.standard_frame(state()), 2.0)["grid.import.energy.hc"] is None
    later = sim.historic_frame(state())
    assert "grid.import.energy" not in readings(stream, later[later.index(b"\nHCHP") :], 4.0)


def test_an_unknown_index_number_without_words_gives_no_period():
    stream = Stream()
    bare = frame(group("ADSC", "061964234567"), group("NTARF", "00"))
    assert readings(stream, bare) == {}
    assert readings(stream, bare) == {}
