/*
 * holder.h - who holds a lock of flock(2). Whoever can read a file can take one and keep it, which
 * must not keep its owner from changing it, nor root from taking trustgraft away.
 */
#ifndef TG_HOLDER_H
#define TG_HOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * FILE is locked by another. False if all who hold it by /proc/locks (proc(5)) are gone, or of
 * users who can't change the file: neither root, nor its owner, nor the effective user. True also
 * where that can't be known.
 */
bool tg_holder_counts(const struct stat *file);

#endif
