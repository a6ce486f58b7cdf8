"""Policies from text: every form that the design names, and a second, plain reading of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_rebal.errors import PolicyError
from xl_rebal.portfolio.policies import (
    Always,
    Band,
    Calendar,
    Combined,
    Destination,
    EveryDays,
    Frequency,
    Goal,
    Never,
    OwnBands,
    Policy,
    Trigger,
)
from xl_rebal.portfolio.policy_text import parse_policy, policy_from_rows

POINTS = Band(absolute=0.05)
SWEDROE = Band(absolute=0.05, relative=0.25)

# DESIGN sections 4 and 5, and the words that the brief uses for the same rules.
TRIGGERS: list[tuple[str, Trigger, str]] = [
    ("5pp", POINTS, "reaches 5 percentage points"),
    ("5%", POINTS, "reaches 5 percentage points"),  # DESIGN: "5%" means points unless it says relative
    ("5 % abs", POINTS, "reaches 5 percentage points"),
    ("+/-5pp", POINTS, "reaches 5 percentage points"),
    ("±5%", POINTS, "reaches 5 percentage points"),
    ("500bp", POINTS, "reaches 5 percentage points"),
    ("0.05", POINTS, "reaches 5 percentage points"),
    ("5 percentage points", POINTS, "reaches 5 percentage points"),
    ("1pp", Band(absolute=0.01), "reaches 1 percentage point"),
    ("2.5pp", Band(absolute=0.025), "reaches 2.5 percentage points"),
    ("20%rel", Band(relative=0.2), "reaches 20% of the target"),
    ("20% relative", Band(relative=0.2), "reaches 20% of the target"),
    ("20% of target", Band(relative=0.2), "reaches 20% of the target"),
    ("10% of target weight", Band(relative=0.1), "reaches 10% of the target"),  # S077
    ("5/25", SWEDROE, "the smaller of 5 percentage points and 25% of the target"),
    ("5/25 rule", SWEDROE, "the smaller of 5 percentage points and 25% of the target"),
    (
        "smaller of 5pp and 25%rel",
        SWEDROE,
        "the smaller of 5 percentage points and 25% of the target",
    ),
    (
        "the larger of 20%rel and 3pp",
        Band(absolute=0.03, relative=0.2, larger=True),
        "the larger of 3 percentage points and 20% of the target",
    ),
    ("own bands", OwnBands(), "its own band from the targets table"),
    ("per class", OwnBands(), "its own band from the targets table"),
    (
        "quarterly or 5pp",
        Combined(operator="or", parts=(Calendar(frequency=Frequency.QUARTERLY), POINTS)),
        "on the last trading day of each quarter, or when a class's drift reaches 5 percentage points",
    ),
    (
        "annual and 5pp",
        Combined(operator="and", parts=(Calendar(frequency=Frequency.ANNUAL), POINTS)),
        "only on the last trading day of each year and when a class's drift reaches 5 percentage points",
    ),
    (
        "monthly on first day",
        Calendar(frequency=Frequency.MONTHLY, first_day=True),
        "on the first trading day of each month",
    ),
    ("yearly", Calendar(frequency=Frequency.ANNUAL), "on the last trading day of each year"),
    ("semi-annual", Calendar(frequency=Frequency.SEMIANNUAL), "each half-year"),
    ("weekly on last day", Calendar(frequency=Frequency.WEEKLY), "last trading day of each week"),
    ("daily", Calendar(frequency=Frequency.DAILY), "every trading day"),
    ("every 10 days", EveryDays(days=10), "every 10 trading days"),
    ("every 10 trading days", EveryDays(days=10), "every 10 trading days"),
    ("never", Never(), "Never rebalance"),
    ("buy and hold", Never(), "Never rebalance"),
    ("now", Always(), "now, whatever the drift"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "trigger", "words"), TRIGGERS, ids=[t[0] for t in TRIGGERS])
def test_every_trigger_of_the_design_is_read_and_echoed(
    text: str, trigger: Trigger, words: str
) -> None:
    policy = parse_policy(text)
    assert policy == Policy(trigger=trigger)
    assert words in policy.in_words()
    assert parse_policy(f"  {text.upper()} ") == policy


@pytest.mark.parametrize(
    ("text", "destination", "words"),
    [
        ("", Destination(), "back to target"),
        ("to target", Destination(), "back to target"),
        ("to halfway", Destination(goal=Goal.HALFWAY), "halfway from the current weight"),
        ("to edge", Destination(goal=Goal.EDGE), "to just inside the band"),
        ("back to the edge", Destination(goal=Goal.EDGE), "to just inside the band"),
        (
            "to 50% of band",
            Destination(goal=Goal.INNER, share=0.5),
            "to 50% of the band's width from target",
        ),
        (
            "to 25 % of the band",
            Destination(goal=Goal.INNER, share=0.25),
            "to 25% of the band's width from target",
        ),
    ],
)
@pytest.mark.parametrize("edge", ["", "beyond", "reached"])
@pytest.mark.parametrize("scope", ["", "breached only"])
def test_edge_destination_and_scope_follow_the_trigger(
    text: str, destination: Destination, words: str, edge: str, scope: str
) -> None:
    policy = parse_policy(f"quarterly or 5pp {edge} {text} {scope}")
    assert policy.destination == destination
    assert policy.beyond is (edge == "beyond")
    assert policy.breached_only is bool(scope)
    said = policy.in_words()
    assert words in said
    assert ("goes beyond" in said) is policy.beyond
    assert ("only the classes outside their band" in said) is policy.breached_only


def test_daryananis_rule() -> None:
    # DESIGN: 20% relative, looked at every 10 trading days, only breached classes, half the band.
    policy = parse_policy("every 10 days and 20%rel to 50% of band breached only")
    assert policy == Policy(
        trigger=Combined(operator="and", parts=(EveryDays(days=10), Band(relative=0.2))),
        destination=Destination(goal=Goal.INNER, share=0.5),
        breached_only=True,
    )


def test_and_binds_tighter_than_or() -> None:
    both = Combined(operator="and", parts=(Calendar(frequency=Frequency.ANNUAL), POINTS))
    wide = Band(absolute=0.1)
    assert parse_policy("annual and 5pp or 10pp").trigger == Combined(
        operator="or", parts=(both, wide)
    )
    assert parse_policy("10pp or annual and 5pp").trigger == Combined(
        operator="or", parts=(wide, both)
    )


def test_a_pair_of_bands_keeps_its_own_and() -> None:
    assert parse_policy("quarterly and smaller of 5pp and 25%rel").trigger == Combined(
        operator="and", parts=(Calendar(frequency=Frequency.QUARTERLY), SWEDROE)
    )
    assert parse_policy("smaller of 5pp and 25%rel or annual").trigger == Combined(
        operator="or", parts=(SWEDROE, Calendar(frequency=Frequency.ANNUAL))
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the policy is blank"),
        ("   ", "the policy is blank"),
        ("5", "5 has no unit (5pp is points of weight, 5%rel is of the target)"),
        ("1", "1 has no unit"),
        ("25 or annual", "25 has no unit"),
        ("5xx", "'5xx' is not understood"),
        ("five pp", "is not understood"),
        ("fortnightly", "is not understood"),
        ("quarterly 5pp", "is not understood"),
        ("quarterly or", "is not understood"),
        ("or 5pp", "is not understood"),
        ("5pp and", "is not understood"),
        ("to edge", "it names no trigger"),
        ("beyond", "it names no trigger"),
        ("5pp to edge to target", "it names two destinations"),
        ("5pp reached beyond", "it says both reached and beyond"),
        ("5pp to 100% of band", "100% of the band is not inside it"),
        ("5pp to 0% of band", "0% of the band is not inside it"),
        ("every 0 days", "an interval needs at least one day"),
        ("120pp", "a band of 1.2 is outside 0 to 1"),
        ("100%rel", "a band of 1.0 is outside 0 to 1"),
        ("-5pp", "is not understood"),
        ("nanpp", "is not understood"),
        ("smaller of 5pp and 3pp", "needs one absolute and one relative band"),
        ("0.05/0.25", "0.25% of the target (the rule is written in percent, as in 5/25)"),
    ],
)
def test_what_is_refused_names_the_part_and_the_remedy(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert message in str(caught.value)
    assert "write for example: 5pp, 20%rel, 5/25" in caught.value.faults[0].remedy


@pytest.mark.parametrize(
    "text", ["annual to edge", "now to 50% of band", "every 5 days breached only", "never to edge"]
)
def test_words_about_a_band_need_a_band(text: str) -> None:
    # It would never trade: nothing is ever outside a band that is not there.
    with pytest.raises(PolicyError, match="names no band"):
        parse_policy(text)


# A policy as a tree, written as text by a grammar of its own; reading it back must give the tree.
_LEAVES: st.SearchStrategy[tuple[str, Trigger]] = st.one_of(
    st.integers(1, 9900).map(lambda n: (f"{n / 100:g}pp", Band(absolute=round(n / 1e4, 15)))),
    st.integers(1, 99).map(lambda n: (f"{n}%rel", Band(relative=n / 100))),
    st.tuples(st.integers(1, 20), st.integers(1, 99)).map(
        lambda p: (f"{p[0]}/{p[1]}", Band(absolute=p[0] / 100, relative=p[1] / 100))
    ),
    st.sampled_from([f for f in Frequency if f is not Frequency.DAILY]).flatmap(
        lambda f: st.booleans().map(
            lambda first: (
                f.value + (" on first day" if first else ""),
                Calendar(frequency=f, first_day=first),
            )
        )
    ),
    st.integers(2, 250).map(lambda n: (f"every {n} days", EveryDays(days=n))),
)


def _joined(word: str) -> st.SearchStrategy[tuple[str, Trigger]]:
    inner = _LEAVES if word == "and" else st.one_of(_LEAVES, _joined("and"))
    return st.lists(inner, min_size=2, max_size=3).map(
        lambda parts: (
            f" {word} ".join(text for text, _ in parts),
            Combined(operator=word, parts=tuple(t for _, t in parts)),  # type: ignore[arg-type]  # a drawn word
        )
    )


_TREES = st.one_of(_LEAVES, _joined("and"), _joined("or"))
_ENDS = st.sampled_from(["", "to halfway", "to edge", "to 30% of band", "to target"])


@given(_TREES, _ENDS, st.booleans(), st.booleans())
def test_a_written_policy_is_read_back_as_it_was_meant(
    tree: tuple[str, Trigger], end: str, beyond: bool, breached: bool
) -> None:
    text = f"{tree[0]} {'beyond' if beyond else ''} {end} {'breached only' if breached else ''}"
    if (breached or "edge" in end or "band" in end) and not Policy(trigger=tree[1]).has_band:
        with pytest.raises(PolicyError, match="names no band"):
            parse_policy(text)
        return
    policy = parse_policy(text)
    assert policy.trigger == tree[1]
    assert (policy.beyond, policy.breached_only) == (beyond, breached)
    assert policy.in_words() == parse_policy(text).in_words()


@given(_TREES, _TREES)
def test_different_rules_are_echoed_differently(
    one: tuple[str, Trigger], two: tuple[str, Trigger]
) -> None:
    first, second = parse_policy(one[0]), parse_policy(two[0])
    assert (first == second) == (first.in_words() == second.in_words())


@given(st.text(max_size=40))
def test_any_text_is_a_policy_or_one_clear_refusal(text: str) -> None:
    try:
        policy = parse_policy(text)
    except PolicyError:
        return
    assert policy.in_words().endswith(".")


def test_a_policy_table_says_the_same_as_a_text() -> None:
    table: list[list[str | None]] = [
        ["Setting", "Value"],
        ["Trigger", "quarterly or 5pp"],
        ["Edge", "beyond"],
        ["Destination", "50% of band"],
        ["Scope", "breached only"],
        [None, ""],
    ]
    before = [list(row) for row in table]
    text = "quarterly or 5pp beyond to 50% of band breached only"
    assert policy_from_rows(table) == parse_policy(text)
    assert policy_from_rows([["5/25"]]) == parse_policy("5/25")
    assert policy_from_rows([["policy", "5pp"], ["scope", "all classes"]]) == parse_policy("5pp")
    assert table == before


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], "has no row 'trigger'"),
        ([["destination", "edge"]], "has no row 'trigger'"),
        ([["trigger", "5pp"], ["colour", "red"]], "has no setting 'colour'"),
        ([["trigger"], ["scope", "x"]], "setting 'trigger' needs one value"),
        ([["trigger", "5pp"], ["destination", "moon"]], "is not understood"),
        ([["trigger", "5pp"], ["scope", "breeched"]], "scope 'breeched' is not known"),
        ([["trigger", "5pp"], ["edge", "byond"]], "edge 'byond' is not known"),
        ([["trigger", "5pp"], ["trigger", "3pp"]], "setting 'trigger' stands twice"),
    ],
)
def test_a_policy_table_that_is_wrong(table: list[list[str]], message: str) -> None:
    with pytest.raises(PolicyError, match="policy") as caught:
        policy_from_rows(table)
    assert message in str(caught.value)
