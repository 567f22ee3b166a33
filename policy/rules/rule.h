/*
 * rule.h - what the sections of a policy say once they are read: the rules of [host] sections and
 * the [exception]s, with the enums of their keys.
 */
#ifndef TG_RULE_H
#define TG_RULE_H

#include "hash.h"
#include "trustgraft.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tg_holding; /* holding.h */

/* Where something stands in a policy file; lines and columns count from 1, columns in bytes. */
struct tg_where {
    const char *file; /* NULL: nowhere, as for the rule behind `unmatched` */
    unsigned line, column;
};

enum tg_action { TG_ACTION_EVALUATE, TG_ACTION_PASS, TG_ACTION_REJECT };
enum tg_mode { TG_MODE_ENFORCE, TG_MODE_REPORT };
enum tg_unmatched { TG_UNMATCHED_APP, TG_UNMATCHED_VERIFY, TG_UNMATCHED_REJECT };
enum tg_revocation {
    TG_REVOCATION_NONE,
    TG_REVOCATION_CRL,       /* of the leaf */
    TG_REVOCATION_CRL_CHAIN, /* of every certificate but the anchor */
    TG_REVOCATION_STAPLE,    /* an OCSP answer, if the server staples one */
    TG_REVOCATION_STAPLE_REQUIRED
};
enum tg_min_tls { TG_MIN_TLS_1_2, TG_MIN_TLS_1_3 };
enum tg_purpose { TG_PURPOSE_TLS_SERVER, TG_PURPOSE_ANY };

/* A key of [host] and [profile] is bit (1 << id) of tg_rule.set. */
enum tg_key_id {
    TG_KEY_PROFILE,
    TG_KEY_PROGRAM,
    TG_KEY_ACTION,
    TG_KEY_MODE,
    TG_KEY_ANCHORS,
    TG_KEY_ANCHORS_ONLY,
    TG_KEY_INTERMEDIATES,
    TG_KEY_HOSTNAME,
    TG_KEY_SKIP_HOSTNAME,
    TG_KEY_TRUST_CERTIFICATE,
    TG_KEY_LEAF_PIN,
    TG_KEY_CA_PIN,
    TG_KEY_PIN,
    TG_KEY_KNOWN_HOSTS,
    TG_KEY_PINS_EXPIRE,
    TG_KEY_VERIFY_TIME,
    TG_KEY_SKIP_DATES,
    TG_KEY_PURPOSE,
    TG_KEY_STRICT,
    TG_KEY_REVOCATION,
    TG_KEY_CRL,
    TG_KEY_MIN_TLS,
    TG_KEY_MIN_RSA_BITS,
    TG_KEY_SECURITY_LEVEL,
    TG_KEY_DEFAULT_MODE, /* [policy] from here */
    TG_KEY_UNMATCHED,
    TG_KEY_UNKNOWN_HOST,
    TG_KEY_LOG,
    TG_KEY_LOG_FORMAT,
    TG_KEY_LOG_LEVEL,
    TG_KEY_INCLUDE,
    TG_KEY_LOCKED,
    TG_KEY_RELOAD,
    TG_KEY_LAZY_ANCHORS,
    TG_KEY_DISTRUST_CERTIFICATE, /* [distrust] */
    TG_KEY_DISTRUST_SPKI,
    TG_KEY_EXCEPTION_HOST, /* [exception] from here */
    TG_KEY_EXCEPTION_CERTIFICATE,
    TG_KEY_EXCEPTION_FINDINGS,
    TG_KEY_EXCEPTION_EXPIRES,
    TG_KEY_EXCEPTION_NOTE,
    TG_KEYS
};

#define TG_KEY_BIT(id) ((uint64_t)1 << (id))

/* The words of a list key, in the order written. */
struct tg_words {
    const char **word;
    size_t count;
};

/* Ascending. */
struct tg_moments {
    size_t count;
    time_t moment[];
};

/*
 * One [host] section with its profile's keys merged in, or the rule that `unmatched` stands
 * for (where.file is NULL then). `set` has a bit for each key that was given (enum tg_key_id).
 */
struct tg_rule {
    struct tg_where where;
    struct tg_words patterns;
    uint64_t set;
    const char *profile;
    struct tg_words programs;  /* as written; empty: any */
    struct tg_words realpaths; /* realpath() of each absolute program without glob characters */
    enum tg_action action;
    enum tg_mode mode;
    const struct tg_holding *anchors; /* NULL: none given */
    bool anchors_system;
    bool anchors_only;
    const struct tg_holding *intermediates; /* NULL: none */
    struct tg_words hostnames;              /* empty: the dialled name */
    bool skip_hostname;
    struct tg_digests trusted_leaves; /* trust-certificate: digests of the DER */
    struct tg_digests leaf_pins, ca_pins, path_pins;
    struct tg_known_file *known_hosts; /* NULL: none */
    time_t pins_expire;                /* 0: never */
    time_t verify_time;                /* 0: now */
    bool skip_dates;
    enum tg_purpose purpose;
    bool strict;
    enum tg_revocation revocation;
    STACK_OF(X509_CRL) *crls;             /* NULL: none */
    const struct tg_moments *crl_moments; /* when one begins or ends; NULL: no crls */
    enum tg_min_tls min_tls;              /* counts where `set` has it, as the next two */
    unsigned min_rsa_bits;
    unsigned security_level; /* as SSL_set_security_level(3) */
    const char *problem;     /* why it can't be told what the rule is; `action` rejects then */
};

/*
 * A known-hosts file of a policy: read when a connection first needs it, for it may have a million
 * lines, and kept from then on. knownhosts.c's.
 */
struct tg_known_file {
    struct tg_known_file *next;
    const char *path;
    struct tg_known *_Atomic known; /* NULL: not read yet */
    char *_Atomic problem;          /* why it can't be used; NULL: nothing known against it */
    char *_Atomic note;             /* why its image isn't; who takes it tells and frees it */
};

/* An [exception]: forgives findings[] of one leaf at one host until it expires. */
struct tg_exception {
    struct tg_where where;
    const char *name;
    const char *host; /* lower case, no trailing dot; an address in inet_ntop form */
    unsigned port;    /* 0: any */
    uint8_t leaf[TG_SHA256_SIZE];
    uint64_t findings; /* bit (1 << enum tg_finding_kind) */
    time_t expires;    /* 0: never */
    const char *note;
};

#endif
