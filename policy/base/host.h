/* host.h - what a host is called: one spelling for each DNS name and each address. */
#ifndef TG_HOST_H
#define TG_HOST_H

#include "trustgraft.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The canonical spelling of a host: lower case without a trailing dot; an address as inet_ntop
 * writes it, brackets dropped, IPv4-mapped IPv6 as IPv4. OUT has room for TG_HOST_SIZE bytes.
 * What is given but neither a name nor an address that a policy can write ("a~b.example", a label
 * of 64 characters) is unspellable: OUT has it in lower case, without one trailing dot. Invalid is
 * what is nothing (NULL, "", ".") or doesn't fit: OUT is untouched.
 */
#define TG_HOST_SIZE 256
enum tg_host_kind { TG_HOST_INVALID, TG_HOST_UNSPELLABLE, TG_HOST_NAME, TG_HOST_ADDRESS };
enum tg_host_kind tg_host_canonical(const char *host, char out[TG_HOST_SIZE]);
/* tg_host_canonical; true if HOST is a name or an address. */
TG_MUST_USE TG_API bool tg_host_spell(const char *host, char out[TG_HOST_SIZE]);

/*
 * The address that TEXT, LENGTH bytes without brackets, zone or prefix, stands for; *FAMILY is
 * AF_INET (4 bytes) or AF_INET6 (16). IPv4-mapped IPv6 comes out as IPv4 (RFC 4291 section
 * 2.5.5.2). False if TEXT is no address.
 */
TG_MUST_USE bool tg_host_address(const char *text, size_t length, int *family, uint8_t address[16]);

/*
 * Why NAME, LENGTH bytes with or without a trailing dot, can't be a DNS name, as the rest of a
 * sentence ("has an empty label") with *OFFSET the byte meant; NULL if it can.
 */
TG_MUST_USE const char *tg_host_name_fault(const char *name, size_t length, size_t *offset);

#endif
