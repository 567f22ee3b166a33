/* completion.c - what shells complete, made of the same tables as the command itself. */
#include "hint.h"
#include "options.h"
#include "terminal.h"
#include "text.h"
#include "verbs.h"
#include <string.h>

/* What a value or operand is, as far as a shell can complete it. */
enum what { NOTHING, FILES, FOLDERS, COMMANDS, HOSTS, VERBS, WORDS };

/* How the help calls it. */
static const struct kind {
    const char *called;
    enum what what;
    const char *words; /* WORDS: these */
} kinds[] = {
    {.called = "FILE", .what = FILES},
    {.called = "FILE|DIR", .what = FILES},
    {.called = "PATH", .what = FILES},
    {.called = "DIR", .what = FOLDERS},
    {.called = "PROTO",
     .what = WORDS,
     .words = "smtp imap pop3 ftp lmtp nntp sieve postgres mysql ldap xmpp xmpp-server"},
    {.called = "VERDICT", .what = WORDS, .words = "accept reject report"},
    {.called = "1.2|1.3", .what = WORDS, .words = "1.2 1.3"},
};

static struct kind value_of(const struct tg_option *option)
{
    static const struct kind nothing = {.what = NOTHING};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].called, option->argument) == 0)
            return kinds[i];
    return nothing;
}

/* By what stands in its synopsis. */
static struct kind operand_of(const struct tg_verb *verb)
{
    static const struct kind operands[] = {
        {.called = "bash|zsh|fish", .what = WORDS, .words = "bash zsh fish"},
        {.called = "init", .what = WORDS, .words = "init issue renew list"},
        {.called = "VERB", .what = VERBS},
        {.called = "CMD", .what = COMMANDS},
        {.called = "HOST", .what = HOSTS},
        {.called = "", .what = FILES},
    };
    size_t i = 0;

    while (strstr(verb->synopsis, operands[i].called) == NULL)
        i++;
    return operands[i];
}

/* TEXT on one line, in which a backslash stands before each character of SPECIAL. */
static void add_text(struct tg_buf *out, const char *text, const char *special)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            text += strspn(text, "\n ") - 1;
            tg_buf_add(out, " ");
            continue;
        }
        tg_buf_add(out, strchr(special, *text) != NULL ? "\\" : "");
        tg_buf_addn(out, *text == '\'' ? "\xE2\x80\x99" : text, *text == '\'' ? 3 : 1);
    }
}

static void add_verbs(struct tg_buf *out)
{
    const struct tg_verb *verb;

    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++)
        tg_buf_printf(out, "%s%s", i > 0 ? " " : "", verb->name);
}

/* ---- bash ---------------------------------------------------------------------------------- */

static const char bash_begin[] =
    "# bash completion for trustgraft: source it, or install it as\n"
    "# /usr/share/bash-completion/completions/trustgraft\n"
    "_trustgraft() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W '";
static const char bash_verbs[] = " --help --version' -- \"$word\")\n"
                                 "        return\n"
                                 "    fi\n"
                                 "    case ${COMP_WORDS[1]} in\n";
static const char bash_options[] = "    esac\n"
                                   "    if [ \"${word:0:1}\" = - ]; then\n"
                                   "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
                                   "\"$word\")\n"
                                   "    fi\n"
                                   "}\n"
                                   "complete -o filenames -F _trustgraft trustgraft\n";

static void bash_compgen(struct tg_buf *out, const struct kind *kind)
{
    static const char *const flags[] = {
        [NOTHING] = NULL,           [FILES] = "-f", [FOLDERS] = "-d", [COMMANDS] = "-c",
        [HOSTS] = "-A hostname -f", [VERBS] = "-W", [WORDS] = "-W"};

    if (flags[kind->what] == NULL)
        return;
    tg_buf_printf(out, "mapfile -t COMPREPLY < <(compgen %s ", flags[kind->what]);
    if (kind->what == VERBS || kind->what == WORDS)
        tg_buf_add(out, "'");
    if (kind->what == VERBS)
        add_verbs(out);
    tg_buf_printf(out, "%s%s-- \"$word\")", kind->what == WORDS ? kind->words : "",
                  kind->what == VERBS || kind->what == WORDS ? "' " : "");
}

static void bash_verb(struct tg_buf *out, const struct tg_verb *verb)
{
    const struct kind operand = operand_of(verb);
    struct tg_option option;

    tg_buf_printf(out, "    %s)\n        options='", verb->name);
    for (size_t i = 0; tg_option_at(verb, i, &option); i++) {
        tg_buf_printf(out, "%s--%s", i > 0 ? " " : "", option.name);
        if (option.letter != 0)
            tg_buf_printf(out, " -%c", option.letter);
    }
    tg_buf_add(out, "'\n        case $before in\n");
    for (size_t i = 0; tg_option_at(verb, i, &option); i++) {
        struct kind kind = {.what = NOTHING};

        if (option.argument == NULL)
            continue;
        kind = value_of(&option);
        tg_buf_printf(out, "        --%s", option.name);
        if (option.letter != 0)
            tg_buf_printf(out, " | -%c", option.letter);
        tg_buf_add(out, ") ");
        bash_compgen(out, &kind);
        tg_buf_add(out, kind.what != NOTHING ? "; return ;;\n" : "return ;;\n");
    }
    tg_buf_add(out, "        *) ");
    bash_compgen(out, &operand);
    tg_buf_add(out, " ;;\n        esac ;;\n");
}

static void bash(struct tg_buf *out)
{
    const struct tg_verb *verb;

    tg_buf_add(out, bash_begin);
    add_verbs(out);
    tg_buf_add(out, bash_verbs);
    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++)
        bash_verb(out, verb);
    tg_buf_add(out, bash_options);
}

/* ---- zsh ----------------------------------------------------------------------------------- */

static void zsh_action(struct tg_buf *out, const struct kind *kind)
{
    static const char *const actions[] = {
        [NOTHING] = " ",
        [FILES] = "_files",
        [FOLDERS] = "_files -/",
        [COMMANDS] = "_command_names -e",
        [HOSTS] = "_alternative hosts\\:host\\:_hosts files\\:file\\:_files"};

    if (kind->what == VERBS || kind->what == WORDS)
        tg_buf_add(out, "(");
    if (kind->what == VERBS)
        add_verbs(out);
    tg_buf_add(out, kind->what == WORDS   ? kind->words
                    : kind->what == VERBS ? ""
                                          : actions[kind->what]);
    if (kind->what == VERBS || kind->what == WORDS)
        tg_buf_add(out, ")");
}

static void zsh_option(struct tg_buf *out, const struct tg_option *option)
{
    struct kind kind;

    if (option->letter != 0)
        tg_buf_printf(out, " \\\n            '(-%c --%s)'{-%c,--%s}'[", option->letter,
                      option->name, option->letter, option->name);
    else
        tg_buf_printf(out, " \\\n            '*--%s[", option->name);
    add_text(out, option->meaning, "[]:");
    tg_buf_add(out, "]");
    if (option->argument != NULL) {
        kind = value_of(option);
        tg_buf_add(out, ":");
        add_text(out, option->argument, ":");
        tg_buf_add(out, ":");
        zsh_action(out, &kind);
    }
    tg_buf_add(out, "'");
}

static void zsh_verb(struct tg_buf *out, const struct tg_verb *verb)
{
    const struct kind operand = operand_of(verb);
    struct tg_option option;

    tg_buf_printf(out, "    %s)\n        _arguments -s", verb->name);
    for (size_t i = 0; tg_option_at(verb, i, &option); i++)
        zsh_option(out, &option);
    if (verb->runs_command) {
        tg_buf_add(out, " \\\n            '*::command:_normal'");
    } else {
        tg_buf_add(out, " \\\n            '*:operand:");
        zsh_action(out, &operand);
        tg_buf_add(out, "'");
    }
    tg_buf_add(out, " ;;\n");
}

static void zsh(struct tg_buf *out)
{
    const struct tg_verb *verb;

    tg_buf_add(out,
               "#compdef trustgraft\n# zsh completion for trustgraft: install it as _trustgraft "
               "in a folder of $fpath.\n_trustgraft() {\n    local -a verbs\n    verbs=(\n");
    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++) {
        tg_buf_printf(out, "        '%s:", verb->name);
        add_text(out, verb->summary, ":");
        tg_buf_add(out, "'\n");
    }
    tg_buf_add(out, "    )\n    if (( CURRENT == 2 )); then\n        _describe verb verbs\n"
                    "        return\n    fi\n    shift words\n    (( CURRENT-- ))\n"
                    "    case $words[1] in\n");
    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++)
        zsh_verb(out, verb);
    tg_buf_add(out, "    esac\n}\nif [ \"$funcstack[1]\" = _trustgraft ]; then\n"
                    "    _trustgraft \"$@\"\nelse\n    compdef _trustgraft trustgraft\nfi\n");
}

/* ---- fish ---------------------------------------------------------------------------------- */

static void fish_action(struct tg_buf *out, const struct kind *kind)
{
    static const char *const actions[] = {[FILES] = " -F",
                                          [FOLDERS] = " -a '(__fish_complete_directories)'",
                                          [COMMANDS] = " -a '(__fish_complete_command)'",
                                          [HOSTS] = " -F -a '(__fish_print_hostnames)'"};

    if (kind->what == VERBS || kind->what == WORDS) {
        tg_buf_add(out, " -a '");
        if (kind->what == VERBS)
            add_verbs(out);
        tg_buf_printf(out, "%s'", kind->what == WORDS ? kind->words : "");
    } else if (kind->what != NOTHING) {
        tg_buf_add(out, actions[kind->what]);
    }
}

static void fish_verb(struct tg_buf *out, const struct tg_verb *verb)
{
    const struct kind operand = operand_of(verb);
    struct tg_option option;

    tg_buf_printf(out, "complete -c trustgraft -n __fish_use_subcommand -a %s -d '", verb->name);
    add_text(out, verb->summary, "\\");
    tg_buf_add(out, "'\n");
    for (size_t i = 0; tg_option_at(verb, i, &option); i++) {
        tg_buf_printf(out, "complete -c trustgraft -n '__fish_seen_subcommand_from %s' -l %s",
                      verb->name, option.name);
        if (option.letter != 0)
            tg_buf_printf(out, " -s %c", option.letter);
        if (option.argument != NULL) {
            const struct kind kind = value_of(&option);

            tg_buf_add(out, " -r");
            fish_action(out, &kind);
        }
        tg_buf_add(out, " -d '");
        add_text(out, option.meaning, "\\");
        tg_buf_add(out, "'\n");
    }
    tg_buf_printf(out, "complete -c trustgraft -n '__fish_seen_subcommand_from %s'", verb->name);
    fish_action(out, &operand);
    tg_buf_add(out, "\n");
}

static void fish(struct tg_buf *out)
{
    const struct tg_verb *verb;

    tg_buf_add(out,
               "# fish completion for trustgraft: install it as trustgraft.fish in a folder of\n"
               "# $fish_complete_path, such as ~/.config/fish/completions.\n"
               "complete -c trustgraft -f\n"
               "complete -c trustgraft -n __fish_use_subcommand -l version -l help\n");
    for (size_t i = 0; (verb = tg_verb_at(i)) != NULL; i++)
        fish_verb(out, verb);
}

/* ---- the verb ------------------------------------------------------------------------------ */

static int completion(const struct tg_options *options)
{
    static const struct {
        const char *name;
        void (*write)(struct tg_buf *out);
    } shells[] = {{.name = "bash", .write = bash},
                  {.name = "zsh", .write = zsh},
                  {.name = "fish", .write = fish}};
    const char *wanted = options->operands[0];
    struct tg_hint hint = {.wanted = wanted};
    struct tg_buf out = {0};

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].name, wanted) == 0) {
            shells[i].write(&out);
            return tg_terminal_write(stdout, &out) ? TG_EXIT_GOOD : TG_EXIT_USAGE;
        }
        tg_hint_offer(&hint, shells[i].name);
    }
    tg_complain("completion: '%s' isn't bash, zsh or fish%s%s%s", wanted,
                hint.best != NULL ? ": did you mean '" : "", hint.best != NULL ? hint.best : "",
                hint.best != NULL ? "'?" : "");
    return TG_EXIT_USAGE;
}

const struct tg_verb tg_verb_completion = {
    .name = "completion",
    .synopsis = "bash|zsh|fish",
    .summary = "print what makes a shell complete this command",
    .details =
        "Prints a script for the shell, which then completes verbs, options and their values:\n"
        "  bash:  source <(trustgraft completion bash)\n"
        "  zsh:   source <(trustgraft completion zsh), behind compinit\n"
        "  fish:  trustgraft completion fish | source",
    .least = 1,
    .most = 1,
    .missing = "the shell is missing",
    .run = completion,
};
