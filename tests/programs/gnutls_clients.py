"""gnutls_clients.py - programs that use GnuTLS, which loads no providers."""
from lab import ways
from programs import services
from programs.clients import flag
from programs.program import Limit, Program

REFUSAL = r"(?i)certificate|handshake (has )?failed|TLS handshake|Fatal error"
LIMITS = tuple(Limit(ways.PROVIDER, case, "unreachable", "GnuTLS loads no providers.")
               for case in ("anchors", "name", "pin", "off", "ca"))


def wget(call):
    return ["wget", "--no-proxy", "--no-config", "--no-hsts", "-nv", "--tries=1", "-O-",
            *flag(call.cafile, f"--ca-certificate={call.cafile}"),
            *flag(call.insecure, "--no-check-certificate"), call.url]


def git(call):
    return ["git", "-c", "http.proxy=", *flag(call.cafile, "-c", f"http.sslCAInfo={call.cafile}"),
            *flag(call.insecure, "-c", "http.sslVerify=false"), "ls-remote",
            f"https://{call.host}:{call.port}/nothing"]


def lftp(call):
    return ["lftp", "-c", "".join((
        "set net:max-retries 1; set net:timeout 60; set cmd:trace no; ",
        f"set ssl:ca-file {call.cafile}; " if call.cafile else "",
        "set ssl:verify-certificate no; " if call.insecure else "", f"cat {call.url}"))]


def aria2c(call):
    return ["aria2c", "--no-conf", "--all-proxy=", "--max-tries=1", "--async-dns=false",
            "--enable-color=false", "--summary-interval=0", "-d", str(call.scratch), "-o", "got",
            *flag(call.cafile, f"--ca-certificate={call.cafile}"),
            *flag(call.insecure, "--check-certificate=false"), call.url]


def lynx(call):
    return ["lynx", "-cfg=/dev/null", "-dump", call.url]


def gnutls_cli(call):
    return ["gnutls-cli", *flag(call.cafile, f"--x509cafile={call.cafile}"),
            *flag(call.insecure, "--insecure"), "--port", str(call.port), call.host]


def msmtp(call):
    return ["msmtp", "--file=/dev/null", f"--host={call.host}", f"--port={call.port}", "--tls=on",
            "--tls-starttls=on", *flag(call.cafile, f"--tls-trust-file={call.cafile}"),
            *flag(call.insecure, "--tls-certcheck=off"), "--serverinfo"]


def one(name, package, command, **more):
    words = {"refused": REFUSAL, "via": "GnuTLS", "names": "itself", "limits": LIMITS, **more}
    return Program(name, (package,), name, (name, "--version"), command, **words)


PROGRAMS = (
    one("wget", "wget", wget, quick=True, volatile=((r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "then"),)),
    one("git", "git", git, quick=True, via="libcurl-gnutls", accepted=r"' not found|not valid: is this a git",
        environment={"GIT_TERMINAL_PROMPT": "0"}),
    one("gnutls-cli", "gnutls-bin", gnutls_cli, quick=True, stdin=b"GET /hello HTTP/1.0\r\n\r\n",
        callback=True, volatile=((r"- Session ID: .*", ""),)),
    one("lftp", "lftp", lftp),
    one("aria2c", "aria2", aria2c, accepted=r"\(OK\)", volatile=(
        (r"(OK|ERR) *\|.*", r"\1"), (r"\d\d/\d\d \d\d:\d\d:\d\d", "then"), (r"[0-9a-f]{6,16}", "?"),
        (r"/\S+/got", "got")), remark="It sends no name without a dot, and looks names up by itself, "
        "past the C library, unless it is told --async-dns=false: then the address alone is known of "
        "such a host."),
    one("lynx", "lynx", lynx, options=(), refused=r"Can't access startfile"),
    one("msmtp", "msmtp", msmtp, service=services.smtp, accepted=r"SMTP server at"),
)
