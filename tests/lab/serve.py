"""serve.py PKI SERVER... - HTTPS servers on loopback, one port each, until standard input ends.

SERVER is the name of a leaf, with /1.2 behind it for a server that speaks no TLS 1.3, or
/no-tickets for one whose clients always say the same: when a ticket arrives is chance. Each
listens on 127.0.0.1 and, where the machine has it, on the same port of ::1, and answers every
request with "hello from LEAF". Prints "SERVER PORT" for each, then "ready".
"""
import contextlib
import errno
import pathlib
import selectors
import socket
import ssl
import sys
import threading

TIMEOUT = 60  # seconds for one connection


def context(pki, server):
    """As lenient as libssl can be: a server that presents whatever the PKI holds."""
    leaf, _, variant = server.partition("/")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")
    if variant == "1.2":
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if variant == "no-tickets":
        made.num_tickets = 0
    made.load_cert_chain(pki / f"{leaf}.chain.pem", pki / f"{leaf}.key")
    return made


def listen():
    """Listening sockets of one free port, in both address families where both exist."""
    for _ in range(50):
        four = socket.create_server(("127.0.0.1", 0), backlog=64)
        try:
            six = socket.create_server(("::1", four.getsockname()[1]), family=socket.AF_INET6,
                                       backlog=64)
            return [four, six]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [four]
            four.close()
    raise OSError("no free port in both address families")


def answer(connection, tls, text):
    """One request, one response. A client that refuses us is what we are here for."""
    with contextlib.suppress(OSError, ValueError), connection:
        connection.settimeout(TIMEOUT)
        with tls.wrap_socket(connection, server_side=True) as secured:
            request = b""
            while b"\r\n\r\n" not in request:
                more = secured.recv(4096)
                if not more:
                    return
                request += more
            body = text.encode()
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close"
                            b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            secured.unwrap()


def main(pki, servers):
    ready = selectors.DefaultSelector()
    for server in servers:
        tls = context(pki, server)
        text = f"hello from {server.partition('/')[0]}\n"
        for listener in (listeners := listen()):
            ready.register(listener, selectors.EVENT_READ, (tls, text))
        print(server, listeners[0].getsockname()[1], flush=True)
    ready.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.data is None:
                return  # the lab has closed our standard input, or is gone
            connection, _ = key.fileobj.accept()
            threading.Thread(target=answer, args=(connection, *key.data), daemon=True).start()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
