"""release.py - `make release`, in a checkout of its own: what it refuses, and what it makes."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from e2e.harness import Skip, require                                      # noqa: E402
from portable.programs import check_machine                                # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
VERSION = re.search(r"(?m)^VERSION *:= (\S+)$", (SOURCE / "Makefile").read_text())[1]
NOTES = "This is the first.\n\n### Added\n\n- A thing:\n\n  indented.\n"
ABOVE, BELOW = "# Changes\n\nNewest first.\n\n", "\n## 0.0.9 - 2026-01-01\n\nThe one before.\n"
FITTING = f"{ABOVE}## {VERSION} - 2026-11-27\n\n{NOTES}{BELOW}"


def call(tree, *words):
    """The exit status of WORDS in TREE, called as a user calls them, and what they say."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "SOURCE_DATE_EPOCH")}
    done = subprocess.run(words, cwd=tree, env=kept, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=1500)
    return done.returncode, done.stdout


def commit(tree):
    for words in (("add", "-A"), ("-c", "user.name=T", "-c", "user.email=t@example.test", "commit", "-qm", "all")):
        status, said = call(tree, "git", *words)
        require(status == 0, said)


def checkout(lab, changes):
    """What is committed of this tree, and its changes since, with CHANGES as its CHANGELOG.md."""
    if not (SOURCE / ".git").exists():
        raise Skip("no git checkout")
    tree = pathlib.Path(tempfile.mkdtemp(dir=lab.scratch)) / "tree"
    for name in call(SOURCE, "git", "ls-files", "-co", "--exclude-standard")[1].splitlines():
        if (SOURCE / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, tree / name)
    (tree / "CHANGELOG.md").write_text(changes)
    require(call(tree, "git", "init", "-q")[0] == 0, "git init")
    commit(tree)
    return tree


def refusal_test(lab):
    """Each in a sentence, before anything is built."""
    tree = checkout(lab, FITTING)

    def refused(wanted):
        status, said = call(tree, "make", "-s", "release")
        require(status == 2 and said.startswith("release: ") and wanted in said.splitlines()[0],
                f"not refused for {wanted!r}: exit {status}: {said}")
        require(not (tree / "build").exists(), f"something is built though refused for {wanted!r}")

    (tree / "stray.c").touch()
    refused("the tree isn't clean: ?? stray.c")
    (tree / "stray.c").unlink()
    (tree / "Makefile").open("a").write("#\n")
    refused("the tree isn't clean:  M Makefile")
    unreleased = f"{ABOVE}## Unreleased\n\nNot yet told.\n\n"
    for changes in (f"{unreleased}{BELOW}", f"{unreleased}{FITTING[len(ABOVE):]}", ABOVE, FITTING.replace(NOTES, ""),
                    FITTING.replace(VERSION, VERSION + "1"), FITTING.replace("## 0", "### 0")):
        (tree / "CHANGELOG.md").write_text(changes)
        commit(tree)
        refused(f"doesn't begin with a section '## {VERSION}' that says something")
    shutil.rmtree(tree / ".git")
    refused("no git checkout")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def release(tree):
    status, said = call(tree, "make", "-s", "release")
    require(status == 0 and said.splitlines()[-1] == "build/release", f"exit {status}: {said}")
    return digests(tree / "build/release")


def release_test(lab):
    """Twice of one commit, from nothing: the same bytes. Its sources build what it says it is."""
    tree, roots = checkout(lab, FITTING), lab.build.directory / "portable"
    if os.geteuid() != 0 or not (roots / "root").exists():
        raise Skip("needs root, and what `make portable` leaves")
    made = []
    for _ in range(2):
        shutil.rmtree(tree / "build", ignore_errors=True)
        (tree / "build").mkdir()
        (tree / "build/portable").symlink_to(roots.resolve())
        if (lab.build.directory / "arm64/root").exists():
            (tree / "build/arm64").mkdir()
            (tree / "build/arm64/root").symlink_to((lab.build.directory / "arm64/root").resolve())
        made.append(release(tree))
        (tree / "build/portable").unlink()
    require(made[0] == made[1], f"the bytes differ: {made}")
    machine = call(tree, "uname", "-m")[1].strip()
    debian = call(tree, "dpkg", "--print-architecture")[1].strip()
    sources, package, portable = (f"trustgraft-{VERSION}.tar.gz", f"trustgraft_{VERSION}_{debian}.deb",
                                  f"trustgraft-{VERSION}-linux-{machine}.tar.gz")
    others = (f"trustgraft_{VERSION}_arm64.deb", f"trustgraft-{VERSION}-linux-aarch64.tar.gz") if debian == "amd64" else ()
    archives = sorted((sources, package, portable, *others))
    require(set(made[0]) == {*archives, "SHA256SUMS", "RELEASE-NOTES.md"}, f"{made[0]}")
    folder = tree / "build/release"
    require((folder / "RELEASE-NOTES.md").read_text() == NOTES, (folder / "RELEASE-NOTES.md").read_text())
    status, said = call(folder, "sha256sum", "-c", "--strict", "SHA256SUMS")
    require(status == 0 and said == "".join(f"{name}: OK\n" for name in archives), said)
    for architecture in (debian, "arm64") if others else (debian,):
        name = f"trustgraft_{VERSION}_{architecture}.deb"
        status, said = call(folder, "dpkg-deb", "-f", name, "Version", "Architecture")
        require(said == f"Version: {VERSION}\nArchitecture: {architecture}\n", said)
    for archive, top, command in ((portable, portable, "bin/trustgraft"), (sources, f"trustgraft-{VERSION}", "build/trustgraft")):
        require(call(folder, "tar", "-xzf", archive, "-C", str(tree.parent))[0] == 0, archive)
        top = tree.parent / top.removesuffix(".tar.gz")
        if archive == sources:
            status, said = call(top, "make", "-s")
            require(status == 0, f"the sources don't build: {said}")
        status, said = call(top, command, "--version")
        require(status == 0 and said.startswith(f"trustgraft {VERSION}\n"), f"{archive}: exit {status}: {said}")
    for archive in others[1:]:
        require(call(folder, "tar", "-xzf", archive, "-C", str(tree.parent))[0] == 0, archive)
        check_machine(tree.parent / archive.removesuffix(".tar.gz"), "aarch64")
