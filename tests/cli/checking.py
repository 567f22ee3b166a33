"""trustgraft check."""
import os

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
        result = command("check", path)
        require(result.status in (1, 2) and "error: " in result.out, result)


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
