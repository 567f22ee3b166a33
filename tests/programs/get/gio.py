"""gio.py HOST PORT CAFILE|- on|off - GIO, whose TLS is the module glib-networking's."""
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib, GObject     # noqa: E402


def main(host, port, ca, verify):
    client = Gio.SocketClient(tls=True, timeout=60)
    client.set_enable_proxy(False)

    def prepare(_client, event, _address, connection):
        if event != Gio.SocketClientEvent.TLS_HANDSHAKING:
            return
        if ca != "-":
            connection.set_database(Gio.TlsFileDatabase.new(ca))
        if verify == "off":
            connection.connect("accept-certificate", lambda *_: True)
    GObject.Object.connect(client, "event", prepare)
    try:
        connection = client.connect_to_host(host, int(port), None)
        connection.get_output_stream().write_all(b"GET /hello HTTP/1.0\r\n\r\n", None)
        while data := connection.get_input_stream().read_bytes(4096, None).get_data():
            sys.stdout.write(data.decode())
    except GLib.Error as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


sys.exit(main(*sys.argv[1:]))
