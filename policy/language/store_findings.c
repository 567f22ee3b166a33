#include "store_findings.h"
#include "finding.h"
#include "hint.h"

static void complain_finding(struct tg_store *in, const struct tg_word *word)
{
    struct tg_hint hint = {.wanted = word->text};

    for (int kind = 0; kind < TG_FINDING_KINDS; kind++)
        if (tg_finding_forgivable(kind))
            tg_hint_offer(&hint, tg_finding_info(kind)->name);
    tg_load_error(in->load, in->section, word, tg_hint_text(in->load->scratch, &hint),
                  "findings: \"%s\" is no finding", word->text);
}

void tg_store_findings(struct tg_store *in)
{
    struct tg_exception *exception = in->object;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        enum tg_finding_kind kind = tg_finding_by_name(word->text);

        if (kind == TG_FINDING_KINDS)
            complain_finding(in, word);
        else if (!tg_finding_forgivable(kind))
            tg_load_error(in->load, in->section, word, NULL,
                          "findings: %s can't be forgiven: its result is %s", word->text,
                          tg_result_name(tg_finding_info(kind)->result));
        else
            exception->findings |= (uint64_t)1 << kind;
    }
}
