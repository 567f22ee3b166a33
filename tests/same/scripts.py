"""scripts.py - what is asked of the stores: each script is a name and the steps of `ask`."""
import base64
import hashlib
import json
import os
import random
import subprocess

import der
import malformed
from der import pem

FLAGS = ("", "partial", "first", "noalt", "partial first", "crl", "crlall", "strict", "anytime", "selfsigned", "policy",
         "server", "smime", "host=www.example.test", "depth=0", "depth=1", "cb", "go-on", "look", "where", "go-on crl",
         "go-on partial", "server strict cb", "where first partial", "delta crl", "suiteb go-on", "noalt go-on look")
LEAVES = ("of-a", "of-a", "of-a-by-key", "of-a-other", "of-a-other-by-key", "of-b", "of-middle", "revoked", "of-nobody",
          "without-names", "a", "a-other-key", "a-expired", "b", "b-by-a", "middle", "small-0", "small-2", "small-7")
HOOKS = ("get-issuer", "lookup-certs", "check-issued", "verify-cb", "cleanup", "lookup-crls")


def loads(path, store=0):
    """Every way to load PATH into STORE, each a list of steps."""
    for step in ("load-file {0} {1}", "load-file-ex {0} {1} nosuch=yes", "load-file-ex {0} {1} ?fips=yes", "load-locations {0} {1} -",
                 "load-locations-ex {0} {1} -", "lookup {0} pem {1}", "lookup-ex {0} pem {1}", "cert-file {0} pem {1}",
                 "cert-file-ex {0} pem {1}", "cert-crl-file {0} pem {1}", "cert-crl-file-ex {0} pem {1}", "load-errno {0} {1}", "load-marked {0} {1}"):
        yield [step.format(store, path)]
    yield ["context 0", f"ctx-file 0 {path}", f"get-store 0 {store}"]
    yield ["context 0", f"ctx-locations 0 {path} -", f"get-store 0 {store}"]
    yield ["context 0", f"ctx-set 0 {store}", f"ctx-file 0 {path}"]
    yield [f"env SSL_CERT_FILE {path}", f"defaults {store}", "env SSL_CERT_FILE"]
    yield [f"env SSL_CERT_FILE {path}", f"defaults-ex {store}", "env SSL_CERT_FILE"]
    yield ["context 0", f"env SSL_CERT_FILE {path}", "ctx-defaults 0", "env SSL_CERT_FILE", f"get-store 0 {store}"]
    yield ["context 0", f"env SSL_CERT_FILE {path}", "ctx-default-file 0", "env SSL_CERT_FILE", f"get-store 0 {store}"]


def rare_loads(path, store=0):
    for step in ("lookup {0} asn1 {1}", "lookup {0} default {1}", "lookup {0} other {1}", "cert-file {0} asn1 {1}",
                 "cert-file {0} other {1}", "cert-crl-file {0} asn1 {1}", "crl-file {0} pem {1}", "crl-file {0} asn1 {1}",
                 "load-store {0} {1}", "load-path {0} {1}", "lookup-wrong {0} {1}"):
        yield [step.format(store, path)]


class Questions:
    """Steps that ask about a store, drawn by RNG."""

    def __init__(self, world, rng, leaves=LEAVES):
        self.world, self.rng = world, rng
        self.leaves = [world.leaf[word] for word in leaves]

    def leaf(self):
        return self.rng.choice(self.leaves)

    def name(self):
        return f"{self.rng.choice(('subject', 'issuer'))} {self.leaf()}"

    def verify(self, store=0):
        untrusted = self.rng.choice(("-", "-", self.leaf(), self.world.leaf["of-middle"], self.world.leaf["b-by-a"]))
        return f"verify {store} {self.leaf()} {untrusted} {self.rng.choice(FLAGS)}".strip()

    def look(self, store=0):
        """A question that changes nothing."""
        return self.rng.choice((
            lambda: f"objects {store}", lambda: f"objects {store}", lambda: f"objects-locked {store}", lambda: f"count {store}",
            lambda: f"all-certs {store}", lambda: f"by-subject {store} cert {self.name()}",
            lambda: f"by-subject {store} crl {self.name()}", lambda: f"obj-by-subject {store} cert {self.name()}",
            lambda: f"issuer {store} {self.leaf()}", lambda: f"issuer {store} {self.leaf()} hooked",
            lambda: f"certs {store} {self.name()}", lambda: f"certs {store} {self.name()} hooked",
            lambda: f"crls {store} {self.name()}", lambda: f"index {store} {self.name()}",
            lambda: f"hooks {store} {self.leaf()}", lambda: f"twice {store} {self.leaf()} {self.leaf()}",
            lambda: self.verify(store), lambda: self.verify(store), lambda: self.verify(store), lambda: self.verify(store),
            lambda: f"in-child {self.verify(store)}", lambda: f"in-child objects {store}"))()

    def change(self, store=0):
        return self.rng.choice((
            lambda: f"add {store} {self.leaf()}", lambda: f"add {store} {self.leaf()}", lambda: f"add {store} {self.leaf()}",
            lambda: f"add-crl {store} {self.world.folder / self.rng.choice(sorted(self.world.crl))}.crl",
            lambda: f"hook {store} {self.rng.choice(HOOKS)}", lambda: f"hook {store} {self.rng.choice(HOOKS)}",
            lambda: f"unhook {store}", lambda: f"listen {store}", lambda: f"data {store}", lambda: "seed",
            lambda: f"flags {store} {self.rng.choice(('80000', '8000', '24'))}", lambda: f"load-nothing {store}"))()

    def other(self, store=0):
        folder, leaf = self.world.folder, self.world.leaf
        return self.rng.choice((
            lambda: f"cms {store} {folder}/message.cms", lambda: f"pkcs7 {store} {folder}/message.p7",
            lambda: f"ocsp {store} {folder}/response {self.rng.choice(('-', leaf['a']))}",
            lambda: f"threads {store} {self.leaf()} {self.leaf()} {self.leaf()}", "descriptor".__str__))()

    def some(self, number, store=0):
        """NUMBER of steps, most of them looks."""
        kinds = self.rng.choices((self.look, self.change, self.other), (10, 4, 1), k=number)
        return [kind(store) for kind in kinds]


class Scripts:
    """All scripts for a WORLD; what is random goes by SEED, and by COUNT how much of it there is."""

    def __init__(self, world, folder, seed, count):
        self.world, self.folder, self.seed, self.count = world, folder, seed, count
        self.folder.mkdir(parents=True, exist_ok=True)

    def file(self, name, content):
        path = self.folder / (name.replace("/", "-") + ".pem")
        path.write_bytes(content)
        return path

    def rng(self, name):
        return random.Random(f"{self.seed} {name}")

    def loading(self, name, path, leaves=LEAVES, steps=7):
        """PATH loaded in one of the ways, others before or behind it, and questions around."""
        rng = self.rng(name)
        ask = Questions(self.world, rng, leaves)
        ways = list(loads(path)) + (list(rare_loads(path)) if rng.random() < 0.15 else [])
        lines = ["store 0"]
        if rng.random() < 0.4:
            lines += rng.choice(([ask.change()], [ask.look()], [f"load-file 0 {self.kit}"], ["seed"]))
        lines += rng.choice(ways)
        lines += ask.some(steps)
        if rng.random() < 0.4:
            lines += rng.choice((rng.choice(ways), [f"load-file 0 {self.kit}"], [f"load-locations 0 - {self.folder}"]))
            lines += ask.some(4)
        lines += rng.choice((["objects 0"], ["free 0", "descriptor"], ["count 0", "objects 0"], []))
        return name, lines

    def plainly(self, name, path):
        """PATH loaded, and all shown at once; then again after a look, by another store."""
        return f"{name}/plain", ["store 0", "seed", f"load-file 0 {path}", "objects 0", "store 1", f"load-locations 1 {path} -",
                                 f"verify 1 {self.world.leaf['of-a']} - cb", "objects 1", "store 2",
                                 f"cert-crl-file 2 pem {path}", "all-certs 2", "objects-locked 2", "alike 0 1",
                                 "store 3", f"load-marked 3 {path}", "free 3"]

    @property
    def kit(self):
        path = self.folder / "kit.pem"
        return path if path.exists() else self.file("kit", b"".join(map(pem, self.world.kit())))

    def odd(self):
        for name, part in malformed.odd_parts(self.world):
            for place in malformed.PLACES:
                path = self.file(f"{name}-{place}", malformed.placed(self.world, part, place))
                yield self.plainly(f"{name}/{place}", path)
                yield self.loading(f"{name}/{place}", path)

    def whole(self):
        everybody = [*LEAVES, *(word for word in self.world.leaf if word.split("-")[0] in self.world.groups),
                     *(word for word in self.world.leaf if word.startswith("of-key-"))]
        for name, content in malformed.combined(self.world):
            path = self.file(name, content)
            group = name.split("/")[1].split("-")[0]
            leaves = [word for word in self.world.leaf if word.startswith(f"{group}-")] or everybody
            yield self.plainly(name, path)
            for at in range(6):
                yield self.loading(f"{name}/{at}", path, leaves, 10)
            yield f"{name}/each", ["store 0", f"load-file 0 {path}",
                                   *(f"verify 0 {self.world.leaf[word]} - anytime cb where" for word in leaves)]

    def changed(self):
        for at in range(self.count):
            rng = self.rng(f"changed {at}")
            name = f"changed/{at}"
            path = self.file(name, rng.choice((malformed.flipped, malformed.nested))(self.world, rng))
            yield self.plainly(name, path)
            yield self.loading(name, path)

    def orders(self):
        """Ordinary bundles, several of them, in every order of questions."""
        made = self.world.der
        pieces = [*made.values(), *self.world.small, *(cert for group in self.world.groups.values() for cert in group)]
        for at in range(self.count):
            rng = self.rng(f"orders {at}")
            paths = [self.file(f"order-{at}-{which}", b"".join(map(pem, rng.choices(pieces, k=rng.choice((1, 3, 8, 20))))))
                     for which in range(rng.choice((1, 2, 3)))]
            ask = Questions(self.world, rng, [*LEAVES, *rng.sample(sorted(self.world.leaf), 12)])
            lines = ["store 0"]
            for path in paths:
                lines += ask.some(rng.randrange(3)) + rng.choice(list(loads(path))) + ask.some(rng.randrange(5))
            yield f"orders/{at}", [*lines, *ask.some(8), "objects 0"]


def file_scripts(scripts):
    """What files can be besides regular ones, and what happens to them."""
    folder, leaf, kit = scripts.folder, scripts.world.leaf, scripts.kit
    other = scripts.file("other-kit", b"".join(map(pem, reversed(scripts.world.kit()))))
    missing, link, loop, fifo, private = (folder / word for word in ("missing.pem", "link.pem", "loop.pem", "fifo.pem", "private.pem"))
    for path, target in ((link, kit), (loop, loop)):
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    private.write_bytes(kit.read_bytes())
    private.chmod(0)
    odd = {"missing": missing, "directory": folder, "link": link, "loop": loop, "null": "/dev/null", "below-a-file": f"{kit}/x",
           "long-name": "/" + "x" * 300, "very-long-name": "/x" * 2500, "relative": os.path.relpath(kit)}
    for name, path in odd.items():
        for at, way in enumerate([*loads(path), *rare_loads(path)]):
            yield f"files/{name}/{at}", ["store 0", *way, "descriptor", "objects 0", f"verify 0 {leaf['of-a']} -"]
    if os.geteuid() == 0:
        yield "files/private", ["store 0", "as-nobody", f"load-file 0 {private}", f"load-errno 0 {private}", "as-root", "objects 0"]
    yield "files/fifo", ["store 0", f"feed {fifo} {kit}", f"load-file 0 {fifo}", "objects 0", f"verify 0 {leaf['of-a']} -", "descriptor"]
    yield "files/fifo-odd", ["store 0", f"feed {fifo} {scripts.world.leaf['a']}", f"load-locations 0 {fifo} -", "objects 0"]
    yield from replaced(scripts, kit, other)


def replaced(scripts, kit, other):
    """A file that another takes the place of between two loads: also at once, of the same size."""
    leaf = scripts.world.leaf
    for how in ("copy", "copy-unseen", "exchange"):
        for looked in (False, True):
            path = scripts.folder / f"{how}-{looked}.pem"
            steps = [f"copy {kit} {path}"]
            for turn in range(12):
                steps += [f"store {turn % 5}", f"load-file {turn % 5} {path}", *([f"count {turn % 5}"] if looked else []),
                          f"{how} {(other, kit)[turn % 2]} {path}", f"verify {turn % 5} {leaf['of-a']} -", f"objects {turn % 5}",
                          f"free {turn % 5}"]
            yield f"files/{how}{'-looked' if looked else ''}", steps
    path = scripts.folder / "erased.pem"
    yield "files/erased", [f"copy {kit} {path}", "store 0", f"load-file 0 {path}", f"erase {path}", f"verify 0 {leaf['of-a']} - where",
                           "objects 0", "store 1", f"load-file 1 {path}", "objects 1"]
    path = scripts.folder / "emptied.pem"
    yield "files/emptied", [f"copy {kit} {path}", "store 0", f"load-file 0 {path}", f"copy /dev/null {path}",
                            f"verify 0 {leaf['of-middle']} {leaf['of-middle']} where", "objects 0", "store 1", f"load-file 1 {path}"]


def hashed(scripts):
    """A folder of the kit's certificates, and of others for their subjects, by the hashes of these."""
    folder = scripts.folder / "hashed"
    folder.mkdir(exist_ok=True)
    for word in ("a-other-key", "b-by-a", "b", "a", "middle"):
        (folder / f"{word}.pem").write_bytes(pem(scripts.world.der[word]))
    subprocess.run(["openssl", "rehash", folder], check=True)
    return folder


def place_scripts(scripts):
    """Stores that are looked into when a subject is wanted, of a bundle's subjects as well."""
    leaf, kit = scripts.world.leaf, scripts.kit
    asked = [f"verify 0 {leaf[word]} - cb where" for word in ("of-b", "of-a", "of-middle", "of-a-other", "of-nobody")]
    places = (("default", "-", hashed(scripts)), ("default-file", "-", kit), ("default-other-file", "-", scripts.file("place", pem(
        scripts.world.der["a-other-key"]) + pem(scripts.world.der["b-by-a"]))), ("missing", "-", "/nonexistent"),
        ("file", scripts.folder / "place.pem", ""), ("folder", hashed(scripts), ""))
    for name, place, default in places:
        for at, order in enumerate((asked, asked[::-1])):
            begin = [f"env SSL_CERT_DIR {default}".strip(), "store 0"]
            yield f"life/place-{name}-{at}", [*begin, f"load-file 0 {kit}", f"add-store 0 {place}", *order, "objects 0"]
            yield f"life/place-{name}-before-{at}", [*begin, f"add-store 0 {place}", f"load-file 0 {kit}", *order, "objects 0",
                                                     "env SSL_CERT_DIR"]


def life_scripts(scripts):
    """Stores and contexts that share, outlive and follow each other; threads; the end of the library."""
    folder, leaf, kit = scripts.folder, scripts.world.leaf, scripts.kit
    chain, key = leaf["of-middle"], scripts.world.end.path
    many = " ".join(str(leaf[word]) for word in ("of-a", "of-b", "of-nobody", "small-0", "small-1", "small-2", "small-5"))
    ask = f"verify {{}} {leaf['of-a']} - where"
    yield "life/shared-context", ["store 0", f"load-file 0 {kit}", "context 0", "context 1", "ctx-set1 0 0", "ctx-set 1 0", "free 0",
                                  f"handshake 0 {chain} {key} www.example.test", "free-context 0",
                                  f"handshake 1 {chain} {key} other.example.test", "get-store 1 2", "free-context 1", "objects 2"]
    yield "life/references", ["store 0", "data 0", f"load-file 0 {kit}", "up 0 1", "free 0", ask.format(1), "up 1 0", "free 1",
                              "objects 0", "data 0", "free 0", "descriptor"]
    yield "life/never-asked", ["store 0", "data 0", f"load-file 0 {kit}", "free 0", "descriptor"]
    for at, way in enumerate((f"ctx-file 0 {kit}", f"ctx-locations 0 {kit} -", f"ctx-store 0 {kit}", f"ctx-dir 0 {folder}")):
        yield f"life/handshake-{at}", ["context 0", way, f"handshake 0 {chain} {key} www.example.test",
                                       f"handshake 0 {leaf['of-nobody']} {key}", "get-store 0 0", "objects 0",
                                       f"handshake 0 {chain} {key} www.example.test"]
    yield "life/handshake-defaults", [f"env SSL_CERT_FILE {kit}", "context 0", "ctx-defaults 0",
                                      f"handshake 0 {leaf['of-a']} {key} www.example.test", "get-store 0 0", "objects 0", "env SSL_CERT_FILE"]
    yield "life/verify-store", ["store 0", f"load-file 0 {kit}", "context 0", "verify-store 0 0", "chain-store 0 0", "free 0",
                                f"handshake 0 {chain} {key} www.example.test"]
    yield "life/exchanged-store", ["context 0", f"ctx-file 0 {kit}", "store 0", "ctx-set 0 0", f"handshake 0 {chain} {key} www.example.test",
                                   f"ctx-file 0 {kit}", f"handshake 0 {chain} {key} www.example.test", "objects 0"]
    yield "life/own-chain", ["context 0", f"ctx-file 0 {kit}", f"build-chain 0 {leaf['of-middle']} {key}"]
    yield "life/client-ca", ["context 0", f"client-ca 0 {kit}", f"client-ca 0 {folder}/missing"]
    yield "life/same-file-twice", ["store 0", f"load-file 0 {kit}", f"load-file 0 {kit}", "objects 0", "store 1", f"load-file 1 {kit}",
                                   ask.format(1), f"load-file 1 {kit}", "objects 1", "alike 0 1"]
    yield "life/apart", ["store 0", "store 1", f"load-file 0 {kit}", f"load-file 1 {kit}", ask.format(0), ask.format(1), "alike 0 1",
                         "free 0", ask.format(1), "objects 1"]
    yield "life/children", ["store 0", f"load-file 0 {kit}", f"in-child {ask.format(0)}", "in-child objects 0", "in-child free 0",
                            "in-child cleanup", ask.format(0), f"in-child {ask.format(0)}", "objects 0", f"in-child load-file 0 {kit}"]
    for word in ("a", "a-other-key", "a-expired", "b-by-a"):
        asked = [f"verify 0 {leaf[each]} - cb where" for each in ("of-a", "of-a-other", "of-b", "of-a-other-by-key")]
        for at, before in enumerate(([], [f"add 0 {leaf['b']}"], [asked[0]], ["objects 0"])):
            yield f"life/added-{word}-{at}", ["store 0", f"load-file 0 {kit}", *before, f"add 0 {leaf[word]}", *asked, "objects 0",
                                              f"load-file 0 {scripts.file('added', pem(scripts.world.der['a-again']))}", *asked, "objects 0"]
    for at in range(4):
        yield f"life/threads-{at}", ["store 0", f"load-file 0 {kit}", f"{'threads' if at % 2 else 'threads-listing'} 0 {many}", "objects 0",
                                     f"threads 0 {many}", f"in-child threads 0 {many}"]
    yield "life/threads-locking", [f"threads-locking {kit} {leaf['of-a']} 400"]
    yield "life/threads-load", [f"threads-load {kit}", "store 0", f"threads-load-one 0 {kit}", f"threads-load {kit}", ask.format(0)]
    yield from hook_scripts(scripts, kit)
    yield from place_scripts(scripts)


def hook_scripts(scripts, kit):
    leaf = scripts.world.leaf
    asked = [f"verify 0 {leaf['of-a']} -", f"verify 0 {leaf['of-middle']} {leaf['of-middle']} partial", "objects 0"]
    for hook in (*HOOKS, "listen"):
        set_it = "listen 0" if hook == "listen" else f"hook 0 {hook}"
        yield f"hooks/{hook}-before", ["store 0", set_it, f"load-file 0 {kit}", f"hooks 0 {leaf['of-a']}", *asked]
        yield f"hooks/{hook}-behind", ["store 0", f"load-file 0 {kit}", set_it, f"hooks 0 {leaf['of-a']}", *asked]
        yield f"hooks/{hook}-between", ["store 0", f"load-file 0 {kit}", asked[0], set_it, *asked, f"load-file 0 {kit}", *asked,
                                        "unhook 0", f"hooks 0 {leaf['of-a']}", *asked]
    yield "hooks/none", ["store 0", f"hooks 0 {leaf['of-a']}", f"load-file 0 {kit}", f"hooks 0 {leaf['of-a']}", "unhook 0",
                         f"hooks 0 {leaf['of-a']}", *asked, f"issuer 0 {leaf['of-a']} hooked", f"certs 0 issuer {leaf['of-a']} hooked"]


def real_scripts(scripts, bundles):
    """Bundles that machines have, and for each authority in them a certificate that names it as its issuer."""
    for bundle in bundles:
        text = bundle.read_bytes()
        name = "-".join(bundle.parts[-3:])
        certs = der.unpem_all(text)
        subjects = list(dict.fromkeys(map(der.subject_of, certs)))
        roots = [scripts.world.put(f"root-{name}-{at}", cert) for at, cert in enumerate(certs)]
        ends = [scripts.world.put(f"end-{name}-{at}", scripts.world.ending(subject, None)) for at, subject in enumerate(subjects)]
        trusted = scripts.file(f"trusted-{name}", b"".join(
            pem(cert + malformed.aux((malformed.SERVER,)), "TRUSTED CERTIFICATE") for cert in certs))
        for at, path in enumerate((bundle, trusted)):
            rng = scripts.rng(f"{name} {at}")
            asked = rng.sample(ends, len(ends))
            yield f"real/{name}/{at}/plain", ["store 0", f"load-file 0 {path}", "objects 0", "all-certs 0", f"objects-locked 0"]
            yield f"real/{name}/{at}/each", ["store 0", f"load-file 0 {path}", *(f"verify 0 {end} - where" for end in asked), "objects 0"]
            yield f"real/{name}/{at}/roots", ["store 0", f"load-locations 0 {path} -", *(f"verify 0 {each} - server cb" for each in roots),
                                                 "objects 0"]
            yield f"real/{name}/{at}/few", ["store 0", f"load-file 0 {path}", *(f"issuer 0 {end} hooked" for end in asked[:5]), "objects 0",
                                            f"add 0 {roots[3]}", f"load-file 0 {scripts.kit}", f"load-file 0 {path}", "objects 0"]


def large_scripts(scripts, number):
    """NUMBER of certificates; more than 64 MiB of text, to be read or to be left."""
    names = [der.name(f"Many {at}") for at in range(number)]
    many = scripts.file("many", b"".join(pem(der.root(subject, scripts.world.one, signer=None)) for subject in names))
    ends = [scripts.world.put(f"end-many-{at}", scripts.world.ending(names[at], None)) for at in (0, number // 2, number - 1)]
    yield "large/many", ["store 0", f"load-file 0 {many}", *(f"verify 0 {end} - where" for end in ends),
                         f"verify 0 {scripts.world.leaf['of-nobody']} -", "objects 0"]
    filler = (b"# " + b"x" * 100 + b"\n") * ((64 << 20) // 103 + 1)
    text = scripts.kit.read_bytes()
    long = scripts.file("long", filler + text)
    yield "large/text", ["store 0", f"load-file 0 {long}", f"verify 0 {scripts.world.leaf['of-a']} -", "objects 0"]


CORPUS_FLAGS = {"partial_chain": "partial", "crl_check": "crl", "crl_check_all": "crlall", "x509_strict": "strict",
                "no_check_time": "anytime", "trusted_first": "first", "no_alt_chains": "noalt", "use_deltas": "delta",
                "check_ss_sig": "selfsigned", "policy_check": "policy"}


class Corpus:
    """A corpus of third-party chains in FOLDER, each put to a store that its own authorities were loaded into."""

    def __init__(self, scripts, folder):
        self.name, self.files = folder.name, scripts.folder / folder.name
        self.files.mkdir(exist_ok=True)
        self.cases = [json.loads(line) for line in (folder / "cases.jsonl").open(encoding="utf-8")]
        blobs = map(json.loads, (folder / "blobs.jsonl").open(encoding="utf-8"))
        kinds = {"C": "CERTIFICATE", "T": "TRUSTED CERTIFICATE", "L": "X509 CRL"}
        self.pem = {blob["id"]: pem(base64.b64decode(blob["b64"]), kinds[blob["t"]]) for blob in blobs}

    def file(self, identifiers):
        """One with these in it; "-" for none."""
        if not identifiers:
            return "-"
        path = self.files / hashlib.sha256(" ".join(identifiers).encode()).hexdigest()[:24]
        if not path.exists():
            path.write_bytes(b"".join(self.pem[each] for each in identifiers))
        return path

    def script(self, case):
        words = [CORPUS_FLAGS[flag] for flag in case["flags"] if flag in CORPUS_FLAGS]
        words += ["server"] * (case["purpose"] == "serverAuth") + [f"time={case['time']}"] * bool(case["time"])
        words += [f"host={case['host']}"] * bool(case["host"] and " " not in case["host"])
        words += [f"depth={case['depth']}" for _ in (1,) if "depth" in case]
        crls = [f"crl-file 0 pem {self.file(case['crls'])}"] if case.get("crls") else []
        name = case["id"].replace(" ", "_")
        return f"corpora/{self.name}/{name}", [
            "store 0", f"load-file 0 {self.file(case['trusted'])}", *crls,
            f"verify 0 {self.file([case['leaf']])} {self.file(case['untrusted'])} cb where {' '.join(words)}", "objects 0"]


def corpora_scripts(scripts, folder, every):
    """Of corpora with more than a thousand cases, one of EVERY."""
    for corpus in (Corpus(scripts, path.parent) for path in sorted(folder.glob("*/cases.jsonl"))):
        cases = corpus.cases[::every] if len(corpus.cases) > 1000 else corpus.cases
        yield from (corpus.script(case) for case in cases if case["leaf"] in corpus.pem)
