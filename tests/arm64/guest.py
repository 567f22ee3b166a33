"""guest.py - systems of arm64, in which their own programs run, by qemu-user."""
import functools
import pathlib
import subprocess

from compat import place
from e2e.harness import Skip

HERE = pathlib.Path(__file__).resolve().parent
NAMESPACE = tuple(str(HERE / name) for name in ("namespace.py", "guest.sh"))
WHY = ("needs root, qemu-user-static, and qemu-aarch64 among the kernel's binfmt_misc, or Linux 6.7, "
       "where a user namespace has its own")


@functools.cache
def why_not(root):
    """What keeps programs of the system in ROOT from running here, or ''."""
    if not place.may_mount():
        return WHY
    done = subprocess.run([*NAMESPACE, str(root), "--", "uname", "-m"], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return "" if done.stdout == "aarch64\n" else f"{WHY}: {done.stdout}"


class Guest:
    """The system unpacked in ROOT, in which commands run: with COMMAND, the trustgraft there, the
    folders SEEN besides those that all tests need, and the servers of this machine."""

    def __init__(self, lab, root, command, *seen):
        if why_not(root):
            raise Skip(why_not(root))
        self.lab, self.root, self.command = lab, root, command
        self.seen = (lab.pki.directory, lab.scratch, place.HERE.parent, *seen)

    def run(self, *command, stdin=b"", environment=None, **options):
        """(status, output, error output)."""
        return self.lab.run([*NAMESPACE, str(self.root), *map(str, self.seen), "--", *map(str, command)], stdin,
                            environment, **options)
