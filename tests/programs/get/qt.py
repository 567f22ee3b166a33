"""qt.py HOST PORT CAFILE|- on|off - Qt 5's QSslSocket, which opens libssl itself."""
import sys

from PyQt5.QtCore import QCoreApplication
from PyQt5.QtNetwork import QSslCertificate, QSslSocket


def main(host, port, ca, verify):
    application = QCoreApplication(sys.argv)
    tls = QSslSocket(application)
    if ca != "-":
        tls.setCaCertificates(QSslCertificate.fromPath(ca))
    if verify == "off":
        tls.setPeerVerifyMode(QSslSocket.VerifyNone)
    tls.connectToHostEncrypted(host, int(port))
    if not tls.waitForEncrypted(8000):
        print(f"{int(tls.error())} {tls.errorString()}", *(error.errorString() for error in
              tls.sslErrors()), sep="\n", file=sys.stderr)
        return 1
    tls.write(b"GET /hello HTTP/1.0\r\n\r\n")
    while tls.waitForReadyRead(8000):
        sys.stdout.write(bytes(tls.readAll()).decode())
    return 0


sys.exit(main(*sys.argv[1:]))
