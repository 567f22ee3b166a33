/*
 * fuzz_log.c - any bytes as a log: whatever lines `trustgraft log` takes for verdicts, it shows
 * nothing that a terminal would act upon, and what it shows says the same when it is read again.
 * As fuzz_policy.c is run.
 */
#include "json.h"
#include "record.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_log: %s\n", what);
    abort();
}

#define REQUIRE(condition) require(condition, #condition)

/* One line that a terminal only shows. */
static void check_shown(const struct tg_buf *shown)
{
    struct tg_piece bad;

    REQUIRE(!shown->failed && shown->length > 0 && shown->text[shown->length - 1] == '\n');
    REQUIRE(tg_utf8_clean(shown->text, shown->length - 1, &bad));
    REQUIRE(memchr(shown->text, '\n', shown->length - 1) == NULL);
}

/* JSON that is shown is a verdict still, and the same. */
static void check_again(const struct tg_record *record, struct tg_buf *shown)
{
    struct tg_record again;

    shown->text[shown->length - 1] = '\0';
    REQUIRE(tg_json_is(shown->text));
    if (record->json == NULL)
        return;
    REQUIRE(tg_record_read(shown->text, &again));
    REQUIRE(strcmp(tg_record_verdict(&again), tg_record_verdict(record)) == 0);
    REQUIRE(strcmp(again.host.text, record->host.text) == 0 && again.port == record->port);
    tg_record_clear(&again);
}

static void check_line(const char *line)
{
    struct tg_buf shown = {0};
    struct tg_record record;

    if (!tg_record_read(line, &record))
        return;
    REQUIRE(record.program.text != NULL && record.host.text != NULL); /* --program, --host */
    REQUIRE(record.port <= 65535);
    tg_record_write(&record, false, &shown);
    check_shown(&shown);
    tg_buf_free(&shown);
    tg_record_write(&record, true, &shown);
    check_shown(&shown);
    check_again(&record, &shown);
    tg_buf_free(&shown);
    tg_record_clear(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text, *line;

    REQUIRE(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    while ((line = strsep(&rest, "\n")) != NULL)
        check_line(line);
    free(text);
    return 0;
}
