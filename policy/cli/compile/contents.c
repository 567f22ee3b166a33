#include "contents.h"
#include "holding.h"
#include "index.h"
#include "material.h"
#include <openssl/x509.h>
#include <string.h>

/* Adds what I2D makes of one object. */
#define ADD_DER(bytes, i2d, object)                                                                \
    do {                                                                                           \
        unsigned char *der = NULL;                                                                 \
        int length = i2d(object, &der);                                                            \
                                                                                                   \
        if (length > 0) {                                                                          \
            tg_imagefile_add_number(bytes, (uint64_t)length);                                      \
            tg_buf_addn(bytes, (const char *)der, (size_t)length);                                 \
        } else {                                                                                   \
            (bytes)->failed = true;                                                                \
        }                                                                                          \
        OPENSSL_free(der);                                                                         \
    } while (0)

static void add_certificates(struct tg_buf *bytes, const struct tg_holding *holding)
{
    tg_imagefile_add_number(bytes, tg_holding_count(holding));
    for (size_t i = 0; i < tg_holding_count(holding); i++) {
        size_t size;
        const uint8_t *der = tg_holding_der(holding, i, &size);

        tg_imagefile_add_number(bytes, size);
        tg_buf_addn(bytes, (const char *)der, size);
    }
}

static void add_objects(struct tg_buf *bytes, const struct tg_material *file)
{
    if (file->item.tag == TG_TAG_CERTIFICATES) {
        add_certificates(bytes, file->certificates != NULL ? file->certificates->holding : NULL);
    } else if (file->item.tag == TG_TAG_CRLS) {
        tg_imagefile_add_number(bytes, (uint64_t)sk_X509_CRL_num(file->crls));
        for (int i = 0; i < sk_X509_CRL_num(file->crls); i++)
            ADD_DER(bytes, i2d_X509_CRL, sk_X509_CRL_value(file->crls, i));
    } else {
        tg_imagefile_add_number(bytes, file->key != NULL);
        if (file->key != NULL)
            ADD_DER(bytes, i2d_PUBKEY, file->key);
    }
}

void tg_contents_put_files(struct tg_job *job)
{
    for (const struct tg_material *file = job->base.materials; file != NULL; file = file->next) {
        struct tg_buf bytes = {0};
        uint64_t offset;

        tg_buf_addn(&bytes, (const char *)file->spki, TG_SHA256_SIZE);
        add_objects(&bytes, file);
        job->diags->lost = job->diags->lost || bytes.failed;
        offset = tg_imagefile_put(job->out, TG_IMAGE_MATERIAL, file->item.tag, bytes.length,
                                  bytes.text, bytes.length);
        tg_imagefile_key(job->out, TG_IMAGE_FILE, file->item.tag, file->item.text,
                         file->item.length, offset);
        tg_buf_free(&bytes);
    }
}

void tg_contents_add_root(const struct tg_job *job, struct tg_buf *root)
{
    const tg_policy *policy = job->base.policy;
    uint64_t known = 0, programs = 0;

    for (const struct tg_known_file *file = policy->known_files; file != NULL; file = file->next)
        known++;
    for (const struct tg_program_path *one = job->base.programs; one != NULL; one = one->next)
        programs++;
    tg_imagefile_add_number(root, job->done->rules);
    tg_imagefile_add_number(root, job->done->exceptions);
    tg_imagefile_add_number(root, job->staples);
    tg_buf_addn(root, (const char *)policy->index->prefixes, sizeof(policy->index->prefixes));
    tg_imagefile_add_number(root, job->source_count);
    for (const struct tg_source *source = job->base.sources; source != NULL; source = source->next)
        tg_imagefile_add_text(root, source->path);
    tg_imagefile_add_number(root, known);
    for (const struct tg_known_file *file = policy->known_files; file != NULL; file = file->next)
        tg_imagefile_add_text(root, file->path);
    tg_imagefile_add_number(root, programs);
    for (const struct tg_program_path *one = job->base.programs; one != NULL; one = one->next) {
        tg_imagefile_add_text(root, one->item.text);
        tg_imagefile_add_text(root, one->path != NULL ? one->path : "");
    }
    tg_imagefile_add_number(root, job->own.length / sizeof(uint64_t));
    tg_buf_addn(root, job->own.text, job->own.length);
}
