"""What is the same for all verbs: options, help, output, colour, and which policy it is."""
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import termios

from cli.doctoring import INSIDE, copy, has_inside
from e2e.harness import Skip, require

VALID = "[host *]\naction = pass\n"
WRONG = "[host a.test]\nanchor = x.pem\n"
SYSTEM = pathlib.Path("/etc/trustgraft/policy.conf")


def test_version(command):
    libcrypto = r"OpenSSL \d+\.\d+\.\d+.* \(built on: .*\)"
    shape = rf"trustgraft \d+\.\d+\.\d+\nlibcrypto: {libcrypto}\nlibcrypto inside {INSIDE}: "
    told = command("--version").ended(0).quiet().out
    require(re.fullmatch(shape + (libcrypto if has_inside(command) else "none: .+") + r"\n", told), told)
    told = command("--version", program=copy(command, INSIDE) / "trustgraft").ended(0).quiet().out
    require(re.fullmatch(shape + r"none: .+\n", told), told)


def test_no_verb_lists_the_verbs_and_is_an_error(command):
    command().ended(2).silent().said(
        "usage:", "run", "check", "explain", "verify", "doctor", "pin", "except", "completion",
        "help")


def test_help_lists_the_verbs(command):
    for words in (["help"], ["--help"], ["-h"]):
        command(*words).ended(0).quiet().printed(
            "run", "check", "explain", "verify", "doctor", "pin", "except", "completion")


def test_help_of_each_verb(command):
    listed = command("help").ended(0).out
    require(max(map(len, listed.splitlines())) <= 80, f"too wide: {listed}")
    verbs = re.findall(r"^  (\w+) ", listed, re.MULTILINE)
    require(len(verbs) > 15, listed)
    for verb in verbs:
        text = command("help", verb).ended(0).quiet().out
        require(text.startswith(f"usage: trustgraft {verb} "), text)
        for option in ("-h", "--help"):
            require(command(verb, option).ended(0).out == text, "another help")
        require(max(map(len, text.splitlines())) <= 80, f"too wide: {text}")


def test_help_of_an_unknown_verb(command):
    command("help", "frobnicate").ended(2).silent().said("unknown verb 'frobnicate'")


def test_unknown_verb_names_the_nearest(command):
    command("chekc").ended(2).silent().said("unknown verb 'chekc': did you mean 'check'?")
    command("frobnicate").ended(2).said("'trustgraft help' lists")
    command("-p", "policy.conf", "check").ended(2).silent().said("'-p' stands where the verb should")


def test_unknown_option_names_the_nearest(command):
    command("check", "--jsn").ended(2).silent().said("--jsn: did you mean --json?")
    command("check", "-x").ended(2).silent().said("unknown option -x")
    command("verify", "--connect", "a.test").ended(2).silent().said("unknown option --connect")


def test_option_of_another_verb_is_unknown(command):
    command("check", "--host", "a.test").ended(2).silent().said("unknown option --host")


def test_option_without_its_value(command):
    command("check", "--policy").ended(2).silent().said("--policy needs a value: FILE")
    command("check", "-p").ended(2).silent().said("--policy needs a value: FILE")


def test_option_with_an_empty_value(command):
    """As "$DIR" is where DIR isn't set: nothing is written where the command happens to run."""
    home = command.folder()
    for words, name in ((("ca", "init", "--dir", ""), "dir: DIR"), (("check", "-p", ""), "policy: FILE"),
                        (("pin", "--to=", "a.test"), "to: FILE|DIR")):
        name, _, argument = name.partition(": ")
        command(*words, cwd=home.path).ended(2).silent().said(f"option --{name} is empty: {argument}")
    require(not list(home.path.iterdir()), "something was written")


def test_host_that_is_wrong_is_quoted_once(command):
    for word, text in (("a:x", '"a:x" has no port'), ("*.test", '"*.test" is not one host')):
        result = command("explain", word).ended(2).silent().said(f"trustgraft: {text}")
        require(result.err.count(word) == 1, result)


def test_help_names_one_default(command):
    """`run` preloads unless told otherwise, `enable` turns on the provider."""
    for verb, default in (("run", "by\nLD_PRELOAD, or with --provider"),
                          ("enable", "With --provider (the default)")):
        result = command("help", verb).ended(0).printed(default)
        require(result.out.count("default)") <= 1, result)


def test_value_where_none_is_taken(command):
    command("check", "--json=yes").ended(2).silent().said("--json takes no value")


def test_option_given_twice(command):
    command("check", "-p", "a", "--policy", "b").ended(2).silent().said("--policy is given twice")


def test_missing_operand(command):
    command("explain").ended(2).silent().said("the host is missing")
    command("verify", "--host", "a.test").ended(2).silent().said("the file of the chain is missing")
    command("run").ended(2).silent().said("the program to run is missing")


def test_operand_too_many(command):
    command("explain", "a.test", "b.test").ended(2).silent().said("'b.test' is one operand too many")


def test_hostile_words_are_escaped(command):
    result = command("a\x1b[2J\nb").ended(2)
    require("\x1b" not in result.err and "a\\x1B[2J\\x0Ab" in result.err, result)


def test_full_disk_is_an_error(command):
    policy = command.policy(VALID)
    with open("/dev/full", "wb") as full:
        for words in (["check", policy], ["explain", "-p", policy, "a.test"], ["help"],
                      ["--version"]):
            command(*words, stdout=full).ended(2).said("the output can't be written: No space")


def test_closed_output_is_an_error(command):
    policy = command.policy(VALID)
    command("check", policy, stdout=None, preexec_fn=lambda: os.close(1)).ended(2).said(
        "the output can't be written")


def test_closed_descriptors_are_no_files(command):
    """A policy must not be opened as descriptor 0 to 2, nor diagnostics be written into it."""
    policy = command.policy(WRONG)

    def close():
        for descriptor in (0, 1, 2):
            os.close(descriptor)
    result = command("check", policy, stdout=None, stderr=None, preexec_fn=close)
    require(result.status == 2 and policy.read_text() == WRONG, result)


def on_terminal(command, words, env, columns=0):
    """What the command writes to a terminal, which says how wide it is if COLUMNS."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 0, columns, 0, 0))
    with subprocess.Popen([command.program, *words], stdin=slave, stdout=slave, stderr=slave,
                          env=command.environment(**env), cwd=command.home) as process:
        os.close(slave)
        output = b""
        while select.select([master], [], [], 60)[0]:
            try:
                block = os.read(master, 65536)
            except OSError:  # EIO: its last descriptor was closed
                break
            if not block:
                break
            output += block
        process.wait(60)
    os.close(master)
    return output.decode()


def test_colour_on_a_terminal_only(command):
    words = ["check", str(command.policy(WRONG))]
    require("\x1b[31merror\x1b[0m" in on_terminal(command, words, {"TERM": "xterm"}), "no colour")
    require("\x1b" not in on_terminal(command, words, {"TERM": "dumb"}), "colour on a dumb one")
    require("\x1b" not in command(*words, env={"TERM": "xterm"}).out, "colour in a pipe")


def test_no_color_is_honoured(command):
    words = ["check", str(command.policy(WRONG))]
    coloured = {"TERM": "xterm", "NO_COLOR": ""}
    require("\x1b" in on_terminal(command, words, coloured), "an empty NO_COLOR says nothing")
    require("\x1b" not in on_terminal(command, words, {"TERM": "xterm", "NO_COLOR": "0"}),
            "colour in spite of NO_COLOR")


def plainly(text):
    return re.sub(r"\x1b\[\d*m|\r", "", text)


def test_width_of_the_terminal(command):
    """Text is wrapped between words; only what is longer than a line, as a digest, is longer."""
    wrong = command.policy("[host a.test]\nleaf-pin = sha256/AAAA\n")
    rule = command.policy("[host api.example.test]\nanchors = {pki}/root.pem\n")
    words = ["verify", "-p", str(rule), "--host", "api.example.test", str(command.chain("all-wrong"))]
    for words in (["check", str(wrong)], words):
        piped = command(*words).ended(1).out
        for columns in (40, 80, 200):
            shown = plainly(on_terminal(command, words, {"TERM": "xterm", "LANG": "C"}, columns))
            long = [line for line in shown.splitlines()
                    if len(line) > columns and "sha256" not in line and "/tmp" not in line]
            require(not long and shown.split() == piped.split(), (columns, long, shown))
            require(columns < 200 or shown == piped, shown)


def test_tree(command):
    rule = command.policy("[host api.example.test]\nanchors = {pki}/root.pem\n")
    words = ["verify", "-p", str(rule), "--host", "api.example.test", str(command.chain("api"))]
    for env, branch in (({"LANG": "C.UTF-8"}, "└─ "), ({"LANG": "C"}, "`- "),
                        ({"LC_ALL": "C"}, "`- "), ({"TERM": "dumb"}, "`- ")):
        shown = plainly(on_terminal(command, words, {"TERM": "xterm", **env}, 100))
        require(f"\n       {branch}CN=api.example.test\n" in shown, (env, shown))
    command(*words).ended(0).printed("\n       `- CN=api.example.test\n")


def test_no_policy_anywhere(command):
    if SYSTEM.exists():
        raise Skip(f"there is {SYSTEM}")
    for words in (["check"], ["explain", "a.test"], ["run", "true"],
                  ["verify", "--host", "a.test", command.chain("api")]):
        command(*words).ended(2).silent().said(
            "there is no policy", "TRUSTGRAFT_POLICY", "/etc/trustgraft/policy.conf")


def test_policy_of_the_environment(command):
    policy = command.policy(VALID)
    command("check", env={"TRUSTGRAFT_POLICY": policy}).ended(0).printed(str(policy))


def test_relative_policy_of_the_environment_is_refused(command):
    policy = command.policy(VALID)
    command("check", env={"TRUSTGRAFT_POLICY": policy.name}, cwd=policy.parent).ended(2).said(
        "must be an absolute path")


def test_empty_policy_of_the_environment_is_refused(command):
    """It says that there is to be one."""
    for words in (["check"], ["explain", "a.test"], ["run", "true"],
                  ["verify", "--host", "a.test", command.chain("api")]):
        command(*words, env={"TRUSTGRAFT_POLICY": ""}).ended(2).silent().said(
            "TRUSTGRAFT_POLICY is set, but empty")
    command("doctor", env={"TRUSTGRAFT_POLICY": ""}).ended(1).printed("is set, but empty")


def test_policy_of_the_user(command):
    folder = command.folder()
    policy = folder.write("trustgraft/policy.conf", VALID)
    command("check", env={"XDG_CONFIG_HOME": folder.path}).ended(0).printed(str(policy))
    policy = folder.write(".config/trustgraft/policy.conf", VALID)
    command("check", env={"HOME": folder.path}).ended(0).printed(str(policy))


def test_option_comes_before_the_environment(command):
    policy = command.policy(VALID)
    for option in (["-p", policy], ["--policy", policy], [f"--policy={policy}"], [f"-p{policy}"]):
        command("explain", *option, "a.test", env={"TRUSTGRAFT_POLICY": "/nowhere"}).ended(
            0).printed(str(policy))


def test_policy_that_is_absent(command):
    for words in (["check", "-p", "/nowhere.conf"], ["check", "/nowhere.conf"],
                  ["explain", "-p", "/nowhere.conf", "a.test"],
                  ["run", "-p", "/nowhere.conf", "true"],
                  ["verify", "-p", "/nowhere.conf", "--host", "a.test", command.chain("api")]):
        result = command(*words).ended(2)
        require("/nowhere.conf" in result.out + result.err, result)


def test_policy_with_errors_is_told_by_every_verb(command):
    policy = command.policy(WRONG + "nonsense = 1\n")
    for words in (["explain", "-p", policy, "a.test"], ["run", "-p", policy, "true"],
                  ["verify", "-p", policy, "--host", "a.test", command.chain("api")]):
        command(*words).ended(1).silent().said(f"{policy}:2:1: error: ", f"{policy}:3:1: error: ")


def test_argument_zero_may_lack(command):
    """execve with an empty argv, as a hostile parent may call it."""
    script = ("import ctypes, sys\n"
              "libc = ctypes.CDLL(None)\n"
              "empty = (ctypes.c_char_p * 1)(None)\n"
              "libc.execve(sys.argv[1].encode(), empty, empty)\n")
    done = subprocess.run([sys.executable, "-c", script, command.program], check=False,
                          capture_output=True, timeout=120)
    require(done.returncode == 2, f"status {done.returncode}: {done.stderr}")
