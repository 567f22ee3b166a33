"""pyopenssl.py HOST PORT CAFILE|- on|off - pyOpenSSL, with a verify callback written in Python."""
import socket
import sys

from OpenSSL import SSL


def heed(_connection, _certificate, _error, _depth, verified):
    return bool(verified)


def main(host, port, ca, verify):
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_PEER if verify == "on" else SSL.VERIFY_NONE, heed)
    context.set_default_verify_paths()
    if ca != "-":
        context.load_verify_locations(ca)
    with socket.create_connection((host, int(port)), 25) as plain:
        plain.setblocking(True)
        tls = SSL.Connection(context, plain)
        tls.set_tlsext_host_name(host.encode())
        tls.set_connect_state()
        try:
            tls.do_handshake()
            tls.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
            while data := tls.recv(4096):
                sys.stdout.write(data.decode())
        except SSL.ZeroReturnError:
            return 0
        except SSL.Error as error:
            print(error, file=sys.stderr)
            return 1


sys.exit(main(*sys.argv[1:]))
