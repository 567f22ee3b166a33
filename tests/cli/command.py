"""command.py - the real binary, called in a directory and environment of a test's own."""
import json
import os
import pathlib
import subprocess
import tempfile

from e2e.harness import Failure, require
from lab.files import kept, put_program

TIMEOUT = 120  # seconds; only stops what hangs


class Result:
    """What a call gave: its status and what it wrote, as text."""

    def __init__(self, words, done):
        self.words = words
        self.status = done.returncode
        self.out = (done.stdout or b"").decode("utf-8", "surrogateescape")
        self.err = (done.stderr or b"").decode("utf-8", "surrogateescape")

    def __str__(self):
        return f"{' '.join(map(str, self.words))}: status {self.status}\n{self.out}{self.err}"

    def ended(self, status):
        require(self.status == status, f"wanted status {status}: {self}")
        return self

    def printed(self, *texts):
        for text in texts:
            require(text in self.out, f"not on standard output: {text!r}: {self}")
        return self

    def said(self, *texts):
        for text in texts:
            require(text in self.err, f"not on standard error: {text!r}: {self}")
        return self

    def silent(self):
        require(self.out == "", f"something on standard output: {self}")
        return self

    def quiet(self):
        require(self.err == "", f"something on standard error: {self}")
        return self

    def objects(self):
        """Each line of output as the JSON it must be."""
        try:
            return [json.loads(line) for line in self.out.splitlines()]
        except ValueError as error:
            raise Failure(f"no JSON ({error}): {self}") from error

    def object(self):
        objects = self.objects()
        require(len(objects) == 1, f"not one object: {self}")
        return objects[0]


class Folder:
    """A directory of one test."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def __truediv__(self, name):
        return self.path / name

    def write(self, name, text, mode=0o644):
        """Writes NAME, text or bytes, makes its folder, and returns its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode & 0o111:
            return put_program(path, text, mode)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path


class Command:
    def __init__(self, build, pki, root):
        self.build = pathlib.Path(build).resolve()
        self.pki = kept(pki)
        self.root = root
        self.program = self.build / "trustgraft"
        self.home = self.folder().path

    def missing(self):
        files = [self.program, self.pki / "INDEX"]
        return ", ".join(str(file) for file in files if not file.exists())

    def folder(self):
        return Folder(tempfile.mkdtemp(dir=self.root))

    def policy(self, text, name="policy.conf"):
        """The path of a policy with TEXT, in which {pki} stands for the test PKI."""
        return self.folder().write(name, text.replace("{pki}", str(self.pki)))

    def chain(self, name):
        return self.pki / f"{name}.chain.pem"

    def environment(self, **changes):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8",
               "TERM": "dumb"}
        env.update({name: str(value) for name, value in changes.items()})
        return env

    def __call__(self, *words, env=None, program=None, **options):
        """Runs the command with WORDS; ENV is added to a bare environment."""
        line = [str(program or self.program), *map(str, words)]
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("cwd", self.home)
        done = subprocess.run(line, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False,
                              env=self.environment(**(env or {})), **options)
        return Result(words, done)
