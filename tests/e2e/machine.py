"""machine.py - runs of clients under a system policy, without touching the machine's own /etc."""
import contextlib
import os
import pathlib
import shutil
import socket
import tempfile

from e2e.harness import Skip

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


class System(contextlib.AbstractContextManager):
    """A machine with a system policy (TEXT, None: none) and an openssl.cnf of its own."""

    def __init__(self, lab, policy=None, openssl_cnf=None, mode=0o644):
        needs = [name for name in ("unshare", "setpriv") if not shutil.which(name)]
        if os.geteuid() != 0 or needs:
            raise Skip(f"needs root {' '.join(needs)}, to stand in for the system's files")
        self.lab = lab
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="system-", dir=lab.scratch))
        self.home.chmod(0o755)
        self.socket = None
        if policy is not None:
            (self.home / "policy.conf").write_text(lab.pki.expand(policy, scratch=lab.scratch))
            (self.home / "policy.conf").chmod(mode)
        if openssl_cnf is not None:
            (self.home / "openssl.cnf").write_text(openssl_cnf)

    def __exit__(self, *_):
        if self.socket:
            self.socket.close()

    def listen(self):
        """Becomes the system's log; what comes there is read by logged()."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.home / "log"))
        (self.home / "log").chmod(0o666)
        return self

    def logged(self):
        """The datagrams so far."""
        out = []
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                out.append(self.socket.recv(1 << 16).decode())
        return out

    def run(self, command, environment=None, user=True, stdin=b""):
        """(status, stdout, stderr) of COMMAND; by default as an unprivileged user."""
        variables = [f"{key}={value}" for key, value in (environment or {}).items()]
        whole = ["unshare", "-m", "--propagation", "private", str(HERE.parent / "lab" / "machine.sh"),
                 str(self.home), *(AS_NOBODY if user else []), "env", *variables, *command]
        got = self.lab.run(whole, stdin)
        with contextlib.suppress(OSError):
            (self.home / "mnt").rmdir()
        if got[0] and ("unshare:" in got[2] or "mount:" in got[2]):
            raise Skip(f"no mount namespace here: {got[2].strip()}")
        return got
