"""daemons.py - programs that need services of their own: proxies, databases, brokers, mail."""
import contextlib
import functools
import inspect
import os
import signal
import socket
import subprocess
import time

from lab.servers import die_with_parent, free_port
from programs import services
from programs.program import ADDRESSES, OPENSSL_REFUSAL, Limit, Program, play
from programs.services import find

SECONDS = 60
GET = b"GET /hello HTTP/1.0\r\n\r\n"
AS_NOBODY = "nobody" if os.geteuid() == 0 else ""   # whom a daemon is to become
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"   # for programs that have to be given some CA


def flag(condition, *words):
    return list(words) if condition else []


# ---- proxies: each is started, asked for one page, and stopped ----------------------------------

def knock(port, process):
    """A connection to PORT, as soon as PROCESS listens there."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), SECONDS)
        time.sleep(0.02)
    raise TimeoutError("it doesn't listen")


def ask_page(port, process):
    """Asks twice, for the second time a session may be resumed; both must come to the same."""
    pages = []
    for _ in range(2):
        with knock(port, process) as client:
            client.sendall(GET)
            pages.append(b"".join(iter(lambda: client.recv(4096), b"")).decode(errors="replace"))
    if ("hello from" in pages[0]) != ("hello from" in pages[1]):
        raise RuntimeError(f"one was answered, the other not: {pages}")
    return pages[0]


def ask_name(port, process):
    """Asks a name server for answer.example, over TCP (RFC 1035 section 4.2.2)."""
    question = (b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                b"\x06answer\x07example\x00\x00\x01\x00\x01")
    with knock(port, process) as client:
        client.sendall(len(question).to_bytes(2, "big") + question)
        answer = client.recv(4096)
    return "hello from 192.0.2.1" if socket.inet_aton("192.0.2.1") in answer else "no answer"


def stop(process, number):
    """The exit status, 0 where the program let itself be ended by our signal."""
    process.send_signal(number)
    try:
        status = process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    return 0 if status in (-number, 128 + number) else status


def through(ask, number, lab, program, call, inject):
    """
    A `play`: what PROGRAM, which listens on a port of its own, gives to whoever ASKs. The signal
    NUMBER then ends it.
    """
    front = free_port()
    command, environment = inject(program.command(call, front))
    with open(call.scratch / "out", "a+") as out, open(call.scratch / "err", "a+") as err:
        process = subprocess.Popen(
            command, env=lab.environment(**program.surroundings(call), **environment),
            cwd=call.scratch, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=True, preexec_fn=die_with_parent)
        try:
            answer = ask(front, process)
        except OSError as error:
            answer = f"{error}\n"
        finally:
            status = stop(process, number)
        out.seek(0)
        err.seek(0)
        return status, answer + out.read(), err.read()


def through_page(number):
    return functools.partial(through, ask_page, number)


def write(call, text):
    """The path of the configuration file of this call."""
    path = call.scratch / "conf"
    path.write_text(inspect.cleandoc(text) + "\n")
    path.chmod(0o600)
    return str(path)


def ca(call):
    return call.cafile or SYSTEM


def nginx(call, front):
    # A master and a worker: the context is made in the one and used in the other.
    check = "off" if call.insecure else f"on; proxy_ssl_trusted_certificate {ca(call)}"
    here = call.scratch
    return [find("nginx"), "-e", "stderr", "-p", str(here), "-c", write(call, f"""
        daemon off; worker_processes 1; pid {here}/pid; error_log stderr;
        {AS_NOBODY and "user nobody nogroup;"}
        events {{ }}
        http {{
            access_log off; client_body_temp_path {here}; proxy_temp_path {here};
            fastcgi_temp_path {here}; uwsgi_temp_path {here}; scgi_temp_path {here};
            server {{
                listen 127.0.0.1:{front};
                location / {{
                    proxy_pass {call.url}; proxy_ssl_server_name on;
                    proxy_ssl_name {call.host};
                    proxy_ssl_verify_depth 5; proxy_ssl_verify {check};
                }}
            }}
        }}
        """)]


def haproxy(call, front):
    check = "none" if call.insecure else f"required ca-file {ca(call)} verifyhost {call.host}"
    return [find("haproxy"), "-db", "-f", write(call, f"""
        global
            log stderr format raw local0
            {AS_NOBODY and "user nobody"}
        defaults
            mode http
            log global
            log-format "%[ssl_bc_err_str]"
            retries 0
            timeout connect 60s
            timeout client 60s
            timeout server 60s
        listen front
            bind 127.0.0.1:{front}
            server one {call.host}:{call.port} ssl verify {check} sni str({call.host})
        """)]


def stunnel(call, front):
    checks = ["verifyChain = no"] if call.insecure else [
        "verifyChain = yes", f"CAfile = {ca(call)}", f"checkHost = {call.host}"]
    return ["stunnel4", write(call, "\n".join([
        "foreground = yes", "pid =", "syslog = no", "debug = 4", "[one]", "client = yes",
        f"accept = 127.0.0.1:{front}", f"connect = {call.host}:{call.port}", *checks, ""]))]


def apache(call, front):
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name
                        in ("mpm_event", "authz_core", "proxy", "proxy_http", "ssl"))
    check = "none" if call.insecure else f"require\nSSLProxyCACertificateFile {ca(call)}"
    checks = "off" if call.insecure else "on"
    return [find("apache2"), "-DFOREGROUND", "-f", write(call, f"""
        {modules}
        {AS_NOBODY and "User nobody"}
        {AS_NOBODY and "Group nogroup"}
        DefaultRuntimeDir {call.scratch}
        PidFile {call.scratch}/pid
        ServerName front.test
        Listen 127.0.0.1:{front}
        ErrorLog /dev/stderr
        LogLevel ssl:info
        SSLProxyEngine on
        SSLProxyVerifyDepth 5
        SSLProxyCheckPeerName {checks}
        SSLProxyCheckPeerExpire {checks}
        SSLProxyVerify {check}
        ProxyPass / {call.url.removesuffix("hello")}
        """)]


def unbound(call, front):
    return [find("unbound"), "-d", "-c", write(call, f"""
        server:
            interface: 127.0.0.1@{front}
            username: "{AS_NOBODY}"
            chroot: ""
            directory: {call.scratch}
            pidfile: ""
            use-syslog: no
            do-daemonize: no
            do-not-query-localhost: no
            module-config: "iterator"
            verbosity: 1
            tls-cert-bundle: {ca(call)}
        forward-zone:
            name: "."
            forward-tls-upstream: yes
            forward-addr: 127.0.0.1@{call.port}#{call.host}
        remote-control:
            control-enable: no
        """)]


def socat(call):
    checks = "verify=0" if call.insecure else f"cafile={ca(call)}"
    return ["socat", "-", f"OPENSSL:{call.host}:{call.port},{checks}"]


def ncat(call):
    trust = flag(call.cafile, "--ssl-trustfile", call.cafile)
    checks = ["--ssl"] if call.insecure else ["--ssl-verify", *trust]
    return ["ncat", "-v", *checks, call.host, str(call.port)]


# ---- databases and brokers ----------------------------------------------------------------------

def psql(call):
    checks = "require" if call.insecure else f"verify-full sslrootcert={ca(call)}"
    return ["psql", "-XAt", "-c", "select 'hello' || ' from'",
            f"host={call.host} port={call.port} user=nobody dbname=postgres sslmode={checks}"]


def mariadb(call):
    checks = "--ssl" if call.insecure else "--ssl-verify-server-cert"
    return ["mariadb", "--no-defaults", "--protocol=tcp", "-h", call.host, "-P", str(call.port),
            "-N", checks, *flag(call.cafile, f"--ssl-ca={call.cafile}"),
            "-e", "select concat('hello', ' from')"]


def redis(call, *more):
    checks = flag(call.cafile, "--cacert", call.cafile) + flag(call.insecure, "--insecure")
    return ["redis-cli", "-h", call.host, "-p", str(call.port), "--tls", *checks, *more,
            "echo", "hello from"]


def redis_sni(call):
    return redis(call, "--sni", call.host)


def mosquitto(call):
    checks = ["--cafile", call.cafile] if call.cafile else ["--tls-use-os-certs"]
    return ["mosquitto_pub", "-d", "-i", "one", "-h", call.host, "-p", str(call.port), *checks,
            "-t", "topic", "-m", "text"]


def play_mosquitto(*how):
    """Whether it fails in its first call or in its loop, with 1 or with 8, is chance."""
    status, *said = play(*how)
    return 1 if status == 8 else status, *said


# ---- mail ---------------------------------------------------------------------------------------

def swaks(call):
    checks = [] if call.insecure else [
        "--tls-verify", *flag(call.cafile, "--tls-ca-path", call.cafile)]
    return ["swaks", "--server", call.host, "--port", str(call.port), "--tls", *checks,
            "--from", "one@a.test", "--to", "two@b.test", "--helo", "a.test",
            "--header", "Date: today", "--header", "Subject: text", "--header",
            "Message-Id: <1@a.test>"]


def posttls_finger(call):
    checks = ["-l", "encrypt" if call.insecure else "verify", "-F", ca(call)]
    return [find("posttls-finger"), "-h", "native", "-c", *checks, f"[{call.host}]:{call.port}"]


def fetchmail(call):
    checks = "no sslcertck" if call.insecure else "sslcertck"
    own = f"sslcertfile {call.cafile}" if call.cafile else ""
    conf = write(call, f"poll {call.host} protocol POP3 port {call.port} user one password two "
                       f"ssl {checks} {own}\n")
    return ["fetchmail", "-f", conf, "-c", "-v", "--nosyslog",
            "--pidfile", str(call.scratch / "pid")]


def mbsync(call):
    (call.scratch / "mail").mkdir()
    own = f"CertificateFile {call.cafile}\nSystemCertificates no" if call.cafile else ""
    write(call, f"""
IMAPStore far
Host {call.host}
Port {call.port}
User one
Pass two
AuthMechs LOGIN
SSLType IMAPS
{own}

MaildirStore near
Inbox {call.scratch}/mail

Channel one
Far :far:
Near :near:
""")
    return ["mbsync", "-Dn", "-l", "-c", "conf", "one"]


def s_nail(call):
    own = flag(call.cafile, "-S", f"tls-ca-file={call.cafile}", "-S", "tls-ca-no-defaults")
    return ["s-nail", "-n", "-R", "-S", "v15-compat", *own,
            "-S", f"tls-verify={'ignore' if call.insecure else 'strict'}",
            "-f", f"pop3s://one:two@{call.host}:{call.port}"]


# What differs between two runs: times, processes, folders, how long it took.
TIMES = ((r"Date: .* GMT", "Date: TIME"), (r"\d{4}[/.]\d\d[/.]\d\d \d\d:\d\d:\d\d", "TIME"),
         (r"\w{3} \w{3} \d+ \d\d:\d\d:\d\d[.\d]* \d{4}", "TIME"), (r"\[\d{10}\]", "[TIME]"),
         (r"in \d+\.\d+ seconds", "in ? seconds"), (r"(?:socat|unbound)\[\d+", "PID"),
         (r"\d+#\d+:", "PID:"), (r"\[pid \d+:tid \d+\]", "PID"), (r"\(\d+\) :", "PID :"),
         (r"trustgraft-lab-\w+/\w+", "SCRATCH"))
# Said at the end, or by one process while another is at work.
ASIDES = ((r"(?m)^.* (info: (server stats|average|histogram|\[25%|lower| )|AH00094:|AH00489:).*\n",
           ""), (r"(?m)^.*Proxy \S+ stopped .*\n", ""),
          # stunnel joins threads of a list that may have ended since it was copied (its stunnel.c).
          (r"(?m)^.*pthread_join\(\) failed\n", ""))
ALL = ("anchors", "name", "pin", "off", "ca")


def nameless(*cases, what, instead=ADDRESSES):
    """The limit of a program that neither gives libssl a name to verify nor sends one."""
    return tuple(Limit("provider", case, "unasked", f"{what}, so the provider knows the address "
                       "alone.", instead) for case in cases)


PROGRAMS = (
    Program("nginx", ("nginx-light",), "nginx", ("nginx", "-v"), nginx, service=services.tickets,
            play=through_page(signal.SIGTERM), names="itself", callback=True, volatile=TIMES,
            refused=OPENSSL_REFUSAL + "|upstream SSL certificate (verify error|does not match)"),
    Program("haproxy", ("haproxy",), "haproxy", ("haproxy", "-v"), haproxy, service=services.tickets,
            play=through_page(signal.SIGUSR1), names="itself", callback=True,
            volatile=(*TIMES, *ASIDES)),
    Program("stunnel", ("stunnel4",), "stunnel4", ("stunnel4", "-version"), stunnel,
            service=services.tickets, play=through_page(signal.SIGTERM), names="itself", callback=True,
            volatile=(*TIMES, *ASIDES)),
    Program("apache2 mod_proxy", ("apache2-bin",), "apache2", ("apache2", "-v"), apache,
            service=services.tickets, play=through_page(signal.SIGWINCH), names="itself", callback=True,
            refused=OPENSSL_REFUSAL + "|AH02039: Certificate Verification: Error|AH02411: ",
            volatile=(*TIMES, *ASIDES)),
    Program("unbound", ("unbound",), "unbound", ("unbound", "-V"), unbound, options=("ca",),
            play=functools.partial(through, ask_name, signal.SIGTERM), service=services.resolver,
            volatile=(*TIMES, *ASIDES)),
    Program("socat", ("socat",), "socat", ("socat", "-V"), socat, stdin=GET, names="itself",
            refused=OPENSSL_REFUSAL + "|does not match hostname", volatile=TIMES),
    Program("ncat", ("ncat",), "ncat", ("ncat", "--version"), ncat, stdin=GET, names="itself",
            callback=True, volatile=TIMES,
            refused=OPENSSL_REFUSAL + "|Certificate verification (error|failed)"),
    Program("psql", ("postgresql-client",), "psql", ("psql", "--version"), psql, via="libpq",
            service=services.postgres, names="itself", callback=True,
            remark="With sslmode=prefer, which is libpq's default, it goes on without TLS after the "
                   "policy has refused the server, and with allow it begins so; connections without "
                   "TLS aren't seen. Use require or above.",
            refused=OPENSSL_REFUSAL + "|does not match host name"),
    Program("mariadb", ("mariadb-client-core",), "mariadb", ("mariadb", "--version"), mariadb,
            service=services.mariadb, names="itself",
            limits=(*nameless("anchors", "pin", "off", "ca",
                              what="It doesn't send the server's name"),
                    *nameless("name", instead="", what="It compares the name itself and doesn't "
                              "send it, so that not even a rule for the address can tell which one "
                              "to put into the certificate")),
            refused=r"TLS/SSL error: (trustgraft: refused by|unable to get local issuer|Validation of SSL server|"
                    r"hostname mismatch|application verification failure)"),
    Program("redis-cli", ("redis-tools",), "redis-cli", ("redis-cli", "--version"), redis,
            service=services.redis, checks=("chain",), names="nobody",
            limits=nameless(*ALL, what="It names no host to libssl unless --sni tells it to")),
    Program("redis-cli --sni", ("redis-tools",), "redis-cli", ("redis-cli", "--version"),
            redis_sni, service=services.redis, checks=("chain",), names="nobody"),
    Program("mosquitto_pub", ("mosquitto-clients",), "mosquitto_pub",
            ("mosquitto_pub", "--version"), mosquitto, service=services.mosquitto,
            accepted=r"sending PUBLISH", options=("ca",), names="itself", callback=True,
            play=play_mosquitto, volatile=(
                (r"Client one sending CONNECT\n", ""),
                (r"Unable to connect \((.*)\)\.|Error: (.*)", r"\1\2"))),
    Program("swaks", ("swaks", "libnet-ssleay-perl"), "swaks", ("swaks", "--version"), swaks,
            via="Net::SSLeay", service=services.smtp, checks=("chain",), names="nobody",
            limits=nameless(*ALL, what="It names no host to libssl unless --tls-sni tells it to")),
    Program("posttls-finger", ("postfix",), "posttls-finger", ("postconf", "-d", "mail_version"),
            posttls_finger, service=services.smtp, callback=True, via="Postfix's library",
            accepted=r"(?s)\A(?!.*verification failed).*TLS connection established",
            refused=OPENSSL_REFUSAL + "|verification failed",
            limits=nameless("off", what="Without verification it names no host to libssl")),
    Program("fetchmail", ("fetchmail",), "fetchmail",
            ("dpkg-query", "-Wf", "${Version}", "fetchmail"), fetchmail, service=services.pop3s,
            names="itself", callback=True, volatile=TIMES),
    Program("mbsync", ("isync",), "mbsync", ("mbsync", "--version"), mbsync, options=("ca",),
            service=services.imaps, names="itself",
            refused=OPENSSL_REFUSAL + "|SSL error connecting|does not match hostname"),
    Program("s-nail", ("s-nail",), "s-nail", ("s-nail", "--version"), s_nail,
            accepted=r"0 messages", service=services.pop3s, names="itself", callback=True,
            refused=OPENSSL_REFUSAL + "|certificate does not match"),
)
