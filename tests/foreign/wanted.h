/* wanted.h - what the client asks its library to verify. */
#ifndef WANTED_H
#define WANTED_H

#include <openssl/x509_vfy.h>

/* False: WORD is about something else. */
int wanted_read(const char *word);

/* Sets all that was read; where that fails, the client exits with 2. */
void wanted_set(X509_VERIFY_PARAM *param);

#endif
