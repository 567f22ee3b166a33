"""realm.py - a small PKI whose certificates refer to a web server of the test's own."""
import contextlib
import functools
import http.server
import subprocess
import threading
import time

HOST = "api.example.test"


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from `pages`: bytes, a number (a status), an address to go to, or a function."""

    def __init__(self, web, *args):
        self.web = web
        super().__init__(*args)

    def do_GET(self):
        page = self.web.pages.get(self.path, 404)
        self.web.asked.append(self.path)
        if callable(page):
            with contextlib.suppress(OSError):
                page(self)
            return
        self.send_response(page if isinstance(page, int) else 302 if isinstance(page, str) else 200)
        if isinstance(page, str):
            self.send_header("Location", page)
        if isinstance(page, bytes):
            self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(page if isinstance(page, bytes) else b"nothing here\n")

    def log_message(self, *_):
        pass


class Web(contextlib.AbstractContextManager):
    def __init__(self, address="127.0.0.1"):
        self.pages, self.asked = {}, []
        self.server = http.server.ThreadingHTTPServer((address, 0), functools.partial(Handler, self))
        self.server.daemon_threads = True
        self.base = f"http://{address}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Realm:
    """root -> middle -> leaf; each refers to /NAME.cer and /NAME.crl of its issuer at BASE."""

    def __init__(self, folder, base):
        self.folder, self.base = folder, base
        self.certificate("root", "Realm Root", None, ca=True)
        self.certificate("middle", "Realm Middle", "root", ca=True)
        self.certificate("leaf", HOST, "middle")
        self.index = {}

    def path(self, name):
        return self.folder / name

    def certificate(self, name, subject, issuer, ca=False, key=None, signs=None, days=30):
        """Makes NAME.pem, and NAME.key unless it shares KEY's."""
        key = key or name
        if key == name:
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                    self.path(f"{name}.key"))
        refer = f"""authorityInfoAccess=caIssuers;URI:{self.base}/{issuer}.cer
            crlDistributionPoints=URI:{self.base}/{issuer}.crl""" if issuer else ""
        usage = "critical,keyCertSign,cRLSign" if ca or signs else "critical,digitalSignature"
        conf = self.folder.write(f"{name}.conf", "\n".join(line.strip() for line in f"""[x]
            basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}
            keyUsage={usage}
            subjectKeyIdentifier=hash
            {'' if ca else f'subjectAltName=DNS:{subject}'}
            {refer}""".splitlines()))
        request = self.path(f"{name}.csr")
        openssl("req", "-new", "-key", self.path(f"{key}.key"), "-subj", f"/CN={subject}", "-out",
                request)
        sign = ("-CA", self.path(f"{issuer}.pem"), "-CAkey", self.path(f"{issuer}.key"),
                "-CAcreateserial") if issuer else ("-signkey", self.path(f"{key}.key"))
        openssl("x509", "-req", "-in", request, *sign, "-days", days, "-extfile", conf,
                "-extensions", "x", "-out", self.path(f"{name}.pem"))

    def der(self, name):
        return openssl("x509", "-in", self.path(f"{name}.pem"), "-outform", "DER")

    def bundle(self, form, *names):
        files = [word for name in names for word in ("-certfile", self.path(f"{name}.pem"))]
        return openssl("crl2pkcs7", "-nocrl", *files, "-outform", form)

    def crl(self, issuer, revoked=(), begin=-3600, end=86400, more="", key=None, form="DER"):
        """A CRL of ISSUER that lists the certificates REVOKED; its dates are seconds from now."""
        lines = []
        for name in revoked:
            serial = openssl("x509", "-noout", "-serial", "-in", self.path(f"{name}.pem"))
            serial = serial.decode().strip().split("=")[1]
            lines.append(f"R\t491231235959Z\t260101000000Z\t{serial}\tunknown\t/CN=x\n")
        self.folder.write("index", "".join(lines))
        self.folder.write("index.attr", "unique_subject = no\n")
        conf = self.folder.write("crl.conf", f"""[ca]
default_ca=it
[it]
database={self.path("index")}
default_md=sha256
crl_extensions=ext
[ext]
{more or "authorityKeyIdentifier=keyid"}
""")

        def moment(seconds):
            return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))
        text = self.path("made.crl")
        openssl("ca", "-config", conf, "-gencrl", "-cert", self.path(f"{issuer}.pem"), "-keyfile",
                self.path(f"{key or issuer}.key"), "-crl_lastupdate", moment(begin),
                "-crl_nextupdate", moment(end), "-out", text)
        return openssl("crl", "-in", text, "-outform", form)

    def pages(self):
        """What the web server has where all is well."""
        return {"/middle.cer": self.der("middle"), "/root.cer": self.der("root"),
                "/middle.crl": self.crl("middle"), "/root.crl": self.crl("root")}
