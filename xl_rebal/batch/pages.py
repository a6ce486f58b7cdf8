"""A client's plan as the pages of its workbook."""

from __future__ import annotations

from xl_rebal.batch.planning import ClientPlan
from xl_rebal.batch.settings import BatchSettings
from xl_rebal.household.realised import Realised, realised
from xl_rebal.household.request import HouseholdBook
from xl_rebal.tax.profiles import profiles_of
from xl_rebal.workbooks.client_pages import ClientPages

DASHBOARD = "dashboard.xlsx"


def pages_of(plan: ClientPlan, settings: BatchSettings) -> ClientPages:
    """What the workbook of a client shows."""
    tables, day = plan.tables, settings.as_of
    profiles = profiles_of(tables.tax_profiles, day.year) if day else {}
    found = Realised()
    if plan.together is None and day is not None and len(tables.lots):
        source = HouseholdBook(
            book=plan.accounts.book, lots=tables.lots, history=tables.history, profiles=profiles
        )
        found = realised(source, plan.trades, as_of=day)
    return ClientPages(
        household=plan.household,
        name=plan.name,
        book=plan.accounts.book,
        policy=plan.asked,
        plans=() if plan.together is not None else plan.accounts.plans,
        together=plan.together,
        mode=plan.mode.value,
        as_of=day,
        lots=tables.lots,
        sales=found.sales,
        returns=found.returns,
        profiles=profiles,
        washes=found.washes,
        notes=(*plan.accounts.notes, *found.notes, *plan.short),
        dashboard=f"../{DASHBOARD}",
    )
