/* material.c - the certificates and keys that a policy names; each file is read once. */
#include "certfile.h"
#include "hash.h"
#include "include.h"
#include "pin.h"
#include "store.h"
#include "text.h"
#include "twin.h"
#include "parents.h"
#include <fcntl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

/* What became of a file that was read for its certificates or, under another tag, its key. */
struct read_file {
    struct tg_item item;
    const char *wrong;
    struct tg_stack *stack;
    uint8_t spki[TG_SHA256_SIZE];
};

static struct tg_stack *new_stack(struct tg_load *load)
{
    struct tg_stack *stack = tg_load_alloc(load, sizeof(*stack));

    if (stack == NULL)
        return NULL;
    stack->certs = sk_X509_new_null();
    if (stack->certs == NULL) {
        tg_load_lost(load);
        return NULL;
    }
    stack->next = load->stacks;
    load->stacks = stack;
    return stack;
}

static void read_material(struct tg_load *load, struct read_file *file)
{
    const struct tg_watching watching = tg_load_watching(load);
    const char *path = file->item.text;

    if (file->item.tag == TG_TAG_SPKI || file->item.tag == TG_TAG_KEY) {
        file->wrong = (file->item.tag == TG_TAG_SPKI ? tg_file_spki : tg_file_key)(
            load->scratch, path, file->spki, &watching);
        return;
    }
    file->stack = new_stack(load);
    file->wrong = file->stack != NULL
                      ? tg_file_certificates(load->scratch, path, file->stack->certs, &watching)
                      : tg_no_memory;
}

/* The file that WORD names, read for what TAG says; NULL after a complaint. */
static struct read_file *get_file(struct tg_store *in, const struct tg_word *word,
                                  enum tg_load_tag tag)
{
    struct tg_load *load = in->load;
    const char *path = tg_source_path(load, in->section, word->text);
    struct read_file *file;

    if (path == NULL)
        return NULL;
    file = (struct read_file *)tg_table_get(&load->table, tag, path, strlen(path));
    if (file == NULL) {
        file = tg_load_alloc(load, sizeof(*file));
        if (file == NULL)
            return NULL;
        file->item = (struct tg_item){tag, path, strlen(path)};
        read_material(load, file);
        if (!tg_table_put(load->scratch, &load->table, &file->item))
            tg_load_lost(load);
    }
    if (file->wrong == NULL)
        return file;
    tg_load_error(load, in->section, word, NULL, "%s: %s: %s", in->setting->key->name, path,
                  file->wrong);
    return NULL;
}

static bool add_all(STACK_OF(X509) *to, const STACK_OF(X509) *from)
{
    for (int i = 0; i < sk_X509_num(from); i++) {
        X509 *certificate = sk_X509_value(from, i);

        if (!X509_up_ref(certificate))
            return false;
        if (sk_X509_push(to, certificate) <= 0) {
            X509_free(certificate);
            return false;
        }
    }
    return true;
}

static bool is_system(const struct tg_store *in, const struct tg_word *word)
{
    return in->setting->key->type == TG_TYPE_ANCHORS && strcmp(word->text, "system") == 0;
}

/* One file's certificates are shared by all that name it alone; those of several are copied. */
static void join(struct tg_load *load, struct tg_stack **joined, bool *copied,
                 struct tg_stack *more)
{
    struct tg_stack *first = *joined;

    if (first == NULL) {
        *joined = more;
        return;
    }
    if (!*copied) {
        *joined = new_stack(load);
        *copied = true;
        if (*joined != NULL && !add_all((*joined)->certs, first->certs))
            tg_load_lost(load);
    }
    if (*joined != NULL && !add_all((*joined)->certs, more->certs))
        tg_load_lost(load);
}

/* NULL where the setting names no file, or after a complaint. */
static STACK_OF(X509) *read_stack(struct tg_store *in)
{
    struct tg_stack *stack = NULL;
    bool copied = false;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next) {
        struct read_file *file =
            is_system(in, word) ? NULL : get_file(in, word, TG_TAG_CERTIFICATES);

        if (file != NULL)
            join(in->load, &stack, &copied, file->stack);
    }
    if (stack == NULL)
        return NULL;
    stack->kept = true;
    return stack->certs;
}

void tg_store_certificates(struct tg_store *in)
{
    *(STACK_OF(X509) **)in->field = read_stack(in);
}

void tg_store_anchors(struct tg_store *in)
{
    struct tg_rule *rule = in->object;

    rule->anchors = read_stack(in);
    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        rule->anchors_system = rule->anchors_system || is_system(in, word);
}

void tg_store_digests(struct tg_load *load, struct tg_buf *digests, struct tg_digests *out)
{
    uint8_t(*kept)[TG_SHA256_SIZE] = NULL;

    if (digests->failed)
        tg_load_lost(load);
    else if (digests->length > 0)
        kept = tg_load_keep(load, digests->length);
    if (kept != NULL) {
        memcpy(kept, digests->text, digests->length);
        *out = (struct tg_digests){kept, digests->length / TG_SHA256_SIZE};
    }
    tg_buf_free(digests);
}

static void add_digest(struct tg_buf *digests, const uint8_t digest[TG_SHA256_SIZE])
{
    tg_buf_addn(digests, (const char *)digest, TG_SHA256_SIZE);
}

static bool is_prefixed(const struct tg_word *word, const char *prefix)
{
    return strncmp(word->text, prefix, strlen(prefix)) == 0;
}

/* A digest written out, by READ; true if it was one. */
static bool add_literal(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests,
                        const char *(*read)(struct tg_arena *, const char *, uint8_t *))
{
    uint8_t digest[TG_SHA256_SIZE];
    const char *wrong = read(in->load->scratch, word->text, digest);

    if (wrong != NULL)
        tg_load_error(in->load, in->section, word, NULL, "%s: %s", in->setting->key->name, wrong);
    else
        add_digest(digests, digest);
    return wrong == NULL;
}

/* A self-issued CA may be a device that made its certificate itself; another CA is no server. */
static bool is_issuing_ca(X509 *certificate)
{
    return X509_check_ca(certificate) == 1 && !(X509_get_extension_flags(certificate) & EXFLAG_SI);
}

/* What a rule trusts are those bytes; what is distrusted, whatever has the same meaning. */
static void add_file(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests)
{
    struct read_file *file = get_file(in, word, TG_TAG_CERTIFICATES);
    const STACK_OF(X509) *certs = file != NULL ? file->stack->certs : NULL;
    uint8_t digest[TG_SHA256_SIZE];

    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *certificate = sk_X509_value(certs, i);

        if (in->field != NULL ? tg_hash_certificate(certificate, digest)
                              : tg_twin_signed(certificate, digest))
            add_digest(digests, digest);
        else
            tg_load_lost(in->load);
        if (in->setting->key->id == TG_KEY_TRUST_CERTIFICATE && is_issuing_ca(certificate))
            tg_load_warn(in->load, in->section, word,
                         "trust-certificate: %s holds the certificate of a CA, which no server "
                         "presents as its own",
                         word->text);
    }
}

static void add_leaf(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests)
{
    if (is_prefixed(word, "sha256/"))
        tg_load_error(in->load, in->section, word, NULL,
                      "%s: \"%s\" is the pin of a key; a certificate is named by its file or as "
                      "sha256:HEX",
                      in->setting->key->name, word->text);
    else if (is_prefixed(word, "sha256:"))
        add_literal(in, word, digests, tg_fingerprint_read);
    else
        add_file(in, word, digests);
}

static void add_pin(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests)
{
    struct read_file *file;

    if (is_prefixed(word, "sha256:")) {
        tg_load_error(in->load, in->section, word, NULL,
                      "%s: \"%s\" is the fingerprint of a certificate; a key is named by a PEM "
                      "file or as sha256/BASE64",
                      in->setting->key->name, word->text);
    } else if (is_prefixed(word, "sha256/")) {
        add_literal(in, word, digests, tg_pin_read);
    } else {
        file = get_file(in, word, in->field != NULL ? TG_TAG_SPKI : TG_TAG_KEY);
        if (file != NULL)
            add_digest(digests, file->spki);
    }
}

typedef void add_value(struct tg_store *in, const struct tg_word *word, struct tg_buf *digests);

/* A rule's own go to its field; what is distrusted adds up over all sections. */
static void store_digests(struct tg_store *in, add_value *add, struct tg_buf *distrusted)
{
    struct tg_buf own = {0};
    struct tg_buf *digests = in->field != NULL ? &own : distrusted;

    for (const struct tg_word *word = in->setting->values; word != NULL; word = word->next)
        add(in, word, digests);
    if (in->field != NULL)
        tg_store_digests(in->load, &own, in->field);
}

void tg_store_leaves(struct tg_store *in)
{
    store_digests(in, add_leaf, &in->load->distrusted_certificates);
}

void tg_store_pins(struct tg_store *in)
{
    store_digests(in, add_pin, &in->load->distrusted_keys);
}

/* Only whether it may be read is checked now: its lines are when a connection needs them. */
static const char *try_known(struct tg_load *load, const char *path)
{
    const struct tg_watching watching = tg_load_watching(load);
    struct stat status;
    int fd = -1;
    const char *wrong = tg_parents_check(load->scratch, path, &watching);

    if (wrong == NULL)
        wrong = tg_file_open(load->scratch, AT_FDCWD, path, S_IFREG, &fd, &status);
    if (fd >= 0)
        close(fd);
    return wrong;
}

/* PATH, the policy's, is absolute: it is opened later, when the working directory may be another.
 */
static struct tg_known_file *get_known(struct tg_load *load, const char *path)
{
    struct tg_known_file *file = load->policy->known_files;

    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    if (file != NULL)
        return file;
    file = tg_load_keep(load, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->path = path;
    file->next = load->policy->known_files;
    load->policy->known_files = file;
    return file;
}

void tg_store_known(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;
    const char *path = tg_source_path(in->load, in->section, word->text);
    const struct tg_watching watching = tg_load_watching(in->load);
    const char *kept = path != NULL ? tg_load_keep_path(in->load, path) : NULL, *wrong;

    if (kept == NULL)
        return;
    wrong = tg_watch_add(&watching, kept) ? try_known(in->load, kept) : tg_no_memory;
    if (wrong != NULL)
        tg_load_error(in->load, in->section, word, NULL, "%s: %s: %s", in->setting->key->name, path,
                      wrong);
    else
        *(struct tg_known_file **)in->field = get_known(in->load, kept);
}

void tg_store_fingerprint(struct tg_store *in)
{
    struct tg_buf digest = {0};

    if (add_literal(in, in->setting->values, &digest, tg_fingerprint_read) && !digest.failed)
        memcpy(in->field, digest.text, TG_SHA256_SIZE);
    if (digest.failed)
        tg_load_lost(in->load);
    tg_buf_free(&digest);
}
