"""session.py HOST PORT CAFILE|- on|off - requests, over urllib3."""
import sys
import warnings

import requests


def main(host, port, ca, verify):
    warnings.simplefilter("ignore")
    demand = False if verify == "off" else True if ca == "-" else ca
    try:
        print(requests.get(f"https://{host}:{port}/hello", verify=demand, timeout=60).text)
    except requests.exceptions.SSLError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


sys.exit(main(*sys.argv[1:]))
