"""der.py - as much of DER (X.690) and X.509 (RFC 5280) as the test PKI needs.

Certificates are encoded here rather than by openssl(1), because most of them are wrong in a
way that a well-behaved tool refuses to write: an embedded NUL, two SAN extensions, a
signature by somebody else's key. Only keys and signatures come from openssl(1).
"""
import hashlib
import ipaddress

OIDS = {
    "CN": "2.5.4.3", "C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11",
    "subjectKeyIdentifier": "2.5.29.14", "keyUsage": "2.5.29.15", "subjectAltName": "2.5.29.17",
    "basicConstraints": "2.5.29.19", "nameConstraints": "2.5.29.30",
    "authorityKeyIdentifier": "2.5.29.35", "extKeyUsage": "2.5.29.37",
    "crlNumber": "2.5.29.20", "deltaCRLIndicator": "2.5.29.27",
    "issuingDistributionPoint": "2.5.29.28", "certificateIssuer": "2.5.29.29",
    "freshestCRL": "2.5.29.46",
    "tlsFeature": "1.3.6.1.5.5.7.1.24",
    "unknown": "1.3.6.1.4.1.55555.1",
    "server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2",
    "code-signing": "1.3.6.1.5.5.7.3.3", "any": "2.5.29.37.0",
    "ocsp": "1.3.6.1.5.5.7.3.9", "ocsp-basic": "1.3.6.1.5.5.7.48.1.1",
    "sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
    "ec-sha256": "1.2.840.10045.4.3.2", "ec-sha1": "1.2.840.10045.4.1",
    "rsa-sha256": "1.2.840.113549.1.1.11", "rsa-sha1": "1.2.840.113549.1.1.5",
    "rsa-md5": "1.2.840.113549.1.1.4",
}
KEY_USAGE_BITS = {"digital-signature": 0, "key-encipherment": 2, "cert-sign": 5, "crl-sign": 6}


def tlv(tag, *contents):
    """One element: TAG, the length in as few bytes as DER demands, the contents."""
    body = b"".join(contents)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def sequence(*contents):
    return tlv(0x30, *contents)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\x00")


def octet_string(data):
    return tlv(0x04, data)


def bit_string(data, unused=0):
    return tlv(0x03, bytes([unused]), data)


def explicit(number, *contents):
    return tlv(0xA0 | number, *contents)


def oid(name):
    arcs = [int(arc) for arc in OIDS[name].split(".")]
    out = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return tlv(0x06, out)


def moment(when):
    """UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5)."""
    if when.year < 2050:
        return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def generalized(when):
    """GeneralizedTime, as OCSP has it throughout (RFC 6960 section 4.2.2.1)."""
    return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def name(attributes):
    """A Name of (type, bytes) pairs, one to an RDN, as UTF8String."""
    return sequence(*(tlv(0x31, sequence(oid(kind), tlv(0x0C, value)))
                      for kind, value in attributes))


def general_name(kind, value):
    """kind DNS with bytes, or IP with text; 'a.b.c.d/bits' is a constraint's address block."""
    if kind == "DNS":
        return tlv(0x82, value)
    text = value.decode()
    if "/" in text:
        block = ipaddress.ip_network(text)
        return tlv(0x87, block.network_address.packed, block.netmask.packed)
    return tlv(0x87, ipaddress.ip_address(text).packed)


def general_subtrees(number, names):
    return explicit(number, *(sequence(general_name(*one)) for one in names)) if names else b""


def extension(name_of, value, critical=False):
    return sequence(oid(name_of), boolean(True) if critical else b"", octet_string(value))


def basic_constraints(authority, path_length=None):
    return sequence(boolean(True) if authority else b"",
                    integer(path_length) if path_length is not None else b"")


def key_usage(uses):
    bits = sum(0x80 >> KEY_USAGE_BITS[use] for use in uses)
    unused = (bits & -bits).bit_length() - 1
    return bit_string(bytes([bits]), unused)


def subject_alt_name(names):
    return sequence(*(general_name(*one) for one in names))


def name_constraints(permitted, excluded):
    return sequence(general_subtrees(0, permitted), general_subtrees(1, excluded))


def authority_key_identifier(identifier):
    return sequence(tlv(0x80, identifier))


def read(data, at=0):
    """One element of DATA: its tag, contents and the offset behind it."""
    tag, size, body = data[at], data[at + 1], at + 2
    if size & 0x80:
        body += size & 0x7F
        size = int.from_bytes(data[at + 2:body], "big")
    return tag, data[body:body + size], body + size


def key_identifier(spki):
    """SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2, method 1)."""
    _, body, _ = read(spki)
    _, _, behind_algorithm = read(body)
    _, bits, _ = read(body, behind_algorithm)
    return hashlib.sha1(bits[1:]).digest()


def signature_algorithm(kind, digest):
    """RFC 5758: no parameters with ECDSA; RFC 4055: NULL with RSA."""
    return sequence(oid(f"{kind}-{digest}"), tlv(0x05) if kind == "rsa" else b"")


P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def elements(contents):
    """The elements of an encoding, one after the other, each as (whole, contents)."""
    out = []
    while contents:
        size, begin = contents[1], 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(contents[2:begin], "big")
        out.append((contents[:begin + size], contents[begin:begin + size]))
        contents = contents[begin + size:]
    return out


def twin(certificate):
    """CERTIFICATE with the ECDSA signature (r, n-s) for its (r, s), which is as good."""
    [(_, parts)] = elements(certificate)
    (body, _), (algorithm, _), (_, signature) = elements(parts)
    [(_, numbers)] = elements(signature[1:])
    r, s = (int.from_bytes(value, "big") for _, value in elements(numbers))
    return sequence(body, algorithm,
                    bit_string(sequence(integer(r), integer(P256_ORDER - s))))
