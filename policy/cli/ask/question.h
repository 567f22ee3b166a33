/* question.h - a server that is put before the policy by the command, and the answer. */
#ifndef TG_QUESTION_H
#define TG_QUESTION_H

#include "argument.h"
#include "cli.h"
#include "match.h"
#include "presented.h"
#include "trustgraft.h"
#include "verdict.h"

/* What was asked, put together from the options. Zero-initialise; tg_question_clear it. */
struct tg_question {
    const struct tg_options *options;
    struct tg_endpoint at;
    char program[PATH_MAX]; /* "": not given */
    time_t when;            /* 0: now */
    X509_STORE *store;      /* what the application trusts; owned */
    tg_policy *policy;      /* a reference */
    struct tg_match under;  /* the rule that applies */
    struct tg_rule own;     /* stands for the application's own evaluation */
    char *connection;       /* a line about the connection for the answer; NULL: none; owned */
};

/*
 * Fills QUESTION, whose options and endpoint are set, with the program, the time and the
 * application's anchors of the options. False after a complaint.
 */
TG_MUST_USE bool tg_question_ask(struct tg_question *question);

/*
 * Finds the policy and the rule that applies. False after a complaint, which says what to give
 * where that depends on something unknown; *STATUS is then the exit code. HOST_PORT is how a
 * port is given.
 */
TG_MUST_USE bool tg_question_match(struct tg_question *question, const char *host_port,
                                   int *status);

/* The first half of it: the policy alone. */
TG_MUST_USE bool tg_question_load(struct tg_question *question, int *status);

/* The other half, without a complaint: false where it depends on something unknown, with which
 * tg_question_evaluate refuses. */
bool tg_question_apply(struct tg_question *question);

/* The verdict on PRESENTED, as inside a program. NULL: memory ran out, nothing is accepted. */
TG_MUST_USE struct tg_verdict *tg_question_evaluate(const struct tg_question *question,
                                                    const struct tg_presented *presented);

/* VERDICT as the JSON object of the log, without a newline; malloc'd, NULL: memory ran out. */
TG_MUST_USE char *tg_question_json(const struct tg_question *question,
                                   const struct tg_verdict *verdict);

/* Prints VERDICT, or complains where it is NULL, and returns the exit code. Frees VERDICT. */
int tg_question_answer(const struct tg_question *question, struct tg_verdict *verdict);

void tg_question_clear(struct tg_question *question);

#endif
