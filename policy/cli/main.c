/* main.c - finds the verb, reads its options and runs it; and the verb `help`. */
#include "hint.h"
#include "hook/inject.h"
#include "installation.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static void list(FILE *to)
{
    const struct tg_verb *verb;

    fputs("usage: trustgraft VERB [OPTION...] [OPERAND...]\n\n", to);
    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++)
        fprintf(to, "  %-10s %s\n", verb->name, verb->summary);
    fputs("\n'trustgraft help VERB' tells more, trustgraft(1) all.\n"
          "'trustgraft --version' tells the version.\n",
          to);
}

static int unknown(const char *word)
{
    struct tg_hint hint = {.wanted = word};
    const struct tg_verb *verb;

    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++)
        tg_hint_offer(&hint, verb->name);
    if (word[0] == '-' && word[1] != '\0')
        tg_complain("'%s' stands where the verb should: trustgraft VERB [OPTION...]", word);
    else if (hint.best != NULL)
        tg_complain("unknown verb '%s': did you mean '%s'?", word, hint.best);
    else
        tg_complain("unknown verb '%s': 'trustgraft help' lists those there are", word);
    return TG_EXIT_USAGE;
}

static int help(const struct tg_options *options)
{
    const struct tg_verb *verb;

    if (options->operand_count == 0) {
        list(stdout);
        return TG_EXIT_GOOD;
    }
    verb = tg_verb_find(options->operands[0]);
    if (verb == NULL)
        return unknown(options->operands[0]);
    tg_options_help(stdout, verb);
    return TG_EXIT_GOOD;
}

const struct tg_verb tg_verb_help = {
    .name = "help",
    .synopsis = "[VERB]",
    .summary = "tell what a verb does",
    .details = "Lists the verbs, or tells what VERB does and which options it takes.",
    .most = 1,
    .run = help,
};

static void tell_versions(void)
{
    struct tg_buf said = {0};
    bool loads = tg_installation_inside(&said);

    printf("trustgraft " TG_VERSION "\nlibcrypto: %s (%s)\n", OpenSSL_version(OPENSSL_VERSION),
           OpenSSL_version(OPENSSL_BUILT_ON));
    printf("libcrypto inside " TG_ENGINE_INSIDE ": %s%s\n",
           loads ? "" : "none: ", said.text != NULL ? said.text : tg_no_memory);
    tg_buf_free(&said);
}

static int dispatch(int argc, char **argv)
{
    const struct tg_verb *verb;
    struct tg_options options;

    if (argc < 2) {
        list(stderr);
        return TG_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        tell_versions();
        return TG_EXIT_GOOD;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        list(stdout);
        return TG_EXIT_GOOD;
    }
    verb = tg_verb_find(argv[1]);
    if (verb == NULL)
        return unknown(argv[1]);
    if (!tg_options_parse(verb, argc - 1, argv + 1, &options))
        return TG_EXIT_USAGE;
    if (options.help) {
        tg_options_help(stdout, verb);
        return TG_EXIT_GOOD;
    }
    return verb->run(&options);
}

int main(int argc, char **argv)
{
    return tg_terminal_close(dispatch(argc, argv));
}
