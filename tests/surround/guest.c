/*
 * guest.c - guest SCENARIO PKI trusting|trustless: a client in narrow circumstances. Prints, in
 * one line, what came of its connections.
 */
#include "ends.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *connect_once(void)
{
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);
    SSL *server = ends_accepting(ends_server("api", 0));
    const char *met = ends_meet(client, server);

    SSL_free(client);
    SSL_free(server);
    return met;
}

static void say(const char *word)
{
    (void)printf("%s\n", word);
    (void)fflush(stdout);
}

static void plain(void)
{
    say(connect_once());
}

static void at_exit(void)
{
    say(connect_once());
}

/* Its handler is registered behind OpenSSL's own, and so called before that. */
static void exiting(void)
{
    (void)OPENSSL_init_ssl(0, NULL);
    (void)atexit(at_exit);
}

static void without_configuration(void)
{
    (void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    say(connect_once());
}

static void configured_twice(void)
{
    (void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
    (void)CONF_modules_load_file(NULL, NULL, 0);
    (void)CONF_modules_load_file(NULL, NULL, 0);
    say(connect_once());
}

/* File names, new sockets and new programs are out of bounds. */
static const unsigned forbidden[] = {
    SYS_open,       SYS_openat, SYS_openat2,   SYS_stat,       SYS_lstat,    SYS_newfstatat,
    SYS_statx,      SYS_access, SYS_faccessat, SYS_faccessat2, SYS_readlink, SYS_readlinkat,
    SYS_getdents64, SYS_socket, SYS_connect,   SYS_execve,
};
#define FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))

/* seccomp(2): whoever does what is forbidden gets ACTION. */
static bool confine(unsigned action)
{
    struct sock_filter filter[2 * FORBIDDEN + 2];
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
    size_t at = 0;

    filter[at++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < FORBIDDEN; i++) {
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i], 0, 1);
        filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    }
    filter[at] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Two ends of a TCP connection, which both sides know their peer's address of. */
static bool make_wire(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    ends[1] = -1;
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
        connect(ends[0], (struct sockaddr *)&address, sizeof(address)) == 0)
        ends[1] = accept(listener, NULL, NULL);
    (void)close(listener);
    return ends[1] >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0;
}

/* A child, as servers have them: all files are read, then it is confined; 2 s later it connects. */
static void confined(unsigned action)
{
    SSL *client = ends_connecting(ends_client(), ENDS_HOST);
    SSL *server = ends_accepting(ends_server("api", 0));
    const char *before = connect_once();
    int status = 0, wire[2];
    pid_t pid = fork();

    if (pid == 0) {
        if (client == NULL || server == NULL || !make_wire(wire) ||
            SSL_set_fd(client, wire[0]) != 1 || SSL_set_fd(server, wire[1]) != 1 ||
            !confine(action))
            _exit(3);
        (void)sleep(2);
        _exit(ends_shake(client, server));
    }
    (void)waitpid(pid, &status, 0);
    (void)printf("%s, ", before);
    if (WIFSIGNALED(status))
        say("killed");
    else
        say(WEXITSTATUS(status) == 0 ? "stopped" : WEXITSTATUS(status) == 1 ? "through" : "broken");
}

static void forbidden_by_error(void)
{
    confined(SECCOMP_RET_ERRNO | EPERM);
}

static void forbidden_by_death(void)
{
    confined(SECCOMP_RET_KILL_PROCESS);
}

#ifdef OWN_GETADDRINFO
/* The program's own symbol stands before everybody else's. */
__attribute__((visibility("default"))) int getaddrinfo(const char *restrict name,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict list)
{
    __typeof__(&getaddrinfo) next = dlsym(RTLD_NEXT, "getaddrinfo");

    return next != NULL ? next(name, service, hints, list) : EAI_FAIL;
}
#endif

static void looking_up(void)
{
    struct addrinfo *found = NULL;
    int status = getaddrinfo("localhost", NULL, NULL, &found);

    if (status == 0)
        freeaddrinfo(found);
    say(status == 0 ? connect_once() : "broken");
}

static const struct ends_scenario scenarios[] = {
    {"plain", plain},
    {"exiting", exiting},
    {"without-configuration", without_configuration},
    {"configured-twice", configured_twice},
    {"forbidden-by-error", forbidden_by_error},
    {"forbidden-by-death", forbidden_by_death},
    {"looking-up", looking_up},
};

int main(int argc, char **argv)
{
    return ends_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
