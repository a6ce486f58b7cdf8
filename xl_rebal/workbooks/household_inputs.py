"""The input sheets of the household template: accounts, lots, securities, targets, tax profile, history."""

from __future__ import annotations

from dataclasses import replace

from openpyxl.worksheet.worksheet import Worksheet

from xl_rebal.workbooks import household_example
from xl_rebal.workbooks.cells import Canvas, address
from xl_rebal.workbooks.input_sheets import HEADER_ROW, YES_NO, InputSheet, write_input_sheet
from xl_rebal.workbooks.template_inputs import POLICY_CHOICES, Choice, define, offer

ACCOUNTS, LOTS, SECURITIES, TARGETS = "Accounts", "Lots", "Securities", "Targets"
PROFILE, HISTORY = "Tax profile", "History"

# (defined name, table, header)
COLUMN_NAMES = (
    ("AccountName", "tblAccounts", "Account"),
    ("AccountType", "tblAccounts", "Type"),
    ("AccountReserve", "tblAccounts", "Cash reserve"),
    ("LotAccount", "tblLots", "Account"),
    ("LotSymbol", "tblLots", "Symbol"),
    ("LotAcquired", "tblLots", "Acquired"),
    ("LotQuantity", "tblLots", "Quantity"),
    ("LotCost", "tblLots", "Unit cost"),
    ("SecuritySymbol", "tblSecurities", "Symbol"),
    ("SecurityClass", "tblSecurities", "Asset class"),
    ("SecurityPrice", "tblSecurities", "Price"),
    ("TargetClass", "tblTargets", "Asset class"),
    ("TargetWeight", "tblTargets", "Target"),
    ("ProfileName", "tblTaxProfile", "Tax profile"),
    ("ProfileYear", "tblTaxProfile", "Year"),
    ("HistorySymbol", "tblHistory", "Symbol"),
    ("HistoryDate", "tblHistory", "Date"),
    ("SettingName", "tblPlanSettings", "Setting"),
    ("SettingValue", "tblPlanSettings", "Value"),
)
CHOICES = {
    ("tblAccounts", "Type"): Choice(
        formula='"taxable,traditional,roth,hsa,exempt"',
        strict=True,
        help="How its gains are taxed; a 401(k) is traditional or roth.",
    ),
    ("tblAccounts", "Held away"): replace(
        YES_NO, help="yes: it counts in drift and gets no orders."
    ),
    ("tblAccounts", "Discretionary"): replace(
        YES_NO, help="no: its trades need the client's word first."
    ),
    ("tblAccounts", "Lot instructions"): replace(
        YES_NO, help="no: its custodian takes none, so lots go first in, first out."
    ),
    ("tblLots", "Account"): Choice(
        formula="AccountName", strict=False, help="An account of sheet Accounts."
    ),
    ("tblSecurities", "Asset class"): Choice(
        formula="TargetClass", strict=False, help="A class of sheet Targets, or a path below one."
    ),
    ("tblSecurities", "Tax class"): Choice(
        formula='"ordinary,municipal,collectible,section_1256"',
        strict=True,
        help="Blank: ordinary. Municipal bonds are bought in taxable accounts only.",
    ),
    ("tblTaxProfile", "Filing status"): Choice(
        formula='"single,married_joint,married_separate,head_of_household,surviving_spouse"',
        strict=False,
        help="As on the tax return of the year.",
    ),
    ("tblHistory", "Action"): Choice(
        formula='"buy,sell,reinvest"', strict=False, help="buy, sell or reinvest."
    ),
    ("tblRestrictions", "Rule"): Choice(
        formula='"never_buy,never_sell,never_hold,substitute"',
        strict=True,
        help="never_buy, never_sell, never_hold or substitute (needs a replacement).",
    ),
}


SHEETS = (
    InputSheet(
        title=ACCOUNTS,
        words="All accounts of one household, the held-away ones too. Paste over the EXAMPLE rows.",
        more="Tax return: the same word for accounts that are taxed together. Tax profile: a row of sheet "
        "Tax profile, for taxable accounts. Cash reserve stays. Menu: the symbols that a plan offers, VTI; "
        "BND.",
        tables=(("tblAccounts", 1),),
        widths=(20, 13, 16, 13, 13, 14, 12, 14, 16, 24),
    ),
    InputSheet(
        title=LOTS,
        words="What is held, lot by lot: one row for each lot in a taxable account, one for each position "
        "elsewhere.",
        more="Cash: symbol CASH, quantity = amount. Acquired and unit cost are needed in taxable accounts; "
        "a gain is never guessed. Elsewhere a day tells what was bought in the last 30 days; so does sheet "
        "History.",
        tables=(("tblLots", 1),),
        filtered=("tblLots",),
        widths=(20, 11, 14, 16, 14, 11),
    ),
    InputSheet(
        title=SECURITIES,
        words="What is held and what may be bought: price, class, substitute.",
        more="Identical group: the same word for securities that are substantially identical. Rank: 1 (or "
        "blank) is bought first in its class. All figures are invented.",
        tables=(("tblSecurities", 1),),
        widths=(12, 26, 14, 13, 17, 15, 9),
    ),
    InputSheet(
        title=TARGETS,
        words="Targets sum to 100% of all accounts together; the policy says when to act and how far.",
        more="Band abs (5% = 5 percentage points) and Band rel (20% of the target) give a class a band of "
        "its own. Restrictions: scope is an account, or * for all.",
        tables=(("tblTargets", 1), ("tblPolicy", 6), ("tblRestrictions", 9)),
        widths=(26, 12, 12, 12, 3, 16, 22, 3, 18, 14, 12, 14),
    ),
    InputSheet(
        title=PROFILE,
        words="One row for each tax return and year. MAGI is the year's income without capital gains.",
        more="Rates are worked out from MAGI and filing status; or state Ordinary, Long term and NIIT. "
        "Carry: losses carried in, positive. YTD: net gains realised so far this year, negative for a loss.",
        tables=(("tblTaxProfile", 1),),
        widths=(14, 8, 19, 15, 10, 10, 11, 10, 13, 13, 13, 13),
    ),
    InputSheet(
        title=HISTORY,
        words="Trades of the last 30 days and all that they sold: purchases, sales, reinvested dividends.",
        more="In every account of the household, the spouse's, the IRAs and those elsewhere too: a "
        "purchase in one can wash a loss in another. A sale needs the purchases of what it sold.",
        tables=(("tblHistory", 1),),
        widths=(20, 11, 14, 12, 14, 13),
    ),
)


def write_household_inputs(canvas: Canvas) -> None:
    """Write the input sheets and name their columns; `tblPlanSettings` stands on sheet Start."""
    for each in SHEETS:
        sheet = write_input_sheet(canvas, each, household_example.TABLES, CHOICES)
        if each.title == TARGETS:
            _offer_policy(sheet)
    for name, table, header in COLUMN_NAMES:
        define(canvas, name, f"{table}[{header}]")


def _offer_policy(sheet: Worksheet) -> None:
    for index, row in enumerate(household_example.POLICY[1:]):
        cell = address(HEADER_ROW + 1 + index, 7).replace("$", "")
        offer(sheet, cell, POLICY_CHOICES[row[0]])
