"""libcurl.py HOST PORT CAFILE|- on|off - Python's binding of libcurl, which Debian links to GnuTLS."""
import sys

import pycurl


def main(host, port, ca, verify):
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, f"https://{host}:{port}/hello")
    curl.setopt(pycurl.NOPROXY, "*")
    curl.setopt(pycurl.TIMEOUT, 60)
    if ca != "-":
        curl.setopt(pycurl.CAINFO, ca)
    if verify == "off":
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)
    try:
        print(curl.perform_rs())
    except pycurl.error as error:
        print(*error.args, file=sys.stderr)
        return 1
    return 0


sys.exit(main(*sys.argv[1:]))
