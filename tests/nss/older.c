/* older.c - a libssl3 that lacks most, as far as a program and the preload see of it. */
void *SSL_ImportFD(void *model, void *fd);
int SSL_GetNumImplementedCiphers(void);

void *SSL_ImportFD(void *model, void *fd)
{
    (void)model;
    return fd;
}

int SSL_GetNumImplementedCiphers(void)
{
    return 0;
}
