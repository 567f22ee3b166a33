#include "once.h"

static _Thread_local struct {
    void (*run)(void *);
    void *arg;
} task;

/* the function may come here again, for another once. */
static void do_task(void)
{
    task.run(task.arg);
}

void tg_once(pthread_once_t *once, void (*run)(void *), void *arg)
{
    task.run = run;
    task.arg = arg;
    pthread_once(once, do_task);
}
