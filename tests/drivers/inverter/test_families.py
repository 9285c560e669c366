import re

import pytest

from drivers.inverter.chain import UNITS
from drivers.inverter.families import choose, families
from gateway.errors import Misconfigured
from gateway.signals import find


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_a_family_offers_signals_that_exist_in_both_languages(family):
    assert family.signals
    for name in family.signals:
        assert find(name.replace("<n>", "1")) is not None
    for words in (family.label, family.note, *(brand.note for brand in family.brands)):
        assert words.fr
        assert words.en
        assert not re.search(r"[^\W\d_]'[^\W\d_]", words.fr)  # French takes the curved apostrophe
    assert all(1 <= brand.port <= 65535 for brand in family.brands)


def test_every_unit_that_a_sunspec_brand_uses_is_looked_for():
    assert {brand.unit for brand in choose("sunspec").brands} <= set(UNITS)


def test_auto_is_sunspec_and_an_unknown_model_is_refused_with_the_list():
    assert choose("auto") == choose("sunspec")
    with pytest.raises(Misconfigured) as caught:
        choose("steam")
    assert "auto, " in caught.value.say("fr")
