#include "input.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int tg_input_read(const char *path, size_t largest, struct tg_buf *data)
{
    char block[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = fd == -1 ? errno : 0;
    ssize_t got = 1;

    while (error == 0 && got > 0) {
        got = read(fd, block, sizeof(block));
        if (got > 0)
            tg_buf_addn(data, block, (size_t)got);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got < 0)
            error = errno;
        else if (data->failed)
            error = ENOMEM;
        else if (data->length > largest)
            error = EFBIG;
    }
    if (fd != -1)
        close(fd);
    return error;
}
