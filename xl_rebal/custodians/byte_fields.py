"""Many fields of a file's bytes at once: their texts, each distinct one decoded once, and their numbers.

A field is data[starts[i]:ends[i]]; the data must be followed by PADDING zeros. Fields are taken in words of
eight bytes (the first byte is the lowest), so that a million of them take some hundredths of a second.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LONGEST = 1024  # bytes of a field
PADDING = LONGEST + 16
Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
WordsOf8 = NDArray[np.uint64]
_EXACT = (
    2**53
)  # whole numbers up to it, and powers of ten up to 10^22, are exact: their quotient is as float's
_TENS = 10.0 ** np.arange(9)
_WHOLE_TENS = 10 ** np.arange(9, dtype=np.int64)
_MIX = np.uint64(0x9E3779B97F4A7C15)
# The lowest n bytes of a word; digits 0 in the lowest n bytes.
KEEP = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)
_ZEROS = np.array([0x3030303030303030 & ((1 << (8 * n)) - 1) for n in range(9)], dtype=np.uint64)
_NOT_DIGITS = np.uint64(0xF0F0F0F0F0F0F0F0)
_ALL_ZEROS = np.uint64(0x3030303030303030)
_TO_CARRY = np.uint64(0x0606060606060606)


def _u(number: int) -> np.uint64:
    return np.uint64(number)


def padded(data: bytes) -> Bytes:
    """The bytes with the zeros that must follow them."""
    return np.frombuffer(data + bytes(PADDING), dtype=np.uint8)


def word_view(data: Bytes) -> WordsOf8:
    """The word that begins at each byte, without a copy."""
    words = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))
    return words if sys.byteorder == "little" else words.astype(np.uint64)


def pair_view(data: Bytes) -> NDArray[np.uint16]:
    """The two bytes that begin at each byte, the first the lower, without a copy."""
    pairs = np.ndarray(shape=(len(data) - 1,), dtype="<u2", buffer=data, strides=(1,))
    return pairs if sys.byteorder == "little" else pairs.astype(np.uint16)


def word(view: WordsOf8, starts: Places, lengths: NDArray[np.int64]) -> WordsOf8:
    """(n,) the first eight bytes of each field, zeros behind its end."""
    return view[starts] & KEEP[np.clip(lengths, 0, 8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """Which fields are the same: field i is the same as field first[codes[i]]."""

    first: NDArray[np.intp]
    codes: NDArray[np.intp]


def distinct(view: WordsOf8, starts: Places, ends: Places) -> Distinct:
    """The fields (n,) by their bytes, none of which is zero; raises ValueError for one that is too long."""
    lengths = ends - starts
    most = int(lengths.max(initial=0))
    if most > LONGEST:
        raise ValueError("a field is too long")
    marks = word(view, starts, lengths)
    steps = range(8, most, 8)
    for at in steps:
        marks = (marks ^ (marks >> _u(29))) * _MIX + word(view, starts + at, lengths - at)
    codes, uniques = pd.factorize(marks)
    first = np.empty(len(uniques), dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    if steps:  # two texts of one mark would be taken for the same: only a comparison proves it
        same = starts[first][codes]
        length = lengths[first][codes]
        for at in (0, *steps):
            mine = word(view, starts + at, lengths - at)
            if (mine != word(view, same + at, length - at)).any():
                raise ValueError("two fields have the same mark")
    return Distinct(first=first, codes=codes)


def whole_numbers(
    view: WordsOf8, starts: Places, lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(values (n,), which of them are 1 to 8 digits); a length of 0 gives 0 and False."""
    fits = (lengths >= 1) & (lengths <= 8)
    short = np.where(fits, lengths, 0)
    blank = 8 - short
    # Digits to the high end, zeros below: then neighbours are joined, two, four and eight at a time.
    digits = ((view[starts] & KEEP[short]) << (blank * 8 % 64).astype(np.uint64)) | _ZEROS[blank]
    digits[short == 0] = _ALL_ZEROS
    fits &= ((digits & _NOT_DIGITS) | (((digits + _TO_CARRY) & _NOT_DIGITS) >> _u(4))) == (
        _u(0x3333333333333333)
    )
    digits = digits - _ALL_ZEROS
    digits = digits * _u(10) + (digits >> _u(8))
    low, high = _u(0x000000FF000000FF), _u(16)
    value = (
        (digits & low) * _u(0x000F424000000064) + ((digits >> high) & low) * _u(0x0000271000000001)
    ) >> _u(32)
    return value.astype(np.int64), fits


def numbers(view: WordsOf8, starts: Places, ends: Places) -> tuple[NDArray[np.float64], Places]:
    """(values (n,), rows that are not written plainly): `12`, `-1.50`; the value of those is NaN.

    As exact as `float`: up to eight digits before the point and behind it make a whole number below
    2^53, and its quotient by a power of ten is rounded once.
    """
    first = view[starts]
    minus = (first & _u(0xFF)) == _u(ord("-"))
    starts = starts + minus
    lengths = ends - starts
    point = np.full(len(starts), -1, dtype=np.int64)
    most = min(int(lengths.max(initial=0)), 9)
    words = view[starts]
    for at in range(most):
        sign = view[starts + 8] & _u(0xFF) if at == 8 else (words >> _u(8 * at)) & _u(0xFF)
        found = (sign == _u(ord("."))) & (point < 0)
        point[found] = at
    point[point >= lengths] = -1
    has = point >= 0
    before = np.where(has, point, lengths)
    behind = np.where(has, lengths - point - 1, 0)
    whole, good = whole_numbers(view, starts, before)
    good |= has & (before == 0) & (behind > 0)
    if has.any():
        part, fits = whole_numbers(view, starts + before + 1, behind)
        good &= fits | ~has
        behind = np.clip(behind, 0, 8)
        mantissa = whole * _WHOLE_TENS[behind] + np.where(has, part, 0)
    else:
        mantissa = whole
    good &= mantissa <= _EXACT
    result = mantissa / _TENS[behind]
    values = np.where(good, np.where(minus, -result, result), np.nan)
    return values, np.flatnonzero(~good)
