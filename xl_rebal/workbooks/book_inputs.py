"""The input sheets of the adviser's book: one table to a sheet, named as a batch reads them."""

from __future__ import annotations

from xl_rebal.workbooks import book_example
from xl_rebal.workbooks.cells import Canvas
from xl_rebal.workbooks.household_inputs import CHOICES as HOUSEHOLD_CHOICES
from xl_rebal.workbooks.input_sheets import InputSheet, write_input_sheet
from xl_rebal.workbooks.template_inputs import Choice, define

# (defined name, table, header)
COLUMN_NAMES = (
    ("AccountName", "tblAccounts", "Account"),
    ("AccountHousehold", "tblAccounts", "Household"),
    ("AccountType", "tblAccounts", "Type"),
    ("AccountModel", "tblAccounts", "Model"),
    ("AccountProfile", "tblAccounts", "Tax profile"),
    ("HoldingAccount", "tblHoldings", "Account"),
    ("HoldingSymbol", "tblHoldings", "Symbol"),
    ("HoldingKind", "tblHoldings", "Kind"),
    ("HoldingQuantity", "tblHoldings", "Quantity"),
    ("HoldingPrice", "tblHoldings", "Price"),
    ("HoldingAsOf", "tblHoldings", "As of"),
    ("LotAccount", "tblLots", "Account"),
    ("LotSymbol", "tblLots", "Symbol"),
    ("LotAcquired", "tblLots", "Acquired"),
    ("LotQuantity", "tblLots", "Quantity"),
    ("LotCost", "tblLots", "Unit cost"),
    ("SecuritySymbol", "tblSecurities", "Symbol"),
    ("SecurityClass", "tblSecurities", "Asset class"),
    ("SecurityTags", "tblSecurities", "Tags"),
    ("ModelName", "tblModels", "Model"),
    ("ModelClass", "tblModels", "Asset class"),
    ("ModelTarget", "tblModels", "Target"),
    ("ModelKind", "tblModels", "Kind"),
    ("RestrictionScope", "tblRestrictions", "Scope"),
    ("RestrictionRule", "tblRestrictions", "Rule"),
    ("RestrictionTag", "tblRestrictions", "Tag"),
    ("FlowAccount", "tblFlows", "Account"),
    ("FlowAmount", "tblFlows", "Amount"),
    ("HistoryAccount", "tblHistory", "Account"),
    ("HistoryDate", "tblHistory", "Date"),
    ("ProfileName", "tblTaxProfiles", "Tax profile"),
)
_OF_BOTH = {
    (table.replace("tblTaxProfile", "tblTaxProfiles"), header): choice
    for (table, header), choice in HOUSEHOLD_CHOICES.items()
    if (table, header) != ("tblSecurities", "Asset class")
}
CHOICES = {
    **_OF_BOTH,
    ("tblAccounts", "Model"): Choice(formula="ModelName", strict=False, help="A model of sheet Models."),
    ("tblAccounts", "Policy"): Choice(
        formula='"5pp,3pp,20%rel,5/25,own bands,quarterly or 5pp,annual and 5pp,never"',
        strict=False,
        help="The client's own; blank: that of sheet Start.",
    ),
    ("tblAccounts", "Plan mode"): Choice(
        formula='"rules,pro_rata,household_tax"',
        strict=True,
        help="How the client is planned; blank: the mode of sheet Start.",
    ),
    ("tblHoldings", "Kind"): Choice(
        formula='"position,cash,pending"', strict=True, help="Pending rows are not counted."
    ),
    ("tblHoldings", "Account"): Choice(
        formula="AccountName", strict=False, help="An account of sheet Accounts."
    ),
    ("tblModels", "Kind"): Choice(
        formula='"model,fixed,tilt"',
        strict=True,
        help="Blank: a weight. model: the class names another model. fixed: stays as it is. tilt: on top.",
    ),
}  # fmt: skip

SHEETS = (
    InputSheet(
        title="Accounts",
        words="Every account of every client, the held-away ones too. Paste over the EXAMPLE rows.",
        more="Household: the same word for accounts of one client. Policy and Plan mode: the client's own, "
        "the same for all its accounts; blank means that of sheet Start. Custodian: where its orders go.",
        tables=(("tblAccounts", 1),),
        widths=(17, 14, 22, 13, 20, 14, 18, 16, 14, 14, 15, 13, 17),
        filtered=("tblAccounts",),
    ),
    InputSheet(
        title="Holdings",
        words="What every account holds: one row for each position, and one for its cash.",
        more="Cash: kind cash, symbol CASH, quantity = amount, price 1. As of: the day of the export; the "
        "latest one is the day of the book. Import Positions fills this table from a custodian's file.",
        tables=(("tblHoldings", 1),),
        widths=(17, 12, 12, 15, 14, 14),
        filtered=("tblHoldings",),
    ),
    InputSheet(
        title="Lots",
        words="The tax lots of taxable accounts; they add up to the positions.",
        more="Day and cost are needed: a gain is never guessed. Accounts that are not taxed need no lots.",
        tables=(("tblLots", 1),),
        widths=(17, 12, 14, 15, 14, 11),
        filtered=("tblLots",),
    ),
    InputSheet(
        title="Securities",
        words="Every security that is held or may be bought, with its class.",
        more="Tags: words that restrictions name, such as defence; tobacco. Rank: 1 is bought first in "
        "its class. Price: for what nobody holds yet. All figures are invented.",
        tables=(("tblSecurities", 1),),
        widths=(12, 28, 14, 9, 13, 22, 15, 13),
        filtered=("tblSecurities",),
    ),
    InputSheet(
        title="Models",
        words="Target weights by model; the weights of each model sum to 100%.",
        more="A class may name another model (Kind: model), as Blend is 60% Growth and 40% Income. Fixed: a "
        "weight that stays, the rest is scaled around it. Tilt: points on top, which sum to 0.",
        tables=(("tblModels", 1),),
        widths=(16, 28, 12, 12, 12, 12),
        filtered=("tblModels",),
    ),
    InputSheet(
        title="Restrictions",
        words="What a client, an account, a model or everyone (*) must not buy, sell or hold.",
        more="By symbol or by tag. never_hold sells what is held; substitute buys the replacement for it. "
        "Account types: taxable; roth binds the rule to those.",
        tables=(("tblRestrictions", 1),),
        widths=(18, 16, 12, 16, 14, 18),
    ),
    InputSheet(
        title="Flows",
        words="Money that is known to come (+) or leave (−); what leaves in the next 30 days is kept back.",
        more="Deposits are never counted before they arrive.",
        tables=(("tblFlows", 1),),
        widths=(17, 14, 15, 16),
    ),
    InputSheet(
        title="History",
        words="Trades of the last 30 days in all accounts, for wash sales.",
        more="The accounts elsewhere and the IRAs too: a purchase in one can wash a loss in another.",
        tables=(("tblHistory", 1),),
        widths=(17, 12, 14, 12, 14, 14),
    ),
    InputSheet(
        title="Tax profiles",
        words="One row for each tax return and year. MAGI is the year's income without capital gains.",
        more="Rates are worked out from MAGI and filing status; or state Ordinary, Long term and NIIT. "
        "Carry: losses carried in, positive. YTD: net gains realised so far this year.",
        tables=(("tblTaxProfiles", 1),),
        widths=(14, 8, 19, 15, 10, 10, 11, 10, 13, 13, 13, 13),
    ),
    InputSheet(
        title="Fund rules",
        words="What custodians ask of orders in funds: minimums, fees, closures. May stay blank.",
        more="Custodian blank or *: at all of them. Closed to new: yes, or investors (who do not hold it).",
        tables=(("tblFundRules", 1),),
        widths=(20, 12, 16, 19, 13, 15, 16, 15),
    ),
)  # fmt: skip


def write_book_inputs(canvas: Canvas) -> None:
    """Write the input sheets and name their columns."""
    for each in SHEETS:
        write_input_sheet(canvas, each, book_example.TABLES, CHOICES)
    for name, table, header in COLUMN_NAMES:
        define(canvas, name, f"{table}[{header}]")
