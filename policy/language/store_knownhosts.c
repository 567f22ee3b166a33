#include "store_knownhosts.h"
#include "image.h"
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
    const char *wrong =
        tg_parents_check(load->scratch, path, tg_load_compiles(load) ? NULL : &watching);

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
    tg_policy *policy = tg_load_home(load)->policy;
    struct tg_known_file *file = policy->known_files;

    while (file != NULL && strcmp(file->path, path) != 0)
        file = file->next;
    if (file != NULL)
        return file;
    if (load->base != NULL && load->base->compiled != NULL)
        return NULL; /* they were all entered when the image was opened */
    file = tg_load_keep(tg_load_home(load), sizeof(*file));
    path = file != NULL ? tg_load_keep_text(tg_load_home(load), path) : NULL;
    if (path == NULL)
        return NULL;
    file->path = path;
    file->next = policy->known_files;
    policy->known_files = file;
    return file;
}

static bool watch_image(struct tg_load *load, const char *path)
{
    const struct tg_watching watching = tg_load_watching(load);
    const char *image = tg_arena_sentence(load->scratch, "%s" TG_IMAGE_SUFFIX, path);

    return image != tg_no_memory && tg_watch_add(&watching, image);
}

/*
 * Notes and checks the file, and enters it. What an image was made of are the policy's other files:
 * of this one it keeps but the path, so that lines can be added.
 */
static const char *add_known(struct tg_load *load, const char *path, struct tg_known_file **out)
{
    const struct tg_watching watching = tg_load_watching(load);
    const char *wrong = NULL;

    if (load->base == NULL || load->base->compiled == NULL) {
        if (!tg_load_compiles(load) && (!tg_watch_add(&watching, path) || !watch_image(load, path)))
            return tg_no_memory;
        wrong = try_known(load, path);
    }
    if (wrong != NULL)
        return wrong;
    *out = get_known(load, path);
    return *out != NULL ? NULL : tg_no_memory;
}

const char *tg_store_known_path(struct tg_load *load, const char *path)
{
    struct tg_known_file *file;

    return add_known(load, path, &file);
}

void tg_store_known(struct tg_store *in)
{
    const struct tg_word *word = in->setting->values;
    const char *path = tg_source_path(in->load, in->section, word->text);
    const char *kept = path != NULL ? tg_load_keep_path(in->load, path) : NULL, *wrong;

    if (kept == NULL)
        return;
    wrong = add_known(in->load, kept, in->field);
    if (wrong != NULL)
        tg_load_error(in->load, in->section, word, NULL, "%s: %s: %s", in->setting->key->name, path,
                      wrong);
}
