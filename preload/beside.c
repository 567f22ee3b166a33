/*
 * beside.c - the connections of a program that uses a TLS library of unreached.h are
 * not under the policy: `trustgraft run` refuses to start such a program, but it can be a child, or
 * load the library later.
 *
 * Nothing tells of a dlopen(3): were it interposed, the search path of the wrapper would count and
 * not that of the caller. So each begin of a connection looks whether the number of libraries has
 * grown. Where OpenSSL, GnuTLS or NSS is linked as well, or a libcurl that is built with one
 * brought the library along, its presence says nothing of its use and isn't warned of; `trustgraft
 * doctor` tells it.
 *
 * The engine isn't loaded for this. Of its settings `log` is heeded, where it stands in the first
 * 16 KiB of the policy itself; a line for a file goes to syslog.
 */
#include "beside.h"
#include "bounded.h"
#include "early.h"
#include "engine.h"
#include "unreached.h"
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <paths.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

enum { TO_STDERR = 1, TO_SYSLOG = 2, TO_NONE = 4 };

static TG_EARLY pid_t process; /* in which no lock of the linker's can have been left locked */
static TG_EARLY bool alone;    /* there was one thread when the process forked */
static TG_EARLY _Atomic unsigned known; /* a bit for each row of tg_unreached that was seen */
static TG_EARLY _Atomic unsigned long long loaded;
static atomic_flag said = ATOMIC_FLAG_INIT;

/* glibc's since 2.32, and so is the header that declares it: weak. */
extern char __libc_single_threaded __attribute__((weak)); // NOLINT(bugprone-reserved-identifier)

/* ---- the line ----------------------------------------------------------------------------- */

/* What LINE of the section [policy] says of `log`; 0: nothing. */
static unsigned read_setting(const char *line)
{
    static const struct {
        const char *word;
        unsigned sink;
    } words[] = {
        {"stderr", TO_STDERR}, {"syslog", TO_SYSLOG}, {"none", TO_NONE}, {"file:", TO_SYSLOG}};
    unsigned sinks = 0;

    line += strspn(line, " \t");
    if (strncmp(line, "log", 3) != 0)
        return 0;
    line += 3 + strspn(line + 3, " \t");
    while (*line == '=' || *line == ',') {
        line += 1 + strspn(line + 1, " \t\"");
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strncmp(line, words[i].word, strlen(words[i].word)) == 0)
                sinks |= words[i].sink;
        line += strcspn(line, ",#");
    }
    return sinks;
}

/* Only the one thread that is to warn comes here. */
static unsigned find_sinks(void)
{
    static char text[16384 + 1];
    int fd = open(tg_engine_source()->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    unsigned sinks = 0;
    bool ours = false;

    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    for (char *line = text, *next; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next != '\0')
            *next++ = '\0';
        line += strspn(line, " \t");
        if (*line == '[')
            ours = strncmp(line + 1 + strspn(line + 1, " \t"), "policy", 6) == 0;
        else if (ours)
            sinks |= read_setting(line);
    }
    if (sinks == 0)
        sinks = tg_engine_source()->origin == TG_ORIGIN_ENVIRONMENT ? TO_STDERR : TO_SYSLOG;
    return sinks;
}

/* Never into a descriptor of the program's own, nor a connection that the process began with. */
static bool stderr_takes_a_line(void)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    struct stat status;

    if (fstat(STDERR_FILENO, &status) != 0 || !tg_engine_is_stderr(&status))
        return false;
    if (S_ISSOCK(status.st_mode) &&
        (getsockname(STDERR_FILENO, (struct sockaddr *)&address, &size) != 0 ||
         address.ss_family != AF_UNIX))
        return false;
    return poll(&ready, 1, 0) == 1 && ready.revents == POLLOUT;
}

static void put_syslog(const char *line, size_t length)
{
    const struct sockaddr_un logger = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return;
    (void)sendto(descriptor, line, length, MSG_NOSIGNAL, (const struct sockaddr *)&logger,
                 sizeof(logger));
    close(descriptor);
}

static void warn(const char *does, const char *name)
{
    char program[PATH_MAX], line[PATH_MAX + 256];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    unsigned sinks = find_sinks();
    int start, written;

    program[length > 0 ? length : 0] = '\0';
    for (ssize_t i = 0; i < length; i++)
        if (program[i] < ' ' || program[i] > '~')
            program[i] = '?';
    start = snprintf(line, sizeof(line), "<%d>", LOG_AUTHPRIV | LOG_WARNING);
    written = start + snprintf(line + start, sizeof(line) - (size_t)start,
                               "trustgraft: %s[%d] %s %s: that library's TLS connections are not "
                               "under the policy\n",
                               program, (int)getpid(), does, name);
    if (written >= (int)sizeof(line))
        return; /* no path is that long */
    if ((sinks & TO_SYSLOG) != 0)
        put_syslog(line, (size_t)written - 1);
    if ((sinks & TO_STDERR) != 0 && stderr_takes_a_line() &&
        tg_bounded_write(STDERR_FILENO, line + start, (size_t)(written - start)) < 0)
        return; /* a full disk loses it */
}

/* ---- what is there ------------------------------------------------------------------------ */

struct sight {
    unsigned found; /* as `known` */
    unsigned long long loaded;
    bool first, reached, curl, go;
};

static bool is_go(const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *note =
            (const char *)(info->dlpi_addr + segment->p_vaddr); // NOLINT(performance-no-int-to-ptr)
        ElfW(Nhdr) head;

        if (segment->p_type != PT_NOTE || segment->p_memsz < sizeof(head) + 4)
            continue;
        memcpy(&head, note, sizeof(head));
        if (head.n_namesz == 4 && memcmp(note + sizeof(head), "Go\0", 4) == 0)
            return true;
    }
    return false;
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct sight *sight = arg;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash != NULL ? slash + 1 : info->dlpi_name;
    int found = tg_unreached_find(name);

    if (size < offsetof(struct dl_phdr_info, dlpi_subs) || info->dlpi_adds == sight->loaded)
        return 1;
    if (sight->first)
        sight->go = is_go(info);
    sight->first = false;
    if (found >= 0)
        sight->found |= 1u << found;
    sight->reached |= strncmp(name, "libssl.so", 9) == 0 ||
                      strncmp(name, "libgnutls.so", 12) == 0 || strcmp(name, "libssl3.so") == 0;
    sight->curl |= strncmp(name, "libcurl", 7) == 0;
    return 0;
}

static int read_count(struct dl_phdr_info *info, size_t size, void *arg)
{
    *(unsigned long long *)arg =
        size < offsetof(struct dl_phdr_info, dlpi_subs) ? 0 : info->dlpi_adds;
    return 1;
}

static void look(bool begin)
{
    struct sight sight = {.loaded = atomic_load(&loaded), .first = begin};
    unsigned long long count = 0;
    unsigned fresh;

    (void)dl_iterate_phdr(read_count, &count);
    if (count == sight.loaded || dl_iterate_phdr(look_at, &sight) != 0)
        return;
    atomic_store(&loaded, count);
    fresh = sight.found & ~atomic_fetch_or(&known, sight.found);
    if ((fresh == 0 && !sight.go) || (sight.reached && (begin || sight.curl)) ||
        atomic_flag_test_and_set(&said))
        return;
    if (fresh == 0)
        warn("is written in", "Go");
    for (int i = 0; i < TG_UNREACHED; i++)
        if ((fresh & 1u << i) != 0) {
            warn(begin ? "links" : "has loaded", tg_unreached[i].name);
            return;
        }
}

static void before_fork(void)
{
    const char *single = &__libc_single_threaded;

    alone = single != NULL && *single && getpid() == process;
}

static void in_child(void)
{
    if (alone)
        process = getpid();
}

void tg_beside_tell(const char *does, const char *library)
{
    if (!atomic_flag_test_and_set(&said))
        warn(does, library);
}

void tg_beside_begin(void)
{
    int saved = errno;

    if (tg_engine_source()->origin == TG_ORIGIN_NONE)
        return;
    if (process == 0)
        (void)pthread_atfork(before_fork, NULL, in_child);
    process = getpid();
    look(true);
    errno = saved;
}

void tg_beside_look(void)
{
    int saved = errno;

    if (tg_engine_source()->origin != TG_ORIGIN_NONE && getpid() == process)
        look(false);
    errno = saved;
}

/* A library may have been loaded after the last look. */
__attribute__((destructor)) static void end(void)
{
    tg_beside_look();
}
