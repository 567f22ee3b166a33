/*
 * lookup.c - the interposed look-ups of names of libc: what they find is remembered in names.c, and
 * the program gets it unchanged.
 */
#include "beside.h"
#include "names.h"
#include "pending.h"
#include "resolve.h"
#include "trustgraft.h"
#include <errno.h>

TG_API int getaddrinfo(const char *restrict name, const char *restrict service,
                       const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    __typeof__(&getaddrinfo) real = tg_resolve_libc(TG_GETADDRINFO);

    if (real == NULL)
        return EAI_FAIL;
    int result = real(name, service, hints, list);
    tg_beside_look();
    if (result == 0)
        tg_names_add_addrinfo(name, *list);
    return result;
}

TG_API struct hostent *gethostbyname(const char *name)
{
    __typeof__(&gethostbyname) real = tg_resolve_libc(TG_GETHOSTBYNAME);
    struct hostent *entry = real != NULL ? real(name) : NULL;

    tg_beside_look();
    tg_names_add_hostent(name, entry);
    return entry;
}

TG_API struct hostent *gethostbyname2(const char *name, int family)
{
    __typeof__(&gethostbyname2) real = tg_resolve_libc(TG_GETHOSTBYNAME2);
    struct hostent *entry = real != NULL ? real(name, family) : NULL;

    tg_beside_look();
    tg_names_add_hostent(name, entry);
    return entry;
}

TG_API int gethostbyname_r(const char *restrict name, struct hostent *restrict entry,
                           char *restrict buffer, size_t size, struct hostent **restrict found,
                           int *restrict error)
{
    __typeof__(&gethostbyname_r) real = tg_resolve_libc(TG_GETHOSTBYNAME_R);

    if (real == NULL)
        return ENOSYS;
    int result = real(name, entry, buffer, size, found, error);
    tg_beside_look();
    if (result == 0)
        tg_names_add_hostent(name, *found);
    return result;
}

TG_API int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict entry,
                            char *restrict buffer, size_t size, struct hostent **restrict found,
                            int *restrict error)
{
    __typeof__(&gethostbyname2_r) real = tg_resolve_libc(TG_GETHOSTBYNAME2_R);

    if (real == NULL)
        return ENOSYS;
    int result = real(name, family, entry, buffer, size, found, error);
    tg_beside_look();
    if (result == 0)
        tg_names_add_hostent(name, *found);
    return result;
}

/* ---- look-ups in the background (getaddrinfo_a(3)): seen when the program sees their end ------
 */

#ifdef GAI_WAIT /* musl has none */

static void see(struct gaicb *request)
{
    __typeof__(&gai_error) error_of = tg_resolve_libc(TG_GAI_ERROR);

    int error = request != NULL && error_of != NULL ? error_of(request) : EAI_INPROGRESS;

    if (error == 0)
        tg_names_add_addrinfo(request->ar_name, request->ar_result);
    if (error != EAI_INPROGRESS)
        tg_pending_end(request, request->ar_name);
}

TG_API int getaddrinfo_a(int mode, struct gaicb *list[restrict], int count,
                         struct sigevent *restrict event)
{
    __typeof__(&getaddrinfo_a) real = tg_resolve_libc(TG_GETADDRINFO_A);

    if (real == NULL)
        return EAI_SYSTEM;
    for (int i = 0; (mode == GAI_WAIT || mode == GAI_NOWAIT) && i < count; i++)
        if (list[i] != NULL && tg_names_is_name(list[i]->ar_name))
            tg_pending_begin(list[i], list[i]->ar_name);
    int result = real(mode, list, count, event);
    for (int i = 0; mode == GAI_WAIT && i < count; i++)
        see(list[i]);
    return result;
}

TG_API int gai_error(struct gaicb *request)
{
    __typeof__(&gai_error) real = tg_resolve_libc(TG_GAI_ERROR);
    int error = real != NULL ? real(request) : EAI_SYSTEM;

    if (error != EAI_INPROGRESS)
        see(request);
    return error;
}

TG_API int gai_suspend(const struct gaicb *const list[], int count, const struct timespec *timeout)
{
    __typeof__(&gai_suspend) real = tg_resolve_libc(TG_GAI_SUSPEND);

    if (real == NULL)
        return EAI_SYSTEM;
    int result = real(list, count, timeout);
    for (int i = 0; i < count; i++)
        see((struct gaicb *)list[i]);
    return result;
}

#endif
