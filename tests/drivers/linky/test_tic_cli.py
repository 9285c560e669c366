"""`foyer tic`: the contract of its output."""

import json
import os
import subprocess
import sys
import tracemalloc

import pytest
from click.testing import CliRunner
from meters import NOON, producer, state
from tic_examples import H1, S1_PRODUCER, S2_PEAK, group, wire

from drivers.linky import cli, sim
from drivers.linky.capture import mask
from drivers.linky.cli import tic
from drivers.linky.frame import Decoder
from drivers.linky.group import Group, Rejected
from drivers.linky.report import Report
from gateway.cli import main


def run(*arguments, data=b""):
    result = CliRunner().invoke(tic, arguments, input=data, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def decode(data, *arguments):
    return [json.loads(line) for line in run("decode", "-", "--json", *arguments, data=data).splitlines()]


def foyer(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


class TestDecode:
    def test_a_frame_and_the_summary_have_exactly_this_shape(self):
        frame, summary = decode(wire(S1_PRODUCER))
        assert frame == {
            "frame": 1,
            "mode": "standard",
            "complete": True,
            "meter": "061964234567",
            "phases": 1,
            "producer": True,
            "groups": {
                "ADSC": {"value": "061964234567"},
                "VTIC": {"value": "02"},
                "DATE": {"value": "", "at": "2025-06-21T13:05:02+02:00"},
                "EAST": {"value": 4321000, "unit": "Wh"},
                "EAIT": {"value": 765432, "unit": "Wh"},
                "IRMS1": {"value": 7, "unit": "A"},
                "URMS1": {"value": 238, "unit": "V"},
                "SINSTS": {"value": 0, "unit": "VA"},
                "SINSTI": {"value": 1660, "unit": "VA"},
                "CCAIN": {"value": 1502, "unit": "W", "at": "2025-06-21T13:00:00+02:00"},
                "STGE": {"value": "013A0301"},
            },
            "rejected": [],
            "readings": {
                "grid.import.energy": 4321000,
                "grid.export.energy": 765432,
                "grid.current.l1": 7,
                "grid.voltage.l1": 238,
                "grid.import.apparent_power": 0,
                "grid.export.apparent_power": 1660,
                "grid.export.mean_power": 1502,
                "grid.overload": "no",
                "grid.contact": "open",
                "grid.events": "none",
                "grid.tariff.notice": "none",
                "grid.tariff.today": "blue",
            },
        }
        assert summary == {
            "summary": {
                "bytes": len(S1_PRODUCER),
                "frames": 1,
                "partial_frames": 0,
                "groups": 11,
                "rejected": 0,
                "repaired": 0,
                "mode": "standard",
            }
        }

    def test_partial_frames_are_printed_and_counted_apart(self):
        *frames, summary = decode((S1_PRODUCER * 4)[30:-40])
        assert [(one["frame"], one["complete"], one["mode"]) for one in frames] == [
            (1, False, "standard"),
            (2, True, "standard"),
            (3, True, "standard"),
            (4, False, "standard"),
        ]
        assert summary["summary"]["frames"] == 2
        assert summary["summary"]["partial_frames"] == 2
        assert summary["summary"]["groups"] == sum(len(one["groups"]) for one in frames)

    def test_a_frame_cut_by_eot_is_printed_as_partial(self):
        first, second, _ = decode(S1_PRODUCER[:-60] + b"\x04" + S1_PRODUCER)
        assert (first["complete"], second["complete"]) == (False, True)

    def test_refused_groups_come_with_label_text_and_reason(self):
        frame, summary = decode(S1_PRODUCER.replace(b"URMS1\t238\tG", b"URMS1\t239\tG"))
        assert frame["rejected"] == [{"label": "URMS1", "raw": "URMS1\t239\tG", "reason": "checksum"}]
        assert "URMS1" not in frame["groups"]
        assert summary["summary"]["rejected"] == 1

    def test_an_implausible_index_is_refused_with_that_reason(self):
        later = S1_PRODUCER.replace(b"EAST\t004321000\tY", group("EAST", "004320000")[1:-1])
        _, second, _ = decode(S1_PRODUCER + later)
        assert second["rejected"] == [
            {"label": "EAST", "raw": group("EAST", "004320000")[1:-1].decode(), "reason": "implausible"}
        ]
        assert "grid.import.energy" not in second["readings"]

    def test_a_withdrawn_value_is_no_reading(self):
        consumer = S1_PRODUCER.replace(b"\nEAIT\t000765432\t \r", b"")
        _, second, _ = decode(S1_PRODUCER + consumer)
        assert "grid.export.energy" not in second["readings"]
        assert None not in second["readings"].values()

    def test_ten_minutes_of_frames_are_plausible(self):
        stream = b"".join(
            wire(sim.standard_frame(state(at=NOON + 1000 * n, import_wh=4_321_000 + 2 * n))) for n in range(600)
        )
        summary = decode(stream)[-1]["summary"]
        assert (summary["frames"], summary["rejected"]) == (600, 0)

    def test_a_quarter_of_an_hour_of_historic_frames_is_plausible(self):
        stream = b"".join(sim.historic_frame(state(indexes=(3_000_000, 1_321_000 + 12 * n))) for n in range(600))
        summary = decode(stream)[-1]["summary"]
        assert (summary["frames"], summary["rejected"], summary["mode"]) == (600, 0, "historic")

    def test_repaired_values_say_so(self):
        damaged = bytearray(wire(S1_PRODUCER))
        damaged[S1_PRODUCER.index(b"01660") + 2] ^= 0x04
        _, second, summary = decode(wire(S1_PRODUCER) + bytes(damaged))
        assert second["groups"]["SINSTI"] == {"value": 1660, "unit": "VA", "repaired": True}
        assert summary["summary"]["repaired"] == 1

    def test_a_degraded_clock_and_an_announced_peak_are_shown(self):
        frame, _ = decode(S2_PEAK)
        assert frame["groups"]["DATE"] == {"value": "", "at": "2025-01-15T06:30:00+01:00", "degraded": True}
        assert frame["groups"]["DPM1"] == {"value": 0, "at": "2025-01-16T07:00:00"}
        assert frame["groups"]["NGTF"] == {"value": "EJP"}

    def test_a_stamp_that_was_never_set_has_no_at(self):
        text = sim.standard_frame(state()).replace(
            group("SMAXSN-1", "00000", "E250621130502"), group("SMAXSN-1", "00000", "H000000000000")
        )
        frame, _ = decode(text)
        assert frame["groups"]["SMAXSN-1"] == {"value": 0, "unit": "VA"}

    def test_mode_and_parity_may_be_imposed(self):
        assert decode(H1, "--mode", "standard")[-1]["summary"]["groups"] == 0
        assert decode(H1, "--mode", "historic", "--parity", "none")[-1]["summary"]["groups"] == 11

    def test_nothing_at_all_is_an_empty_summary(self):
        (only,) = decode(b"")
        assert only["summary"] == {
            "bytes": 0,
            "frames": 0,
            "partial_frames": 0,
            "groups": 0,
            "rejected": 0,
            "repaired": 0,
            "mode": None,
        }

    def test_garbage_is_counted_and_not_believed(self):
        frames = decode(b"hello\rworld\r" * 20)
        assert frames[-1]["summary"]["groups"] == 0
        assert frames[-1]["summary"]["rejected"] > 0

    @pytest.mark.parametrize(
        "data", [b"", b"\x02", b"\x03\x02\x04", b"\r\n" * 500, bytes(256) * 9, b"\x02" * 5000, b"\x80\x00" * 999]
    )
    def test_empty_and_malformed_files_end_with_a_summary(self, tmp_path, data):
        file = tmp_path / "capture.bin"
        file.write_bytes(data)
        *_, last = [json.loads(line) for line in run("decode", str(file), "--json").splitlines()]
        assert last["summary"]["bytes"] == len(data)
        assert last["summary"]["groups"] == 0

    def test_a_frame_that_refuses_without_end_lists_some_and_counts_all(self):
        *frames, summary = decode(b"hello world\r" * 3000 + S1_PRODUCER)
        assert summary["summary"]["rejected"] == 3000
        assert max(len(one["rejected"]) for one in frames) == 200

    def test_frames_of_no_known_mode_are_not_held_back_for_ever(self, monkeypatch):
        report = Report(None, "auto")
        shown = [line for _ in range(300) for line in report.feed(b"\x02hello world\r\x03")]
        assert len(shown) >= 199
        assert shown[0]["mode"] is None

    def test_a_file_of_many_megabytes_takes_little_memory(self, tmp_path):
        file = tmp_path / "capture.bin"
        frame = wire(sim.standard_frame(state()))
        with file.open("wb") as written:
            for _ in range(5_000_000 // len(frame)):
                written.write(frame)
        report = Report(None, "auto")
        frames = 0
        tracemalloc.start()
        try:
            for data in cli._bytes(str(file)):
                frames += len(report.feed(data))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert frames == 5_000_000 // len(frame)
        assert most < 2_000_000

    def test_one_frame_alone_gives_all_its_groups_with_parity_or_without(self):
        for text in (sim.standard_frame(producer()), sim.historic_frame(state())):
            for data in (text, wire(text)):
                frame, summary = decode(data)
                assert summary["summary"]["groups"] == len(frame["groups"]) == text.count(b"\r")

    def test_a_file_is_read_too_and_shown_as_a_table(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
        file = tmp_path / "capture.bin"
        damaged = bytearray(wire(S1_PRODUCER * 2))
        damaged[len(S1_PRODUCER) + S1_PRODUCER.index(b"01660") + 2] ^= 0x04
        damaged[len(S1_PRODUCER) + S1_PRODUCER.index(b"004321000")] ^= 0x01
        file.write_bytes(bytes(damaged))
        shown = run("decode", str(file))
        assert "Trame 1 (complète)" in shown
        assert "SINSTI" in shown
        assert "réparé" in shown
        assert "refusé : parity" in shown
        assert "2 trames et 0 partielles, 21 groupes, 1 refusés, 1 réparés, mode standard." in shown

    def test_frames_are_printed_as_they_end(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        command = [sys.executable, "-c", "from gateway.cli import main; main()", "tic", "decode", str(pipe), "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process, pipe.open("wb", buffering=0) as writer:
            writer.write(S1_PRODUCER)
            assert json.loads(process.stdout.readline())["frame"] == 1
            writer.close()
            assert "summary" in json.loads(process.stdout.readline())
        assert process.returncode == 0

    @pytest.mark.parametrize(("locale", "words"), [("fr_FR", "n’existe pas"), ("en_GB", "does not exist")])
    def test_a_file_that_is_not_there_is_one_sentence_and_exit_code_1(self, locale, words):
        result = foyer("tic", "decode", "/nowhere/capture.bin", LC_ALL=f"{locale}.UTF-8")
        assert result.returncode == 1
        assert result.stdout == ""
        assert words in result.stderr
        assert result.stderr.count("\n") == 1

    def test_a_folder_is_one_sentence_and_wrong_use_is_exit_code_2(self, tmp_path):
        result = foyer("tic", "decode", str(tmp_path))
        assert (result.returncode, result.stderr.count("\n")) == (1, 1)
        assert foyer("tic", "decode", "--mode", "morse").returncode == 2

    def test_a_character_device_that_is_no_port_is_one_sentence(self):
        result = foyer("tic", "decode", "/dev/null")
        assert (result.returncode, "Traceback" in result.stderr) == (1, False)


class TestLabels:
    def test_the_dictionary_speaks_both_languages(self, monkeypatch):
        monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
        assert "Apparent power drawn" in run("labels")
        monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
        assert "Puissance apparente soutirée" in run("labels")
        assert "Mode historique" in run("labels")

    def test_the_dictionary_as_json_has_every_label_of_both_modes(self):
        known = json.loads(run("labels", "--json"))
        assert len(known) == 110
        assert {
            "label": "SMAXIN",
            "mode": "standard",
            "size": 5,
            "unit": "VA",
            "horodate": True,
            "numeric": True,
            "phases": None,
            "producer": True,
            "meaning": {
                "fr": "Puissance maximale injectée aujourd’hui",
                "en": "Highest power injected today",
            },
        } in known


class TestMask:
    @pytest.mark.parametrize("parity", [True, False])
    @pytest.mark.parametrize("text", [sim.standard_frame(producer()), sim.historic_frame(state())])
    def test_masked_frames_hide_the_numbers_and_stay_valid(self, text, parity):
        data = wire(text) if parity else text
        masked = mask(data)
        assert len(masked) == len(data)
        seven = bytes(byte & 0x7F for byte in masked)
        assert b"234567" not in seven
        decoder = Decoder()
        events = decoder.feed(masked)
        assert not [event for event in events if isinstance(event, Rejected)]
        found = {event.label: event.value for event in events if isinstance(event, Group)}
        assert found.get("ADSC", found.get("ADCO")) == "021961000000"
        assert found.get("PRM", "0" * 14) == "0" * 14
        assert decoder.parity is parity

    def test_damage_stays_damage(self):
        damaged = S1_PRODUCER.replace(b"ADSC\t061964234567\tB", b"ADSC\t061964234567\tZ")
        masked = mask(damaged)
        assert b"ADSC\t061964000000\tZ" in masked
        assert masked[30:] == damaged[30:]

    def test_cut_and_mislabelled_groups_are_hidden_too(self):
        stream = S1_PRODUCER[8:] + S1_PRODUCER.replace(b"ADSC", b"ADRC") + S1_PRODUCER + b"\x02\nADSC\t0619642345"
        assert b"23456" not in mask(stream)

    def test_a_capture_that_begins_with_a_whole_group_keeps_it(self):
        stream = S1_PRODUCER[S1_PRODUCER.index(b"EAST") :]
        assert mask(stream) == stream

    def test_nothing_stays_nothing(self):
        assert mask(b"") == b""


def test_the_commands_are_found_by_their_entry_point():
    with pytest.raises(SystemExit) as exit_:
        main(["tic", "labels", "--json"])
    assert exit_.value.code == 0
