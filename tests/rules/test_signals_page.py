"""The page of signals says what the registry says. `python tests/rules/test_signals_page.py` brings it up to date."""

from pathlib import Path

from gateway.signals import SIGNALS, TARIFF_INDEXES, Signal, find

PAGE = Path(__file__).parents[2] / "docs/developers/signals.md"
BEGIN, END = "<!-- table of gateway/signals.py: begin -->", "<!-- end -->"


def _number(value):
    return "" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def _row(signal: Signal, name=None):
    bounds = f"{_number(signal.low)} … {_number(signal.high)}" if signal.high is not None else ""
    cells = (
        f"`{name or signal.name}`",
        signal.unit,
        signal.kind.value,
        bounds,
        f"{signal.period_s:g}",
        signal.label.fr,
    )
    return "| " + " | ".join((*cells, signal.label.en)) + " |"


def table():
    """Return the page's generated part."""
    head = "| signal | unit | kind | bounds | period, s | French | English |\n|---|---|---|---|---|---|---|"
    families = (
        (find("pv.dc.power.1"), "pv.dc.power.<n>"),
        (find("grid.import.energy.base"), "grid.import.energy.<index>"),
    )
    rows = [_row(signal) for signal in SIGNALS.values()] + [_row(one, name) for one, name in families]
    indexes = [f"| `{index}` | {label.fr} | {label.en} |" for index, label in TARIFF_INDEXES.items()]
    title = "The `<index>` of `grid.import.energy.<index>`:"
    return "\n".join([head, *rows, "", title, "", "| index | French | English |", "|---|---|---|", *indexes])


def page_with_table(page):
    """Return `page` with its generated part made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def test_every_signal_is_on_the_page_as_the_registry_has_it():
    page = PAGE.read_text(encoding="utf-8")

    assert page == page_with_table(page), f"run: python {Path(__file__).relative_to(PAGE.parents[2])}"


def test_a_signal_left_out_would_be_seen():
    page = PAGE.read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `pv.power` |"))
    without = page.replace(row + "\n", "")

    assert without != page_with_table(without)


if __name__ == "__main__":
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
