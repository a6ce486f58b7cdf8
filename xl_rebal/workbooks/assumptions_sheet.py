"""Sheet Assumptions: what the numbers rest on, the inputs of the plan, and whether they still hold."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.trading.limits import FlowMode
from xl_rebal.workbooks import styles
from xl_rebal.workbooks.assumption_tables import write_assumption_tables
from xl_rebal.workbooks.cells import Canvas, lines_needed, set_widths
from xl_rebal.workbooks.figures import Figures
from xl_rebal.workbooks.pages import break_before, set_up_print, write_title
from xl_rebal.workbooks.source import ReportSource

LAST = 7  # column G
WIDTHS = [2, 46, 16, 15, 15, 17, 62, 18, 12, 12, 12, 12]
WORDS_WIDTH = sum(WIDTHS[2:LAST])
MOST_LINES = 200

UNKNOWN = "unknown"
FLOW_WORDS = {
    FlowMode.HYBRID: "used first, and if a band is still broken everything is rebalanced",
    FlowMode.BUY_ONLY: "only buys what is underweight; nothing is sold",
    FlowMode.RAISE_CASH: "only sells what is overweight; nothing is bought",
}
WEIGHT_BASE = (
    "Weights are shares of the account's positions, cash and money-market balances at the values on "
    "sheet Holdings, less its cash reserve and less excluded holdings. Pending activity is listed and "
    "never counted. Cash has target 0% unless the targets name it, and never triggers a trade by itself."
)
SPREAD = (
    "A trade pays half the quoted bid-ask spread. The half-spread is what one side pays; the full "
    "(quoted) spread is twice that."
)
VERIFIED = (
    "Verified: every plan was re-checked by an independent verifier (cash, holdings, whole steps, "
    "restrictions, one net trade a security, weights that sum to 100%, no breach that grows)."
)


def write_assumptions(
    canvas: Canvas, figures: Figures, source: ReportSource, version: str
) -> Worksheet:
    """Write the sheet."""
    sheet = canvas.sheet("Assumptions", styles.GREY)
    write_title(
        canvas,
        sheet,
        "Assumptions",
        "What the numbers rest on. Blue cells are inputs of the plan: a change here or on sheet Holdings "
        "turns the plan's status on sheet Summary to PLAN OUT OF DATE.",
    )
    set_widths(sheet, WIDTHS)
    row = 4
    for heading, lines in _sections(canvas, figures, source, version):
        canvas.put(sheet, row, 2, heading, styles.HEADING)
        sheet.row_dimensions[row].height = 20
        row += 1
        for label, text in lines:
            canvas.put(sheet, row, 2, label, styles.LABEL_TOP)
            canvas.merge(sheet, row, 3, LAST, styles.WORDS)
            canvas.put(sheet, row, 3, text, styles.WORDS)
            height = 13.5 * lines_needed(text, WORDS_WIDTH) + 3
            sheet.row_dimensions[row].height = min(height, 400)  # Excel's rows end at 409 points
            row += 1
        row += 1
    break_before(sheet, row)
    last = write_assumption_tables(canvas, sheet, figures, row)
    sheet.freeze_panes = "A4"
    set_up_print(sheet, last_column=LAST, last_row=last)
    return sheet


def _sections(
    canvas: Canvas, figures: Figures, source: ReportSource, version: str
) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    result = figures.result
    request, policy = result.request, result.request.policy
    limits = request.limits
    yield (
        "Policy",
        [
            ("Rule", policy.in_words()),
            ("Destination", f"Trades bring the classes {policy.destination.in_words()}."),
            (
                "Edge of a band",
                "A band is breached only beyond its edge (>)."
                if policy.beyond
                else "A band is breached when its edge is reached (≥); a drift of zero never is.",
            ),
            ("Units", "Drifts and bands are percentage points of weight unless they say relative."),
            ("Weight base", WEIGHT_BASE),
        ],
    )
    yield (
        "Trading",
        [
            ("Costs", _sentence(limits.costs.in_words())),
            ("Spread convention", SPREAD),
            ("Smallest trade", f"{limits.min_trade:,.2f}" if limits.min_trade else "no minimum"),
            (
                "Turnover limit",
                f"{limits.max_turnover:.2%} of the weight base"
                if limits.max_turnover is not None
                else "none",
            ),
            ("Flows", _flows(figures)),
            ("Known withdrawals", _leaving(figures)),
            ("Orders", limits.orders.in_words()),
            *_listed(
                "Restrictions", [each.in_words() for each in result.book.restrictions], "none"
            ),
            *_listed("Fund rules", [each.in_words() for each in result.book.fund_rules], "none"),
        ],
    )
    yield (
        "Source",
        [
            ("File", source.file_name),
            ("Custodian", source.custodian or UNKNOWN),
            ("Valuation date", source.as_of_text or UNKNOWN),
            ("Time of prices", source.price_time or UNKNOWN),
            ("Fingerprint of the inputs (SHA-256)", source.fingerprint or UNKNOWN),
            ("Made by", f"xl_rebal {version}"),
        ],
    )
    warnings = list(dict.fromkeys([*source.warnings, *result.notes]))
    if canvas.cut_texts:
        warnings.append(f"{canvas.cut_texts} texts were longer than a cell holds and were cut")
    yield "Warnings", list(_listed("Warnings", warnings, "none"))
    notes = [
        f"{account.account}: {note}" if len(figures.accounts) > 1 else note
        for account in figures.accounts
        if account.plan is not None
        for note in account.plan.notes
    ]
    yield (
        "The plan",
        [
            *_listed("Not done, and why", notes, "nothing was left out"),
            ("Verification", VERIFIED),
        ],
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def _flows(figures: Figures) -> str:
    flows = [(a.account, a.flow) for a in figures.accounts if a.flow]
    if not flows:
        return "none"
    words = [
        f"{'contribution' if flow > 0 else 'withdrawal'} of {abs(flow):,.2f} ({account})"
        for account, flow in flows[:MOST_LINES]
    ]
    return "; ".join(words) + f"; {FLOW_WORDS[figures.result.request.flow_mode]}"


def _leaving(figures: Figures) -> str:
    plans = [a.plan for a in figures.accounts if a.plan is not None and a.plan.leaving]
    if not plans:
        return "none"
    words = [f"{plan.leaving:,.2f} ({plan.account})" for plan in plans[:MOST_LINES]]
    days = figures.result.request.flow_horizon
    return f"{'; '.join(words)}; kept back, as they leave within {days} days (sheet Cash)"


def _listed(label: str, lines: list[str], none: str) -> Iterable[tuple[str, str]]:
    if not lines:
        yield label, none
    for index, line in enumerate(lines[:MOST_LINES]):
        yield (label if index == 0 else ""), line
    if len(lines) > MOST_LINES:
        yield "", f"… and {len(lines) - MOST_LINES:,} more"
