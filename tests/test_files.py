"""Files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xl_rebal.errors import FileError
from xl_rebal.files import check_target, write_atomically


def test_written_whole(tmp_path):
    target = tmp_path / "a.csv"
    write_atomically(target, b"one")
    assert target.read_bytes() == b"one"
    write_atomically(target, b"two", overwrite=True)
    assert target.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_an_existing_file_is_kept(tmp_path):
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")
    with pytest.raises(FileError, match=r"a.csv: exists already; .*--overwrite"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"


def test_folders(tmp_path):
    with pytest.raises(FileError, match="is a folder"):
        write_atomically(tmp_path, b"", overwrite=True)
    with pytest.raises(FileError, match="'missing' does not exist"):
        write_atomically(tmp_path / "missing" / "a.csv", b"")
    with pytest.raises(FileError, match="not a usable file name"):
        check_target(tmp_path / "a\0b")
    with pytest.raises(FileError):
        write_atomically(tmp_path / ("x" * 300), b"")


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch, step):
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(FileError, match="open in another program"):
        write_atomically(target, b"new", overwrite=True)
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_a_full_disk(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileError, match="No space left"):
        write_atomically(tmp_path / "a.csv", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX systems")
def test_ordinary_permissions(tmp_path):
    target = tmp_path / "a.csv"
    write_atomically(target, b"x")
    plain = tmp_path / "plain"
    plain.write_bytes(b"x")
    assert target.stat().st_mode == plain.stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "real.csv", tmp_path / "link.csv"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_read_only_file_is_kept(tmp_path):
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")
    target.chmod(0o444)
    with pytest.raises(FileError, match=r"a.csv: is read-only"):
        write_atomically(target, b"new", overwrite=True)
    assert target.read_bytes() == b"old"
    target.chmod(0o644)
