"""transcript.py - a ```console block: commands behind `$ `, and what a terminal shows of each.

All of a block runs in one shell, on a terminal of 80 columns. What each command prints has to be
the lines below it, all of them and no other. `...` stands for anything in a line, and in a line of its
own for lines; a date stands for any date.
"""
import os
import pty
import re
import subprocess
import termios
import threading

WIDTH = 80
MARK = "\x1e"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def steps(block):
    """[(command, expected lines)] of a block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError(f"no command before: {line}")
    return found


def script(commands):
    """A shell script that marks where each command's output ends. Who types the next command behind
    the start of a server gives it the time that it takes."""
    return "".join(f"{command}\n{until_it_listens(command)}printf '\\036\\n'\n" for command in commands)


def until_it_listens(command):
    """What waits for the server that COMMAND has started, at the first port in it; or ''."""
    if not re.search(r"&\s*(#.*)?$", command):
        return ""
    look = f"import socket; socket.create_connection(('127.0.0.1', {re.search(r':([0-9]+)', command)[1]}), 1)"
    return f'until /usr/bin/python3 -c "{look}" 2>/dev/null || ! kill -0 $!; do sleep 0.1; done\n'


def line_pattern(line):
    text = re.escape(DATE.sub("\0", line.rstrip()))
    return text.replace(re.escape("..."), "[^\n]*").replace("\0", DATE.pattern) + r"[ \t]*\n"


def pattern(lines):
    return re.compile("".join(r"(?:.*\n)*?" if line.strip() == "..." else line_pattern(line)
                              for line in lines))


def on_terminal(command, **options):
    """Starts COMMAND with a terminal as its output: (the process, a function that waits a moment for
    the last of it and returns all)."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, WIDTH))
    got = bytearray()

    def copy():
        try:
            while data := os.read(ours, 65536):
                got.extend(data)
        except OSError:                     # that is how a terminal without programs ends
            pass
    reader = threading.Thread(target=copy, daemon=True)
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, **options)
    os.close(theirs)
    reader.start()

    def output():
        reader.join(60)
        os.close(ours)
        return got.decode(errors="replace").replace("\r\n", "\n")
    return process, output


def problem(told, block):
    """What of the output TOLD isn't as BLOCK shows it, or None."""
    wanted = steps(block)
    got = told.split(f"{MARK}\n")
    for (command, lines), text in zip(wanted, got):
        if not pattern(lines).fullmatch(text):
            return f"not what it shows of: {command}"
    return None if len(got) == len(wanted) + 1 else "it ended early"
