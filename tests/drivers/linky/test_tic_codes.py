"""The dictionary, the coded words and the meter's time stamps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.linky import codes, horodate
from drivers.linky.labels import HISTORIC, HISTORIC_REGISTERS, OPENERS, PTEC_PERIODS, STANDARD, Nature
from gateway.signals import TARIFF_INDEXES


class TestLabels:
    def test_the_tables_hold_every_label_of_the_specifications(self):
        historic = """
            ADIR1 ADIR2 ADIR3 ADCO OPTARIF ISOUSC BASE HCHC HCHP EJPHN EJPHPM
            BBRHCJB BBRHPJB BBRHCJW BBRHPJW BBRHCJR BBRHPJR PEJP PTEC DEMAIN
            IINST ADPS IMAX IINST1 IINST2 IINST3 IMAX1 IMAX2 IMAX3 PMAX PAPP HHPHC MOTDETAT PPOT GAZ AUTRE
        """
        standard = """
            ADSC VTIC DATE NGTF LTARF EAST EAIT PREF PCOUP SINSTS SINST1 SMAXSN SMAXSN-1 SMAXN SMAXN-1
            SINSTI SMAXIN SMAXIN-1 CCASN CCASN-1 CCAIN CCAIN-1 STGE MSG1 MSG2 PRM RELAIS NTARF
            NJOURF NJOURF+1 PJOURF+1 PPOINTE
        """
        per_phase = ("IRMS", "URMS", "UMOY", "SINSTS", "SMAXSN", "DPM", "FPM")
        assert list(HISTORIC) == historic.split()
        assert set(STANDARD) == {
            *standard.split(),
            *(f"EASF{n:02d}" for n in range(1, 11)),
            *(f"EASD0{n}" for n in range(1, 5)),
            *(f"ERQ{n}" for n in range(1, 5)),
            *(f"{name}{n}" for name in per_phase for n in (1, 2, 3)),
            *(f"SMAXSN{n}-1" for n in (1, 2, 3)),
        }

    def test_only_the_stamped_labels_have_a_horodate(self):
        stamped = {label.name for label in STANDARD.values() if label.horodate}
        assert stamped == {
            name
            for name in STANDARD
            if name == "DATE" or name.startswith(("SMAX", "SMAXIN", "CCA", "UMOY", "DPM", "FPM"))
        }
        assert not any(label.horodate for label in HISTORIC.values())

    def test_three_phase_and_producer_labels_say_so(self):
        assert STANDARD["IRMS2"].phases == 3
        assert STANDARD["IRMS1"].phases is None
        assert HISTORIC["IINST"].phases == 1
        assert {label.name for label in STANDARD.values() if label.producer} == {
            *["EAIT", "ERQ1", "ERQ2", "ERQ3", "ERQ4", "SINSTI", "SMAXIN", "SMAXIN-1", "CCAIN", "CCAIN-1"]
        }

    def test_apparent_power_is_never_in_watts(self):
        for name in ("SINSTS", "SINSTI", "SMAXSN", "PAPP", "PMAX"):
            assert {**HISTORIC, **STANDARD}[name].unit == "VA"
        assert STANDARD["CCASN"].unit == "W"

    def test_every_energy_register_is_an_index_that_is_never_repaired(self):
        energies = [label for label in (*HISTORIC.values(), *STANDARD.values()) if label.unit in ("Wh", "VArh", "dal")]
        assert energies
        assert all(label.nature is Nature.INDEX for label in energies)

    def test_ranks_follow_the_emission_and_the_modes_do_not_overlap(self):
        ranks = [label.rank for label in STANDARD.values()]
        assert ranks == sorted(set(ranks))
        assert max(label.rank for label in HISTORIC.values()) < min(ranks)
        assert HISTORIC.keys() | STANDARD.keys() >= OPENERS

    def test_every_label_has_a_meaning_in_both_languages(self):
        for label in (*HISTORIC.values(), *STANDARD.values()):
            assert label.meaning.fr
            assert label.meaning.en
            assert "'" not in label.meaning.fr

    def test_periods_and_registers_are_those_of_the_signal_registry(self):
        assert set(PTEC_PERIODS.values()) <= set(TARIFF_INDEXES)
        assert set(HISTORIC_REGISTERS.values()) <= set(TARIFF_INDEXES)


class TestHorodate:
    def test_the_season_letter_is_the_offset(self):
        winter, summer = horodate.parse("H251026023000"), horodate.parse("E251026023000")
        assert winter.at - summer.at == 3_600_000
        assert winter.iso == "2025-10-26T02:30:00+01:00"
        assert summer.iso == "2025-10-26T02:30:00+02:00"

    @pytest.mark.parametrize("text", ["h250115063000", "e250615063000"])
    def test_a_small_letter_is_a_degraded_clock(self, text):
        assert horodate.parse(text).degraded
        assert horodate.parse(text).at is not None

    def test_a_blank_season_names_no_instant_however_often_it_is_read(self):
        for _ in range(3):
            stamp = horodate.parse(" 250116070000")
            assert stamp.at is None
            assert stamp.iso == "2025-01-16T07:00:00"

    def test_a_date_of_zeros_is_a_stamp_that_was_never_set(self):
        stamp = horodate.parse("E000000000000")
        assert stamp.at is None
        assert stamp.iso is None

    @pytest.mark.parametrize(
        "text",
        [
            *("", "E25062113050", "X250621130502", "E251321130502", "E250631130502", "E250621240000"),
            *("E250621136000", "E250621130560", "E2506211305o2", "E25062113050²", "X000000000000"),
        ],
    )
    def test_what_is_no_stamp_is_none(self, text):
        assert horodate.parse(text) is None

    def test_thousands_of_minutes_do_not_fill_the_memory(self):
        for n in range(3000):
            assert horodate.parse(f"E2506{1 + n // 1440:02d}{n // 60 % 24:02d}{n % 60:02d}00") is not None
        assert len(horodate._minutes) <= 1024

    @given(st.text(max_size=14))
    def test_any_text_is_a_stamp_or_none(self, text):
        found = horodate.parse(text)
        assert found is None or found.text == text


class TestStatusWord:
    def test_the_example_of_the_specification_reads_so(self):
        word = codes.status("013A0501")
        assert not word.contact_closed
        assert word.producer
        assert word.supplier_index == 2
        assert word.standard_output
        assert word.euridis == "on-secured"
        assert word.plc == "new-lock"
        assert word.today == "blue"
        assert word.tomorrow is None
        assert word.cut_off == "closed"

    def test_each_bit_is_where_the_specification_says(self):
        assert codes.status("00000000").contact_closed
        assert codes.status("0000000E").cut_off == "unknown"
        assert codes.status("00000008").cut_off == "remote-order"
        assert codes.status("00000010").cover_open
        assert codes.status("00000040").overvoltage
        assert codes.status("00000080").overload
        assert codes.status("00000200").injecting
        assert codes.status("00002400").supplier_index == 10
        assert codes.status("0000C000").distributor_index == 4
        assert codes.status("00010000").clock_degraded
        assert codes.status("00800000").plc_synchronised
        assert codes.status("0E000000").today == "white"
        assert codes.status("0E000000").tomorrow == "red"
        assert codes.status("60000000").notice == 2
        assert codes.status("60000000").peak == 1

    def test_relays_are_counted_from_the_real_one(self):
        assert codes.relays(0b101) == (True, False, True, False, False, False, False, False)

    @pytest.mark.parametrize(
        ("entry", "contact", "index"),
        [("00004001", "tempo", 1), ("2200C001", "closed", 1), ("06008002", "open", 2), ("0600000B", "keep", None)],
    )
    def test_a_day_profile_is_read_slot_by_slot(self, entry, contact, index):
        slots = codes.profile(" ".join([entry] + ["NONUTILE"] * 10))
        assert [(slot.contact, slot.index) for slot in slots] == [(contact, index)]
        assert slots[0].start == f"{entry[:2]}:{entry[2:4]}"
        assert not any(slots[0].virtual)

    def test_the_type_in_the_address_hints_at_the_phases(self):
        assert codes.phases_of("061963234567") == 3
        assert codes.phases_of("061961234567") == 1
        assert codes.phases_of("069999234567") is None


class TestTariff:
    @pytest.mark.parametrize(
        ("index", "calendar", "label", "period"),
        [
            (1, "BASE", "BASE", "base"),
            (2, "H PLEINE/CREUSE", "  HEURE  PLEINE", "hp"),
            (1, "H PLEINE/CREUSE", "HEURE  CREUSE", "hc"),
            (2, "TEMPO", "HP  BLEU", "blue_hp"),
            (5, "TEMPO", "whatever", "red_hc"),
            (4, "SUPPLIER X", "HP BLANC", "white_hp"),
            (1, "SUPPLIER X", "BLEU HC", "blue_hc"),
            (3, "HC et Week-End", "HC", "hc"),
            (1, "PRODUCTEUR", "INDEX NON CONSO", None),
            (2, "EJP", "POINTE MOBILE", "ejp_pm"),
            (2, "EJP", "HEURE NORMALE", "ejp_hn"),
            (3, "ZEN", "PERIODE WEEKEND", "f03"),
            (3, "ZEN", "", "f03"),
            (None, "ZEN", "", None),
            (1, "X", "HC HP", "f01"),
            (1, "X", "BLEU BASE", "f01"),
        ],
    )
    def test_the_period_is_found_by_number_and_words(self, index, calendar, label, period):
        assert codes.period(index, calendar, label) == period
        assert period is None or period in TARIFF_INDEXES

    def test_a_tempo_colour_in_the_status_word_is_as_good_as_the_calendar_name(self):
        assert codes.period(6, "", "", tempo=True) == "red_hp"

    @given(st.text(max_size=16), st.text(max_size=16), st.none() | st.integers(1, 10))
    def test_any_text_gives_a_period_of_the_registry_or_none(self, calendar, label, index):
        assert codes.period(index, calendar, label) in {None, *TARIFF_INDEXES}
