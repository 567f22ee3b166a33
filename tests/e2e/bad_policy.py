"""bad_policy.py - a policy that can't be relied on refuses every server, and says why."""
import base64
import os
import pathlib
import shutil

from e2e.harness import Skip, require
from e2e.naming import in_both_ways
from lab import clients, ways

SERVERS = ("api",)
NOBODY = 65534
RULE = "[host api.example.test]\n"


def start(_):
    """Nothing but the leaves' servers is needed."""


def place(lab, name, text="", mode=0o644):
    """A file of that mode in a directory of its own, without the write-once of lab.policy."""
    home = lab.scratch / "bad" / name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o755)
    path = home / "policy.conf"
    path.write_text(lab.pki.expand(text, here=home))
    path.chmod(mode)
    return path


def text_case(text, *words):
    return lambda lab, name: (place(lab, name, text), words)


def mode_case(mode, *words):
    return lambda lab, name: (place(lab, name, RULE + "anchors = {root}\n", mode), words)


def named_file(content, mode, *words):
    """A policy that is right, but for the file that it names."""
    def make(lab, name):
        path = place(lab, name, RULE + "anchors = {here}/named.pem\n")
        named = path.with_name("named.pem")
        named.write_bytes(lab.pki.pem("root").read_bytes() if content is None else content)
        named.chmod(mode)
        return path, ("policy.conf:2", *words)
    return make


def directory(lab, name):
    path = place(lab, name)
    path.unlink()
    path.mkdir(mode=0o755)
    return path, ()


def fifo(lab, name):
    path = place(lab, name)
    path.unlink()
    os.mkfifo(path, 0o644)
    return path, ("regular file",)


def named_fifo(lab, name):
    path = place(lab, name, RULE + "anchors = {here}/fifo\n")
    os.mkfifo(path.with_name("fifo"), 0o644)
    return path, ("policy.conf:2",)


def named_directory(lab, name):
    path = place(lab, name, RULE + "anchors = {here}/empty.d\n")
    path.with_name("empty.d").mkdir(mode=0o755)
    return path, ("policy.conf:2",)


CRL_RULE = RULE + "revocation = crl\n"


def crl_case(path, *words):
    return text_case(f"{CRL_RULE}crl = {path}\n", *words)


def pem_body(text):
    return base64.b64decode(b"".join(text.splitlines()[1:-1]))


def named_by(make_file, *words):
    """A policy whose CRL is the file that MAKE_FILE(path) makes."""
    def make(lab, name):
        path = place(lab, name, CRL_RULE + "crl = {here}/named.crl\n")
        make_file(path.with_name("named.crl"))
        return path, (":3:", "named.crl", *words)
    return make


def named_crl(change, *words, mode=0o644):
    """The same with what CHANGE leaves of a good CRL."""
    def make(lab, name):
        def write(path):
            path.write_bytes(change(lab.pki.crl("intermediate").read_bytes()))
            path.chmod(mode)
        return named_by(write, *words)(lab, name)
    return make


def oversized(path):
    with open(path, "wb") as file:
        file.truncate((64 << 20) + 1)
    path.chmod(0o644)


def crl_directory(make_junk):
    """A directory with a good CRL, and what MAKE_JUNK(path) makes beside it."""
    def make(lab, name):
        path = place(lab, name, CRL_RULE + "crl = {here}/crl.d\n")
        folder = path.with_name("crl.d")
        folder.mkdir(mode=0o755)
        (folder / "good.crl").write_bytes(lab.pki.crl("intermediate").read_bytes())
        make_junk(folder / "junk.crl")
        for entry in folder.iterdir():
            entry.chmod(0o644)
        return path, (":3:", "junk.crl")
    return make


def absent(lab, _):
    return lab.scratch / "bad" / "there-is-no-such.conf", ("No such file",)


def others_file(lab, name):
    if os.geteuid() != 0:
        raise Skip("needs root, to give a file away")
    path = place(lab, name, RULE + "anchors = {root}\n")
    os.chown(path, NOBODY, NOBODY)
    return path, (str(NOBODY),)


def folder_case(file, folder, spoil, *words):
    """A policy that is right, whose FILE lies in FOLDER, which SPOIL opens to others."""
    def make(lab, name):
        text = f"[policy]\ninclude = {{here}}/in/*/rule.conf, {{here}}/more/one.conf\n"
        path = place(lab, name, text + RULE + "anchors = {here}/ca/root.pem\n"
                     "revocation = crl\ncrl = {here}/crl.d\nknown-hosts = {here}/known/hosts\n")
        home = path.parent
        for entry in ("ca", "in", "in/app", "more", "known", "crl.d", "links"):
            (home / entry).mkdir(mode=0o755)
        for entry, content in (("in/app/rule.conf", b"[host a.test]\n"), ("known/hosts", b""),
                               ("more/one.conf", b"[host b.test]\n"),
                               ("ca/root.pem", lab.pki.pem("root").read_bytes()),
                               ("crl.d/a.crl", lab.pki.crl("intermediate").read_bytes())):
            (home / entry).write_bytes(content)
            (home / entry).chmod(0o644)
        if file:    # by way of a link in another folder
            (home / file).rename(home / "real")
            (home / "links" / "link").symlink_to(home / "real")
            (home / file).symlink_to("../links/link")
        status, out, err = lab.run([str(lab.build.command), "check", str(path)])
        require(status == 0, f"wrong from the start: {out}{err}")
        spoil(home / folder)
        return path, words
    return make


def opened(folder):
    folder.chmod(0o777)


def given_away(folder):
    if os.geteuid() != 0:
        raise Skip("needs root, to give a folder away")
    os.chown(folder, NOBODY, NOBODY)


def bad_include(lab, name):
    path = place(lab, name, "[policy]\ninclude = {here}/more.conf\n" + RULE + "anchors = {root}\n")
    path.with_name("more.conf").write_text("[host a.test]\nanchor = b.pem\n")
    path.with_name("more.conf").chmod(0o644)
    return path, ("more.conf:2", "anchors")


def latin_1(lab, name):
    path = place(lab, name)
    path.write_bytes(RULE.encode() + b"strict = y\xe9s\n")
    return path, (":2:",)


CASES = {
    "absent": absent,
    "a directory": directory,
    "a FIFO": fifo,
    "writable by group": mode_case(0o664, "group"),
    "writable by others": mode_case(0o646, "other"),
    "somebody else's": others_file,
    "in a folder that others may write": folder_case(None, ".", opened, "go-w"),
    "in a folder of somebody else": folder_case(None, ".", given_away, str(NOBODY)),
    "an include's folder": folder_case(None, "more", opened, ":2:", "more is writable"),
    "a wildcard's first folder": folder_case(None, "in", opened, ":2:", "go-w"),
    "a wildcard's last folder": folder_case(None, "in/app", opened, ":2:", "go-w"),
    "a wildcard's folder of somebody else": folder_case(None, "in/app", given_away, ":2:",
                                                        str(NOBODY)),
    "an anchor's folder": folder_case(None, "ca", opened, ":4:", "ca is writable"),
    "an anchor's folder of somebody else": folder_case(None, "ca", given_away, ":4:",
                                                       str(NOBODY)),
    "a link's folder": folder_case("ca/root.pem", "links", opened, ":4:", "links is writable"),
    "a folder behind a link": folder_case("more/one.conf", "links", given_away, ":2:",
                                          str(NOBODY)),
    "a CRL by a link's folder": folder_case("crl.d/a.crl", "links", opened, ":6:",
                                            "links is writable"),
    "a folder of known hosts": folder_case(None, "known", opened, ":7:", "known is writable"),
    "an unknown section": text_case("[hosts api.example.test]\nanchors = {root}\n", ":1:", "host"),
    "an unknown key": text_case(RULE + "anchor = {root}\n", ":2:", "anchors"),
    "an unknown value": text_case(RULE + "anchors-only = perhaps\n", ":2:", "perhaps"),
    "a key of no section": text_case("anchors = {root}\n", ":1:"),
    "a scalar set twice": text_case(RULE + "strict = yes\nstrict = no\n", ":3:"),
    "an unclosed quote": text_case(RULE + 'anchors = "{root}\n', ":2:"),
    "two rules of equal rank": text_case(RULE + "strict = yes\n" + RULE + "strict = no\n"),
    "an unknown profile": text_case(RULE + "profile = corp\n", ":2:", "corp"),
    "a pin of the wrong length": text_case(RULE + "leaf-pin = sha256/AAAA\n", ":2:"),
    "not UTF-8's": latin_1,
    "a NUL byte": text_case(RULE + "anchors = {root}\n\0\n", ":3:"),
    "a min-tls that there isn't": text_case(RULE + "min-tls = 1.1\n", ":2:", "1.2"),
    "a revocation that there isn't": text_case(RULE + "revocation = ocsp\n", ":2:", "staple"),
    "a security-level that there isn't": text_case(RULE + "security-level = 9\n", ":2:"),
    "a CRL that is missing": crl_case("/no/such.crl", ":3:", "/no/such.crl"),
    "a CRL that is a certificate": crl_case("{root}", ":3:"),
    "a CRL that is empty": named_crl(lambda whole: b"", "is empty"),
    "a CRL that is cut off": named_crl(lambda whole: whole[:200]),
    "a CRL of DER that is cut off": named_crl(lambda whole: pem_body(whole)[:100]),
    "a CRL that is junk": named_crl(lambda whole: bytes(range(256)) * 40),
    "a CRL and another that is cut off": named_crl(lambda whole: whole + whole[:200]),
    "a CRL that others may write": named_crl(lambda whole: whole, "other", mode=0o646),
    "a CRL that is too large": named_by(oversized, "is larger than 64 MiB"),
    "a CRL that is a FIFO": named_by(os.mkfifo, "is not a regular file"),
    "a CRL that is a device": named_by(lambda path: os.symlink("/dev/zero", path)),
    "a directory of CRLs with junk": crl_directory(lambda path: path.write_bytes(b"hello\n")),
    "a directory of CRLs with a FIFO": crl_directory(os.mkfifo),
    "a directory of CRLs with a directory": crl_directory(os.mkdir),
    "an include with an error": bad_include,
    "a named file that is missing": text_case(RULE + "anchors = /no/such.pem\n", ":2:",
                                              "/no/such.pem"),
    "a named file that is empty": named_file(b"", 0o644),
    "a named file without a certificate": named_file(b"hello\n", 0o644),
    "a named file with half a certificate": named_file(
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 0o644),
    "a named file writable by group": named_file(None, 0o664, "group"),
    "a named file writable by others": named_file(None, 0o646, "other"),
    "a named FIFO": named_fifo,
    "a named directory that is empty": named_directory,
}


def refuses_all(lab, way, name):
    """In a process, `run` aside: refused with these words, whoever asks for whatever."""
    path, words = CASES[name](lab, f"{name}-{way}".replace(" ", "-"))
    for program in ("curl", "openssl"):
        for insecure in (False, True):
            target = lab.target("api", app="root", insecure=insecure)
            got = lab.get_raw(program, way, target, path)
            require(got.verdict == "refuse", f"{program}: {got.said}")
            require("policy-invalid" in got.stderr, f"{program}: {got.stderr}")
            require(":0:" not in got.stderr, f"a place that is none: {got.stderr}")
            require("reject api.example.test:" in got.stderr, f"no host: {got.stderr}")
            for word in words:
                require(word in got.stderr, f"{program}: no {word!r} in {got.stderr}")


def command_refuses(lab, name):
    """`check` and `run` say the same before anything is run."""
    path, words = CASES[name](lab, name.replace(" ", "-") + "-command")
    for verb in (["check", str(path)], ["run", "--policy", str(path), "--", "/bin/echo", "ran"],
                 ["run", "--provider", "--policy", str(path), "--", "/bin/echo", "ran"]):
        status, out, err = lab.run([str(lab.build.command), *verb])
        require(status in (1, 2), f"{verb[0]} exits {status}: {err}")
        require("ran" not in out.split(), f"{verb[0]} ran the program")
        for word in words:
            require(word in out + err, f"{verb[0]}: no {word!r} in {out}{err}")


def all_errors_at_once(lab, way):
    path = place(lab, f"many-{way}", RULE + "anchor = {root}\nstrict = maybe\n[hots b.test]\n")
    status, out, err = lab.run([str(lab.build.command), "check", str(path)])
    told = out + err
    require(status == 1 and all(f"policy.conf:{line}:" in told for line in (2, 3, 4)), told)
    require("^" in told and "anchor = " in told, "no source line with a caret: " + told)
    got = lab.get_raw("curl", way, lab.target("api", app="root"), path)
    require("policy.conf:2:" in got.stderr, got.stderr)


def unreadable(lab, way):
    """As an unprivileged user: the policy of somebody else that can't be read."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv, to become somebody else")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if lab.run([*nobody, "cat", str(lab.pki.pem("root"))])[0] != 0:
        raise Skip("the build directory is in a folder that others can't enter")
    path = place(lab, f"unreadable-{way}", RULE + "anchors = {root}\n", 0o600)
    target = lab.target("api", app="root")
    for program in ("curl", "openssl"):
        one = clients.PROGRAMS[program]
        command = [*nobody, "env", *(f"{key}={value}" for key, value in
                     ways.by_environment(lab.build, way, path).items()), *one.command(target)]
        got = lab.judge(one, *lab.run(command, one.stdin))
        require(got.verdict == "refuse" and "policy-invalid" in got.stderr, got.said)
        require("Permission denied" in got.stderr, got.stderr)
        path.chmod(0o644)
        got = lab.judge(one, *lab.run(command, one.stdin))
        require(got.verdict == "accept", f"readable, but {got.said}")
        path.chmod(0o600)


def node_too(lab, way):
    if not ways.reaches(lab.build, way, "node"):
        raise Skip("node carries OpenSSL inside; the provider reaches it")
    path, _ = absent(lab, "")
    for insecure in (False, True):
        target = lab.target("api", app="root", insecure=insecure)
        got = lab.get_raw("node", way, target, path)
        require(got.verdict == "refuse" and "policy-invalid" in got.stderr, got.said)


def python_too(lab, way):
    path, _ = absent(lab, "")
    for insecure in (False, True):
        target = lab.target("api", app="root", insecure=insecure)
        got = lab.get_raw("python3", way, target, path)
        require(got.verdict == "refuse" and "policy-invalid" in got.stderr, got.said)


def valid_again(lab, way):
    """The same file, mended: what was refused is accepted."""
    path = place(lab, f"mended-{way}", RULE + "anchors = {root}\n", 0o666)
    target = lab.target("api")
    require(lab.get_raw("curl", way, target, path).verdict == "refuse", "writable, but accepted")
    path.chmod(0o644)
    require(lab.get_raw("curl", way, target, path).verdict == "accept", "mended, but refused")
    require(pathlib.Path(path).stat().st_mode & 0o777 == 0o644, "the mode changed")


def tests():
    for name in CASES:
        for way in ways.WAYS:
            yield (f"bad policy: {name} [{way}]",
                   lambda lab, way=way, name=name: refuses_all(lab, way, name))
        yield (f"bad policy: {name} [command]", lambda lab, name=name: command_refuses(lab, name))
    yield from in_both_ways("bad policy: every error at once", all_errors_at_once)
    yield from in_both_ways("bad policy: unreadable", unreadable)
    yield from in_both_ways("bad policy: refused in python", python_too)
    yield from in_both_ways("bad policy: refused in node", node_too)
    yield from in_both_ways("bad policy: mended", valid_again)
