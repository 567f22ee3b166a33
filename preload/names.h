/*
 * names.h - the names this process looked up, by the addresses it got for them: what a
 * connection is called where the application gives the library no name and sends none.
 */
#ifndef TG_NAMES_H
#define TG_NAMES_H

#include <netdb.h>
#include <sys/socket.h>

/* Remembers that NAME (NULL or a literal address: nothing) led to each address of LIST. */
void tg_names_add_addrinfo(const char *name, const struct addrinfo *list);
void tg_names_add_hostent(const char *name, const struct hostent *entry);

/*
 * The name that led to PEER: this thread's last, else the last of all. Writes it, at most 255
 * bytes and a NUL, to OUT, or returns 0. Takes no lock; a tg_inject_name_source.
 */
int tg_names_find(const struct sockaddr *peer, socklen_t length, char *out);

#endif
