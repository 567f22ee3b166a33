"""embedded.py - curl of Debian's sources, linked to static libraries of OpenSSL: they are inside its
executable, which exports nothing of them and keeps its .symtab."""
import os

from compat import place
from compat.fetch import apt_get, call, fetch_package
from lab import clients

SOURCES = ("debian bookworm",)
WITHOUT = ("ldap", "ldaps", "rtsp", "dict", "telnet", "tftp", "pop3", "imap", "smb", "smtp", "gopher", "mqtt",
           "ftp", "file", "manual")
NEITHER = ("zlib", "brotli", "zstd", "libpsl", "libidn2", "nghttp2", "librtmp", "libssh2")


def libraries(version, work):
    """A folder with `include` and `lib`, and in the latter nothing of OpenSSL but static libraries."""
    found = work / "found"
    fetch_package("libssl-dev", {"1.1": "bullseye", "3.0": "bookworm"}[version], found)
    folder = work / "openssl"
    (folder / "lib").mkdir(parents=True)
    for name in ("libssl.a", "libcrypto.a"):
        (folder / "lib" / name).symlink_to(next(found.glob(f"usr/lib/*/{name}")))
    (folder / "include").symlink_to(found / "usr/include")
    configuration = next(found.glob("usr/include/*-linux-gnu/openssl/*conf*.h"))
    for header in configuration.parent.glob("*.h"):
        (found / "usr/include/openssl" / header.name).symlink_to(header)
    return folder


def build(version, work):
    openssl = libraries(version, work)
    apt_get(work, SOURCES, "update", "-o", "APT::Update::Error-Mode=any", kind="deb-src")
    apt_get(work, SOURCES, "source", "--download-only", "curl", kind="deb-src", cwd=work)
    call(["tar", "xf", next(work.glob("curl_*.orig.tar.*")), "-C", work])
    folder = next(work.glob("curl-*"))
    call(["./configure", "--disable-shared", f"--with-openssl={openssl}", "--disable-dependency-tracking",
          *(f"--disable-{name}" for name in WITHOUT), *(f"--without-{name}" for name in NEITHER)], cwd=folder,
         env=os.environ | {"LIBS": "-ldl -pthread", "PKG_CONFIG": "false", "CFLAGS": "-O1"})
    call(["make", "-j2"], cwd=folder, env={name: value for name, value in os.environ.items()
                                           if name not in ("MAKEFLAGS", "MFLAGS")})
    (work / "made").mkdir()
    (folder / "src/curl").rename(work / "made/curl")


def curl(version):
    def there(lab, store):
        executable = store.have(f"curl-inside-{version}", lambda work: build(version, work)) / "curl"
        return place.Place(place.elsewhere(clients.PROGRAMS["curl"], executable))
    return there
