"""Which lots a custodian takes when nobody names any: its default relief.

Brokers sell first in, first out unless told otherwise (26 CFR 1.1012-1(c)(1)), and may average the cost of
mutual funds by default (26 CFR 1.1012-1(e)); these are the defaults that custodians publish for accounts
whose owner has not elected another.
"""

from __future__ import annotations

from xl_rebal.portfolio.accounts import Account
from xl_rebal.tax.lot_methods import LotMethod

_FUNDS = {
    "schwab": LotMethod.AVERAGE,
    "fidelity": LotMethod.AVERAGE,
    "vanguard": LotMethod.AVERAGE,
    "e*trade": LotMethod.AVERAGE,
    "etrade": LotMethod.AVERAGE,
    "ibkr": LotMethod.FIFO,
    "interactive brokers": LotMethod.FIFO,
}


def names_lots(account: Account) -> bool:
    """True where orders of an account may name the lots that they sell.

    Where the table does not say, a known custodian is taken to sell by its default relief; the accounts of
    an unknown one are taken to name lots.
    """
    if account.lot_instructions is not None:
        return account.lot_instructions
    return _known(account) is None


def fund_relief(account: Account) -> LotMethod:
    """How the units of a mutual fund are relieved where no lots are named."""
    known = _known(account)
    return LotMethod.AVERAGE if known is None else _FUNDS[known]


def relief_note(account: Account) -> str:
    """What was taken for granted of an account's lots, in words; empty where the table says it."""
    known = _known(account)
    if account.lot_instructions is not None or known is None:
        return ""
    funds = "at average cost" if _FUNDS[known] is LotMethod.AVERAGE else "first in, first out"
    return (
        f"account {account.account}: sold by the default of {account.custodian} (first in, first out; funds "
        f"{funds}); enter yes in lot_instructions if its orders can name lots"
    )


def _known(account: Account) -> str | None:
    name = account.custodian.casefold()
    return next((known for known in _FUNDS if known in name), None)
