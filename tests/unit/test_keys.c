/* The tables of the language: in order, complete, and each word in the manual page. */
#include "finding.h"
#include "hint.h"
#include "keys.h"
#include "text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void each_row_stands_at_its_id(void **state)
{
    int id;

    (void)state;
    for (id = 0; id < TG_KEYS; id++) {
        const struct tg_key *key = tg_key_info(id);

        assert_non_null(key->name);
        assert_int_equal(key->id, id);
        assert_true(key->sections != 0);
        assert_true((key->type == TG_TYPE_CHOICE || key->type == TG_TYPE_FLAG) ==
                    (key->choices != NULL));
    }
}

static void each_key_is_found_in_its_sections_and_no_other(void **state)
{
    int id, kind;

    (void)state;
    for (id = 0; id < TG_KEYS; id++)
        for (kind = 0; kind < TG_SECTION_KINDS; kind++) {
            const struct tg_key *key = tg_key_info(id);
            const struct tg_key *found = tg_key_find(kind, key->name);

            if (key->sections >> kind & 1)
                assert_ptr_equal(found, key);
            else
                assert_ptr_not_equal(found, key);
        }
    assert_null(tg_key_find(TG_SECTION_HOST, ""));
    assert_null(tg_key_find(TG_SECTION_HOST, "Anchors"));
    assert_int_equal(tg_section_by_name("host"), TG_SECTION_HOST);
    assert_int_equal(tg_section_by_name("Host"), TG_SECTION_KINDS);
}

static void hints_are_near(void **state)
{
    static const struct {
        const char *wanted, *known, *best;
    } cases[] = {
        {"anchor", "anchors", "anchors"},
        {"anchros", "anchors", "anchors"},
        {"ANCHORS", "anchors", "anchors"},
        {"acnhors", "anchors", "anchors"},
        {"anchors", "intermediates", NULL},
        {"x", "ca-pin", NULL},
        {"", "crl", NULL},
        {"crx", "crl", "crl"},
        {"abc", "crl", NULL},
        {"abcdefgh", "abxxxxgh", NULL},
        {"abcdefgh", "abxxxfgh", "abxxxfgh"},
        {"leafpin", "leaf-pin", "leaf-pin"},
        {"insecure-skip-host", "insecure-skip-hostname", "insecure-skip-hostname"},
        {"a-word-that-is-much-longer-than-any-that-there-is", "anchors", NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tg_hint hint = {.wanted = cases[i].wanted};

        tg_hint_offer(&hint, cases[i].known);
        if (cases[i].best)
            assert_string_equal(hint.best, cases[i].best);
        else
            assert_null(hint.best);
    }
}

static char *read_manual(void)
{
    const char *checkout = getenv("TG_SRC");
    struct tg_buf text = {0};
    char path[4096], chunk[4096];
    size_t got;
    FILE *in;

    snprintf(path, sizeof path, "%s/policy/trustgraft.conf.5", checkout ? checkout : ".");
    in = fopen(path, "re");
    assert_non_null(in);
    while ((got = fread(chunk, 1, sizeof chunk, in)) > 0)
        tg_buf_addn(&text, chunk, got);
    fclose(in);
    return tg_buf_take(&text);
}

/* Where ITEM stands as a whole word. */
static const char *find_item(const char *manual, const char *item)
{
    size_t length = strlen(item);
    const char *found = strstr(manual, item);

    while (found && !strchr(" \n", found[length]))
        found = strstr(found + 1, item);
    if (!found)
        fail_msg("the manual page has no \"%s\"", item);
    return found;
}

static void assert_documented(const char *manual, const char *macro, const char *word)
{
    char item[256];

    snprintf(item, sizeof item, "\n%s %s", macro, word);
    find_item(manual, item);
}

/* A key stands once for each section that has it. */
static void assert_choices(const char *manual, const struct tg_key *key)
{
    const char *const *choice = key->choices, *found;
    char item[256], line[512];

    snprintf(item, sizeof item, "\n.It Ic %s", key->name);
    found = find_item(manual, item) + 1;
    snprintf(line, sizeof line, "%.*s ", (int)strcspn(found, "\n"), found);
    for (; choice && *choice; choice++) {
        snprintf(item, sizeof item, " %s ", *choice);
        if (!strstr(line, item))
            fail_msg("the manual page has no%sin \"%s\"", item, line);
    }
}

static void the_manual_page_has_each_word(void **state)
{
    char *manual = read_manual();
    int id;

    (void)state;
    assert_non_null(manual);
    for (id = 0; id < TG_SECTION_KINDS; id++)
        assert_documented(manual, ".Ss The", tg_section_info(id)->name);
    for (id = 0; id < TG_KEYS; id++) {
        assert_documented(manual, ".It Ic", tg_key_info(id)->name);
        assert_choices(manual, tg_key_info(id));
    }
    for (id = 0; id < TG_FINDING_KINDS; id++)
        assert_documented(manual, ".It Li", tg_finding_info(id)->name);
    for (id = 0; id <= TG_RESULT_OTHER_ERROR; id++)
        assert_documented(manual, ".It Li", tg_result_name(id));
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_stands_at_its_id),
        cmocka_unit_test(each_key_is_found_in_its_sections_and_no_other),
        cmocka_unit_test(hints_are_near),
        cmocka_unit_test(the_manual_page_has_each_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
