/*
 * fuzz_compiled.c - any bytes as a policy file, and its image: there is none of what is no policy,
 * and it answers as the text does. As fuzz_policy.c is run, on files that don't change meanwhile.
 */
#include "../unit/alike.h"
#include "compiled.h"
#include "compiling.h"
#include "load.h"
#include "match.h"
#include "settle.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz_compiled-XXXXXX", path[64];

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_compiled: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

/* ---- in the place of settle.c, which waits --------------------------------------------------- */

void tg_settle_wait(const char *file)
{
    (void)file;
}

enum tg_settle tg_settle(const struct tg_imagefile *out, const struct tg_watch *watch)
{
    ((struct tg_imagefile *)out)->header.begun += 3600;
    return tg_watch_changed(watch) ? TG_SETTLE_AGAIN : TG_SETTLED;
}

mode_t tg_settle_mode(const struct tg_watch *watch, gid_t *group)
{
    (void)watch;
    *group = getegid();
    return 0600;
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char *const names[] = {"policy.conf", "policy.conf.compiled", "more.conf",
                                    "known",       "known.compiled",       ""};

static void write_file(const char *name, const void *bytes, size_t size)
{
    char file[96];
    FILE *out = NULL;

    snprintf(file, sizeof file, "%s/%s", folder, name);
    out = fopen(file, "w");
    REQUIRE(out != NULL && fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
}

static void leave(void)
{
    char file[96];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        (void)remove(file);
    }
}

static void prepare(void)
{
    static const char more[] = "[host *.included.example]\naction = reject\n",
                      known[] = "a.test sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

    if (path[0] != '\0')
        return;
    umask(077);
    REQUIRE(mkdtemp(folder) != NULL);
    atexit(leave);
    snprintf(path, sizeof path, "%s/policy.conf", folder);
    write_file("more.conf", more, strlen(more));
    write_file("known", known, strlen(known));
}

/* ---- the same questions ---------------------------------------------------------------------- */

static void compare(const tg_policy *text, const tg_policy *image, const char *host)
{
    static const char *const programs[] = {NULL, "/usr/bin/curl"};
    static const unsigned ports[] = {0, 443};
    static const uint8_t leaf[TG_SHA256_SIZE] = {0x00, 0x11, 0x22};
    time_t until = 0, other = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned port = ports[i % 2];
        struct tg_match a = tg_policy_match(text, host, port, programs[i / 2]);
        struct tg_match b = tg_policy_match(image, host, port, programs[i / 2]);

        REQUIRE(a.kind == b.kind && same_text(a.pattern, b.pattern) &&
                same_text(a.lacking, b.lacking) && same_rule(a.rule, b.rule));
    }
    REQUIRE(tg_policy_forgiven(text, host != NULL ? host : "", 443, leaf, 1, &until) ==
                tg_policy_forgiven(image, host != NULL ? host : "", 443, leaf, 1, &other) &&
            until == other);
}

/* The host that WORD means, one below it, and what of a name is known of a wildcard's. */
static void compare_word(const tg_policy *text, const tg_policy *image, const char *word)
{
    char host[512];
    const char *dot = NULL;

    snprintf(host, sizeof host, "%s", word + (word[0] == '[' ? 1 : 0));
    host[strcspn(host, "/]")] = '\0';
    if (strchr(host, ':') == strrchr(host, ':'))
        host[strcspn(host, ":")] = '\0';
    if (host[0] == '*')
        host[0] = 'a';
    compare(text, image, host);
    dot = strchr(host, '.');
    if (dot != NULL) {
        compare(text, image, dot);
        compare(text, image, dot + 1);
    }
}

static void compare_all(const tg_policy *text, const tg_policy *image)
{
    REQUIRE(text->mode == image->mode && text->unmatched == image->unmatched &&
            text->unknown_host_app == image->unknown_host_app && text->staples == image->staples &&
            text->locked == image->locked && text->rule_count == image->rule_count &&
            text->exception_count == image->exception_count &&
            same_digests(&text->distrusted_certificates, &image->distrusted_certificates) &&
            same_digests(&text->distrusted_keys, &image->distrusted_keys) &&
            same_rule(&text->unmatched_rule, &image->unmatched_rule));
    for (size_t i = 0; i < text->rule_count && i < 64; i++)
        for (size_t j = 0; j < text->rules[i]->patterns.count && j < 16; j++)
            compare_word(text, image, text->rules[i]->patterns.word[j]);
    for (size_t i = 0; i < text->exception_count && i < 64; i++)
        compare(text, image, text->exceptions[i].host);
    compare(text, image, NULL);
    compare(text, image, "nowhere.invalid");
    compare(text, image, "192.0.2.7");
    compare(text, image, "2001:db8::7");
}

static void see_known(void *arg, const char *file)
{
    (void)arg, (void)file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_diags diags = {0}, others = {0};
    struct tg_written written;
    struct tg_buf why = {0};
    tg_policy *text = NULL, *image = NULL;
    char *note = NULL;
    bool compiled;

    prepare();
    write_file("policy.conf", data, size);
    text = tg_policy_parse(path, &diags);
    compiled = tg_compiling_policy(path, &written, &others, &why, see_known, NULL);
    REQUIRE(text != NULL || !compiled);
    if (compiled) {
        image = tg_compiled_open(path, &note);
        REQUIRE(image != NULL && note == NULL);
        compare_all(text, image);
    }
    tg_policy_free(text);
    tg_policy_free(image);
    tg_buf_free(&why);
    tg_diags_clear(&diags);
    tg_diags_clear(&others);
    free(note);
    return 0;
}
