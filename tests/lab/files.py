"""files.py - files that tests share while several run at once."""
import os
import pathlib


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
