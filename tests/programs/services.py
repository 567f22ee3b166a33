"""services.py - the real servers that some programs need: each a function (lab, leaf) -> port.

They run with a data folder of their own under the lab's and end with it. Those that refuse to
run as root run as nobody.
"""
import functools
import glob
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from lab.servers import free_port

HERE = pathlib.Path(__file__).resolve().parent
SBIN = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
# Debian keeps these out of the path, one folder a version.
POSTGRES = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig=TERM"]


def find(program):
    """The path of PROGRAM, also where only root looks; PROGRAM itself if there is none."""
    return shutil.which(program, path=":".join([SBIN, *POSTGRES])) or program


def unprivileged(command):
    return [*NOBODY, *command] if os.geteuid() == 0 else command


def home(lab, leaf, owner="nobody"):
    """A fresh folder of OWNER's (if there is a choice), with the leaf's chain and key in it."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=lab.scratch))
    shutil.copy(lab.pki.chain(leaf), folder / "chain.pem")
    shutil.copy(lab.pki.key(leaf), folder / "key.pem")
    if os.geteuid() == 0:
        for path in (folder, folder / "key.pem"):
            shutil.chown(path, owner)
    return folder


def start(lab, folder, port, command, **options):
    """Starts a server and waits until PORT accepts; what it says is in FOLDER/log."""
    with open(folder / "log", "wb") as log:
        process = lab.servers.start(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    cwd=folder, **options)
    lab.servers.wait_for(str(folder), process, port)
    return port


def postgres(lab, leaf):
    folder, port = home(lab, leaf), free_port()
    subprocess.run(unprivileged([
        find("initdb"), "--pgdata=data", "--username=nobody", "--auth=trust", "--no-sync",
        "--no-locale", "--encoding=UTF8"]), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    settings = {"ssl": "on", "ssl_cert_file": folder / "chain.pem", "ssl_key_file":
                folder / "key.pem", "listen_addresses": "127.0.0.1", "port": port,
                "unix_socket_directories": "", "fsync": "off"}
    start(lab, folder, port, unprivileged([
        find("postgres"), "-D", "data", *(f"--{key}={value}" for key, value in settings.items())]))
    for _ in range(1200):  # it listens before it is ready
        if subprocess.run([find("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode == 0:
            break
        time.sleep(0.05)
    return port


def mariadb(lab, leaf):
    """Without tables or accounts: whoever comes may ask for the server's version."""
    folder, port = home(lab, leaf), free_port()
    return start(lab, folder, port, unprivileged([
        find("mariadbd"), "--no-defaults", f"--datadir={folder}", "--skip-grant-tables",
        "--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}",
        f"--socket={folder}/socket", "--skip-innodb", "--default-storage-engine=MEMORY",
        f"--ssl-cert={folder}/chain.pem", f"--ssl-key={folder}/key.pem"]))


def redis(lab, leaf):
    folder, port = home(lab, leaf, "root"), free_port()
    return start(lab, folder, port, [
        "redis-server", "--bind", "127.0.0.1", "--port", "0", "--tls-port", str(port),
        "--tls-cert-file", "chain.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no",
        "--save", ""])


def mosquitto(lab, leaf):
    folder, port = home(lab, leaf, "root"), free_port()
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"certfile {folder}/chain.pem\nkeyfile {folder}/key.pem\n")
    return start(lab, folder, port, [find("mosquitto"), "-c", "conf"])


def resolver(lab, leaf):
    """A name server under TLS (RFC 7858), which knows one name: answer.example."""
    folder, port = home(lab, leaf, "root"), free_port()
    (folder / "conf").write_text(f"""
        server:
            interface: 127.0.0.1@{port}
            tls-port: {port}
            tls-service-pem: {folder}/chain.pem
            tls-service-key: {folder}/key.pem
            username: ""
            chroot: ""
            directory: {folder}
            pidfile: ""
            use-syslog: no
            do-daemonize: no
            local-zone: "example." static
            local-data: "answer.example. A 192.0.2.1"
        remote-control:
            control-enable: no
        """)
    return start(lab, folder, port, [find("unbound"), "-c", "conf", "-d"])


def ldap(scheme, lab, leaf):
    """A directory whose root says it; by StartTLS where SCHEME is ldap."""
    folder, port = home(lab, leaf, "root"), free_port()
    (folder / "root").write_text(f"dn:\ndescription: hello from {leaf}\n")
    (folder / "conf").write_text(f"pidfile {folder}/pid\nrootDSE {folder}/root\n"
                                 f"TLSCertificateFile {folder}/chain.pem\nTLSCertificateKeyFile {folder}/key.pem\n")
    return start(lab, folder, port, [find("slapd"), "-d", "0", "-f", "conf", "-h", f"{scheme}://127.0.0.1:{port}"])


def repository(lab, leaf):
    """An archive of Debian packages, all of them none."""
    name = f"repository-{leaf}"
    (lab.scratch / name / "html").mkdir(parents=True)
    (lab.scratch / name / "html/Packages").write_text("Package: hello\nArchitecture: all\nVersion: 1\n"
                                                      "Filename: hello.deb\nSize: 0\n")
    if not lab.servers.nginx(name, leaf):
        raise RuntimeError("there is no nginx")
    return lab.servers.ports[name]


def tickets(lab, leaf):
    """An HTTPS server that sends tickets."""
    lab.servers.python([leaf])
    return lab.servers.ports[leaf]


def dovecot(protocol, lab, leaf):
    """A server of PROTOCOL (imap, pop3, lmtp, sieve) that nobody can log in to."""
    folder, port = home(lab, leaf, "root"), free_port()
    service = {"lmtp": "lmtp", "sieve": "managesieve-login"}.get(protocol, f"{protocol}-login")
    (folder / "conf").write_text(f"""
        protocols = {protocol}
        base_dir = {folder}/run
        log_path = {folder}/said
        ssl = yes
        ssl_cert = <{folder}/chain.pem
        ssl_key = <{folder}/key.pem
        service {service} {{
          inet_listener {protocol} {{
            address = 127.0.0.1
            port = {port}
          }}
          inet_listener {protocol}s {{
            port = 0
          }}
        }}
        passdb {{
          driver = static
          args = nopassword=y
        }}
        """)
    return start(lab, folder, port, [find("dovecot"), "-F", "-c", "conf"])


def prosody(kind, lab, leaf):
    """An XMPP server of the domain localhost, for clients (KIND c2s) or servers (s2s)."""
    folder, port = home(lab, leaf, "prosody"), free_port()
    (folder / "conf.lua").write_text(f"""
        pidfile = "{folder}/pid"
        data_path = "{folder}"
        interfaces = {{ "127.0.0.1" }}
        c2s_ports = {{ {port if kind == "c2s" else ""} }}
        s2s_ports = {{ {port if kind == "s2s" else ""} }}
        modules_enabled = {{ "tls"; "saslauth"; "dialback" }}
        modules_disabled = {{ "http"; "posix" }}
        log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
        ssl = {{ key = "{folder}/key.pem"; certificate = "{folder}/chain.pem" }}
        VirtualHost "localhost"
        """)
    return start(lab, folder, port, [find("prosody"), "--config", str(folder / "conf.lua"), "-F"])


def talk(protocol, lab, leaf):
    process = lab.servers.start(
        [sys.executable, str(HERE / "talk.py"), protocol, str(lab.pki.chain(leaf)),
         str(lab.pki.key(leaf)), f"hello from {leaf}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return int(process.stdout.readline())


smtp = functools.partial(talk, "smtp")
pop3s = functools.partial(talk, "pop3s")
irc = functools.partial(talk, "irc")
imaps = functools.partial(talk, "imaps")
