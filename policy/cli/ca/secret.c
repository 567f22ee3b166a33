#include "secret.h"
#include "input.h"
#include "terminal.h"
#include "text.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RANDOM_BYTES = 18, LARGEST = 1 << 16 };

/* Takes the first LENGTH bytes of TEXT for the password. */
static bool take(const char *text, size_t length, const char *where, char out[TG_SECRET_SIZE])
{
    if (length == 0 || length >= TG_SECRET_SIZE) {
        tg_complain("%s: a password has 1 to %d bytes", where, TG_SECRET_SIZE - 1);
        return false;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static bool read_file(const char *path, char out[TG_SECRET_SIZE])
{
    struct tg_buf data = {0};
    int error = tg_input_read(path, LARGEST, &data);
    bool taken = false;

    if (error != 0)
        tg_complain("--password-file: %s: %s", path, strerror(error));
    else
        taken = take(data.text != NULL ? data.text : "",
                     data.text != NULL ? strcspn(data.text, "\r\n") : 0, "--password-file", out);
    if (data.text != NULL)
        OPENSSL_cleanse(data.text, data.length);
    tg_buf_free(&data);
    return taken;
}

static bool ask(char out[TG_SECRET_SIZE])
{
    if (EVP_read_pw_string_min(out, 1, TG_SECRET_SIZE - 1, "Password of the PKCS#12 file: ", 1) ==
        0)
        return true;
    tg_complain("--password-file -: no password was given, or not twice the same");
    return false;
}

static bool invent(char out[TG_SECRET_SIZE])
{
    unsigned char bytes[RANDOM_BYTES];
    bool made = RAND_bytes(bytes, sizeof(bytes)) == 1;

    if (made)
        EVP_EncodeBlock((unsigned char *)out, bytes, sizeof(bytes));
    else
        tg_complain("libcrypto has no random numbers");
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return made;
}

bool tg_secret_get(const char *file, char out[TG_SECRET_SIZE], bool *made)
{
    const char *value = getenv("TRUSTGRAFT_P12_PASSWORD");

    *made = file == NULL && value == NULL;
    if (*made)
        return invent(out);
    if (file == NULL)
        return take(value, strlen(value), "TRUSTGRAFT_P12_PASSWORD", out);
    if (strcmp(file, "-") != 0)
        return read_file(file, out);
    return isatty(STDIN_FILENO) ? ask(out) : read_file("/dev/stdin", out);
}
