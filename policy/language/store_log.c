#include "store_log.h"
#include "include.h"
#include <string.h>

static void add_sink(struct tg_store *in, const struct tg_word *word)
{
    static const struct {
        const char *name;
        enum tg_log_sink sink;
    } sinks[] = {{"stderr", TG_LOG_STDERR}, {"syslog", TG_LOG_SYSLOG}, {"none", TG_LOG_NONE}};
    tg_policy *policy = in->object;

    for (size_t i = 0; i < sizeof(sinks) / sizeof(*sinks); i++)
        if (strcmp(sinks[i].name, word->text) == 0) {
            policy->log_sinks |= sinks[i].sink;
            return;
        }
    if (strncmp(word->text, "file:", 5) != 0) {
        tg_load_error(in->load, in->section, word, NULL,
                      "log: \"%s\" is not stderr, syslog, file:PATH or none", word->text);
    } else if (word->text[5] == '\0') {
        tg_load_error(in->load, in->section, word, NULL, "log: file: without a path");
    } else if (policy->log_sinks & TG_LOG_FILE) {
        tg_load_error(in->load, in->section, word, NULL, "log: one file is enough");
    } else {
        const char *path = tg_source_path(in->load, in->section, word->text + 5);

        policy->log_sinks |= TG_LOG_FILE;
        policy->log_file = path != NULL ? tg_load_keep_path(in->load, path) : NULL;
    }
}

void tg_store_log(struct tg_store *in)
{
    const tg_policy *policy = in->object;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        add_sink(in, word);
    if (policy->log_sinks & TG_LOG_NONE && policy->log_sinks != TG_LOG_NONE)
        tg_load_error(in->load, in->section, in->setting->name, NULL,
                      "log: none and something else");
}
