"""Why nothing satisfies a request: the smallest set of limits that cannot hold together, in words."""

from __future__ import annotations

from xl_rebal.errors import Fault, PlanError
from xl_rebal.household.limits import Limit, limits_of
from xl_rebal.household.search import Search


def smallest_conflict(search: Search) -> tuple[Limit, ...]:
    """Limits that conflict, each of them needed for it (deletion filter, Chinneck and Dravnieks 1991).

    Empty when the program is feasible, or is not even without all limits.
    """
    limits = limits_of(search.model)
    if search.run() is not None or search.run(limits) is None:
        return ()
    gone: list[Limit] = []
    for limit in limits:
        if search.run([*gone, limit]) is None:
            gone.append(limit)  # the conflict is there without it too
    return tuple(limit for limit in limits if limit not in gone)


def no_plan(search: Search) -> PlanError:
    """The error that names the conflict."""
    problem = search.model.problem
    conflict = smallest_conflict(search)
    where = f"household {problem.household or '(unnamed)'}"
    if not conflict:
        return PlanError.of(
            where=where,
            what="no plan was found, with and without its limits",
            remedy="report this with the book",
        )
    words = "; ".join(limit.words for limit in conflict)
    return PlanError(
        Fault(
            where=where,
            what=f"these cannot hold together: {words}"
            if len(conflict) > 1
            else f"this cannot be met: {words}",
            remedy="give way in one of them",
        )
    )
