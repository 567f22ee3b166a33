/*
 * get.c - a libcurl program that is under a policy without any preloading: get POLICY URL RESOLVE
 */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <trustgraft.h>

static CURLcode guard(CURL *curl, void *ctx, void *policy)
{
    (void)curl;
    SSL_CTX_set_cert_verify_callback(ctx, tg_verify_callback, policy);
    return CURLE_OK;
}

int main(int argc, char **argv)
{
    char *errors = NULL;
    tg_policy *policy = argc == 4 ? tg_policy_load(argv[1], &errors) : NULL;
    CURL *curl = curl_easy_init();
    struct curl_slist *resolve = argc == 4 ? curl_slist_append(NULL, argv[3]) : NULL;
    CURLcode code;

    if (policy == NULL) {
        fputs(errors != NULL ? errors : "usage: get POLICY URL HOST:PORT:ADDRESS\n", stderr);
        return 2;
    }
    curl_easy_setopt(curl, CURLOPT_URL, argv[2]);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, guard);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, policy);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        fprintf(stderr, "get: %s\n", curl_easy_strerror(code));
    curl_easy_cleanup(curl);
    curl_slist_free_all(resolve);
    tg_policy_free(policy);
    return code == CURLE_OK ? 0 : 1;
}
