"""client.py HOST PORT CAFILE|- on|off - http.client over ssl."""
import http.client
import ssl
import sys


def main(host, port, ca, verify):
    context = ssl.create_default_context(cafile=None if ca == "-" else ca)
    if verify == "off":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=60)
    try:
        connection.request("GET", "/hello")
    except ssl.SSLCertVerificationError as error:
        print(error, file=sys.stderr)
        return 1
    print(connection.getresponse().read().decode())
    return 0


sys.exit(main(*sys.argv[1:]))
