/* audit.c - the least that LD_AUDIT takes (rtld-audit(7)). */
unsigned la_version(unsigned version);

unsigned la_version(unsigned version)
{
    return version;
}
