"""nss_clients.py - programs that use NSS, which loads no providers."""
import pathlib
import subprocess

from lab import ways
from programs.clients import flag
from programs.program import Limit, Program

REFUSAL = r"SEC_ERROR_|SSL_ERROR_|SSL peer certificate"
def no_providers(kind):
    return tuple(Limit(ways.PROVIDER, case, kind, "NSS loads no providers.")
                 for case in ("anchors", "name", "pin", "off", "ca"))


LIMITS = no_providers("unreachable")


MOZILLA = tuple(Limit(ways.PRELOAD, case, "stricter", "It verifies by code of its own, in the background, and tells "
                      "NSS the answer alone: what a rule refuses is refused, and what it refuses itself a rule doesn't open.")
                for case in ("anchors", "name", "ca"))


def database(call):
    """One of NSS's own, which trusts the CA that the program is to trust."""
    folder = call.scratch / "database"
    commands = [["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"]]
    if call.cafile:
        commands.append(["certutil", "-A", "-d", f"sql:{folder}", "-n", "ca", "-t", "C,,", "-i", call.cafile])
    folder.mkdir()
    for command in commands:
        subprocess.run(command, check=True)
    return f"sql:{folder}"


def tstclnt(call):
    request = call.scratch / "request"
    request.write_text("GET /hello HTTP/1.0\r\n\r\n")
    return ["tstclnt", "-4", "-b", "-h", call.host, "-p", str(call.port), "-A", str(request), "-d", database(call),
            *flag(call.insecure, "-o")]


def debuginfod_find(call):
    return ["env", f"SSL_DIR={database(call).removeprefix('sql:')}", f"DEBUGINFOD_URLS=https://{call.host}:{call.port}",
            f"DEBUGINFOD_CACHE_PATH={call.scratch / 'cache'}",
            "llvm-debuginfod-find-14", "--executable", "--dump", "c0ffee"]


def mozilla(name):
    def command(call):
        return ["/usr/bin/python3", str(pathlib.Path(__file__).parent / "get/mozilla.py"), name, call.host,
                str(call.port), call.cafile or "-", "off" if call.insecure else "on"]
    return Program(name, (name,), name, (name, "--version"), command, refused=r"_ERROR_|^status ", via="libxul, NSS",
                   names="itself", limits=(*no_providers("unasked"), *MOZILLA))


PROGRAMS = (
    Program("tstclnt", ("libnss3-tools",), "tstclnt", ("dpkg-query", "-W", "libnss3-tools"), tstclnt,
            refused=REFUSAL, via="NSS", names="itself", limits=LIMITS, quick=True),
    Program("llvm-debuginfod-find", ("llvm-14",), "llvm-debuginfod-find-14",
            ("llvm-debuginfod-find-14", "--version"), debuginfod_find, refused=REFUSAL, via="libcurl-nss",
            names="itself", options=("ca",), limits=tuple(one for one in LIMITS if one.case != "off"),
            remark="It links OpenSSL as well, by what libcurl links, and the engine works on that."),
    mozilla("firefox-esr"),
    mozilla("thunderbird"),
)
