#include "targets.h"
#include "input.h"
#include "terminal.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 16 << 20 };
static const char blanks[] = " \t\r";

/* Reads one line's words, of which TEXT has at least one. False with a sentence in WHY. */
static bool read_line(char *text, const struct tg_route *route, struct tg_target *out,
                      struct tg_buf *why)
{
    char *rest = text;
    const char *host = strsep(&rest, blanks), *protocol;

    out->starttls = route->starttls;
    if (!tg_argument_host(host, &out->at, why))
        return false;
    rest += rest != NULL ? strspn(rest, blanks) : 0;
    if (rest == NULL || *rest == '\0')
        return true;
    protocol = strsep(&rest, blanks);
    if (rest != NULL && rest[strspn(rest, blanks)] != '\0') {
        tg_buf_printf(why, "more than HOST[:PORT] and a protocol: '%s'", rest);
        return false;
    }
    out->starttls = tg_starttls_named(protocol, why);
    return out->starttls != NULL;
}

static bool add(struct tg_targets *out, const struct tg_target *target)
{
    /* It doubles whenever COUNT comes to a power of two. */
    if ((out->count & (out->count - 1)) == 0) {
        size_t room = out->count > 0 ? 2 * out->count : 1;
        struct tg_target *grown = reallocarray(out->item, room, sizeof(*grown));

        if (grown == NULL) {
            tg_complain("%s", tg_no_memory);
            return false;
        }
        out->item = grown;
    }
    out->item[out->count++] = *target;
    return true;
}

static bool read_lines(char *text, const char *path, const struct tg_route *route,
                       struct tg_targets *out)
{
    bool right = true;
    char *line;

    for (unsigned number = 1; (line = strsep(&text, "\n")) != NULL; number++) {
        struct tg_target target;
        struct tg_buf why = {0};

        line[strcspn(line, "#")] = '\0';
        line += strspn(line, blanks);
        if (*line == '\0')
            continue;
        if (!read_line(line, route, &target, &why)) {
            tg_complain("%s:%u: %s", path, number, tg_why(&why));
            right = false;
        }
        tg_buf_free(&why);
        if (right && !add(out, &target))
            return false;
    }
    return right;
}

bool tg_targets_read(const char *path, const struct tg_route *route, struct tg_targets *out)
{
    const char *file = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    struct tg_buf data = {0};
    int error = tg_input_read(file, LARGEST, &data);
    bool is_list = false;

    if (error == ENOENT)
        tg_complain("%s: there is no such file: scan reads the hosts from a file or, for -, from "
                    "standard input",
                    path);
    else if (error != 0)
        tg_complain("%s: %s", path, strerror(error));
    else if (data.length > 0 && strlen(data.text) != data.length)
        tg_complain("%s: isn't a list of hosts: it holds NUL bytes", path);
    else if (data.length > 0)
        is_list = read_lines(data.text, path, route, out);
    if (error == 0 && out->count == 0 && (is_list || data.length == 0)) {
        tg_complain("%s: names no host", path);
        is_list = false;
    }
    tg_buf_free(&data);
    return is_list;
}
