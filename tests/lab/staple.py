"""staple.py PKI SERVER... - HTTPS servers on loopback that staple any bytes, one port each.

SERVER is LEAF=ANSWER, the name of an OCSP answer of the PKI or nothing, with /1.2 behind it for a
server that speaks no TLS 1.3. CPython's ssl can't staple, and s_server and nginx decode what they
staple: so this one calls libssl itself. Prints "SERVER PORT" for each, then "ready"; ends with
standard input.
"""
import ctypes
import ctypes.util
import pathlib
import selectors
import socket
import struct
import sys
import threading

TIMEOUT = 60  # seconds for one connection
SET_STATUS_CB, SET_STATUS_RESPONSE, SET_MAX_VERSION, TLS1_2 = 63, 71, 124, 0x0303
ACKNOWLEDGED, NOT_ACKNOWLEDGED = 0, 3
PEM = 1

crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
STATUS_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
for library, name, result, arguments in (
        (crypto, "CRYPTO_malloc", "p", "zsi"), (ssl, "TLS_server_method", "p", ""),
        (ssl, "SSL_CTX_new", "p", "p"), (ssl, "SSL_CTX_ctrl", "l", "pilp"),
        (ssl, "SSL_CTX_callback_ctrl", "l", "pif"), (ssl, "SSL_new", "p", "p"),
        (ssl, "SSL_CTX_use_certificate_chain_file", "i", "ps"),
        (ssl, "SSL_CTX_use_PrivateKey_file", "i", "psi"), (ssl, "SSL_ctrl", "l", "pilp"),
        (ssl, "SSL_set_fd", "i", "pi"), (ssl, "SSL_accept", "i", "p"),
        (ssl, "SSL_read", "i", "psi"), (ssl, "SSL_write", "i", "psi"),
        (ssl, "SSL_shutdown", "i", "p"), (ssl, "SSL_free", "n", "p")):
    kinds = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_long, "z": ctypes.c_size_t,
             "s": ctypes.c_char_p, "f": STATUS_CALLBACK, "n": None}
    function = getattr(library, name)
    function.restype, function.argtypes = kinds[result], [kinds[one] for one in arguments]


def stapler(answer):
    """A status callback that staples these bytes; libssl frees each copy."""
    def staple(connection, _):
        if answer is None:
            return NOT_ACKNOWLEDGED
        copy = crypto.CRYPTO_malloc(len(answer), b"", 0)
        ctypes.memmove(copy, answer, len(answer))
        ssl.SSL_ctrl(connection, SET_STATUS_RESPONSE, len(answer), copy)
        return ACKNOWLEDGED
    return STATUS_CALLBACK(staple)


def make_context(pki, server):
    """The SSL_CTX of a server, and what has to live as long."""
    identity, _, version = server.partition("/")
    leaf, _, answer = identity.partition("=")
    context = ssl.SSL_CTX_new(ssl.TLS_server_method())
    callback = stapler((pki / f"{answer}.ocsp").read_bytes() if answer else None)
    if version:
        ssl.SSL_CTX_ctrl(context, SET_MAX_VERSION, TLS1_2, None)
    if not (ssl.SSL_CTX_use_certificate_chain_file(context, str(pki / f"{leaf}.chain.pem").encode())
            and ssl.SSL_CTX_use_PrivateKey_file(context, str(pki / f"{leaf}.key").encode(), PEM)):
        raise OSError(f"no identity {leaf}")
    ssl.SSL_CTX_callback_ctrl(context, SET_STATUS_CB, callback)
    return context, callback


def answer_request(connection, context, text):
    """One request, one response. A client that refuses us is what we are here for."""
    with connection:
        wait = struct.pack("ll", TIMEOUT, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        secured = ssl.SSL_new(context)
        ssl.SSL_set_fd(secured, connection.fileno())
        request, buffer = b"", ctypes.create_string_buffer(4096)
        if ssl.SSL_accept(secured) == 1:
            while b"\r\n\r\n" not in request:
                size = ssl.SSL_read(secured, buffer, len(buffer))
                if size <= 0:
                    break
                request += buffer.raw[:size]
            else:
                body = text.encode()
                response = (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                            % (len(body), body))
                ssl.SSL_write(secured, response, len(response))
                ssl.SSL_shutdown(secured)
        ssl.SSL_free(secured)


def main(pki, servers):
    ready, kept = selectors.DefaultSelector(), []
    for server in servers:
        context, callback = make_context(pki, server)
        kept.append(callback)
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        text = f"hello from {server}\n"
        ready.register(listener, selectors.EVENT_READ, (context, text))
        print(server, listener.getsockname()[1], flush=True)
    ready.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.data is None:
                return
            connection, _ = key.fileobj.accept()
            threading.Thread(target=answer_request, args=(connection, *key.data),
                             daemon=True).start()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
