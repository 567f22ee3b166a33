/*
 * evaluate - reads blobs and cases (corpora.h) from standard input and prints for each case
 *
 *   NAME <tab> accept|reject <tab> OpenSSL's code <tab> the proof's code, or "-"
 *        <tab> the findings <tab> 1 if OpenSSL's code means one of them, else 0
 *
 * The proof is asked for wherever the engine accepts.
 */
#include "corpora.h"
#include "verdict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void corpora_fail(const char *sentence)
{
    (void)fprintf(stderr, "evaluate: %s\n", sentence);
    exit(EXIT_FAILURE);
}

void corpora_demand(bool fine, const char *sentence)
{
    if (!fine)
        corpora_fail(sentence);
}

static bool told(const struct tg_verdict *verdict, int code)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        if (verdict->findings[i].kind == tg_finding_by_x509(code))
            return true;
    return false;
}

static void print_proof(const struct question *question, const struct tg_verdict *verdict)
{
    if (verdict->accepted)
        printf("\t%d\t", openssl_proof(question, verdict->path));
    else
        printf("\t-\t");
}

static void print_findings(const struct tg_verdict *verdict)
{
    for (size_t i = 0; i < verdict->finding_count; i++)
        printf("%s%s@%d", i > 0 ? "," : "", tg_finding_info(verdict->findings[i].kind)->name,
               verdict->findings[i].depth);
}

static void evaluate(char *line)
{
    struct question question;
    struct tg_verdict *verdict;
    int code;

    question_read(line, &question);
    verdict = engine_verdict(&question);
    if (verdict == NULL)
        corpora_fail("memory ran out");
    code = question.leaf != NULL ? openssl_verdict(&question) : -1;
    printf("%s\t%s\t%d", question.name, verdict->accepted ? "accept" : "reject", code);
    print_proof(&question, verdict);
    print_findings(verdict);
    printf("\t%d\n", told(verdict, code));
    tg_verdict_free(verdict);
    question_clear(&question);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "case ", 5) == 0)
            evaluate(line + 5);
        else
            corpora_add_blob(line);
    }
    free(line);
    corpora_free_blobs();
    return ferror(stdin) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
