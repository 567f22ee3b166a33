/* fetched.h - what `fetch` got for a server: the files to write, and the report of it. */
#ifndef TG_FETCHED_H
#define TG_FETCHED_H

#include "issuers.h"
#include "save.h"
#include "trustgraft.h"

/* Zero-initialise; tg_fetched_clear it. */
struct tg_fetched {
    const char *folder; /* absolute; NULL: nothing is to be written */
    struct tg_fetched_file {
        char path[PATH_MAX];
        struct tg_buf data;
    } files[3 * TG_ISSUERS_MOST]; /* an intermediate, a CRL and its source for each on the path */
    int file_count;
    struct tg_buf report, intermediates, crls; /* the last two: values of a policy */
    int crls_found, wanted;                    /* certificates whose CRL was had, and all */
    bool leaf_has;                             /* the leaf's CRL was had */
    bool failed; /* something was refused or couldn't be had, and was complained of */
};

/* Writes the name of CERTIFICATE's file, readable, and the same each time: "Partner-CA-3-67add116".
 * False: memory ran out. */
#define TG_FETCHED_NAME 42
TG_MUST_USE bool tg_fetched_name(const X509 *certificate, char name[TG_FETCHED_NAME]);

/* Takes the path and its downloaded intermediates from ISSUERS, and downloads the CRLs. */
void tg_fetched_gather(struct tg_fetched *fetched, const struct tg_issuers *issuers,
                       const struct tg_download *how);

/* Writes all files, or none of them where that fails. False after a complaint. */
TG_MUST_USE bool tg_fetched_write(const struct tg_fetched *fetched);

void tg_fetched_clear(struct tg_fetched *fetched);

#endif
