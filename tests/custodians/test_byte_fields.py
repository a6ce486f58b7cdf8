"""Fields of bytes: numbers as exact as `float`, texts told apart as `dict` tells them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.custodians import byte_fields


def fields(texts):
    """(words, starts, ends) of texts that are laid one behind the other, a comma between them."""
    data = ",".join(texts).encode() + b","
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord(","))
    starts = np.concatenate([[0], ends[:-1] + 1])
    return byte_fields.word_view(byte_fields.padded(data)), starts, ends


PLAIN = ["0", "-0", "7", "12345678", "-1.5", ".5", "-.5", "00123", "0.1", "99999999", "1234.5678"]
ODD = [
    "", "-", ".", "-.", "5.", "1.2.3", "--1", "+1", "1e5", "1,5"[:1] + "_5", "12 ", " 12", "a", "1-2",
    "/9", ":9", "123456789", "1.123456789", "99999999.99999999", "nan", "inf", "0x1", "1:", "½",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_plain_numbers(text):
    values, odd = byte_fields.numbers(*fields(["1", text, "2"]))
    assert list(odd) == []
    assert str(values[1]) == str(float(text))  # the sign of zero, too
    assert (values[0], values[2]) == (1.0, 2.0)


@pytest.mark.parametrize("text", ODD)
def test_all_else_is_left_to_others(text):
    values, odd = byte_fields.numbers(*fields(["1", text, "2"]))
    assert list(odd) == [1]
    assert np.isnan(values[1])


@given(st.lists(st.one_of(st.sampled_from(PLAIN + ODD), st.decimals(-(10**9), 10**9, places=3).map(str),
                          st.floats().map(repr), st.text("0123456789.-", max_size=18))))  # fmt: skip
def test_numbers_are_those_of_float(texts):
    values, odd = byte_fields.numbers(*fields([*texts, "1"]))
    left = set(odd.tolist())
    for row, text in enumerate(texts):
        if row not in left:
            assert str(values[row]) == str(float(text))


def test_two_decimals_are_all_plain():
    """Prices and quantities as exports write them go the fast way."""
    generator = random.Random(1)
    texts = [f"{generator.uniform(-99_999, 99_999_999):.2f}" for _ in range(5_000)]
    values, odd = byte_fields.numbers(*fields(texts))
    assert not len(odd)
    assert values.tolist() == list(map(float, texts))


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters=",\0"), max_size=40), min_size=1
    )
)
def test_distinct_texts(texts):
    view, starts, ends = fields(texts)
    found = byte_fields.distinct(view, starts, ends)
    assert found.codes.tolist() == [list(dict.fromkeys(texts)).index(text) for text in texts]
    assert [texts[row] for row in found.first.tolist()] == list(dict.fromkeys(texts))


def test_texts_that_differ_in_one_place_or_in_length():
    texts = ["a" * n for n in range(1, 40)] + ["b" + "a" * n for n in range(40)]
    texts += ["a" * n + "b" for n in range(1, 40)]
    found = byte_fields.distinct(*fields(texts))
    assert len(found.first) == len(set(texts))


def test_a_mark_that_two_texts_share_is_noticed(monkeypatch):
    monkeypatch.setattr(byte_fields, "_MIX", np.uint64(0))
    with pytest.raises(ValueError, match="same mark"):
        byte_fields.distinct(*fields(["aaaaaaaaX", "bbbbbbbbX"]))


def test_a_field_too_long():
    with pytest.raises(ValueError, match="too long"):
        byte_fields.distinct(*fields(["x" * (byte_fields.LONGEST + 1)]))
