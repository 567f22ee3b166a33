/*
 * fuzz_image.c - any bytes as the blocks of an image, whose checksums are right: opened or not, and
 * asked, without an access that ASan minds. The first block is its header, of which only what says
 * whose image it is, and how large, is put right. As fuzz_policy.c is run.
 */
#include "compiled.h"
#include "match.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

static char folder[] = "/tmp/fuzz_image-XXXXXX", path[64], image[96];

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_image: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

static void leave(void)
{
    (void)unlink(image);
    (void)rmdir(folder);
}

static void prepare(void)
{
    if (path[0] != '\0')
        return;
    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/policy.conf", folder);
    snprintf(image, sizeof image, "%s" TG_IMAGE_SUFFIX, path);
    (void)atexit(leave);
}

/* What a program looks at first, so that the rest is looked at too; the last block has the path. */
static void mend(unsigned char *bytes, uint64_t blocks)
{
    struct tg_image_header header;
    unsigned char *last = bytes + (blocks - 1) * TG_IMAGE_BLOCK;
    uint64_t length = strlen(path) + 1;

    memcpy(&header, bytes, sizeof header);
    memset(header.magic, 0, sizeof header.magic);
    memcpy(header.magic, TG_IMAGE_MAGIC, sizeof TG_IMAGE_MAGIC);
    memset(header.version, 0, sizeof header.version);
    memcpy(header.version, TG_VERSION, sizeof TG_VERSION);
    header.order = TG_IMAGE_ORDER;
    header.pointer = sizeof(void *);
    header.format = TG_IMAGE_FORMAT;
    header.content = TG_IMAGE_POLICY;
    header.blocks = blocks;
    header.size = blocks * (TG_IMAGE_BLOCK + sizeof(uint64_t));
    header.begun = 4000000000;
    header.begun_ns = 0;
    header.homes &= UINT32_MAX;
    header.marks_size = 0;
    header.path = (blocks - 1) * TG_IMAGE_BLOCK;
    header.path_size = sizeof length + length;
    memcpy(last, &length, sizeof length);
    memcpy(last + sizeof length, path, length);
    memcpy(bytes, &header, sizeof header);
}

static void write_image(const uint8_t *data, size_t size)
{
    uint64_t blocks = (size + TG_IMAGE_BLOCK - 1) / TG_IMAGE_BLOCK + 1;
    unsigned char *bytes = calloc(blocks, TG_IMAGE_BLOCK);
    struct tg_image_header header;
    FILE *out = fopen(image, "wb");

    REQUIRE(bytes != NULL && out != NULL);
    memcpy(bytes, data, size);
    mend(bytes, blocks);
    memcpy(&header, bytes, sizeof header);
    REQUIRE(fwrite(bytes, TG_IMAGE_BLOCK, blocks, out) == blocks);
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t sum = tg_image_checksum(header.id, i, bytes + i * TG_IMAGE_BLOCK);

        REQUIRE(fwrite(&sum, sizeof sum, 1, out) == 1);
    }
    REQUIRE(fclose(out) == 0 && chmod(image, 0600) == 0);
    free(bytes);
}

static void ask(const tg_policy *policy)
{
    static const char *const hosts[] = {"one.test",   "x.one.test", "two.test", "192.0.2.9",
                                        "three.test", "four.test",  "",         ".test"};
    static const uint8_t leaf[TG_SHA256_SIZE];
    time_t until;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct tg_match match = tg_policy_match(policy, hosts[i], 443, "/usr/bin/curl");

        REQUIRE(match.rule == NULL || match.rule->problem == NULL ||
                (match.rule->action == TG_ACTION_REJECT && match.rule->mode == TG_MODE_ENFORCE));
        (void)tg_policy_forgiven(policy, hosts[i], 443, leaf, 1, &until);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_policy *policy;
    char *note;

    if (size < sizeof(struct tg_image_header) || size > MOST)
        return 0;
    prepare();
    write_image(data, size);
    policy = tg_compiled_open(path, &note);
    REQUIRE(policy != NULL || note != NULL);
    if (policy != NULL)
        ask(policy);
    tg_policy_free(policy);
    free(note);
    return 0;
}
