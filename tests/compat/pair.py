"""pair.py LIBCURL ssl|libcurl HOST ADDRESS PORT [--cafile FILE] [--insecure] - two TLS libraries
in one process: Python's own and LIBCURL's.

`libcurl` fetches by that, with a context of Python's at hand; `ssl` by that first, whatever comes
of it, and then as get.py does.
"""
import ctypes
import pathlib
import runpy
import ssl
import sys

URL, CAINFO, RESOLVE, NOPROXY, TIMEOUT, VERIFYPEER, VERIFYHOST, WRITEFUNCTION = (
    10002, 10065, 10203, 10177, 13, 64, 81, 20011)
WRITE = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t,
                         ctypes.c_void_p)


def fetch(curl, host, address, port, *options):
    """(CURLcode, the body)."""
    body = []

    @WRITE
    def write(data, size, count, _):
        body.append(ctypes.string_at(data, size * count))
        return size * count
    for name in ("curl_easy_init", "curl_slist_append"):
        getattr(curl, name).restype = ctypes.c_void_p
    handle = ctypes.c_void_p(curl.curl_easy_init())
    names = ctypes.c_void_p(curl.curl_slist_append(None, f"{host}:{port}:{address}".encode()))
    texts = {URL: f"https://{host}:{port}/hello", NOPROXY: "*"}
    if "--cafile" in options:
        texts[CAINFO] = options[options.index("--cafile") + 1]
    for option, text in texts.items():
        curl.curl_easy_setopt(handle, option, text.encode())
    numbers = {TIMEOUT: 9} | ({VERIFYPEER: 0, VERIFYHOST: 0} if "--insecure" in options else {})
    for option, number in numbers.items():
        curl.curl_easy_setopt(handle, option, ctypes.c_long(number))
    curl.curl_easy_setopt(handle, RESOLVE, names)
    curl.curl_easy_setopt(handle, WRITEFUNCTION, write)
    return curl.curl_easy_perform(handle), b"".join(body).decode()


def main(library, which, *target):
    curl, context = ctypes.CDLL(library), ssl.create_default_context()
    code, text = fetch(curl, *target)
    if which == "libcurl":
        print(f"{text}libcurl: {code}, beside {context.protocol.name}")
        sys.exit(code)
    sys.argv[1:] = target
    runpy.run_path(str(pathlib.Path(__file__).resolve().parent.parent / "lab" / "get.py"))


if __name__ == "__main__":
    main(*sys.argv[1:])
