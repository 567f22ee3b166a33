"""servers.py - starts real servers, and stops every one of them whatever happens."""
import contextlib
import ctypes
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from lab.files import put

START_SECONDS = 120
PR_SET_PDEATHSIG = 1
PRCTL = ctypes.CDLL(None).prctl  # found beforehand: a child takes no lock that a thread may have
HERE = pathlib.Path(__file__).resolve().parent
HOLDERS = []  # sockets that only hold a port
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def die_with_parent():
    """In the child: no server outlives the lab, even one that was killed (prctl(2))."""
    PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    """
    A port for a server that is yet to be started. Until this process ends, it is its own: nobody
    is given it by the kernel, nor chosen it by another free_port(), for a socket that never listens
    has it. A server can have it besides, for it asks for SO_REUSEADDR, as servers do.
    """
    while True:
        holder = socket.socket()
        with contextlib.suppress(OSError):
            holder.bind(("127.0.0.1", random.randrange(10000, 32000)))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # from here on
            HOLDERS.append(holder)
            return holder.getsockname()[1]
        holder.close()


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def in_thread(serve, seconds=60):
    """SERVE(listener) runs beside the body, which gets the port; it has ended afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(seconds)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


class Servers(contextlib.AbstractContextManager):
    """Servers for the leaves of PKI; leaving the context stops them. One thread starts them."""

    def __init__(self, pki, scratch):
        self.pki, self.scratch = pki, pathlib.Path(scratch)
        self.ports, self.running = {}, []

    def __exit__(self, *_):
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        self.running.clear()

    def start(self, command, **options):
        process = subprocess.Popen(command, preexec_fn=die_with_parent, start_new_session=True,
                                   **options)
        self.running.append(process)
        return process

    def python(self, names):
        """CPython's ssl, one port for each of NAMES (serve.py says what a name is)."""
        self.script("serve.py", names)

    def stapling(self, names):
        """The same with stapled OCSP answers (staple.py says what a name is)."""
        self.script("staple.py", names)

    def script(self, script, names):
        wanted = [name for name in dict.fromkeys(names) if name not in self.ports]
        process = self.start([sys.executable, str(HERE / script), str(self.pki.directory),
                              *wanted], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line == "ready\n":
                return
            name, port = line.split()
            self.ports[name] = int(port)
        raise RuntimeError(f"{script} ended: {process.wait()}")

    def wait_for(self, name, process, port):
        end = time.monotonic() + START_SECONDS
        while not accepts(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start: {process.args}")
            time.sleep(0.02)
        self.ports[name] = port

    def openssl(self, name, *arguments, leaf=None):
        """openssl s_server under NAME; it serves the file `hello`, as -WWW does."""
        put(self.scratch / "hello", f"hello from {name}\n")
        identity = ["-cert", str(self.pki.pem(leaf)), "-key", str(self.pki.key(leaf)),
                    "-cert_chain", str(self.pki.chain(leaf))] if leaf else ["-nocert"]
        port = free_port()
        process = self.start(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-WWW", "-quiet", *identity,
             *arguments], cwd=self.scratch, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(name, process, port)

    def nginx(self, name, leaf, settings=""):
        """nginx under NAME with one leaf; False where this machine has no nginx."""
        if not NGINX:
            return False
        port, home = free_port(), self.scratch / name
        put(home / "html" / "hello", f"hello from {name}\n")
        (home / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
            events {{}}
            http {{
                access_log off; client_body_temp_path {home}; proxy_temp_path {home};
                fastcgi_temp_path {home}; uwsgi_temp_path {home}; scgi_temp_path {home};
                server {{
                    listen 127.0.0.1:{port} ssl; root {home}/html;
                    ssl_certificate {self.pki.chain(leaf)};
                    ssl_certificate_key {self.pki.key(leaf)};
                    {settings}
                }}
            }}""")
        process = self.start([NGINX, "-e", f"{home}/error.log", "-c", f"{home}/nginx.conf",
                              "-p", str(home)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(name, process, port)
        return True

    def raw(self, name, certificates):
        """A TLS 1.2 server that sends CERTIFICATES, any bytes, as they are (raw.py)."""
        process = self.start([sys.executable, str(HERE / "raw.py")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        process.stdin.write("".join(f"{one.hex()}\n" for one in certificates).encode() + b"\n")
        process.stdin.flush()
        self.ports[name] = int(process.stdout.readline())
