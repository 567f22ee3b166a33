#include "blocks.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static size_t count_begins(const struct tg_file *file)
{
    static const char begin[] = "-----BEGIN ";
    const char *at = file->data, *end = file->data + file->size;
    size_t count = 0;

    while ((at = memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1)) != NULL) {
        at += sizeof(begin) - 1;
        count++;
    }
    return count;
}

static const char *take_pem(struct tg_arena *arena, BIO *bio, size_t number, tg_block_take *take,
                            void *arg, bool *end)
{
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    struct tg_block block = {.number = number};
    const char *wrong;

    /* What it leaves when it fails dangles in OpenSSL before 3.0.8 (CVE-2022-4450). */
    if (!PEM_read_bio(bio, &name, &header, &der, &block.length)) {
        *end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        return *end ? NULL
                    : tg_arena_sentence(arena, "PEM block %zu is malformed or cut off", number);
    }
    block.name = name;
    block.der = der;
    wrong = *header ? "holds an encrypted PEM block" : take(arena, block, arg);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return wrong;
}

/* PEM_read_bio passes over what doesn't begin as it should; nothing may go by unseen. */
static const char *each_pem(struct tg_arena *arena, const struct tg_file *file, size_t begins,
                            tg_block_take *take, void *arg)
{
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->size);
    const char *wrong = bio != NULL ? NULL : tg_no_memory;
    size_t blocks = 0;
    bool end = false;

    while (wrong == NULL) {
        wrong = take_pem(arena, bio, blocks + 1, take, arg, &end);
        if (end)
            break;
        blocks++;
    }
    BIO_free(bio);
    if (wrong == NULL && blocks != begins)
        wrong =
            tg_arena_sentence(arena, "begins %zu PEM blocks but %zu can be read", begins, blocks);
    return wrong;
}

const char *tg_blocks_each(struct tg_arena *arena, const struct tg_file *file,
                           const struct tg_block_kind *kind, void *arg)
{
    size_t begins = count_begins(file);
    struct tg_block whole = {kind->der, (const unsigned char *)file->data, (long)file->size, 1};

    if (file->size == 0)
        return "is empty";
    if (begins == 0 && file->data[0] == 0x30) /* SEQUENCE: DER */
        return kind->take(arena, whole, arg);
    if (begins == 0)
        return kind->none;
    if (memchr(file->data, '\0', file->size) != NULL)
        return "holds a NUL byte among its PEM";
    if (kind->take_all != NULL && kind->take_all(file, begins, arg))
        return NULL;
    return each_pem(arena, file, begins, kind->take, arg);
}
