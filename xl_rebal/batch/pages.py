"""A client's plan as the pages of its workbook."""

from __future__ import annotations

from xl_rebal.batch.planning import ClientPlan
from xl_rebal.batch.settings import BatchSettings
from xl_rebal.tax.profiles import profiles_of
from xl_rebal.workbooks.client_pages import ClientPages

DASHBOARD = "dashboard.xlsx"


def pages_of(plan: ClientPlan, settings: BatchSettings) -> ClientPages:
    """What the workbook of a client shows."""
    tables, day = plan.tables, settings.as_of
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
        profiles=profiles_of(tables.tax_profiles, day.year) if day else {},
        notes=plan.accounts.notes,
        dashboard=f"../{DASHBOARD}",
    )
