/*
 * policy.h - a loaded policy: made by the language (load.c), asked by match.c and evaluated by
 * evaluate.c; immutable but for what is _Atomic, the memo of CRLs and what a holding has decoded.
 * Everything that a policy holds lives in its arena or in what is listed here and goes with it;
 * readers borrow.
 */
#ifndef TG_POLICY_H
#define TG_POLICY_H

#include "mem.h"
#include "rule.h"

/*
 * Which of a policy's CRLs were found genuine for which issuer, so that a signature over
 * megabytes is checked once. crlmemo.c's.
 */
#define TG_CRL_MEMO_SIZE 64
struct tg_crl_memo {
    struct {
        const X509_CRL *crl;
        uint8_t issuer[TG_SHA256_SIZE]; /* digest of its certificate */
    } genuine[TG_CRL_MEMO_SIZE];
    size_t next;
};

enum tg_log_sink { TG_LOG_STDERR = 1, TG_LOG_SYSLOG = 2, TG_LOG_FILE = 4, TG_LOG_NONE = 8 };

struct tg_policy {
    _Atomic unsigned references;
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
    bool lazy_anchors;      /* a program's bundles are decoded on demand */
    bool locked;            /* the system's: the environment and the user have no say */
    uint64_t generation;    /* no two policies of a process have the same */
    struct tg_watch *watch; /* every file and directory it was made of (watch.h) */
    struct tg_rule **rules; /* none where they are made on demand (index->supply) */
    size_t rule_count;
    struct tg_exception *exceptions;
    size_t exception_count;
    struct tg_digests distrusted_certificates; /* of the DER, or for files as tg_twin_signed */
    struct tg_digests distrusted_keys;         /* as pins are, or for files as tg_twin_key */
    struct tg_signer {                         /* keys of the files that [distrust] names */
        struct tg_signer *next;
        EVP_PKEY *key;
    } * distrusted_signers;
    struct tg_rule unmatched_rule; /* what `unmatched = verify` or `reject` applies */
    struct tg_crl_list {
        struct tg_crl_list *next;
        STACK_OF(X509_CRL) *crls;
    } * crl_lists;                /* every stack of CRLs, to free */
    struct tg_crl_memo *crl_memo; /* NULL where no rule has CRLs */
    struct tg_known_file *known_files;
    struct tg_index *index;       /* match.c */
    struct tg_holding **holdings; /* every one above, to free */
    size_t holding_count;
};

/* Of generation 1 and up, with an index and nothing in it; tg_policy_free. NULL: no memory. */
TG_MUST_USE tg_policy *tg_policy_new(void);

TG_API tg_policy *tg_policy_ref(const tg_policy *policy); /* returns POLICY */

#endif
