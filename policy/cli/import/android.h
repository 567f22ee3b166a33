/* android.h - Android's network_security_config.xml as a policy, TrustKit's for Android too. */
#ifndef TG_ANDROID_H
#define TG_ANDROID_H

#include "translate.h"

/* Translates the file whose first element is ROOT; what can't be said in a policy is a gap or an
 * error. */
void tg_translate_android(struct tg_translation *out, const tg_xml_node *root);

#endif
