"""browser.py - the page of `scan --html` in a real browser, by its tree of accessible names.

Chromium is spoken to by its DevTools protocol over two pipes, objects of JSON ended by NUL.
"""
import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import zlib

from programs.program import https

BROWSER = "chromium"
LEAVES = ("localhost", "localhost-other", "expired")
SECONDS = 60


def missing():
    return "" if shutil.which(BROWSER) else BROWSER


class Page:
    """A tab of a browser of its own, in FOLDER, showing URL."""

    def __init__(self, folder, url, dark=False):
        self.answers, self.number = b"", 0
        near = (theirs, self.to), (self.back, there) = os.pipe(), os.pipe()
        theirs, there = (fcntl.fcntl(one, fcntl.F_DUPFD, 100) for one in (theirs, there))
        os.close(near[0][0])
        os.close(near[1][1])
        self.process = subprocess.Popen(
            [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={folder}", "--window-size=1280,900", "--no-first-run",
             "--disable-background-networking", *(["--force-dark-mode"] if dark else [])],
            preexec_fn=lambda: (os.dup2(theirs, 3), os.dup2(there, 4)), pass_fds=(3, 4),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": folder})
        os.close(theirs)
        os.close(there)
        self.session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Page.navigate", url=url)
        while self.hear().get("method") != "Page.loadEventFired":
            pass

    def hear(self):
        while b"\0" not in self.answers:
            more = os.read(self.back, 1 << 20)
            if not more:
                raise OSError("the browser ended")
            self.answers += more
        one, _, self.answers = self.answers.partition(b"\0")
        return json.loads(one)

    def ask(self, method, **parameters):
        self.number += 1
        question = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            question["sessionId"] = self.session
        os.write(self.to, json.dumps(question).encode() + b"\0")
        while (answer := self.hear()).get("id") != self.number:
            pass
        if "error" in answer:
            raise OSError(f"{method}: {answer['error']}")
        return answer["result"]

    def run(self, script):
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def names(self):
        """(role, accessible name) of all that is shown."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in nodes if not node["ignored"]]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)


OPEN = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
COLUMN = "[...document.querySelectorAll('tbody tr')].map(row => row.cells[3].dataset.sort ?? row.cells[3].innerText)"


def faults(page):
    """What is wrong with what the page shows, a sentence each."""
    names = page.names()
    heads = [name for role, name in names if role == "columnheader"]
    if heads != ["Host", "Verdict", "Why", "Days left", "Key", "Names", "Chain"]:
        yield f"the column headers are {heads}"
    rows = [name for role, name in names if role == "rowheader"]
    if len(rows) != len(LEAVES):
        yield f"the row headers are {rows}"
    page.run(OPEN)
    drawn = [name for role, name in page.names() if role == "image" or role == "img"]
    if len(drawn) != len(LEAVES) or not all(name.startswith("Issued by: ") for name in drawn):
        yield f"the drawings are called {drawn}"
    for down in (False, True):
        page.run("document.querySelectorAll('thead button')[3].click()")
        days = [int(one) for one in page.run(COLUMN)]
        if days != sorted(days, reverse=down):
            yield f"sorted by days left: {days}"
        state = page.run("document.querySelectorAll('thead th')[3].ariaSort")
        if state != ("descending" if down else "ascending"):
            yield f"its aria-sort is {state}"
    page.run("const box = document.querySelector('input'); box.value = 'certificate-expired';"
             "box.dispatchEvent(new Event('input'))")
    shown = page.run("[...document.querySelectorAll('tbody tr')].filter(row => !row.hidden).length")
    if shown != 1:
        yield f"{shown} rows are left of those with certificate-expired"
    wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        yield f"the page is {wide} pixels wider than the window"


def contrast(page):
    """The contrast of text and paper by WCAG 2, which asks for 4.5."""
    colours = page.run("['color', 'backgroundColor'].map(one => getComputedStyle(document.body)[one])")
    light = []
    for colour in colours:
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        light.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
    return (max(light) + 0.05) / (min(light) + 0.05), light[1]


def picture(page, path):
    """Leaves a picture of the page at PATH; how many different bytes its rows of pixels have."""
    data = base64.b64decode(page.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"])
    with open(path, "wb") as out:
        out.write(data)
    pixels, at = b"", 8
    while at < len(data):                                      # PNG's chunks
        length = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            pixels += data[at + 8:at + 8 + length]
        at += 12 + length
    return len(set(zlib.decompress(pixels)))


def wrong(trial):
    """What is wrong with the page, or ''; pictures of it are left in build/programs."""
    lab = trial.lab
    folder = tempfile.mkdtemp(dir=lab.scratch)
    ports = [trial.port(https, leaf) for leaf in LEAVES]
    lines, page = "".join(f"localhost:{port}\n" for port in ports).encode(), f"{folder}/scan.html"
    lab.run([str(lab.build.command), "scan", "-p", str(lab.policy("[host localhost]\nanchors = {root}\n")),
             "--html", page], stdin=lines)
    found, papers = [], []
    for dark in (False, True):
        shown = Page(f"{folder}/{dark}", f"file://{page}", dark)
        try:
            shown.run(OPEN)
            name = f"scan-{'dark' if dark else 'light'}.png"
            if picture(shown, os.path.join(lab.build.directory, "programs", name)) < 50:
                found.append(f"{name} shows next to nothing")
            found += faults(shown)
            ratio, paper = contrast(shown)
            papers.append(paper)
            if ratio < 7:
                found.append(f"the contrast is {ratio}")
        finally:
            shown.close()
    if not papers[0] > 0.5 > papers[1]:
        found.append(f"light and dark paper are {papers}")
    return "; ".join(found)
