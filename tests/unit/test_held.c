/*
 * Files of a policy's certificates: the same answers and the same verdicts, whether they are
 * decoded whole or on demand; and none without the memory to decode one.
 */
#include "countdown.h"

#include "certfile.h"
#include "folder.h"
#include "hold.h"
#include "world.h"
#include <string.h>

/* ---- files ----------------------------------------------------------------------------------- */

static char work[] = "/tmp/tg-holding.XXXXXX";

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool add(void *arg, X509 *certificate)
{
    return tg_holding_add(arg, certificate);
}

static bool add_file(void *arg, const struct tg_file *file, size_t blocks)
{
    return tg_holding_add_file(arg, file, blocks);
}

/* What PATH holds, as little decoded as can be; *WRONG is what is wrong with it. */
static struct tg_holding *index_file(struct tg_arena *arena, const char *path, const char **wrong)
{
    struct tg_holding *holding = tg_holding_new();
    struct tg_certfile_to to = {add, add_file, holding};

    assert_non_null(holding);
    *wrong = tg_file_certificates(arena, path, &to, NULL);
    assert_true(tg_holding_unique(holding));
    return holding;
}

static bool add_whole(void *stack, X509 *certificate)
{
    return X509_add_cert(stack, certificate, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1;
}

static bool leave(void *arg, const struct tg_file *file, size_t blocks)
{
    (void)arg;
    return file->size == 0 && blocks == 0;
}

/* The same of what libcrypto decodes and compares. */
static struct tg_holding *decode_file(struct tg_arena *arena, const char *path, const char **wrong)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    struct tg_certfile_to to = {add_whole, leave, stack};
    struct tg_holding *holding;

    *wrong = tg_file_certificates(arena, path, &to, NULL);
    holding = hold(stack);
    sk_X509_pop_free(stack, X509_free);
    return holding;
}

/* ---- what is asked --------------------------------------------------------------------------- */

static void expect_same_stacks(const STACK_OF(X509) *one, const STACK_OF(X509) *other)
{
    assert_int_equal(sk_X509_num(one), sk_X509_num(other));
    for (int i = 0; i < sk_X509_num(one); i++)
        assert_int_equal(X509_cmp(sk_X509_value(one, i), sk_X509_value(other, i)), 0);
}

/* HOLDING finds what all of WHOLE have to be compared for. */
static void expect_same_answer(const struct tg_holding *holding, const struct tg_holding *whole,
                               const X509_NAME *name)
{
    STACK_OF(X509) *found = find(holding, name), *expected = sk_X509_new_null();

    for (size_t i = 0; i < tg_holding_count(whole); i++)
        if (X509_NAME_cmp(X509_get_subject_name(tg_holding_get(whole, i)), name) == 0)
            push(expected, tg_holding_get(whole, i));
    if (found == NULL)
        found = sk_X509_new_null();
    expect_same_stacks(found, expected);
    sk_X509_pop_free(found, X509_free);
    sk_X509_free(expected);
}

static void expect_same_bytes(const struct tg_holding *one, const struct tg_holding *other)
{
    assert_int_equal(tg_holding_count(one), tg_holding_count(other));
    for (size_t i = 0; i < tg_holding_count(one); i++) {
        unsigned char *encoded = NULL, *others = NULL;
        int size = i2d_X509_AUX(tg_holding_get(one, i), &encoded);
        int length = i2d_X509_AUX(tg_holding_get(other, i), &others);

        assert_int_equal(size, length);
        assert_memory_equal(encoded, others, size);
        OPENSSL_free(encoded);
        OPENSSL_free(others);
    }
}

/* NULL, or a policy that distrusts a certificate. */
static const tg_policy *policy;

static struct tg_verdict *judge(const struct world *world, const struct tg_holding *anchors,
                                const struct tg_holding *intermediates)
{
    const struct tg_rule rule = {.anchors = anchors,
                                 .anchors_only = true,
                                 .intermediates = intermediates,
                                 .skip_hostname = true};
    const struct tg_match match = {.kind = TG_MATCH_RULE, .rule = &rule, .pattern = "*"};
    const struct tg_query query = {.host = "host.test", .leaf = world->leaf, .sent = world->sent};

    return tg_evaluate(policy, &match, &query);
}

static void expect_same_verdict(const struct world *world, const struct tg_holding *one,
                                const struct tg_holding *other)
{
    for (int roles = 1; roles <= 3; roles++) {
        struct tg_verdict *verdict = judge(world, roles & 1 ? one : NULL, roles & 2 ? one : NULL);
        struct tg_verdict *whole = judge(world, roles & 1 ? other : NULL, roles & 2 ? other : NULL);

        assert_non_null(verdict);
        assert_non_null(whole);
        assert_int_equal(verdict->result, whole->result);
        assert_int_equal(verdict->finding_count, whole->finding_count);
        for (size_t i = 0; i < whole->finding_count; i++)
            assert_string_equal(verdict->findings[i].text, whole->findings[i].text);
        expect_same_stacks(verdict->path, whole->path);
        tg_verdict_free(verdict);
        tg_verdict_free(whole);
    }
}

static void expect_same_verdicts(const struct world *world, const struct tg_holding *one,
                                 const struct tg_holding *other)
{
    uint8_t digest[1][TG_SHA256_SIZE];
    tg_policy *distrusting = tg_policy_new();
    X509 *const distrusted[] = {world->root, world->intermediate};

    assert_non_null(distrusting);
    distrusting->distrusted_certificates = (struct tg_digests){digest, 1};
    expect_same_verdict(world, one, other);
    policy = distrusting;
    for (size_t i = 0; i < sizeof(distrusted) / sizeof(*distrusted); i++) {
        assert_true(tg_hash_certificate(distrusted[i], digest[0]));
        expect_same_verdict(world, one, other);
    }
    policy = NULL;
    tg_policy_free(distrusting);
}

/* PATH decoded whole answers as PATH indexed, before and after all of it is decoded. */
static void expect_same(const struct world *world, const char *path)
{
    struct tg_arena *arena = tg_arena_new();
    const char *wrong, *others;
    struct tg_holding *one, *other, *joined = tg_holding_new();

    assert_non_null(arena);
    assert_non_null(joined);
    one = index_file(arena, path, &wrong);
    other = decode_file(arena, path, &others);
    assert_int_equal(wrong == NULL, others == NULL);
    if (wrong != NULL) {
        assert_string_equal(wrong, others);
    } else {
        assert_true(tg_holding_join(joined, one) && tg_holding_join(joined, one));
        expect_same_verdicts(world, one, other);
        expect_same_answer(one, other, X509_get_issuer_name(world->leaf));
        expect_same_answer(one, other, X509_get_issuer_name(world->intermediate));
        expect_same_bytes(one, other);
        for (size_t i = 0; i < tg_holding_count(other); i++)
            expect_same_answer(one, other, X509_get_subject_name(tg_holding_get(other, i)));
        expect_same_verdicts(world, one, other);
        assert_int_equal(tg_holding_count(joined), 2 * tg_holding_count(other));
    }
    tg_holding_free(one);
    tg_holding_free(other);
    tg_holding_free(joined);
    tg_arena_free(arena);
}

/* ---- the tests ------------------------------------------------------------------------------- */

/* One whose subject has another type, case and spaces than CERTIFICATE's, which X509_NAME_cmp
 * doesn't mind. */
static X509 *respelt(const X509 *certificate, EVP_PKEY *key, EVP_PKEY *signer, const char *cn)
{
    X509 *made = make("x", "root", key, signer, true);
    X509_NAME *name = X509_NAME_new();

    assert_true(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_PRINTABLESTRING,
                                           (const void *)cn, -1, -1, 0));
    assert_int_equal(X509_NAME_cmp(name, X509_get_subject_name(certificate)), 0);
    assert_true(X509_set_subject_name(made, name));
    assert_true(X509_sign(made, signer, EVP_sha256()) > 0);
    X509_NAME_free(name);
    return made;
}

/* What files are put together of, by letters. */
static char *pieces[128];

static void begin_pieces(struct world *world)
{
    EVP_PKEY *key = new_key();
    X509 *rejecting, *namesake = make("layer 0", "root", key, key, true), *alike;

    begin(world);
    push_ref(world->sent, world->intermediate);
    rejecting = X509_dup(world->intermediate);
    assert_true(X509_add1_reject_object(rejecting, OBJ_nid2obj(NID_server_auth)));
    alike = respelt(world->intermediate, world->key, world->root_key, "LAYER   0");
    pieces['r'] = pem(world->root, false);
    pieces['i'] = pem(world->intermediate, false);
    pieces['l'] = pem(world->leaf, false);
    pieces['x'] = pem(rejecting, true);
    pieces['n'] = pem(namesake, false);
    pieces['a'] = pem(alike, false);
    pieces['#'] = strdup("# words\r\n\n");
    pieces['-'] = strdup("words -----BEGIN and more\n");
    pieces[' '] = strdup(" -----BEGIN CERTIFICATE-----\n");
    pieces['!'] = strdup("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    pieces['<'] = strdup("-----BEGIN CERTIFICATE-----\nAAAA\n");
    pieces['k'] = strdup("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    X509_free(rejecting);
    X509_free(namesake);
    X509_free(alike);
    EVP_PKEY_free(key);
}

static void end_pieces(struct world *world)
{
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        free(pieces[i]);
        pieces[i] = NULL;
    }
    end(world);
}

static void each_file_answers_as_if_it_were_decoded_whole(void **state)
{
    static const char *const files[] = {
        "",   "#",  "r",   "ir",   "nri",   "in",  "nnin", "xr", "rx",  "xir", "ixr",
        "ar", "ra", "air", "rnai", "l",     "#r#", "-r",   " r", "r ",  "r!",  "!r",
        "r<", "<r", "rk",  "kr",   "rrrrr", "xxr", "anxi", "n",  "nxr", "lir", "lx",
    };
    struct world world;

    (void)state;
    begin_pieces(&world);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        struct tg_buf text = {0};

        for (const char *letter = files[i]; *letter != '\0'; letter++)
            tg_buf_add(&text, pieces[(unsigned char)*letter]);
        put("file.pem", text.text != NULL ? text.text : "");
        expect_same(&world, "file.pem");
        tg_buf_free(&text);
    }
    end_pieces(&world);
}

static void each_folder_answers_as_if_it_were_decoded_whole(void **state)
{
    struct world world;

    (void)state;
    begin_pieces(&world);
    assert_int_equal(mkdir("folder", 0700), 0);
    put("folder/a.pem", pieces['r']);
    put("folder/b.pem", pieces['x']);
    put("folder/c.crt", pieces['i']);
    put("folder/d.crt", pieces['r']);
    expect_same(&world, "folder");
    put("folder/bb.pem", pieces['-']);
    expect_same(&world, "folder");
    end_pieces(&world);
}

#if OWN_ALLOCATOR
/* The anchor that rejects the server's CA can't be had. */
static void an_evaluation_without_one_has_no_verdict(void **state)
{
    struct tg_buf text = {0};
    struct world world;
    X509 *rejecting;
    char *one, *other;
    bool spent = true;

    (void)state;
    begin(&world);
    push_ref(world.sent, world.intermediate);
    rejecting = X509_dup(world.intermediate);
    assert_true(X509_add1_reject_object(rejecting, OBJ_nid2obj(NID_server_auth)));
    one = pem(rejecting, true);
    other = pem(world.root, false);
    tg_buf_printf(&text, "%s%s", one, other);
    for (long number = 1; spent; number++) {
        struct tg_holding *anchors = tg_holding_new();
        struct tg_verdict *verdict;

        assert_non_null(anchors);
        assert_true(add_text(anchors, text.text, 2));
        countdown = number;
        verdict = judge(&world, anchors, NULL);
        spent = countdown == 0;
        countdown = 0;
        assert_true(verdict == NULL || !verdict->accepted);
        assert_true(spent || verdict != NULL);
        tg_verdict_free(verdict);
        tg_holding_free(anchors);
    }
    X509_free(rejecting);
    tg_buf_free(&text);
    free(one);
    free(other);
    end(&world);
}
#endif

static int enter(void **state)
{
    (void)state;
    return folder_enter(work);
}

static int leave_folder(void **state)
{
    (void)state;
    return folder_remove(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_answers_as_if_it_were_decoded_whole),
        cmocka_unit_test(each_folder_answers_as_if_it_were_decoded_whole),
#if OWN_ALLOCATOR
        cmocka_unit_test(an_evaluation_without_one_has_no_verdict),
#endif
    };

    return cmocka_run_group_tests(tests, enter, leave_folder);
}
