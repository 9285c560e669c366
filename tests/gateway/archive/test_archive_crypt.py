"""What is encrypted opens with the phrase, with the `age` of others too; with anything else changed it does not."""

import io
import re

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.archive import crypt
from gateway.archive.crypt import Damaged, Decrypter, Encrypter, WrongPhrase
from gateway.errors import FoyerError

LIGHT = 4  # the work factor of tests
CHUNK = 64 * 1024


def sealed(clear, phrase="sept tasses bleues", work=LIGHT, piece=10_000):
    out = io.BytesIO()
    with Encrypter(out, phrase, work) as target:
        for at in range(0, len(clear), piece):
            target.write(clear[at : at + piece])
    return out.getvalue()


def opened(data, phrase="sept tasses bleues"):
    with io.BufferedReader(Decrypter(io.BytesIO(data), phrase)) as source:
        return source.read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_every_length_comes_back(size):
    clear = bytes(n * 31 % 251 for n in range(size))
    assert opened(sealed(clear)) == clear


@settings(max_examples=60, deadline=None)
@given(clear=st.binary(max_size=300), phrase=st.text(min_size=1, max_size=30), piece=st.integers(1, 400))
def test_any_bytes_come_back_with_any_phrase(clear, phrase, piece):
    assert opened(sealed(clear, phrase, piece=piece), phrase) == clear


@pytest.mark.parametrize("size", [0, 5, CHUNK, 2 * CHUNK + 3])
def test_another_implementation_of_age_reads_it(size):
    clear = bytes(n % 256 for n in range(size))
    assert pyrage.passphrase.decrypt(sealed(clear, "une phrase à nous"), "une phrase à nous") == clear


def test_what_another_implementation_of_age_made_is_read(monkeypatch):
    monkeypatch.setattr(crypt, "_MOST_WORK", 22)  # it takes as much work as this machine does in a second
    clear = b"abc" * CHUNK
    assert opened(pyrage.passphrase.encrypt(clear, "trois mots"), "trois mots") == clear


def test_a_wrong_phrase_is_told_from_a_damaged_file():
    data = sealed(b"hello")
    with pytest.raises(WrongPhrase):
        opened(data, "sept tasses vertes")
    with pytest.raises(Damaged):
        opened(data[:-1])


def test_accents_composed_otherwise_are_the_same_phrase():
    assert opened(sealed(b"x", "e\u0301te\u0301"), "\u00e9t\u00e9") == b"x"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_bit_and_no_missing_end_goes_unseen(data):
    clear = b"0123456789" * 20
    good = sealed(clear)
    cut = data.draw(st.booleans())
    place = data.draw(st.integers(0, len(good) - 1))
    bad = (
        good[:place]
        if cut
        else good[:place] + bytes([good[place] ^ 1 << data.draw(st.integers(0, 7))]) + good[place + 1 :]
    )
    with pytest.raises(FoyerError):
        opened(bad)


def test_chunks_left_out_or_swapped_are_seen():
    good = sealed(bytes(4 * CHUNK))
    start = len(good) - 4 * (CHUNK + 16)
    chunks = [good[start + n * (CHUNK + 16) :][: CHUNK + 16] for n in range(4)]
    for order in ([0, 1, 2], [1, 0, 2, 3], [0, 2, 3], [0, 1, 2, 3, 3]):
        with pytest.raises(Damaged):
            opened(good[:start] + b"".join(chunks[n] for n in order))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: crypt.MAGIC + rest))
def test_anything_else_is_refused_in_one_sentence(data):
    with pytest.raises(FoyerError):
        opened(data)


def test_a_file_that_asks_for_too_much_memory_is_refused():
    greedy = re.sub(rb" 4\n", b" 30\n", sealed(b"x"), count=1)
    with pytest.raises(FoyerError, match="memory"):
        opened(greedy)
