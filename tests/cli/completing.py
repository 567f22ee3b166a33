"""trustgraft completion, by real shells."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

from e2e.harness import Skip, open_terminal, require

BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_trustgraft
printf '%s\n' "${COMPREPLY[@]}"
"""


def verbs(command):
    return set(re.findall(r"^  ([a-z]+) +\S", command("help").out, re.M))


def script(command, shell):
    if not shutil.which(shell):
        raise Skip(f"there is no {shell}")
    text = command("completion", shell).ended(0).quiet().out
    path = command.folder().write(f"trustgraft.{shell}", text)
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
    require(done.returncode == 0 and not done.stderr, f"{shell} doesn't understand it: {done.stderr}")
    return path


def bash(command, *words):
    """What bash offers for the last of WORDS."""
    folder = command.folder()
    folder.write("some policy.conf", "")
    done = subprocess.run(["bash", "-c", BASH, "bash", script(command, "bash"), "trustgraft",
                           *words], cwd=folder.path, capture_output=True, text=True, check=True)
    require(not done.stderr, done.stderr)
    return set(done.stdout.splitlines()) - {""}


def test_bash_verbs(command):
    require(bash(command, "") == verbs(command) | {"--help", "--version"}, bash(command, ""))
    require(bash(command, "ch") == {"check"}, bash(command, "ch"))
    require(bash(command, "help", "ex") == {"explain", "except"}, bash(command, "help", "ex"))


def test_bash_options(command):
    for verb in verbs(command):
        told = set(re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)", command("help", verb).out, re.M))
        got = {word for word in bash(command, verb, "-") if word.startswith("--")}
        require(got == told, f"{verb}: {got ^ told}")
    require(bash(command, "check", "--j") == {"--json"}, bash(command, "check", "--j"))


def test_bash_values(command):
    for words, wanted in ((("explain", "--starttls", "i"), {"imap"}),
                          (("verify", "--tls", ""), {"1.2", "1.3"}),
                          (("check", "-p", "some"), {"some policy.conf"}),
                          (("check", "some"), {"some policy.conf"}),
                          (("completion", ""), {"bash", "zsh", "fish"}),
                          (("verify", "--time", ""), set())):
        require(bash(command, *words) == wanted, f"{words}: {bash(command, *words)}")
    require("sh" in bash(command, "run", "s"), "no commands for run")


def fish(command, line):
    done = subprocess.run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
                           script(command, "fish"), line], capture_output=True, text=True,
                          check=True, env=command.environment(), timeout=120)
    require(not done.stderr, done.stderr)
    return {word.split("\t")[0] for word in done.stdout.splitlines()}


def test_fish(command):
    require(fish(command, "trustgraft ") >= verbs(command), fish(command, "trustgraft "))
    require(fish(command, "trustgraft check --js") == {"--json"}, "options")
    require(fish(command, "trustgraft explain --starttls im") == {"imap"}, "values")
    require("check" in fish(command, "trustgraft help che"), "verbs of help")


def zsh(command, line, wanted):
    """An interactive zsh makes WANTED of LINE and the tab key."""
    path = script(command, "zsh")
    master, slave = open_terminal(pty.openpty)
    with subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave,
                          env=command.environment(TERM="dumb"), cwd=command.folder().path,
                          start_new_session=True) as shell:
        os.close(slave)
        try:
            os.write(master, f"autoload -U compinit; compinit -D; unsetopt zle_bracketed_paste; "
                             f"source {path}; PS1=; echo REA''DY\n".encode())
            wait_for(master, b"READY")
            os.write(master, f"{line}\t".encode())
            wait_for(master, wanted.encode())
        finally:
            shell.kill()
            os.close(master)


def wait_for(master, text):
    output, end = b"", time.monotonic() + 60
    while text not in output:
        require(select.select([master], [], [], max(0, end - time.monotonic()))[0],
                f"no {text}: {output}")
        output += os.read(master, 4096)


def test_zsh(command):
    for line, wanted in (("trustgraft complet", "trustgraft completion "),
                         ("trustgraft check --js", "--json"),
                         ("trustgraft explain --starttls im", "imap"),
                         ("trustgraft completion z", "zsh")):
        zsh(command, line, wanted)


def test_unknown_shell(command):
    command("completion", "bsh").ended(2).silent().said("isn't bash, zsh or fish", "'bash'")
    command("completion").ended(2).silent().said("the shell is missing")
