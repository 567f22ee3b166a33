/* settings.h - what stands in the provider's section of openssl.cnf. */
#ifndef TG_SETTINGS_H
#define TG_SETTINGS_H

#include "provider.h"

struct tg_settings {
    const char *policy;  /* an absolute path, OpenSSL's own; NULL: not set */
    const char *problem; /* a sentence, static; NULL: all is well */
};

/* Never fails: settings that can't be read are a problem. */
void tg_settings_read(const struct tg_provider *provider, struct tg_settings *settings);

#endif
