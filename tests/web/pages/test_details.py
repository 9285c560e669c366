"""The figures of a health check, as the page names and writes them."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.linky.group import Reason
from drivers.linky.stream import Stream
from web import details


def shown(figures, language="fr"):
    return dict(details.rows(figures, language))


def test_every_figure_of_the_meter_has_a_name_in_both_languages():
    for key in {"speed", "holder", "pid", *Stream().details()}:
        assert details.LABELS[key].fr, key
        assert details.LABELS[key].en, key
    for reason in Reason:
        assert shown({"rejected": {reason.value: 3}}) != {f"Valeurs refusées : {reason.value}": "3"}, reason


def test_figures_are_written_as_people_write_them():
    assert shown({"error_rate": 0.0123}) == {"Part abîmée, 5 dernières minutes": "1,23\u202f%"}
    assert shown({"bytes": 28_344_320}, "en") == {"Size of the file": "28.3\u202fMB"}
    assert shown({"producer": True, "mode": "historic"}) == {
        "Compte l’injection": "oui",
        "Mode de la sortie TIC": "historique",
    }
    assert shown({"missing": {"pv.energy": "not implemented"}}, "en") == {"Not given : pv.energy": "not implemented"}


def test_what_is_unknown_is_left_out_and_what_has_no_name_keeps_its_own():
    assert shown({"phases": None, "novelty": 2}) == {"novelty": "2"}


figures = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
)


@given(
    st.dictionaries(st.one_of(st.text(), st.sampled_from(sorted(details.LABELS))), figures),
    st.sampled_from(["fr", "en"]),
)
def test_whatever_a_driver_says_can_be_shown(said, language):
    for name, value in details.rows(said, language):
        assert isinstance(name, str)
        assert isinstance(value, str)
