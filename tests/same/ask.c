/*
 * ask.c - ask SCRIPT: runs its steps and prints what they gave. The same script has to print the
 * same wherever it is run.
 */
#include "ask.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

X509_STORE *stores[SLOTS];
SSL_CTX *contexts[SLOTS];

static long living; /* certificates that are not freed yet */

static void born(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)parent, (void)data, (void)ad, (void)index, (void)argl, (void)argp;
    (void)__atomic_add_fetch(&living, 1, __ATOMIC_SEQ_CST);
}

static void gone(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)parent, (void)data, (void)ad, (void)index, (void)argl, (void)argp;
    (void)__atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST);
}

void tell_errors(FILE *out)
{
    const char *file, *function, *data;
    unsigned long code;
    int line, flags;

    while ((code = ERR_get_error_all(&file, &line, &function, &data, &flags)) != 0)
        fprintf(out, "  error %lx %s:%d %s [%s]\n", code, file, line, function,
                (flags & ERR_TXT_STRING) != 0 ? data : "");
}

void tell(const char *what, long result)
{
    printf("%s = %ld\n", what, result);
    tell_errors(stdout);
}

static int slot(const char *word)
{
    int number = (int)strtol(word, NULL, 10);

    if (*word == '\0' || number < 0 || number >= SLOTS) {
        printf("no slot: %s\n", word);
        exit(2);
    }
    return number;
}

X509_STORE *store_of(const char *word)
{
    return stores[slot(word)];
}

SSL_CTX *context_of(const char *word)
{
    return contexts[slot(word)];
}

STACK_OF(X509) *read_certs(const char *path)
{
    STACK_OF(X509) *certs = NULL;
    BIO *file = NULL;
    X509 *cert = NULL;

    if (strcmp(path, "-") == 0)
        return NULL;
    file = BIO_new_file(path, "r");
    certs = sk_X509_new_null();
    while (file != NULL && (cert = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL)
        sk_X509_push(certs, cert);
    BIO_free(file);
    ERR_clear_error();
    return certs;
}

X509 *read_cert(const char *word)
{
    char path[4096];
    char *number = NULL;
    STACK_OF(X509) *certs = NULL;
    X509 *cert = NULL;

    snprintf(path, sizeof path, "%s", word);
    number = strrchr(path, '#');
    if (number != NULL)
        *number++ = '\0';
    certs = read_certs(path);
    cert = sk_X509_value(certs, number != NULL ? (int)strtol(number, NULL, 10) : 0);
    if (cert == NULL || !X509_up_ref(cert)) {
        printf("no certificate: %s\n", word);
        exit(2);
    }
    sk_X509_pop_free(certs, X509_free);
    return cert;
}

const X509_NAME *name_of(const X509 *cert, const char *which)
{
    return strcmp(which, "issuer") == 0 ? X509_get_issuer_name(cert) : X509_get_subject_name(cert);
}

static void keep_store(const char *word, X509_STORE *store)
{
    X509_STORE_free(store_of(word));
    stores[slot(word)] = store;
}

static void keep_context(const char *word, SSL_CTX *context)
{
    SSL_CTX_free(context_of(word));
    contexts[slot(word)] = context;
}

static void new_store(char **word)
{
    keep_store(word[1], X509_STORE_new());
}

static void free_store(char **word)
{
    keep_store(word[1], NULL);
}

/* up store other: one more reference to it, in another slot. */
static void up_store(char **word)
{
    tell("up", X509_STORE_up_ref(store_of(word[1])));
    keep_store(word[2], store_of(word[1]));
}

static void new_context(char **word)
{
    keep_context(word[1], SSL_CTX_new(TLS_method()));
}

static void free_context(char **word)
{
    keep_context(word[1], NULL);
}

static void get_store(char **word)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context_of(word[1]));

    tell("get-store", X509_STORE_up_ref(store));
    keep_store(word[2], store);
}

/* begin NAME: what one run of steps left doesn't reach the next. */
static void begin(char **word)
{
    for (int i = 0; i < SLOTS; i++) {
        SSL_CTX_free(contexts[i]);
        X509_STORE_free(stores[i]);
        contexts[i] = NULL;
        stores[i] = NULL;
    }
    printf("living = %ld\n", living);
    tell_errors(stdout);
    printf("\nbegin %s\n", word[1]);
}

/* An error that was there before: what comes may keep it or not, but the same each time. */
static void seed(char **word)
{
    (void)word;
    ERR_raise_data(ERR_LIB_USER, 42, "of the program");
    ERR_set_mark();
}

static void cleanup(char **word)
{
    begin(word);
    OPENSSL_cleanup();
}

static void env(char **word)
{
    if (word[2][0] == '\0')
        unsetenv(word[1]);
    else
        setenv(word[1], word[2], 1);
}

static const struct step own_steps[] = {
    {"store", new_store},
    {"free", free_store},
    {"up", up_store},
    {"context", new_context},
    {"free-context", free_context},
    {"get-store", get_store},
    {"begin", begin},
    {"seed", seed},
    {"cleanup", cleanup},
    {"env", env},
    {NULL, NULL},
};

static step_fn *find(const char *name)
{
    const struct step *tables[] = {own_steps,    load_steps, look_steps,   hook_steps,
                                   verify_steps, tls_steps,  thread_steps, file_steps};

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct step *step = tables[i]; step->name != NULL; step++) {
            if (strcmp(step->name, name) == 0)
                return step->run;
        }
    }
    printf("no step: %s\n", name);
    exit(2);
}

static void run(char *line)
{
    static char empty[1];
    char *word[WORDS];
    char *rest = line;
    int count = 0;

    while (count < WORDS - 1 && (word[count] = strsep(&rest, " ")) != NULL)
        count++;
    while (count < WORDS)
        word[count++] = empty;
    if (*word[0] != '\0')
        find(word[0])(word);
}

/* in-child STEP...: a forked child does that step; its parent waits, and goes on as it was. */
static void run_line(char *line)
{
    static const char apart[] = "in-child ";
    int status = 0;
    pid_t child = -1;

    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, apart, sizeof apart - 1) != 0) {
        run(line);
        return;
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        run(line + sizeof apart - 1);
        fflush(stdout);
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    printf("child = %d\n", status);
}

int main(int argc, char **argv)
{
    FILE *script = argc == 2 ? fopen(argv[1], "re") : NULL;
    char *line = NULL;
    size_t size = 0;

    if (script == NULL) {
        fputs("usage: ask SCRIPT\n", stderr);
        return 2;
    }
    if (CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509, 0, NULL, born, NULL, gone) < 0)
        return 2;
    while (getline(&line, &size, script) > 0)
        run_line(line);
    free(line);
    fclose(script);
    return 0;
}
