/*
 * fuzz_import.c - any bytes as a configuration of Android's or Apple's, or as a SPIFFE bundle: what
 * comes of it is lines of a policy that this program's own words begin, and what is told fits a
 * terminal. As fuzz_policy.c is run.
 */
#include "../../policy/cli/import/android.h"
#include "../../policy/cli/import/plist.h"
#include "../../policy/cli/import/spiffe.h"
#include "diag.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_import: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

static void check_text(const char *text)
{
    for (; text && *text; text++)
        REQUIRE((*text >= ' ' && *text != 0x7F) || (unsigned char)*text >= 0x80 || *text == '\n');
}

/* A line is empty, says where it is from, opens a section or sets one of these keys. */
static void check_line(const char *line, size_t length)
{
    static const char *const begins[] = {
        "# ",          "[host ",         "anchors = ", "ca-pin = ", "min-tls = ", "mode = report",
        "leaf-pin = ", "pins-expire = ", "pin = ",     "action = "};
    bool ours = length == 0;

    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        ours |= strncmp(line, begins[i], strlen(begins[i])) == 0;
    REQUIRE(ours);
    REQUIRE(line[0] != '[' || memchr(line, ']', length));
}

static void check_policy(const char *text)
{
    while (text && *text) {
        size_t length = strcspn(text, "\n");

        REQUIRE(text[length] == '\n');
        check_line(text, length);
        text += length + 1;
    }
}

/* The certificates are a file of PEM, or not to be used. */
static void check_bundle(const uint8_t *data, size_t size)
{
    struct tg_translation out = {.file = "/nonexistent/bundle.json"};
    struct tg_buf text = {0}, pem = {0};

    tg_buf_addn(&text, (const char *)data, size);
    tg_translate_spiffe(&out, &text, "a.test", "/a.pem", &pem);
    REQUIRE(!out.policy.failed && !out.said.failed && !pem.failed);
    REQUIRE((out.said.length > 0) == (out.gaps + out.errors > 0));
    REQUIRE((out.policy.length > 0) == (out.errors == 0));
    REQUIRE(out.errors > 0 || strncmp(pem.text, "-----BEGIN CERTIFICATE-----\n", 28) == 0);
    check_policy(out.policy.text);
    check_text(out.policy.text);
    check_text(out.said.text);
    tg_translation_clear(&out);
    tg_buf_free(&text);
    tg_buf_free(&pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char android[] = "network-security-config";
    struct tg_translation out = {.file = "/nonexistent/res/xml/config.xml"};
    struct tg_buf why = {0};
    struct tg_xml *xml = tg_xml_parse((const char *)data, size, &why);

    check_bundle(data, size);
    REQUIRE((xml == NULL) == (why.length > 0));
    check_text(why.text);
    if (xml && tg_xml_is(tg_xml_root(xml), android))
        tg_translate_android(&out, tg_xml_root(xml));
    else if (xml)
        tg_translate_plist(&out, tg_xml_root(xml));
    REQUIRE(!out.policy.failed && !out.said.failed);
    REQUIRE((out.said.length > 0) == (out.gaps + out.errors > 0));
    check_policy(out.policy.text);
    check_text(out.policy.text);
    check_text(out.said.text);
    tg_xml_free(xml);
    tg_buf_free(&why);
    tg_translation_clear(&out);
    return 0;
}
