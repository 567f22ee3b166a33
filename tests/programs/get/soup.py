"""soup.py HOST PORT CAFILE|- on|off - libsoup 3, over GIO."""
import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import Gio, GLib, Soup     # noqa: E402


def main(host, port, ca, verify):
    session = Soup.Session(timeout=60, proxy_resolver=None)
    message = Soup.Message.new("GET", f"https://{host}:{port}/hello")
    if ca != "-":
        session.set_tls_database(Gio.TlsFileDatabase.new(ca))
    if verify == "off":
        message.connect("accept-certificate", lambda *_: True)
    try:
        print(session.send_and_read(message, None).get_data().decode())
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


sys.exit(main(*sys.argv[1:]))
