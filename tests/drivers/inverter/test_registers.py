import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.inverter.registers import SIZES, Type, decode, scale_factor, scaled, signed, text, tidy, unsigned

WORDS = st.integers(0, 0xFFFF)
ABSENT = {
    Type.INT16: [0x8000],
    Type.UINT16: [0xFFFF],
    Type.ENUM16: [0xFFFF],
    Type.INT32: [0x8000, 0],
    Type.UINT32: [0xFFFF, 0xFFFF],
    Type.ACC32: [0, 0],
    Type.BITS32: [0xFFFF, 0xFFFF],
    Type.FLOAT32: [0x7FC0, 0],
    Type.UINT64: [0xFFFF] * 4,
}


@pytest.mark.parametrize("kind", list(Type))
def test_what_is_not_implemented_is_never_a_number(kind):
    assert decode(kind, ABSENT[kind]) is None


@pytest.mark.parametrize("kind", list(Type))
@pytest.mark.parametrize("positive", [True, False])
@given(data=st.data())
def test_any_registers_decode_to_a_finite_number_or_nothing(kind, positive, data):
    words = data.draw(st.lists(WORDS, min_size=SIZES[kind], max_size=SIZES[kind]))
    value = decode(kind, words, positive=positive)
    assert value is None or math.isfinite(value)
    assert value is None or not positive or value >= 0


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Type.INT16, [0xFFFF]),
        (Type.UINT16, [0x8000]),
        (Type.UINT32, [0x8000, 0]),
        (Type.ACC32, [0xFFFF, 0xFFFF]),
        (Type.FLOAT32, [0xFF7F, 0xFFFF]),
        (Type.FLOAT32, [0xFFC0, 0]),
        (Type.FLOAT32, [0x7F80, 0]),
        (Type.BITS32, [0x8000, 1]),
    ],
)
def test_marks_of_the_wrong_type_are_known_too(kind, words):
    assert decode(kind, words, positive=True) is None


def test_negative_numbers_are_read_where_they_may_stand():
    assert decode(Type.INT16, [0xFFFE]) == -2
    assert decode(Type.INT32, [0xFFFF, 0xFFFE]) == -2


@given(st.integers(-32768, 32767))
def test_sixteen_bits_keep_their_sign(number):
    assert signed([number & 0xFFFF]) == number
    assert unsigned([number & 0xFFFF]) == number & 0xFFFF


@given(WORDS)
def test_a_scale_factor_is_small_or_nothing(word):
    factor = scale_factor(word)
    assert factor is None or -10 <= factor <= 10


def test_without_a_scale_there_is_no_value():
    assert scale_factor(0x8000) is None
    assert scaled(108, None) is None
    assert scaled(108, 1) == 1080
    assert scaled(23410, -2) == 234.10


@given(st.integers(-(2**32), 2**32), st.integers(-10, 10))
def test_scaling_rounds_no_worse_than_a_float_must(raw, factor):
    assert scaled(raw, factor) == float(f"{raw}e{factor}")


def test_whole_numbers_lose_their_fraction():
    assert repr(tidy(3120.0)) == "3120"
    assert tidy(3120.4000244140625) == 3120.4


@given(st.lists(WORDS, max_size=16))
def test_any_registers_make_clean_text_or_none(words):
    line = text(words)
    assert line is None or (line == line.strip() and line.isprintable() and line)


def test_text_is_cut_at_the_first_nul_and_trimmed():
    assert text([0x4142, 0x2000, 0x4344]) == "AB"
    assert text([0, 0x4142]) is None
    assert text([0x4FE9]) == "Oé"
