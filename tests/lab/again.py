"""again.py HOST - one process that calls servers again and again, as it is told.

Each line of standard input is a PORT of 127.0.0.1 to make a handshake with, and where it isn't
HOST the name to ask for, as a client that verifies nothing itself and takes any key; the answer
is a line: `accept`, `refuse`, or what else went wrong. `resident` is answered by the resident
memory in KiB.
`storm SECONDS THREADS PORT...` makes handshakes with all of them in threads; the answer is the
number of each outcome, and the resident memory in KiB after a fifth of the time and at the end.
"""
import collections
import re
import socket
import ssl
import sys
import threading
import time


def handshake(host, port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    try:
        with socket.create_connection(("127.0.0.1", port), 8) as plain:
            with context.wrap_socket(plain, server_hostname=host):
                return "accept"
    except ssl.SSLCertVerificationError:
        return "refuse"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def storm(host, seconds, threads, ports):
    begun, counts, lock = time.monotonic(), collections.Counter(), threading.Lock()

    def work():
        while time.monotonic() < begun + seconds:
            for port in ports:
                outcome = handshake(host, port)
                with lock:
                    counts[outcome] += 1
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    time.sleep(seconds / 5)
    early = resident()
    for worker in workers:
        worker.join()
    return f"{dict(counts)} {early} {resident()}"


def main(host):
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "storm":
            seconds, threads, *ports = map(int, rest)
            print(storm(host, seconds, threads, ports), flush=True)
        elif word == "resident":
            print(resident(), flush=True)
        else:
            print(handshake(*rest or [host], int(word)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
