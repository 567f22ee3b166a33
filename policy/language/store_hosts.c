#include "store_hosts.h"
#include "pattern.h"

static bool read_host(struct tg_store *in, const struct tg_word *word, char out[TG_HOST_SIZE],
                      unsigned *port)
{
    struct tg_word at = *word;
    size_t column = 0;
    const char *wrong = tg_host_read(in->load->scratch, word->text, out, port, &column);

    at.where.column += (unsigned)column;
    return tg_store_check(in, &at, wrong);
}

void tg_store_hostnames(struct tg_store *in)
{
    struct tg_words *names = in->field;
    char name[TG_HOST_SIZE];
    unsigned port;

    *names = tg_store_new_words(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        if (!read_host(in, word, name, &port))
            continue;
        if (port > 0)
            tg_load_error(in->load, in->section, word, NULL,
                          "%s: \"%s\" has a port, which no certificate names",
                          in->setting->key->name, word->text);
        tg_store_add_word(in, names, name);
    }
}

void tg_store_host(struct tg_store *in)
{
    struct tg_exception *exception = in->object;
    char name[TG_HOST_SIZE];

    if (read_host(in, in->setting->values, name, &exception->port))
        exception->host = tg_load_keep_text(in->load, name);
}
