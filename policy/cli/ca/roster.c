#include "roster.h"
#include "altnames.h"
#include "credential.h"
#include "mem.h"
#include "terminal.h"
#include "write.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400 };

/* One that was issued. */
struct entry {
    char base[TG_BASE_SIZE]; /* its files' name */
    X509 *certificate;
    bool given;   /* it is the one below issued/ */
    bool renewed; /* it isn't, and there is a later one of that name */
};

struct roster {
    const struct tg_ca *ca;
    struct entry *item;
    size_t count;
    bool complete;
};

/* ---- reading ------------------------------------------------------------------------------ */

static struct entry *find(struct roster *roster, const X509 *certificate)
{
    for (size_t i = 0; i < roster->count; i++)
        if (X509_cmp(roster->item[i].certificate, certificate) == 0)
            return &roster->item[i];
    return NULL;
}

static bool append(struct roster *roster, const char *base, size_t length, X509 *certificate)
{
    struct entry *item = realloc(roster->item, (roster->count + 1) * sizeof(*item));

    if (item == NULL) {
        tg_complain("%s", tg_no_memory);
        return false;
    }
    roster->item = item;
    item += roster->count++;
    *item = (struct entry){.certificate = certificate};
    memcpy(item->base, base, length);
    return true;
}

/* Takes NAME in the FOLDER of the CA, of whose name LENGTH bytes are those of its files. */
static bool take(struct roster *roster, const char *folder, const char *name, size_t length,
                 bool given)
{
    char below[sizeof("issued/") + NAME_MAX], path[PATH_MAX];
    X509 *certificate = NULL;
    struct entry *known;
    bool missing = false, taken;

    snprintf(below, sizeof(below), "%s/%s", folder, name);
    if (!tg_ca_path(roster->ca, below, path))
        return false;
    certificate = tg_ca_read_certificate(path, &missing);
    if (certificate == NULL || !tg_certify_signed(certificate, roster->ca->root)) {
        if (certificate != NULL)
            tg_complain("%s: isn't from this CA", path);
        X509_free(certificate);
        roster->complete = roster->complete && missing; /* another command has taken it away */
        return true;
    }
    known = find(roster, certificate);
    taken = known != NULL || append(roster, name, length, certificate);
    if (known != NULL || !taken)
        X509_free(certificate);
    if (taken && given)
        (known != NULL ? known : &roster->item[roster->count - 1])->given = true;
    return taken;
}

/* The bytes before ".pem", or in a record before the number and ".pem"; 0: it is none of ours. */
static size_t base_length(const char *name, bool given)
{
    size_t length = strlen(name);
    const char *dot;

    if (name[0] == '.' || length <= 4 || strcmp(name + length - 4, ".pem") != 0)
        return 0;
    length -= 4;
    dot = given ? name + length : memrchr(name, '.', length);
    length = dot != NULL ? (size_t)(dot - name) : 0;
    return length < TG_BASE_SIZE ? length : 0;
}

static bool take_folder(struct roster *roster, const char *folder, bool given)
{
    char path[PATH_MAX];
    const struct dirent *one;
    bool taken = true;
    DIR *all;

    if (!tg_ca_path(roster->ca, folder, path))
        return false;
    all = opendir(path);
    if (all == NULL) {
        if (errno != ENOENT) /* nothing was issued yet */
            tg_complain("%s: %s", path, strerror(errno));
        return errno == ENOENT;
    }
    while (taken && (one = readdir(all)) != NULL) {
        size_t length = base_length(one->d_name, given);

        taken = length == 0 || take(roster, folder, one->d_name, length, given);
    }
    (void)closedir(all);
    return taken;
}

/* Of those of one second, the one that is below issued/ is the last. */
static int by_name_and_time(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;
    int order = strcmp(a->base, b->base);

    if (order == 0)
        order = ASN1_TIME_compare(X509_get0_notBefore(a->certificate),
                                  X509_get0_notBefore(b->certificate));
    return order != 0 ? order : a->given - b->given;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Whole days from now; negative where it is over. */
static int days_left(X509 *certificate)
{
    int days = 0, seconds = 0;

    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
        return -1;
    return days < 0 || seconds < 0 ? days - 1 : days;
}

/* Marks those that a later one of the same name has taken the place of. They are in order. */
static void mark_renewed(struct roster *roster)
{
    for (size_t i = 1; i < roster->count; i++)
        roster->item[i - 1].renewed = !roster->item[i - 1].given &&
                                      strcmp(roster->item[i - 1].base, roster->item[i].base) == 0;
}

static const char *state_of(const struct entry *entry)
{
    if (days_left(entry->certificate) < 0)
        return "expired";
    return entry->renewed ? "renewed" : "valid";
}

static void add_serial(struct tg_buf *out, X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;

    tg_buf_add(out, hex);
    out->failed = out->failed || hex == NULL;
    OPENSSL_free(hex);
    BN_free(number);
}

static void add_text(struct tg_buf *out, const struct entry *entry, const struct tg_altnames *names)
{
    const char *state = state_of(entry);
    enum tg_colour colour = state[0] == 'v' ? TG_GOOD : state[0] == 'e' ? TG_BAD : TG_FAINT;
    int days = days_left(entry->certificate);

    tg_buf_escape(out, entry->base, strlen(entry->base));
    tg_buf_printf(out, "  %s  %s%s%s",
                  tg_credential_is_client(entry->certificate) ? "client" : "server",
                  tg_terminal_colour(stdout, colour), state, tg_terminal_colour(stdout, TG_PLAIN));
    tg_buf_printf(out, days < 0 ? ", since " : ", %d %s left, until ", days,
                  days == 1 ? "day" : "days");
    tg_write_asn1_time(out, X509_get0_notAfter(entry->certificate));
    tg_buf_add(out, "\n    names   ");
    tg_altnames_text(out, names, ", ");
    tg_buf_add(out, "\n    serial  ");
    add_serial(out, entry->certificate);
    tg_buf_add(out, "\n");
}

static void add_object(struct tg_buf *out, const struct entry *entry,
                       const struct tg_altnames *names)
{
    struct tg_buf subject = {0};

    tg_write_name(&subject, X509_get_subject_name(entry->certificate));
    tg_buf_add(out, "{\"name\":");
    tg_buf_json(out, entry->base);
    tg_buf_add(out, ",\"subject\":");
    tg_buf_json(out, subject.length > 0 ? subject.text : "");
    tg_buf_printf(out, ",\"for\":\"%s\",\"state\":\"%s\",\"names\":[",
                  tg_credential_is_client(entry->certificate) ? "client" : "server",
                  state_of(entry));
    tg_buf_add(out, names->count > 0 ? "\"" : "");
    tg_altnames_text(out, names, "\",\""); /* letters, digits and ".:*-_" */
    tg_buf_add(out, names->count > 0 ? "\"" : "");
    tg_buf_add(out, "],\"serial\":\"");
    add_serial(out, entry->certificate);
    tg_buf_add(out, "\",\"not_before\":\"");
    tg_write_asn1_time(out, X509_get0_notBefore(entry->certificate));
    tg_buf_add(out, "\",\"not_after\":\"");
    tg_write_asn1_time(out, X509_get0_notAfter(entry->certificate));
    tg_buf_printf(out, "\",\"days_left\":%d,\"fingerprint\":\"", days_left(entry->certificate));
    tg_write_fingerprint(out, entry->certificate);
    tg_buf_add(out, "\"}\n");
    out->failed = out->failed || subject.failed;
    tg_buf_free(&subject);
}

static void write_entry(struct roster *roster, const struct entry *entry, bool json,
                        struct tg_buf *out)
{
    struct tg_altnames names = {0};
    GENERAL_NAMES *found = X509_get_ext_d2i(entry->certificate, NID_subject_alt_name, NULL, NULL);

    if (!tg_altnames_take(&names, found, entry->base)) {
        roster->complete = false;
        names.count = 0;
    }
    (json ? add_object : add_text)(out, entry, &names);
    free(names.item);
    GENERAL_NAMES_free(found);
}

bool tg_roster_write(const struct tg_ca *ca, bool json, struct tg_buf *out, bool *complete)
{
    struct roster roster = {.ca = ca, .complete = true};
    bool read = take_folder(&roster, "record", false) && take_folder(&roster, "issued", true);

    if (read && roster.count > 0)
        qsort(roster.item, roster.count, sizeof(*roster.item), by_name_and_time);
    mark_renewed(&roster);
    for (size_t i = 0; read && i < roster.count; i++)
        write_entry(&roster, &roster.item[i], json, out);
    *complete = roster.complete;
    for (size_t i = 0; i < roster.count; i++)
        X509_free(roster.item[i].certificate);
    free(roster.item);
    return read;
}
