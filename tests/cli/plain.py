"""plain.py - small servers on loopback, in threads of a test: what they say is a function."""
import contextlib
import re
import socket
import ssl
import threading

SECONDS = 60
HOLDERS = []  # sockets that only hold a port


@contextlib.contextmanager
def listening(talk, address="127.0.0.1", port=0):
    """Serves each connection with TALK(connection) until the block ends; gives the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family)

    def serve(connection):
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(SECONDS)
            talk(connection)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def closed_port():
    """A port on which nothing listens, for a socket has it that doesn't."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    HOLDERS.append(holder)
    return holder.getsockname()[1]


def context(pki, leaf, highest=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.load_cert_chain(pki / f"{leaf}.chain.pem", pki / f"{leaf}.key")
    if highest:
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        made.maximum_version = highest
    return made


def secured(tls, heard=None):
    """The end of each conversation: a handshake. What the client says after it goes to HEARD."""
    def talk(connection):
        with tls.wrap_socket(connection, server_side=True) as inner:
            data = inner.recv(4096)
            if heard is not None:
                heard.append(data)
    return talk


def say(text):
    return lambda connection: connection.sendall(text)


def hear(pattern, end=b"\n"):
    """Reads up to END, all of which must match PATTERN."""
    def take(connection):
        line = b""
        while not line.endswith(end):
            byte = connection.recv(1)
            if not byte:
                raise OSError("closed")
            line += byte
        if not re.fullmatch(pattern, line):
            connection.sendall(b"500 what?\r\n")
            raise OSError(f"heard {line}")
    return take


def read(size, wanted):
    """Reads SIZE bytes, which must be WANTED."""
    def take(connection):
        got = b""
        while len(got) < size:
            more = connection.recv(size - len(got))
            if not more:
                raise OSError("closed")
            got += more
        if got != wanted:
            raise OSError(f"heard {got}")
    return take


def wait(connection):
    """Until the client closes."""
    while connection.recv(4096):
        pass


def in_turn(*parts):
    def talk(connection):
        for part in parts:
            part(connection)
    return talk


LDAP = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
LDAP_YES = bytes.fromhex("300c02010178070a010004000400")
LDAP_NO = bytes.fromhex("3084000000170201017884000000 0e0a01340400 0407".replace(" ", "")) + b"no, no!"
POSTGRES = bytes.fromhex("0000000804d2162f")
MYSQL = bytes.fromhex("20000001008a0000000000012d") + bytes(23)
FEATURES = b"<?xml version='1.0'?><stream:stream xmlns='jabber:%s' id='1' version='1.0'>\n" \
           b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>" \
           b"</starttls></stream:features>"
XMPP_TLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


def mysql(capabilities):
    body = (b"\x0a10.11.6-MariaDB\0" + bytes(4) + b"saltsalt\0" +
            capabilities.to_bytes(2, "little") + bytes(30))
    return len(body).to_bytes(3, "little") + b"\0" + body


def xmpp(kind):
    opening = (rb"<\?xml version='1\.0'\?><stream:stream to='[a-z.]+' xmlns='jabber:" + kind +
               rb"' xmlns:stream='http://etherx\.jabber\.org/streams' version='1\.0'>")
    return [hear(opening, end=b"version='1.0'>"), say(FEATURES % kind), read(len(XMPP_TLS), XMPP_TLS)]


# What each protocol's server says up to TLS, and the words with which it may refuse.
BEFORE = {
    "smtp": [say(b"220-mail.test\r\n220 ready\r\n"), hear(rb"EHLO \S+\r\n"),
             say(b"250-mail.test\r\n250-SIZE 100\r\n250 STARTTLS\r\n"), hear(rb"STARTTLS\r\n")],
    "imap": [say(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"), hear(rb"a1 STARTTLS\r\n")],
    "pop3": [say(b"+OK ready\r\n"), hear(rb"STLS\r\n")],
    "ftp": [say(b"220-Welcome\r\n to this server\r\n220 ready\r\n"), hear(rb"AUTH TLS\r\n")],
    "postgres": [read(8, POSTGRES)],
    "ldap": [read(len(LDAP), LDAP)],
    "lmtp": [say(b"220 ready\r\n"), hear(rb"LHLO \S+\r\n"),
             say(b"250-mail.test\r\n250 STARTTLS\r\n"), hear(rb"STARTTLS\r\n")],
    "nntp": [say(b"201 no posting\r\n"), hear(rb"STARTTLS\r\n")],
    "sieve": [say(b'"IMPLEMENTATION" "a sieve"\r\n"STARTTLS"\r\nOK "ready"\r\n'),
              hear(rb"STARTTLS\r\n")],
    "mysql": [],
    "xmpp": xmpp(b"client"),
    "xmpp-server": xmpp(b"server"),
}
YES = {"smtp": b"220 go ahead\r\n", "imap": b"* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n",
       "pop3": b"+OK begin\r\n", "ftp": b"234 AUTH TLS\r\n", "postgres": b"S", "ldap": LDAP_YES,
       "lmtp": b"220 go ahead\r\n", "nntp": b"382 go ahead\r\n", "sieve": b"OK begin\r\n",
       "mysql": mysql(0xffff), "xmpp": b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
       "xmpp-server": b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls' />"}
AFTER = {"mysql": [read(len(MYSQL), MYSQL)]}  # what the client says between YES and TLS
NO = {"smtp": b"454 not today\r\n", "imap": b"a1 NO not today\r\n", "pop3": b"-ERR not today\r\n",
      "ftp": b"502 not today\r\n", "postgres": b"N", "ldap": LDAP_NO,
      "lmtp": b"454 not today\r\n", "nntp": b"580 not today\r\n", "sieve": b"NO not today\r\n",
      "mysql": mysql(0xf7ff), "xmpp": b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
      "xmpp-server": b"<stream:error>"}
