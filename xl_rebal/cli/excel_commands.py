"""What spreadsheets load and need: `build`, `install`, `uninstall`, `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OutOption = Annotated[
    Path, typer.Option("--out", help="The folder to write into; it is made if it does not exist.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
]
AddinOption = Annotated[
    Path | None,
    typer.Option("--addin", help="Take this xl_rebal.xlam, which you have signed, as it is."),
]
FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from", help="A release zip or its unpacked folder; without it, what this version builds."
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-location",
        help="Also make the add-in's folder a trusted location: every file in it may then run code.",
    ),
]
ProfileOption = Annotated[
    Path | None,
    typer.Option("--profile", help="A LibreOffice profile folder other than your own."),
]


def _group(help: str) -> typer.Typer:
    return typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None)


build = _group(
    "Build what spreadsheets load: templates, the Excel add-in, the LibreOffice extension."
)
install = _group("Install the worksheet functions for this user.")
uninstall = _group("Remove the worksheet functions again.")


def register(app: typer.Typer) -> None:
    """Hang the groups into the command line."""
    app.add_typer(build, name="build")
    app.add_typer(install, name="install")
    app.add_typer(uninstall, name="uninstall")
    app.command("doctor")(doctor)


@build.command("addin")
def build_addin(
    out: OutOption = Path("dist"), overwrite: OverwriteOption = False, json: JsonOption = False
) -> None:
    """Write xl_rebal.xlam, the add-in for desktop Excel, and its IntelliSense help."""
    from xl_rebal.excel.addin.build import write_addin

    paths = [str(path) for path in write_addin(out, overwrite=overwrite)]
    _tell([f"written: {path}" for path in paths], {"files": paths}, json=json)


@build.command("calc")
def build_calc(
    out: OutOption = Path("dist"), overwrite: OverwriteOption = False, json: JsonOption = False
) -> None:
    """Write xl_rebal.oxt, the extension for LibreOffice 25.2 or newer."""
    from xl_rebal.excel.hosts.calc.build import write_oxt

    path = write_oxt(out, overwrite=overwrite)
    _tell([f"written: {path}"], {"files": [str(path)]}, json=json)


@build.command("release")
def build_release(
    out: OutOption = Path("dist"),
    addin: AddinOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Write the release zip: add-in, templates, extension, guide, checklist, checksums."""
    from xl_rebal.excel.release import checksum, write_release

    path = write_release(out, overwrite=overwrite, signed=addin)
    digest = checksum(path)
    lines = [f"written: {path}", f"SHA-256: {digest}"]
    _tell(lines, {"files": [str(path)], "sha256": digest}, json=json)


@build.command("templates")
def build_templates(
    out: OutOption = Path("workbook_templates"),
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Write the workbook templates (.xltx)."""
    from xl_rebal.excel import templates
    from xl_rebal.files import check_target

    names = [templates.PORTFOLIO, templates.LAB]
    if out.exists():
        for name in names:
            check_target(out / name, overwrite=overwrite)
    paths = [str(out / name) for name in templates.build_templates(out)]
    _tell([f"written: {path}" for path in paths], {"files": paths}, json=json)


@install.command("calc")
def install_calc(
    profile: ProfileOption = None, dry_run: DryRunOption = False, json: JsonOption = False
) -> None:
    """Add the functions to LibreOffice 25.2 or newer."""
    from xl_rebal.excel.hosts.calc.install import install as add

    lines = add(profile, dry_run=dry_run)
    _tell(lines, {"done": not dry_run, "steps": lines}, json=json)


@install.command("excel")
def install_excel(
    source: FromOption = None,
    trust_location: TrustOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Put the add-in and the templates where Excel on this Windows or Mac looks for them."""
    from xl_rebal.excel.installation.install import install as put
    from xl_rebal.excel.installation.install import refuse_without_excel
    from xl_rebal.excel.installation.this_machine import ThisMachine
    from xl_rebal.excel.release import checksum, current, read_release

    machine = ThisMachine()
    refuse_without_excel(machine)  # before anything is built for it
    release = current() if source is None else read_release(source)
    lines = put(machine, release, trust_location=trust_location, dry_run=dry_run)
    if source is not None and source.is_file() and machine.mark(str(source)):
        lines.append(
            f"{source.name} came from the internet, and what is installed no longer says so: compare "
            f"its SHA-256 with what its sender told you: {checksum(source)}"
        )
    _tell(lines, {"done": not dry_run, "steps": lines}, json=json)


@uninstall.command("calc")
def uninstall_calc(
    profile: ProfileOption = None, dry_run: DryRunOption = False, json: JsonOption = False
) -> None:
    """Remove the functions from LibreOffice."""
    from xl_rebal.excel.hosts.calc.install import uninstall as remove

    lines = remove(profile, dry_run=dry_run)
    _tell(lines, {"done": not dry_run, "steps": lines}, json=json)


@uninstall.command("excel")
def uninstall_excel(dry_run: DryRunOption = False, json: JsonOption = False) -> None:
    """Remove what `install excel` put and changed, and nothing else."""
    from xl_rebal.excel.installation.this_machine import ThisMachine
    from xl_rebal.excel.installation.uninstall import uninstall as remove

    lines = remove(ThisMachine(), dry_run=dry_run)
    _tell(lines, {"done": not dry_run, "steps": lines}, json=json)


def doctor(json: JsonOption = False) -> None:
    """Look at everything that Excel and LibreOffice need, and name what is wrong with its mend."""
    from xl_rebal.cli import screens
    from xl_rebal.excel.doctor import diagnose, document, has_fault
    from xl_rebal.excel.installation.this_machine import ThisMachine

    findings = diagnose(ThisMachine())
    if json:
        _tell([], document(findings), json=True)
    else:
        screens.show_findings(findings)
    if has_fault(findings):
        raise typer.Exit(1)


def _tell(lines: list[str], document: dict[str, object], *, json: bool) -> None:
    from xl_rebal.cli import documents

    typer.echo(documents.dumps(document) if json else "\n".join(lines))
