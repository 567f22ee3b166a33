#include "material.h"
#include "certfile.h"
#include "holding.h"
#include "include.h"
#include <string.h>

struct tg_loaded *tg_material_new_holding(struct tg_load *load)
{
    struct tg_loaded *loaded = tg_load_alloc(load, sizeof(*loaded));

    if (loaded == NULL)
        return NULL;
    loaded->holding = tg_holding_new();
    if (loaded->holding == NULL) {
        tg_load_lost(load);
        return NULL;
    }
    loaded->next = load->loaded;
    load->loaded = loaded;
    return loaded;
}

void tg_material_distrust(struct tg_load *load, EVP_PKEY *key)
{
    struct tg_signer *signer;

    if (key == NULL) /* of an algorithm in which nothing can be verified */
        return;
    signer = tg_load_keep(load, sizeof(*signer));
    if (signer == NULL || !EVP_PKEY_up_ref(key)) {
        tg_load_lost(load);
        return;
    }
    *signer = (struct tg_signer){load->policy->distrusted_signers, key};
    load->policy->distrusted_signers = signer;
}

/* What is distrusted, with the key that knows what it signed. */
static void read_key(struct tg_load *load, struct tg_material *file)
{
    const struct tg_watching watching = tg_load_watching(load);
    EVP_PKEY *key = NULL;

    file->wrong = tg_file_key(load->scratch, file->item.text, file->spki, &key, &watching);
    file->key = key;
    tg_material_distrust(load, key);
    EVP_PKEY_free(key);
}

static bool add(void *arg, X509 *certificate)
{
    return tg_holding_add(arg, certificate);
}

static bool add_file(void *arg, const struct tg_file *file, size_t blocks)
{
    return tg_holding_add_file(arg, file, blocks);
}

/* Those of a file, or of all files in a directory, each once. */
static const char *read_certificates(struct tg_load *load, const char *path,
                                     struct tg_holding *holding)
{
    const struct tg_watching watching = tg_load_watching(load);
    struct tg_certfile_to to = {add, add_file, holding};
    const char *wrong = tg_file_certificates(load->scratch, path, &to, &watching);

    return wrong == NULL && !tg_holding_unique(holding) ? tg_no_memory : wrong;
}

static void read_material(struct tg_load *load, struct tg_material *file)
{
    const struct tg_watching watching = tg_load_watching(load);
    const char *path = file->item.text;

    if (file->item.tag == TG_TAG_KEY) {
        read_key(load, file);
        return;
    }
    if (file->item.tag == TG_TAG_SPKI) {
        file->wrong = tg_file_spki(load->scratch, path, file->spki, &watching);
        return;
    }
    file->certificates = tg_material_new_holding(load);
    file->wrong = file->certificates != NULL
                      ? read_certificates(load, path, file->certificates->holding)
                      : tg_no_memory;
}

struct tg_material *tg_material_find(struct tg_load *load, enum tg_load_tag tag, const char *path)
{
    struct tg_load *home = tg_load_home(load);

    return (struct tg_material *)tg_table_get(&home->table, tag, path, strlen(path));
}

struct tg_material *tg_material_new(struct tg_load *load, enum tg_load_tag tag, const char *path)
{
    struct tg_material *file = tg_load_alloc(load, sizeof(*file));
    const char *kept = file != NULL ? tg_arena_strndup(load->scratch, path, strlen(path)) : NULL;

    if (kept == NULL) {
        tg_load_lost(load);
        return NULL;
    }
    file->item = (struct tg_item){tag, kept, strlen(kept)};
    if (!tg_table_put(load->scratch, &load->table, &file->item)) {
        tg_load_lost(load);
        return NULL;
    }
    file->next = load->materials;
    load->materials = file;
    return file;
}

static const struct tg_material *get(struct tg_load *load, enum tg_load_tag tag, const char *path)
{
    struct tg_load *home = tg_load_home(load);
    struct tg_material *file = NULL;

    if (home->compiled != NULL) {
        const struct tg_material *held = home->stored(home->compiled, tag, path);

        if (held != NULL && tag == TG_TAG_KEY)
            tg_material_distrust(load, held->key);
        if (held == NULL)
            tg_load_lost(load);
        return held;
    }
    file = tg_material_find(load, tag, path);
    if (file == NULL) {
        file = tg_material_new(home, tag, path);
        if (file != NULL)
            read_material(home, file);
    }
    return file;
}

const struct tg_material *tg_material_get(struct tg_store *in, const struct tg_word *word,
                                          enum tg_load_tag tag)
{
    struct tg_load *load = in->load;
    const char *path = tg_source_path(load, in->section, word->text);
    const struct tg_material *file = path != NULL ? get(load, tag, path) : NULL;

    if (file == NULL || file->wrong == NULL)
        return file;
    tg_load_error(load, in->section, word, NULL, "%s: %s: %s", in->setting->key->name, path,
                  file->wrong);
    return NULL;
}
