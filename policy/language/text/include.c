#include "include.h"
#include "override.h"
#include "parents.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One file to read, and where it was asked for. */
struct wanted {
    struct tg_section *section;
    const struct tg_word *word;
    const char *path;
};

/* What tells one file from another, however it is named. */
struct identity {
    dev_t device;
    ino_t inode;
};

static const char *directory_of(struct tg_load *load, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory =
        tg_arena_strndup(load->scratch, path, slash != NULL ? (size_t)(slash - path) + 1 : 0);

    if (directory == NULL)
        tg_load_lost(load);
    return directory;
}

/* Takes FILE over. */
static struct tg_source *append(struct tg_load *load, const char *path, struct tg_file *file)
{
    static const struct tg_source none;
    struct tg_source *source = tg_load_alloc(load, sizeof(*source));
    struct identity *identity = tg_load_alloc(load, sizeof(*identity));
    const char *kept = tg_load_keep_text(load, path); /* rules point to it */

    if (source == NULL || identity == NULL || kept == NULL) {
        tg_file_clear(file);
        return NULL;
    }
    *source = none;
    source->file = *file;
    *load->last_source = source;
    load->last_source = &source->next;
    source->path = kept;
    source->directory = directory_of(load, kept);
    identity->device = file->status.st_dev;
    identity->inode = file->status.st_ino;
    source->item = (struct tg_item){TG_TAG_SOURCE, (const char *)identity, sizeof(*identity)};
    source->by_path.item = (struct tg_item){TG_TAG_PATH, kept, strlen(kept)};
    source->by_path.rank = load->files++;
    if (source->directory == NULL || !tg_table_put(load->scratch, &load->table, &source->item) ||
        !tg_table_put(load->scratch, &load->table, &source->by_path.item))
        tg_load_lost(load);
    return source;
}

static const struct tg_source *find(struct tg_load *load, const struct tg_file *file)
{
    struct identity identity;

    memset(&identity, 0, sizeof(identity)); /* padding is compared too */
    identity.device = file->status.st_dev;
    identity.inode = file->status.st_ino;
    return (const struct tg_source *)tg_table_get(&load->table, TG_TAG_SOURCE,
                                                  (const char *)&identity, sizeof(identity));
}

/* Where a policy is compiled, OF is a part of its file, with the same path. */
static bool is_ancestor(const struct tg_source *source, const struct tg_source *of)
{
    while (of != NULL && of->path != source->path)
        of = of->parent;
    return of != NULL;
}

/* The file is one of the policy's already. */
static void complain_known(struct tg_load *load, const struct wanted *wanted,
                           const struct tg_source *known)
{
    if (is_ancestor(known, wanted->section->source))
        tg_load_error(load, wanted->section, wanted->word, NULL,
                      "%s includes itself: a cycle through %s:%u", known->path,
                      wanted->word->where.file, wanted->word->where.line);
    else
        tg_load_error(load, wanted->section, wanted->word, NULL,
                      "%s is included twice, here and at %s:%u", wanted->path,
                      known->included->where.file, known->included->where.line);
}

/* What is compiled is read section by section. */
static const char *look_at_file(struct tg_load *load, const char *path, struct tg_file *file)
{
    int fd = -1;
    const char *wrong = tg_file_open(load->scratch, AT_FDCWD, path, S_IFREG, &fd, &file->status);

    if (fd >= 0)
        close(fd);
    return wrong;
}

/* Reads PATH, or what it is to hold. NULL, or a sentence. */
static const char *read_file(struct tg_load *load, const char *path, struct tg_file *file)
{
    const struct tg_override *override = load->override;
    const struct tg_watching watching = tg_load_watching(load);
    const char *wrong = tg_parents_check(load->scratch, path, &watching);
    struct tg_buf text = {0};

    if (wrong == NULL)
        wrong = tg_load_compiles(load) ? look_at_file(load, path, file)
                                       : tg_file_read(load->scratch, path, file);
    if (wrong == NULL && !tg_watch_opened(&watching, path, &file->status)) {
        tg_file_clear(file);
        wrong = tg_no_memory;
    }
    if (wrong != NULL || override == NULL || file->status.st_dev != override->device ||
        file->status.st_ino != override->inode)
        return wrong;
    tg_buf_addn(&text, override->text, override->length);
    free(file->data);
    file->data = tg_buf_take(&text);
    file->size = file->data != NULL ? override->length : 0;
    return file->data != NULL ? NULL : tg_no_memory;
}

static void include_file(struct tg_load *load, const struct wanted *wanted)
{
    const struct tg_source *parent = wanted->section->source, *known;
    struct tg_file file = {0};
    struct tg_source *source;
    const char *wrong;

    wrong = read_file(load, wanted->path, &file);
    if (wrong != NULL) {
        tg_load_error(load, wanted->section, wanted->word, NULL, "%s: %s", wanted->path, wrong);
        return;
    }
    known = find(load, &file);
    if (known != NULL || parent->depth >= TG_INCLUDE_DEPTH) {
        tg_file_clear(&file);
        if (known != NULL)
            complain_known(load, wanted, known);
        else
            tg_load_error(load, wanted->section, wanted->word, NULL,
                          "%s is included more than %d files deep", wanted->path, TG_INCLUDE_DEPTH);
        return;
    }
    source = append(load, wanted->path, &file);
    if (source == NULL)
        return;
    source->parent = parent;
    source->included = wanted->word;
    source->depth = parent->depth + 1;
}

void tg_source_read_main(struct tg_load *load, const char *path)
{
    struct tg_file file = {0};
    const char *wrong;

    wrong = read_file(load, path, &file);
    if (wrong != NULL)
        tg_diag_add(load->diags, TG_ERROR, path, 0, 0, NULL, "%s", wrong);
    else
        append(load, path, &file);
}

const char *tg_source_path(struct tg_load *load, const struct tg_section *section, const char *name)
{
    struct tg_buf path = {0};
    char *copy;

    tg_buf_add(&path, name[0] == '/' ? "" : section->source->directory);
    tg_buf_add(&path, name);
    copy = path.failed ? NULL : tg_arena_strndup(load->scratch, path.text, path.length);
    tg_buf_free(&path);
    if (copy == NULL)
        tg_load_lost(load);
    return copy;
}

/* A directory of drop-ins may be absent; one that can't be read hides rules. */
static int stop_at(const char *path, int error)
{
    (void)path;
    return error != ENOENT;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The directory's own name is meant as it is, whatever characters it has. */
static char *escaped_pattern(const char *directory, const char *name)
{
    struct tg_buf pattern = {0};

    for (; name[0] != '/' && *directory; directory++) {
        if (strchr("*?[]\\", *directory) != NULL)
            tg_buf_add(&pattern, "\\");
        tg_buf_addn(&pattern, directory, 1);
    }
    tg_buf_add(&pattern, name);
    return tg_buf_take(&pattern);
}

/*
 * Whoever may write there can take rules away; it may be absent. One whose names can be listed but
 * not looked up (mode 0744) would seem to hold nothing to glob(3).
 */
static const char *check_directory(struct tg_load *load, const char *directory)
{
    const struct tg_watching watching = tg_load_watching(load);
    struct stat status;
    const char *wrong;
    int fd = -1;

    if (stat(directory, &status) != 0 && errno == ENOENT)
        return NULL;
    wrong = tg_parents_check(load->scratch, directory, &watching);
    if (wrong != NULL)
        return wrong;
    wrong = tg_file_open(load->scratch, AT_FDCWD, directory, S_IFDIR, &fd, &status);
    if (wrong == NULL && fstatat(fd, ".", &status, 0) != 0)
        wrong = tg_arena_sentence(load->scratch, "can't be searched: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return wrong;
}

/*
 * A drop-in that is added later changes its directory: what stands before the first wildcard.
 * False after a complaint.
 */
static bool watch_directory(struct tg_load *load, struct tg_section *section,
                            const struct tg_word *word)
{
    const struct tg_watching watching = tg_load_watching(load);
    struct tg_buf directory = {0};
    const char *slash = memrchr(word->text, '/', strcspn(word->text, "*?[")), *wrong = NULL;

    if (word->text[0] != '/')
        tg_buf_add(&directory, section->source->directory);
    if (slash != NULL)
        tg_buf_addn(&directory, word->text, (size_t)(slash - word->text) + 1);
    tg_buf_add(&directory, ".");
    if (directory.failed || !tg_watch_add(&watching, directory.text))
        tg_load_lost(load);
    else
        wrong = check_directory(load, directory.text);
    if (wrong != NULL)
        tg_load_error(load, section, word, NULL, "%s: its directory: %s", word->text, wrong);
    tg_buf_free(&directory);
    return wrong == NULL;
}

/* What PATH, which a pattern leads through, holds now or may hold later; it is no directory:
 * nothing. What it leads to may not be known: glob(3) would take that for nothing too. */
static bool pass_directory(struct tg_load *load, struct tg_section *section,
                           const struct tg_word *word, const char *path)
{
    const struct tg_watching watching = tg_load_watching(load);
    const char *wrong = NULL;
    struct stat status;

    if (stat(path, &status) == 0 ? !S_ISDIR(status.st_mode) : errno == ENOENT)
        return true;
    if (!tg_watch_add(&watching, path))
        tg_load_lost(load);
    else
        wrong = check_directory(load, path);
    if (wrong != NULL)
        tg_load_error(load, section, word, NULL, "%s: %s: %s", word->text, path, wrong);
    return wrong == NULL;
}

/* All directories behind the first wildcard of PATTERN, which ends in WORD, with a match or not. */
static bool pass_directories(struct tg_load *load, struct tg_section *section,
                             const struct tg_word *word, char *pattern)
{
    char *slash = pattern + strlen(pattern) - strlen(word->text) + strcspn(word->text, "*?[");
    bool passed = true;

    while (passed && (slash = strchr(slash, '/')) != NULL) {
        glob_t found = {0};

        *slash = '\0';
        if (glob(pattern, GLOB_NOSORT, NULL, &found) == GLOB_NOSPACE)
            tg_load_lost(load);
        *slash++ = '/';
        for (size_t i = 0; passed && i < found.gl_pathc; i++)
            passed = pass_directory(load, section, word, found.gl_pathv[i]);
        globfree(&found);
    }
    return passed;
}

static void include_glob(struct tg_load *load, struct tg_section *section,
                         const struct tg_word *word)
{
    char *pattern = escaped_pattern(section->source->directory, word->text);
    glob_t found = {0};
    int result = GLOB_NOSPACE;

    if (pattern != NULL && watch_directory(load, section, word) &&
        pass_directories(load, section, word, pattern))
        result = glob(pattern, GLOB_NOSORT, stop_at, &found);
    else if (pattern != NULL)
        result = GLOB_NOMATCH;
    free(pattern);
    if (result == GLOB_NOSPACE)
        tg_load_lost(load);
    else if (result == GLOB_ABORTED)
        tg_load_error(load, section, word, NULL, "%s: a directory in it can't be read: %m",
                      word->text);
    if (result == 0) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof(*found.gl_pathv), compare);
        for (size_t i = 0; i < found.gl_pathc; i++)
            include_file(load, &(struct wanted){section, word, found.gl_pathv[i]});
    }
    globfree(&found);
}

void tg_source_include(struct tg_load *load, struct tg_section *section,
                       const struct tg_setting *setting)
{
    for (const struct tg_word *word = setting->values; word != NULL; word = word->next) {
        const char *path;

        if (strpbrk(word->text, "*?[") != NULL) {
            include_glob(load, section, word);
            continue;
        }
        path = tg_source_path(load, section, word->text);
        if (path != NULL)
            include_file(load, &(struct wanted){section, word, path});
    }
}
