"""rows.py - the rows of the table: programs with other TLS libraries, and what is expected."""
import dataclasses

from compat import embedded, gnutls, musl, nss, place
from lab import clients, ways

BROKEN = "broken"


@dataclasses.dataclass(frozen=True)
class Works:
    """Every case ends as the policy says."""
    cell: str = "yes"
    reason: str = ""
    run: str = ""


@dataclasses.dataclass(frozen=True)
class Closed:
    """No connection comes about; a text like SAYS tells why. `trustgraft run` starts it, or
    doesn't with a text like RUN."""
    reason: str
    says: str
    run: str = ""
    cell: str = "closed"


@dataclasses.dataclass(frozen=True)
class Outside:
    """All is as without trustgraft. `trustgraft run` starts it, or doesn't with a text like RUN."""
    reason: str
    run: str = ""
    cell: str = "outside"


WORKS = Works()


@dataclasses.dataclass(frozen=True)
class Row:
    """PLACE(lab, store) says where it runs; RUNS: `trustgraft run` itself can run there."""
    system: str
    program: str
    place: object
    preload: object = WORKS
    provider: object = WORKS
    runs: bool = True
    quick: bool = False     # `make check` fetches what it needs
    server: str = ""        # what its servers' names begin with
    beside: bool = False    # an OpenSSL 3 is needed in the same process
    remark: str = "(?!)"    # what is said about another library of the process, or at any time
    clients: bool = False   # also what the table has no columns for: nodes.py
    heedless: bool = False  # it goes on where gnutls_init fails, and crashes

    @property
    def title(self):
        return f"{self.system}: {self.program}"

    def expected(self, way):
        return self.preload if way == ways.PRELOAD else self.provider

    def cell(self, way, column):
        """What stands in the table."""
        if column == BROKEN and way == ways.PROVIDER and self.beside:
            return Closed.cell
        return self.expected(way).cell


def debian(suite, program, *options):
    known = place.with_options(clients.PROGRAMS[program], *options)
    return lambda lab, store: place.inside(lab, store.debian(suite), known)


def libraries_of(suite, program):
    return lambda lab, store: place.beside(store.debian(suite), clients.PROGRAMS[program])


def pair(which, judged):
    """Python with its own OpenSSL and Debian 11's libcurl: pair.py."""
    def beside(_, store):
        libraries = store.debian("bullseye") / place.LIBRARIES
        arguments = clients.script(clients.PYTHON, str(place.HERE / "pair.py"),
                                   str(libraries / "libcurl.so.4"), which)
        program = dataclasses.replace(clients.PROGRAMS[judged], executable=clients.PYTHON,
                                      command=arguments)
        return place.Place(program, extra=(("LD_LIBRARY_PATH", str(libraries)),))
    return beside


def node(version):
    return lambda lab, store: place.Place(
        place.elsewhere(clients.PROGRAMS["node"], store.node(version)))


def bun(_, store):
    return place.Place(dataclasses.replace(place.elsewhere(clients.PROGRAMS["node"], store.bun()), name="bun"))


NO_PROVIDERS = "OpenSSL 1.1 knows no providers; `trustgraft run` says so if a program links it"
OLD_INSIDE = "doesn't start: its OpenSSL 1.1 knows no providers; `trustgraft run` says so"
RUN_INSIDE = "an OpenSSL older than 3 inside its executable"

OLD_SYSTEM = Closed("doesn't start: Debian 11 has neither glibc 2.34 nor OpenSSL 3", "GLIBC_2.3")
GNUTLS = Outside("GnuTLS loads no providers; `trustgraft run` says so if a program links it",
                 "GnuTLS, which loads no providers")
NOW = r"(?m)^[\d-]+ [\d:]+"      # what wget begins with
NSS = Outside("NSS loads no providers; `trustgraft run` says so if a program links it",
              "NSS, which loads no providers")
GNUTLS_BEHIND = Outside(GNUTLS.reason)
NOT_BY_PROVIDER = Outside(NO_PROVIDERS, "from before there were providers")

BORING_INSIDE = Outside("its BoringSSL is out of reach; `trustgraft run` says so", "seems to have BoringSSL inside")

ROWS = (
    *(Row("Debian 11's on Debian 12, OpenSSL 1.1", program, libraries_of("bullseye", program),
          WORKS, NOT_BY_PROVIDER, quick=True) for program in ("curl", "openssl")),
    *(Row("Debian 11, OpenSSL 1.1", program, debian("bullseye", program), OLD_SYSTEM,
          NOT_BY_PROVIDER, runs=False, quick=True) for program in ("curl", "openssl", "python3")),
    Row("Python with Debian 11's libcurl", "libcurl, 1.1", pair("libcurl", "curl"),
        WORKS, Outside(NO_PROVIDERS), quick=True, beside=True),
    Row("Python with Debian 11's libcurl", "ssl, 3.0", pair("ssl", "python3"),
        quick=True),
    Row("Python with a wheel's own libssl", "ssl, 3.0", lambda _, store: place.wheel(store),
        quick=True),
    *(Row("Debian 13, OpenSSL 3.5", program, debian("trixie", program), quick=True)
      for program in ("curl", "openssl", "python3")),
    Row("Debian 13, OpenSSL 3.5", "curl --http3", debian("trixie", "curl", "--http3-only"),
        server="trixie/"),
    Row("Debian 13, OpenSSL 3.5", "apt-get update", gnutls.inside("trixie-gnutls", "apt-get")),
    Row("Debian 13, GnuTLS 3.8", "wget", gnutls.inside("trixie-gnutls", "wget"), WORKS, GNUTLS,
        remark=NOW, heedless=True),
    Row("Debian 13, GnuTLS 3.8", "git", gnutls.inside("trixie-gnutls", "git"), WORKS, GNUTLS_BEHIND),
    Row("Debian 11's on Debian 12, GnuTLS 3.7", "wget", gnutls.beside("bullseye-gnutls", "wget"), WORKS, GNUTLS,
        remark=NOW, heedless=True),
    Row("Debian 13, NSS 3.110", "tstclnt", nss.inside("trixie-nss"), WORKS, NSS),
    Row("Debian 11's on Debian 12, NSS 3.61", "tstclnt", nss.beside("bullseye-nss"), WORKS, NSS),
    *(Row("Debian sid, OpenSSL 3.6", program, debian("sid", program))
      for program in ("curl", "openssl", "python3")),
    Row("Debian sid, OpenSSL 3.6", "curl --http3", debian("sid", "curl", "--http3-only"),
        server="sid/"),
    Row("Debian sid, OpenSSL 3.6", "node", debian("sid-node", "node"), clients=True),
    Row("Debian experimental, OpenSSL 4.0", "openssl", debian("openssl-4", "openssl")),
    *(Row("musl, OpenSSL 3.0", program, musl.inside(program)) for program in ("curl", "openssl")),
    Row("OpenSSL 3.0 inside, not exported", "curl", embedded.curl("3.0")),
    Row("OpenSSL 1.1 inside, not exported", "curl", embedded.curl("1.1"), WORKS,
        Outside(NO_PROVIDERS, RUN_INSIDE)),
    Row("Bun, BoringSSL inside", "bun", bun, BORING_INSIDE, BORING_INSIDE),
    Row("Node.js 16, OpenSSL 1.1", "node", node("16"), WORKS,
        Closed(OLD_INSIDE, "module=providers", RUN_INSIDE)),
    Row("Node.js 17, OpenSSL 3.0", "node", node("17")),
    Row("Node.js 18, OpenSSL 3.0", "node", node("18")),
    Row("Node.js 20, OpenSSL 3.0", "node", node("20")),
    Row("Node.js 22, OpenSSL 3.5", "node", node("22")),
    Row("Node.js 24, OpenSSL 3.5", "node", node("24")),
    Row("Node.js 26, OpenSSL 3.5", "node", node("26"), clients=True),
)
