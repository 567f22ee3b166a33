"""der.py - certificates, CRLs and PEM, byte by byte: also those that no library would write."""
import base64
import functools
import hashlib
import subprocess
import textwrap

PRINTABLE, UTF8, T61, IA5, BMP, UNIVERSAL, VISIBLE = 0x13, 0x0c, 0x14, 0x16, 0x1e, 0x1c, 0x1a
CN, COUNTRY, ORGANIZATION, UNIT, EMAIL = "2.5.4.3", "2.5.4.6", "2.5.4.10", "2.5.4.11", "1.2.840.113549.1.9.1"
ENCODINGS = {T61: "latin-1", BMP: "utf-16-be", UNIVERSAL: "utf-32-be"}
NULL = b"\x05\x00"


def tlv(tag, *parts, form=0):
    """FORM is how many bytes of length there are beside what is needed."""
    body = b"".join(parts)
    size = len(body)
    if size < 128 and not form:
        return bytes((tag, size)) + body
    digits = size.to_bytes(max(1, (size.bit_length() + 7) // 8) + max(form - 1, 0), "big")
    return bytes((tag, 0x80 | len(digits))) + digits + body


def endless(tag, *parts):
    """The same of indefinite length, as BER has it."""
    return bytes((tag | 0x20, 0x80)) + b"".join(parts) + b"\x00\x00"


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    body = bytes((first * 40 + second,))
    for number in rest:
        digits = [number & 127]
        while number := number >> 7:
            digits.append(number & 127 | 128)
        body += bytes(reversed(digits))
    return tlv(0x06, body)


def bits(body):
    return tlv(0x03, b"\x00", body)


def octets(*parts):
    return tlv(0x04, *parts)


def split(der):
    """(tag, contents, what follows) of the first value in DER."""
    size, start = der[1], 2
    if size & 0x80:
        start += size & 0x7f
        size = int.from_bytes(der[2:start], "big")
    return der[0], der[start:start + size], der[start + size:]


def members(der):
    """The values in a sequence, whole."""
    body, found = split(der)[1], []
    while body:
        rest = split(body)[2]
        found.append(body[:len(body) - len(rest)])
        body = rest
    return found


def subject_of(der):
    """The whole Name."""
    fields = members(members(der)[0])
    return fields[5 if fields[0][0] == 0xa0 else 4]


def string(text, kind):
    return tlv(kind, text.encode(ENCODINGS.get(kind, "utf-8")))


def name(*parts):
    """Each part is a text (a common name), (oid, text, kind), or a list of those: one RDN."""
    def attribute(part):
        kind, text, encoding = (CN, part, UTF8) if isinstance(part, str) else part
        return sequence(oid(kind), string(text, encoding))
    return sequence(*(tlv(0x31, *sorted(map(attribute, part if isinstance(part, list) else [part])))
                      for part in parts))


class Key:
    """An RSA key that signs by itself, in PATH, where it stays."""

    def __init__(self, path, size=2048):
        self.path = path
        if not path.exists():
            subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, str(size)], check=True,
                           capture_output=True)
        numbers = [int.from_bytes(split(part)[1], "big") for part in members(unpem(path.read_bytes()))]
        _, self.modulus, self.public, _, *self.parts = numbers
        self.spki = sequence(sequence(oid("1.2.840.113549.1.1.1"), NULL),
                             bits(sequence(integer(self.modulus), integer(self.public))))
        self.identifier = hashlib.sha1(self.spki).digest()

    def sign(self, data):
        prefix = bytes.fromhex("3031300d060960864801650304020105000420")
        size = (self.modulus.bit_length() + 7) // 8
        text = prefix + hashlib.sha256(data).digest()
        value = int.from_bytes(b"\x00\x01" + b"\xff" * (size - len(text) - 3) + b"\x00" + text, "big")
        p, q, dp, dq, inverse = self.parts[:5]
        one, two = pow(value, dp, p), pow(value, dq, q)
        return (two + q * (inverse * (one - two) % p)).to_bytes(size, "big")


SIGNATURE = sequence(oid("1.2.840.113549.1.1.11"), NULL)


def extension(kind, *value, critical=False):
    return sequence(oid(kind), b"\x01\x01\xff" if critical else b"", octets(*value))


def authority(pathlen=None):
    return extension("2.5.29.19", sequence(b"\x01\x01\xff", *([integer(pathlen)] if pathlen is not None
                                                             else [])), critical=True)


USAGE = extension("2.5.29.15", b"\x03\x02\x01\x06", critical=True)


def identifier(key):
    return extension("2.5.29.14", octets(key.identifier))


def by_key(key):
    return extension("2.5.29.35", sequence(tlv(0x80, key.identifier)))


def hosts(*names):
    return extension("2.5.29.17", sequence(*(tlv(0x82, host.encode()) for host in names)))


def time(text):
    return tlv(0x17 if len(text) == 13 else 0x18, text.encode())


def validity(begin="200101000000Z", end="400101000000Z"):
    return sequence(time(begin), time(end))


def signed(body, key):
    """KEY is None where nobody will look at the signature."""
    return sequence(body, SIGNATURE, bits(key.sign(body) if key else bytes(range(64))))


def certificate(subject, issuer, key, signer, extensions=(), *, serial=b"\x02\x01\x01", version=b"\xa0\x03\x02\x01\x02",
                valid=validity(), spki=None, more=b"", wrap=None):
    """DER; WRAP is given the extensions' sequence, MORE stands behind all of it."""
    listed = sequence(*extensions)
    wrapped = wrap(listed) if wrap else (tlv(0xa3, listed) if extensions else b"")
    return signed(sequence(version, serial, SIGNATURE, issuer, valid, subject, spki or key.spki, wrapped, more),
                  signer)


def root(subject, key, *more, **fields):
    return certificate(subject, subject, key, fields.pop("signer", key),
                       (authority(), USAGE, identifier(key), *more), **fields)


def crl(issuer, key, serials=(), extensions=(), valid=("200101000000Z", "400101000000Z")):
    rows = [sequence(serial, time("210101000000Z")) for serial in serials]
    return signed(sequence(integer(1), SIGNATURE, issuer, time(valid[0]), time(valid[1]),
                           sequence(*rows) if rows else b"",
                           tlv(0xa0, sequence(*extensions)) if extensions else b""), key)


@functools.lru_cache(None)
def encoded(der, width=64):
    text = base64.b64encode(der).decode()
    return "\n".join(textwrap.wrap(text, width)) + "\n" if width != 64 else base64_lines(text)


def base64_lines(text):
    return "".join(f"{text[at:at + 64]}\n" for at in range(0, len(text), 64))


def pem(der, kind="CERTIFICATE", width=64):
    return f"-----BEGIN {kind}-----\n{encoded(der, width)}-----END {kind}-----\n".encode()


def unpem(text):
    """The bytes of the first PEM block in TEXT."""
    return unpem_all(text)[0]


def unpem_all(text):
    return [base64.b64decode(b"".join(block.split(b"-----END")[0].splitlines()[1:]))
            for block in text.split(b"-----BEGIN ")[1:]]
