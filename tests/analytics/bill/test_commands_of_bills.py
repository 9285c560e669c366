"""`foyer bill` and `foyer tariff compare`, as a person or a program runs them."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from analytics.commands_bill import bill, tariff
from gateway.cli import cli, main
from gateway.config import Store
from gateway.store.load import load_minutes
from tests.analytics.bill import made
from tests.gateway.clocks import FakeClock

START, END = date(2025, 9, 1), date(2025, 11, 1)


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "curve.csv").write_bytes(made.customer_space(made.half_hours(START, END)))
    (tmp_path / "tempo.csv").write_text(made.calendar_file(made.colours(START, END)), encoding="utf-8")
    (tmp_path / "contract.toml").write_text(
        '[contract]\noption = "hphc"\nsubscribed_kva = 6\noff_peak = ["22:00-06:00"]\n', encoding="utf-8"
    )
    return tmp_path


def run(command, *arguments):
    return CliRunner().invoke(command, [str(one) for one in arguments])


def test_the_bill_as_json(files):
    result = run(
        bill,
        "--curve",
        files / "curve.csv",
        "--contract",
        files / "contract.toml",
        "--from",
        START,
        "--to",
        END,
        "--json",
    )

    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (document["from"], document["to"], document["option"], document["kva"]) == (
        "2025-09-01",
        "2025-11-01",
        "hphc",
        6,
    )
    assert document["subscription_ttc"] == "31.48"
    kwh = made.total_wh(made.half_hours(START, END)) / 1000
    assert sum(document["kwh"].values()) == pytest.approx(kwh, abs=0.002)
    total = sum(round(float(line["amount_ttc"]) * 100) for line in document["lines"])
    assert f"{total / 100:.2f}" == document["total_ttc"]


def test_the_bill_as_a_table_in_both_languages(files, monkeypatch):
    arguments = ("--curve", files / "curve.csv", "--contract", files / "contract.toml")

    assert "Total, all taxes included" in run(bill, *arguments).stdout
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    french = run(bill, *arguments).stdout
    assert "Facture du 01/09/2025 au 31/10/2025, option Heures creuses, 6 kVA" in french
    assert "0,2081 €" in french


def test_tempo_without_its_colours_names_the_days(files):
    (files / "contract.toml").write_text('[contract]\noption = "tempo"\n', encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        main(["--curve", str(files / "curve.csv"), "--contract", str(files / "contract.toml")], bill)

    assert ended.value.code == 1


def test_missing_colours_are_one_sentence_on_stderr(files, capsys):
    (files / "contract.toml").write_text('[contract]\noption = "tempo"\n', encoding="utf-8")
    arguments = ["--curve", str(files / "curve.csv"), "--contract", str(files / "contract.toml")]

    with pytest.raises(SystemExit):
        main([*arguments, "--from", "2025-09-03", "--to", "2025-09-05"], bill)

    assert "The colour of 3 days is missing: 2025-09-02, 2025-09-03, 2025-09-04." in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--curve", "c.csv", "--store", "--contract", "contract.toml"),
        ("--curve", "curve.csv", "--contract", "contract.toml", "--from", "hier"),
        ("--curve", "curve.csv", "--contract", "contract.toml", "--from", "2025-10-01", "--to", "2025-09-01"),
    ],
)
def test_wrong_use_exits_2(files, monkeypatch, arguments):
    monkeypatch.chdir(files)

    assert run(bill, *(arguments or ("--contract", "contract.toml"))).exit_code == 2


def test_a_bad_contract_says_every_problem(files):
    (files / "contract.toml").write_text('[contract]\noption = "blue"\noff_peak = ["22h"]\n', encoding="utf-8")

    refused = run(bill, "--curve", files / "curve.csv", "--contract", files / "contract.toml").exception

    assert "contract.option" in str(refused)
    assert "contract.off_peak" in str(refused)


def test_a_supplier_s_own_prices(files):
    (files / "contract.toml").write_text('[contract]\noption = "base"\nprices_file = "prices.toml"\n', encoding="utf-8")
    (files / "prices.toml").write_text(
        'supplier = "X"\n[[prices]]\nvalid_from = 2025-09-01\nvalid_to = 2025-10-01\nsource = "contrat"\n'
        'subscription_month_ttc = "10.00"\nenergy_ttc = { base = "0.1000" }\n',
        encoding="utf-8",
    )

    result = run(bill, "--curve", files / "curve.csv", "--contract", files / "contract.toml", "--json")

    document = json.loads(result.stdout)
    kwh = made.total_wh(made.half_hours(START, END)) / 1000
    assert document["energy_ttc"] == f"{kwh / 10:.2f}"
    assert document["subscription_ttc"] == "20.00"
    assert document["lines"][0]["source"] == "contrat"
    assert any("valid until 2025-10-01" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"\[\[prices\]\]"),
        (
            '[[prices]]\nvalid_from = 2025-09-01\nsubscription_month_ttc = 10.5\nenergy_ttc = { base = "0.1" }',
            "subscription",
        ),
        ('[[prices]]\nvalid_from = 2025-09-01\nsubscription_month_ttc = "9"\nenergy_ttc = { blue = "0.1" }', "blue"),
        (
            '[[prices]]\nvalid_from = 2025-10-01\nsubscription_month_ttc = "9"\nenergy_ttc = { base = "0.1" }',
            "says nothing",
        ),
        (
            '[[prices]]\nvalid_from = 2025-09-01\nsubscription_month_ttc = "9"\nenergy_ttc = { hp = "0.1" }',
            "lacks the price",
        ),
    ],
)
def test_a_wrong_price_file_is_told_where(files, text, said):
    (files / "contract.toml").write_text('[contract]\nprices_file = "prices.toml"\n', encoding="utf-8")
    (files / "prices.toml").write_text(text, encoding="utf-8")

    refused = run(bill, "--curve", files / "curve.csv", "--contract", files / "contract.toml").exception

    assert refused is not None
    with pytest.raises(type(refused), match=said):
        raise refused


def test_every_option_as_json(files):
    result = run(
        tariff, "compare", "--curve", files / "curve.csv", "--tempo", files / "tempo.csv", "--kva", 9,
        "--grid", "2026-03-01", "--json",
    )  # fmt: skip

    document = json.loads(result.stdout)
    assert document["grid"] == "2026-02-01"
    assert document["previous"]["grid"] == "2025-08-01"
    assert {one["option"] for one in document["options"]} == {"base", "hphc", "tempo"}
    assert list(document["options"][0]) == ["option", "total_ttc", "energy_ttc", "subscription_ttc"]
    for one in document["options"]:
        cents = [round(float(one[name]) * 100) for name in ("total_ttc", "energy_ttc", "subscription_ttc")]
        assert cents[0] == cents[1] + cents[2]
    assert any("22:00" in note for note in document["notes"])


def test_every_option_as_a_table(files):
    told = run(tariff, "compare", "--curve", files / "curve.csv", "--grid", "2026-03-01").stdout

    assert "Grid of 2026-02-01" in told
    assert "Grid of 2025-08-01" in told
    assert "Tempo is left out" in told
    assert "Power not given: 6 kVA." in told


@pytest.fixture
def box(tmp_path):
    """Three days of a Tempo home: registers each minute, 1200 Wh an hour, the colour as the meter tells it."""
    (tmp_path / "foyer.toml").write_text(
        '[paths]\nstate = "."\nrun = "."\n[contract]\noption = "hphc"\noff_peak = ["22:00-06:00"]\n', encoding="utf-8"
    )
    start = made.midnight(date(2025, 9, 1)) - 86_400

    def minutes():
        hc, hp = 5000, 9000
        for n in range(4 * 1440 + 1):
            at = start + n * 60
            hour = made.local(at).hour
            off = hour >= 22 or hour < 6
            colour = "red" if made.local(at - 6 * 3600).day == 2 else "blue"
            yield (
                at * 1000,
                {
                    "grid.import.energy": hc + hp,
                    "grid.import.energy.hc": hc,
                    "grid.import.energy.hp": hp,
                    "grid.tariff.today": colour,
                },
            )
            hc, hp = (hc + 20, hp) if off else (hc, hp + 20)

    clock = FakeClock((start + 4 * 86_400 + 60) * 1000)
    load_minutes(tmp_path / "measure.db", minutes(), demo=True, clock=clock, settings=Store())
    return tmp_path


def test_the_box_s_own_registers_are_billed(box):
    result = run(
        bill, "--store", "--config", box / "foyer.toml", "--from", "2025-09-01", "--to", "2025-09-04", "--json"
    )

    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["kwh"] == {"hp": 57.6, "hc": 28.8}
    assert not any("missing" in note for note in document["notes"])


def test_the_box_s_own_colours_are_used(box):
    (box / "tempo.toml").write_text('[contract]\noption = "tempo"\n', encoding="utf-8")

    result = run(
        bill, "--store", "--config", box / "foyer.toml", "--contract", box / "tempo.toml",
        "--from", "2025-09-01", "--to", "2025-09-04", "--json",
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    kwh = json.loads(result.stdout)["kwh"]
    assert kwh["red_hp"] == pytest.approx(16 * 1.2)
    assert kwh["red_hc"] == pytest.approx(8 * 1.2)
    assert sum(kwh.values()) == pytest.approx(3 * 24 * 1.2)


def test_days_before_the_box_are_a_hole(box):
    result = run(
        bill, "--store", "--config", box / "foyer.toml", "--from", "2025-08-29", "--to", "2025-09-04", "--json"
    )

    document = json.loads(result.stdout)
    assert sum(document["kwh"].values()) == pytest.approx(4 * 24 * 1.2)
    assert any("33.3 % of the period" in note for note in document["notes"])


def test_an_empty_box_is_a_sentence(tmp_path):
    (tmp_path / "foyer.toml").write_text('[paths]\nstate = "."\nrun = "."\n[contract]\n', encoding="utf-8")

    refused = run(bill, "--store", "--config", tmp_path / "foyer.toml").exception

    assert "No reading has been stored yet" in str(refused)


def test_both_commands_are_in_the_command():
    assert {"bill", "tariff"} <= set(cli.list_commands(None))
