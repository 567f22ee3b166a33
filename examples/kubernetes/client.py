"""client.py PORT - a program that runs on: for each line of input it fetches a page anew."""
import socket
import ssl
import sys

for _ in sys.stdin:
    try:
        context = ssl.create_default_context()
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as plain, \
                context.wrap_socket(plain, server_hostname="api.example.test"):
            print("accepted", flush=True)
    except ssl.SSLError:
        print("refused", flush=True)
