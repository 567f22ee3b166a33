/* dial.h - a TCP connection to a server, and what is said in the clear on it, within a time. */
#ifndef TG_DIAL_H
#define TG_DIAL_H

#include "resolve.h"
#include "text.h"

#define TG_PEER_SIZE (INET6_ADDRSTRLEN + 16)

/* A connection. Text that came is kept until it is asked for. */
struct tg_line {
    int fd;                  /* non-blocking; -1: none */
    int64_t deadline;        /* milliseconds of CLOCK_MONOTONIC, for all that is done on it */
    char peer[TG_PEER_SIZE]; /* "127.0.0.1 port 443" */
    char pending[1024];
    size_t length;
};

/* SECONDS from now. */
int64_t tg_dial_deadline(int seconds);

/* Milliseconds between looks at tg_dial_cancelled while something is waited for. */
#define TG_DIAL_SLICE 100

/* Ends everything that is waited for on any connection of the process, soon and for good. */
void tg_dial_cancel(void);
bool tg_dial_cancelled(void);

/*
 * Connects to the first of ADDRESSES that lets it, each getting its share of the time left. On
 * failure LINE->fd is -1 and WHY says what happened with each. Close LINE->fd.
 */
bool tg_dial(const struct tg_addresses *addresses, int64_t deadline, struct tg_line *line,
             struct tg_buf *why);

/* Waits for EVENTS of poll(2). False when the time is over. */
bool tg_line_wait(const struct tg_line *line, short events);

/* True if the time is over, or tg_dial_cancel was called. */
bool tg_line_is_over(const struct tg_line *line);

enum tg_line_state {
    TG_LINE_READ,
    TG_LINE_CLOSED,  /* by the server, or the connection broke */
    TG_LINE_TIMEOUT, /* the time is over */
    TG_LINE_TOO_LONG /* more than any server of the protocol says in a line */
};

/*
 * Reads a line that ends in LF into OUT, without its CR LF. OUT has room for SIZE bytes, what is
 * NUL in it being a question mark. Reads nothing that stands behind it from the socket's buffer
 * that it doesn't keep.
 */
enum tg_line_state tg_line_get(struct tg_line *line, char *out, size_t size);

/* Reads exactly SIZE bytes. */
enum tg_line_state tg_line_read(struct tg_line *line, void *out, size_t size);

/* Writes all SIZE bytes. */
enum tg_line_state tg_line_write(struct tg_line *line, const void *bytes, size_t size);

#endif
