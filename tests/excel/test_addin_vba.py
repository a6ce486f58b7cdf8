"""The add-in's VBA, run procedure by procedure in pyOpenVBA's interpreter against strict fakes of Excel.

Every procedure is either run by a scenario here, or stands in EXCEL_ONLY with the reason and its line in
docs/excel-checklist.md. What is shown is the code's own work; Excel's is on the checklist.
"""

from __future__ import annotations

import pytest

# The imports register their scenarios.
from tests.excel import built, scenario_links, scenario_python, scenario_ribbon, scenario_texts
from tests.excel.vba_excel import ON_THE_MAC, SCENARIOS, Scenario, project
from tests.excel.vba_run import REPLACED, module_sources, procedures

MODULES = (scenario_links, scenario_python, scenario_ribbon, scenario_texts)
pytestmark = pytest.mark.xdist_group("addin-vba")  # all scenarios run once

EXCEL_ONLY = {
    "Dictionary": "Tim Hall's class for the Mac, unchanged from xlwings; the Mac's settings need it",
    "ThisWorkbook.Workbook_Open": "called by Excel alone; one line that calls RebalBegin",
    "RebalXlwings.ToMacPath": "asks AppleScript for the path of the Mac's log",
    "RebalXlwings.ToPosixPath": "asks AppleScript; on the Mac before Excel 2016 only",
}


@pytest.fixture(scope="module")
def ran() -> dict[str, tuple[set[str], BaseException | None]]:
    """Every scenario in a project of its own: the procedures that it called, and how it failed."""
    found: dict[str, tuple[set[str], BaseException | None]] = {}
    for scenario in SCENARIOS:
        p = project(mac=scenario in ON_THE_MAC)
        failed: BaseException | None = None
        try:
            scenario(p)
        except (Exception, pytest.fail.Exception) as error:  # raised again by the scenario's test
            failed = error
        found[scenario.__name__] = (p.called, failed)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_vba_does(
    scenario: Scenario, ran: dict[str, tuple[set[str], BaseException | None]]
) -> None:
    _, failed = ran[scenario.__name__]
    if failed is not None:
        raise failed


def test_every_procedure_is_run_or_says_why_not(
    ran: dict[str, tuple[set[str], BaseException | None]],
) -> None:
    called = {name for names, _ in ran.values() for name in names}
    there = {
        f"{module}.{name}"
        for module, source in module_sources(built.addin()).items()
        for name in procedures(source)
    }
    excused = {name for name in there if name in EXCEL_ONLY or name.partition(".")[0] in EXCEL_ONLY}
    assert sorted(there - called - excused) == [], "neither run here nor excused"
    replaced = {f"RebalXlwings.{name}" for name in REPLACED}
    assert replaced <= called, "stand-ins that nothing asks for"
    assert sorted(called & excused) == [], "excused, and yet run here"
    assert (
        sorted(n for n in EXCEL_ONLY if n not in {*there, *(t.partition(".")[0] for t in there)})
        == []
    )


def test_every_module_of_scenarios_is_run() -> None:
    assert {scenario.__module__ for scenario in SCENARIOS} == {
        module.__name__ for module in MODULES
    }
    assert len({scenario.__name__ for scenario in SCENARIOS}) == len(SCENARIOS) >= 44
