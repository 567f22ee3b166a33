/* older.c - a libgnutls of 2011, as far as a program and the preload see of it. */
int gnutls_init(void **session, unsigned flags);
int gnutls_handshake(void *session);
long gnutls_record_recv(void *session, void *data, unsigned long size);

int gnutls_init(void **session, unsigned flags)
{
    static int one;

    (void)flags;
    *session = &one;
    return 0;
}

int gnutls_handshake(void *session)
{
    (void)session;
    return 0;
}

long gnutls_record_recv(void *session, void *data, unsigned long size)
{
    (void)session, (void)data, (void)size;
    return 0;
}
