"""files.py - files that tests share while several run at once."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile


def put(path, content, owner=None):
    """
    PATH with that text or these bytes, readable for everybody, in place by one rename: who reads
    it meanwhile sees the old or the new, never an empty or half of one. Returns the path.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    fresh.write_bytes(content.encode() if isinstance(content, str) else content)
    fresh.chmod(0o644)
    if owner is not None:
        os.chown(fresh, owner, owner)
    fresh.rename(path)
    return path


def put_program(path, content, mode=0o755):
    """
    PATH as a program: that text, these bytes, or those of the file at that path. Another process
    writes it. While this one does, a child that another of its threads is just starting has the file
    open as well, until it has become what it is to run; and who executes the file meanwhile is told
    that it is busy (execve(2), ETXTBSY). Returns the path.
    """
    if isinstance(content, pathlib.Path):
        content = content.read_bytes()
    subprocess.run(["install", "-m", f"{mode:o}", "/dev/stdin", path], check=True,
                   input=content.encode() if isinstance(content, str) else content)
    return pathlib.Path(path)


def exposed(path):
    """True if others than root and the user could exchange what PATH leads to."""
    for folder in (pathlib.Path(path).resolve(), *pathlib.Path(path).resolve().parents):
        status = folder.stat()
        if status.st_uid not in (0, os.geteuid()):
            return True
        if status.st_mode & 0o022 and not status.st_mode & 0o1000:
            return True
    return False


def kept(folder):
    """
    FOLDER, or where it is exposed, as in a checkout made under umask 002, a copy that isn't and
    that goes when the process ends: a policy believes only what nobody else can exchange.
    """
    if not exposed(folder):
        return pathlib.Path(folder).resolve()
    home = pathlib.Path(tempfile.mkdtemp(prefix="trustgraft-kept-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    home.chmod(0o755)
    copy = home / pathlib.Path(folder).name
    shutil.copytree(folder, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    return copy
