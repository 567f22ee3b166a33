/*
 * attempt.h - one candidate path, with all that is checked on a path: distrust,
 * X509_verify_cert(3), constraints on the wanted names, floors, pins. It is kept if it is the best
 * so far.
 */
#ifndef TG_ATTEMPT_H
#define TG_ATTEMPT_H

#include "evaluation.h"
#include "path.h"

/* A tg_path_visit; ARG is the struct tg_evaluation. */
tg_path_visit tg_attempt;

#endif
