"""`xl-rebal doctor`: what Excel and LibreOffice need, looked at one by one, with the mend of each fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xl_rebal.errors import RebalError
from xl_rebal.excel.doctor import excel_checks, libreoffice_checks, python_checks
from xl_rebal.excel.doctor.findings import Check, Finding, Patient, fault, warning
from xl_rebal.excel.installation.machine import Machine

# Name of each check (for what cannot be looked at) and the check, in the order in which to mend.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", python_checks.python),
    ("environment", python_checks.environment),
    ("xlwings", python_checks.xlwings),
    ("xlwings library", python_checks.xlwings_library),
    ("excel", excel_checks.excel),
    ("64-bit", python_checks.bits),
    ("installation", excel_checks.installation),
    ("add-in", excel_checks.add_in),
    ("registration", excel_checks.registration),
    ("duplicates", excel_checks.duplicates),
    ("settings", python_checks.settings),
    ("runpython script", excel_checks.script),
    ("mark of the web", excel_checks.mark),
    ("trust center", excel_checks.policies),
    ("disabled items", excel_checks.disabled),
    ("templates", excel_checks.template_files),
    ("onedrive", excel_checks.onedrive),
    ("libreoffice", libreoffice_checks.libreoffice),
)


def diagnose(machine: Machine) -> list[Finding]:
    """Every check; what cannot be looked at is a finding too."""
    patient = Patient(machine=machine)
    return [finding for name, check in CHECKS for finding in _examine(name, check, patient)]


def has_fault(findings: Iterable[Finding]) -> bool:
    """Whether something does not work."""
    return any(finding.state == "fault" for finding in findings)


def document(findings: Iterable[Finding]) -> dict[str, Any]:
    """The findings as JSON."""
    return {
        "checks": [
            {"name": f.name, "state": f.state, "what": f.what, "remedy": f.remedy} for f in findings
        ]
    }


def report_lines() -> list[str]:
    """The findings about this computer as text, what has to be mended first."""
    from xl_rebal.excel.installation.this_machine import ThisMachine

    return lines(diagnose(ThisMachine()))


def lines(findings: Iterable[Finding]) -> list[str]:
    """Findings as text: faults and warnings with their mend, then what is well."""
    order = ("fault", "warning", "ok", "not applicable")
    found = []
    for each in sorted(findings, key=lambda f: order.index(f.state)):
        found.append(f"{each.state}: {each.name}: {each.what}")
        if each.remedy:
            found.append(f"    mend: {each.remedy}")
    return found


def _examine(name: str, check: Check, patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(patient))
    except RebalError as error:
        found += [fault(name, f"{each.where} {each.what}", each.remedy) for each in error.faults]
    except (OSError, LookupError, ValueError) as error:
        # Whatever a strange computer throws at one check, the others are still worth reading.
        why = f"{type(error).__name__}: {error}"
        found.append(
            warning(
                name,
                f"could not be looked at ({why[:200]})",
                "run it as the user who works with Excel, with rights to read there",
            )
        )
    return found
