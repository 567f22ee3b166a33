/*
 * download.h - files from the web, by libcurl, for addresses that certificates of strangers name.
 * It is loaded at the first download, and thirty libraries with it.
 */
#ifndef TG_DOWNLOAD_H
#define TG_DOWNLOAD_H

#include "text.h"
#include "trustgraft.h"

struct tg_download {
    bool allow_private;  /* also from addresses that aren't public, and through a proxy */
    int seconds;         /* to connect, and for how long the server may be almost silent */
    const char *anchors; /* file or directory of CAs for https; NULL: libcurl's own */
    size_t largest;      /* bytes */
};

/* True if URL can be followed: it is http or https, and plain ASCII. */
bool tg_download_takes(const char *url);

/*
 * Reads URL into DATA. Schemes, redirects, size and time are bounded. The address is checked where
 * the socket is made, so that a name that resolves anew doesn't lead elsewhere. Shows its progress
 * on a terminal. False with a sentence in WHY.
 */
TG_MUST_USE bool tg_download(const struct tg_download *how, const char *url, struct tg_buf *data,
                             struct tg_buf *why);

#endif
