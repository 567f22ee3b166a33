/* harvest.h - what `fetch` has found for a server, to be written and to be said. */
#ifndef TG_HARVEST_H
#define TG_HARVEST_H

#include "issuers.h"
#include "save.h"

/* Zero-initialise; tg_harvest_clear it. */
struct tg_harvest {
    const char *folder; /* absolute; NULL: nothing is to be written */
    struct tg_harvested {
        char path[PATH_MAX];
        struct tg_buf data;
    } files[3 * TG_ISSUERS_MOST]; /* an intermediate, a CRL and its source for each on the path */
    int file_count;
    struct tg_buf report, intermediates, crls; /* the last two: values of a policy */
    int lists, wanted;                         /* certificates whose CRL was had, and all */
    bool leaf_has;                             /* the leaf's CRL was had */
    bool failed; /* something was refused or couldn't be had, and was complained of */
};

/* Takes the path and its downloaded intermediates from ISSUERS, and downloads the CRLs. */
void tg_harvest_gather(struct tg_harvest *harvest, const struct tg_issuers *issuers,
                       const struct tg_download *how);

/* Writes all files, or none of them where that fails. False after a complaint. */
bool tg_harvest_write(const struct tg_harvest *harvest);

void tg_harvest_clear(struct tg_harvest *harvest);

#endif
