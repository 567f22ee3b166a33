/* policy.h - what the client does about policies itself; where that fails, it exits with 2. */
#ifndef POLICY_H
#define POLICY_H

#include <openssl/ssl.h>

/* Puts CTX under the policy in FILE ("-": that of the process), as libtrustgraft(3) shows it;
 * LIBRARY is the path of libtrustgraft. */
void policy_put_under(SSL_CTX *ctx, const char *library, const char *file);

/* The policy of the process becomes what FILE has, and that has been noticed. */
void policy_replace(const char *file);

#endif
