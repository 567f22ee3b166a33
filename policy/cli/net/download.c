#include "download.h"
#include "address.h"
#include "loadable.h"
#include "mem.h"
#include "progress.h"
#include "text.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    REDIRECTS = 5,
    SLOWEST = 1000, /* bytes a second, for `seconds` */
    LONGEST = 600   /* seconds */
};

#undef curl_easy_setopt /* libcurl's checks of types know only functions that are linked */

/* libcurl's functions, by the names they have there. */
static struct {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_setopt) easy_setopt;
    __typeof__(&curl_easy_perform) easy_perform;
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
} curl;

static const struct tg_loadable_function functions[] = {
    {"curl_global_init", &curl.global_init},     {"curl_easy_init", &curl.easy_init},
    {"curl_easy_setopt", &curl.easy_setopt},     {"curl_easy_perform", &curl.easy_perform},
    {"curl_easy_strerror", &curl.easy_strerror}, {"curl_easy_cleanup", &curl.easy_cleanup},
};

/* One download. */
struct transfer {
    const struct tg_download *how;
    const char *url;
    struct tg_buf *data;
    bool too_large;
    char refused[INET6_ADDRSTRLEN]; /* the address that isn't public; "": none */
    char error[CURL_ERROR_SIZE];
};

static bool load(struct tg_buf *why)
{
    static const struct tg_loadable library = {.file = TG_LIBCURL,
                                               .called = "libcurl",
                                               .need = "downloads need libcurl (Debian: libcurl4)"};
    static bool loaded;

    if (loaded)
        return true;
    if (!tg_loadable_open(&library, functions, sizeof(functions) / sizeof(functions[0]), why))
        return false;
    loaded = curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!loaded)
        tg_buf_add(why, "libcurl can't be set up");
    return loaded;
}

/* ---- what libcurl calls ------------------------------------------------------------------- */

static size_t receive(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t length = size * count;

    transfer->too_large = transfer->data->length + length > transfer->how->largest;
    if (transfer->too_large)
        return 0;
    tg_buf_addn(transfer->data, bytes, length);
    return transfer->data->failed ? 0 : length;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;
    const struct sockaddr *peer = &address->addr;
    const void *bytes =
        peer->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)peer)->sin_addr;

    (void)purpose;
    if (!transfer->how->allow_private && !tg_address_is_public(peer)) {
        inet_ntop(peer->sa_family, bytes, transfer->refused, sizeof(transfer->refused));
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int show(void *arg, curl_off_t total, curl_off_t now, curl_off_t unused,
                curl_off_t unused_either)
{
    const struct transfer *transfer = arg;
    struct tg_buf text = {0};

    (void)unused, (void)unused_either;
    tg_buf_printf(&text, "%.1f MB  ", (double)now / 1e6);
    tg_buf_escape(&text, transfer->url, strlen(transfer->url));
    if (!text.failed)
        tg_progress_draw((uint64_t)now, (uint64_t)total, text.text);
    tg_buf_free(&text);
    return 0;
}

/* ------------------------------------------------------------------------------------------- */

bool tg_download_takes(const char *url)
{
    for (const char *at = url; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* CA certificates for https: a file or a directory. */
static bool set_anchors(CURL *handle, const char *path)
{
    struct stat status;
    bool folder = path != NULL && stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    return path == NULL ||
           (curl.easy_setopt(handle, CURLOPT_CAINFO, folder ? NULL : path) == CURLE_OK &&
            curl.easy_setopt(handle, CURLOPT_CAPATH, folder ? path : NULL) == CURLE_OK);
}

/*
 * A libcurl that doesn't know one of these would download with less care: then nothing is.
 * Through a proxy the server's address would be the proxy's business.
 */
static bool set_up(CURL *handle, struct transfer *transfer)
{
    const struct tg_download *how = transfer->how;
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_FOLLOWLOCATION, 1},
        {CURLOPT_MAXREDIRS, REDIRECTS},
        {CURLOPT_FAILONERROR, 1},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_NOPROGRESS, 0},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {CURLOPT_CONNECTTIMEOUT, how->seconds},
        {CURLOPT_LOW_SPEED_LIMIT, SLOWEST},
        {CURLOPT_LOW_SPEED_TIME, how->seconds},
        {CURLOPT_TIMEOUT, LONGEST},
    };
    const struct {
        CURLoption option;
        void *value;
    } pointers[] = {
        {CURLOPT_URL, (void *)transfer->url},
        {CURLOPT_PROTOCOLS_STR, "http,https"},
        {CURLOPT_REDIR_PROTOCOLS_STR, "http,https"},
        {CURLOPT_USERAGENT, "trustgraft/" TG_VERSION},
        {CURLOPT_PROXY, how->allow_private ? NULL : ""},
        {CURLOPT_ERRORBUFFER, transfer->error},
        {CURLOPT_WRITEDATA, transfer},
        {CURLOPT_OPENSOCKETDATA, transfer},
        {CURLOPT_XFERINFODATA, transfer},
    };
    bool set = set_anchors(handle, how->anchors);

    for (size_t i = 0; set && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        set = curl.easy_setopt(handle, numbers[i].option, numbers[i].value) == CURLE_OK;
    for (size_t i = 0; set && i < sizeof(pointers) / sizeof(pointers[0]); i++)
        set = curl.easy_setopt(handle, pointers[i].option, pointers[i].value) == CURLE_OK;
    return set && curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl.easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, show) == CURLE_OK;
}

static void explain(const struct transfer *transfer, CURLcode code, struct tg_buf *why)
{
    if (transfer->too_large)
        tg_buf_printf(why, "is larger than %zu bytes, which is the limit", transfer->how->largest);
    else if (transfer->data->failed)
        tg_buf_add(why, tg_no_memory);
    else if (transfer->refused[0] != '\0')
        tg_buf_printf(why,
                      "leads to %s, which is no public address: --allow-private lets it be "
                      "called",
                      transfer->refused);
    else
        tg_buf_add(why, transfer->error[0] != '\0' ? transfer->error : curl.easy_strerror(code));
}

bool tg_download(const struct tg_download *how, const char *url, struct tg_buf *data,
                 struct tg_buf *why)
{
    struct transfer transfer = {.how = how, .url = url, .data = data};
    CURLcode code = CURLE_FAILED_INIT;
    CURL *handle;

    if (!load(why))
        return false;
    handle = curl.easy_init();
    if (handle == NULL || !set_up(handle, &transfer)) {
        tg_buf_add(why, "libcurl can't be set up: 7.85 or later is needed");
    } else {
        code = curl.easy_perform(handle);
        tg_progress_clear();
        if (code != CURLE_OK)
            explain(&transfer, code, why);
        else if (data->length == 0)
            tg_buf_add(why, "is empty");
    }
    curl.easy_cleanup(handle);
    return code == CURLE_OK && data->length > 0;
}
