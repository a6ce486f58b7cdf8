"""A client's line on the dashboard, from the same figures as its workbook."""

from __future__ import annotations

import math

from xl_rebal.trading.plan import Action
from xl_rebal.workbooks.client_figures import ClientFigures, client_figures
from xl_rebal.workbooks.client_pages import ClientPages
from xl_rebal.workbooks.dashboard_lines import ClientLine


def client_line(pages: ClientPages, *, file: str = "") -> ClientLine:
    """The line of a client; `file` is the relative path from the dashboard to its workbook."""
    figures = client_figures(pages)
    book, totals = pages.book, figures.class_totals()
    worst = max(figures.classes, key=lambda line: abs(line.result.drift_before), default=None)
    models = dict.fromkeys(book.targets_of(line.account.account).name for line in figures.accounts)
    return ClientLine(
        household=pages.household,
        name=pages.name or pages.household,
        file=file,
        model=" + ".join(filter(None, models)),
        mode=pages.mode,
        policy=pages.policy.in_words(),
        accounts=len(figures.accounts),
        value=math.fsum(line.value for line in figures.accounts),
        cash=math.fsum(line.cash_before for line in figures.accounts),
        worst_class="" if worst is None else worst.result.asset_class,
        worst_drift=0.0 if worst is None else worst.result.drift_before,
        breaches=figures.outside,
        breaches_after=figures.outside_after,
        trades=len(figures.trades),
        buys=math.fsum(t.value for t in figures.trades if t.action is Action.BUY),
        sells=math.fsum(t.value for t in figures.trades if t.action is Action.SELL),
        cost=math.fsum(t.cost for t in figures.trades),
        tax=math.fsum(r.added.total for r in pages.tax_returns) if pages.tax_returns else None,
        tax_saved=_saved(pages),
        why=_why(figures),
        drifts=dict(zip(totals.name, totals.drift, strict=True)),
    )


def _saved(pages: ClientPages) -> float | None:
    """How much less tax this year than the naive way, where that was compared."""
    plan = pages.together
    if plan is None or not plan.comparison:
        return None
    return plan.comparison[0].tax_now - plan.tax_added


def _why(figures: ClientFigures) -> str:
    """What asks for trades; empty when nothing does."""
    pages = figures.pages
    if pages.together is not None:
        return pages.together.why
    return "; ".join(f"{plan.account}: {plan.why}" for plan in pages.plans if plan.triggered)
