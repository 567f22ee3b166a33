#include "value.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

/* A reader of fixed-width fields; `at` becomes NULL at the first that isn't there. */
struct scan {
    const char *at;
};

static int scan_number(struct scan *scan, int digits)
{
    int value = 0;

    for (int i = 0; scan->at != NULL && i < digits; i++) {
        if (*scan->at < '0' || *scan->at > '9')
            scan->at = NULL;
        else
            value = value * 10 + (*scan->at++ - '0');
    }
    return value;
}

/* Eats one of SET's characters and returns it. */
static char scan_one(struct scan *scan, const char *set)
{
    if (scan->at == NULL || *scan->at == '\0' || strchr(set, *scan->at) == NULL)
        scan->at = NULL;
    return scan->at != NULL ? *scan->at++ : '\0';
}

static void scan_fraction(struct scan *scan)
{
    if (scan->at == NULL || *scan->at != '.')
        return;
    scan->at++;
    scan_number(scan, 1);
    while (scan->at != NULL && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
}

/* "Z" or "+HH:MM": seconds to subtract for UTC. */
static long scan_offset(struct scan *scan)
{
    char sign = scan_one(scan, "Zz+-");
    long hours, minutes;

    if (scan->at == NULL || sign == 'Z' || sign == 'z')
        return 0;
    hours = scan_number(scan, 2);
    scan_one(scan, ":");
    minutes = scan_number(scan, 2);
    if (hours > 23 || minutes > 59)
        scan->at = NULL;
    return (sign == '-' ? -60 : 60) * (hours * 60 + minutes);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01; the year is counted from March so that a leap day ends it. */
static long long days_from_date(int year, int month, int day)
{
    long long y = year - (month <= 2), m = (month + 9) % 12;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static long long scan_date(struct scan *scan)
{
    int year, month, day;

    year = scan_number(scan, 4);
    scan_one(scan, "-");
    month = scan_number(scan, 2);
    scan_one(scan, "-");
    day = scan_number(scan, 2);
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        scan->at = NULL;
    return scan->at != NULL ? days_from_date(year, month, day) * 86400 : 0;
}

static long long scan_clock(struct scan *scan)
{
    long long hour, minute, second;

    hour = scan_number(scan, 2);
    scan_one(scan, ":");
    minute = scan_number(scan, 2);
    scan_one(scan, ":");
    second = scan_number(scan, 2);
    scan_fraction(scan);
    if (hour > 23 || minute > 59 || second > 60)
        scan->at = NULL;
    return hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
}

const char *tg_value_time(struct tg_arena *arena, const char *word, time_t *out)
{
    struct scan scan = {word};
    long long seconds = scan_date(&scan);

    if (scan.at != NULL && *scan.at != '\0') {
        scan_one(&scan, "Tt");
        seconds += scan_clock(&scan);
        seconds -= scan_offset(&scan);
    }
    if (scan.at == NULL || *scan.at != '\0')
        return tg_arena_sentence(
            arena, "\"%s\" is not an RFC 3339 date or time like 2027-01-31 or 2027-01-31T12:00:00Z",
            word);
    if (seconds <= 0 || (time_t)seconds != seconds)
        return tg_arena_sentence(arena, "\"%s\" is not after 1970-01-01T00:00:00Z", word);
    *out = (time_t)seconds;
    return NULL;
}

const char *tg_value_yes_no(struct tg_arena *arena, const char *word, bool *out)
{
    bool yes = strcmp(word, "yes") == 0;

    if (!yes && strcmp(word, "no") != 0)
        return tg_arena_sentence(arena, "\"%s\" is neither yes nor no", word);
    *out = yes;
    return NULL;
}
