"""trustgraft init: the first policy."""
import concurrent.futures
import contextlib
import os
import random
import re
import shlex
import ssl
import subprocess

from cli import plain
from cli.fetching import Realm, Web
from e2e.harness import Skip, require

HOST = "api.example.test"


def served(command, leaf, *others, changed=lambda text: text):
    """A server that sends the chain of LEAF, CHANGED, and these certificates behind it."""
    folder = command.folder().path
    text = changed((command.pki / f"{leaf}.chain.pem").read_text()) + "".join(
        (command.pki / f"{other}.pem").read_text() for other in others)
    (folder / "chain.pem").write_text(text)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "chain.pem", command.pki / f"{leaf}.key")
    return plain.listening(plain.secured(tls))


def init(command, policy, port, *words, **options):
    return command("init", "-p", policy, "--timeout", "60", "--resolve", f"{HOST}:{port}:127.0.0.1",
                   *words, f"{HOST}:{port}", **options)


def explain(command, policy, port):
    return command("explain", "--connect", "-p", policy, "--resolve", f"{HOST}:{port}:127.0.0.1",
                   f"{HOST}:{port}").status


def new(command):
    return command.folder().path / "new" / "policy.conf"


def fingerprint(command, name):
    return next(line.split("\t")[1] for line in (command.pki / "INDEX").read_text().splitlines()
                if line.split("\t")[0] == name)


def test_ca_that_the_server_sends(command):
    """It is trusted for this host alone, and another server of it isn't accepted for it."""
    policy = new(command)
    with served(command, "api", "root") as port, served(command, "api-other") as other:
        result = init(command, policy, port, "--yes").ended(0).quiet()
        result.printed(f"[host {HOST}:{port}]\n", "compare it with", fingerprint(command, "root"),
                       "anchors = ", f"Written to {policy}", "trustgraft run ")
        require(explain(command, policy, port) == 0, policy.read_text())
        policy.write_text(policy.read_text().replace(str(port), str(other)))
        require(explain(command, policy, other) == 1, policy.read_text())
    command("check", policy).ended(0)


def test_folder_for_certificates_that_is_another_s(command):
    """Who can make it before, where everybody can write, mustn't say where files go, nor change them."""
    if os.getuid() != 0:
        raise Skip("only root can give files away")
    elsewhere, nobody = command.folder().path, 65534

    def link(certs):
        certs.symlink_to(elsewhere)
        os.lchown(certs, nobody, nobody)

    def given(certs):
        certs.mkdir()
        os.chown(certs, nobody, nobody)

    def open_to_all(certs):
        certs.mkdir()
        certs.chmod(0o1777)

    with served(command, "api-other") as port:
        for make, why in ((link, "another user's link"), (given, "another user's folder"),
                          (open_to_all, "everybody can write")):
            policy = command.folder().path / "policy.conf"
            make(policy.parent / "certs")
            init(command, policy, port, "--yes").ended(2).said(why)
            require(not policy.exists() and not list((policy.parent / "certs").iterdir()), make)
        policy = command.folder().path / "policy.conf"
        (policy.parent / "certs").symlink_to(elsewhere)  # one's own
        init(command, policy, port, "--yes").ended(0)
        require(len(list(elsewhere.iterdir())) == 1, elsewhere)


def test_place_that_another_can_write(command):
    """No program would trust a policy there, nor is one said to be written."""
    if os.getuid() != 0:
        raise Skip("only root can give files away")
    with served(command, "api-other") as port:
        for owner, mode, below, why in ((65534, 0o755, "", "belongs to user 65534"),
                                        (0, 0o777, "", "writable by group and others"),
                                        (0, 0o777, "a/b", "writable by group and others")):
            folder = command.folder().path / "given"
            folder.mkdir()
            os.chown(folder, owner, 0)
            folder.chmod(mode)
            policy = folder / below / "policy.conf"
            init(command, policy, port, "--yes").ended(2).said(f"its directory {folder} ", why)
            require(not policy.exists(), policy)
        folder.chmod(0o1777)  # where each has his own files, as in /tmp
        init(command, folder / "policy.conf", port, "--yes").ended(0)
        require(explain(command, folder / "policy.conf", port) == 0, "it isn't accepted")


def test_place_that_is_relative(command):
    """What the policy names is found from its folder, wherever that was named from."""
    folder = command.folder().path
    with served(command, "api-other") as port:
        init(command, "new/policy.conf", port, "--yes", cwd=folder).ended(0)
        require(explain(command, folder / "new/policy.conf", port) == 0, "it isn't accepted")
        require(os.listdir(folder) == ["new"], os.listdir(folder))


def test_certificate_that_nobody_vouches_for(command):
    policy = new(command)
    with served(command, "api-other") as port, served(command, "api") as other:
        init(command, policy, port, "--yes").ended(0).quiet().printed(
            "nobody vouches for it", fingerprint(command, "api-other"), "trust-certificate = ")
        require(explain(command, policy, port) == 0, policy.read_text())
        policy.write_text(policy.read_text().replace(str(port), str(other)))
        require(explain(command, policy, other) == 1, policy.read_text())


def test_roots_that_are_not_its_own(command):
    """A server that sends a stranger's root is vouched for by nobody; among others its own is found."""
    with served(command, "api-other", "root", "scoped-root") as port:
        policy = new(command)
        out = init(command, policy, port, "--yes").ended(0).quiet().out
        require('anchors = "' not in out and "exception" not in out and fingerprint(command, "root") not in out, out)
        require("trust-certificate = " in out and explain(command, policy, port) == 0, out)
    for roots in (("root", "other-root"), ("other-root", "root")):
        with served(command, "api-other", *roots) as port, served(command, "api") as other:
            policy = new(command)
            out = init(command, policy, port, "--yes").ended(0).printed(fingerprint(command, "other-root")).out
            require(fingerprint(command, "root") not in out and "exception" not in out, out)
            require(explain(command, policy, port) == 0, out)
            policy.write_text(policy.read_text().replace(str(port), str(other)))
            require(explain(command, policy, other) == 1, out)


def test_no_other_certificate_is_accepted(command):
    """Not even one that a CA of the application's vouches for, as the comment says."""
    policy, root = new(command), command.pki / "root.pem"
    with served(command, "api-other") as port, served(command, "api") as other:
        init(command, policy, port, "--yes").ended(0)
        for at, status in ((port, 0), (other, 1)):
            policy.write_text(policy.read_text().replace(str(port), str(at)))
            command("explain", "--connect", "-p", policy, "--app-anchors", root, "--resolve",
                    f"{HOST}:{at}:127.0.0.1", f"{HOST}:{at}").ended(status)
        command("verify", "--app-anchors", root, "-p", command.policy("[host *]\n"), "--host", HOST,
                command.chain("api")).ended(0)


def test_name_with_a_zero_byte(command):
    """What stands before the byte is no name of the certificate's: another is demanded."""
    with served(command, "embedded-nul", "root") as port:
        out = init(command, new(command), port, "--dry-run").ended(0).out
    require("hostname = " not in out, out)


def test_port_of_the_rule(command):
    """https is any port, as a proxy has another; another port is told apart, and check is content."""
    command("check", command.policy(f"[host {HOST}:443]\n")).ended(0).printed("is for one port")
    policy = new(command)
    with served(command, "api", "root") as port:
        init(command, policy, port, "--yes").ended(0).printed(f"[host {HOST}:{port}]\n")
    command("check", policy).ended(0).printed("valid: 1 rule\n")
    address = ".".join(map(str, (127, *(random.randrange(1, 255) for _ in range(3)))))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(plain.listening(plain.secured(plain.context(command.pki, "api")), address, 443))
        except OSError as error:
            raise Skip(f"port 443 can't be had: {error}") from error
        for word in (HOST, f"https://{HOST}/"):
            policy = new(command)
            command("init", "-p", policy, "--yes", "--resolve", f"{HOST}:443:{address}",
                    word).ended(0).printed(f"[host {HOST}]\n")
            command("check", policy).ended(0).printed("valid: 1 rule\n")


def test_all_that_is_wrong(command):
    """Another name and expired: a hostname, and an exception for three months."""
    policy = new(command)
    with served(command, "expired-partner", "root") as port:
        result = init(command, policy, port, "--yes").ended(0).quiet()
        result.printed("hostname = www.partner.test\n", "findings = certificate-expired\n",
                       "expires = ", "note = ")
        require(explain(command, policy, port) == 0, policy.read_text())


def test_machine_trusts_it(command):
    policy = new(command)
    with served(command, "api") as port:
        text = init(command, policy, port, "--yes",
                    env={"SSL_CERT_FILE": str(command.pki / "root.pem")}).ended(0).quiet().out
    require("\nanchors = system\n" in text and "\n# ca-pin = sha256/" in text, text)
    require("exception" not in text and "hostname" not in text, text)
    require(os.listdir(policy.parent) == ["policy.conf"], os.listdir(policy.parent))


def test_ca_that_is_given(command):
    """By its file: the rule has it, and it alone, whatever else the file holds."""
    policy, given = new(command), command.folder().write("cas.pem", "".join(
        (command.pki / f"{name}.pem").read_text() for name in ("other-root", "root")))
    with served(command, "api") as port, served(command, "api-other") as other:
        init(command, policy, port, "--yes", "--app-anchors", given).ended(0).quiet().printed(
            "of those that were given", "anchors = ")
        require(explain(command, policy, port) == 0, policy.read_text())
        policy.write_text(policy.read_text().replace(str(port), str(other)))
        require(explain(command, policy, other) == 1, policy.read_text())


def test_intermediate_that_is_forgotten(command):
    with Web() as web:
        realm = Realm(command.folder(), web.base)
        web.pages.update(realm.pages())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(realm.path("leaf.pem"), realm.path("leaf.key"))
        policy = new(command)
        with plain.listening(plain.secured(tls)) as port:
            init(command, policy, port, "--yes", "--allow-private", "--app-anchors",
                 realm.path("root.pem")).ended(0).printed("doesn't send it\nintermediates = ")
            text = policy.read_text()
            require(explain(command, policy, port) == 0, text)
            policy.write_text(re.sub("intermediates = .*", "", text))
            require(explain(command, policy, port) == 1, text)


def test_nothing_is_forgiven_that_may_not_be(command):
    policy = new(command)
    def tamper(chain):
        leaf, end, others = chain.partition("-----END CERTIFICATE-----\n")
        der = ssl.PEM_cert_to_DER_cert(leaf[leaf.index("-----BEGIN"):] + end)
        return ssl.DER_cert_to_PEM_cert(der[:-1] + bytes([der[-1] ^ 1])) + others

    with served(command, "api", "root", changed=tamper) as port:
        init(command, policy, port, "--yes").ended(2).said("no exception can forgive bad-signature",
                                                           "nothing was written")
    require(not policy.parent.exists(), "something was written")


def test_commands_that_it_ends_with(command):
    """They can be pasted; `enable` is for the system's policy alone, and says so."""
    policy = command.folder().path / "it's new" / "policy.conf"
    with served(command, "localhost", "root") as port:
        out = command("init", "--yes", "-p", policy, "--resolve", f"localhost:{port}:127.0.0.1",
                      f"https://localhost:{port}/path").ended(0).quiet().out
        lines = out[out.index("Next:\n"):].splitlines()[1:]
        explain_it, run, enable = (shlex.split(line.split("    ")[0])[1:] for line in lines)
        command(*explain_it).ended(0).printed("accept localhost:")
        require(run[-1] == f"https://localhost:{port}", out)
        done = command(*run, "--silent", "--show-error", "--max-time", "60")
        require(done.status in (52, 56), f"curl got no further than the handshake: {done}")
    require(enable == ["enable"] and "policy.conf: put it there first" in lines[2], out)


def test_added_to_a_policy(command):
    """Behind what is there; a host that has a rule, and a policy with an error, are left alone."""
    policy = command.policy("# mine\n[host b.test]\naction = reject")
    before = policy.read_text()
    with served(command, "api", "root") as port:
        init(command, policy, port, "--dry-run").ended(0).printed(f"[host {HOST}:{port}]")
        require(policy.read_text() == before, "--dry-run wrote")
        init(command, policy, port).ended(2).silent().said("no terminal to ask on")
        init(command, policy, port, "--yes", "b.test").ended(2).said(
            f"b.test has a rule already, at {policy}:2", "nothing was written")
        require(policy.read_text() == before, "it was written all the same")
        init(command, policy, port, "--yes").ended(0)
        require(policy.read_text().startswith(before + "\n\n# "), policy.read_text())
        require(explain(command, policy, port) == 0, policy.read_text())
        init(command, policy, port, "--yes").ended(2).said("has a rule already")
    broken = command.policy("[host b.test]\nnonsense = 1\n")
    before = broken.read_text()
    init(command, broken, 1, "--yes").ended(1).said("nonsense")
    require(broken.read_text() == before, "it was written")


def test_place_that_no_policy_can_name(command):
    """What would be written there could not be read, so nothing is."""
    with served(command, "api-other") as port:
        for name, said in (("a\nb", "a\\x0Ab"), ("a\tb", "control characters"), (b"a\xff", "a\\xFF"),
                           ("a\u202eb", "control characters")):
            policy = os.path.join(os.fsencode(command.folder().path), os.fsencode(name), b"policy.conf")
            result = command("init", "--yes", "--resolve", f"{HOST}:{port}:127.0.0.1", f"{HOST}:{port}",
                             env={"TRUSTGRAFT_POLICY": os.fsdecode(policy)}).ended(2).silent()
            result.said("a policy can't name this", said)
            require(not os.path.exists(os.path.dirname(policy)), policy)
        policy = command.folder().path / 'a"]#x \\q' / "policy.conf"
        init(command, policy, port, "--yes").ended(0)
        require(explain(command, policy, port) == 0, policy.read_text())


def test_many_at_once(command):
    """Each rule that is said to be written stands there, in a new policy and in one that is there."""
    policy = new(command)
    with served(command, "api", "root") as port, concurrent.futures.ThreadPoolExecutor() as pool:
        for turn in range(2):
            before = policy.read_text() if turn else ""
            hosts = [f"h{turn}{i}.test" for i in range(6)]
            results = list(pool.map(lambda host: command(
                "init", "-p", policy, "--yes", "--resolve", f"{host}:{port}:127.0.0.1", f"{host}:{port}"), hosts))
            written = {host for host, result in zip(hosts, results) if result.status == 0}
            for host, result in zip(hosts, results):
                require(result.status in (0, 2), result)
                require((f"[host {host}:{port}]" in policy.read_text()) == (host in written), result)
                if host not in written:
                    result.said("try again" if "meanwhile" in result.err else "is being changed by another")
            require(written and policy.read_text().startswith(before), policy.read_text())
    command("check", policy).ended(0)


def test_place_of_a_new_policy(command):
    """Where programs find it; and verbs that find none tell of init."""
    home = command.folder().path
    with served(command, "api", "root") as port:
        environment = {"XDG_CONFIG_HOME": str(home), "TRUSTGRAFT_POLICY": str(home / "p.conf")}
        command("init", "--yes", "--resolve", f"{HOST}:{port}:127.0.0.1", f"{HOST}:{port}",
                env=environment).ended(0).printed(f"Written to {home}/p.conf")
    command("explain", HOST, env={"XDG_CONFIG_HOME": str(home)}).ended(2).said(
        "'trustgraft init HOST' proposes one")


def test_nothing_is_written_to_try_it(command):
    """Neither a full nor a read-only /tmp is in the way."""
    with served(command, "api", "root") as port:
        script = ('mount --bind /tmp /tmp && mount -o remount,ro,bind /tmp || exit 99; touch /tmp/x && exit 98; '
                  'exec "$@"')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", command.program, "init", "--dry-run", "-p",
                               "/nowhere/policy.conf", "--resolve", f"{HOST}:{port}:127.0.0.1", f"{HOST}:{port}"],
                              env=command.environment(), capture_output=True, text=True, check=False, timeout=120)
    if done.returncode in (1, 99) and ("unshare" in done.stderr or "mount" in done.stderr):
        raise Skip(f"no namespace of its own: {done.stderr.strip()}")
    require(done.returncode == 0 and f"[host {HOST}:{port}]" in done.stdout, done)


def test_folder_that_can_not_be_written(command):
    with served(command, "api", "root") as port:
        init(command, "/proc/nowhere/policy.conf", port, "--yes").ended(2).said("/proc/nowhere")
    init(command, new(command), plain.closed_port(), "--yes").ended(2).said(
        "the connection is refused", "nothing was written")
