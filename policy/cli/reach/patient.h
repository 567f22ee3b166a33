/* patient.h - the examination of a program: which TLS is in it, and what gets into it. */
#ifndef TG_PATIENT_H
#define TG_PATIENT_H

#include "exam.h"

/* Examines the file PATH, a command's; runs nothing of it. */
void tg_patient_examine(struct tg_exam *exam, const char *path);

#endif
