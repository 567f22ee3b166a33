/* compile.c - writes what processes can share, instead of each reading a long policy itself. */
#include "argument.h"
#include "chosen.h"
#include "compiled.h"
#include "compiling.h"
#include "diagnostics.h"
#include "hosts.h"
#include "image.h"
#include "terminal.h"
#include "verbs.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What one run has written, and what is still to be. */
struct run {
    bool json;
    struct tg_buf out;
    char **known;
    size_t known_count;
    bool lost;
};

static void add_known(void *arg, const char *path)
{
    struct run *run = arg;
    char **more = realloc(run->known, (run->known_count + 1) * sizeof(*more));

    if (more != NULL)
        run->known = more;
    if (more != NULL && (more[run->known_count] = strdup(path)) != NULL)
        run->known_count++;
    else
        run->lost = true;
}

static void tell(struct run *run, const char *path, const struct tg_written *done, bool policy)
{
    char image[PATH_MAX + sizeof(TG_IMAGE_SUFFIX)];

    snprintf(image, sizeof(image), "%s" TG_IMAGE_SUFFIX, path);
    if (run->json) {
        tg_buf_add(&run->out, "{\"file\":");
        tg_buf_json(&run->out, path);
        tg_buf_add(&run->out, ",\"image\":");
        tg_buf_json(&run->out, image);
        tg_buf_printf(&run->out,
                      ",\"rules\":%llu,\"exceptions\":%llu,\"hosts\":%llu,\"size\":%llu}\n",
                      (unsigned long long)done->rules, (unsigned long long)done->exceptions,
                      (unsigned long long)done->hosts, (unsigned long long)done->size);
        return;
    }
    tg_buf_escape(&run->out, image, strlen(image));
    if (policy)
        tg_buf_printf(&run->out, ": %llu rule%s, %llu exception%s", (unsigned long long)done->rules,
                      done->rules == 1 ? "" : "s", (unsigned long long)done->exceptions,
                      done->exceptions == 1 ? "" : "s");
    else
        tg_buf_printf(&run->out, ": %llu known host%s", (unsigned long long)done->hosts,
                      done->hosts == 1 ? "" : "s");
    tg_buf_printf(&run->out, ", %llu KiB\n", (unsigned long long)(done->size + 1023) / 1024);
}

/* Tells what is wrong, and which exit code that is. */
static int complain(const char *path, const struct tg_diags *diags, struct tg_buf *why)
{
    int status = tg_diags_failed(diags) ? tg_chosen_status(path) : TG_EXIT_USAGE;

    tg_diagnostics_print(stderr, diags);
    if (why->length > 0 || why->failed)
        tg_complain("compile: %s" TG_IMAGE_SUFFIX ": %s", path,
                    why->failed ? tg_no_memory : why->text);
    return status;
}

static int compile_one(struct run *run, const char *path, bool policy)
{
    struct tg_written done = {0};
    struct tg_diags diags = {0};
    struct tg_buf why = {0};
    int status = TG_EXIT_GOOD;

    if (policy ? tg_compiling_policy(path, &done, &diags, &why, add_known, run)
               : tg_hosts_compile(path, &done, &diags, &why))
        tell(run, path, &done, policy);
    else
        status = complain(path, &diags, &why);
    tg_diags_clear(&diags);
    tg_buf_free(&why);
    return status;
}

/* Opens it as a program does. The images of known-hosts files may have changed a folder that the
 * policy's is made of: then that is written once more. */
static int make_sure(struct run *run, const char *path)
{
    char *note = NULL;
    int status = TG_EXIT_GOOD;
    tg_policy *policy = tg_compiled_open(path, &note);

    if (policy == NULL && run->known_count > 0) {
        struct run again = {.json = run->json};

        free(note);
        status = compile_one(&again, path, true);
        tg_buf_free(&again.out);
        for (size_t i = 0; i < again.known_count; i++)
            free(again.known[i]);
        free(again.known);
        policy = tg_compiled_open(path, &note);
    }
    if (policy == NULL && status == TG_EXIT_GOOD) {
        tg_complain("compile: %s", note != NULL ? note : tg_no_memory);
        status = TG_EXIT_USAGE;
    }
    free(note);
    tg_policy_free(policy);
    return status;
}

static int compile_policy(struct run *run, const char *given)
{
    char path[PATH_MAX];
    int status, worst;

    if (!tg_argument_absolute(given, path))
        return TG_EXIT_USAGE;
    worst = compile_one(run, path, true);
    for (size_t i = 0; i < run->known_count; i++) {
        status = compile_one(run, run->known[i], false);
        worst = status > worst ? status : worst;
        free(run->known[i]);
    }
    if (worst == TG_EXIT_GOOD)
        worst = make_sure(run, path);
    run->known_count = 0;
    return run->lost ? TG_EXIT_USAGE : worst;
}

static int compile(const struct tg_options *options)
{
    struct run run = {.json = options->json};
    char path[PATH_MAX];
    int status, worst = TG_EXIT_GOOD;

    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is told, as a full disk is */
    if (options->operand_count > 0 && options->policy != NULL) {
        tg_complain("compile: give the policy with -p or as FILE, not both");
        return TG_EXIT_USAGE;
    }
    if (options->operand_count == 0)
        worst = tg_chosen_path(options, path) ? compile_policy(&run, path) : TG_EXIT_USAGE;
    for (int i = 0; i < options->operand_count; i++) {
        status = compile_policy(&run, options->operands[i]);
        worst = status > worst ? status : worst;
    }
    if (!tg_terminal_write(stdout, &run.out))
        worst = TG_EXIT_USAGE;
    free(run.known);
    return worst;
}

const struct tg_verb tg_verb_compile = {
    .name = "compile",
    .synopsis = "[--json] [FILE...]",
    .summary = "write what programs start with faster, for long policies",
    .details =
        "Writes an image of the policy and of every file that it names, as FILE.compiled "
        "beside it, and of each known-hosts file that it names. Programs share it and read of "
        "it what they ask for, however many rules there are. It counts as long as no file is "
        "changed that it was made of; from then on they read the text again, so run this once "
        "more.\n"
        "Without FILE it is the policy that programs would find.\n"
        "Exit 0: written; 1: the policy has errors; 2: a file can't be read or written.",
    .options = TG_OPTION_JSON,
    .most = -1,
    .run = compile,
};
