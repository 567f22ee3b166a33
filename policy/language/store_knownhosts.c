#include "store_knownhosts.h"
#include "include.h"
#include "parents.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Only whether it may be read is checked now: its lines are when a connection needs them. */
static const char *try_known(struct tg_load *load, const char *path)
{
    const struct tg_watching watching = tg_load_watching(load);
    struct stat status;
    int fd = -1;
    const char *wrong = tg_parents_check(load->scratch, path, &watching);

    if (wrong == NULL)
        wrong = tg_file_open(load->scratch, AT_FDCWD, path, S_IFREG, &fd, &status);
    if (fd >= 0)
        close(fd);
    return wrong;
}

/* PATH, the policy's, is absolute: it is opened later, when the working directory may be another.
 */
static struct tg_known_file *get_known(struct tg_load *load, const char *path)
{
    struct tg_known_file *file = load->policy->known_files;

    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    if (file != NULL)
        return file;
    file = tg_load_keep(load, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->path = path;
    file->next = load->policy->known_files;
    load->policy->known_files = file;
    return file;
}

void tg_store_known(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;
    const char *path = tg_source_path(in->load, in->section, word->text);
    const struct tg_watching watching = tg_load_watching(in->load);
    const char *kept = path != NULL ? tg_load_keep_path(in->load, path) : NULL, *wrong;

    if (kept == NULL)
        return;
    wrong = tg_watch_add(&watching, kept) ? try_known(in->load, kept) : tg_no_memory;
    if (wrong != NULL)
        tg_load_error(in->load, in->section, word, NULL, "%s: %s: %s", in->setting->key->name, path,
                      wrong);
    else
        *(struct tg_known_file **)in->field = get_known(in->load, kept);
}
