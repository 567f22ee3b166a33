"""messages.py - what each program says by itself of a server that the policy refused.

By the way in: the words before the reason, `...` for what differs from call to call; nothing where the
program doesn't tell, which is held against what it prints as well.
"""
import re

from lab import ways

REASON = "refused by"
QUEUE = "error:0A000086:SSL routines:raise_error:certificate verify failed:...:trustgraft: ...: reject"
QUEUE_1 = "error:14000086:SSL routines:SSL routines:certificate verify failed:...:trustgraft: ...: reject"
DATA = "error:0A000086:SSL routines::certificate verify failed:...trustgraft: ...: reject"
PLAIN = "error:0A000086:SSL routines::certificate verify failed: "
PYTHON = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
GNUTLS = "Error in the certificate verification. "
NODE = f"EPROTO write EPROTO ...:{QUEUE}"
NODE_TLS = f"ERR_SSL_CERTIFICATE_VERIFY_FAILED ...:{QUEUE}"
OWN = "error:...:trustgraft::"
NOTHING = ("", "")


def both(text):
    return text, text


def preload(text, provider=""):
    """
    By stand-ins for the functions of its TLS library, which a provider can't have. PROVIDER: what a
    program that prints the whole queue puts before an error of trustgraft's own.
    """
    return f"{text}trustgraft: {REASON}", provider and provider + REASON


SAYS = {
    "curl": preload("curl: (60) SSL certificate problem: "),
    "php curl": NOTHING,
    "php streams": preload(PLAIN, OWN),
    "openssl": both(QUEUE),
    "python3 http.client": preload(PYTHON),
    "python3 asyncio": preload(PYTHON),
    "python3 ctypes": NOTHING,
    "python3 requests": preload("Max retries exceeded with url: /hello (Caused by "
                                f"SSLError(SSLCertVerificationError(1, ...{PYTHON}"),
    "python3 pyOpenSSL": preload("[('SSL routines', '', \"certificate verify failed: ",
                                 "('trustgraft', '', '"),
    "node 16 https": (f"EPROTO write EPROTO ...:{QUEUE_1}", ""),
    "node 16 tls": (f"ERR_SSL_CERTIFICATE_VERIFY_FAILED ...:{QUEUE_1}", ""),
    "node": both(NODE), "node 20 https": both(NODE), "node 24 https": both(NODE),
    "node 26 https": both(NODE), "node 26 tls": both(NODE_TLS), "node 26 fetch": both(NODE_TLS),
    "node 20 tls": both(NODE_TLS), "node 24 tls": both(NODE_TLS),
    "node 20 fetch": both(NODE_TLS), "node 24 fetch": both(NODE_TLS),
    "ruby net/http": preload("SSL_connect returned=1 errno=0 peeraddr=... state=error: certificate "
                             "verify failed: "),
    "perl IO::Socket::SSL": preload(f"SSL connect attempt failed {PLAIN}", OWN),
    "perl LWP": preload(f"SSL connect attempt failed {PLAIN}", OWN),
    "w3m": preload(f"SSL error: {PLAIN}"),
    "links2": NOTHING,
    "lua LuaSec": preload("certificate verify failed: "),
    "tcl tls": preload("handshake failed: certificate verify failed: "),
    "Qt 5 QSslSocket": ("", OWN + REASON),
    "svn": NOTHING,
    "sq": both(f"error trying to connect: {QUEUE}"),
    "ab": both(QUEUE),
    "wrk": NOTHING,
    "siege": preload(f"stack: A000086 : {PLAIN}", OWN),
    "httping": NOTHING,
    "tnftp": both(QUEUE),
    "wget": preload(f"GnuTLS: {GNUTLS}"),
    "git": preload(f"fatal: unable to access '...': gnutls_handshake() failed: {GNUTLS}"),
    "gnutls-cli": preload(f"*** Fatal error: {GNUTLS}"),
    "lftp": preload(f"cat: /hello: Fatal error: gnutls_handshake: {GNUTLS}"),
    "aria2c": preload(f"SSL/TLS handshake failure: {GNUTLS}"),
    "lynx": NOTHING,
    "msmtp": preload(f"msmtp: TLS handshake failed: {GNUTLS}"),
    "nginx": both(f"SSL_do_handshake() failed (SSL: {DATA}"),
    "haproxy": preload(PLAIN),
    "stunnel": preload("CERT: Pre-verification error: ", f"error queue: ...{OWN}"),
    "apache2 mod_proxy": both("SSL Library Error: error:0A000086:SSL routines::certificate verify "
                              "failed (trustgraft: ...: reject"),
    "unbound": preload(f"error: ssl handshake failed crypto {PLAIN}",
                       f"error: and additionally crypto {OWN}"),
    "socat": preload(f"E SSL_connect(): {PLAIN}"),
    "ncat": preload("Ncat: Certificate verification failed ("),
    "psql": preload("SSL error: certificate verify failed: "),
    "mariadb": preload("ERROR 2026 (HY000): TLS/SSL error: "),
    "redis-cli": preload("SSL_connect failed: certificate verify failed: "),
    "redis-cli --sni": preload("SSL_connect failed: certificate verify failed: "),
    "mosquitto_pub": preload(f"OpenSSL Error[0]: {PLAIN}", f"OpenSSL Error[1]: {OWN}"),
    "swaks": preload(f"*** TLS startup failed (connect(): {PLAIN}"),
    "posttls-finger": both(f"warning: TLS library problem: {DATA}"),
    "fetchmail": preload("fetchmail: Server certificate verification error: ",
                         f"fetchmail: OpenSSL reported: {OWN}"),
    "mbsync": preload(f"Socket error: secure connect to ...: {PLAIN}",
                      f"Socket error: secure connect to ...: {OWN}"),
    "s-nail": preload("s-nail:   err 50: "),
    "wget2": NOTHING,
    "wget2, resumed": NOTHING,
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
    "tstclnt": NOTHING,
    "llvm-debuginfod-find": NOTHING,
    "firefox-esr": NOTHING,
    "thunderbird": NOTHING,
}


def says(program, way):
    return SAYS[program.name][ways.WAYS.index(way)]


def wrong(program, way, result, file):
    """What of RESULT, of a refusal by a rule in FILE, isn't as is said; or ''."""
    status, out, err = result
    wanted = says(program, way)
    printed = (out + err).replace("\\'", "'")
    if not wanted:
        return f"names the policy, though it is said not to: {printed[-900:]}" \
            if "trustgraft" in printed else ""
    # Some programs cut their line off: the beginning of the file has to be there.
    file = re.escape(str(file)[:20])
    pattern = ".*".join(map(re.escape, wanted.split("...")))
    pattern += f" {file}" if wanted.endswith(REASON) else f".*{file}"
    if status is not None and re.search(pattern, printed):
        return ""
    return f"wanted {wanted!r} and the rule's file, got exit {status}: {printed[-900:]}"
