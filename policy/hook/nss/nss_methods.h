/* nss_methods.h - the methods of a socket's layer, in place of the library's: no data passes by
 * them before the server is judged. */
#ifndef TG_NSS_METHODS_H
#define TG_NSS_METHODS_H

#include "nss_socket.h"

void tg_nss_methods_install(struct tg_nss_socket *state);

#endif
