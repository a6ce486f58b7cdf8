"""The Python that the add-in starts, xlwings in it, and the settings file that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from xl_rebal.excel.doctor.findings import (
    Finding,
    Patient,
    fault,
    not_applicable,
    ok,
    warning,
)
from xl_rebal.excel.installation import places, settings_file
from xl_rebal.excel.installation.machine import Machine, join, parent, same

OLDEST = (3, 11)
_MEND_SETTINGS = "close Excel and run xl-rebal install excel"


def python(patient: Patient) -> Iterator[Finding]:
    """Version and kind of the Python."""
    here = patient.machine.python
    version = ".".join(map(str, here.version))
    if here.version[:2] < OLDEST:
        yield fault(
            "python",
            f"is {version}; xl_rebal needs 3.11 or newer",
            "install Python 3.11 or newer from python.org, make an environment with it (py -3.11 -m "
            "venv), install xl-rebal there and run xl-rebal install excel from there",
        )
    else:
        yield ok("python", f"{version}, {here.bits}-bit: {here.executable}")


def environment(patient: Patient) -> Iterator[Finding]:
    """Where the Python comes from: some kinds cannot be started by Excel, or only with help."""
    machine, here = patient.machine, patient.machine.python
    if machine.system == "windows":
        if r"\windowsapps" in f"{here.executable} {here.base_prefix}".lower():
            # It keeps what pip installs in a folder of its own (xlwings issue 1538).
            yield fault(
                "environment",
                "is the Python of the Microsoft Store, which keeps xlwings' library where Excel does not "
                "find it",
                "install Python from python.org, make an environment with it, install xl-rebal there "
                "and run xl-rebal install excel from there",
            )
            return
        conda = settings_file.conda_environment(machine)
        if conda is not None:
            bat = join(machine, conda[0], "condabin", "conda.bat")
            if not patient.is_file(bat):
                yield fault(
                    "environment",
                    f"is a conda environment, but {bat} is not there to activate it",
                    "run conda activate on this environment in the Anaconda Prompt, then there "
                    "xl-rebal install excel",
                )
                return
            if " " in conda[1]:
                yield fault(
                    "environment",
                    f"is a conda environment with a blank in its name: {conda[1]}",
                    "make it again under a name without blanks (conda create -n rebal), install "
                    "xl-rebal there and run xl-rebal install excel from there",
                )
                return
            yield ok("environment", f"conda, {conda[1]} of {conda[0]}")
            return
    if same(machine, here.prefix, here.base_prefix):
        yield warning(
            "environment",
            "is no environment of its own; another program's update of xlwings would stop the add-in",
            "make one: python -m venv xl_rebal, install xl-rebal there and run xl-rebal install excel "
            "from there",
        )
    else:
        yield ok("environment", f"of its own: {here.prefix}")


def xlwings(patient: Patient) -> Iterator[Finding]:
    """The version of xlwings, which the add-in names exactly."""
    machine = patient.machine
    wanted, found = pinned_xlwings(), machine.python.packages.get("xlwings")
    pip = f'"{machine.python.executable}" -m pip install xlwings=={wanted}'
    if found is None:
        yield fault("xlwings", "is not installed in this Python", f"run {pip}")
    elif found != wanted:
        yield fault("xlwings", f"is {found}; this xl_rebal is made for {wanted}", f"run {pip}")
    else:
        yield ok("xlwings", found)
    needed = {"windows": "pywin32", "mac": "appscript"}.get(machine.system)
    if needed is not None and needed not in machine.python.packages:
        yield fault(
            "xlwings",
            f"cannot talk to Excel without {needed}, which is not installed",
            f'run "{machine.python.executable}" -m pip install {needed}',
        )


def xlwings_library(patient: Patient) -> Iterator[Finding]:
    """The DLL that Excel's VBA loads, beside python.exe or one folder above (a virtual environment)."""
    machine, here = patient.machine, patient.machine.python
    if machine.system != "windows":
        yield not_applicable("xlwings library", "is for Excel on Windows")
        return
    bits = _office_bits(machine) or 64
    name = f"xlwings{bits}-{pinned_xlwings()}.dll"
    beside = parent(machine, here.executable)
    folders = (beside, parent(machine, beside))
    for folder in folders:
        if patient.is_file(join(machine, folder, name)):
            yield ok("xlwings library", join(machine, folder, name))
            return
    if patient.is_file(rf"%APPDATA%\Python\{name}"):  # xlwings issue 1803
        yield fault(
            "xlwings library",
            rf"{name} was installed for the user only (pip --user), where Excel does not look for it",
            "make an environment (py -m venv), install xl-rebal there and run xl-rebal install excel "
            "from there",
        )
        return
    yield fault(
        "xlwings library",
        f"{name} is neither in {folders[0]} nor in {folders[1]}, where Excel looks for it; a virus "
        "scanner may have taken it",
        f'run "{here.executable}" -m pip install --force-reinstall --no-deps xlwings=={pinned_xlwings()}; if '
        "it goes away again, ask your administrator to except it from scanning",
    )


def bits(patient: Patient) -> Iterator[Finding]:
    """Excel and the library that it loads have to be of the same width."""
    machine = patient.machine
    if machine.system != "windows":
        yield not_applicable("64-bit", "concerns Excel on Windows")
        return
    office, here = _office_bits(machine), machine.python.bits
    if office is None:
        yield warning(
            "64-bit",
            f"Python is {here}-bit; what Excel is could not be seen",
            "look in Excel under File > Account > About Excel: it has to say 64-bit",
        )
    elif office == 32:
        yield fault(
            "64-bit",
            "Excel is 32-bit; the numerical packages of xl_rebal exist for 64-bit only",
            "uninstall Office and install its 64-bit edition (office.com > Install > Other options)",
        )
    elif here != 64:
        yield fault(
            "64-bit",
            f"Excel is 64-bit and this Python is {here}-bit",
            "install the 64-bit Python from python.org, xl-rebal in it, and run xl-rebal install "
            "excel from there",
        )
    else:
        yield ok("64-bit", "Excel and Python both are")


def settings(patient: Patient) -> Iterator[Finding]:
    """The user's file that tells the add-in which Python to start."""
    machine, name = patient.machine, "settings"
    if machine.system == "linux":
        yield not_applicable(name, "are for Excel, which this system does not have")
        return
    path = settings_file.place(machine)
    if not patient.is_file(path):
        yield fault(name, f"{path} is missing: Excel does not know this Python", _MEND_SETTINGS)
        return
    found = settings_file.read(machine, machine.path(path).read_bytes())
    key = "INTERPRETER_WIN" if machine.system == "windows" else "INTERPRETER_MAC"
    chosen = found.get(key, "")
    if not chosen:
        yield fault(name, f"{path} does not say {key}", _MEND_SETTINGS)
    elif not patient.is_file(chosen):
        yield fault(name, f"lead to a Python that is not there: {chosen}", _MEND_SETTINGS)
    elif not same(machine, chosen, machine.python.executable):
        yield warning(
            name,
            f"lead to another Python than this one: {chosen}",
            "to use this one, close Excel and run xl-rebal install excel; to look at that one, run "
            f'"{chosen}" -m xl_rebal doctor',
        )
    else:
        wanted = settings_file.wanted(machine)
        wrong = [each for each, value in wanted.items() if found.get(each, "") != (value or "")]
        if wrong:
            yield fault(
                name,
                f"lead to this Python, but its conda environment is not right: {', '.join(wrong)}",
                _MEND_SETTINGS,
            )
        else:
            yield ok(name, f"{path} leads to this Python")


def pinned_xlwings() -> str:
    """The version of xlwings that this xl_rebal asks for."""
    for requirement in metadata.requires("xl-rebal") or ():
        if requirement.startswith("xlwings=="):
            return requirement.removeprefix("xlwings==").partition(";")[0].strip()
    raise LookupError("xl-rebal does not pin xlwings")


def _office_bits(machine: Machine) -> int | None:
    """32 or 64, as Office's installers note it."""
    click_to_run = machine.registry.values(rf"HKLM\{places.OFFICE}\ClickToRun\Configuration")
    platform = click_to_run.get("Platform")
    if platform is None:
        platform = machine.registry.values(rf"HKLM\{places.OFFICE}\16.0\Outlook").get("Bitness")
    return {"x64": 64, "x86": 32}.get(platform.text.lower()) if platform else None
