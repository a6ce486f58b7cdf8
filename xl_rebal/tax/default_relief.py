"""Whether orders of an account name the lots that they sell, or the custodian takes them by its default.

Brokers sell first in, first out unless told otherwise (26 CFR 1.1012-1(c)(1)), and may average the cost of
mutual funds by default (26 CFR 1.1012-1(e)): the custodians named here publish both as their defaults for
accounts whose owner has not elected another.
"""

from __future__ import annotations

from xl_rebal.portfolio.accounts import Account

_BY_DEFAULT = ("schwab", "fidelity", "vanguard", "e*trade", "etrade")


def names_lots(account: Account) -> bool:
    """True where orders of an account may name the lots that they sell.

    Where the table does not say, the custodians above are taken to sell by their default, and accounts
    elsewhere to name lots.
    """
    if account.lot_instructions is not None:
        return account.lot_instructions
    return not any(name in account.custodian.casefold() for name in _BY_DEFAULT)


def relief_note(account: Account) -> str:
    """What was taken for granted of an account's lots, in words; empty where the table says it."""
    if account.lot_instructions is not None or names_lots(account):
        return ""
    return (
        f"account {account.account}: sold by the default of {account.custodian} (first in, first out; funds "
        "at average cost); enter yes in lot_instructions if its orders can name lots"
    )
