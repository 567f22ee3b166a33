#include "sinks.h"
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { USERS_MOST = 2000, NAMED_MOST = 5 };

/* What a child says of those it tried. */
enum { ALL_CAN, SOME_CANNOT };

/* ---- one user, who is in force; NULL, or what is wrong ---- */

static const char *try_folder(const char *path)
{
    char folder[PATH_MAX];
    char *slash;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? NULL : strerror(errno);
}

/* As the log opens it (log.c), but for making it. */
static const char *try_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    const char *wrong = NULL;

    if (fd == -1)
        return errno == ENOENT ? try_folder(path) : strerror(errno);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        wrong = "Not a regular file";
    close(fd);
    return wrong;
}

static const char *try_syslog(const char *path)
{
    const struct sockaddr_un logger = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *wrong = NULL;

    (void)path;
    if (fd == -1 || connect(fd, (const struct sockaddr *)&logger, sizeof(logger)) != 0)
        wrong = strerror(errno);
    if (fd != -1)
        close(fd);
    return wrong;
}

/* What can't be written into the file goes to syslog. */
static const char *try_both(const char *path)
{
    const char *wrong = try_file(path);

    return wrong != NULL && try_syslog(path) != NULL ? wrong : NULL;
}

/* ---- each of them, in a child ---- */

static bool become(const struct passwd *user)
{
    return seteuid(0) == 0 && initgroups(user->pw_name, user->pw_gid) == 0 &&
           setegid(user->pw_gid) == 0 && seteuid(user->pw_uid) == 0;
}

static int say(unsigned wrong, unsigned users, const char *why)
{
    if (wrong == 0)
        return ALL_CAN;
    printf("%s (%s: %u of %u users)", wrong > NAMED_MOST ? ", ..." : "", why, wrong, users);
    return SOME_CANNOT;
}

/* TRY for each user; the names of those that can't go to standard output, and the first reason. */
static int try_users(const char *(*try)(const char *), const char *path)
{
    const struct passwd *user;
    unsigned users = 0, wrong = 0;
    const char *first = "";

    setpwent();
    while (users < USERS_MOST && (user = getpwent()) != NULL) {
        const char *why = become(user) ? try(path) : "can't be tried";

        users++;
        if (why == NULL)
            continue;
        if (wrong < NAMED_MOST)
            printf("%s%s", wrong > 0 ? ", " : "", user->pw_name);
        first = wrong == 0 ? why : first;
        wrong++;
    }
    endpwent();
    return say(wrong, users, first);
}

static int try_self(const char *(*try)(const char *), const char *path)
{
    const char *why = try(path);

    if (why == NULL)
        return ALL_CAN;
    printf("this user (%s)", why);
    return SOME_CANNOT;
}

#define TRYING(what)                                                                               \
    static int what##_as_users(const char *path)                                                   \
    {                                                                                              \
        return try_users(try_##what, path);                                                        \
    }                                                                                              \
    static int what##_as_self(const char *path)                                                    \
    {                                                                                              \
        return try_self(try_##what, path);                                                         \
    }
TRYING(file)
TRYING(syslog)
TRYING(both)

/* ---- the sinks ---- */

static void check_file(struct tg_health *health, const char *path, bool users)
{
    struct tg_buf cannot = {0}, lost = {0};
    struct stat status;
    int found = tg_child_run(users ? file_as_users : file_as_self, path, &cannot);

    if (found == ALL_CAN)
        tg_health_note(health, TG_HEALTH_GOOD, "file", "%s can be written by %s", path,
                       users ? "each user" : "this user");
    else if (tg_child_run(users ? both_as_users : both_as_self, path, &lost) == ALL_CAN)
        tg_health_note(health, TG_HEALTH_NOTE, "file",
                       "%s can't be written by %s: their verdicts go to syslog", path,
                       cannot.text != NULL ? cannot.text : "some");
    else
        tg_health_note(health, TG_HEALTH_BAD, "file",
                       "%s can't be written by %s, and neither can syslog: the verdicts of their "
                       "programs are lost",
                       path, lost.text != NULL ? lost.text : "some");
    if (found == ALL_CAN && users && stat(path, &status) != 0)
        tg_health_note(health, TG_HEALTH_NOTE, "file",
                       "%s isn't there yet: the first to log will make it, and nobody else can "
                       "write to it then",
                       path);
    tg_buf_free(&cannot);
    tg_buf_free(&lost);
}

/* ASKED: the policy names it. */
static void check_syslog(struct tg_health *health, bool users, bool asked)
{
    struct tg_buf cannot = {0};

    if (tg_child_run(users ? syslog_as_users : syslog_as_self, "", &cannot) == ALL_CAN)
        tg_health_note(health, TG_HEALTH_GOOD, "syslog", "%s takes what %s logs", _PATH_LOG,
                       users ? "each user" : "this user");
    else
        tg_health_note(health, asked ? TG_HEALTH_BAD : TG_HEALTH_NOTE, "syslog",
                       "%s can't be written by %s: the verdicts of their programs are lost",
                       _PATH_LOG, cannot.text != NULL ? cannot.text : "some");
    tg_buf_free(&cannot);
}

void tg_sinks_check(struct tg_health *health, const tg_policy *policy, enum tg_origin origin)
{
    bool named = origin == TG_ORIGIN_NONE || origin == TG_ORIGIN_ENVIRONMENT;
    bool users = geteuid() == 0 && (origin == TG_ORIGIN_NONE || origin == TG_ORIGIN_SYSTEM);
    bool asked = policy->log_sinks != 0;
    unsigned sinks = policy->log_sinks;

    if (!asked)
        sinks = named ? TG_LOG_STDERR : TG_LOG_SYSLOG;
    tg_health_section(health, "log");
    if (sinks & TG_LOG_FILE)
        check_file(health, policy->log_file, users);
    if (sinks & TG_LOG_SYSLOG)
        check_syslog(health, users, asked);
    if (sinks & TG_LOG_STDERR)
        tg_health_note(health, TG_HEALTH_GOOD, "stderr",
                       "each program's own, where the verdicts of a daemon without one are lost");
    if (sinks & TG_LOG_NONE)
        tg_health_note(health, TG_HEALTH_NOTE, "none", "every verdict is lost: log = none");
    if (geteuid() != 0 && origin == TG_ORIGIN_SYSTEM)
        tg_health_note(health, TG_HEALTH_NOTE, "users",
                       "tried as this user alone: as root, doctor tries it as each");
}
