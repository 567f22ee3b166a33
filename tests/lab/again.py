"""again.py HOST - one process that calls servers again and again, as it is told.

Each line of standard input is a PORT of 127.0.0.1 to make a handshake with, and where it isn't
HOST the name to ask for, as a client that verifies nothing itself and takes any key; the answer
is a line: `accept`, `refuse`, or what else went wrong. `resident` is answered by the resident
memory in KiB.
`storm THREADS PORT...` makes handshakes with all of them in threads, until `calm`; each of these,
and `storm` alone meanwhile, is answered by the number of each outcome so far.
"""
import collections
import re
import socket
import ssl
import sys
import threading


def handshake(host, port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as plain:
            with context.wrap_socket(plain, server_hostname=host):
                return "accept"
    except ssl.SSLCertVerificationError:
        return "refuse"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


class Storm:
    """Handshakes in threads, as long as it isn't calm."""

    def __init__(self, host):
        self.host, self.counts, self.lock = host, collections.Counter(), threading.Lock()
        self.workers, self.calm = [], threading.Event()

    def work(self, ports):
        while not self.calm.is_set():
            for port in ports:
                outcome = handshake(self.host, port)
                with self.lock:
                    self.counts[outcome] += 1

    def begin(self, threads, *ports):
        self.workers = [threading.Thread(target=self.work, args=(ports,), daemon=True)
                        for _ in range(threads)]
        for worker in self.workers:
            worker.start()

    def end(self):
        self.calm.set()
        for worker in self.workers:
            worker.join()

    def __str__(self):
        with self.lock:
            return str(dict(self.counts))


def main(host):
    storm = Storm(host)
    for line in sys.stdin:
        word, *rest = line.split()
        if word in ("storm", "calm"):
            if word == "calm":
                storm.end()
            elif rest:
                storm.begin(*map(int, rest))
            print(storm, flush=True)
        elif word == "resident":
            print(resident(), flush=True)
        else:
            print(handshake(*rest or [host], int(word)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
