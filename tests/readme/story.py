"""story.py - what `make demo` prints: a screen, plain text where it is no terminal, and no wrong row
that goes unsaid."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import tempfile
import types
import unittest.mock

WIDTH, HEIGHT = 80, 30
RIGHT = (["refuse", "accept", "accept"], ["refuse", "accept", "accept"], [])
WRONG = (["refuse", "refuse", "refuse"], ["refuse", "refuse", "accept"], ["provider: accepted"])


class Terminal(io.StringIO):
    def isatty(self):
        return True


def load():
    loader = importlib.machinery.SourceFileLoader(
        "demo", str(pathlib.Path(__file__).resolve().parent.parent / "demo"))
    demo = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo", loader))
    loader.exec_module(demo)
    return demo


def perform(demo, row_of, out, **environment):
    """(exit status, what is on OUT, the table) where ROW_OF gives each row, and nothing is run."""
    lab = types.SimpleNamespace(servers=types.SimpleNamespace(python=list))
    with tempfile.TemporaryDirectory() as build, contextlib.redirect_stdout(out), \
            unittest.mock.patch.multiple(
                demo, play=lambda _, *act: row_of(*act), Lab=lambda *_: contextlib.nullcontext(lab),
                ways=types.SimpleNamespace(Build=lambda _: types.SimpleNamespace(missing=list)),
                clients=types.SimpleNamespace(PROGRAMS=demo.clients.PROGRAMS, missing=list)), \
            unittest.mock.patch.dict(os.environ, environment), \
            unittest.mock.patch("sys.argv", ["demo", "--build", build]):
        status = demo.main()
        said = out.getvalue().replace(build, "build")
        return status, said, (pathlib.Path(build) / "demo.txt").read_text("utf-8")


def one_screen(demo):
    status, said, table = perform(demo, lambda *_: RIGHT, io.StringIO())
    lines = said.splitlines()
    assert status == 0 and lines[-1] == f"{len(demo.PLAYED) * 4} passed, 0 failed", lines[-1]
    assert len(lines) <= HEIGHT, f"{len(lines)} lines"
    assert not (wide := [line for line in lines if len(line) > WIDTH]), wide
    told = [line for line in lines if line.endswith("refused    accepted")]
    assert len(told) == len(demo.STORY), f"{len(told)} of {len(demo.STORY)} told"
    assert table.count("accept        ok\n") == len(demo.PLAYED) * 4, table
    assert "build/demo.txt" in said and "\033" not in said, said


def colours(demo):
    plain = {"NO_COLOR": "", "TERM": "xterm"}
    assert "\033[32maccepted" in perform(demo, lambda *_: RIGHT, Terminal(), **plain)[1]
    for environment in ({**plain, "NO_COLOR": "1"}, {**plain, "TERM": "dumb"}):
        said = perform(demo, lambda *_: RIGHT, Terminal(), **environment)[1]
        assert "\033" not in said, said


def one_wrong(demo):
    for title in (demo.PLAYED[0].title, demo.PLAYED[1].title):
        status, said, table = perform(demo, lambda scenario, program, title=title: WRONG if (
            scenario.title, program) == (title, "node") else RIGHT, io.StringIO())
        assert status == 1, status
        assert f"WRONG: {title}: node\n    provider: accepted\n" in said, said
        assert said.endswith(f"\n{len(demo.PLAYED) * 4 - 1} passed, 1 failed\n"), said
        assert table.count("WRONG\n    provider: accepted\n") == 1, table


CHECKS = {"make demo: one screen": one_screen, "make demo: colours": colours,
          "make demo: a wrong row": one_wrong}


def try_all():
    """'ok' or 'FAILED' for each check."""
    demo = load()
    for name, check in CHECKS.items():
        try:
            check(demo)
        except AssertionError as error:
            print(f"FAILED: {name}: {error}", flush=True)
            yield "FAILED"
        else:
            print(f"== {name}\nok", flush=True)
            yield "ok"
