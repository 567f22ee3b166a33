"""lab.py - one laboratory: a PKI, its servers, a scratch directory, and runs of clients."""
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from lab import clients, ways
from lab.clients import Outcome, Target
from lab.files import put
from lab.pki import Pki
from lab.servers import Servers

CLIENT_SECONDS = 120  # only stops what hangs, also on a machine that is busy


def stop_on_signals():
    """SIGTERM and SIGHUP unwind as Ctrl-C does, so that every server is stopped; one that is ignored,
    as by nohup(1), stays so."""
    def leave(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)


def run(command, environment, stdin=b"", seconds=CLIENT_SECONDS, **options):
    """A client in a session of its own; (status, stdout, stderr), status None after SECONDS."""
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True, **options)
    try:
        out, err = process.communicate(stdin, seconds)
        status = process.returncode
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = None
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
    return status, out.decode(errors="backslashreplace"), err.decode(errors="backslashreplace")


class Lab(contextlib.AbstractContextManager):
    """With it open, servers run; leaving it stops them and removes the scratch directory."""

    def __init__(self, build, pki):
        self.build, self.pki = ways.Build(build), Pki(pki)

    def __enter__(self):
        stop_on_signals()
        with contextlib.ExitStack() as stack:
            self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="trustgraft-lab-"))
            stack.callback(shutil.rmtree, self.scratch, ignore_errors=True)
            self.scratch.chmod(0o755)
            (self.scratch / "home").mkdir(mode=0o755)
            self.servers = stack.enter_context(Servers(self.pki, self.scratch))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self.stack.__exit__(*exception)

    def policy(self, text, **extra):
        """The path of a policy file with TEXT, expanded by Pki.expand; {known} is a known-hosts
        file with what stands behind `#known ` in its lines."""
        known = self.pki.known_hosts(text, self.scratch, **extra)
        body = self.pki.expand(text, scratch=self.scratch, known=known, **extra).encode()
        path = self.scratch / f"{hashlib.sha256(body).hexdigest()[:16]}.conf"
        return path if path.exists() else put(path, body)

    def target(self, server, host="api.example.test", app=None, insecure=False,
               address="127.0.0.1"):
        """SERVER, dialled as HOST by an application that trusts the certificate APP."""
        return Target(host, self.servers.ports[server], address,
                      str(self.pki.pem(app)) if app else None, insecure)

    def environment(self, **extra):
        return ways.clean_environment(self.scratch / "home") | extra

    def run(self, command, stdin=b"", environment=None, **options):
        return run(command, self.environment(**(environment or {})), stdin, **options)

    def get(self, program, way, target, policy=None):
        """PROGRAM fetches from TARGET under the policy file POLICY by one of the ways in."""
        program = clients.PROGRAMS[program]
        command = ways.by_command(self.build, way, program.command(target), policy)
        if not ways.reaches(self.build, way, program.executable):
            return self.unreachable(program, way, command)
        status, out, err = self.run(command, program.stdin)
        return self.judge(program, status, out, err)

    def get_raw(self, program, way, target, policy=None):
        """The same without the command: injected by the environment alone."""
        program = clients.PROGRAMS[program]
        status, out, err = self.run(program.command(target), program.stdin,
                                    ways.by_environment(self.build, way, policy))
        return self.judge(program, status, out, err)

    @staticmethod
    def judge(program, status, out, err):
        verdict, code = program.judge(status, out, err) if status is not None else ("error", None)
        return Outcome(verdict, -1 if status is None else status, out, err, code)

    def unreachable(self, program, way, command):
        """`run` must say so, and name the way that does reach it, before anything is run."""
        status, out, err = self.run(command, program.stdin)
        refused = status not in (0, None) and "hello" not in out and "--provider" in err
        return Outcome("unreachable" if refused and way == ways.PRELOAD else "error",
                       -1 if status is None else status, out, err)
