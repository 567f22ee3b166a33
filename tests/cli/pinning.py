"""trustgraft pin, and the known-hosts files that it writes."""
import concurrent.futures
import contextlib
import fcntl
import os
import re
import resource
import shutil
import subprocess

from cli import plain
from cli.connecting import serving
from e2e.harness import Skip, require
from lab.pki import Pki

HOST = "api.example.test"
ZEROS = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def pin(command, port, *words, host=HOST, **options):
    return command("pin", "--resolve", f"{host}:{port}:127.0.0.1", *words, f"{host}:{port}",
                   **options)


def pin_of(command, name):
    return Pki(command.pki).pins[name]


def accepted(command, policy, port):
    """The exit code of a real evaluation of the server under POLICY."""
    return command("explain", "--connect", "-p", policy, "--resolve", f"{HOST}:{port}:127.0.0.1",
                   f"{HOST}:{port}").status


def test_server(command):
    with serving(command, "api") as port:
        result = pin(command, port).ended(0).quiet()
    result.printed(f"{HOST}:{port}, at 127.0.0.1 port {port}, TLS 1.3, presents:",
                   "CN=api.example.test", "valid ", "sha256:", f"[host {HOST}:{port}]\n",
                   f"leaf-pin = {pin_of(command, 'api')}  # CN=api.example.test\n",
                   f"# ca-pin = {pin_of(command, 'intermediate')}  # CN=Test Intermediate",
                   "without a backup")


def test_output_is_a_policy(command):
    """As it stands, with anchors it accepts the server, and another key of the host it doesn't."""
    with serving(command, "api") as port, serving(command, "api-rotated") as other:
        text = pin(command, port).ended(0).out
        for at, status in ((port, 0), (other, 1)):
            policy = command.policy(text.replace(f":{port}]", f":{at}]")
                                    + "anchors = {pki}/root.pem\n")
            command("check", policy).ended(0).printed("valid: 1 rule")
            require(accepted(command, policy, at) == status, text)


def test_hostile_names_stay_comments(command):
    for leaf in ("spoofing-subject", "spoofing-san", "embedded-nul-cn"):
        with serving(command, leaf) as port:
            text = pin(command, port).ended(0).out
        require(not re.search(r"[^\n -~\u00a0-\U0010ffff]", text), repr(text))
        command("check", command.policy(text)).ended(0).printed("valid: 1 rule")


def test_section_without_a_port(command):
    """The port is as it was given."""
    result = command("pin", "--resolve", f"{HOST}:443:127.127.127.127", "--timeout", "1", HOST)
    result.ended(2).silent().said(f"{HOST}:443: ")
    command("pin", "--host", HOST, command.pki / "api.pem").ended(0).printed(f"[host {HOST}]\n")


def test_json(command):
    with serving(command, "api") as port:
        one = pin(command, port, "--json").ended(0).quiet().object()
    require((one["host"], one["port"], one["file"]) == (HOST, port, None), one)
    require(one["spki"] == pin_of(command, "api") == one["chain"][0]["spki"], one)
    require(list(one["chain"][-1]) == ["subject", "issuer", "not_before", "not_after", "sha256",
                                       "spki"], one)
    objects = command("pin", "--json", command.pki / "api.pem",
                      command.pki / "api.key").ended(0).objects()
    require([bool(each["chain"]) for each in objects] == [True, False], objects)
    require({each["spki"] for each in objects} == {pin_of(command, "api")}, objects)


def test_starttls(command):
    tls = plain.secured(plain.context(command.pki, "api"))
    with plain.listening(plain.in_turn(*plain.BEFORE["smtp"], plain.say(plain.YES["smtp"]),
                                       tls)) as port:
        pin(command, port, "--starttls", "smtp").ended(0).printed(pin_of(command, "api"))


def test_files_of_certificates(command):
    result = command("pin", command.chain("api"), command.pki / "root.pem").ended(0).quiet()
    result.printed(f"\nleaf-pin = {pin_of(command, 'api')}",
                   f"\n# ca-pin = {pin_of(command, 'intermediate')}",
                   f"\nca-pin = {pin_of(command, 'root')}")
    require("[host" not in result.out, result)


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def test_files_of_keys(command):
    folder, key = command.folder(), command.pki / "api.key"
    openssl("pkey", "-in", key, "-pubout", "-out", folder / "public.pem")
    openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", folder / "public.der")
    openssl("pkey", "-in", key, "-outform", "DER", "-out", folder / "private.der")
    openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-out", folder / "it.csr")
    openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-outform", "DER", "-out",
            folder / "request.der")
    openssl("x509", "-in", command.pki / "api.pem", "-outform", "DER", "-out", folder / "cert.der")
    for name, kind in (("public.pem", "public key"), ("public.der", "public key"),
                       ("private.der", "private key"), ("it.csr", "certificate request"),
                       ("request.der", "certificate request"), ("cert.der", "CN=api")):
        command("pin", folder / name).ended(0).quiet().printed(
            f"leaf-pin = {pin_of(command, 'api')}  # ", kind)


def test_encrypted_key(command):
    folder = command.folder()
    openssl("pkey", "-in", command.pki / "api.key", "-aes128", "-passout", "pass:secret", "-out",
            folder / "locked.key")
    command("pin", folder / "locked.key").ended(2).silent().said("encrypted private key", "-pubout")


def test_files_that_hold_nothing(command):
    folder = command.folder()
    for path in (folder.write("empty.pem", ""), folder.write("text.pem", "hello\n"),
                 folder.write("junk.der", os.urandom(100)), folder.path, "/nowhere.pem",
                 folder.write("cut.pem", (command.pki / "api.pem").read_text()[:-60]),
                 folder.write("zeros.pem", b"\x00" * 4096)):
        command("pin", path).ended(2).silent().said(f"{path}: ")
    command("pin", command.pki / "api.pem", "/nowhere.pem").ended(2).printed(pin_of(command, "api"))


def test_no_connection(command):
    pin(command, plain.closed_port()).ended(2).silent().said("the connection is refused")
    with plain.listening(plain.in_turn(plain.say(b"HTTP/1.1 400 no\r\n\r\n"), plain.wait)) as port:
        pin(command, port).ended(2).silent().said("plain HTTP where TLS was expected")
    with plain.listening(plain.in_turn(plain.say(b"\x1b[31m\xff\r\n" * 20), plain.wait)) as port:
        require("\x1b" not in pin(command, port).ended(2).silent().err, "not escaped")
    with plain.listening(plain.wait) as port:
        pin(command, port, "--timeout", "1").ended(2).silent().said("in time")
    command("pin", "no-such.host.invalid").ended(2).silent().said("can't be looked up")


def test_options_that_make_no_sense(command):
    pem = command.pki / "api.pem"
    command("pin", "--starttls", "smtp", pem).ended(2).silent().said("--starttls is for a connection")
    command("pin", "--host", HOST, HOST).ended(2).silent().said("--host is for files")
    command("pin", "--to", "known", pem).ended(2).silent().said("--to with a file needs --host")
    command("pin", "--to", "known", "--host", HOST, pem, pem).ended(2).silent().said("one file")
    command("pin", "*.example.test").ended(2).silent().said("is not one host")
    command("pin").ended(2).silent().said("the host or file is missing")


# ---- --to -------------------------------------------------------------------------------------


def known_policy(command, known):
    return command.policy(f"[host {HOST}]\nanchors = {{pki}}/root.pem\nknown-hosts = {known}\n")


def test_first_use_then_another_key(command):
    known = command.folder() / "known"
    policy = known_policy(command, command.folder().write("known", ""))
    with serving(command, "api") as port, serving(command, "api-rotated") as other:
        pin(command, port, "--to", known).ended(0).printed(f"{HOST}:{port} is added to {known}\n")
        policy = known_policy(command, known)
        require(accepted(command, policy, port) == 0 and accepted(command, policy, other) == 1,
                known.read_text())
        known.write_text(known.read_text().replace(str(port), str(other)))
        require(accepted(command, policy, other) == 1, "the other key is accepted")
        before = known.read_bytes()
        pin(command, other, "--to", known).ended(1).said("is known by another key", "--yes")
        require(known.read_bytes() == before, "it was changed all the same")
        pin(command, other, "--to", known, "--yes").ended(0).printed("is replaced in")
        require(accepted(command, policy, other) == 0, known.read_text())


def test_line_has_the_pin_and_where_from(command):
    known = command.folder() / "known"
    with serving(command, "api") as port:
        pin(command, port, "--to", known).ended(0)
    require(re.fullmatch(rf"{HOST}:{port} {re.escape(pin_of(command, 'api'))}  # CN={HOST}, "
                         r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", known.read_text()), known.read_text())
    require(known.stat().st_mode & 0o777 == 0o644, oct(known.stat().st_mode))


def to(command, known, *words, host=HOST, name="api", **options):
    """Adds HOST with the key of NAME."""
    return command("pin", "--to", known, "--host", host, *words, command.pki / f"{name}.pem",
                   **options)


def test_other_lines_stay(command):
    text = f"# mine\n\nb.test {ZEROS}\t# b\r\n  [::1]:1 {ZEROS},{ZEROS}\n# end"
    known = command.folder().write("known", text, 0o600)
    to(command, known).ended(0)
    lines = known.read_bytes()
    require(lines.startswith(f"{text}\n{HOST} {pin_of(command, 'api')}  # ".encode()), lines)
    require(known.stat().st_mode & 0o777 == 0o600, "another mode")
    before = known.read_bytes()
    to(command, known).ended(0).printed("is known already in")
    require(known.read_bytes() == before, "it was written again")


def test_replaced_in_its_place(command):
    known = command.folder().write("known", f"a.test {ZEROS}\n{HOST}:9 {ZEROS}\nc.test {ZEROS}\n"
                                            f"{HOST}:9 {ZEROS} # twice\n{HOST}:8 {ZEROS}\n")
    to(command, known, host=f"{HOST}:9").ended(1)
    to(command, known, "--yes", host=f"{HOST}:9").ended(0)
    names = [line.split()[0] for line in known.read_text().splitlines()]
    require(names == ["a.test", f"{HOST}:9", "c.test", f"{HOST}:8"], names)


def test_line_without_port_speaks_for_all(command):
    text = f"{HOST} {pin_of(command, 'api')}\n"
    known = command.folder().write("known", text)
    to(command, known, host=f"{HOST}:9").ended(0).printed("is known already")
    to(command, known, host=f"{HOST}:9", name="api-rotated").ended(1).said("another key")
    to(command, known, "--yes", host=f"{HOST}:9", name="api-rotated").ended(0)
    require(pin_of(command, "api") not in known.read_text(), known.read_text())


def test_file_with_an_error_is_left(command):
    known = command.folder().write("known", f"a.test {ZEROS}\nnonsense\n")
    before = known.read_bytes()
    to(command, known).ended(2).said(f"{known}:2:9: error: there is no pin")
    require(known.read_bytes() == before, "it was changed")


def test_line_of_another_system_is_replaced(command):
    """Its end is CR LF."""
    known = command.folder().write("known", f"{HOST} {ZEROS}\r\nb.test {ZEROS}\r\n")
    to(command, known).ended(1)
    to(command, known, "--yes").ended(0).printed("replaced in")
    require(ZEROS not in known.read_text().splitlines()[0] and b"b.test" in known.read_bytes()
            and known.read_bytes().endswith(b"\r\n"), known.read_bytes())


def test_symbolic_link_stays(command):
    folder = command.folder()
    real = folder.write("real/known", f"a.test {ZEROS}\n")
    (folder / "link").symlink_to("real/known")
    to(command, folder / "link").ended(0)
    require((folder / "link").is_symlink() and HOST in real.read_text(), "the link was replaced")
    (folder / "dangling").symlink_to("nowhere")
    to(command, folder / "dangling").ended(2).said("leads nowhere")


def test_places_that_can_not_be_written(command):
    folder = command.folder()
    to(command, folder / "no" / "known").ended(2).said("its folder can't be used")
    to(command, folder.path).ended(2).said("is no regular file")
    to(command, f"{folder.path}/new/").ended(2).said("isn't the name of a file")
    to(command, "/dev/null").ended(2).said("is no regular file")
    os.mkfifo(folder / "fifo")
    to(command, folder / "fifo").ended(2).said("is no regular file")


def left_behind(folder):
    return [name for name in os.listdir(folder.path) if name != "known"]


def test_full_disk(command):
    """First by a limit of this process, then by a small file system."""
    folder = command.folder()
    known = folder.write("known", f"a.test {ZEROS}\n" * 100)
    before = known.read_bytes()
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))     # noqa: E731
    to(command, known, preexec_fn=limit).ended(2).said("can't be written: File too large")
    require(known.read_bytes() == before and not left_behind(folder), "the old file is gone")
    script = ('mount -t tmpfs -o size=16k none "$1" && yes "#" | head -c 12288 '
              '>"$1"/known && chmod 644 "$1"/known && "$2" pin --to "$1"/known --host h.test "$3"; '
              'echo $?; wc -c <"$1"/known; ls -A "$1"')
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh",
                           str(command.folder().path), str(command.program),
                           str(command.pki / "api.pem")], capture_output=True, text=True,
                          timeout=120, check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        raise Skip(f"no file system can be mounted: {done.stderr.strip()}")
    require(done.stdout.split()[-3:] == ["2", "12288", "known"]
            and "can't be written: No space left" in done.stderr, done)


def test_locked_by_another(command):
    known = command.folder().write("known", "")
    with open(known, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        to(command, known).ended(2).said("is being changed by another program")
    to(command, known).ended(0)


@contextlib.contextmanager
def locked_by(user, path, *how):
    """A process of USER's has locked PATH; or if it "goes", only what it leaves behind has."""
    wait = ["sh", "-c", "exec 9<$0; flock 9; echo x; read y" if how == ("goes",) else "echo x; read y", path]
    words = wait if how == ("goes",) else ["flock", *how, path, *wait]
    with subprocess.Popen(["setpriv", f"--reuid={user}", "--clear-groups", *words], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:
        require(holder.stdout.readline() == b"x\n", "it isn't locked")
        yield
        holder.stdin.close()


def test_locked_by_who_can_only_read(command):
    """It keeps nobody from changing it who may."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("only root can become another user")
    os.chmod(command.root, 0o755)
    for user, how, status in ((65534, (), 0), (65534, ("-s",), 0), (65534, ("goes",), 0), (0, (), 2), (0, ("-s",), 2)):
        known = command.folder().write("known", "")
        known.parent.chmod(0o755)
        with locked_by(user, known, *how):
            to(command, known).ended(status)
        require((known.read_text() != "") == (status == 0), f"{user} {how}")


def test_many_at_once(command):
    """Each that says it added its host has."""
    known = command.folder().write("known", "")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: to(command, known, host=f"h{i}.test"), range(40)))
    names = {line.split()[0] for line in known.read_text().splitlines()}
    added = {f"h{i}.test" for i, result in enumerate(results) if result.status == 0}
    require(names == added and added, f"{len(names)} lines, {len(added)} said so")
    require(all(result.status in (0, 2) for result in results), results)


def test_who_may_write_the_folder(command):
    """An unprivileged user at root's file."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("only root can become another user")
    folder = command.folder()
    known = folder.write("known", "")
    os.chmod(command.root, 0o755)
    os.chmod(folder.path, 0o755)
    pem = folder.write("api.pem", (command.pki / "api.pem").read_bytes())
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", command.program, "pin",
                           "--to", known, "--host", HOST, pem], capture_output=True, text=True,
                          check=False, timeout=120)
    if "ermission denied" in done.stderr and "folder" not in done.stderr:
        raise Skip(f"the build can't be reached by another user: {done.stderr.strip()}")
    require(done.returncode == 2 and "its folder can't be written" in done.stderr, done)


def test_file_that_another_can_write(command):
    """A program wouldn't trust it: it isn't said to be written, new or old, and stays as it was."""
    def remember(known):
        return command("pin", "--to", known, "--host", HOST, command.pki / "api.pem")

    def give(path):
        if os.geteuid() != 0:
            raise Skip("only root can give files away")
        os.chown(path, 65534, -1)

    for make, why in ((lambda known: known.parent.chmod(0o777), "writable by group and others"),
                      (lambda known: give(known.parent), "belongs to user 65534"),
                      (lambda known: (known.touch(), give(known.parent)), "belongs to user 65534"),
                      (lambda known: (known.touch(), give(known)), "belongs to user 65534"),
                      (lambda known: (known.touch(), known.chmod(0o666)), "writable by group and others")):
        known = command.folder().path / "known"
        make(known)
        remember(known).ended(2).said(f"{known}: ", why)
        require(not known.exists() or known.read_text() == "", known)
    remember(command.folder().path / "known").ended(0).printed("is added to")


# ---- --add ------------------------------------------------------------------------------------


def add(command, policy, *words, **options):
    return command("pin", "--add", "--yes", "-p", policy, *words, **options)


def test_rotation_by_add(command):
    """The next key gets into the rule before the server has it; the old one goes on."""
    with serving(command, "api") as port, serving(command, "api-rotated") as other:
        for rule in (f"[host {HOST}]\nanchors = {{pki}}/root.pem\nleaf-pin = {ZEROS}\t# mine, \"all\"\n",
                     f"[host {HOST}]\r\nanchors = {{pki}}/root.pem\r\npin={ZEROS}\r\n",
                     f"[host {HOST}]\nanchors = {{pki}}/root.pem\n# leaf-pin =\n\n[host b.test]\n"
                     f"leaf-pin = {ZEROS}", f"[host {HOST}]\nanchors = {{pki}}/root.pem"):
            policy = command.policy(rule)
            before = policy.read_text()
            add(command, policy, "--resolve", f"{HOST}:{port}:127.0.0.1", f"{HOST}:{port}").ended(
                0).printed(f"{pin_of(command, 'api')} goes into {policy}:1 [host {HOST}]")
            require((accepted(command, policy, port), accepted(command, policy, other)) == (0, 1),
                    policy.read_text())
            add(command, policy, "--host", HOST, command.pki / "api-rotated.key").ended(0)
            require((accepted(command, policy, port), accepted(command, policy, other)) == (0, 0),
                    policy.read_text())
            once = policy.read_bytes()
            add(command, policy, "--host", HOST, command.pki / "api-rotated.key").ended(
                0).printed("is already in")
            require(policy.read_bytes() == once, "it was written twice")
            for line in before.splitlines():
                require(line.split("\t")[0] in policy.read_text(), policy.read_text())
            require(policy.read_text().count('# mine, "all"') == before.count('# mine, "all"'), once)


def test_add_beside_other_pins(command):
    """A pin of one key doesn't stand for the others."""
    for keys, said in ((f"ca-pin = {ZEROS}", True), (f"leaf-pin = {ZEROS}\npin = {ZEROS}", True),
                       (f"pin = {ZEROS}", False)):
        policy = command.policy(f"[host {HOST}]\nanchors = {{pki}}/root.pem\n{keys}\n")
        result = add(command, policy, "--host", HOST, command.pki / "api.pem").ended(0)
        require(("other pins stay demanded" in result.out) == said, result)


def test_add_where_no_rule_is(command):
    policy = command.policy("[host b.test]\naction = reject")
    with serving(command, "api") as port:
        add(command, policy, "--resolve", f"{HOST}:{port}:127.0.0.1", f"{HOST}:{port}").ended(
            0).printed(f"a new [host {HOST}:{port}] in {policy}")
    text = policy.read_text()
    require(text.startswith("[host b.test]\naction = reject\n\n"
                            f"[host {HOST}:{port}]\nleaf-pin = {pin_of(command, 'api')}  # CN="), text)
    command("check", policy).ended(0).printed("valid: 2 rules")


def test_add_in_the_file_that_has_the_rule(command):
    folder = command.folder()
    rule = folder.write("rules.conf", f"[host {HOST}]\nleaf-pin = {ZEROS}\n")
    policy = command.policy(f"[policy]\ninclude = {rule}\n")
    before = policy.read_bytes()
    add(command, policy, "--host", HOST, command.pki / "api.pem").ended(0)
    require(policy.read_bytes() == before, "the wrong file was changed")
    require(f"{ZEROS}, {pin_of(command, 'api')}\n" in rule.read_text(), rule.read_text())


def test_add_that_would_do_harm(command):
    for rule, said in ((f"[host *.test]\nleaf-pin = {ZEROS}\n", "is for other hosts too"),
                       (f"[host {HOST} b.test]\nleaf-pin = {ZEROS}\n", "is for other hosts too"),
                       (f"[profile p]\nleaf-pin = {ZEROS}\n[host {HOST}]\nprofile = p\n",
                        "those of its profile"),
                       (f"[host {HOST}]\naction = reject\n", "would do nothing"),
                       (f"[host {HOST}:9]\n", "depends on the port"),
                       (f"[host {HOST}]\nprogram = /bin/true\n", "depends on the program")):
        policy = command.policy(rule)
        before = policy.read_bytes()
        result = add(command, policy, "--host", HOST, command.pki / "api.pem").said(said)
        require(result.status in (1, 2), result)
        require(policy.read_bytes() == before, rule)
    policy = command.policy(f"[host {HOST}]\nleaf-pin = {ZEROS}\n")
    before = policy.read_bytes()
    pem = command.pki / "api.pem"
    command("pin", "--add", "-p", policy, "--host", HOST, pem).ended(2).said("no terminal to ask on")
    add(command, policy, pem).ended(2).silent().said("--add with a file needs --host")
    add(command, policy, "--to", "x", "--host", HOST, pem).ended(2).silent().said("without --to")
    require(policy.read_bytes() == before, "it was written")


# ---- operands ---------------------------------------------------------------------------------


def test_several_servers(command):
    with serving(command, "api") as port, serving(command, "partner") as other:
        result = command("pin", "--resolve", f"{HOST}:{port}:127.0.0.1", "--resolve",
                         f"b.test:{other}:127.0.0.1", f"{HOST}:{port}", f"b.test:{other}",
                         f"no.test:{plain.closed_port()}", command.pki / "api-rotated.pem")
    result.ended(2).printed(f"[host {HOST}:{port}]", f"[host b.test:{other}]",
                            pin_of(command, "api"), pin_of(command, "partner"),
                            pin_of(command, "api-rotated")).said("no.test")
    require(result.out.count("without a backup") == 1, result)


def test_urls(command):
    with serving(command, "api") as port:
        for url in (f"https://{HOST}:{port}/a?b#c", f"HTTPS://me:secret@{HOST}:{port}",
                    f"ldaps://{HOST}:{port}"):
            command("pin", "--resolve", f"{HOST}:{port}:127.0.0.1", url).ended(0).printed(
                f"[host {HOST}:{port}]", pin_of(command, "api"))
    policy = command.policy(f"[host {HOST}:443]\n[host [::1]:636]\naction = reject\n")
    command("explain", "-p", policy, f"https://{HOST}/x").ended(0).printed(f"{policy}:1 ")
    command("explain", "-p", policy, "ldaps://[::1]").ended(0).printed(f"{policy}:2 ")
    for url, said in ((f"http://{HOST}", "has no certificate"), ("foo://b.test", "isn't known"),
                      (f"postgres://u@{HOST}:1/db", f"write {HOST}:1 and --starttls postgres"),
                      ("https://", "empty"), ("https://*.b.test/", "is not one host"),
                      ("https:///x", "empty"), ("https://@", "empty")):
        command("explain", "-p", policy, url).ended(2).silent().said(said)
