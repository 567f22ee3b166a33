#!/usr/bin/python3
"""built.py --build DIR --pki DIR [FILTER] - what `make ARCH=arm64` has built in DIR, by qemu-user: the
programs of tests/unit, and curl, wget and python3 of the Debian in DIR/root, which it was built against.
"""
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import guest                                                               # noqa: E402
from check import judge                                                    # noqa: E402
from e2e.harness import Skip, require, suite                               # noqa: E402
from portable.programs import play                                         # noqa: E402
from skips import CMOCKA                                                   # noqa: E402

SOURCE = HERE.parent.parent
UNITS = sorted(path.stem for path in (SOURCE / "tests/unit").glob("test_*.c"))
MINUTES = "qemu-user would take minutes for it"
# What these leave out here, and why: all else has to pass.
LEFT_OUT = {
    ("test_image", "test_filters_of_system_calls_end_no_process"): "qemu-user sets no filters of system calls",
    ("test_parents", "the_root_directory_of_a_user_namespace_is_good"): "nobody makes a user namespace inside a chroot(2)",
    ("test_turn", "a_real_time_thread_lets_whoever_has_it_go_on"): "qemu-user makes no real-time threads",
    ("test_memory", "bad_servers_are_refused"): MINUTES,
    ("test_memory", "bad_servers_are_refused_once_their_authorities_are_known"): MINUTES,
    ("test_memory", "what_a_rule_demands_is_never_skipped"): MINUTES,
    ("test_load_memory", "a_load_without_memory_is_refused_or_whole"): MINUTES,
}
SECONDS = 1200


def start(lab):
    lab.servers.python(["api"])


def system(lab, *seen):
    build = lab.build.directory
    return guest.Guest(lab, build / "root", build / "trustgraft", build, *seen)


def program_test(name, way):
    return lambda lab: play(lab, system(lab), name, way)


def unit_test(name):
    def test(lab):
        build = lab.build.directory
        status, out, err = system(lab, SOURCE).run(
            "/usr/bin/env", "-C", SOURCE, f"TG_BUILD={build}", f"TG_PKI={lab.pki.directory}", "TG_EMULATED=1",
            build / "tests/unit" / name, seconds=SECONDS)
        said = out + err
        (passed, failed, skipped), remark = judge(status, said)
        left_out = {function for program, function in LEFT_OUT if program == name}
        require(passed and not failed and not remark, f"exit {status}: {remark}\n{said}")
        require(set(CMOCKA.findall(said)) == left_out and skipped == len(left_out), f"it leaves out others:\n{said}")
    return test


def left_out_test(why):
    def test(_):
        raise Skip(why)
    return test


TESTS = (
    *((f"{name} {way}", program_test(name, way)) for name in ("curl", "wget", "python3")
      for way in ("--preload", "--provider") if (name, way) != ("wget", "--provider")),
    *((name, unit_test(name)) for name in UNITS),
    *((f"{name}: {function}", left_out_test(why)) for (name, function), why in LEFT_OUT.items()),
)

if __name__ == "__main__":
    sys.exit(suite(__doc__, TESTS, start))
