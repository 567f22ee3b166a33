/*
 * Every allocation of a load fails once, ours and libcrypto's: the policy is then refused, or
 * it is whole. A part of one would leave servers unchecked.
 */
#include "allocator.h"
#include "diag.h"
#include "folder.h"
#include "holding.h"
#include "knownhosts.h"
#include "lint.h"
#include "load.h"
#include "match.h"
#include "pki.h"
#include "policy.h"
#include "text.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static long countdown; /* the allocation that fails; 0: none */
static long live;      /* blocks that were allocated and not freed */

#if OWN_ALLOCATOR
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *block);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *block);

static bool fails(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    errno = ENOMEM;
    return true;
}

static void *count(void *block)
{
    live += block != NULL;
    return block;
}

void *malloc(size_t size)
{
    return fails() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : count(__libc_calloc(number, size));
}

void *realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    return old ? __libc_realloc(old, size) : count(__libc_realloc(old, size));
}

void free(void *block)
{
    live -= block != NULL;
    __libc_free(block);
}
#endif

static const char text[] =
    "[policy]\n"
    "include = drop-in/*.conf\n"
    "log = file:/var/log/tg.log\n"
    "[profile base]\n"
    "anchors = root.pem, certs, system\n"
    "ca-pin = root.pem, sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    "[profile more]\n"
    "profile = base\n"
    "program = /bin/sh, \"curl\"\n"
    "[host *.a.example [2001:db8::/32]:443 10.0.0.0/8]\n"
    "profile = more\n"
    "hostname = b.example, 192.0.2.1\n"
    "[host c.example]\n"
    "trust-certificate = root.pem\n"
    "intermediates = root.pem\n"
    "pin = root.pem, sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    "known-hosts = known\n"
    "[distrust]\n"
    "certificate = api.pem\n"
    "spki = api.pem\n"
    "[exception e]\n"
    "host = c.example\n"
    "certificate = sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    "findings = name-mismatch\n"
    "note = some words\n";

enum { KNOWN = 40 }; /* lines of the known-hosts file, which fill more than one chunk of an arena */

static char work[] = "/tmp/tg-load-memory.XXXXXX";

static void add_rule(struct tg_buf *out, const struct tg_rule *rule)
{
    tg_buf_printf(out, "%llx %zu %zu %zu %zu %zu %zu %zu %zu %zu %zu %d %d\n",
                  (unsigned long long)rule->set, rule->patterns.count, rule->programs.count,
                  rule->realpaths.count, rule->hostnames.count, rule->trusted_leaves.count,
                  rule->leaf_pins.count, rule->ca_pins.count, rule->path_pins.count,
                  tg_holding_count(rule->anchors), tg_holding_count(rule->intermediates),
                  rule->anchors_system, rule->anchors_only);
}

/* Everything that could be missing. */
static char *dump(const tg_policy *policy)
{
    static const char *const hosts[] = {"x.a.example", "2001:db8::1",  "10.1.2.3",
                                        "c.example",   "drop.example", "nothing.example"};
    struct tg_buf out = {0};
    time_t until = 0;
    size_t i;

    for (i = 0; i < KNOWN; i++) {
        char host[32];

        snprintf(host, sizeof host, "host%zu.example", i);
        tg_buf_printf(&out, "%d", tg_known_find(policy->known_files->known, host, 0) != NULL);
    }
    tg_buf_printf(&out, "%s %s %zu %zu\n", policy->file, policy->log_file,
                  policy->distrusted_certificates.count, policy->distrusted_keys.count);
    for (i = 0; i < policy->rule_count; i++)
        add_rule(&out, policy->rules[i]);
    for (i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct tg_match match = tg_policy_match(policy, hosts[i], 443, "/usr/bin/curl");

        tg_buf_printf(&out, "%u\n", match.rule ? match.rule->where.line : 0);
    }
    for (i = 0; i < policy->exception_count; i++)
        tg_buf_printf(&out, "%llx\n",
                      (unsigned long long)tg_policy_forgiven(policy, policy->exceptions[i].host, 1,
                                                             policy->exceptions[i].leaf, 1,
                                                             &until));
    return tg_buf_take(&out);
}

/* Loads with the allocation number NUMBER failing. *SPENT: there were as many. */
static tg_policy *load(long number, struct tg_diags *diags, bool *spent)
{
    tg_policy *policy;

    countdown = number;
    policy = tg_policy_parse("policy.conf", diags);
    if (policy && !tg_known_files_read(policy, diags)) {
        tg_policy_free(policy);
        policy = NULL;
    }
    if (policy)
        tg_policy_lint(policy, 1800000000, diags);
    *spent = number > 0 && countdown == 0;
    countdown = 0;
    assert_int_equal(ERR_peek_error(), 0);
    return policy;
}

static void put(const char *path, const char *content)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_true(fputs(content, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void put_known(void)
{
    struct tg_buf lines = {0};

    for (int i = 0; i < KNOWN; i++)
        tg_buf_printf(&lines,
                      "host%d.example sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", i);
    assert_false(lines.failed);
    put("known", lines.text);
    tg_buf_free(&lines);
}

static void a_load_without_memory_is_refused_or_whole(void **state)
{
    struct tg_diags diags = {0};
    bool spent = true;
    tg_policy *policy;
    char *whole, *found;
    long number = 0, refused = 0;
    long before;

    (void)state;
    if (!OWN_ALLOCATOR || is_emulated())
        skip();
    policy = load(0, &diags, &spent);
    assert_non_null(policy);
    whole = dump(policy);
    assert_non_null(whole);
    tg_policy_free(policy);
    tg_diags_clear(&diags);
    OPENSSL_thread_stop(); /* what the error queue keeps */
    before = live;
    do {
        policy = load(++number, &diags, &spent);
        refused += policy == NULL;
        if (policy) {
            found = dump(policy);
            assert_string_equal(found, whole);
            free(found);
        } else if (!tg_diags_failed(&diags)) {
            fail_msg("refused without a word when allocation %ld failed", number);
        }
        tg_policy_free(policy);
        tg_diags_clear(&diags);
    } while (spent);
    assert_true(refused > 100);
    OPENSSL_thread_stop();
    assert_in_range(live, before, before + 8); /* libcrypto makes a few for itself, once */
    free(whole);
}

/* One error each: its words may be lost, but not that there is one. */
static void a_bad_policy_is_refused_without_memory_too(void **state)
{
    static const char *const bad[] = {
        "[host a.example]\nstrict = perhaps\n",
        "[host a.example]\nprofil = x\n",
        "[host a.example]\nprofile = x\n",
        "[host a.example]\nstrict = yes\nstrict = no\n",
        "[host a.example]\nanchors = policy.conf\n",
        "[host a.example]\nleaf-pin = policy.conf\n",
        "[host a.example a.example]\n",
        "[host a.example]\n[host a.example]\n",
        "[hots a.example]\n",
        "[host a.example\n",
        "[host a.example]\nprogram = \"curl\n",
        "[host a.example]\nanchors-only = yes\n",
        "[policy]\ninclude = missing.conf\n",
        "[policy]\ninclude = policy.conf\n",
        "[policy]\nlog = nowhere\n",
        "[exception a]\nhost = a.example\n",
        "[host a.example]\nknown-hosts = policy.conf\n",
    };
    struct tg_diags diags = {0};
    size_t i;

    (void)state;
    if (!OWN_ALLOCATOR)
        skip();
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool spent = true;
        long number = 0;

        put("policy.conf", bad[i]);
        while (spent) {
            tg_policy *policy = load(++number, &diags, &spent);

            if (policy)
                fail_msg("%s is accepted when allocation %ld fails", bad[i], number);
            assert_true(tg_diags_failed(&diags));
            tg_diags_clear(&diags);
        }
        assert_true(number > 10);
    }
}

static int set_up(void **state)
{
    static const char *const names[] = {"root.pem", "api.pem"};
    char target[4096], *absolute;
    size_t i;

    (void)state;
    absolute = realpath(pki_path("."), NULL);
    umask(022);
    if (!absolute || !mkdtemp(work) || chdir(work) != 0 || mkdir("drop-in", 0755) != 0 ||
        mkdir("certs", 0755) != 0)
        return -1;
    for (i = 0; i < 2; i++) {
        snprintf(target, sizeof target, "%s/%s", absolute, names[i]);
        if (symlink(target, names[i]) != 0)
            return -1;
    }
    snprintf(target, sizeof target, "%s/other-root.pem", absolute);
    free(absolute);
    put("policy.conf", text);
    put_known();
    put("drop-in/1.conf", "[host drop.example]\n");
    return symlink(target, "certs/other.pem");
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_without_memory_is_refused_or_whole),
        cmocka_unit_test(a_bad_policy_is_refused_without_memory_too),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
