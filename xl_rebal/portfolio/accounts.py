"""Accounts: whose they are, what they follow, what they keep back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from xl_rebal.errors import FaultList, PolicyError, TableError
from xl_rebal.portfolio import tables
from xl_rebal.portfolio.policy_text import parse_policy

# `...632`, `XXXX-4321`, `***1234`, `xxx-xx12`, `••77`, `Individual -0000`, `ending in 1234`: only the
# last characters are shown. `ACC-0001` is a whole id.
_MASKED = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:X{2,}+|\.{2,}+|…|\*++|•++|#{2,}+)[-. ]?)++(?P<seen>[0-9A-Za-z]*\d[0-9A-Za-z]*)"
    r"|(?:^|\s)-(?P<tail>\d{3,4})(?=$|\s\()"
    r"|\bending (?:in|with) (?P<ending>\d+)",
    re.IGNORECASE,
)
ACCOUNT_TYPES = ("taxable", "traditional", "roth", "hsa", "exempt")


class Relationship(StrEnum):
    """What the owner of an account is to the client: whose purchases count against whose losses."""

    SELF = "self"
    SPOUSE = "spouse"
    MINOR_CHILD = "minor child"
    ADULT_CHILD = "adult child"
    OTHER = "other"


def relationship(text: str) -> Relationship | None:
    """The relationship that a text names (`minor_child`, `Adult child`); None for a blank.

    Raises ValueError for another word.
    """
    folded = " ".join(re.split(r"[\s_-]+", text.strip().casefold()))
    return Relationship(folded) if folded else None


class PlanMode(StrEnum):
    """How a client of a batch is planned.

    pro_rata       every account back to its own model's targets, all classes, once triggered.
    rules          as the policy says: its destination and its scope.
    household_tax  the household as one portfolio, at least tax and cost.
    """

    PRO_RATA = "pro_rata"
    RULES = "rules"
    HOUSEHOLD_TAX = "household_tax"


def plan_mode(text: str) -> PlanMode:
    """The mode that a word names (`Pro rata`, `household-tax`); raises ValueError."""
    try:
        return PlanMode(re.sub(r"[\s-]+", "_", text.strip().casefold()))
    except ValueError:
        raise ValueError(f"{text!r} is not known; use one of {', '.join(PlanMode)}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account.

    model            name of the model that it follows; empty for the only one.
    cash_reserve     money that is kept back from investing, in the base currency.
    discretionary    False when trades need the client's word first.
    held_away        True when it counts in drift but receives no orders.
    last_rebalanced  date of the last rebalancing, for calendar rules.
    leaving          money of known withdrawals (table `flows`) that is kept back besides the reserve.
    relationship     what its owner is to the client; None where nobody has said it.
    menu             symbols that a plan (401(k), 529) offers, folded to lower case; empty for all.
    lot_instructions False when its custodian takes no lot instructions; None where nobody has said it.
    client           name of the client, for people; empty for the household's own.
    policy           policy text of its own in a batch; empty for the run's.
    plan_mode        how a batch plans it; None for the run's.
    """

    account: str
    household: str = ""
    type: str = ""
    owner: str = ""
    tax_return: str = ""
    custodian: str = ""
    model: str = ""
    cash_reserve: float = 0.0
    tax_profile: str = ""
    discretionary: bool = True
    held_away: bool = False
    last_rebalanced: dt.date | None = None
    leaving: float = 0.0
    menu: frozenset[str] = frozenset()
    lot_instructions: bool | None = None
    relationship: Relationship | None = None
    client: str = ""
    policy: str = ""
    plan_mode: PlanMode | None = None

    @property
    def kept_back(self) -> float:
        """Money that is not invested: the reserve, and what is known to leave."""
        return self.cash_reserve + self.leaving


def accounts_from_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, Account]:
    """Accounts by name from the rows of the `accounts` table; every bad row is reported."""
    faults = FaultList()
    result: dict[str, Account] = {}
    names = {field.name for field in fields(Account)} - {"leaving"}
    for row in rows:
        given = {name: value for name, value in row.items() if name in names}
        if "plan_mode" in given:
            try:
                given["plan_mode"] = plan_mode(given["plan_mode"])
            except ValueError as error:
                what, _, remedy = str(error).partition("; ")
                faults.extend([tables.fault_at("accounts", row, "plan_mode", what, remedy)])
                given["plan_mode"] = None
        if "policy" in given:
            try:
                parse_policy(given["policy"])
            except PolicyError as error:
                faults.extend(
                    tables.fault_at("accounts", row, "policy", each.what, each.remedy)
                    for each in error.faults
                )
        try:
            given["relationship"] = relationship(str(row.get("relationship", "")))
        except ValueError:
            given["relationship"] = None
            faults.extend(
                [
                    tables.fault_at(
                        "accounts",
                        row,
                        "relationship",
                        f"{row['relationship']!r} is not known",
                        f"use one of {', '.join(Relationship)}, or leave it blank",
                    )
                ]
            )
        account = Account(**given)
        if account.type and account.type.casefold() not in ACCOUNT_TYPES:
            faults.extend(
                [
                    tables.fault_at(
                        "accounts",
                        row,
                        "type",
                        f"{account.type!r} is not known",
                        f"use one of {', '.join(ACCOUNT_TYPES)}",
                    )
                ]
            )
        if account.cash_reserve < 0:
            faults.extend(
                [
                    tables.fault_at(
                        "accounts", row, "cash_reserve", "is negative", "enter zero or more"
                    )
                ]
            )
        if account.account in result:
            faults.extend(
                [
                    tables.fault_at(
                        "accounts",
                        row,
                        "account",
                        f"{account.account} stands twice",
                        "keep one row",
                    )
                ]
            )
        result[account.account] = account
    faults.raise_as(TableError)
    return result


def is_masked(account: str) -> bool:
    """True when an account id shows only its last characters, so that no order can name it.

    Two accounts may share such an id; an account map (`custodians.account_map`) says which is meant.
    """
    return _MASKED.search(account) is not None


def shown_part(account: str) -> str:
    """The characters that a masked id shows, `4321` of `XXXX-4321`; empty when it is not masked."""
    found = _MASKED.search(account)
    return (
        next((t for t in (found["seen"], found["tail"], found["ending"]) if t), "") if found else ""
    )
