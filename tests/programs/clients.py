"""clients.py - programs that fetch a page over HTTPS."""
from programs.program import Program


def flag(condition, *words):
    return list(words) if condition else []


def curl(call):
    return ["curl", "-sS", "--noproxy", "*", "--max-time", "9", call.url,
            *flag(call.cafile, "--cacert", call.cafile), *flag(call.insecure, "-k")]


def openssl(call):
    return ["openssl", "s_client", "-connect", f"{call.host}:{call.port}", "-ign_eof",
            "-servername", call.host, *flag(call.cafile, "-CAfile", call.cafile),
            *([] if call.insecure else ["-verify_hostname", call.host, "-verify_return_error"])]


GET = b"GET /hello HTTP/1.0\r\n\r\n"
PROGRAMS = (
    Program("curl", ("curl",), "curl", ("curl", "--version"), curl,
            refused=r"curl: \(60\)", names="itself", quick=True),
    Program("openssl", ("openssl",), "openssl", ("openssl", "version"), openssl,
            stdin=GET, callback=True, quick=True),
)
UNREACHED = ()
