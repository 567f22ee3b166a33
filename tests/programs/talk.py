"""talk.py PROTOCOL CHAIN KEY TEXT - a TLS server of a mail protocol, until standard input ends.

PROTOCOL is a name in PROTOCOLS. Prints its port of 127.0.0.1. TEXT is said under TLS only.
"""
import contextlib
import dataclasses
import socket
import ssl
import sys
import threading

TIMEOUT = 60  # seconds for one connection
GOODBYES = ("quit", "logout")


@dataclasses.dataclass(frozen=True)
class Protocol:
    """
    REPLIES are by command in lower case, "" for every other; {text} is TEXT, {tag} the word that
    stands before each command where the protocol is TAGGED. PLAIN are the replies before the
    command UPGRADE begins TLS; where that is empty, TLS begins with the connection.
    """
    greeting: str
    replies: dict
    tagged: bool = False
    upgrade: str = ""
    plain: dict = dataclasses.field(default_factory=dict)


PROTOCOLS = {
    # RFC 5321, and RFC 3207 for STARTTLS.
    "smtp": Protocol("220 localhost ESMTP", {
        "ehlo": "250 localhost", "data": "354 go on", "quit": "221 bye", "": "250 {text}"},
        upgrade="starttls", plain={
            "ehlo": "250-localhost\r\n250 STARTTLS", "starttls": "220 go on", "quit": "221 bye",
            "": "530 STARTTLS first"}),
    # RFC 1939
    "pop3s": Protocol("+OK {text}", {
        "capa": "+OK\r\nUSER\r\n.", "stat": "+OK 0 0", "": "+OK {text}"}),
    # RFC 2812
    "irc": Protocol(":localhost 001 one :{text}", {"quit": "ERROR :bye", "": ":localhost NOTICE one :{text}"}),
    # RFC 3501
    "imaps": Protocol("* OK {text}", {
        "capability": "* CAPABILITY IMAP4rev1\r\n{tag} OK",
        "list": '* LIST () "/" INBOX\r\n{tag} OK', "logout": "* BYE\r\n{tag} OK",
        "select": "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 1] ok\r\n{tag} OK",
        "": "{tag} OK {text}"}, tagged=True),
}


def converse(stream, protocol, replies, text):
    """Answers commands. True after the one that begins TLS, False when the client is done."""
    for line in stream:
        words = [*line.decode(errors="replace").split(), "", ""]
        tag, word = words[:2] if protocol.tagged else ("", words[0])
        reply = replies.get(word.lower(), replies[""]).format(text=text, tag=tag)
        stream.write(f"{reply}\r\n".encode())
        stream.flush()
        if word.lower() in GOODBYES:
            return False
        if word.lower() == protocol.upgrade != "":
            return True
        if reply.startswith("354"):     # a message follows, up to a lone dot
            while stream.readline() not in (b".\r\n", b""):
                pass
            stream.write(f"250 {text}\r\n".encode())
            stream.flush()
    return False


def greet(connection, protocol, text):
    connection.sendall(f"{protocol.greeting.format(text=text)}\r\n".encode())


def serve(connection, tls, protocol, text):
    with contextlib.suppress(OSError, ValueError), connection:
        connection.settimeout(TIMEOUT)
        if protocol.upgrade:
            greet(connection, protocol, text)
            # Unbuffered: what follows the upgrade belongs to TLS (RFC 3207 section 4.2).
            with connection.makefile("rwb", 0) as stream:
                if not converse(stream, protocol, protocol.plain, text):
                    return
        with tls.wrap_socket(connection, server_side=True) as secured:
            if not protocol.upgrade:
                greet(secured, protocol, text)
            with secured.makefile("rwb") as stream:
                converse(stream, protocol, protocol.replies, text)


def main(protocol, chain, key, text):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.num_tickets = 0     # when one arrives is chance
    tls.load_cert_chain(chain, key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener, tls, PROTOCOLS[protocol], text),
                     daemon=True).start()
    sys.stdin.read()    # the lab closes it, or is gone


def accept(listener, *how):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, *how), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
