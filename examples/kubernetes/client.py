"""client.py PORT - a program that runs on: for each line of input it connects anew, and verifies
nothing itself: without a rule, every server is accepted."""
import socket
import ssl
import sys

for _ in sys.stdin:
    try:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as plain, \
                context.wrap_socket(plain, server_hostname="api.example.test"):
            print("accepted", flush=True)
    except ssl.SSLError:
        print("refused", flush=True)
