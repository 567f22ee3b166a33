/* resolve.h - the function that a call would have reached had we not been in between. */
#ifndef TG_RESOLVE_H
#define TG_RESOLVE_H

/* Every symbol we interpose: one table, its order that of the names in resolve.c. */
enum tg_symbol {
    TG_SSL_CTX_NEW,
    TG_SSL_CTX_NEW_EX,
    TG_SSL_NEW,
    TG_SSL_CTX_SET_CERT_VERIFY_CALLBACK,
    TG_SSL_SET_INFO_CALLBACK,
    TG_SSL_GET_INFO_CALLBACK,
    TG_SSL_CTX_SET_CUSTOM_VERIFY,
    TG_SSL_SET_CUSTOM_VERIFY,
    TG_SSL_CTX_FREE,
    TG_SSL_FREE,
    TG_GETADDRINFO,
    TG_GETHOSTBYNAME,
    TG_GETHOSTBYNAME2,
    TG_GETHOSTBYNAME_R,
    TG_GETHOSTBYNAME2_R,
    TG_GETADDRINFO_A,
    TG_GAI_ERROR,
    TG_GAI_SUSPEND,
    TG_CONNECT,
    TG_WRITE,
    TG_WRITEV,
    TG_SEND,
    TG_SENDTO,
    TG_SENDMSG,
    TG_SENDMMSG,
    TG_SYMBOLS
};

const char *tg_symbol_name(enum tg_symbol symbol);

/* A function of a libssl, and the SSL_CTX_new that goes with it. NULL: not found. */
struct tg_target {
    void *function;
    void *ssl_ctx_new;
};

/*
 * What the code at CALLER, a return address, would have reached as SYMBOL. It is never one of
 * our own wrappers. Safe in threads, constructors and forked children; preserves errno.
 */
struct tg_target tg_resolve_ssl(enum tg_symbol symbol, const void *caller);

/* The same for a function of libc, of which there is one; NULL if there is none. */
void *tg_resolve_libc(enum tg_symbol symbol);

#endif
