"""get.py HOST ADDRESS PORT [--cafile FILE] [--insecure] - an ordinary urllib client.

Connects to ADDRESS as if HOST resolved to it. Prints the body, or what the refusal was.
"""
import argparse
import socket
import ssl
import sys
import urllib.error
import urllib.request


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--cafile")
    parser.add_argument("--insecure", action="store_true")
    asked = parser.parse_args()
    context = ssl.create_default_context(cafile=asked.cafile)
    if asked.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    resolve = socket.getaddrinfo
    socket.getaddrinfo = lambda _, *rest, **more: resolve(asked.address, *rest, **more)
    host = f"[{asked.host}]" if ":" in asked.host else asked.host
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(f"https://{host}:{asked.port}/hello", timeout=60) as response:
            sys.stdout.write(response.read().decode())
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            print(f"SSLCertVerificationError {error.reason.verify_code} {error.reason}")
            return 1
        print(f"{type(error.reason).__name__} {error.reason}")
        return 1 if isinstance(error.reason, ssl.SSLError) else 2
    return 0


sys.exit(main())
