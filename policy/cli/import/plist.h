/* plist.h - Apple's property lists as a policy: NSPinnedDomains, NSExceptionDomains or
 * TSKConfiguration. */
#ifndef TG_PLIST_H
#define TG_PLIST_H

#include "translate.h"

/* Translates the file whose first element is ROOT; what can't be said in a policy is a gap or an
 * error. */
void tg_translate_plist(struct tg_translation *out, const tg_xml_node *root);

#endif
