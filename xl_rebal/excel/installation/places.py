r"""Where Excel looks for add-ins and templates.

Windows  add-ins: %APPDATA%\Microsoft\AddIns, Excel's own place for them (Application
         .UserLibraryPath), and the list under HKCU\Software\Microsoft\Office\16.0\Excel\Options.
         Not XLSTART: Excel would open the file of function help there as a workbook, users could not
         switch the add-in off under Options > Add-ins, and virus scanners watch that folder (xlwings
         issues 2516 and 2553).
         templates: the folder that the user or a policy chose (PersonalTemplates), else the folder
         of custom templates inside Documents, whose name Office translates.
Mac      the startup folder and the templates folder of Office's group container.
"""

from __future__ import annotations

from dataclasses import dataclass

from xl_rebal.errors import FileError
from xl_rebal.excel.installation.machine import Machine, expand, is_cloud, join

OFFICE = r"Software\Microsoft\Office"
_FOLDERS = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"
_OLDEST = 15.0  # Excel 2013: PersonalTemplates is from then on
_CURRENT = "16.0"  # Excel 2016 to 2024 and Microsoft 365
_GROUP = "~/Library/Group Containers/UBF8T346G9.Office/User Content.localized"
_SCRIPTS = "~/Library/Application Scripts/com.microsoft.Excel"

# What Office calls the folder inside Documents; the first is made where none is there.
TEMPLATE_FOLDERS = (
    "Custom Office Templates",
    "Benutzerdefinierte Office-Vorlagen",
    "Modèles Office personnalisés",
    "Plantillas personalizadas de Office",
    "Modelli di Office personalizzati",
    "Modelos Personalizados do Office",
    "Aangepaste Office-sjablonen",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesPlace:
    """Where templates go.

    folder   empty where they cannot be put: `address` names the site then
    key      the registry key in which PersonalTemplates has to be set for it; empty: none
    """

    folder: str
    address: str = ""
    key: str = ""


def versions(machine: Machine) -> tuple[str, ...]:
    """The Excel versions that this user or this computer has, the newest first."""
    found = set()
    for key in machine.registry.keys(rf"HKCU\{OFFICE}"):
        if _is_version(key) and machine.registry.exists(rf"HKCU\{OFFICE}\{key}\Excel"):
            found.add(key)
    installed = rf"HKLM\{OFFICE}\{_CURRENT}\Excel\InstallRoot"
    click_to_run = rf"HKLM\{OFFICE}\ClickToRun\Configuration"
    if machine.registry.exists(installed) or machine.registry.exists(click_to_run):
        found.add(_CURRENT)
    return tuple(sorted(found, key=float, reverse=True))


def add_ins(machine: Machine) -> str:
    """The folder for the add-in."""
    if machine.system == "windows":
        if "APPDATA" not in machine.variables:
            raise FileError.of(
                where="APPDATA",
                what="is not set, so Excel's folder for add-ins is unknown",
                remedy="run it as the user who works with Excel, not as a service",
            )
        return expand(machine, r"%APPDATA%\Microsoft\AddIns")
    return expand(machine, f"{_GROUP}/Startup.localized/Excel")


def startup_folders(machine: Machine) -> tuple[str, ...]:
    """Folders whose every file Excel opens when it starts."""
    if machine.system == "windows":
        return (expand(machine, r"%APPDATA%\Microsoft\Excel\XLSTART"),)
    return (add_ins(machine),)


def scripts(machine: Machine) -> str:
    """The folder for scripts that Excel on the Mac may run."""
    return expand(machine, _SCRIPTS)


def excel_on_the_mac(machine: Machine) -> bool:
    """Whether Excel has run for this user: only the system may make its container."""
    return machine.path(expand(machine, "~/Library/Containers/com.microsoft.Excel/Data")).is_dir()


def options(version: str) -> str:
    """The registry key of Excel's options."""
    return rf"HKCU\{OFFICE}\{version}\Excel\Options"


def policies(version: str, what: str) -> tuple[str, str]:
    """The keys where an administrator's settings stand, for the user and for the computer."""
    path = rf"Software\Policies\Microsoft\Office\{version}\{what}"
    return rf"HKCU\{path}", rf"HKLM\{path}"


def documents(machine: Machine) -> str:
    """The user's Documents, wherever OneDrive or an administrator has moved them."""
    chosen = machine.registry.values(_FOLDERS).get("Personal")
    return expand(machine, chosen.text if chosen and chosen.text else r"%USERPROFILE%\Documents")


def templates(
    machine: Machine, *, set_by_us: frozenset[tuple[str, str]] = frozenset()
) -> tuple[TemplatesPlace, ...]:
    """Where templates have to be for Excel to offer them; several where versions differ.

    set_by_us  (key, text) of PersonalTemplates that we set ourselves: not a choice of the user's.
    """
    if machine.system != "windows":
        return (TemplatesPlace(folder=expand(machine, f"{_GROUP}/Templates.localized")),)
    found: dict[str, TemplatesPlace] = {}
    for version in versions(machine):
        place = _templates_of(machine, version, set_by_us)
        found.setdefault(f"{place.folder or place.address}|{place.key}".lower(), place)
    return tuple(found.values())


def _templates_of(
    machine: Machine, version: str, set_by_us: frozenset[tuple[str, str]]
) -> TemplatesPlace:
    for key in (*policies(version, r"excel\options"), options(version)):
        chosen = _value(machine, key, "PersonalTemplates")
        if chosen and (key, chosen) not in set_by_us:
            if is_cloud(chosen):
                return TemplatesPlace(folder="", address=chosen)
            return TemplatesPlace(folder=expand(machine, chosen).rstrip("\\"))
    inside = documents(machine)
    folders = [join(machine, inside, name) for name in TEMPLATE_FOLDERS]
    there = [folder for folder in folders if machine.path(folder).is_dir()]
    return TemplatesPlace(folder=(there or folders)[0], key=options(version))


def _value(machine: Machine, key: str, name: str) -> str:
    for found, value in machine.registry.values(key).items():
        if found.lower() == name.lower():
            return value.text
    return ""


def _is_version(key: str) -> bool:
    try:
        return float(key) >= _OLDEST
    except ValueError:
        return False
