/*
 * hook.h - between libssl and the engine: an X509_STORE_CTX or a connection becomes a query,
 * and a verdict what the application expects.
 */
#ifndef TG_HOOK_H
#define TG_HOOK_H

#include "convert.h"
#include "host.h"
#include "inject.h"
#include "libssl.h"
#include "process.h"
#include <sys/socket.h>

/* One libssl under the policy. Lives as long as the process. */
struct tg_hooked {
    struct tg_libssl libssl;
    struct tg_library *library; /* the libcrypto that it works on */
};

/* Our ex_data of an SSL_CTX: what the application set and we stand in for (preload only). */
struct tg_context_state {
    int (*verify)(X509_STORE_CTX *, void *);
    void *verify_arg;
    tg_custom_callback *custom; /* BoringSSL alone */
};

struct tg_wire;    /* what is kept of a BIO: wire.c */
#define TG_WIRES 3 /* to read from, to write to, and the buffer before that */

/* What an info callback is told (SSL_CTX_set_info_callback(3)); of none, where is 0. */
struct tg_event {
    int where, value;
};

/* Our ex_data of an SSL. */
struct tg_connection_state {
    const struct tg_hooked *hooked; /* NULL until tg_hooked_of was asked */
    tg_info_callback *info; /* the application's own, set on the connection (preload only) */
    struct tg_event told;   /* what that is told of now */
    bool started;           /* the gate saw this handshake start */
    bool judged;            /* there is a verdict on this handshake */
    bool forced;            /* to verify, for a refusal: the application doesn't */
    bool dropped;           /* of this handshake: a session that could carry early data */
    bool ticketless;        /* of this handshake: its session's ticket isn't sent */
    bool asking;            /* the application's own callback is to be asked again, not we */
    uint8_t random[TG_INJECT_RANDOM_SIZE]; /* of the last ClientHello */
    struct tg_peer *peer;                  /* as it was told once (peer.c); NULL: not yet */
    X509 *pristine;             /* the leaf as it came, where an alias was added; owned */
    tg_custom_callback *custom; /* the application's own (BoringSSL) */
    struct tg_wire *wires[TG_WIRES];
};

/* Who may be at the other end. */
struct tg_candidate {
    char host[TG_HOST_SIZE]; /* canonical, or what the language can't spell; empty: unknown */
    unsigned port;           /* 0: unknown */
    unsigned end;            /* candidates with one number are of one place */
};

/*
 * Who is at the other end of a connection: told once, when its first handshake starts, and kept
 * with it, as the facts that it is told from change later by others' doing. A name that the
 * program gave is the identity; without one, the names that it looked up and the address are
 * candidates, of each place that the connection may lead to.
 */
#define TG_CANDIDATES 8
struct tg_peer {
    bool named;          /* the program gave the host its name */
    bool placed;         /* it is known where the connection leads */
    bool searched;       /* the process's sockets were looked at for that */
    bool own;            /* its own descriptor, or where it was sent: no other one counts */
    bool datagrams;      /* as DTLS and QUIC have it */
    uint64_t since;      /* QUIC connections begun before aren't this one */
    const char *unknown; /* why host or port isn't known; NULL: no reason is told */
    unsigned shown;      /* the candidate that verdicts and logs name */
    unsigned count;      /* at least 1 */
    struct tg_candidate candidates[TG_CANDIDATES];
};
void tg_peer_of(const struct tg_hooked *hooked, SSL *ssl, struct tg_peer *peer);

/*
 * Where it isn't known where the connection leads: all places that it may lead to become
 * candidates, by the sockets of the process. True if PEER has changed.
 */
bool tg_peer_search(struct tg_peer *peer);

/* Another handshake starts: it may be with another peer. */
void tg_peer_forget(struct tg_connection_state *state);

/* The host and port that verdicts name; NULL and 0: unknown. */
const char *tg_peer_host(const struct tg_peer *peer);
unsigned tg_peer_port(const struct tg_peer *peer);
/* The port for a log line: also where all of the process's few connections have the same. */
unsigned tg_peer_shown_port(const struct tg_peer *peer);

/*
 * The verify callback of every hooked context; ARG is the struct tg_hooked. Returns what
 * SSL_CTX_set_cert_verify_callback(3) asks for: 1 to go on, else the handshake fails.
 */
int tg_hook_verify(X509_STORE_CTX *context, void *arg);

/* The same, called by the application, under POLICY or that of the process where it is NULL. */
int tg_hook_verify_under(const struct tg_hooked *hooked, X509_STORE_CTX *context,
                         const tg_policy *policy);
/* Whose certificate CONTEXT verifies; NULL: no connection's. */
SSL *tg_hook_connection(const struct tg_hooked *hooked, const X509_STORE_CTX *context);

/* The same where there was no memory to hook a context: refuses every server. */
int tg_hook_refuse(X509_STORE_CTX *context, void *arg);

/*
 * The same for an application that verifies by itself in BoringSSL, where it calls no
 * X509_STORE_CTX into being: the outcome is a TG_CUSTOM_*, *ALERT is what is sent on refusal.
 */
int tg_hook_verify_custom(const struct tg_hooked *hooked, SSL *ssl, uint8_t *alert);

/* As SSL_get_security_level(3); -1, libcrypto's default, for BoringSSL, which has none. */
int tg_hook_security_level(const struct tg_hooked *hooked, const SSL *ssl);

/*
 * The info callback of every hooked context of LIBRARY, and of every hooked connection from its
 * start on: it carries no argument that tells.
 */
tg_info_callback *tg_gate_of(const struct tg_library *library);

/* Makes it that of the connection, if this has none. */
void tg_gate_raise(const struct tg_hooked *hooked, SSL *ssl);

/* Lets go of the leaf that was kept for a verification that is made once more. */
void tg_hook_forget(struct tg_connection_state *state);

/* Puts the gate back where the application set an info callback of its own (Node does); the
 * gate calls that one. True if it had to. */
bool tg_gate_restore(const struct tg_hooked *hooked, SSL *ssl);

/*
 * given.c: the policies that a connection is under: that of the process, where its context is
 * hooked, and one that its program gave it (tg_verify_callback). Each must let it pass.
 */
struct tg_policies {
    struct tg_process each[2];
    size_t count;
    const struct tg_process *process;
    int cancel;
};
/* The two are paired, and what stands in between is over at the second. */
void tg_policies_enter(const struct tg_hooked *hooked, const SSL *ssl,
                       struct tg_policies *policies);
void tg_policies_leave(struct tg_policies *policies);

/* True, with *POLICY (NULL: the process's), if its program put CONTEXT under a policy. */
bool tg_given(const SSL_CTX *context, const tg_policy **policy);
/* The application's info callback of such a context, or NULL. */
tg_info_callback *tg_given_info(const SSL_CTX *context);
/* To be called where a context is freed. */
void tg_given_forget(const SSL_CTX *context);
/* Our ex_data of SSL, made where there is none; NULL: no memory. */
struct tg_connection_state *tg_given_state(const struct tg_hooked *hooked, SSL *ssl);

/* inject.c: our ex_data without the hook that comes with it elsewhere; false: not to be had. */
TG_MUST_USE bool tg_inject_given(const struct tg_hooked *hooked);

/* What would verify LEAF, as libssl makes one; of theirs all. NULL: no memory, or no store. */
X509_STORE_CTX *tg_late_context(const struct tg_hooked *hooked, SSL *ssl, X509 *leaf, void *sent);

/*
 * An SSL_custom_ext_add_cb_ex of every hooked context, for an extension that is never sent:
 * it sees each ClientHello, and puts the gate back where the application replaced it.
 */
int tg_gate_hello(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                  size_t *length, X509 *certificate, size_t index, int *alert, void *arg);

/* Puts the gate back, and judges a handshake that has ended without a verdict. */
void tg_gate_look(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);

/*
 * wire.c: has tg_gate_look called with each byte that the connection reads or writes, if it is
 * WANTED, until tg_wire_leave; and puts the gate back at the end of each verification. For a
 * connection that was refused nothing more is read or written after tg_wire_stop, until it begins
 * anew; STATE may be NULL there. BoringSSL's BIOs call no one: nothing happens. Registers once for
 * each library context; false if LIBRARY refuses.
 */
bool tg_wire_register(struct tg_library *library);
void tg_wire_watch(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state,
                   bool wanted);
/*
 * To be called while the ClientHello is made, of a connection that is watched: the gate is put back
 * at the end of the handshake too, whatever the application does to it and to its BIOs until then.
 * False: no memory.
 */
TG_MUST_USE bool tg_wire_await_end(const struct tg_hooked *hooked, SSL *ssl,
                                   struct tg_connection_state *state);
void tg_wire_stop(const struct tg_hooked *hooked, SSL *ssl, struct tg_connection_state *state);
void tg_wire_leave(struct tg_connection_state *state);

/* The libssl that ADDRESS lies in; NULL, after a complaint, if it can't be hooked. */
const struct tg_hooked *tg_hooked_at(const void *address);
/* The one whose SSL_CTX_new this is, if it was hooked before; else NULL. */
const struct tg_hooked *tg_hooked_known(const void *ssl_ctx_new);
/* The libssl on LIBRARY that CONTEXT or SSL belongs to; NULL if it can't be hooked. */
const struct tg_hooked *tg_hooked_of_context(const struct tg_library *library,
                                             const SSL_CTX *context);
const struct tg_hooked *tg_hooked_of(const struct tg_library *library, const SSL *ssl);
/* Looks for a libssl on the libcrypto that we are bound to while there is memory to; the linker
 * never finds one that it once had no memory for, and a context made then would go unhooked.
 * There may be none as yet. */
void tg_hooked_prepare(void);
/* The libssl on LIBRARY behind LAST, or the first (NULL); NULL: there is no more. */
const struct tg_hooked *tg_hooked_next(const struct tg_library *library,
                                       const struct tg_hooked *last);
/* Any libssl on LIBRARY; NULL: none is known yet. */
const struct tg_hooked *tg_hooked_on(const struct tg_library *library);
/* Any libssl on the libcrypto that we are bound to; NULL, after a complaint, if there is none. */
const struct tg_hooked *tg_hooked_any(void);

/* Our ex_data; NULL where there is none. */
struct tg_context_state *tg_context_state_of(const struct tg_hooked *hooked,
                                             const SSL_CTX *context);
struct tg_connection_state *tg_connection_state_of(const struct tg_hooked *hooked, const SSL *ssl);

/*
 * What is to happen with a peer: a rule that the hook must carry out, nothing (the policy
 * leaves it to the application), or a refusal known without an evaluation. A query is judged
 * by tg_judge alone, so that every way to a verdict is the same.
 */
struct tg_judgement {
    bool leave;                 /* to the application; verdict is NULL or only for the log */
    struct tg_verdict *verdict; /* owned; NULL with leave false: refuse, memory ran out */
};
struct tg_judgement tg_judge(const struct tg_process *process, const tg_policy *policy,
                             struct tg_peer *peer, struct tg_query *query);

/* What the application's own verification came to, in a library of its own. */
struct tg_own_path {
    const struct tg_library *library;
    const void *path; /* a stack of theirs; NULL: none is known */
    bool good;        /* it found no fault on it */
};

/*
 * The refusal of a host that the policy leaves to the application, if [distrust] asks for one
 * (tg_check_distrust, logged): on THEIRS, and where that found a fault, which the application may
 * forgive, on what it was sent. *REFUSE tells whether it is more than reported; it is set without
 * a verdict where memory ran out, or their path can't be read.
 */
TG_MUST_USE struct tg_verdict *tg_judge_distrust(const struct tg_process *process,
                                                 const tg_policy *policy,
                                                 const struct tg_peer *peer,
                                                 const struct tg_query *query,
                                                 const struct tg_own_path *theirs, bool *refuse);

/* Logs VERDICT about PEER, as the policy says; the port too, where it can be known. */
void tg_judge_log(const struct tg_process *process, const struct tg_verdict *verdict,
                  const struct tg_peer *peer);

/* True if POLICY (may be NULL) has something in [distrust]. */
bool tg_judge_distrusts(const tg_policy *policy);

/* True if the policy wants PEER evaluated or refused, and not merely reported. */
bool tg_judge_demands(const struct tg_process *process, const struct tg_peer *peer);

/*
 * Calls VISIT with each rule that PEER may be evaluated under, also where that is only reported;
 * false: it can't be told which those are.
 */
typedef void tg_rule_visit(void *arg, const struct tg_rule *rule);
bool tg_judge_rules(const struct tg_process *process, const struct tg_peer *peer,
                    tg_rule_visit *visit, void *arg);

/* status.c: asks for a stapled OCSP answer where the application didn't; what is needed from the
 * connection itself goes into QUERY. */
void tg_status_request(const struct tg_hooked *hooked, SSL *ssl, bool enforced);
void tg_status_read(const struct tg_hooked *hooked, SSL *ssl, struct tg_query *query);
/* True if RULE wants a staple. */
bool tg_status_wanted(const struct tg_rule *rule);

/* late.c: the verdict on a server whose handshake is done; what was accepted is remembered.
 * False: refused, and the reason raised. */
TG_MUST_USE bool tg_late_judge(const struct tg_hooked *hooked, SSL *ssl,
                               const struct tg_process *process,
                               const struct tg_policies *policies);

/* The refusal, logged and raised, of a session that has to be dropped, too late for that. */
void tg_late_refuse_session(const struct tg_hooked *hooked, const struct tg_process *process,
                            const struct tg_peer *peer);

/* The verdict on a handshake that has none yet, once the staple has come. False: refused. */
TG_MUST_USE bool tg_gate_judge(const struct tg_hooked *hooked, SSL *ssl);

/* outcome.c: a verdict becomes what X509_verify_cert(3) would have left behind. Both return
 * what the verify callback returns. ALIAS is the name that the leaf is to carry, or NULL. */
int tg_outcome_accept(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                      const struct tg_verdict *verdict, const char *alias);
int tg_outcome_refuse(const struct tg_hooked *hooked, SSL *ssl, X509_STORE_CTX *context,
                      const struct tg_verdict *verdict, const struct tg_peer *peer);
/* The reason, on the program's error queue, as libssl's own "certificate verify failed". */
void tg_outcome_raise(const struct tg_library *library, const struct tg_verdict *verdict,
                      const struct tg_peer *peer);

/*
 * alias.c: gives THEIRS, the in-memory certificate of an accepted server (in our libcrypto:
 * LEAF, the same where that isn't foreign), HOST as one more subject alternative name, for
 * programs that match names themselves. 0: it can't be done, the server is to be refused.
 */
TG_MUST_USE int tg_alias_add(const struct tg_library *library, X509 *theirs, X509 *leaf,
                             const char *host);

/*
 * accepted.c: leafs accepted in this process, by the digest of their DER, to tell sessions that the
 * policy evaluated: until UNTIL (0: for ever), and for sessions of protocol VERSION alone, as a
 * floor may ask; BY_PORT: for this port alone, as what forgave the leaf's faults may be for one.
 */
void tg_accepted_add(const tg_policy *policy, const struct tg_peer *peer,
                     const uint8_t leaf[TG_SHA256_SIZE], int version, bool by_port, time_t until);
/* True if SESSION (may be NULL) may stand in for an evaluation of PEER under POLICY. */
bool tg_accepted(const struct tg_hooked *hooked, const tg_policy *policy,
                 const struct tg_peer *peer, SSL_SESSION *session);
/* The digest that stands for the leaf of SESSION (may be NULL); false: there is none. */
bool tg_accepted_digest(const struct tg_hooked *hooked, SSL_SESSION *session,
                        uint8_t leaf[TG_SHA256_SIZE]);

/*
 * Marks the session that is being made as one that a policy has let in, and not the application by
 * itself: it then opens no other host's door, whoever resumes it, from a file too. A session of
 * BoringSSL has no place for that: there LEAF, its digest, is noted, which means the same for
 * every session with it that the application hasn't let in for that host too. False: no memory.
 */
TG_MUST_USE bool tg_accepted_mark(const struct tg_hooked *hooked, SSL *ssl,
                                  const uint8_t leaf[TG_SHA256_SIZE]);
bool tg_accepted_marked(const struct tg_hooked *hooked, SSL_SESSION *session);

/* peer.c: what the preload sees of the process's sockets. */
void tg_peer_set_sockets(const struct tg_inject_sockets *sockets);

#endif
