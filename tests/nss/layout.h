/* layout.h - where the parts of NSS's structs are that are read: as its own headers have it
 * (declared.c), and as nss_api.h does without them (layout.c). */
#include <stddef.h>

#define AT(type, member, value) _Static_assert(offsetof(type, member) == (value), #type "." #member)
AT(PRIOMethods, close, 8);
AT(PRIOMethods, read, 16);
AT(PRIOMethods, write, 24);
AT(PRIOMethods, writev, 88);
AT(PRIOMethods, connect, 96);
AT(PRIOMethods, accept, 104);
AT(PRIOMethods, shutdown, 128);
AT(PRIOMethods, recv, 136);
AT(PRIOMethods, send, 144);
AT(PRIOMethods, recvfrom, 152);
AT(PRIOMethods, sendto, 160);
AT(PRIOMethods, poll, 168);
AT(PRIOMethods, transmitfile, 184);
AT(PRIOMethods, getsockname, 192);
AT(PRIOMethods, sendfile, 240);
AT(PRIOMethods, connectcontinue, 248);
_Static_assert(sizeof(PRIOMethods) == 288, "PRIOMethods");
AT(PRFileDesc, methods, 0);
AT(PRFileDesc, secret, 8);
AT(PRFileDesc, lower, 16);
AT(PRFileDesc, higher, 24);
AT(PRFileDesc, identity, 40);
AT(SECItem, data, 8);
AT(SECItem, len, 16);
AT(SECItemArray, items, 0);
AT(SECItemArray, len, 8);
AT(CERTCertificate, derCert, 120);
AT(CERTCertTrust, sslFlags, 0);
_Static_assert(sizeof(CERTCertTrust) == 12, "CERTCertTrust");
AT(CERTCertListNode, cert, 16);
AT(CERTVerifyLog, count, 8);
AT(CERTVerifyLog, head, 16);
AT(CERTVerifyLog, tail, 24);
AT(CERTVerifyLogNode, cert, 0);
AT(CERTVerifyLogNode, next, 32);
AT(CERTValOutParam, type, 0);
AT(SSLPreliminaryChannelInfo, valuesSet, 4);
AT(SSLPreliminaryChannelInfo, protocolVersion, 8);
