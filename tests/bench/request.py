"""request.py URL - one request with requests, to this machine whatever the host's name."""
import socket
import sys

import requests

look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)
requests.get(sys.argv[1]).raise_for_status()
