#include "nss_judge.h"
#include "leaves.h"
#include "nss_line.h"
#include "nss_query.h"
#include "reason.h"

enum tg_foreign_demand tg_nss_demand(struct tg_nss_socket *state)
{
    const struct tg_nss_line line = tg_nss_line_of(state);
    bool taken = tg_turn_take(&state->turn);
    enum tg_foreign_demand demand = tg_foreign_demand(&line.line);

    tg_turn_give(&state->turn, taken);
    return demand;
}

/* For what the program does with the certificate apart from its connection. */
static bool let_in(struct tg_foreign_server *server)
{
    const struct tg_nss_query *question = (const struct tg_nss_query *)server;

    if (!question->digested)
        return false;
    if (server->query.host != NULL)
        tg_leaves_accept(question->digest, server->query.host);
    return true;
}

static const struct tg_foreign_operations operations = {
    .fill = tg_nss_query_open, .revoked = tg_nss_query_revoked, .let_in = let_in};

static enum tg_foreign_outcome judge(struct tg_nss_socket *state, bool asked)
{
    const struct tg_nss_line line = tg_nss_line_of(state);
    struct tg_nss_query question = {.state = state, .asked = asked};
    bool taken = tg_turn_take(&state->turn);
    enum tg_foreign_outcome outcome = tg_foreign_judge(&line.line, &question.server, &operations);

    tg_turn_give(&state->turn, taken);
    if (outcome == TG_FOREIGN_LEFT && question.digested)
        tg_leaves_leave(question.digest);
    return question.undigested ? TG_FOREIGN_REFUSED : outcome;
}

/* Until there is a verdict no other one speaks for the server. */
void tg_nss_judge(struct tg_nss_socket *state, bool asked)
{
    const struct tg_nss *library = state->library;
    PRErrorCode error = library->PR_GetError();
    int os_error = library->PR_GetOSError();

    if (state->outcome != TG_FOREIGN_REFUSED) {
        state->outcome = TG_FOREIGN_LEFT;
        state->reason = NULL;
        tg_reason_forget();
        state->outcome = judge(state, asked);
        if (state->outcome == TG_FOREIGN_REFUSED)
            state->reason = tg_reason_now();
    }
    state->judged = true;
    library->PR_SetError(error, os_error);
}
