/* ns/ns.h: front of the folder that makes and joins namespaces. */
#ifndef CRUN_LITE_NS_NS_H
#define CRUN_LITE_NS_NS_H
#endif
