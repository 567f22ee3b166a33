#include "census.h"
#include "health.h"
#include "inspect.h"
#include "mem.h"
#include "terminal.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DPKG "/var/lib/dpkg/info"

struct program {
    char *path, *package;
    dev_t device;
    ino_t inode;
    struct tg_inspection found;
};

struct census {
    struct program *item;
    size_t count, room;
    bool lost; /* memory ran out */
};

/* ---- which programs ------------------------------------------------------------------------- */

static bool is_machine_code(const char *path)
{
    char magic[4];
    FILE *file = fopen(path, "re");
    bool is = file != NULL && fread(magic, 1, sizeof(magic), file) == sizeof(magic) &&
              memcmp(magic, "\177ELF", sizeof(magic)) == 0;

    if (file != NULL)
        fclose(file);
    return is;
}

static bool has(const struct census *census, const struct stat *status)
{
    for (size_t i = 0; i < census->count; i++)
        if (census->item[i].inode == status->st_ino && census->item[i].device == status->st_dev)
            return true;
    return false;
}

static void add(struct census *census, const char *path)
{
    struct stat status;

    if (stat(path, &status) == -1 || !S_ISREG(status.st_mode) || access(path, X_OK) != 0 ||
        has(census, &status) || !is_machine_code(path))
        return;
    if (census->count == census->room) {
        size_t room = census->room > 0 ? 2 * census->room : 256;
        struct program *grown = reallocarray(census->item, room, sizeof(*grown));

        census->lost = census->lost || grown == NULL;
        if (grown == NULL)
            return;
        census->item = grown;
        census->room = room;
    }
    census->item[census->count] =
        (struct program){.path = strdup(path), .device = status.st_dev, .inode = status.st_ino};
    if (census->item[census->count].path != NULL)
        census->count++;
    else
        census->lost = true;
}

static void gather(struct census *census)
{
    const char *search = getenv("PATH");
    char *folders = strdup(search != NULL ? search : ""), *rest = folders, *folder;

    census->lost = folders == NULL;
    while (folders != NULL && (folder = strsep(&rest, ":")) != NULL) {
        DIR *directory = folder[0] == '/' ? opendir(folder) : NULL;
        const struct dirent *entry;
        char path[PATH_MAX];

        while (directory != NULL && (entry = readdir(directory)) != NULL)
            if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < PATH_MAX)
                add(census, path);
        if (directory != NULL)
            closedir(directory);
    }
    free(folders);
}

static void inspect(struct census *census)
{
    for (size_t i = 0; i < census->count; i++) {
        struct tg_health unread = {.as_json = true};

        tg_inspect_program(&unread, census->item[i].path, &census->item[i].found);
        census->lost = census->lost || unread.out.failed;
        tg_buf_free(&unread.out);
    }
}

/* ---- whose they are ------------------------------------------------------------------------- */

/* Where /bin is a link to /usr/bin, dpkg has files by either. */
static const char *below_usr(const char *path)
{
    return strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
}

static int by_path(const void *a, const void *b)
{
    const struct program *one = a, *other = b;

    return strcmp(below_usr(one->path), below_usr(other->path));
}

/* The programs that the file NAME.list or NAME:ARCH.list of dpkg has in it, a path a line. */
static void read_list(struct census *census, FILE *list, const char *name)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, list) > 0) {
        struct program wanted = {.path = line}, *found;

        line[strcspn(line, "\n")] = '\0';
        found = bsearch(&wanted, census->item, census->count, sizeof(*found), by_path);
        if (found != NULL && found->package == NULL)
            found->package = strndup(name, strcspn(name, ":"));
    }
    free(line);
}

static void find_packages(struct census *census)
{
    DIR *directory = opendir(DPKG);
    const struct dirent *entry;

    qsort(census->item, census->count, sizeof(*census->item), by_path);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char path[PATH_MAX], name[sizeof(entry->d_name)];
        const char *suffix = strstr(entry->d_name, ".list");
        FILE *list;

        if (suffix == NULL || strcmp(suffix, ".list") != 0)
            continue;
        snprintf(path, sizeof(path), DPKG "/%s", entry->d_name);
        snprintf(name, sizeof(name), "%.*s", (int)(suffix - entry->d_name), entry->d_name);
        list = fopen(path, "re");
        if (list == NULL)
            continue;
        read_list(census, list, name);
        fclose(list);
    }
    if (directory != NULL)
        closedir(directory);
}

/* ---- what is told --------------------------------------------------------------------------- */

static const char *name_of(const struct program *program)
{
    return strrchr(program->path, '/') + 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of(a), name_of(b));
}

static void add_object(struct tg_buf *out, const struct program *program)
{
    tg_buf_add(out, "{\"program\":");
    tg_buf_json(out, program->path);
    tg_buf_add(out, ",\"package\":");
    tg_buf_json(out, program->package);
    tg_buf_add(out, ",\"tls\":");
    tg_buf_json(out, program->found.tls);
    tg_buf_printf(out, ",\"preload\":%s,\"provider\":%s}\n",
                  program->found.preload ? "true" : "false",
                  program->found.provider ? "true" : "false");
}

static void add_line(struct tg_buf *out, const struct program *program)
{
    const struct tg_inspection *found = &program->found;
    const char *way = found->preload && found->provider ? "both"
                      : found->preload                  ? "preload"
                      : found->provider                 ? "provider"
                                                        : "no";

    tg_buf_printf(out, "  %s%-8s%s  ",
                  tg_terminal_colour(stdout, found->preload ? TG_GOOD : TG_BAD), way,
                  tg_terminal_colour(stdout, TG_PLAIN));
    tg_buf_escape(out, name_of(program), strlen(name_of(program)));
    tg_buf_printf(out, "  (%s%s%s)\n", found->tls, program->package != NULL ? ", " : "",
                  program->package != NULL ? program->package : "");
}

static void tell(struct tg_buf *out, const struct census *census, bool json)
{
    size_t both = 0, preload = 0, none = 0, load = 0;

    for (size_t i = 0; i < census->count; i++) {
        const struct program *program = &census->item[i];

        load += program->found.tls == NULL && program->found.loads;
        if (program->found.tls == NULL)
            continue;
        both += program->found.preload && program->found.provider;
        preload += program->found.preload && !program->found.provider;
        none += !program->found.preload && !program->found.provider;
        if (json)
            add_object(out, program);
        else
            add_line(out, program);
    }
    if (json)
        return;
    tg_buf_printf(out,
                  "\nOf the programs in PATH %zu are reached by both ways in, %zu by the preload "
                  "library alone, and %zu do TLS out of reach.\n%zu more load libraries while they "
                  "run, as Python, Perl and PHP do: they are reached where their modules use "
                  "OpenSSL, GnuTLS or NSS. `trustgraft doctor CMD` tells of each.\n",
                  both, preload, none, load);
}

bool tg_census(struct tg_buf *out, bool json)
{
    struct census census = {0};

    gather(&census);
    inspect(&census);
    if (census.count > 0) {
        find_packages(&census);
        qsort(census.item, census.count, sizeof(*census.item), by_name);
    }
    tell(out, &census, json);
    for (size_t i = 0; i < census.count; i++) {
        free(census.item[i].path);
        free(census.item[i].package);
    }
    free(census.item);
    if (census.lost)
        tg_complain("%s", tg_no_memory);
    return !census.lost;
}
