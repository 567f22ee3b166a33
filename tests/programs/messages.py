"""messages.py - what each program says by itself of a server that the policy refused.

By the way in: the words before the reason, `...` for what differs from call to call; nothing where the
program doesn't tell, which is held against what it prints as well, beside the words that it has instead.
"""
import re

from lab import ways

REASON = "trustgraft: refused by"
BRIEF = "trustgraft: leaf-pin-mismatch ("      # as far as 120 bytes go
QUEUE = "error:0A000086:SSL routines:raise_error:certificate verify failed:...:trustgraft: ...: reject"
QUEUE_1 = "error:14000086:SSL routines:SSL routines:certificate verify failed:...:trustgraft: ...: reject"
DATA = "error:0A000086:SSL routines::certificate verify failed:...trustgraft: ...: reject"
FAILED = "certificate verify failed: "
PLAIN = f"error:0A000086:SSL routines::{FAILED}"
PYTHON = f"[SSL: CERTIFICATE_VERIFY_FAILED] {FAILED}"
GNUTLS = "Error in the certificate verification. "
NODE = f"EPROTO write EPROTO ...:{QUEUE}"
NODE_TLS = f"ERR_SSL_CERTIFICATE_VERIFY_FAILED ...:{QUEUE}"
NOTHING = ("", "")


def both(text):
    return text, text


def preload(text, provider=""):
    """
    By stand-ins for the functions of its TLS library, which a provider can't have. PROVIDER: what
    stands before the brief reason, where the program prints the words of an error on the queue.
    """
    return text + REASON, provider and provider + BRIEF


def either(text):
    """The same words before both."""
    return preload(text, text)


SAYS = {
    "curl": preload("curl: (60) SSL certificate problem: "),
    "php streams": either(PLAIN),
    "openssl": both(QUEUE),
    "python3 http.client": either(PYTHON),
    "python3 asyncio": either(PYTHON),
    "python3 ctypes": both(PLAIN + BRIEF),
    "python3 requests": either("Max retries exceeded with url: /hello (Caused by "
                                f"SSLError(SSLCertVerificationError(1, ...{PYTHON}"),
    "python3 pyOpenSSL": preload(f"[('SSL routines', '', \"{FAILED}", f"[('SSL routines', '', '{FAILED}"),
    "node 16 https": (f"EPROTO write EPROTO ...:{QUEUE_1}", ""),
    "node 16 tls": (f"ERR_SSL_CERTIFICATE_VERIFY_FAILED ...:{QUEUE_1}", ""),
    "node": both(NODE), "node 20 https": both(NODE), "node 24 https": both(NODE),
    "node 26 https": both(NODE), "node 26 tls": both(NODE_TLS), "node 26 fetch": both(NODE_TLS),
    "node 20 tls": both(NODE_TLS), "node 24 tls": both(NODE_TLS),
    "node 20 fetch": both(NODE_TLS), "node 24 fetch": both(NODE_TLS),
    "ruby net/http": either(f"SSL_connect returned=1 errno=0 peeraddr=... state=error: {FAILED}"),
    "perl IO::Socket::SSL": either(f"SSL connect attempt failed {PLAIN}"),
    "perl LWP": either(f"SSL connect attempt failed {PLAIN}"),
    "w3m": either(f"SSL error: {PLAIN}"),
    "lua LuaSec": either(FAILED),
    "tcl tls": either(f"handshake failed: {FAILED}"),
    "Qt 5 QSslSocket": both(f"Error during SSL handshake: {PLAIN}{BRIEF}"),
    "sq": both(f"error trying to connect: {QUEUE}"),
    "ab": both(QUEUE),
    "siege": either(f"stack: A000086 : {PLAIN}"),
    "tnftp": both(QUEUE),
    "wget": preload(f"GnuTLS: {GNUTLS}"),
    "git": preload(f"fatal: unable to access '...': gnutls_handshake() failed: {GNUTLS}"),
    "gnutls-cli": preload(f"*** Fatal error: {GNUTLS}"),
    "lftp": preload(f"cat: /hello: Fatal error: gnutls_handshake: {GNUTLS}"),
    "aria2c": preload(f"SSL/TLS handshake failure: {GNUTLS}"),
    "msmtp": preload(f"msmtp: TLS handshake failed: {GNUTLS}"),
    "nginx": both(f"SSL_do_handshake() failed (SSL: {DATA}"),
    "haproxy": either(PLAIN),
    "stunnel": preload("CERT: Pre-verification error: ", f"error queue: ...{PLAIN}"),
    "apache2 mod_proxy": both("SSL Library Error: error:0A000086:SSL routines::certificate verify "
                              "failed...(trustgraft: ...: reject"),
    "unbound": either(f"error: ssl handshake failed crypto {PLAIN}"),
    "socat": either(f"E SSL_connect(): {PLAIN}"),
    "ncat": preload("Ncat: Certificate verification failed ("),
    "psql": either(f"SSL error: {FAILED}"),
    "mariadb": preload("ERROR 2026 (HY000): TLS/SSL error: "),
    "redis-cli": either(f"SSL_connect failed: {FAILED}"),
    "redis-cli --sni": either(f"SSL_connect failed: {FAILED}"),
    "mosquitto_pub": either(f"OpenSSL Error[0]: {PLAIN}"),
    "swaks": either(f"*** TLS startup failed (connect(): {PLAIN}"),
    "posttls-finger": both(f"warning: TLS library problem: {DATA}"),
    "fetchmail": preload("fetchmail: Server certificate verification error: ",
                         f"fetchmail: OpenSSL reported: {PLAIN}"),
    "mbsync": either(f"Socket error: secure connect to ...: {PLAIN}"),
    "s-nail": preload("s-nail:   err 50: ", f"s-nail: could not initiate TLS connection: {PLAIN}"),
    "apt-get update": preload(f"Could not handshake: {GNUTLS}"),
    "mutt": preload(f"gnutls_handshake: {GNUTLS}"),
    "weechat": preload(f"irc: error: {GNUTLS}"),
    "emacs": preload(GNUTLS),
    "openconnect": preload(f"SSL connection failure: {GNUTLS}"),
    "ffmpeg": preload(f"[tls @ ...] {GNUTLS}"),
    "python3 pycurl": preload(f"gnutls_handshake() failed: {GNUTLS}"),
    "python3 GIO": preload(f"Error performing TLS handshake: {GNUTLS}"),
    "python3 libsoup": preload(f"Error performing TLS handshake: {GNUTLS}"),
    "exim4": preload(f"TLS session: (gnutls_handshake): {GNUTLS}"),
    "ldapsearch": preload(f"TLS: can't connect: {GNUTLS}"),
    "ldapsearch -ZZ": preload(f"TLS: can't connect: {GNUTLS}"),
    "tstclnt": preload("tstclnt: write to SSL socket failed: SEC_ERROR_UNTRUSTED_CERT: Peer's certificate has "
                       "been marked as not trusted by the user. "),
}

# What those say that don't tell: it names a code alone, or nothing.
INSTEAD = {
    "curl": ("", "curl: (60) SSL certificate problem: application verification failure"),
    "php curl": both("curl error 60: SSL certificate problem: application verification failure"),
    "links2": both("SSL error"),
    "svn": both("Server SSL certificate verification failed: and other reason(s)"),
    "wrk": both("Socket errors: connect"),
    "httping": ("SSL handshake error: (null)", ""),
    "lynx": ("Alert!: Unable to make secure connection to remote host.", ""),
    "ncat": ("", "Ncat: Certificate verification failed (application verification failure)."),
    "wget2": NOTHING,
    "wget2, resumed": NOTHING,
    "firefox-esr": NOTHING,
    "thunderbird": NOTHING,
    "llvm-debuginfod-find": ("curl_easy_perform() failed: SSL peer certificate or SSH remote key was not OK", ""),
}


def says(program, way, table=None):
    table = SAYS if table is None else table
    return table.get(program.name, NOTHING)[ways.WAYS.index(way)]


def wrong(program, way, result, file):
    """What of RESULT, of a refusal by a rule in FILE, isn't as is said; or ''."""
    status, out, err = result
    wanted, instead = says(program, way), says(program, way, INSTEAD)
    printed = (out + err).replace("\\'", "'")
    if not wanted and "trustgraft" in printed:
        return f"names the policy, though it is said not to: {printed[-900:]}"
    if wanted.endswith(BRIEF):
        place = r"\.\.\..*" + re.escape(str(file)[-16:]) + r":\d+\)"
    else:   # some programs cut their line off: the beginning of the file has to be there
        place = (" " if wanted.endswith(REASON) else ".*") + re.escape(str(file)[:20])
    pattern = ".*".join(map(re.escape, (wanted or instead).split("..."))) + (place if wanted else "")
    if status is not None and re.search(pattern, printed):
        return ""
    return f"wanted {pattern!r}, got exit {status}: {printed[-900:]}"
