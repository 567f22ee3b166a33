/*
 * foreign_judge.h - from a connection of a library that knows no X509_verify_cert(3), GnuTLS or
 * NSS, to what the policy says of its server. No error ends in acceptance.
 */
#ifndef TG_FOREIGN_JUDGE_H
#define TG_FOREIGN_JUDGE_H

#include "line.h"
#include "query.h"
#include "verdict.h"

/* What the policy has to say before the server is known. */
enum tg_foreign_demand { TG_FOREIGN_NOTHING, TG_FOREIGN_A_LOOK, TG_FOREIGN_A_STAPLE };
enum tg_foreign_demand tg_foreign_demand(const struct tg_line *line);

/* True if a rule, and not only a report, is to be heeded before the server is known. */
TG_MUST_USE bool tg_foreign_demands(const struct tg_line *line);

/* What the policy says of the server; refused stays. */
enum tg_foreign_outcome { TG_FOREIGN_LEFT, TG_FOREIGN_ACCEPTED, TG_FOREIGN_REFUSED };

/* The server as its library shows it, and the program's own anchors. */
struct tg_foreign_server {
    struct tg_query query;
    const char *problem;  /* why what was presented can't be read, half a sentence; NULL: it was */
    bool unread;          /* some anchors couldn't be read: none is ruled out then */
    STACK_OF(X509) *sent; /* what stands in QUERY, leaf first */
    X509_STORE *store;
    X509_STORE_CTX *app;
};

/*
 * What its library does for a verdict; SERVER is the first member of a struct of its own.
 *   fill    reads the server
 *   revoked true if the program's own verification knows the leaf for revoked or distrusted: asked
 *           where a rule goes by the program's anchors
 *   let_in  the server is accepted, for the host of its query; false: that can't be carried out,
 *           and it is refused
 */
struct tg_foreign_operations {
    void (*fill)(struct tg_foreign_server *server);
    bool (*revoked)(const struct tg_foreign_server *server);
    bool (*let_in)(struct tg_foreign_server *server);
};

/* The verdict on SERVER, which is known by now, at the end of LINE: logged. */
TG_MUST_USE enum tg_foreign_outcome tg_foreign_judge(const struct tg_line *line,
                                                     struct tg_foreign_server *server,
                                                     const struct tg_foreign_operations *library);

/* The verdict is a refusal for KIND, before the server is known: logged. TEXT as tg_verdict_refuse
 * has it. */
TG_MUST_USE enum tg_foreign_outcome tg_foreign_refuse(const struct tg_line *line,
                                                      enum tg_finding_kind kind, const char *text);

/* For `fill`: one certificate more, leaf first. False: it can't be read as one. */
TG_MUST_USE bool tg_foreign_present(struct tg_foreign_server *server, const unsigned char *der,
                                    size_t size);

/* The same once all are there: LOOKUP finds the program's anchors by their name, and SERVER by
 * X509_STORE_CTX_get_app_data(3). An intermediate that is trusted ends a path, as these libraries
 * have it. */
void tg_foreign_anchor(struct tg_foreign_server *server, X509_STORE_CTX_lookup_certs_fn lookup);

#endif
