"""The input sheets of the backtest lab: targets, the policy to test, policies to compare, prices."""

from __future__ import annotations

from dataclasses import replace

from xl_rebal.workbooks import lab_example, styles
from xl_rebal.workbooks.cells import Canvas, Content, address, set_widths
from xl_rebal.workbooks.pages import set_up_print, write_title
from xl_rebal.workbooks.styles import Look, given_text, number
from xl_rebal.workbooks.tables import Column, write_table
from xl_rebal.workbooks.template_inputs import INPUT_FILL, Choice, define, offer

INPUTS, PRICES = "Inputs", "Prices"
_TEXT = replace(given_text(), fill=INPUT_FILL)


def write_lab_inputs(canvas: Canvas) -> None:
    """Write sheet Inputs and name its cells."""
    sheet = canvas.sheet(INPUTS, "E0C766")
    write_title(
        canvas,
        sheet,
        INPUTS,
        "Targets name the columns of sheet Prices. What is blue on yellow is yours.",
    )
    canvas.put(sheet, 4, 1, "Target weights (sum to 100%)", styles.HEADING)
    percent = replace(number(styles.PERCENT, given=True), fill=INPUT_FILL)
    targets = lab_example.TARGETS
    write_table(
        canvas,
        sheet,
        name="tblTargets",
        columns=[
            Column(header=targets[0][0], look=_TEXT),
            Column(header=targets[0][1], look=percent),
        ],
        rows=targets[1:],
        row=5,
        header_height=20,
        filters=False,
    )
    canvas.put(sheet, 4, 4, "One policy to test", styles.HEADING)
    settings: tuple[tuple[str, str, Content, Look, str], ...] = (
        (
            "Policy",
            "LabPolicy",
            lab_example.POLICY,
            _TEXT,
            "As in the portfolio template: 5pp, annual and 5pp, never.",
        ),
        (
            "Cost of a trade, bp",
            "LabCost",
            lab_example.COST_BPS,
            replace(number("0.0", given=True), fill=INPUT_FILL),
            "One way, of the value traded.",
        ),
        (
            "Limit of the best band",
            "LabLimit",
            None,
            _TEXT,
            "0.5% tracking error a year, or drift 6pp; blank: cost against tracking error.",
        ),
    )
    for offset, (label, name, content, look, words) in enumerate(settings):
        row = 5 + offset
        canvas.put(sheet, row, 4, label, styles.LABEL)
        canvas.put(sheet, row, 5, content, look)
        canvas.put(sheet, row, 6, words, styles.NOTE)
        define(canvas, name, address(row, 5, sheet=INPUTS))
    offer(
        sheet,
        "E5",
        Choice(
            formula='"5pp,3pp,20%rel,5/25,annual,quarterly or 5pp,annual and 5pp,never"',
            strict=False,
            help="Points of weight (5pp), of the target (20%rel), the smaller of both (5/25), a calendar.",
        ),
    )
    canvas.put(sheet, 4, 9, "Policies to compare", styles.HEADING)
    write_table(
        canvas,
        sheet,
        name="tblPolicies",
        columns=[Column(header=lab_example.POLICIES[0][0], look=_TEXT)],
        rows=lab_example.POLICIES[1:],
        row=5,
        column=9,
        header_height=20,
        filters=False,
    )
    set_widths(sheet, [26, 12, 3, 24, 22, 62, 3, 3, 24])
    set_up_print(sheet, last_column=9, last_row=24)


def write_lab_prices(canvas: Canvas) -> None:
    """Write sheet Prices."""
    sheet = canvas.sheet(PRICES, "E0C766")
    write_title(
        canvas,
        sheet,
        PRICES,
        "Paste your prices over the EXAMPLE rows, which are invented: a date and a column for each symbol.",
    )
    canvas.put(
        sheet,
        3,
        1,
        "Adjusted closes (dividends and splits in them). Any spacing: daily, weekly, monthly. Blank where "
        "there was no price; each date once.",
        styles.NOTE,
    )
    rows = lab_example.prices()
    price = replace(number(styles.PRICE, given=True), fill=INPUT_FILL)
    write_table(
        canvas,
        sheet,
        name="tblPrices",
        columns=[Column(header=h, look=price if i else _TEXT) for i, h in enumerate(rows[0])],
        rows=rows[1:],
        row=5,
        header_height=20,
        filters=False,
    )
    set_widths(sheet, [14, *[20] * 6])
    sheet.freeze_panes = "B6"
    set_up_print(sheet, last_column=4, last_row=6, repeat=5)
    sheet.print_area = None
