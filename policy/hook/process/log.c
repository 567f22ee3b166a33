#include "log.h"
#include "arrival.h"
#include "bounded.h"
#include "libc.h"
#include "policy.h"
#include "report.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* What syslog's daemons take of a message (rsyslog's maxMessageSize is 8k), less its header. */
#define SYSLOG_MOST 8000

/*
 * LINE, or into LESS, to be freed, what of it fits into MOST bytes: a line of JSON (TOLD is not
 * NULL) stays one. NULL: no memory.
 */
static const struct tg_buf *within(const struct tg_buf *line, const struct tg_log_told *told,
                                   size_t most, struct tg_buf *less)
{
    size_t length = most - 3;
    char *text = NULL;

    if (line->length <= most)
        return line;
    if (told != NULL) {
        text = tg_verdict_json_within(told->verdict, told->occasion, most);
        if (text != NULL)
            tg_buf_add(less, text);
        free(text);
    } else {
        while (length > 0 && ((unsigned char)line->text[length] & 0xC0) == 0x80)
            length--;
        tg_buf_addn(less, line->text, length);
        tg_buf_add(less, "...");
    }
    return less->text != NULL && !less->failed ? less : NULL;
}

/* One write a line, so that the lines of several processes don't mix. A full disk loses it. */
static void put(int descriptor, const struct tg_buf *line)
{
    ssize_t written = tg_bounded_write(descriptor, line->text, line->length);

    (void)written;
}

/* What descriptor 2 was when the process began, or at least when this library was loaded. */
static dev_t stderr_device;
static ino_t stderr_inode; /* 0: it was closed */

void tg_log_set_stderr(dev_t device, ino_t inode)
{
    stderr_device = device;
    stderr_inode = inode;
}

static bool closes_on_exec(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFD);

    return flags >= 0 && (flags & FD_CLOEXEC);
}

/*
 * What came through exec doesn't close on exec, unless the program has set that for all three
 * (Node does); what the program opened itself most often does.
 */
__attribute__((constructor)) static void look_at_stderr(void)
{
    struct stat status;

    if (fstat(STDERR_FILENO, &status) == 0 &&
        (!closes_on_exec(STDERR_FILENO) || closes_on_exec(STDIN_FILENO) ||
         closes_on_exec(STDOUT_FILENO)))
        tg_log_set_stderr(status.st_dev, status.st_ino);
}

/* A program that closed its stderr may have opened a file, pipe or socket of its own there. */
static bool is_own(const struct stat *status)
{
    return stderr_inode == 0 || status->st_dev != stderr_device || status->st_ino != stderr_inode;
}

/* The connection of a server that inetd(8) started is its stderr, too. */
static bool is_connection(const struct stat *status)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    struct stat in;

    if (!S_ISSOCK(status->st_mode))
        return false;
    return getsockname(STDERR_FILENO, (struct sockaddr *)&address, &size) != 0 ||
           address.ss_family != AF_UNIX ||
           (fstat(STDIN_FILENO, &in) == 0 && in.st_dev == status->st_dev &&
            in.st_ino == status->st_ino);
}

/*
 * Never waits for a reader, nor raises SIGPIPE where there is none: a pipe that polls as
 * writable takes PIPE_BUF bytes (pipe(7)).
 */
static void put_stderr(const struct tg_buf *line, const struct tg_log_told *told)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct tg_buf less = {0}, out = {0};
    const struct tg_buf *fit = NULL;
    struct stat status;

    if (fstat(STDERR_FILENO, &status) != 0 || is_own(&status) || is_connection(&status) ||
        poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
        return;
    fit = within(line, told, S_ISREG(status.st_mode) ? SIZE_MAX : PIPE_BUF - 1, &less);
    if (fit != NULL)
        tg_buf_addn(&out, fit->text, fit->length);
    tg_buf_add(&out, "\n");
    if (fit != NULL && !out.failed && S_ISSOCK(status.st_mode))
        (void)send(STDERR_FILENO, out.text, out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    else if (fit != NULL && !out.failed)
        put(STDERR_FILENO, &out);
    tg_buf_free(&less);
    tg_buf_free(&out);
}

/*
 * Opened for each line: a rotated file is found again, and nothing is inherited by others.
 * NULL, or what kept the line from it.
 */
static const char *put_file(const char *path, const struct tg_buf *line)
{
    struct iovec parts[] = {{line->text, line->length}, {(char *)"\n", 1}};
    int descriptor =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    const char *problem = NULL;
    struct stat status;
    ssize_t written;

    if (descriptor < 0)
        return strerrordesc_np(errno);
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        problem = "Not a regular file";
    else if (tg_bounded_full(descriptor, &status, line->length + 1))
        problem = strerrordesc_np(EFBIG);
    else if ((written = writev(descriptor, parts, 2)) < (ssize_t)line->length + 1)
        problem = strerrordesc_np(written < 0 ? errno : ENOSPC);
    close(descriptor);
    return problem;
}

/* RFC 3164 section 4.1, in English whatever the program's locale. A line of JSON gets a tag before
 * it. */
static void add_header(struct tg_buf *message, int priority, const char *line)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm local;

    tg_buf_printf(message, "<%d>", LOG_AUTHPRIV | priority);
    if (localtime_r(&now, &local) != NULL)
        tg_buf_printf(message, "%s %2d %02d:%02d:%02d ", months[local.tm_mon], local.tm_mday,
                      local.tm_hour, local.tm_min, local.tm_sec);
    tg_buf_add(message, line[0] == '{' ? "trustgraft: " : "");
}

/* Not by syslog(3), which waits for a logger that doesn't read, and with it the program. */
static void put_syslog(int priority, const struct tg_buf *line)
{
    const struct sockaddr_un logger = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct tg_buf message = {0};

    if (descriptor < 0)
        return;
    add_header(&message, priority, line->text);
    tg_buf_add(&message, line->text);
    if (!message.failed)
        (void)sendto(descriptor, message.text, message.length, MSG_NOSIGNAL,
                     (const struct sockaddr *)&logger, sizeof(logger));
    tg_buf_free(&message);
    close(descriptor);
}

static unsigned sinks_of(const tg_policy *policy, enum tg_origin origin)
{
    if (policy != NULL && policy->log_sinks != 0)
        return policy->log_sinks;
    return origin == TG_ORIGIN_ENVIRONMENT ? TG_LOG_STDERR : TG_LOG_SYSLOG;
}

static void complain_of_file(const char *path, const char *problem, enum tg_origin origin)
{
    const char *program = tg_process_program();
    struct tg_buf text = {0};

    tg_buf_escape(&text, program, strlen(program));
    tg_buf_printf(&text, "[%d]: the log ", (int)getpid());
    tg_buf_escape(&text, path, strlen(path));
    tg_buf_printf(&text, " can't be written (%s), its lines go to syslog", problem);
    if (!text.failed)
        tg_log_complain(origin, "%s", text.text);
    tg_buf_free(&text);
}

/*
 * A process that gave up its privileges or its root directory may not reach the file any more:
 * its lines aren't lost without a word. That is said again only once the file has worked.
 */
static bool is_in_file(const char *path, enum tg_origin origin, const struct tg_buf *line)
{
    static atomic_bool said;
    const char *problem = put_file(path, line);

    if (!atomic_exchange(&said, problem != NULL) && problem != NULL)
        complain_of_file(path, problem, origin);
    return problem == NULL;
}

void tg_log_put(const tg_policy *policy, enum tg_origin origin, int priority,
                const struct tg_buf *line, const struct tg_log_told *told)
{
    unsigned sinks = sinks_of(policy, origin);
    struct tg_buf less = {0};
    const struct tg_buf *fit = NULL;

    if (line->failed)
        return;
    if ((sinks & TG_LOG_FILE) && !is_in_file(policy->log_file, origin, line))
        sinks |= TG_LOG_SYSLOG;
    if (sinks & TG_LOG_SYSLOG)
        fit = within(line, told, SYSLOG_MOST, &less);
    if (fit != NULL)
        put_syslog(priority, fit);
    tg_buf_free(&less);
    if (sinks & TG_LOG_STDERR)
        put_stderr(line, told);
}

void tg_log_complain(enum tg_origin origin, const char *format, ...)
{
    struct tg_buf line = {0};
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0) {
        tg_buf_printf(&line, "trustgraft: %s", text);
        tg_log_put(NULL, origin, LOG_ERR, &line, NULL);
        free(text);
    }
    va_end(arguments);
    tg_buf_free(&line);
}
