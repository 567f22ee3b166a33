/* errors.h - what the client's library says of an error, by the functions that write a text. */
#ifndef ERRORS_H
#define ERRORS_H

/* Of the first error on the queue: a line to standard error. */
void errors_print(void);

#endif
