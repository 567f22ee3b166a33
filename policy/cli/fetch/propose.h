/* propose.h - a rule for a server as it is now, with a comment that says what each line is for. */
#ifndef TG_PROPOSE_H
#define TG_PROPOSE_H

#include "download.h"
#include "issuers.h"
#include "question.h"
#include "save.h"
#include "text.h"
#include "trustgraft.h"

/* Certificates that the rule names. Zero-initialise; tg_proposal_clear it. */
struct tg_proposal {
    const char *folder; /* absolute, where they go */
    struct tg_proposal_file {
        char path[PATH_MAX];
        struct tg_buf text;
    } files[TG_ISSUERS_MOST + 1];
    size_t file_count;
    struct tg_buf text; /* of the policy: a [host] section, perhaps an [exception] */
};

/*
 * Fills OUT for the server at QUESTION's endpoint, which sent PRESENTED; WRITTEN is how [host]
 * names it. The question has the application's anchors, and is left with those of the proposal.
 * False after a complaint: something is wrong with the server that no rule should accept.
 */
TG_MUST_USE bool tg_propose(struct tg_proposal *out, struct tg_question *question,
                            struct tg_presented *presented, const char *written,
                            const struct tg_download *how);

void tg_proposal_clear(struct tg_proposal *proposal);

#endif
