/* empty.c - what the preload library's cost is measured against: a library that does nothing. */
void bench_empty(void);

__attribute__((visibility("default"))) void bench_empty(void)
{
}
