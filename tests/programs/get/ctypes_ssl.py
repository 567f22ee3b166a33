"""ctypes_ssl.py HOST PORT CAFILE|- on|off - libssl opened by dlopen and searched by dlsym.

Like Qt's QSslSocket it takes one index of ex_data and uses the next two as well.
"""
import ctypes
import socket
import sys

VERIFY_NONE, VERIFY_PEER = 0, 1
EX_INDEX_SSL = 0
CTRL_SET_TLSEXT_HOSTNAME, NAMETYPE_HOST = 55, 0

crypto, ssl = ctypes.CDLL("libcrypto.so.3"), ctypes.CDLL("libssl.so.3")
for library, name in ((ssl, "TLS_client_method"), (ssl, "SSL_CTX_new"), (ssl, "SSL_new")):
    getattr(library, name).restype = ctypes.c_void_p
crypto.ERR_get_error.restype = ctypes.c_ulong


def pointer(value):
    return ctypes.c_void_p(value)


def connection(host, ca, verify):
    index = crypto.CRYPTO_get_ex_new_index(EX_INDEX_SSL, 0, None, None, None, None)
    context = pointer(ssl.SSL_CTX_new(pointer(ssl.TLS_client_method())))
    ssl.SSL_CTX_set_verify(context, VERIFY_PEER if verify == "on" else VERIFY_NONE, None)
    ssl.SSL_CTX_set_default_verify_paths(context)
    if ca != "-":
        ssl.SSL_CTX_load_verify_locations(context, ca.encode(), None)
    made = pointer(ssl.SSL_new(context))
    for offset in range(3):
        ssl.SSL_set_ex_data(made, index + offset, pointer(1))
    ssl.SSL_ctrl(made, CTRL_SET_TLSEXT_HOSTNAME, NAMETYPE_HOST, host.encode())
    if verify == "on":
        ssl.SSL_set1_host(made, host.encode())
    return made


def main(host, port, ca, verify):
    tls = connection(host, ca, verify)
    with socket.create_connection((host, int(port)), 25) as plain:
        plain.setblocking(True)
        ssl.SSL_set_fd(tls, plain.fileno())
        if ssl.SSL_connect(tls) != 1:
            text = ctypes.create_string_buffer(256)
            crypto.ERR_error_string_n(ctypes.c_ulong(crypto.ERR_get_error()), text, 256)
            print(text.value.decode(), file=sys.stderr)
            return 1
        request, answer = b"GET /hello HTTP/1.0\r\n\r\n", ctypes.create_string_buffer(4096)
        ssl.SSL_write(tls, request, len(request))
        while (length := ssl.SSL_read(tls, answer, 4096)) > 0:
            sys.stdout.write(answer.raw[:length].decode())
    return 0


sys.exit(main(*sys.argv[1:]))
