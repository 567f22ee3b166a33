/* cli.h - what a verb of the command is: its options, its help and its exit codes. */
#ifndef TG_CLI_H
#define TG_CLI_H

#include <stdbool.h>

enum tg_exit {
    TG_EXIT_GOOD,    /* accepted, nothing wrong */
    TG_EXIT_REFUSED, /* refused, errors found */
    TG_EXIT_USAGE,   /* wrong usage, or a file that can't be read or written */
    TG_EXIT_UNRUNNABLE = 126,
    TG_EXIT_NOT_FOUND = 127
};

/* As often may --resolve and --only be given. */
#define TG_RESOLVE_MOST 32
#define TG_ONLY_MOST    32

/* Every option of every verb. What wasn't given is NULL or false. Strings are argv's. */
struct tg_options {
    const char *policy, *program, *host, *time, *app_anchors, *staple, *tls, *starttls, *timeout;
    const char *resolve[TG_RESOLVE_MOST + 1]; /* ends with NULL */
    const char *to, *expires, *note;
    const char *dir, *days, *password_file, *jobs, *pin_to, *warn_days, *html, *prometheus;
    const char *only[TG_ONLY_MOST + 1]; /* ends with NULL */
    const char *verdict, *lines;
    const char *name, *csr; /* of `ca` */
    bool follow, client;
    bool json, preload, provider, connect, yes, dry_run, help;
    bool rsa, new_key, allow_private, allow_unreached, refresh, revocation, add, all;
    char **operands; /* ends with NULL */
    int operand_count;
};

/* A bit for each option that a verb takes; -p and -h go without saying. */
enum tg_option_bit {
    TG_OPTION_JSON = 1 << 0,
    TG_OPTION_PROGRAM = 1 << 1,
    TG_OPTION_HOST = 1 << 2,
    TG_OPTION_TIME = 1 << 3,
    TG_OPTION_APP_ANCHORS = 1 << 4,
    TG_OPTION_STAPLE = 1 << 5,
    TG_OPTION_TLS = 1 << 6,
    TG_OPTION_PRELOAD = 1 << 7,
    TG_OPTION_PROVIDER = 1 << 8,
    TG_OPTION_CONNECT = 1 << 9,
    TG_OPTION_YES = 1 << 10,
    TG_OPTION_DRY_RUN = 1 << 11,
    TG_OPTION_ROUTE = 1 << 12,     /* how to connect: --resolve, --starttls, --timeout */
    TG_OPTION_CA = 1 << 13,        /* all of `ca` */
    TG_OPTION_FETCH = 1 << 14,     /* of `fetch` alone */
    TG_OPTION_SCAN = 1 << 15,      /* of `scan` alone */
    TG_OPTION_UNREACHED = 1 << 16, /* of `run` alone */
    TG_OPTION_LOG = 1 << 17,       /* of `log` alone */
    TG_OPTION_TO = 1 << 20,
    TG_OPTION_EXCEPT = 1 << 21,  /* --expires, --note */
    TG_OPTION_PIN = 1 << 22,     /* of `pin` alone */
    TG_OPTION_WARN = 1 << 23,    /* --warn-days */
    TG_OPTION_PRIVATE = 1 << 24, /* --allow-private */
    TG_OPTION_ALL = 1 << 25,     /* --all */
};

struct tg_verb {
    const char *name;
    const char *synopsis; /* its operands: "[FILE...]" */
    const char *summary;  /* a few words for the list of verbs */
    const char *details;  /* for `help VERB`: lines of at most 80 columns */
    unsigned options;     /* tg_option_bit */
    int least, most;      /* operands it takes; most -1: any number */
    const char *missing;  /* a sentence where there are fewer */
    bool runs_command;    /* options end at the first operand */
    /* Does the work and returns the exit code (enum tg_exit). */
    int (*run)(const struct tg_options *options);
};

#endif
