"""trustgraft check."""
import os
import shutil
import subprocess
import time

from e2e.harness import require

GOOD = """[host api.test *.api.test]
anchors = {pki}/root.pem
[exception old]
host = api.test
certificate = sha256:0000000000000000000000000000000000000000000000000000000000000000
findings = certificate-expired
[distrust]
spki = sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""
WRONG = """[host api.test]
anchors = missing.pem
hostnam = other.test
\tmode = "maybe"
"""
# Valid, but with an expired anchor and a name switched off.
DUBIOUS = """[host api.test]
anchors = {pki}/expired-root.pem
anchors-only = no
insecure-skip-hostname = yes
"""


def test_valid_policy_is_summed_up(command):
    policy = command.policy(GOOD)
    result = command("check", policy).ended(0).quiet()
    require(result.out.splitlines()[-1].startswith(f"{policy}: valid: 1 rule, 1 exception, 1 distr"),
            result)


def test_every_error_with_place_line_and_caret(command):
    policy = command.policy(WRONG)
    result = command("check", policy).ended(1).quiet()
    lines = result.out.splitlines()
    for place in ("2:11", "3:1", "4:"):
        require(any(line.startswith(f"{policy}:{place}") and ": error: " in line
                    for line in lines), f"{place}: {result}")
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{policy}:3:1"))
    require(lines[at + 1].strip() == "hostnam = other.test" and lines[at + 2].strip() == "^", result)
    require("hostname" in lines[at], f"no hint: {result}")
    require(lines[-1] == f"{policy}: 3 errors", result)


def test_warnings_do_not_fail(command):
    policy = command.policy(DUBIOUS)
    result = command("check", policy).ended(0).quiet()
    require(": warning: " in result.out and "1 rule, " in result.out.splitlines()[-1], result)


def test_json_of_errors(command):
    policy = command.policy(WRONG)
    objects = command("check", "--json", policy).ended(1).quiet().objects()
    require([(one["line"], one["severity"]) for one in objects]
            == [(2, "error"), (3, "error"), (4, "error")], objects)
    for one in objects:
        require(set(one) == {"file", "line", "column", "severity", "text"}, one)
        require(one["file"] == str(policy) and one["column"] > 0 and one["text"], one)


def test_json_of_warnings(command):
    objects = command("check", "--json", command.policy(DUBIOUS)).ended(0).quiet().objects()
    require(objects and all(one["severity"] == "warning" for one in objects), objects)


def test_json_of_a_valid_policy_is_nothing(command):
    command("check", "--json", command.policy("[host *]\naction = pass\n")).ended(0).silent().quiet()


def test_errors_come_before_warnings(command):
    policy = command.policy(DUBIOUS + "[host other.test]\nnonsense = 1\n")
    objects = command("check", "--json", policy).ended(1).objects()
    order = [one["severity"] for one in objects]
    require(order == sorted(order), order)


def warnings(command, policy):
    """The texts of the warnings about POLICY, which must be valid."""
    objects = command("check", "--json", command.policy(policy)).ended(0).quiet().objects()
    require(all(one["severity"] == "warning" for one in objects), objects)
    return "\n".join(one["text"] for one in objects)


# What is warned of, and the same without the fault; the policies' host and anchors are added.
PIN = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
OTHER = "sha256/BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
SOON = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5 * 86400))
WARNED = (
    ("no backup", f"leaf-pin = {PIN}", f"leaf-pin = {PIN}, {OTHER}"),
    ("no backup", f"ca-pin = {PIN}", f"ca-pin = {PIN}, {OTHER}"),
    ("no backup", f"pin = {PIN}", f"pin = {PIN}, {OTHER}"),
    ("they expired 2020-01-01", f"leaf-pin = {PIN}, {OTHER}\npins-expire = 2020-01-01",
     f"leaf-pin = {PIN}, {OTHER}\npins-expire = 2999-01-01"),
    ("not be enforced any more", f"leaf-pin = {PIN}, {OTHER}\npins-expire = {SOON}",
     f"leaf-pin = {PIN}, {OTHER}\npins-expire = 2999-01-01"),
    ("without leaf-pin, ca-pin, pin or known-hosts does nothing", "pins-expire = 2999-01-01",
     f"leaf-pin = {PIN}, {OTHER}\npins-expire = 2999-01-01"),
    ("expired 2", "anchors = {pki}/expired-root.pem", "anchors = {pki}/other-root.pem"),
    ("any certificate of any server", "anchors-only = no\ninsecure-skip-hostname = yes",
     "insecure-skip-hostname = yes"),
    ("stolen long ago", "anchors-only = no\ninsecure-skip-dates = yes", "insecure-skip-dates = yes"),
    ("can never apply", "program = /nowhere/tool", "program = /bin/sh"),
    ("through a proxy", "action = reject\n[host b.test:443 c.test]", "action = reject\n[host b.test:443 b.test]"),
    ("b.test:8443 is for one port", "[host b.test:8443]\naction = reject", "[host b.test:8443]"),
    ("b.test:443 is for one port", "[host b.test:443]", "[host b.test:8443]"),
    ("*.b.test:443 is for one port", "[host *.b.test:443 b.test:443]", "[host *.b.test:443 b.test:443]\n[host *]"),
    ("10.0.0.0/8:443 is for one port", "[host 10.0.0.0/8:443]", "[host 10.0.0.0/8:443]\n[policy]\nunmatched = reject"),
    ("is for one port", "[host *:443 d.test]", "[host *:443 d.test]\naction = pass"),
    ("not looked at", "action = reject", "action = evaluate"),
)


def test_each_warning_and_its_absence(command):
    for text, faulty, sound in WARNED:
        head = "[host api.test]\nanchors = {pki}/root.pem\n"
        said = warnings(command, head + faulty + "\n")
        require(text in said, f"{faulty}: {said}")
        said = warnings(command, head + sound + "\n")
        require(text not in said, f"{sound}: {said}")


def test_warning_of_an_exception(command):
    text = ("[host a.test]\nanchors = {pki}/root.pem\n[exception x]\nhost = HOST\n"
            f"certificate = sha256:{'0' * 64}\nfindings = certificate-expired\nexpires = DATE\n")
    for host, date, warned in (("a.test", "2020-01-01", "it expired"), ("a.test", SOON, "it expires"),
                               ("b.test", "2999-01-01", "it can never apply"),
                               ("a.test", "2999-01-01", None)):
        said = warnings(command, text.replace("HOST", host).replace("DATE", date))
        require(warned in said if warned else said == "", f"{host} {date}: {said}")


def test_several_files_and_the_worst_status(command):
    good, wrong = command.policy(GOOD), command.policy(WRONG)
    command("check", good, good).ended(0)
    command("check", good, wrong).ended(1).printed(f"{good}: valid", f"{wrong}: 3 errors")
    command("check", "/nowhere.conf", wrong, good).ended(2).printed(f"{good}: valid")


def test_option_and_operand_exclude_each_other(command):
    policy = command.policy(GOOD)
    command("check", "-p", policy, policy).ended(2).silent().said("not both")


def test_policy_that_others_can_write(command):
    policy = command.policy(GOOD)
    policy.chmod(0o666)
    command("check", policy).ended(1).printed("error: ", "writable")


def test_policy_that_is_no_file(command):
    folder = command.folder()
    os.mkfifo(folder / "fifo")
    for path in (folder.path, folder / "fifo", "/dev/null"):
        command("check", path).ended(2).printed("error: ")


def test_hostile_bytes_are_escaped(command):
    policy = command.folder().write(
        "policy.conf", b"[host \xff\x1b[2J.test]\nmode = \x1b]0;title\x07\n\x00\xe2\x80\xae = 1\n")
    result = command("check", policy).ended(1)
    require(not any(byte in result.out for byte in "\x1b\x07\x00\u202e"), repr(result.out))
    require(len(command("check", "--json", policy).ended(1).objects()) >= 2, "too few objects")


def test_thousands_of_errors_are_all_told(command):
    policy = command.policy("[host a.test]\n" + "nonsense = 1\n" * 3000)
    result = command("check", policy).ended(1)
    require(result.out.splitlines()[-1] == f"{policy}: 3000 errors", result.out[-200:])
    require(len(command("check", "--json", policy).ended(1).objects()) == 3000, "not all")


def test_included_file_is_named(command):
    folder = command.folder()
    folder.write("more.conf", "[host a.test]\nnonsense = 1\n")
    policy = folder.write("policy.conf", "[policy]\ninclude = more.conf\n")
    one = command("check", "--json", policy).ended(1).object()
    require(one["file"] == str(folder / "more.conf") and one["line"] == 2, one)


def test_what_people_paste_is_told_of(command):
    """PKCS #7 and #12 where PEM was meant, a line of `openssl x509 -fingerprint`, a dead link."""
    folder = command.folder()
    at, root = folder.path, command.pki / "root.pem"

    def openssl(*words):
        return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True,
                              cwd=at).stdout

    openssl("crl2pkcs7", "-nocrl", "-certfile", root, "-out", "pem.p7b")
    openssl("crl2pkcs7", "-nocrl", "-certfile", root, "-outform", "DER", "-out", "der.p7b")
    openssl("pkcs12", "-export", "-nokeys", "-in", root, "-out", "all.p12", "-passout", "pass:")
    for name, said in (("pem.p7b", "openssl pkcs7 -print_certs"), ("der.p7b", "openssl pkcs7 -print_certs"),
                       ("all.p12", "openssl pkcs12 -nokeys")):
        command("check", folder.write("p.conf", f"[host a.test]\nanchors = {name}\n")).ended(1).printed(
            f"{name}: is PKCS #", said)
    line = openssl("x509", "-in", root, "-noout", "-fingerprint", "-sha256").strip()
    for pasted in (line, line.partition("=")[2]):
        command("check", folder.write("p.conf", f"[distrust]\ncertificate = {pasted}\n")).ended(1).printed(
            "certificate: a fingerprint is written as sha256:HEX")
    policy = folder.write("p.conf", "[host a.test]\nanchors = cas\n")
    (at / "cas").mkdir()
    shutil.copy(root, at / "cas")
    (at / "cas" / ".editor.pem").write_text("hidden, as from a shell's *.pem")
    command("check", policy).ended(0).printed("valid: 1 rule")
    (at / "cas" / "x.pem").symlink_to("/nowhere")
    command("check", policy).ended(1).printed("cas: x.pem: is a symbolic link that leads nowhere")
