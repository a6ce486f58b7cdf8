"""What all tests share: the outside data, LibreOffice, and the rules they run under."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests import libreoffice
from tests.libreoffice import CalcError, CalcSession

PROJECT = Path(__file__).resolve().parents[1]

# .ci/run sets this: what a machine may lack elsewhere must be there, so that nothing is skipped.
REQUIRE_ALL = os.environ.get("XL_REBAL_REQUIRE_ALL") == "1"

settings.register_profile(
    "default", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if REQUIRE_ALL or os.environ.get("CI") else "default")


def missing(what: str) -> NoReturn:
    """Skip the test and say why; fail it where everything has to be there."""
    if REQUIRE_ALL:
        pytest.fail(f"required by XL_REBAL_REQUIRE_ALL: {what}", pytrace=False)
    pytest.skip(what)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under `-n 2 --dist loadgroup` one worker runs all tests with Calc, so one Calc is started."""
    for item in items:
        if "calc" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("libreoffice"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` with outside data, beside the checkout or named by XL_REBAL_SHARED."""
    folder = Path(os.environ.get("XL_REBAL_SHARED") or PROJECT.parent / "shared")
    if not (folder / "data").is_dir():
        missing(f"no outside data at {folder}; name the folder 'shared' in XL_REBAL_SHARED")
    return folder


@pytest.fixture(scope="session")
def shared_data(shared: Path) -> Path:
    """The folder `shared/data`: custodian exports, prices, published figures."""
    return shared / "data"


@pytest.fixture(scope="session")
def soffice() -> str:
    """Path of LibreOffice 25.2 or newer."""
    try:
        return libreoffice.find_soffice()
    except CalcError as error:
        missing(str(error))


@pytest.fixture(scope="session")
def calc(soffice: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalcSession]:
    """A headless Calc: `with calc.open(path) as book: book.recalculate(); book.value(...)`."""
    try:
        libreoffice.find_uno_python()
    except CalcError as error:
        missing(str(error))
    yield from libreoffice.running_session(tmp_path_factory.mktemp("calc"))


@pytest.fixture(scope="session")
def render_pages(soffice: str) -> Callable[[Path, Path], list[Path]]:
    """`render_pages(xlsx, outdir)`: the printed pages of a workbook as PNG files."""
    try:
        libreoffice.find_pdftoppm()
    except CalcError as error:
        missing(str(error))
    return partial(libreoffice.render_pages, dpi=80)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """A test that reaches for the network fails at once; this machine itself is allowed."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0] if isinstance(address, tuple) else address
            if host not in ("127.0.0.1", "::1", "localhost"):
                raise RuntimeError(f"tests must not use the network (tried {address!r})")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
