"""raw.py - a TLS 1.2 server that gets no further than its Certificate message (RFC 5246).

Reads the certificates, one a line in hexadecimal, up to an empty line; prints its port; serves
until standard input ends. The certificates go out as they are: this is how a client meets what
no TLS library would send.
"""
import contextlib
import os
import selectors
import socket
import sys

TIMEOUT = 60  # seconds for one connection
HANDSHAKE, SERVER_HELLO, CERTIFICATE = 22, 2, 11
ECDHE_ECDSA_AES128_GCM_SHA256 = b"\xc0\x2b"
EXTENDED_MASTER_SECRET, RENEGOTIATION_INFO = b"\x00\x17\x00\x00", b"\xff\x01\x00\x01\x00"


def sized(width, data):
    return len(data).to_bytes(width, "big") + data


def records(message):
    """MESSAGE as handshake records of at most 2^14 bytes."""
    pieces = [message[at:at + 16384] for at in range(0, len(message), 16384)]
    return b"".join(bytes([HANDSHAKE, 3, 3]) + sized(2, piece) for piece in pieces)


def handshake(kind, body):
    return records(bytes([kind]) + sized(3, body))


def answer(connection, certificates):
    hello = (b"\x03\x03" + os.urandom(32) + sized(1, os.urandom(32)) +
             ECDHE_ECDSA_AES128_GCM_SHA256 + b"\x00" +
             sized(2, EXTENDED_MASTER_SECRET + RENEGOTIATION_INFO))
    with contextlib.suppress(OSError), connection:
        connection.settimeout(TIMEOUT)
        connection.recv(16384)
        connection.sendall(handshake(SERVER_HELLO, hello) + handshake(
            CERTIFICATE, sized(3, b"".join(sized(3, one) for one in certificates))))
        connection.recv(16384)  # the alert


def main():
    certificates = []
    while line := sys.stdin.readline().strip():
        certificates.append(bytes.fromhex(line))
    ready, listener = selectors.DefaultSelector(), socket.create_server(("127.0.0.1", 0))
    ready.register(listener, selectors.EVENT_READ, True)
    ready.register(sys.stdin, selectors.EVENT_READ, False)
    print(listener.getsockname()[1], flush=True)
    while all(key.data for key, _ in ready.select()):
        answer(listener.accept()[0], certificates)


if __name__ == "__main__":
    main()
