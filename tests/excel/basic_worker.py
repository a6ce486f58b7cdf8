"""Runs under LibreOffice's own Python: `basic_worker.py SOFFICE PROFILE MODULES.json`.

Puts VBA modules into a hidden Calc document in VBA mode, calls the functions asked for, and prints
what each gives as JSON. A module that does not compile gives an error for all of its functions.
MODULES.json holds one document, or a list of them that are made one after the other.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import uno  # type: ignore[import-not-found, unused-ignore]  # LibreOffice's


def connect(pipe):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local
    )
    for _ in range(240):
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except Exception:  # not up yet
            time.sleep(0.25)
    raise SystemExit("LibreOffice did not start")


def setting(name, value):
    found = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
    found.Name, found.Value = name, value
    return found


def answers(desktop, asked):
    document = desktop.loadComponentFromURL(
        "private:factory/scalc",
        "_blank",
        0,
        (setting("Hidden", True), setting("MacroExecutionMode", 4)),
    )
    try:
        sheet = document.Sheets.getByIndex(0)
        for row, cells in enumerate(asked["cells"]):
            for column, value in enumerate(cells):
                sheet.getCellByPosition(column, row).Value = value
        document.BasicLibraries.VBACompatibilityMode = True
        library = document.BasicLibraries.getByName("Standard")
        for name, text in asked["modules"].items():
            library.insertByName(name, text)
        return {name: answer(document, name) for name in asked["calls"]}
    finally:
        document.close(True)


def answer(document, name):
    where = f"vnd.sun.star.script:Standard.{name}?language=Basic&location=document"
    try:
        return document.getScriptProvider().getScript(where).invoke((), (), ())[0]
    except Exception as error:
        return f"failed: {error}"


def main():
    soffice, profile, asked = sys.argv[1:4]
    pipe = f"xl_rebal_basic_{os.getpid()}"
    command = [soffice, "--headless", "--norestore", "--nologo", "--nodefault"]
    command += [
        f"-env:UserInstallation={Path(profile).as_uri()}",
        f"--accept=pipe,name={pipe};urp;",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        context = connect(pipe)
        desktop = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.frame.Desktop", context
        )
        documents = json.loads(Path(asked).read_text())
        if isinstance(documents, list):
            print(json.dumps([answers(desktop, each) for each in documents]))
        else:
            print(json.dumps(answers(desktop, documents)))
        with contextlib.suppress(Exception):  # the bridge goes down with the program
            desktop.terminate()
        process.wait(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


main()
