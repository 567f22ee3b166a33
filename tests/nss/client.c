/*
 * client.c - client PKI PORT WORD...: a client of NSS, and what comes of each of its steps. The
 * words say what it does:
 *   url=NAME           the name that it gives its library
 *   dial=NAME          looked up before it connects; else the address is used
 *   trust=NAME         the certificate that its database trusts
 *   distrust=NAME      the one that its database has to say that it isn't trusted
 *   hook=ANSWER        a callback of its own; ANSWER: yes, no, library, hand, wait, url
 *   then=NAME          the name that url gives
 *   bad=ANSWER         one for a certificate that was refused; ANSWER: yes, no
 *   done               one for the end of the handshake
 *   model reconfig     sets them on another socket, and copies them from there
 *   late               sets them once the handshake is set up
 *   force              has the library shake hands by itself; else by writing
 *   hand=NAME          takes the leaf, and verifies path, name and dates of it by hand
 *   told               asks for the words of the error, twice
 *   after=NAME         gives another name after the handshake
 *   twice              a second connection resumes the session
 *   second=NAME        a second connection that resumes nothing
 *   swap=FROM,TO       moves a file, and resumes the session until something else comes of it
 *   early              which sends data at once
 *   max=VERSION min=VERSION      of TLS, as 0304
 *   dtls memory nonblocking      how the bytes go
 *   connect=ROLE       has the library connect; ROLE "server" is set when that is too late
 *   plain              sockets begin without TLS, which is switched on later
 *   duplex             another thread reads, from the beginning
 *   psk                by a key that both have
 *   again              renegotiates
 *   unseen             makes its sockets by a function that it has found for itself
 *   threads=N fork     does it in N threads at once; in a child
 */
#include "client.h"
#include <dlfcn.h>
#include <nspr.h>
#include <nss.h>
#include <nssb64.h>
#include <pk11pub.h>
#include <pthread.h>
#include <secerr.h>
#include <sslexp.h>
#include <sslproto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_OPENSSL
#include <openssl/ssl.h>
#endif

static const char *pki;
static char **words;
static int port;

const char *client_word(const char *name)
{
    size_t length = strlen(name);

    for (char **word = words; *word != NULL; word++)
        if (strncmp(*word, name, length) == 0 && ((*word)[length] == '=' || (*word)[length] == 0))
            return (*word)[length] == '=' ? *word + length + 1 : *word;
    return NULL;
}

bool client_is(const char *name, const char *value)
{
    return client_word(name) != NULL && strcmp(client_word(name), value) == 0;
}

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, PR_ErrorToName(PR_GetError()));
    exit(2);
}

/* ---- the database ---- */

static void add_certificate(const char *name, const char *flags)
{
    char path[4096], text[65536], *from, *to;
    CERTCertTrust trust;
    CERTCertificate *certificate;
    FILE *file;
    SECItem der = {siBuffer, NULL, 0};

    snprintf(path, sizeof(path), "%s/%s.pem", pki, name);
    file = fopen(path, "r");
    need(file != NULL, path);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    from = strstr(text, "-----BEGIN CERTIFICATE-----") + strlen("-----BEGIN CERTIFICATE-----");
    to = strstr(text, "-----END");
    *to = '\0';
    need(NSSBase64_DecodeBuffer(NULL, &der, from, (unsigned)strlen(from)) != NULL, "base64");
    certificate = CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &der, NULL, PR_FALSE, PR_TRUE);
    need(certificate != NULL && CERT_DecodeTrustString(&trust, flags) == SECSuccess, name);
    need(PK11_ImportCert(PK11_GetInternalKeySlot(), certificate, CK_INVALID_HANDLE, name,
                         PR_FALSE) == SECSuccess,
         "import");
    need(CERT_ChangeCertTrust(CERT_GetDefaultCertDB(), certificate, &trust) == SECSuccess, "trust");
    CERT_DestroyCertificate(certificate);
}

static void open_database(void)
{
    char folder[4096], text[4200];

    snprintf(folder, sizeof(folder), "%s/nss-XXXXXX", getenv("HOME"));
    need(mkdtemp(folder) != NULL, folder);
    snprintf(text, sizeof(text), "sql:%s", folder);
    need(NSS_InitReadWrite(text) == SECSuccess, "NSS_InitReadWrite");
    need(PK11_InitPin(PK11_GetInternalKeySlot(), NULL, "") == SECSuccess, "PK11_InitPin");
    need(NSS_SetDomesticPolicy() == SECSuccess, "policy");
    if (client_word("trust") != NULL)
        add_certificate(client_word("trust"), "C,,");
    if (client_word("distrust") != NULL)
        add_certificate(client_word("distrust"), "p,,");
}

/* ---- one connection ---- */

static __typeof__(&SSL_ImportFD) import_function(void)
{
    void *library = dlopen("libssl3.so", RTLD_NOLOAD | RTLD_LAZY);
    const char *name = client_word("dtls") != NULL ? "DTLS_ImportFD" : "SSL_ImportFD";

    if (client_word("unseen") != NULL && library != NULL)
        return (__typeof__(&SSL_ImportFD))dlsym(library, name);
    return client_word("dtls") != NULL ? DTLS_ImportFD : SSL_ImportFD;
}

static void set_versions(PRFileDesc *socket)
{
    SSLVersionRange range = {SSL_LIBRARY_VERSION_TLS_1_0, SSL_LIBRARY_VERSION_TLS_1_3};

    if (client_word("dtls") != NULL)
        range = (SSLVersionRange){SSL_LIBRARY_VERSION_TLS_1_1, SSL_LIBRARY_VERSION_TLS_1_2};
    if (client_word("max") != NULL)
        range.max = (PRUint16)strtol(client_word("max"), NULL, 16);
    if (client_word("min") != NULL)
        range.min = (PRUint16)strtol(client_word("min"), NULL, 16);
    need(SSL_VersionRangeSet(socket, &range) == SECSuccess, "versions");
}

static void set_key(PRFileDesc *socket)
{
    SECItem item = {siBuffer, (unsigned char *)"\1\2\3\4\1\2\3\4\1\2\3\4\1\2\3\4", 16};
    PK11SymKey *key = PK11_ImportSymKey(PK11_GetInternalSlot(), CKM_HKDF_KEY_GEN, PK11_OriginUnwrap,
                                        CKA_DERIVE, &item, NULL);

    need(key != NULL && SSL_AddExternalPsk(socket, key, (const PRUint8 *)"Client_identity", 15,
                                           ssl_hash_sha256) == SECSuccess,
         "psk");
}

/* A socket of TLS as the words say; NULL: the library makes none. */
static PRFileDesc *import(const char *name)
{
    PRFileDesc *plain = client_dial(port), *model = NULL, *other = NULL, *socket = NULL;
    bool copied = client_word("model") != NULL || client_word("reconfig") != NULL;

    if (copied) {
        other = client_word("dtls") != NULL ? PR_NewUDPSocket() : PR_NewTCPSocket();
        model = import_function()(NULL, other);
        if (model == NULL)
            return NULL;
        client_set_verification(model);
    }
    socket = import_function()(client_word("model") != NULL ? model : NULL, plain);
    if (socket == NULL)
        return NULL;
    need(SSL_OptionSet(socket, SSL_SECURITY, PR_TRUE) == SECSuccess, "security");
    need(SSL_OptionSet(socket, SSL_ENABLE_SESSION_TICKETS, PR_TRUE) == SECSuccess, "tickets");
    if (client_word("early") != NULL)
        need(SSL_OptionSet(socket, SSL_ENABLE_0RTT_DATA, PR_TRUE) == SECSuccess, "early");
    if (client_word("again") != NULL)
        need(SSL_OptionSet(socket, SSL_ENABLE_RENEGOTIATION, SSL_RENEGOTIATE_UNRESTRICTED) ==
                 SECSuccess,
             "renegotiation");
    set_versions(socket);
    if (client_word("reconfig") != NULL)
        need(SSL_ReconfigFD(model, socket) != NULL, "SSL_ReconfigFD");
    if (model != NULL)
        PR_Close(model);
    if (!copied && client_word("late") == NULL)
        client_set_verification(socket);
    if (name != NULL)
        need(SSL_SetURL(socket, name) == SECSuccess, "url");
    if (client_word("psk") != NULL)
        set_key(socket);
    need(client_begin(socket, port), "begin");
    if (client_word("late") != NULL)
        client_set_verification(socket);
    return socket;
}

/* RESULT of what is to be tried again until it neither blocks nor waits for the program. */
static bool goes_on(PRFileDesc *socket, int result)
{
    PRPollDesc ready = {.fd = socket, .in_flags = PR_POLL_READ};

    if (result >= 0 || PR_GetError() != PR_WOULD_BLOCK_ERROR)
        return false;
    (void)PR_Poll(&ready, 1, PR_MillisecondsToInterval(20));
    if (client_is("hook", "wait"))
        (void)SSL_AuthCertificateComplete(socket, SEC_ERROR_UNKNOWN_ISSUER);
    return true;
}

static bool is_answer(const char *data)
{
    return strstr(data, "hello") != NULL;
}

static void *get_answer(void *socket)
{
    static __thread char data[2048];
    int got, had = 0;

    memset(data, 0, sizeof(data));
    do {
        got = PR_Read(socket, data + had, (int)sizeof(data) - 1 - had);
        had += got > 0 ? got : 0;
    } while (!is_answer(data) && (got > 0 || goes_on(socket, got)));
    return is_answer(data) ? "hello" : "none";
}

static void talk(PRFileDesc *socket, FILE *out)
{
    static const char request[] = "GET /hello HTTP/1.0\r\n\r\n";
    bool duplex = client_word("duplex") != NULL;
    pthread_t reader;
    void *answer = NULL;
    int put;

    if (duplex)
        pthread_create(&reader, NULL, get_answer, socket);
    do
        put = PR_Write(socket, request, sizeof(request) - 1);
    while (goes_on(socket, put));
    fprintf(out, " %s%s", put > 0 ? "sent" : "not sent", client_told());
    if (duplex)
        pthread_join(reader, &answer);
    else
        answer = get_answer(socket);
    fprintf(out, " data %s", (const char *)answer);
}

static void renegotiate(PRFileDesc *socket, FILE *out)
{
    int again = SSL_ReHandshake(socket, PR_TRUE);

    if (again == 0)
        again = SSL_ForceHandshake(socket);
    fprintf(out, " again %s", again == 0 ? "done" : "refused");
}

static void converse(const char *name, FILE *out, bool second)
{
    PRFileDesc *socket = import(name);
    SSLChannelInfo info = {0};
    int result = 0;

    if (socket == NULL) {
        fprintf(out, "no socket");
        return;
    }
    if (client_word("force") != NULL) {
        do
            result = SSL_ForceHandshake(socket);
        while (goes_on(socket, result));
        fprintf(out, "handshake %s", result == 0 ? "done" : "refused");
    }
    if (client_word("again") != NULL && result == 0)
        renegotiate(socket, out);
    if (client_word("after") != NULL)
        fprintf(out, " after %s",
                SSL_SetURL(socket, client_word("after")) == 0 ? "set" : "not set");
    if (client_word("hand") != NULL)
        client_verify_by_hand(socket, out);
    talk(socket, out);
    if (second && SSL_GetChannelInfo(socket, &info, sizeof(info)) == SECSuccess)
        fprintf(out, " resumed %d early %d", info.resumed, info.earlyDataAccepted);
    if (client_word("memory") == NULL) /* whose layer goes with the process */
        PR_Close(socket);
}

/* ---- a few at once ---- */

static void *converse_apart(void *arg)
{
    char **line = arg;
    size_t size;
    FILE *out = open_memstream(line, &size);

    converse(client_word("url"), out, false);
    fclose(out);
    return NULL;
}

static void converse_at_once(int count)
{
    pthread_t threads[32];
    char *lines[32] = {NULL};
    bool same = true;

    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, converse_apart, &lines[i]);
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        same = same && strcmp(lines[0], lines[i]) == 0;
    }
    printf("%s%s", lines[0], same ? "" : " not the same in all threads");
}

static char *resume(void)
{
    char *line = NULL;
    size_t size;
    FILE *out = open_memstream(&line, &size);

    converse(client_word("url"), out, true);
    fclose(out);
    return line;
}

static void swap_and_wait(const char *files)
{
    char *from = strdup(files), *to = strchr(from, ','), *first = resume(), *line = NULL;
    const struct timespec moment = {.tv_nsec = 50000000};

    *to++ = '\0';
    need(rename(from, to) == 0, to);
    for (int i = 0; i < 1200 && (line == NULL || strcmp(line, first) == 0); i++) {
        free(line);
        nanosleep(&moment, NULL);
        line = resume();
    }
    printf(" %s", line);
    free(line);
    free(first);
    free(from);
}

/* In a program of OpenSSL as well. */
static void use_openssl(void)
{
#ifdef WITH_OPENSSL
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL)
        printf(" no SSL_CTX");
    SSL_CTX_free(context);
#endif
}

static void run_in_child(void)
{
    int status = 0;

    fflush(stdout);
    if (fork() != 0)
        _exit(wait(&status) > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    pki = argv[1];
    port = (int)strtol(argv[2], NULL, 10);
    words = argv + 3;
    use_openssl();
    if (client_word("fork") != NULL) /* PKCS #11 has to begin in the child */
        run_in_child();
    open_database();
    if (client_word("plain") != NULL)
        need(SSL_OptionSetDefault(SSL_SECURITY, PR_FALSE) == SECSuccess, "default");
    if (client_word("threads") != NULL)
        converse_at_once((int)strtol(client_word("threads"), NULL, 10));
    else
        converse(client_word("url"), stdout, false);
    if (client_word("second") != NULL)
        SSL_ClearSessionCache();
    if (client_word("second") != NULL || client_word("twice") != NULL) {
        printf(" ");
        converse(client_word(client_word("twice") != NULL ? "url" : "second"), stdout,
                 client_word("twice") != NULL);
    }
    if (client_word("swap") != NULL)
        swap_and_wait(client_word("swap"));
    if (client_word("hook") != NULL || client_word("bad") != NULL || client_word("done") != NULL)
        printf(" called %d", client_called);
    printf("\n");
    fflush(stdout);
    _exit(0);
}
