/*
 * image.h - what trustgraft-compile(1) wrote: a flat file that processes map and share, of which
 * each looks at what it asks for alone, however large it is.
 *
 * It consists of blocks, and has a checksum of each at its end: what is read is checked on the way,
 * so that a damaged image never is one that holds less. That is against accident: who can write an
 * image can write the text that it stands for. Its first block is the header, all else is found
 * by offset: records, the keys that lead to them, and a table of the keys' hashes.
 */
#ifndef TG_IMAGE_H
#define TG_IMAGE_H

#include "mapping.h"
#include "mem.h"
#include "watch.h"

#define TG_IMAGE_SUFFIX ".compiled" /* beside what it was made of */
#define TG_IMAGE_BLOCK  1024
#define TG_IMAGE_MAGIC  "\x89trustgraft\r\n\x1a"
#define TG_IMAGE_FORMAT 1
#define TG_IMAGE_ORDER  0x01020304u

enum tg_image_content { TG_IMAGE_POLICY = 1, TG_IMAGE_KNOWN_HOSTS };

struct tg_image_header {
    char magic[16];
    uint32_t order;   /* TG_IMAGE_ORDER, as the machine that wrote it has it */
    uint32_t pointer; /* sizeof(void *) there */
    uint32_t format, content;
    char version[32]; /* of the trustgraft that wrote it */
    uint64_t id;      /* of this one alone: no block of another is taken for one of its own */
    uint64_t size;    /* of the file */
    uint64_t blocks;  /* each of TG_IMAGE_BLOCK bytes; then a checksum of each */
    uint64_t table, slots, homes;
    uint64_t records, records_end; /* of what it was made of, one behind the other */
    uint64_t marks, marks_size;    /* tg_watch_mark, length and path of each source */
    uint64_t root, root_size;      /* what is read at once */
    int64_t begun, begun_ns;       /* before its sources were read, by its file system's clock */
    uint64_t path, path_size;      /* of what it stands for */
};

/* A slot of the table: free where offset is 0. Equal hashes stand in the order of their offsets. */
struct tg_image_slot {
    uint64_t hash, offset;
};

/* What stands at an offset: a key, or a record of its owner's. */
struct tg_image_record {
    uint32_t kind, length; /* of what follows, up to a multiple of 8 */
    uint64_t tag, value;
};

/* Where TABLE's HASH is looked for first: in the order of the hashes. */
uint64_t tg_image_home(uint64_t hash, uint64_t homes);
uint64_t tg_image_hash(uint32_t kind, uint64_t tag, const char *text, size_t length);
uint64_t tg_image_checksum(uint64_t id, uint64_t number, const unsigned char *block);

/* What keys of an image lead to, and records in it are. */
enum tg_image_kind {
    TG_IMAGE_PATTERN = 1, /* of tg_index_tag without a port: a section */
    TG_IMAGE_HOST,        /* of an [exception], canonical: a section */
    TG_IMAGE_NAME,        /* of an [exception]: a section */
    TG_IMAGE_FILE,        /* of enum tg_load_tag, a path: a material */
    TG_IMAGE_KNOWN,       /* of a port, a host: a line of a known-hosts file */
    TG_IMAGE_RULE,        /* a [host] section: its text, where it stands, flags */
    TG_IMAGE_SECTION,     /* another section: likewise */
    TG_IMAGE_MATERIAL,    /* what a file holds */
    TG_IMAGE_LINE         /* tag: its number; value: how many pins */
};

/* The tag of a section's record: its file's number, and the lines that stand before it. */
#define TG_IMAGE_PLACE(file, before) ((uint64_t)(file) << 32 | (before))

/* The value of a rule's record. */
enum { TG_IMAGE_PASS = 1, TG_IMAGE_REPORT = 2, TG_IMAGE_SPECIFIC = 4 };

/* True if sources that changed at NEWEST may have changed once more, unseen, after BEGUN. */
bool tg_image_is_racy(struct timespec newest, struct timespec begun);

struct tg_image {
    struct tg_mapping mapping;
    struct tg_image_header header;
    const char *path;       /* its own */
    struct tg_watch *watch; /* the sources, and the image itself */
};

/*
 * Opens the image of PATH, absolute, if it has one: it is in ARENA, and to be closed, if it counts.
 * NULL otherwise; *WHY is a sentence in ARENA on why not, NULL where there is none.
 */
TG_MUST_USE struct tg_image *tg_image_open(struct tg_arena *arena, const char *path,
                                           enum tg_image_content content, const char **why);
void tg_image_close(struct tg_image *image); /* NULL is fine */

/* Reads from IMAGE; one block is kept at hand. */
struct tg_image_reader {
    struct tg_image *image;
    uint64_t number; /* of the block at hand; 0: none */
    unsigned char block[TG_IMAGE_BLOCK];
};
void tg_image_begin(struct tg_image_reader *reader, struct tg_image *image);

/* Copies LENGTH bytes at OFFSET to OUT. False: they aren't there, or aren't what was written. */
TG_MUST_USE bool tg_image_read(struct tg_image_reader *reader, uint64_t offset, void *out,
                               size_t length);
/* LENGTH bytes at OFFSET, malloc'd, and a NUL behind them. NULL likewise, or without memory. */
TG_MUST_USE char *tg_image_take(struct tg_image_reader *reader, uint64_t offset, size_t length);

/* The offset behind a record of LENGTH bytes at OFFSET. */
uint64_t tg_image_behind(uint64_t offset, uint32_t length);

/*
 * Calls MET(ARG, VALUE) with the value of each key KIND, TAG and TEXT, in the order in which they
 * were entered, until it returns false. False: what was read isn't what was written, or MET did.
 */
typedef bool tg_image_met(void *arg, uint64_t value);
TG_MUST_USE bool tg_image_find(struct tg_image_reader *reader, uint32_t kind, uint64_t tag,
                               const char *text, size_t length, tg_image_met *met, void *arg);

/* A stretch of bytes that is taken apart; `wrong` is sticky. */
struct tg_image_bytes {
    const char *at, *end;
    bool wrong;
};
/* The next SIZE bytes, or NULL. */
const void *tg_image_next(struct tg_image_bytes *bytes, size_t size);
uint64_t tg_image_number(struct tg_image_bytes *bytes);
/* A number, and so many bytes that end in a NUL; NULL if they don't. */
const char *tg_image_text(struct tg_image_bytes *bytes);

#endif
