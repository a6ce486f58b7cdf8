"""The federal figures: against sums that the tables must satisfy, and against published ones."""

from __future__ import annotations

import pytest

from xl_rebal.errors import TaxError
from xl_rebal.tax.law import YEARS, FilingStatus, law_of

ALL = [(year, status) for year in YEARS for status in FilingStatus]


@pytest.mark.parametrize(("year", "status"), ALL)
def test_tables_are_whole_and_rising(year: int, status: FilingStatus) -> None:
    law = law_of(year)
    figures = law.by_status[status]
    assert law.year == year
    assert len(figures.tops) == len(law.ordinary_rates) == 7
    assert list(figures.tops) == sorted(set(figures.tops))
    assert len(figures.long_term_tops) == len(law.long_term_rates) == 3
    assert list(figures.long_term_tops) == sorted(set(figures.long_term_tops))


@pytest.mark.parametrize("year", YEARS)
def test_statute_ties_the_statuses_together(year: int) -> None:
    law = law_of(year).by_status
    joint, single, apart = (
        law[FilingStatus.JOINT],
        law[FilingStatus.SINGLE],
        law[FilingStatus.SEPARATE],
    )
    head = law[FilingStatus.HEAD]
    # 26 USC 1(j)(2): separate brackets are half of the joint ones, and so is the deduction.
    assert [2 * top for top in apart.tops[:-1]] == list(joint.tops[:-1])
    assert 2 * apart.deduction == joint.deduction == 2 * single.deduction
    # ... single ones too, up to 32%; surviving spouses file by the joint table.
    assert [2 * top for top in single.tops[:5]] == list(joint.tops[:5])
    assert law[FilingStatus.SURVIVING] == joint
    # 26 USC 1(f)(7): heads of household are rounded to 50 dollars, filing separately to 25.
    assert all(top % 50 == 0 for top in head.tops[:-1])
    assert all(top % 25 == 0 for top in apart.tops[:-1])
    # 26 USC 1411(b) and 1211(b), unchanged since they were written.
    assert [f.niit_threshold for f in (joint, apart, single, head)] == [250e3, 125e3, 200e3, 200e3]
    assert [f.loss_limit for f in (joint, apart, single, head)] == [3000, 1500, 3000, 3000]


def test_figures_that_were_announced() -> None:
    """IRS news releases IR-2023-208, IR-2024-273 and IR-2025-103 (top of the 35% bracket)."""
    tops = {
        2024: (609_350, 731_200),
        2025: (626_350, 751_600),
        2026: (640_600, 768_700),
    }
    for year, (single, joint) in tops.items():
        law = law_of(year).by_status
        assert law[FilingStatus.SINGLE].tops[5] == single
        assert law[FilingStatus.JOINT].tops[5] == joint
    # The bracket that the brief's 24% stands for: joint, 2026, 211,400 to 403,550.
    assert law_of(2026).by_status[FilingStatus.JOINT].tops[2:4] == (211_400, 403_550)


@pytest.mark.parametrize("year", YEARS)
def test_every_figure_names_its_source(year: int) -> None:
    sources = law_of(year).sources
    assert set(sources) == {
        "brackets", "long_term", "deduction", "collectible", "niit", "loss_limit",
    }  # fmt: skip
    assert all(text.startswith(("Rev. Proc.", "26 USC")) for text in sources.values())


def test_a_year_that_is_not_known_is_never_guessed() -> None:
    with pytest.raises(TaxError, match="tax year 2031: its figures are not known; use one of 2024"):
        law_of(2031)
