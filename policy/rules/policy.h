/*
 * policy.h - a loaded policy: immutable, made by the parser (load.c), asked by match.c and
 * evaluated by trust.c. Everything that a policy holds lives in its arena or in the stacks
 * listed here and goes with it; readers borrow.
 */
#ifndef TG_POLICY_H
#define TG_POLICY_H

#include "diag.h"
#include "trustgraft.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TG_SHA256_SIZE 32

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

/* The words of a list key, in the order written. */
struct tg_words {
    const char **word;
    size_t count;
};

/* SHA-256 digests: of a SubjectPublicKeyInfo (pins) or of a whole certificate's DER. */
struct tg_digests {
    uint8_t (*digest)[TG_SHA256_SIZE];
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
    STACK_OF(X509) *anchors; /* NULL: none given */
    bool anchors_system;
    bool anchors_only;
    STACK_OF(X509) *intermediates; /* NULL: none */
    struct tg_words hostnames;     /* empty: the dialled name */
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
};

/*
 * A known-hosts file of a policy: read when a connection first needs it, for it may have a million
 * lines, and kept from then on. knownhosts.c's.
 */
struct tg_known_file {
    struct tg_known_file *next;
    const char *path;
    struct tg_known *known; /* atomic; NULL: not read yet */
    char *problem;          /* atomic; why it can't be used; NULL: nothing known against it */
};

/*
 * Which of a policy's CRLs were found genuine for which issuer, so that a signature over
 * megabytes is checked once. crl.c's; the one part of a policy that changes.
 */
#define TG_CRL_MEMO_SIZE 64
struct tg_crl_memo {
    struct {
        const X509_CRL *crl;
        uint8_t issuer[TG_SHA256_SIZE]; /* digest of its certificate */
    } genuine[TG_CRL_MEMO_SIZE];
    size_t next;
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

enum tg_log_sink { TG_LOG_STDERR = 1, TG_LOG_SYSLOG = 2, TG_LOG_FILE = 4, TG_LOG_NONE = 8 };

struct tg_policy {
    int references; /* atomic */
    struct tg_arena *arena;
    const char *file; /* absolute path it was loaded from */
    enum tg_mode mode;
    enum tg_unmatched unmatched;
    bool unknown_host_app;  /* insecure-unknown-host = app */
    bool staples;           /* a rule wants an OCSP answer */
    unsigned log_sinks;     /* tg_log_sink bits; 0: not set in the policy */
    const char *log_file;   /* absolute, where TG_LOG_FILE is set */
    bool log_json;          /* log-format = json */
    bool log_all;           /* log-level = all */
    bool reload;            /* false: changed files are not looked for */
    bool locked;            /* the system's: the environment and the user have no say */
    uint64_t generation;    /* no two policies of a process have the same */
    struct tg_watch *watch; /* every file and directory it was made of (watch.h) */
    struct tg_rule **rules;
    size_t rule_count;
    struct tg_exception *exceptions;
    size_t exception_count;
    struct tg_digests distrusted_certificates; /* of the DER, or for files as tg_twin_signed */
    struct tg_digests distrusted_keys;         /* as pins are, or for files as tg_twin_key */
    struct tg_rule unmatched_rule;             /* what `unmatched = verify` or `reject` applies */
    struct tg_crl_list {
        struct tg_crl_list *next;
        STACK_OF(X509_CRL) *crls;
    } * crl_lists;                /* every stack of CRLs, to free */
    struct tg_crl_memo *crl_memo; /* NULL where no rule has CRLs */
    struct tg_known_file *known_files;
    struct tg_index *index;  /* match.c */
    STACK_OF(X509) **stacks; /* every stack above, to free */
    size_t stack_count;
};

/*
 * Loads PATH (absolute or relative to the working directory; diagnostics show it as given).
 * Errors and warnings are appended to DIAGS. NULL if there was an error or no memory; the
 * caller owns the reference otherwise. Never loads a part of a policy.
 */
TG_MUST_USE tg_policy *tg_policy_parse(const char *path, struct tg_diags *diags);

/* A file of a policy, by its device and inode, that is read as if it held TEXT. */
struct tg_override {
    dev_t device;
    ino_t inode;
    const char *text;
    size_t length;
};
/* The same with OVERRIDE (may be NULL): what the policy would be if that file were changed. */
TG_MUST_USE tg_policy *tg_policy_parse_with(const char *path, const struct tg_override *override,
                                            struct tg_diags *diags);
TG_API tg_policy *tg_policy_ref(const tg_policy *policy); /* returns POLICY */

/*
 * Appends the warnings of `trustgraft check` about a valid policy at the time NOW: pins
 * near their end, a pin without a backup, an expired anchor, an insecure key without pin or
 * anchors-only, a rule that can never apply, a host that only has rules for ports, an exception
 * near or past its end.
 */
void tg_policy_lint(const tg_policy *policy, time_t now, struct tg_diags *diags);

/*
 * Which rule applies to HOST (DNS name or IP literal, any case, trailing dot allowed; of what
 * no pattern can spell the wildcard that it ends in counts; NULL or "" if unknown), PORT (0 if
 * unknown) and PROGRAM (absolute path; NULL if unknown): POLICY.md section 4. Costs a fixed number
 * of hash lookups, however many rules there are.
 */
enum tg_match_kind {
    TG_MATCH_RULE,      /* rule applies (its action may be pass or reject) */
    TG_MATCH_UNMATCHED, /* no rule: rule is &unmatched_rule, or NULL for `unmatched = app` */
    TG_MATCH_UNKNOWN    /* it depends on a host, port or program that isn't known: refuse; rule is
                           one of those that may apply (unmatched_rule too), the first in
                           rank whose mode is `enforce` if there is any */
};
struct tg_match {
    enum tg_match_kind kind;
    const struct tg_rule *rule;
    const char *pattern; /* as written in the rule; NULL if unmatched */
    const char *lacking; /* TG_MATCH_UNKNOWN: what it depends on, "host", "port" or "program" */
};
TG_API struct tg_match tg_policy_match(const tg_policy *policy, const char *host, unsigned port,
                                       const char *program);

/*
 * One rule that a lookup met: for `explain`. WHY is "applies", or why it lost: "its port is
 * 8443", "its program is ...", "less specific than line 12". Called in order of rank for
 * every rule one of whose patterns fits HOST.
 */
typedef void tg_match_seen(void *arg, const struct tg_rule *rule, const char *pattern,
                           const char *why);
void tg_policy_explain(const tg_policy *policy, const char *host, unsigned port,
                       const char *program, tg_match_seen *seen, void *arg);

/* The exceptions for HOST:PORT and the leaf with this digest, not expired at NOW: the union of
 * what they forgive (finding bits), 0 if none. *UNTIL: the earliest end among them, 0: never. */
uint64_t tg_policy_forgiven(const tg_policy *policy, const char *host, unsigned port,
                            const uint8_t leaf[TG_SHA256_SIZE], time_t now, time_t *until);

/*
 * The canonical spelling of a host: lower case without a trailing dot; an address as inet_ntop
 * writes it, brackets dropped, IPv4-mapped IPv6 as IPv4. OUT has room for TG_HOST_SIZE bytes.
 * What is given but neither a name nor an address that a policy can write ("a~b.example", a label
 * of 64 characters) is unspellable: OUT has it in lower case, without one trailing dot. Invalid is
 * what is nothing (NULL, "", ".") or doesn't fit: OUT is untouched.
 */
#define TG_HOST_SIZE 256
enum tg_host_kind { TG_HOST_INVALID, TG_HOST_UNSPELLABLE, TG_HOST_NAME, TG_HOST_ADDRESS };
enum tg_host_kind tg_host_canonical(const char *host, char out[TG_HOST_SIZE]);
/* The same; true if it is a name or an address. */
TG_API bool tg_host_spell(const char *host, char out[TG_HOST_SIZE]);

#endif
