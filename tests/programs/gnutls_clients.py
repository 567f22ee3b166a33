"""gnutls_clients.py - programs that use GnuTLS, which loads no providers."""
import functools
import os
import pathlib

from lab import ways
from programs import services
from programs.clients import PYTHON, flag, script
from programs.program import Limit, Program, play

REFUSAL = r"(?i)certificate|handshake (has )?failed|TLS handshake|Fatal error"


def limits(kind):
    return tuple(Limit(ways.PROVIDER, case, kind, "GnuTLS loads no providers.")
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


def wget2(call):
    return ["wget2", "--no-config", "--no-proxy", "--no-hsts", "--no-ocsp", "-nv", "--tries=1", "-O-",
            *flag(call.cafile, f"--ca-certificate={call.cafile}"),
            *flag(call.insecure, "--no-check-certificate"), call.url]


def wget2_again(call):
    """The server's ticket stands in a file between the two runs."""
    return [*wget2(call), f"--tls-session-file={call.scratch}/sessions", "--tls-resume",
            "--stats-tls=-"]


def apt_get(call):
    """An apt whose folders are all of its own, but which gives up root's rights as ever."""
    for folder in (call.scratch, call.scratch / "lists", call.scratch / "lists/partial", call.scratch / "archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
    (call.scratch / "status").touch()
    (call.scratch / "sources").write_text(f"deb [trusted=yes] https://{call.host}:{call.port}/ ./\n")
    settings = ("Acquire::Languages=none", "Acquire::Retries=0", "Acquire::https::Proxy=DIRECT", "Dir::Etc::SourceParts=/dev/null",
                "Dir::Etc::Parts=/dev/null", f"Dir::Etc::SourceList={call.scratch}/sources", f"Dir::Cache={call.scratch}",
                f"Dir::State={call.scratch}", f"Dir::State::status={call.scratch}/status",
                *flag(call.cafile, f"Acquire::https::CAInfo={call.cafile}"),
                *flag(call.insecure, "Acquire::https::Verify-Peer=false", "Acquire::https::Verify-Host=false"))
    return ["apt-get", *(word for one in settings for word in ("-o", one)), "update"]


def ldapsearch(scheme, *options):
    def command(call):
        given = [*flag(call.cafile, f"LDAPTLS_CACERT={call.cafile}"), *flag(call.insecure, "LDAPTLS_REQCERT=never")]
        return [*flag(given, "env"), *given, "ldapsearch", "-x", "-LLL", "-d", "1", *options, "-H",
                f"{scheme}://{call.host}:{call.port}", "-b", "", "-s", "base", "description"]
    return command


def mutt(call):
    settings = (f'smtp_url="smtp://{call.host}:{call.port}/"', "ssl_force_tls=yes", "copy=no", "from=a@example.test",
                *flag(call.cafile, f"ssl_ca_certificates_file={call.cafile}"))
    return ["mutt", "-n", "-F", "/dev/null", *(word for one in settings for word in ("-e", f"set {one}")),
            "-s", "hello", "b@example.test"]


def weechat(call):
    said = "${raw:${tg_message_nocolor}"
    commands = (f"/server add one {call.host}/{call.port} -ssl -autoreconnect=off",
                f"/set irc.server.one.ssl_verify {'off' if call.insecure else 'on'}",
                *flag(call.cafile, f"/set weechat.network.gnutls_ca_user {call.cafile}"),
                f'/trigger add told print "" "" "" "/print -stdout {said}}}\\n"',
                f'/trigger add ended print "" "{said} =~ hello from|handshake failed}}" "" "/quit"',
                "/connect one")
    return ["weechat-headless", "-d", str(call.scratch / "weechat"), *(word for one in commands for word in ("-r", one))]


def exim(call):
    """It delivers what exim_queue() has left in its queue."""
    (call.scratch / "conf").write_text(f"""
        primary_hostname = example.test
        spool_directory = {call.scratch}/spool
        log_file_path = {call.scratch}/spool/%slog
        begin routers
        out:
             driver = manualroute
             route_list = * {call.host}
             self = send
             transport = out
        begin transports
        out:
             driver = smtp
             port = {call.port}
             allow_localhost
             hosts_require_tls = *
             tls_verify_certificates = {call.cafile or "system"}
             tls_try_verify_hosts = :
             tls_verify_hosts = {":" if call.insecure else "*"}
        """)
    return ["exim4", "-C", str(call.scratch / "conf"), "-v", "-qf"]


def emacs(call):
    settings = f"""(setq gnutls-trustfiles '({f'"{call.cafile}"' if call.cafile else ""}))""" + (
        "(setq network-security-level 'low)" if call.insecure else "(setq gnutls-verify-error t)")
    return ["emacs", "--batch", "-Q", "--eval", f"""(progn {settings} (setq url-proxy-services nil)
        (with-current-buffer (url-retrieve-synchronously "{call.url}") (princ (buffer-string))))"""]


def openconnect(call):
    return ["openconnect", "--authenticate", "--non-inter", "--no-proxy", "--dump-http-traffic",
            *flag(call.cafile, f"--cafile={call.cafile}"), call.url]


def ffmpeg(call):
    return ["ffmpeg", "-v", "error", "-tls_verify", "0" if call.insecure else "1",
            *flag(call.cafile, "-ca_file", call.cafile), "-f", "data", "-i", call.url,
            "-map", "0", "-c", "copy", "-f", "data", "-"]


def one(name, package, command, **more):
    executable = more.get("executable", name)
    words = {"executable": executable, "version": (executable, "--version"), "refused": REFUSAL, "via": "GnuTLS",
             "names": "itself", "limits": limits("unreachable"), **more}
    return Program(name, (package,), command=command, **words)


def apart(commands, lab, program, call, inject):
    """A `play` in namespaces of its own, after COMMANDS of a shell."""
    command, environment = inject(program.command(call))
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return lab.run(["unshare", *root, "--uts", "--mount", "sh", "-ec", f'{commands}; exec "$@"', "-", *command],
                   program.stdin, program.surroundings(call) | environment, cwd=call.scratch)


def exim_queue(lab, program, call, inject):
    """A `play` after a message was queued, with the account that its package makes."""
    spool, command = call.scratch / "spool", program.command(call)[:3]
    spool.mkdir()
    for name, text in (("passwd", "Debian-exim:x:65534:65534::/:/bin/false"), ("group", "Debian-exim:x:65534:")):
        (call.scratch / name).write_text(f"{pathlib.Path('/etc', name).read_text('utf-8').strip()}\n{text}\n")
    for path in (call.scratch, spool):
        os.chown(path, 65534, 65534)
    return apart(f"mount --bind passwd /etc/passwd; mount --bind group /etc/group; "
                 f"echo hello | {' '.join(command)} -odq -f '<>' b@example.test", lab, program, call, inject)


def twice(lab, program, call, inject):
    """A `play` of which the second time counts; both must come to the same."""
    first, second = (play(lab, program, call, inject) for _ in range(2))
    if ("hello from" in first[1]) != ("hello from" in second[1]):
        raise RuntimeError(f"one was answered, the other not: {first} {second}")
    return second


def ldap(name, scheme, *options):
    """libldap verifies the machine's name where it is to call `localhost`."""
    return one(name, "ldap-utils", ldapsearch(scheme, *options), executable="ldapsearch", version=("ldapsearch", "-VV"), via="libldap",
               service=functools.partial(services.ldap, scheme), refused=r"TLS: can't connect",
               play=functools.partial(apart, "hostname localhost"), volatile=((r"0x\w+", "0x"), (r"last used: .*", "then")))


def python(name, package, get, via):
    """Python has an OpenSSL too, so that `run` starts it by either way in."""
    return Program(name, (package, "python3"), PYTHON, ("dpkg-query", "-W", package), script(get, PYTHON),
                   refused=REFUSAL, via=via, names="itself", limits=limits("unasked"))


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
    one("wget2", "wget2", wget2, refused=r"exit 5$"),
    one("wget2, resumed", "wget2", wget2_again, refused=r"exit 5$", executable="wget2", service=services.tickets,
        accepted=r"(?s)hello from.*Resumed +: Yes", play=twice, volatile=((r"duration.*", "duration"),)),
    one("apt-get update", "apt", apt_get, executable="/usr/lib/apt/methods/https", version=("apt-get", "--version"),
        via="apt's https", service=services.repository, accepted=r"Get:\d+ https:\S+ +\S+ Packages",
        volatile=((r"[\d,.]+ k?B/s", "speed"), (r"in \d+s", "in time"))),
    one("mutt", "mutt", mutt, version=("mutt", "-v"), service=services.smtp, accepted=r"exit 0$", options=("ca",)),
    one("weechat", "weechat-headless", weechat, executable="weechat-headless", service=services.irc,
        accepted=r"(?m)^hello from"),
    one("emacs", "emacs-nox", emacs, volatile=((r"bytecode 0x\w+", "bytecode"),)),
    one("openconnect", "openconnect", openconnect, options=("ca",),
        volatile=((r"Pubkey: .*", "Pubkey"), (r"X-Pad: 0*", "pad"), (r"(?m)^.*Content-Length.*", ""))),
    one("ffmpeg", "ffmpeg", ffmpeg, volatile=((r"tls @ 0x\w+", "tls"),), limits=limits("unasked")),
    python("python3 pycurl", "python3-pycurl", "libcurl.py", "libcurl-gnutls"),
    python("python3 GIO", "glib-networking", "gio.py", "glib-networking"),
    python("python3 libsoup", "gir1.2-soup-3.0", "soup.py", "glib-networking"),
    one("exim4", "exim4-daemon-light", exim, version=("exim4", "-bV"), service=services.smtp, accepted=r"SMTP<< 250 hello from",
        refused=r"TLS session: \(", play=exim_queue,
        remark="As shipped it is set-uid, which no preload library gets into. Without that bit (dpkg-statoverride(1)) what root's "
               "queue runners deliver obeys.",
        volatile=((r"pid=?\s?\d+", "pid"), (r"\w{6}-\w{6}-\w\w", "message"))),
    ldap("ldapsearch", "ldaps"), ldap("ldapsearch -ZZ", "ldap", "-ZZ"),
)
