"""Sheet Taxes of a client: what the plan realises, what it owes for it, and what it leaves alone."""

from __future__ import annotations

import math

from xl_rebal.household.plan import ReturnResult
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.cells import Content
from xl_rebal.workbooks.client_columns import heights, money_width, serial, text_width
from xl_rebal.workbooks.client_figures import ClientFigures
from xl_rebal.workbooks.layout import (
    Block,
    Field,
    Holds,
    Line,
    SheetContents,
    SheetLayout,
    Spot,
    TableContents,
    blank_row,
    table_of,
)
from xl_rebal.workbooks.styles import number

WORDS_WIDTH, WAY_WIDTH = 46, 36
_NUMBER, _OPTIONAL, _TEXT = Holds.NUMBER, Holds.OPTIONAL, Holds.TEXT
_MONEY = number(styles.MONEY)
_TAX = "[@[Federal income tax]]+[@[Investment income tax]]+[@State]"

RETURNS = Block(
    name="tblReturns",
    fields=(
        Field(header="Tax return", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Short-term gain", look=_MONEY, holds=_NUMBER),
        Field(header="Long-term gain", look=_MONEY, holds=_NUMBER),
        Field(header="Collectibles", look=_MONEY, holds=_NUMBER),
        Field(header="Section 1256", look=_MONEY, holds=_NUMBER),
        Field(header="Federal income tax", look=_MONEY, holds=_NUMBER),
        Field(header="Investment income tax", look=_MONEY, holds=_NUMBER),
        Field(header="State", look=_MONEY, holds=_NUMBER),
        Field(header="Tax added", look=_MONEY, holds=_NUMBER, formula=_TAX),
        Field(header="Loss carried on", look=_MONEY, holds=_NUMBER),
        Field(header="Profile", look=styles.BODY_WRAP, holds=_TEXT),
    ),
    filters=False,
    negative=("Short-term gain", "Long-term gain"),
)
SALES = Block(
    name="tblSales",
    fields=(
        Field(header="Account", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Symbol", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Lot", look=styles.BODY_TEXT, holds=_TEXT),
        Field(header="Acquired", look=number(styles.DATE), holds=_OPTIONAL),
        Field(header="Units sold", look=number(styles.QUANTITY), holds=_OPTIONAL),
        Field(header="Proceeds", look=_MONEY, holds=_NUMBER),
        Field(header="Basis", look=_MONEY, holds=_NUMBER),
        Field(header="Gain", look=_MONEY, holds=_NUMBER, formula="[@Proceeds]-[@Basis]"),
        Field(header="Term", look=styles.BODY_STATUS, holds=_TEXT),
        Field(header="Tax of the lot", look=_MONEY, holds=_OPTIONAL),
        Field(header="Why this lot", look=styles.BODY_WRAP, holds=_TEXT),
    ),
    negative=("Gain",),
    whole=("Units sold",),
)
WAYS = Block(
    name="tblWays",
    fields=(
        Field(header="Way to rebalance", look=styles.BODY_WRAP, holds=_TEXT),
        Field(header="Tax this year", look=_MONEY, holds=_OPTIONAL),
        Field(header="Gain left untaxed", look=_MONEY, holds=_OPTIONAL),
        Field(header="Loss carried on", look=_MONEY, holds=_OPTIONAL),
        Field(header="Drift left", look=number(styles.PERCENT), holds=_OPTIONAL),
        Field(header="Costs", look=_MONEY, holds=_OPTIONAL),
    ),
    filters=False,
)
_CARDS = (
    (2, 3, "Net gain realised", "gain", "SUM(tblSales[Gain])"),
    (4, 5, "Tax added this year", "tax", "SUM(tblReturns[Tax added])"),
    (6, 7, "Gain left untaxed in taxable accounts", "left", "SUM(tblLots[Gain left])"),
    (8, 9, "Losses carried to next year", "carried", "SUM(tblReturns[Loss carried on])"),
)
NOTE_LINES = 8


def _heading(words: str) -> Line:
    return Line(spots=(Spot(column=1, look=styles.HEADING, content=words),), height=20)


LAYOUT = SheetLayout(
    title="Taxes",
    tab_colour=styles.ACCENT_LIGHT,
    items=(
        Line(spots=(Spot(column=1, look=styles.TITLE, content="Taxes"),), height=28),
        Line(
            spots=(
                Spot(
                    column=1,
                    look=styles.SUBTITLE,
                    content="An estimate from the lots and tax profiles of the book; not tax advice. "
                    "Gains are before any loss is disallowed; negative tax is tax saved. The tax of a lot is "
                    "what it adds to that of all others.",
                ),
            ),
            height=16,
        ),
        Line(spots=(Spot(column=1, look=styles.STRONG, slot="state"),), height=18),
        Line(
            spots=tuple(
                Spot(column=a, last=b, look=styles.CARD_LABEL, content=words)
                for a, b, words, _, _ in _CARDS
            ),
            height=16,
        ),
        Line(
            spots=tuple(
                Spot(column=a, last=b, look=styles.CARD_MONEY, slot=slot, formula=formula)
                for a, b, _, slot, formula in _CARDS
            ),
            height=24,
        ),
        Line(),
        _heading("By tax return"),
        RETURNS,
        Line(),
        _heading("Lots that are sold"),
        SALES,
        Line(),
        _heading("Other ways to get there"),
        WAYS,
        Line(),
        _heading("Wash sales and notes"),
        *(
            Line(spots=(Spot(column=1, look=styles.WORD_LINE, slot=f"note {no}"),), height=15)
            for no in range(1, NOTE_LINES + 1)
        ),
    ),
    frozen=(0, 3),
    last_column=SALES.last_column,
)


def contents(figures: ClientFigures) -> SheetContents:
    """What the sheet holds."""
    pages = figures.pages
    sales, returns = pages.lot_sales, pages.tax_returns
    slots: dict[str, Content] = {
        "state": tax_state(figures),
        "gain": math.fsum(s.proceeds - s.basis for s in sales),
        "tax": math.fsum(r.added.total for r in returns),
        "left": figures.gain_left,
        "carried": math.fsum(_carried(r) for r in returns),
    }
    notes = _notes(figures)
    for no in range(1, NOTE_LINES + 1):
        slots[f"note {no}"] = notes[no - 1] if no <= len(notes) else ""
    money = money_width([s.proceeds for s in sales], 15)
    first = [s.account for s in sales] + [r.tax_return for r in returns]
    widths = (
        text_width(first, WAY_WIDTH, 42),
        *(max(money, 16.0),) * 9,
        WORDS_WIDTH,
    )
    return SheetContents(
        slots=slots,
        tables=(_returns(figures), _sales(figures), _ways(figures)),
        widths=widths,
    )


def tax_state(figures: ClientFigures) -> str:
    """What the taxes rest on, in one sentence."""
    pages = figures.pages
    if not any(figures.is_taxed(line.account.account) for line in figures.accounts):
        return "No account of this client is taxed on its gains."
    if not len(pages.lots):
        return (
            "No lots are known: what this plan realises, and what it owes for it, cannot be said."
        )
    if not pages.trades:
        return "The plan trades nothing and realises nothing."
    if not pages.tax_returns:
        if pages.lot_sales:
            return (
                "No tax profile is known: gains are shown, and the tax on them is not worked out."
            )
        return "The plan sells no lots of taxable accounts."
    return "Worked out by tax return, from the lots below and the tax profiles of the book."


def _carried(result: ReturnResult) -> float:
    netted = result.added.netted
    return float(netted.carry_short + netted.carry_long)


def _returns(figures: ClientFigures) -> TableContents:
    found = figures.pages.tax_returns
    if not found:
        return blank_row(RETURNS, {"Profile": "no tax is worked out"})
    profiles = [_profile_words(figures, each.tax_return) for each in found]
    return table_of(
        RETURNS,
        {
            "Tax return": [each.tax_return or "(one return)" for each in found],
            "Short-term gain": [each.gains.short for each in found],
            "Long-term gain": [each.gains.long for each in found],
            "Collectibles": [each.gains.collectible for each in found],
            "Section 1256": [each.gains.section_1256 for each in found],
            "Federal income tax": [each.added.income for each in found],
            "Investment income tax": [each.added.niit for each in found],
            "State": [each.added.state for each in found],
            "Tax added": [each.added.total for each in found],
            "Loss carried on": [_carried(each) for each in found],
            "Profile": profiles,
        },
        heights((profiles, WORDS_WIDTH)),
    )


def _profile_words(figures: ClientFigures, tax_return: str) -> str:
    names = {
        line.account.tax_profile
        for line in figures.accounts
        if line.account.tax_return == tax_return and line.account.tax_profile
    }
    found = [
        figures.pages.profiles[name] for name in sorted(names) if name in figures.pages.profiles
    ]
    if not found and len(figures.pages.profiles) == 1:
        found = list(figures.pages.profiles.values())
    return "; ".join(each.in_words() for each in found)


def _sales(figures: ClientFigures) -> TableContents:
    found = figures.pages.lot_sales
    if not found:
        return blank_row(SALES, {"Why this lot": "no lots are sold"})
    reasons = [each.because for each in found]
    known = bool(figures.pages.tax_returns)
    return table_of(
        SALES,
        {
            "Account": [each.account for each in found],
            "Symbol": [each.symbol for each in found],
            "Lot": [each.lot_id for each in found],
            "Acquired": [serial(each.acquired) for each in found],
            "Units sold": [each.quantity for each in found],
            "Proceeds": [each.proceeds for each in found],
            "Basis": [each.basis for each in found],
            "Gain": [each.proceeds - each.basis for each in found],
            "Term": [each.term for each in found],
            "Tax of the lot": [each.tax if known else None for each in found],
            "Why this lot": reasons,
        },
        heights((reasons, WORDS_WIDTH)),
    )


def _ways(figures: ClientFigures) -> TableContents:
    plan = figures.pages.together
    found = plan.comparison if plan is not None else ()
    if not found:
        return blank_row(WAYS, {"Way to rebalance": "not compared"})
    words = [each.in_words for each in found]
    return table_of(
        WAYS,
        {
            "Way to rebalance": words,
            "Tax this year": [each.tax_now for each in found],
            "Gain left untaxed": [each.deferred for each in found],
            "Loss carried on": [each.loss_left for each in found],
            "Drift left": [each.drift for each in found],
            "Costs": [round(each.cost, 6) for each in found],
        },
        heights((words, WAY_WIDTH)),
    )


def _notes(figures: ClientFigures) -> list[str]:
    """Wash sales first, then what the plan says itself; the last line says how many there are more."""
    pages = figures.pages
    own = pages.together.notes if pages.together is not None else ()
    found = list(dict.fromkeys((*pages.washes, *pages.notes, *own)))
    found += dict.fromkeys(
        f"{plan.account}: {note}" for plan in pages.plans for note in (*plan.notes, *plan.remarks)
    )
    if len(found) > NOTE_LINES:
        more = len(found) - NOTE_LINES + 1
        found = [*found[: NOTE_LINES - 1], f"and {more} more"]
    return found or ["Nothing stands in the way of losses, and the plan leaves no notes."]
