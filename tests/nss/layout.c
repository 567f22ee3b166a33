/* layout.c - nss_api.h without NSS's headers: it compiles, or not. */
#include "nss_api.h"
/* behind it */
#include "layout.h"
